"""PCK on points made by hand, and the properties of metrics.md."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import TypeCheckError

from marey.core.errors import DataError
from marey.metrics import pck

TRUTH = np.array([[[0.0, 0], [10, 0], [0, 10]], [[5, 5], [50, 5], [5, 50]]])
ALL = np.ones((2, 3), bool)
LENGTH = np.array([10.0, 100.0])


def test_the_boundary_is_within():
    off = TRUTH + np.array([2.0, 0])
    held = pck.errors(off, TRUTH, ALL, LENGTH)
    assert pck.share(held, 0.2) == 1
    assert pck.share(held, 0.2, strict=True) == 0.5


def test_micro_mean_and_joints():
    labelled = np.array([[True, True, True], [True, False, False]])
    off = TRUTH.copy()
    off[0, 0] += 100
    held = pck.errors(off, TRUTH, labelled, LENGTH)
    assert pck.share(held, 0.2) == 3 / 4
    np.testing.assert_allclose(pck.per_joint(held, 0.2), [0.5, 1, 1])


def test_missing_is_a_miss_and_unknown_length_is_not_counted():
    gone = TRUTH.copy()
    gone[0, 0] = np.nan
    assert pck.share(pck.errors(gone, TRUTH, ALL, LENGTH), 0.2) == 5 / 6
    assert pck.share(pck.errors(gone, TRUTH, ALL, np.array([np.nan, 100])), 0.2) == 1


def test_nothing_counted_is_nan():
    assert np.isnan(pck.share(pck.errors(TRUTH, TRUTH, ~ALL, LENGTH), 0.2))
    assert pck.share(pck.errors(np.full_like(TRUTH, np.nan), TRUTH, ALL, LENGTH), 0.2) == 0


def test_area_of_a_known_curve():
    held = pck.errors(TRUTH + np.array([0.0, 1.0]), TRUTH, ALL, np.array([10.0, 10.0]))
    # Every joint is off by exactly 0.1: right from α = 0.1 on, that is at 11 of 21 points, half-weighted at
    # the end.
    assert pck.area(held) == pytest.approx(10.5 / 20)


@given(st.floats(0.1, 50), st.integers(0, 2**31))
def test_scaling_everything_changes_nothing(scale: float, seed: int):
    off = TRUTH + np.random.default_rng(seed).normal(0, 3, TRUTH.shape)
    plain = pck.errors(off, TRUTH, ALL, LENGTH)
    np.testing.assert_allclose(pck.errors(off * scale, TRUTH * scale, ALL, LENGTH * scale), plain)


def test_mirrored_sides_are_wrong():
    mirrored = TRUTH[:, [0, 2, 1]]
    assert pck.share(pck.errors(mirrored, TRUTH, ALL, LENGTH), 0.2) == pytest.approx(1 / 3)


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises((DataError, TypeCheckError), match=r"shapes|Type-check"):
        pck.errors(TRUTH[:, :2], TRUTH, ALL, LENGTH)
    with pytest.raises(DataError, match="no position"):
        pck.errors(TRUTH, np.full_like(TRUTH, np.nan), ALL, LENGTH)
