"""The crowd index on boxes drawn by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marey.metrics.crowding import crowd_index

BOXES = np.array([[0.0, 0, 10, 10], [5, 0, 15, 10]])
JOINTS = np.array([[[1.0, 1], [8, 8]], [[12, 1], [14, 8]]])
ALL = np.ones((2, 2), bool)


def test_by_hand():
    """The first's box holds its two joints; the second's its two and one of the first's: (0 + 1/2) / 2."""
    assert crowd_index(JOINTS, ALL, BOXES) == pytest.approx(0.25)


def test_alone_or_nobody_is_no_crowd():
    assert crowd_index(JOINTS[:1], ALL[:1], BOXES[:1]) == 0
    assert crowd_index(JOINTS[:0], ALL[:0], BOXES[:0]) == 0


def test_joints_without_label_or_place_do_not_count():
    assert crowd_index(JOINTS, np.array([[True, False], [True, True]]), BOXES) == 0
    gone = JOINTS.copy()
    gone[0, 1] = np.nan
    assert crowd_index(gone, ALL, BOXES) == 0


def test_the_same_person_twice_is_a_crowd_of_one():
    assert crowd_index(JOINTS[[0, 0]], ALL, BOXES[[0, 0]]) == 1


@given(st.permutations(range(4)), st.floats(0.1, 10), st.integers(0, 2**31))
def test_order_and_size_do_not_matter(order: list[int], scale: float, seed: int):
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 50, (4, 2))
    boxes = np.concatenate([low, low + rng.uniform(10, 60, (4, 2))], 1)
    xy, labelled = rng.uniform(0, 100, (4, 6, 2)), rng.random((4, 6)) < 0.8
    other = crowd_index(xy[order] * scale, labelled[order], boxes[order] * scale)
    assert other == pytest.approx(crowd_index(xy, labelled, boxes))
