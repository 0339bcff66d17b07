"""Where people stand, what is about them, what lenses do; without anny and without OpenGL."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from marey.core.errors import DataError
from marey.synth import backdrop
from marey.synth.body import joints, set_down
from marey.synth.gestures import GESTURES
from marey.synth.gpu import Seen
from marey.synth.lens import Lens, exposed, lens
from marey.synth.motion import at_times, mirror
from marey.synth.scene import APART_M, Film, _grounded, _placed
from marey.synth.shots import camera_at
from stick_body import stick_body

CLEAN = Lens(0.0, 0.0, 3.0, 0.0, 0.0, 4.0, 0)
"""A lens without faults, focused at four metres."""


def test_nobody_stands_in_anybody_and_all_are_in_the_picture():
    film, body, rng = Film(people=(8, 8), spread_m=3.0), stick_body(), np.random.default_rng(3)
    eye, target = np.array([0.0, 1.5, 8.0]), np.array([0.0, 0.9, 0.0])
    placed: list[np.ndarray] = []
    for k, name in enumerate(["idle", "walk", "reach", "turn", "sign", "idle", "walk", "reach"]):
        motion = at_times(GESTURES[name](2.5, np.random.default_rng(k)), np.arange(50) / 25, 25.0)
        pose = _grounded(body, mirror(motion) if k % 2 else motion)
        found = _placed(joints(body, pose), placed, film, (eye, target, 50.0), rng)
        if found is not None:
            placed.append(joints(body, set_down(pose, *found)))
    assert len(placed) >= 6
    camera = camera_at(eye, target, film.size, 50.0)
    for k, first in enumerate(placed):
        xy = camera.project(first)
        assert ((xy >= 0) & (xy < film.size)).all(-1).mean() > 0.8
        assert np.linalg.norm(first - eye, axis=-1).min() > 1.0
        for second in placed[:k]:
            gaps = np.linalg.norm(first[::4, :, None] - second[::4, None], axis=-1)
            assert gaps.min() > APART_M


def test_there_is_no_place_where_all_is_taken():
    film, body, rng = Film(spread_m=0.1), stick_body(), np.random.default_rng(0)
    pose = _grounded(body, at_times(GESTURES["idle"](1.0, rng), np.arange(20) / 25, 25.0))
    points = joints(body, pose)
    taken = points - points.mean((0, 1)) * [1, 0, 1]
    view = (np.array([0.0, 1.5, 6.0]), np.array([0.0, 0.9, 0.0]), 50.0)
    assert _placed(points, [taken], film, view, rng) is None


@pytest.mark.parametrize("round_", [False, True])
def test_blocks_are_closed_and_face_outwards(round_: bool):
    low, high = np.array([1.0, 0, 2]), np.array([2.0, 3, 2.5])
    held = backdrop.box(low, high, np.random.default_rng(1), round_)
    assert (held.at >= low - 1e-6).all()
    assert (held.at <= high + 1e-6).all()
    middle = (low + high) / 2
    assert ((held.at - middle) * held.normals).sum(-1).min() > -1e-6
    np.testing.assert_allclose(np.linalg.norm(held.normals, axis=-1), 1, atol=1e-5)
    assert held.faces.max() == len(held.at) - 1


def test_surroundings_are_the_same_for_a_seed_and_differ_between_seeds():
    first, same, other = (backdrop.surroundings(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first[1].picture, same[1].picture)
    assert not np.array_equal(first[1].picture, other[1].picture)
    floor, wall = first
    assert np.ptp(floor.at[:, 1]) == 0
    assert np.hypot(wall.at[:, 0], wall.at[:, 2]).min() > 10


def test_photographs_become_walls_and_bad_folders_are_refused(tmp_path: Path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((20, 40, 3), (10, 200, 30), np.uint8))
    found = backdrop.photographs_in(tmp_path)
    wall = backdrop.surroundings(np.random.default_rng(0), found)[1]
    assert (wall.picture == (30, 200, 10)).all()
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match="no photographs"):
        backdrop.photographs_in(empty)
    (tmp_path / "b.png").write_text("no picture")
    with pytest.raises(DataError, match="not a picture"):
        backdrop.surroundings(np.random.default_rng(0), (tmp_path / "b.png",))


def test_a_clean_lens_changes_nothing_and_each_fault_does_its_own():
    rng = np.random.default_rng(0)
    rgb = rng.integers(40, 200, (360, 160, 3)).astype(np.uint8)
    seen = Seen(
        np.zeros((360, 160), np.int16),
        np.full((360, 160, 3), 4.0, np.float32),
        np.zeros((360, 160, 4), np.float32),
    )
    seen.depths_m[:, 80:] = 40.0
    assert np.array_equal(exposed(rgb, seen, CLEAN, 0.0, rng), rgb)
    noisy = exposed(rgb, seen, replace(CLEAN, noise=4.0), 0.0, rng)
    assert 3.5 < (noisy.astype(float) - rgb).std() < 4.5
    brighter = exposed(rgb, seen, replace(CLEAN, drift=0.1), 0.75, rng)
    assert brighter.mean() == pytest.approx(1.1 * rgb.mean(), rel=0.01)
    soft = exposed(rgb, seen, replace(CLEAN, blurred=1.0), 0.0, rng)
    assert np.array_equal(soft[:, :70], rgb[:, :70])  # in focus
    assert soft[:, 90:].std() < 0.8 * rgb[:, 90:].std()
    assert not np.array_equal(exposed(rgb, seen, replace(CLEAN, quality=55), 0.0, rng), rgb)
    assert np.array_equal(exposed(rgb, seen, replace(CLEAN, shutter=0.5), 0.0, rng), rgb)  # nothing moves
    seen.flow_px[:] = 8, 0, -8, 0
    trailed = exposed(rgb, seen, replace(CLEAN, shutter=0.5), 0.0, rng).astype(float)
    assert np.abs(np.diff(trailed, axis=1)).mean() < 0.6 * np.abs(np.diff(rgb.astype(float), axis=1)).mean()
    assert np.abs(trailed[:, 8:-8].mean(1) - rgb[:, 8:-8].mean(1)).max() < 8  # along rows only
    assert lens(np.random.default_rng(2), 4.0) == lens(np.random.default_rng(2), 4.0)
