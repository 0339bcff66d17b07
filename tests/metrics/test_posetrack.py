"""PoseTrack's AP and MOTA on frames drawn by hand; each trap of its server by itself."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marey.core.errors import DataError
from marey.metrics import posetrack
from marey.metrics.posetrack import Frame, average_precision, confident, mota, track, without
from marey.people.assign import assign
from metrics import scenes

SHAPE = np.random.default_rng(0).uniform(0, 100, (15, 2))


def frame(truths: list[int], found: list[int]) -> Frame:
    """People by id, each in a place of its own; heads of 10 px, so that 5 px is within."""
    places = [SHAPE + 1000 * k for k in found]
    xy, truth = (np.array(p, float).reshape(-1, 15, 2) for p in (places, [SHAPE + 1000 * k for k in truths]))
    scores = np.full((len(found), 15), 0.5)
    return Frame(xy, scores, np.array(found, int), truth, np.full(len(truths), 10.0), np.array(truths, int))


def motas(frames: list[Frame], strict: bool = False) -> dict[str, float]:
    return mota([track(frames, assign, strict)])


def test_perfect():
    frames = [frame([1, 2], [1, 2])] * 3
    for strict in (False, True):
        assert set(average_precision(frames, strict).values()) == {1.0}
        held = motas(frames, strict)
        assert held["MOTA"] == held["MOTP"] == held["precision"] == held["recall"] == 1


def test_half_a_head_is_within():
    there = frame([1], [1])
    assert average_precision([replace(there, xy=there.xy + np.array([3.0, 4.0]))])["AP"] == 1
    assert average_precision([replace(there, xy=there.xy + np.array([3.0, 4.01]))])["AP"] == 0


def test_the_head_is_0_6_of_its_box():
    assert posetrack.head_px(np.array([[0.0, 0, 3, 4]])) == pytest.approx([3])


def test_one_person_found_twice_counts_once():
    there = frame([1], [1])
    twice = Frame(
        np.concatenate([there.xy + 1, there.xy]), np.array([[0.9], [0.8]]) * np.ones((2, 15)),
        np.array([1, 2]), there.truth, there.head_px, there.truth_ids,
    )  # fmt: skip
    # Both hit every joint, so the first is taken; the other's joints are false but come later.
    assert average_precision([twice])["AP"] == 1
    other = replace(twice, scores=twice.scores[::-1])
    assert average_precision([other])["AP"] == pytest.approx(0.5)
    assert motas([twice])["MOTA"] == 0


def test_joints_missing_on_either_side():
    there = frame([1], [1])
    gone = there.xy.copy()
    gone[0, 0] = np.nan
    held = average_precision([replace(there, xy=gone)])
    assert held["right_ankle"] == 0
    assert held["AP"] == pytest.approx(14 / 15)
    assert motas([replace(there, xy=gone)])["recall"] == pytest.approx(14 / 15)
    # A joint the truth does not label is false where the pose has it, and has no AP.
    unlabelled = there.truth.copy()
    unlabelled[0, 0] = np.nan
    held = average_precision([replace(there, truth=unlabelled), there])
    assert held["right_ankle"] == pytest.approx(1.0)  # the false one comes after the right one
    held = average_precision([there, replace(there, truth=unlabelled)])
    assert held["right_ankle"] == pytest.approx(0.5)
    assert np.isnan(average_precision([replace(there, truth=unlabelled)])["right_ankle"])


def test_a_joint_without_score_comes_last():
    there, ghost = frame([1], [1]), frame([], [2])
    unscored = replace(there, scores=np.full((1, 15), np.nan))
    assert average_precision([unscored, ghost])["AP"] == pytest.approx(0.5)
    assert average_precision([there, replace(ghost, scores=ghost.scores * np.nan)])["AP"] == 1


def test_groups_average_sides():
    there = frame([1], [1])
    gone = there.xy.copy()
    gone[0, [6, 14]] = np.nan  # right wrist, head top
    held = average_precision([replace(there, xy=gone)])
    assert held["AP_wrist"] == 0.5
    assert held["AP_head"] == pytest.approx(2 / 3)


def test_switches_are_counted_over_gaps():
    """Two ids for one person, apart by a frame without her: a switch, in all 15 joints."""
    held = motas([frame([1], [1]), frame([1], []), replace(frame([1], [1]), ids=np.array([9]))])
    assert held["MOTA"] == pytest.approx(1 - (1 + 1) / 3)


def test_two_people_may_not_keep_one_track():
    """Both have had it; on the frame with both it stays with the first, and the other is missed."""
    both = replace(frame([1, 2], [7]), truth=SHAPE + np.zeros((2, 1, 1)), xy=SHAPE[None])
    one, other = (
        replace(both, truth=both.truth[k], truth_ids=np.array([k[0] + 1]), head_px=np.full(1, 10.0))
        for k in ([0], [1])
    )
    held = motas([one, other, both])
    assert held["MOTA"] == pytest.approx(1 - 1 / 4)
    assert held["precision"] == 1


def test_as_many_pairs_as_can_be():
    """The nearest pair alone would leave one person and one pose over."""
    there = frame([1, 1], [1, 1])
    along = np.array([1.0, 0])
    truth, xy = (SHAPE + np.array(shift)[:, None, None] * along for shift in ((0.0, 4.0), (0.0, -4.0)))
    held = motas([replace(there, truth=truth, xy=xy, ids=np.array([1, 2]), truth_ids=np.array([1, 2]))])
    assert held["MOTA"] == 1
    assert held["MOTP"] == pytest.approx(0.6)


def test_server_drops_frames_without_truth():
    frames = [frame([1], [1]), frame([], [2, 3]), frame([1], [1]), frame([1], [1])]
    high = [frames[0], replace(frames[1], scores=np.ones((2, 15))), *frames[2:]]
    assert average_precision(high, strict_server=True)["AP"] == 1
    assert average_precision(high)["AP"] == pytest.approx(3 / 5)
    assert motas(frames, strict=True)["MOTA"] == 1
    assert motas(frames)["MOTA"] == pytest.approx(1 - 2 / 3)


def test_server_leaves_the_last_frame_out_of_tracking():
    frames = [frame([1], [1]), frame([1], [2])]
    assert motas(frames)["MOTA"] == pytest.approx(1 - 2 / 2)
    assert motas(frames, strict=True)["MOTA"] == 1
    assert average_precision(frames, strict_server=True)["AP"] < 1


def test_server_counts_one_miss_where_a_side_is_empty():
    frames = [frame([1, 2, 3], [1, 2, 3]), frame([1, 2, 3], []), frame([1], [1])]
    assert motas(frames[:2])["MOTA"] == pytest.approx(1 - 3 / 6)
    assert motas(frames, strict=True)["MOTA"] == pytest.approx(1 - (1 + 1) / (3 + 1))


def test_server_gives_0_where_nobody_has_or_finds_a_joint():
    there = frame([1], [1])
    xy, truth = there.xy.copy(), there.truth.copy()
    xy[0, 0] = truth[0, 0] = np.nan
    bare = replace(there, xy=xy, truth=truth)
    assert average_precision([bare])["AP"] == 1
    assert average_precision([bare], strict_server=True)["AP"] == pytest.approx(14 / 15)


def test_nothing_at_all():
    assert np.isnan(average_precision([])["AP"])
    assert np.isnan(mota([])["MOTA"])
    assert average_precision([frame([1], [])])["AP"] == 0


def test_ignore_regions_take_from_both_sides():
    there = frame([1], [1])
    square = np.array([[990.0, 990], [1200, 990], [1200, 1200], [990, 1200]])
    empty = without(there, [square])
    assert np.isnan(empty.xy).all()
    assert np.isnan(empty.truth).all()
    kept = without(there, [square - 1000])
    np.testing.assert_array_equal(kept.xy, there.xy)
    # A triangle holds what lies under its slope.
    inside = without(replace(there, xy=np.full((1, 15, 2), [1.0, 1])), [np.array([[0.0, 0], [3, 0], [0, 3]])])
    outside = without(
        replace(there, xy=np.full((1, 15, 2), [2.0, 2])), [np.array([[0.0, 0], [3, 0], [0, 3]])]
    )
    assert np.isnan(inside.xy).all()
    assert not np.isnan(outside.xy).any()


def test_weak_joints_and_poses_can_be_left_out():
    there = frame([1, 2], [1, 2])
    scores = np.full((2, 15), 0.9)
    scores[0, 3], scores[0, 4] = 0.2, np.nan
    scores[1] = 0.5
    kept = confident(replace(there, scores=scores), joint_score=0.3, pose_score=0.6)
    assert np.flatnonzero(np.isnan(kept.xy[0, :, 0])).tolist() == [3, 4]
    assert np.isnan(kept.xy[1]).all()
    assert motas([kept])["recall"] == pytest.approx(13 / 30)


@given(st.integers(0, 2**31))
def test_regions_hold_what_opencv_says_they_hold(seed: int):
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 7))
    outline = np.stack([np.cos(angles), np.sin(angles)], 1) * rng.uniform(20, 100, (7, 1)) + 100
    outline = outline.astype(np.float32).astype(float)
    points = rng.uniform(0, 200, (2, 15, 2)).astype(np.float32).astype(float)
    there = replace(frame([], [1, 2]), xy=points)
    gone = np.isnan(without(there, [outline]).xy).all(-1)
    held = [
        cv2.pointPolygonTest(outline.astype(np.float32), tuple(p), False) > 0 for p in points.reshape(-1, 2)
    ]
    np.testing.assert_array_equal(gone.ravel(), held)


@given(st.integers(0, 2**31), st.floats(0.2, 5), st.floats(-300, 300))
def test_place_size_and_names_do_not_matter(seed: int, scale: float, shift: float):
    rng = np.random.default_rng(seed)
    video = scenes.posetrack_video(rng, frames=3, people=3)
    names = rng.permutation(200)
    other = [
        Frame(f.xy * scale + shift, f.scores, names[f.ids], f.truth * scale + shift, f.head_px * scale,
              names[f.truth_ids])
        for f in video
    ]  # fmt: skip
    assert average_precision(other) == pytest.approx(average_precision(video), nan_ok=True)
    assert motas(other) == pytest.approx(motas(video), nan_ok=True)


def test_broken_frames_are_refused():
    with pytest.raises(DataError, match="true id is there twice"):
        average_precision([replace(frame([1, 2], [1]), truth_ids=np.array([1, 1]))])
    with pytest.raises(DataError, match="no head size"):
        track([replace(frame([1], [1]), head_px=np.array([np.nan]))], assign)
