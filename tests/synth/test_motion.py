"""Motions are warped, mirrored, joined; bodies follow them; feet stay on the ground. No anny, no OpenGL."""

from pathlib import Path

import numpy as np
import pytest

import data_trees_space as trees
from marey.core.errors import DataError
from marey.core.skeletons import MAREY19, mirrored, skeleton
from marey.data.mocap import HELD
from marey.data.mocap import read as read_joints
from marey.synth import motion as motions
from marey.synth.body import joints, lowest, posed, set_down
from marey.synth.gestures import GESTURES
from marey.synth.ground import on_ground, planted, skating
from marey.synth.takes import part_of, read_take, take_files
from stick_body import stick_body

JOINTS = skeleton("h36m17").joints
LIMBS = (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))


def gesture(name: str, seconds: float = 2.0) -> motions.Motion:
    return GESTURES[name](seconds, np.random.default_rng(7))


@pytest.mark.parametrize("name", GESTURES)
def test_gestures_move_smoothly_and_nothing_is_missing(name: str):
    held = gesture(name)
    assert held.turns.shape == (61, len(motions.SEGMENTS), 4)
    np.testing.assert_allclose(np.linalg.norm(held.turns, axis=-1), 1, atol=1e-9)
    xyz = joints(stick_body(), posed(stick_body(), held))
    speed = np.linalg.norm(np.diff(xyz, axis=0), axis=-1) * held.rate_hz
    assert np.isfinite(xyz).all()
    assert 0.01 < speed.max() < 12


def test_a_mirrored_motion_gives_mirrored_joints():
    body = stick_body()
    held = gesture("reach")
    xyz = joints(body, posed(body, held))
    seen = joints(body, posed(body, motions.mirror(held)))
    np.testing.assert_allclose(seen, xyz[:, list(mirrored(MAREY19))] * [-1, 1, 1], atol=1e-9)


def test_limbs_keep_their_lengths_and_joints_agree_with_the_bones():
    body = stick_body()
    pose = posed(body, gesture("walk"))
    xyz = joints(body, pose)
    for start, end in LIMBS:
        pair = [MAREY19.index(f"left_{name}") for name in (start, end)]
        lengths = np.linalg.norm(xyz[:, pair[0]] - xyz[:, pair[1]], axis=-1)
        np.testing.assert_allclose(lengths, lengths[0], atol=1e-9)
    knee = body.base.bones.index("lowerleg01.L")
    by_bone = (pose.turns[:, knee] @ body.heads[knee]) + pose.shifts[:, knee]
    np.testing.assert_allclose(xyz[:, MAREY19.index("left_knee")], by_bone, atol=1e-9)


def test_warped_resampled_and_lasting_motions():
    held = gesture("walk")
    same = motions.at_times(held, np.arange(len(held)) / held.rate_hz, held.rate_hz)
    np.testing.assert_allclose(same.turns, held.turns, atol=1e-9)
    longer = motions.lasting(held, 7.0)
    assert longer.lasts_s >= 7
    steps = np.linalg.norm(np.diff(longer.turns, axis=0), axis=-1)
    assert steps.max() < 2 * np.linalg.norm(np.diff(held.turns, axis=0), axis=-1).max() + 0.1
    times = motions.warped_times(4.0, 25.0, np.random.default_rng(1))
    assert times[0] == 0
    assert len(times) == 100
    assert 0.7 / 25 < np.diff(times).min() <= np.diff(times).max() < 1.35 / 25


def test_feet_touch_the_ground_and_a_standing_foot_stands():
    body = stick_body()
    pose = on_ground(body, posed(body, gesture("walk", 4.0)), 30.0, jumps=False)
    np.testing.assert_allclose(lowest(body, pose), 0, atol=1e-9)
    still = planted(body, pose)
    feet = [body.base.bones.index(f"foot.{side}") for side in "LR"]
    soles = np.einsum("tfij,fkj->tfki", still.turns[:, feet], body.soles) + still.shifts[:, feet, None]
    steps = np.linalg.norm(np.diff(soles.mean(2)[..., [0, 2]], axis=0), axis=-1)
    np.testing.assert_allclose(steps.min(1), 0, atol=1e-9)  # one foot always stands
    assert skating(body, still, 30.0) < 0.5 * skating(body, pose, 30.0)
    way = joints(body, still)[[0, -1], 0]
    assert np.linalg.norm((way[1] - way[0])[[0, 2]]) > 2.0  # four seconds of walking lead somewhere
    assert way[1, 2] > way[0, 2]  # ahead


