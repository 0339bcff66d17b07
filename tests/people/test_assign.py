import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from marey.people.assign import assign

optimize = pytest.importorskip("scipy.optimize")
shapes = hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=9)


@given(hnp.arrays(np.float64, shapes, elements=st.integers(-3, 6)))
def test_total_gain_is_scipys(gain):
    rows, columns = assign(gain)
    want = optimize.linear_sum_assignment(np.maximum(gain, 0), maximize=True)
    assert gain[rows, columns].sum() == pytest.approx(np.maximum(gain, 0)[want].sum())
    assert (gain[rows, columns] > 0).all()
    assert (np.diff(rows) > 0).all()
    assert len(set(columns)) == len(columns)


def test_large_random_matrices_give_scipys_pairs():
    rng = np.random.default_rng(1)
    for shape in ((60, 60), (40, 90), (90, 40)):
        gain = rng.random(shape).astype(np.float32)
        rows, columns = assign(gain)
        want = optimize.linear_sum_assignment(gain, maximize=True)
        np.testing.assert_array_equal(rows, want[0])
        np.testing.assert_array_equal(columns, want[1])


def test_one_good_pair_beats_two_poor_ones():
    rows, columns = assign(np.array([[0.9, 0.25], [0.25, 0.0]]))
    assert (rows.tolist(), columns.tolist()) == ([0], [0])
