"""Feet that stand, and what they tell of the camera: pitch, roll, height, and what they do not tell."""

import numpy as np
import pytest

from marey.core.cameras import Camera
from marey.lifting.stances import ANKLE, FEET, Stances, planted, stances
from marey.lifting.windows import H36M
from marey.lifting.world import LEVEL, World, from_feet, given, ground, turn

HIGH = 1.4
STATURE = 1.7


def seen_from(world: np.ndarray, pitch: float = 0.0, roll: float = 0.0) -> np.ndarray:
    """Places in the axes of a camera 1.4 m above the ground at the origin."""
    return (world - [0, HIGH, 0]) @ turn(pitch, roll)


def standing(world: np.ndarray, pitch: float = 0.0, roll: float = 0.0, seed: int = 0) -> Stances:
    """One person's stances at ankles (K, 3) of the world, their distances good to 4 %."""
    xyz = seen_from(world, pitch, roll)
    share = np.random.default_rng(seed).normal(1, 0.04, len(xyz))
    count = len(xyz)
    span = np.stack([np.arange(count), np.arange(count) + 1], -1)
    rays = xyz[:, :2] / xyz[:, 2:]
    return Stances(np.zeros(count, np.int64), span, rays, xyz[:, 2] * share, ANKLE * STATURE)


def steps(x: tuple[float, float], z: tuple[float, float], count: int = 12, y: float = 0.0) -> np.ndarray:
    """Ankles of someone who walks from one place to another on a level `y`."""
    along = np.linspace(0, 1, count)
    line = np.stack([x[0] + along * (x[1] - x[0]), np.full(count, y), z[0] + along * (z[1] - z[0])], -1)
    return line + np.array([0, ANKLE * STATURE, 0])


def leans(world: World, pitch: float, roll: float) -> float:
    """Degrees between two verticals."""
    return float(np.rad2deg(np.arccos(np.clip(world.turn[1] @ turn(pitch, roll)[1], -1, 1))))


@pytest.mark.parametrize(("pitch", "roll"), [(-20.0, 6.0), (8.0, -4.0), (0.0, 0.0)])
def test_steps_about_the_room_tell_pitch_roll_and_height(pitch: float, roll: float) -> None:
    people = [
        standing(steps((-2, 2), (-4, -8), 16), pitch, roll, 1),
        standing(steps((2, -1.5), (-3, -5), 16), pitch, roll, 2),
    ]
    world = from_feet(people)
    assert leans(world, pitch, roll) < 3
    assert "assumed" not in world.source
    floor = ground(world, people, [])
    assert floor.height_m == pytest.approx(HIGH, rel=0.15)
    assert floor.source == "32 of 32 stances of feet"


def test_a_walk_across_the_picture_tells_roll_and_not_pitch() -> None:
    people = [standing(steps((-3, 3), (-5, -5)), 0, 4)]
    world = from_feet(people)
    assert world.source.startswith("pitch assumed 0°, roll ")
    assert leans(world, 0, 4) < 1.5


def test_two_steps_on_the_spot_tell_the_ground_and_nothing_else() -> None:
    people = [standing(steps((0, 0.3), (-4, -4), 2))]
    world = from_feet(people)
    assert world.source == "a level camera is assumed"
    assert ground(world, people, []).height_m == pytest.approx(HIGH, rel=0.08)


def test_whoever_stands_on_a_roof_does_not_lift_the_ground() -> None:
    """And a plane through roof and ground is not taken for a slope."""
    walker, other = standing(steps((-3, 3), (-5, -5), 6)), standing(steps((-1, -0.5), (-7, -7), 4, y=2.0))
    for people in ([walker, other], [other, walker]):
        world = from_feet(people)
        assert leans(world, 0, 0) < 2.5
        floor = ground(world, people, [])
        assert floor.height_m == pytest.approx(HIGH, rel=0.08)
        assert floor.source == "6 of 10 stances of feet"


def test_one_stance_below_the_floor_is_no_floor() -> None:
    low = standing(steps((0, 0.1), (-5, -5), 1, y=-1.0))
    people = [standing(steps((-3, 3), (-5, -5), 12)), low]
    assert ground(World(LEVEL, ""), people, []).height_m == pytest.approx(HIGH, rel=0.08)


