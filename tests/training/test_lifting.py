"""Windows for lifting: bodies of people, cameras that see them, the faults of an estimator."""

from dataclasses import replace

import numpy as np
import pytest

from marey.data.mocap import Motion
from marey.lifting.windows import H36M, ROOT
from marey.training.bodies import BONES, Lifting, bodies, estimated, seen_by, takes
from marey.training.lifting import LiftBatches, views

CLEAN = Lifting(cameras="h36m", noise=0.0, wild=0.0, swapped=0.0, dropped=0.0, cut=0.0, crownless=0.0)


def motion(count: int = 40) -> Motion:
    """A rig of odd proportions that stands and moves a little."""
    rng = np.random.default_rng(0)
    rest = {
        "root": (0, 1, 0), "hip": (0.1, 1, 0), "knee": (0.1, 0.7, 0.02), "foot": (0.1, 0.1, 0),
        "thorax": (0, 1.5, 0), "spine": (0, 1.25, 0), "neck_base": (0, 1.6, 0.1), "head": (0, 1.8, 0),
        "shoulder": (0.1, 1.5, 0), "elbow": (0.1, 1.1, 0), "wrist": (0.1, 0.9, 0.1),
    }  # fmt: skip
    place = []
    for joint in H36M.joints:
        side, _, part = joint.rpartition("_") if "_" in joint and joint != "neck_base" else ("", "", joint)
        x, y, z = rest[part]
        place.append((-x if side == "right" else x, y, z))
    xyz = np.array(place)[None] + np.cumsum(rng.normal(0, 0.001, (count, 17, 3)), 0)
    return Motion("01_01", "01", 30.0, xyz)


def test_bodies_have_human_proportions_and_left_is_as_long_as_right() -> None:
    held = takes([motion()])
    xyz = bodies(held, np.tile(np.arange(9), (200, 1)), np.random.default_rng(0))

    def length(a: str, b: str) -> np.ndarray:
        return np.linalg.norm(xyz[:, :, H36M.index(a)] - xyz[:, :, H36M.index(b)], axis=-1).mean(1)

    thigh = length("left_hip", "left_knee")
    assert 0.21 < thigh.min() < thigh.mean() < thigh.max() < 0.28
    assert thigh.mean() == pytest.approx(0.245, abs=0.01)  # of stature: Winter
    np.testing.assert_allclose(thigh, length("right_hip", "right_knee"), rtol=0.1)  # the noise of the motion
    tall = xyz[..., 1].max((1, 2)) - xyz[..., 1].min((1, 2))
    assert tall.mean() == pytest.approx(0.96, abs=0.05)  # from ankles to crown


def test_turning_and_mirroring_keep_left_left() -> None:
    """Left, up and front stay right-handed whatever is drawn: a mirror exchanges the sides' names too."""
    xyz = bodies(takes([motion()]), np.tile(np.arange(9), (50, 1)), np.random.default_rng(0))
    left = xyz[:, :, H36M.index("left_hip")] - xyz[:, :, H36M.index("right_hip")]
    front = np.cross(left, np.array([0.0, 1, 0]))
    nose = xyz[:, :, H36M.index("neck_base")] - xyz[:, :, H36M.index("thorax")]
    assert ((nose * front).sum(-1) > 0).all()


@pytest.mark.parametrize("cameras", ["phone", "h36m"])
def test_cameras_see_people_before_them_the_right_way_up(cameras) -> None:
    rng = np.random.default_rng(0)
    world = bodies(takes([motion()]), np.tile(np.arange(3), (300, 1)), rng)
    xyz = seen_by(world, cameras, rng)
    assert xyz[..., 2].min() >= 0.3 - 1e-9
    for t in range(2):  # lengths are kept: a camera turns and shifts
        a, b = (np.linalg.norm(held[:, t, 3] - held[:, t, 12], axis=-1) for held in (world, xyz))
        np.testing.assert_allclose(a, b, atol=1e-9)
    downwards = xyz[:, 0, H36M.index("left_foot"), 1] - xyz[:, 0, H36M.index("head"), 1]
    assert (downwards > 0).mean() > 0.99
    triple = np.stack([xyz[:, 0, k] - xyz[:, 0, ROOT] for k in (1, 8, 9)], -1)
    before = np.stack([world[:, 0, k] - world[:, 0, ROOT] for k in (1, 8, 9)], -1)
    np.testing.assert_allclose(np.linalg.det(triple), np.linalg.det(before), atol=1e-12)  # no mirror image


