"""Each protocol on people whose figures can be told by hand."""

from dataclasses import replace

import numpy as np
import pytest

from marey.core.errors import DataError
from marey.core.skeletons import CROWDPOSE14, MPII16, PENN13, POSETRACK15, Skeleton
from marey.data.sample import Sample, State, people
from marey.evaluation.measure import Posed
from marey.evaluation.poses import judge_poses

SIZE = (200, 200)


def sample(skeleton: Skeleton, name: str = "1", **more: object) -> Sample:
    """One person, joint j at (10 + 8j, 20 + 9j), all visible; a box of 150 × 160, a head of 40."""
    count = len(skeleton)
    xy = np.stack([10.0 + 8 * np.arange(count), 20.0 + 9 * np.arange(count)], 1)[None].astype(np.float32)
    boxes = np.array([[5.0, 10.0, 155.0, 170.0]], np.float32)
    truth = people(skeleton, xy, np.full((1, count), State.VISIBLE), boxes)
    truth = replace(truth, head_px=np.array([40.0], np.float32))
    return replace(Sample("made", name, name, SIZE, truth, lambda: np.zeros((200, 200, 3), np.uint8)), **more)


def moved(one: Sample, joints: list[int], by: float) -> Posed:
    """The truth with some joints moved to the right."""
    xy = one.truth.xy_px.copy()
    xy[:, joints, 0] += by
    ones = np.ones(len(xy), np.float32)
    return Posed(one.truth.skeleton, one.truth.boxes_px, ones, xy, np.full(xy.shape[:2], 0.9, np.float32))


def test_pckh_leaves_pelvis_and_thorax_out():
    one = sample(MPII16)
    out = [MPII16.index("pelvis"), MPII16.index("thorax")]
    assert judge_poses("pckh", [one], [moved(one, out, 99)]).metrics["PCKh@0.5"] == 1
    nose = [k for k in range(16) if k not in out][:7]
    held = judge_poses("pckh", [one], [moved(one, nose, 20.1)])  # half a head is 20 px
    assert held.metrics["PCKh@0.5"] == pytest.approx(0.5)
    assert judge_poses("pckh", [one], [moved(one, nose, 19.9)]).metrics["PCKh@0.5"] == 1
    assert "pelvis" not in held.protocol["joints"]


def test_penn_counts_visible_joints_only():
    one = sample(PENN13)
    state = one.truth.state.copy()
    state[0, 3] = State.OCCLUDED
    hidden = replace(one, truth=replace(one.truth, state=state))
    posed = [moved(one, [3], 99)]
    assert judge_poses("pck-box-visible", [hidden], posed).metrics["PCK@0.2"] == 1
    assert judge_poses("pck-box", [hidden], posed).metrics["PCK@0.2"] == pytest.approx(12 / 13)


def test_pixels_are_pixels():
    one = sample(PENN13)
    held = judge_poses("pixels", [one], [moved(one, [0, 1, 2], 5)])
    assert held.metrics["px@6"] == 1
    assert held.metrics["px@4"] == pytest.approx(10 / 13)


def test_crowdpose_tells_easy_from_hard_and_cuts_nobody_off():
    easy, hard = sample(CROWDPOSE14, "1", crowd_index=0.1), sample(CROWDPOSE14, "2", crowd_index=0.9)
    posed = [moved(easy, [], 0), moved(hard, list(range(14)), 150)]
    held = judge_poses("crowdpose", [easy, hard], posed)
    assert held.metrics["AP_easy"] == pytest.approx(1)
    assert held.metrics["AP_hard"] == 0
    assert held.protocol["name"] == "crowdpose"


def test_posetrack_is_a_mean_over_joints():
    one = sample(POSETRACK15)
    held = judge_poses("posetrack", [one], [moved(one, [], 0)])
    assert held.metrics["AP"] == pytest.approx(1)
    assert set(held.per_joint) == set(POSETRACK15.joints)
    wrong = judge_poses("posetrack", [one], [moved(one, [0, 1, 2], 25)])  # beyond half a head: 20 px
    assert wrong.metrics["AP"] == pytest.approx(12 / 15)


def test_a_pose_that_lacks_a_joint_is_refused_with_its_name():
    with pytest.raises(DataError, match="nose"):
        judge_poses("posetrack", [sample(POSETRACK15)], [moved(sample(CROWDPOSE14), [], 0)])