def test_without_stances_ankles_tell_and_without_ankles_nothing() -> None:
    none = standing(np.zeros((0, 3)))
    level = World(LEVEL, "")
    ankles = seen_from(np.array([[0, 0.3, -4], [0.2, 0.1, -4], [np.nan] * 3]))
    floor = ground(level, [none], [ankles])
    assert floor.height_m == pytest.approx(HIGH - 0.1 + ANKLE * STATURE, abs=0.02)
    assert "lowest ankles" in floor.source
    nothing = ground(level, [none], [np.full((3, 3), np.nan)])
    assert nothing.height_m == 0
    assert "no foot was seen" in nothing.source
    assert from_feet([]).source == "a level camera is assumed"
    assert ground(level, [], []).height_m == 0


def walking(count: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times at 30 Hz, body and rays of someone whose feet take turns: half a second each, 5 m away."""
    time_s = np.arange(count) / 30
    world = np.zeros((count, 17, 3))
    world[..., 1] = 1.0
    for k, foot in enumerate(FEET):
        phase = time_s - 0.5 * k
        swing = np.clip(np.mod(phase, 1.0) - 0.5, 0, 0.5) / 0.5
        world[:, foot, 0] = np.floor(phase) + swing - 0.5
        world[:, foot, 1] = ANKLE * STATURE + 0.2 * np.sin(np.pi * swing)
    world[..., 2] = -5
    xyz = seen_from(world)
    return time_s, xyz, xyz[..., :2] / xyz[..., 2:]


def test_feet_stand_while_they_hardly_move_in_the_picture() -> None:
    time_s, xyz, rays = walking()
    found = stances(time_s, xyz, rays, STATURE)
    times = sorted(
        (round(float(time_s[a]), 1), int(foot)) for foot, (a, _) in zip(found.foot, found.span, strict=True)
    )
    assert [foot for _, foot in times] in ([0, 1, 0, 1], [1, 0, 1, 0])
    lasts = [time_s[b - 1] - time_s[a] for a, b in found.span]
    assert all(0.3 < seconds < 0.6 for seconds in lasts)
    np.testing.assert_allclose(found.depth_m, 5, atol=1e-9)


def test_trembling_depth_does_not_hide_a_stance_but_a_raised_foot_is_none() -> None:
    time_s, xyz, rays = walking()
    trembling = xyz.copy()
    trembling[..., 2] += np.random.default_rng(0).normal(0, 0.05, xyz.shape[:2])
    assert len(stances(time_s, trembling, rays, STATURE)) == 4
    still = np.repeat(xyz[:1], 30, 0)
    still[:, FEET[1], 1] -= 0.4  # up
    seen = still[..., :2] / still[..., 2:]
    found = stances(time_s[:30], still, seen, STATURE)
    assert found.foot.tolist() == [0]
    seen[:, FEET[0]] = np.nan
    still[:, FEET[0]] = np.nan
    assert stances(time_s[:30], still, seen, STATURE).foot.tolist() == [1]  # no other foot is known
    assert len(stances(time_s[:2], still[:2], seen[:2], STATURE)) == 0


def test_planted_feet_keep_their_distance_and_nobody_leaves_the_picture() -> None:
    time_s, xyz, rays = walking(90)
    swaying = xyz * (1 + 0.03 * np.sin(2 * np.pi * 1.5 * time_s))[:, None, None]
    own = stances(time_s, swaying, rays, STATURE)
    held = planted(time_s, swaying, own)

    def slide(places: np.ndarray) -> float:
        return float(
            np.mean([np.ptp(places[a:b, FEET[k], 2]) for k, (a, b) in zip(own.foot, own.span, strict=True)])
        )

    assert slide(held) < 0.35 * slide(swaying)
    root = H36M.index("root")
    np.testing.assert_allclose(
        held[:, root, :2] / held[:, root, 2:], swaying[:, root, :2] / swaying[:, root, 2:], atol=1e-9
    )
    assert np.abs(held[:, root, 2] - swaying[:, root, 2]).max() < 0.4
    nobody = standing(np.zeros((0, 3)))
    np.testing.assert_array_equal(planted(time_s, swaying, nobody), swaying)


def test_a_camera_that_looks_down_sees_what_is_level_ahead_above_its_middle() -> None:
    ahead = np.array([[0.0, 0.0, -5.0]])
    down = turn(-30, 0).T @ ahead[0]
    assert down[1] < 0
    assert down[2] > 0
    higher = turn(0, 20).T @ np.array([0.0, 1.0, 0.0])  # right side higher: what is up leans to the right
    assert higher[0] > 0
    assert isinstance(given(0, None), World)
    assert given(None, None) is None


def test_the_lens_and_the_world_agree_on_axes() -> None:
    """A point on the ground ahead of a level camera is below the middle of its picture."""
    lens = Camera.from_view((640, 480), 60)
    below = seen_from(np.array([[0.0, 0.0, -5.0]]))
    assert lens.project(below)[0, 1] > 240