def test_noise_is_as_large_and_as_slow_as_it_says() -> None:
    rng = np.random.default_rng(0)
    xyz = np.tile(motion(1).xyz_m + np.array([0, -1, 4.0]), (400, 1, 1))[:, None].repeat(9, 1)
    noisy = estimated(xyz, np.ones(400), replace(CLEAN, noise=0.02, lasts_s=0.056), rng)
    off = noisy - xyz[..., :2] / xyz[..., 2:]
    rays = xyz[0, 0, :, 1] / xyz[0, 0, :, 2]
    for joint, factor in (("left_hip", 1.0), ("right_knee", 0.85), ("left_wrist", 0.85)):
        found = off[:, :, H36M.index(joint)].std()
        assert found == pytest.approx(0.02 * factor * np.ptp(rays), rel=0.05)
    ends = off[:, :, H36M.index("left_wrist"), 0]
    alike = np.corrcoef(ends[:, 3], ends[:, 4])[0, 1]
    assert alike == pytest.approx(np.exp(-1 / 30 / 0.056), abs=0.08)
    hips = noisy[:, :, [H36M.index("left_hip"), H36M.index("right_hip")]].mean(2)
    np.testing.assert_allclose(noisy[:, :, ROOT], hips)


def test_joints_are_lost_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    xyz = np.tile(motion(1).xyz_m + np.array([0, -1, 4.0]), (2000, 1, 1))[:, None].repeat(3, 1)
    rays = estimated(xyz, np.ones(2000), replace(CLEAN, dropped=0.1), rng)
    assert np.isnan(rays[:, :, H36M.index("head"), 0]).mean() == pytest.approx(0.1, abs=0.015)
    cut = estimated(xyz, np.ones(2000), replace(CLEAN, cut=0.2), rng)
    bald = estimated(xyz, np.ones(2000), replace(CLEAN, crownless=0.3), rng)
    assert np.isnan(bald[:, :, H36M.index("head"), 0]).all(1).mean() == pytest.approx(0.3, abs=0.04)
    legless = np.isnan(cut[:, :, H36M.index("left_foot"), 0]).all(1)
    assert legless.mean() == pytest.approx(0.2, abs=0.03)
    assert not np.isnan(cut[~legless]).any()


def test_wild_joints_are_somewhere_else_for_a_window() -> None:
    rng = np.random.default_rng(0)
    xyz = np.tile(motion(1).xyz_m + np.array([0, -1, 4.0]), (2000, 1, 1))[:, None].repeat(3, 1)
    rays = estimated(xyz, np.ones(2000), replace(CLEAN, wild=0.1), rng)
    true = xyz[..., :2] / xyz[..., 2:]
    off = (rays - true)[:, :, H36M.index("left_wrist")]
    far = np.abs(off[:, 0]).max(-1) > 1e-9
    assert far.mean() == pytest.approx(0.1, abs=0.015)
    assert off[far].std() == pytest.approx(0.1 * np.ptp(true[0, 0], axis=0).max(), rel=0.1)
    np.testing.assert_allclose(off[:, 0], off[:, 2])


def test_a_batch_is_a_pure_function_of_its_step() -> None:
    batches = LiftBatches(takes([motion(), motion(7)]), Lifting(), 9, 3, 16, seed=4)
    one, again, other = batches.make(3), batches.make(3), batches.make(4)
    assert one["xy"].shape == (16, 9, 17, 3)
    assert one["xyz"].shape == (16, 17, 3)
    for name, values in one.items():
        np.testing.assert_array_equal(values, again[name])
        assert (values != other[name]).any()
        assert np.isfinite(values).all()
    np.testing.assert_allclose(one["xyz"][:, ROOT], 0, atol=1e-7)


def test_views_are_what_windows_are_made_of() -> None:
    """The truth of a view lies on its rays: some root puts it there exactly.

    But for joints that are made of others: the middle of two pictures is not the picture of the middle.
    """
    from marey.lifting.body import roots

    (view,) = views([motion()], CLEAN, 0.0, 30, seed=2)
    assert len(view.track) == len(view.truth) == 30
    own = np.array([joint not in ("root", "spine", "thorax") for joint in H36M.joints])
    root = roots(view.truth, view.track.rays, np.tile(own.astype(float), (30, 1)))
    xyz = view.truth + root[:, None]
    np.testing.assert_allclose((xyz[..., :2] / xyz[..., 2:])[:, own], view.track.rays[:, own], atol=1e-6)


def test_every_joint_hangs_on_a_bone_but_root_and_spine() -> None:
    assert {child for child, _, _ in BONES} == set(range(17)) - {ROOT, H36M.index("spine")}
