"""Windows: true time, turned to the person, sized by the person, and back."""

import numpy as np
import pytest

from marey.core.skeletons import skeleton
from marey.lifting.windows import (
    H36M,
    HEAD,
    MIRRORED,
    NOSE,
    ROOT,
    STEP_S,
    Track,
    lifted,
    median,
    seen,
    to_h36m,
    windows,
)


def body(count: int = 12, seed: int = 0) -> np.ndarray:
    """(T, 17, 3) points about 4 m ahead of a camera."""
    rng = np.random.default_rng(seed)
    return rng.normal((1.2, -0.5, 4.0), 0.3, (count, 17, 3))


def test_samples_of_a_window_lie_on_true_time() -> None:
    time_s = np.array([0.0, 0.1, 0.15, 0.4, 0.5])
    rays = np.repeat(np.stack([time_s, -2 * time_s], -1)[:, None], 17, 1)
    held = windows(Track(time_s, rays), 3)
    wanted = np.clip(time_s[:, None] + STEP_S * np.array([-1, 0, 1]), 0, 0.5)
    np.testing.assert_allclose(held[:, :, 3, 0], wanted, atol=1e-12)
    np.testing.assert_allclose(held[:, :, 3, 1], -2 * wanted, atol=1e-12)


def test_at_the_training_rate_a_window_is_its_frames() -> None:
    """And a missing neighbour does not spoil a sample that needs no interpolation."""
    rays = np.random.default_rng(0).normal(size=(6, 17, 2))
    rays[2, 5] = np.nan
    held = windows(Track(np.arange(6) * STEP_S, rays), 3)
    np.testing.assert_array_equal(held[4], rays[3:6])
    np.testing.assert_array_equal(held[3], rays[2:5])
    np.testing.assert_array_equal(held[0], rays[[0, 0, 1]])


def test_a_sample_beside_a_missing_one_is_missing() -> None:
    rays = np.zeros((4, 17, 2))
    rays[1, 7] = np.nan
    held = windows(Track(np.arange(4) / 25, rays), 3)
    assert np.isnan(held[2, 0, 7]).all()
    assert np.isfinite(held[2, 1:, 7]).all()


def test_the_person_is_in_the_middle_and_of_size_one() -> None:
    xyz = body()
    given = seen((xyz[..., :2] / xyz[..., 2:])[None])
    np.testing.assert_allclose(given.turn @ given.turn.transpose(0, 2, 1), np.eye(3)[None], atol=1e-12)
    assert np.linalg.det(given.turn[0]) == pytest.approx(1)
    turned = np.einsum("ij,tkj->tki", given.turn[0], xyz)
    directions = turned[:, ROOT] / np.linalg.norm(turned[:, ROOT], axis=-1, keepdims=True)
    np.testing.assert_allclose(directions.mean(0)[:2], 0, atol=1e-9)  # the mean root ray is the axis
    xy = turned[..., :2] / turned[..., 2:]
    size = _size(xy)
    np.testing.assert_allclose(given.xy[0, ..., :2], xy / size, atol=1e-5)
    assert (given.xy[..., 2] == 1).all()


def _size(xy: np.ndarray) -> float:
    """Median of torso + mean leg, by hand."""
    far = [np.linalg.norm(xy[:, a] - xy[:, b], axis=-1) for a, b in ((0, 8), (1, 2), (2, 3), (4, 5), (5, 6))]
    return float(np.median(far[0] + (far[1] + far[2] + far[3] + far[4]) / 2))


def test_a_larger_picture_of_the_same_pose_is_seen_alike() -> None:
    flat = np.random.default_rng(3).normal(0, 0.02, (9, 17, 2))
    one, other = (seen((flat * scale)[None]).xy for scale in (1.0, 1.5))
    np.testing.assert_allclose(one, other, atol=5e-3)  # but for the turn, which is not quite linear


def test_whoever_shows_neither_torso_nor_leg_nor_shoulders_is_not_lifted() -> None:
    rays = np.random.default_rng(0).normal(size=(2, 9, 17, 2))
    rays[0, :, [0, 1, 2, 3, 4, 5, 6, 8, 11]] = np.nan
    given = seen(rays)
    assert given.usable.tolist() == [False, True]
    assert (given.xy[0] == 0).all()


def test_missing_joints_are_zeros_and_said_to_be() -> None:
    rays = np.random.default_rng(0).normal(0, 0.1, (1, 9, 17, 2))
    rays[0, 2:4, 16] = np.nan
    given = seen(rays)
    assert (given.xy[0, 2:4, 16] == 0).all()
    assert given.xy[..., 2].sum() == 9 * 17 - 2


def test_lifting_gives_back_what_a_perfect_network_knows() -> None:
    """The network's camera is turned to the person; the answer is in the video's camera again."""
    xyz = body()
    rays = xyz[..., :2] / xyz[..., 2:]
    track = Track(np.arange(len(xyz)) * STEP_S, rays)
    given = seen(windows(track, 9))
    truth = xyz - xyz[:, ROOT, None]

    def network(inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        assert inputs["xy"].shape == (len(xyz), 9, 17, 3)
        return {"xyz": np.einsum("nij,nkj->nki", given.turn, truth).astype(np.float32)}

    out = lifted(track, 9, network, flip=False, batch=100)
    np.testing.assert_allclose(out, truth, atol=1e-5)


def test_joints_come_by_name() -> None:
    source = skeleton("marey19")
    xy = np.random.default_rng(0).normal(size=(2, 19, 2))
    out = to_h36m(xy, source)
    for ours, theirs in (("left_foot", "left_ankle"), ("right_wrist", "right_wrist"), ("neck_base", "nose")):
        np.testing.assert_array_equal(out[:, H36M.index(ours)], xy[:, source.index(theirs)])
    np.testing.assert_array_equal(out[:, HEAD], xy[:, source.index("head_top")])
    hips = (xy[:, source.index("left_hip")] + xy[:, source.index("right_hip")]) / 2
    np.testing.assert_allclose(out[:, ROOT], hips)
    coco = to_h36m(xy[:, :17], skeleton("coco17"))
    assert np.isnan(coco[:, HEAD]).all()  # ears are no crown
    assert np.isfinite(np.delete(coco, HEAD, 1)).all()
    assert np.isnan(to_h36m(xy[:, :14], skeleton("lsp14"))[:, NOSE]).all()
    known = np.random.default_rng(1).normal(size=(3, 17, 3))
    np.testing.assert_array_equal(to_h36m(known, H36M), known)


def test_medians_leave_out_what_is_missing() -> None:
    values = np.array([[3.0, np.nan, 1.0, 2.0], [4.0, 1.0, np.nan, np.nan], [np.nan] * 4])
    np.testing.assert_array_equal(median(values), [2.0, 2.5, np.nan])


def test_left_and_right_are_exchanged_by_name() -> None:
    for k, joint in enumerate(H36M.joints):
        other = joint.replace("left", "?").replace("right", "left").replace("?", "right")
        assert H36M.joints[MIRRORED[k]] == other
