"""PCP on limbs made by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marey.core.errors import DataError
from marey.core.skeletons import FLIC11, LSP14, mirrored
from marey.metrics import pcp


def person(seed: int = 0, people: int = 3, joints: int = 14) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 100, (people, joints, 2))


def one_stick(start: tuple[float, float], end: tuple[float, float]) -> np.ndarray:
    return np.array([[[start, end]]], float)


def test_strict_asks_both_ends_and_loose_their_mean():
    truth = one_stick((0, 0), (10, 0))
    one_far = pcp.errors(one_stick((0, 8), (10, 2)), truth)
    assert pcp.share(one_far) == 0
    assert pcp.share(one_far, loose=True) == 1
    assert pcp.share(pcp.errors(one_stick((0, 5), (10, 5)), truth)) == 1  # ≤, not <


def test_perfect_missing_and_uncounted():
    truth = pcp.sticks(person(), "lsp14")
    assert pcp.share(pcp.errors(truth, truth)) == 1
    gone = truth.copy()
    gone[:, 0, 1] = np.nan
    assert pcp.share(pcp.errors(gone, truth)) == pytest.approx(0.9)
    assert pcp.share(pcp.errors(gone, truth), loose=True) == pytest.approx(0.9)
    assert pcp.share(pcp.errors(truth, gone)) == 1
    assert np.isnan(pcp.share(pcp.errors(truth, np.full_like(truth, np.nan))))
    point = np.zeros_like(truth)
    assert np.isnan(pcp.share(pcp.errors(point, point)))


def test_sticks_of_lsp_by_name():
    xy = person()
    ends = dict(zip([s.name for s in pcp.STICKS["lsp14"]], pcp.sticks(xy, "lsp14")[0], strict=True))
    assert len(ends) == 10
    j = LSP14.index
    np.testing.assert_allclose(ends["left_lower_arm"], xy[0, [j("left_wrist"), j("left_elbow")]])
    np.testing.assert_allclose(ends["torso"][0], (xy[0, j("left_hip")] + xy[0, j("right_hip")]) / 2)
    np.testing.assert_allclose(ends["torso"][1], (xy[0, j("left_shoulder")] + xy[0, j("right_shoulder")]) / 2)


def test_flic_has_six_sticks_and_a_made_neck():
    xy = person(joints=11)
    ends = dict(zip([s.name for s in pcp.STICKS["flic11"]], pcp.sticks(xy, "flic11")[0], strict=True))
    j = FLIC11.index
    assert len(ends) == 6
    np.testing.assert_allclose(ends["head"][1], (xy[0, j("left_shoulder")] + xy[0, j("right_shoulder")]) / 2)


def test_mirrored_sides_leave_only_the_middle_right():
    xy = person(4, people=1)
    held = pcp.errors(pcp.sticks(xy[:, list(mirrored(LSP14))], "lsp14"), pcp.sticks(xy, "lsp14"))
    rows = pcp.per_stick(held, "lsp14")
    assert rows["head"] == rows["torso"] == 1
    assert list(rows) == ["lower_leg", "upper_leg", "lower_arm", "upper_arm", "head", "torso"]


@given(st.floats(0.1, 50), st.floats(-500, 500), st.integers(0, 2**31))
def test_place_and_size_of_the_picture_do_not_matter(scale: float, shift: float, seed: int):
    truth = person(seed)
    off = truth + np.random.default_rng(seed + 1).normal(0, 20, truth.shape)
    plain = pcp.errors(pcp.sticks(off, "lsp14"), pcp.sticks(truth, "lsp14"))
    moved = (pcp.sticks(xy * scale + shift, "lsp14") for xy in (off, truth))
    np.testing.assert_allclose(pcp.errors(*moved), plain, rtol=1e-6)


def test_people_found():
    xy = person()
    xy[1] = np.nan
    assert pcp.found(xy, np.ones(3, bool)) == pytest.approx(2 / 3)
    assert pcp.found(xy, np.array([True, False, True])) == 1
    assert np.isnan(pcp.found(xy, np.zeros(3, bool)))


def test_other_skeletons_are_refused():
    with pytest.raises(DataError, match="no sticks are known for coco17"):
        pcp.sticks(person(joints=17), "coco17")
    with pytest.raises(DataError, match="17 joints are not those of lsp14"):
        pcp.sticks(person(joints=17), "lsp14")