def test_a_jump_stays_a_jump():
    body = stick_body()
    held = gesture("idle")
    rise = np.zeros((len(held), 3))
    rise[20:32, 1] = 0.4 * np.sin(np.linspace(0, np.pi, 12))
    pose = posed(body, held)
    up = on_ground(body, type(pose)(pose.turns, pose.shifts + rise[:, None] - 0.3), 30.0)
    low = lowest(body, up)
    assert low.min() >= -1e-9
    assert low[26] > 0.25
    assert low[:10].max() < 0.02


def test_set_down_turns_and_moves_a_pose():
    body = stick_body()
    pose = posed(body, gesture("idle"))
    xyz, moved = joints(body, pose), joints(body, set_down(pose, np.pi / 2, np.array([3.0, 0, 1.0])))
    np.testing.assert_allclose(moved, xyz[..., [2, 1, 0]] * [1, 1, -1] + [3, 0, 1], atol=1e-9)


@pytest.mark.data
@pytest.mark.parametrize("take", ["cmu_general/002_04", "cmu_walks/08_01", "cmu_dance_martial/salsa_01"])
def test_limbs_point_where_the_captured_ones_do(take: str, shared_data: Path):
    file = shared_data / "mocap" / f"{take}.bvh"
    held, captured = read_take(file), read_joints(file)
    body = stick_body()
    xyz = joints(body, posed(body, held))
    h36m = {"ankle": "foot"}
    for side in ("left", "right"):
        for start, end in LIMBS:
            ours = xyz[:, MAREY19.index(f"{side}_{end}")] - xyz[:, MAREY19.index(f"{side}_{start}")]
            a, b = (JOINTS.index(f"{side}_{h36m.get(name, name)}") for name in (start, end))
            theirs = captured.xyz_m[:, b] - captured.xyz_m[:, a]
            cosine = (ours * theirs).sum(-1) / np.linalg.norm(ours, axis=-1) / np.linalg.norm(theirs, axis=-1)
            assert np.rad2deg(np.arccos(np.clip(cosine, -1, 1))).max() < (
                3 if "general" in take else 1
            )  # degrees


@pytest.mark.data
def test_parts_of_the_benchmark_share_no_group(shared_data: Path):
    files = {split: take_files(shared_data / "mocap", split) for split in ("train", "val", "test")}
    groups = {split: {read_take(file).group for file in held[:3]} for split, held in files.items()}
    assert not set(files["val"]) & set(files["test"])
    assert all(part_of(who) == split for split, held in groups.items() for who in held)
    assert {part_of(who) for who in HELD} == {"val", "test"}


def test_cmus_own_files_move_as_their_joints_do(tmp_path: Path):
    trees.mocap(tmp_path)
    file = tmp_path / "subjects" / "02" / "02_01.amc"
    held, captured = read_take(file), read_joints(file)
    assert held.rate_hz == captured.rate_hz == 120
    xyz = joints(stick_body(), posed(stick_body(), held))
    for start, end in LIMBS:
        a, b = (JOINTS.index(f"left_{'foot' if name == 'ankle' else name}") for name in (start, end))
        theirs = captured.xyz_m[:, b] - captured.xyz_m[:, a]
        ours = xyz[:, MAREY19.index(f"left_{end}")] - xyz[:, MAREY19.index(f"left_{start}")]
        cosine = (ours * theirs).sum(-1) / np.linalg.norm(ours, axis=-1) / np.linalg.norm(theirs, axis=-1)
        assert cosine.min() > 0.9995
    assert [file.name for file in take_files(tmp_path, "train")] == ["35_01.bvh", "02_01.amc"]


def test_a_take_of_an_unknown_rig_is_refused(tmp_path: Path):
    file = tmp_path / "walk.bvh"
    file.write_text("HIERARCHY")
    with pytest.raises(DataError, match="no known rig"):
        read_take(file)
    with pytest.raises(DataError, match="no takes for `val`"):
        take_files(tmp_path, "val")
