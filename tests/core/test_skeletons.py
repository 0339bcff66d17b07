"""Skeletons against the orders their sources print, and what conversion may and may not do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from marey.core.errors import MareyError
from marey.core.skeletons import COCO17, H36M17, LSP14, MAREY19, MPII16, SKELETONS, mirrored, skeleton

# As printed by the sources, in their own words but for the sides.
PRINTED = {
    "coco17": "nose l_eye r_eye l_ear r_ear l_shoulder r_shoulder l_elbow r_elbow l_wrist r_wrist l_hip "
    "r_hip l_knee r_knee l_ankle r_ankle",
    "halpe26": "nose l_eye r_eye l_ear r_ear l_shoulder r_shoulder l_elbow r_elbow l_wrist r_wrist l_hip "
    "r_hip l_knee r_knee l_ankle r_ankle head neck hip l_big_toe r_big_toe l_small_toe "
    "r_small_toe l_heel r_heel",
    "body25": "nose neck r_shoulder r_elbow r_wrist l_shoulder l_elbow l_wrist mid_hip r_hip r_knee "
    "r_ankle l_hip l_knee l_ankle r_eye l_eye r_ear l_ear l_big_toe l_small_toe l_heel "
    "r_big_toe r_small_toe r_heel",
    "coco18": "nose neck r_shoulder r_elbow r_wrist l_shoulder l_elbow l_wrist r_hip r_knee r_ankle "
    "l_hip l_knee l_ankle r_eye l_eye r_ear l_ear",
    "lsp14": "r_ankle r_knee r_hip l_hip l_knee l_ankle r_wrist r_elbow r_shoulder l_shoulder l_elbow "
    "l_wrist neck head_top",
    "mpii16": "r_ankle r_knee r_hip l_hip l_knee l_ankle pelvis thorax upper_neck head_top r_wrist "
    "r_elbow r_shoulder l_shoulder l_elbow l_wrist",
    "posetrack15": "r_ankle r_knee r_hip l_hip l_knee l_ankle r_wrist r_elbow r_shoulder l_shoulder l_elbow "
    "l_wrist neck nose head_top",
    "posetrack18": "nose head_bottom head_top l_ear r_ear l_shoulder r_shoulder l_elbow r_elbow l_wrist "
    "r_wrist l_hip r_hip l_knee r_knee l_ankle r_ankle",
    "crowdpose14": "l_shoulder r_shoulder l_elbow r_elbow l_wrist r_wrist l_hip r_hip l_knee r_knee l_ankle "
    "r_ankle top_head neck",
    "h36m17": "root r_hip r_knee r_foot l_hip l_knee l_foot spine thorax neck_base head l_shoulder "
    "l_elbow l_wrist r_shoulder r_elbow r_wrist",
    "penn13": "head r_shoulder l_shoulder r_elbow l_elbow r_wrist l_wrist r_hip l_hip r_knee l_knee "
    "r_ankle l_ankle",
    "jhmdb15": "neck belly face r_shoulder l_shoulder r_hip l_hip r_elbow l_elbow r_knee l_knee r_wrist "
    "l_wrist r_ankle l_ankle",
    "flic29": "l_shoulder l_elbow l_wrist r_shoulder r_elbow r_wrist l_hip l_knee l_ankle r_hip r_knee "
    "r_ankle l_eye r_eye l_ear r_ear nose mid_shoulder mid_hip mid_ear mid_torso",
    "flic11": "l_eye r_eye nose r_shoulder r_elbow r_wrist r_hip l_shoulder l_elbow l_wrist l_hip",
    "bbc7": "head r_wrist l_wrist r_elbow l_elbow r_shoulder l_shoulder",
    "hie14": "nose chest r_shoulder r_elbow r_wrist l_shoulder l_elbow l_wrist r_hip r_knee r_ankle "
    "l_hip l_knee l_ankle",
    "mediapipe33": "nose l_eye_inner l_eye l_eye_outer r_eye_inner r_eye r_eye_outer l_ear r_ear mouth_l "
    "mouth_r l_shoulder r_shoulder l_elbow r_elbow l_wrist r_wrist l_pinky r_pinky l_index "
    "r_index l_thumb r_thumb l_hip r_hip l_knee r_knee l_ankle r_ankle l_heel r_heel "
    "l_foot_index r_foot_index",
    "marey19": "nose l_eye r_eye l_ear r_ear l_shoulder r_shoulder l_elbow r_elbow l_wrist r_wrist l_hip "
    "r_hip l_knee r_knee l_ankle r_ankle neck head_top",
    "parse14": "r_ankle r_knee r_hip l_hip l_knee l_ankle r_wrist r_elbow r_shoulder l_shoulder l_elbow "
    "l_wrist neck head_top",
    "panoptic19": "neck nose body_centre l_shoulder l_elbow l_wrist l_hip l_knee l_ankle r_shoulder r_elbow "
    "r_wrist r_hip r_knee r_ankle l_eye l_ear r_eye r_ear",
    "mpi_inf_3dhp17": "head_top neck r_shoulder r_elbow r_wrist l_shoulder l_elbow l_wrist r_hip r_knee "
    "r_ankle l_hip l_knee l_ankle pelvis spine head",
    "humaneva15": "pelvis thorax l_shoulder l_elbow l_wrist r_shoulder r_elbow r_wrist l_hip l_knee l_ankle "
    "r_hip r_knee r_ankle head",
}
OURS = {
    "parse14": {
        f"{side[0]}_{joint}": f"observer_{side}_{joint}"
        for side in ("left", "right")
        for joint in ("ankle", "knee", "hip", "wrist", "elbow", "shoulder")
    },
    "panoptic19": {"neck": "mid_shoulder", "body_centre": "mid_hip"},
    "body25": {"neck": "mid_shoulder"},
    "coco18": {"neck": "mid_shoulder"},
    "crowdpose14": {"top_head": "head_top"},
    "mediapipe33": {"mouth_l": "left_mouth", "mouth_r": "right_mouth"},
}
COUNTS = {
    "wholebody133": 133, "halpe26": 26, "body25": 25, "coco17": 17, "coco18": 18, "lsp14": 14, "mpii16": 16,
    "posetrack15": 15, "posetrack18": 17, "crowdpose14": 14, "h36m17": 17, "penn13": 13, "jhmdb15": 15,
    "flic29": 29, "flic11": 11, "bbc7": 7, "hie14": 14, "mediapipe33": 33, "marey19": 19,
    "parse14": 14, "panoptic19": 19, "mpi_inf_3dhp17": 17, "humaneva15": 15,
}  # fmt: skip

# Left/right pairs as the sources print them.
FLIPS = {
    "coco17": "1,2 3,4 5,6 7,8 9,10 11,12 13,14 15,16",
    "halpe26": "1,2 3,4 5,6 7,8 9,10 11,12 13,14 15,16 20,21 22,23 24,25",
    "body25": "2,5 3,6 4,7 9,12 10,13 11,14 15,16 17,18 19,22 20,23 21,24",
    "coco18": "2,5 3,6 4,7 8,11 9,12 10,13 14,15 16,17",
    "lsp14": "0,5 1,4 2,3 6,11 7,10 8,9",
    "mpii16": "0,5 1,4 2,3 10,15 11,14 12,13",
    "posetrack15": "0,5 1,4 2,3 6,11 7,10 8,9",
    "posetrack18": "3,4 5,6 7,8 9,10 11,12 13,14 15,16",
    "crowdpose14": "0,1 2,3 4,5 6,7 8,9 10,11",
    "h36m17": "1,4 2,5 3,6 11,14 12,15 13,16",
    "penn13": "1,2 3,4 5,6 7,8 9,10 11,12",
    "jhmdb15": "3,4 5,6 7,8 9,10 11,12 13,14",
    "flic11": "0,1 3,7 4,8 5,9 6,10",
    "bbc7": "1,2 3,4 5,6",
    "parse14": "0,5 1,4 2,3 6,11 7,10 8,9",
    "mpi_inf_3dhp17": "2,5 3,6 4,7 8,11 9,12 10,13",
    "humaneva15": "2,5 3,6 4,7 8,11 9,12 10,13",
    "hie14": "2,5 3,6 4,7 8,11 9,12 10,13",
    "mediapipe33": "1,4 2,5 3,6 7,8 9,10 11,12 13,14 15,16 17,18 19,20 21,22 23,24 25,26 27,28 29,30 31,32",
}
NAMES = st.sampled_from(sorted(SKELETONS))


def _spelt(word: str) -> str:
    return {"l": "left", "r": "right"}[word[0]] + word[1:] if word[:2] in ("l_", "r_") else word


@pytest.mark.parametrize("name", PRINTED)
def test_joint_order_is_the_printed_one(name: str) -> None:
    ours = OURS.get(name, {})
    printed = tuple(ours.get(word, _spelt(word)) for word in PRINTED[name].split())
    assert SKELETONS[name].joints[: len(printed)] == printed


@pytest.mark.parametrize("name", FLIPS)
def test_flips_are_the_printed_ones(name: str) -> None:
    printed = {tuple(map(int, pair.split(","))) for pair in FLIPS[name].split()}
    assert set(SKELETONS[name].flips) == printed


def test_every_skeleton_is_compared_with_print() -> None:
    assert set(PRINTED) | {"wholebody133"} == set(SKELETONS)


@pytest.mark.parametrize("name", SKELETONS)
def test_tables_are_sound(name: str) -> None:
    s = SKELETONS[name]
    assert len(s) == COUNTS[name]
    assert len(set(s.joints)) == len(s)
    assert all(0 <= a < len(s) and 0 <= b < len(s) and a != b for a, b in s.limbs)
    assert len({frozenset(limb) for limb in s.limbs}) == len(s.limbs)
    assert s.sigmas is None or (len(s.sigmas) == len(s) and min(s.sigmas) > 0)
    if s.parents is not None:
        assert {(p, k) for k, p in enumerate(s.parents) if p >= 0} == set(s.limbs)


@pytest.mark.parametrize("name", SKELETONS)
def test_mirroring_is_an_involution_that_swaps_sides(name: str) -> None:
    s = SKELETONS[name]
    order = mirrored(s)
    assert [order[k] for k in order] == list(range(len(s)))
    for k, joint in enumerate(s.joints):
        other = s.joints[order[k]]
        if joint.startswith("left_"):
            assert other == f"right_{joint[5:]}"
        if joint.startswith(("nose", "neck", "head", "mid_", "root", "pelvis")):
            assert order[k] == k


def test_wholebody_printed_landmarks() -> None:
    """Positions and pairs that COCO-WholeBody prints: feet, face, hands."""
    s = SKELETONS["wholebody133"]
    assert s.joints[:17] == COCO17.joints
    assert s.joints[17:23] == (
        "left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel"
    )  # fmt: skip
    assert (s.joints[23], s.joints[90]) == ("face_0", "face_67")
    assert (s.joints[91], s.joints[92], s.joints[111]) == ("left_hand_root", "left_thumb1", "left_pinky4")
    order = mirrored(s)
    assert [order[k] for k in (17, 18, 19, 23, 30, 31, 40, 59, 71, 90)] == [
        20,
        21,
        22,
        39,
        32,
        31,
        49,
        68,
        77,
        88,
    ]
    assert all(order[k] == k + 21 for k in range(91, 112))


@given(NAMES, NAMES, st.integers(2, 3), st.data())
def test_conversion_copies_derives_or_leaves_nan(a: str, b: str, dims: int, data: st.DataObject) -> None:
    """Nothing but a copy or the plain mean of present joints ever appears."""
    source, target = SKELETONS[a], SKELETONS[b]
    xy = data.draw(arrays(np.float32, (2, len(source), dims), elements=st.floats(-1e3, 1e3, width=32)))
    convert = source.converter(target)
    result = convert(xy)
    assert result.dtype == np.float32
    assert result.shape == (2, len(target), dims)
    for j, way in enumerate(convert.ways):
        expected = {
            "copied": lambda j=j: xy[:, convert.sources[j][0]],
            "derived": lambda j=j: np.mean([xy[:, k] for k in convert.sources[j]], 0),
            "missing": lambda: np.full((2, dims), np.nan),
        }[way]()
        np.testing.assert_allclose(result[:, j], expected, atol=1e-3)


@given(NAMES, NAMES)
def test_copied_joints_round_trip(a: str, b: str) -> None:
    """There and back, what was copied both ways is unchanged, and mirrored pairs stay pairs."""
    source, target = SKELETONS[a], SKELETONS[b]
    there, back = source.converter(target), target.converter(source)
    xy = np.random.default_rng(0).normal(size=(len(source), 2))
    again = back(there(xy))
    for j, way in enumerate(back.ways):
        if way == "copied" and there.ways[back.sources[j][0]] == "copied":
            np.testing.assert_array_equal(again[j], xy[j])
    flip_first = there(xy[list(mirrored(source))])
    flip_last = there(xy)[list(mirrored(target))]
    faces = [k for k, joint in enumerate(target.joints) if joint.startswith("face_")]
    np.testing.assert_allclose(np.delete(flip_first, faces, 0), np.delete(flip_last, faces, 0), atol=1e-12)


def test_conversion_is_by_name_not_by_place() -> None:
    xy = np.arange(len(COCO17) * 2, dtype=float).reshape(-1, 2)
    lsp = COCO17.converter(LSP14)(xy)
    for joint in LSP14.joints[:12]:
        np.testing.assert_array_equal(lsp[LSP14.index(joint)], xy[COCO17.index(joint)])


def test_what_is_derived_and_what_is_missing() -> None:
    assert COCO17.converter(LSP14).names("derived") == ("neck",)
    assert COCO17.converter(LSP14).names("missing") == ("head_top",)
    assert COCO17.converter(H36M17).names("derived") == ("root", "spine", "thorax")
    assert COCO17.converter(H36M17).names("missing") == ("neck_base", "head")
    assert MAREY19.converter(COCO17).names("copied") == COCO17.joints
    assert MAREY19.converter(MPII16).names("derived") == ("pelvis", "thorax")
    assert SKELETONS["penn13"].converter(SKELETONS["bbc7"]).names("missing") == ("head",)
    assert "neck" in SKELETONS["jhmdb15"].converter(MAREY19).names("derived")
    assert "neck" in SKELETONS["mpii16"].converter(MAREY19).names("copied")


def test_openpose_neck_is_the_middle_of_the_shoulders() -> None:
    """Also where the source has a labelled neck, which lies higher."""
    xy = np.zeros((19, 2))
    xy[MAREY19.index("left_shoulder")] = 2, 4
    xy[MAREY19.index("neck")] = 50, 50
    body = MAREY19.converter(SKELETONS["body25"])(xy)
    np.testing.assert_array_equal(body[1], [1, 2])


def test_a_missing_part_makes_a_derived_joint_missing() -> None:
    xy, scores = np.ones((17, 2)), np.linspace(0.1, 0.9, 17)
    xy[COCO17.index("left_hip")] = np.nan
    convert = COCO17.converter(H36M17)
    assert np.isnan(convert(xy)[0]).all()
    worth = convert.scores(scores)
    assert worth[0] == scores[COCO17.index("left_hip")]
    assert np.isnan(worth[H36M17.index("head")])


def test_unknown_names_are_refused_with_the_known() -> None:
    with pytest.raises(MareyError, match="no such skeleton; known are coco17"):
        skeleton("coco")
    with pytest.raises(MareyError, match="lsp14 has no joint 'nose'; its joints are right_ankle"):
        LSP14.index("nose")


def test_observers_sides_are_never_taken_for_the_persons() -> None:
    convert = SKELETONS["parse14"].converter(SKELETONS["lsp14"])
    assert convert.names("copied") == ("neck", "head_top")
    assert not convert.names("derived")
