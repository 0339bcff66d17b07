"""PCK on points made by hand, and the properties of metrics.md."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import TypeCheckError

from marey.core.errors import DataError
from marey.core.skeletons import FLIC11, LSP14, MPII16, Skeleton
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


@pytest.mark.parametrize(("joints", "ends"), [(LSP14, pck.TORSO), (FLIC11, ("right_shoulder", "left_hip"))])
def test_torsos_go_by_name(joints: Skeleton, ends: tuple[str, str]):
    xy = np.zeros((1, len(joints), 2))
    xy[0, joints.index(ends[0])] = 30, 0
    xy[0, joints.index(ends[1])] = 0, 40
    assert pck.torso(xy, joints, ends) == pytest.approx([50])
    xy[0, joints.index(ends[1])] = np.nan
    assert np.isnan(pck.torso(xy, joints, ends)).all()


def test_lengths_of_boxes():
    box = np.array([[10.0, 10, 40, 50]])
    assert pck.side(box) == pytest.approx([40])
    assert pck.head(box) == pytest.approx([30])
    counted = pck.PROTOCOLS["pckh"].columns(MPII16)
    assert set(MPII16.joints) - {MPII16.joints[k] for k in counted} == {"pelvis", "thorax"}


def test_a_pixel_of_the_scored_picture():
    """At half the size six scored pixels are twelve of the labels'."""
    error = pck.errors(TRUTH + np.array([12.0, 0]), TRUTH, ALL, pck.pixel(np.array([0.5, 1.0])))
    np.testing.assert_array_equal(pck.right(error, 6), [[1, 1, 1], [0, 0, 0]])


def test_counting_pixels_from_one_shifts_by_one():
    """A 1-based truth against 0-based predictions is off by √2 px: to be added before PCKh@0.1."""
    error = pck.errors(TRUTH - 1, TRUTH, ALL, np.array([1.0, 1.0]))
    np.testing.assert_allclose(error, np.sqrt(2))


def test_macro_weighs_joints_alike():
    labelled = np.array([[True, True, False], [True, False, False]])
    off = TRUTH.copy()
    off[:, 0] += 100
    held = pck.errors(off, TRUTH, labelled, LENGTH)
    assert pck.share(held, 0.2) == pytest.approx(1 / 3)
    assert pck.macro(held, 0.2) == pytest.approx(1 / 2)
    assert np.isnan(pck.macro(held[:0], 0.2))


def test_left_and_right_are_averaged_by_name():
    shares = np.arange(14.0)
    rows = pck.paired(shares, LSP14)
    assert list(rows) == ["hip", "knee", "ankle", "shoulder", "elbow", "wrist", "neck", "head_top"]
    assert rows["hip"] == pytest.approx((2 + 3) / 2)
    assert rows["neck"] == 12
    assert set(pck.paired(np.ones(11), FLIC11).values()) == {1.0}


def test_two_areas_are_two_things():
    """Off by nothing: the trapezium is 1, the mean over 20 strict thresholds lacks the first."""
    held = pck.errors(TRUTH, TRUTH, ALL, np.ones(2))
    assert pck.area(held) == 1
    assert pck.mean_below(held, 30) == pytest.approx(19 / 20)


@given(st.permutations(range(3)), st.integers(0, 2**31))
def test_order_of_joints_and_people_does_not_matter(order: list[int], seed: int):
    off = TRUTH + np.random.default_rng(seed).normal(0, 5, TRUTH.shape)
    plain = pck.errors(off, TRUTH, ALL, LENGTH)
    other = pck.errors(off[::-1, order], TRUTH[::-1, order], ALL, LENGTH[::-1])
    assert pck.share(other, 0.2) == pck.share(plain, 0.2)
    np.testing.assert_array_equal(pck.per_joint(other, 0.2), pck.per_joint(plain, 0.2)[order])
