"""From a camera's axes to the world's: Y up, Z towards the viewer, the ground at 0.

Pitch is above 0 where the camera looks up, roll where its right side is higher; both 0 is a level camera.
Where neither is given they follow from feet that stand, as far as those tell: standing ankles lie in a plane
n·X = h, each to within some percent of its distance, and cameras are held about level. Who stands elsewhere
(on a roof) is outvoted; the ground is the lowest level that enough stand on. What feet do not tell is assumed
level, and said to be. All of it is our choice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from marey.core.kinematics import axis_rotations
from marey.lifting.stances import Stances

LEVEL = np.diag([1.0, -1.0, -1.0])
FAR_SHARE = 0.06
"""Standard deviation of a stance's distance, as a share: statures and lifted depth (our choice)."""
TILT = np.array([*np.deg2rad([12.0, 5.0]), np.inf])
"""How far from level cameras are held, pitch and roll (our choice); nothing is known of their height."""
TOLD = 0.5
"""Feet tell an angle if they leave less than this share of that doubt."""
LONGEST_STEP = 0.2
LEAST_M = 0.05
"""A plane is not looked for nearer below the camera than this."""
SUPPORT = 1 / 3
"""Ground carries at least this share of the stances that the best-supported level carries."""
OUTLIER = 2.0
"""Standard deviations at which a stance begins not to count."""
FLAT_M = 0.03
"""Standard deviation of a level at the least, also where the camera is as low as the feet."""
STEPS = 20
STARTS_DEG = (-40.0, -20.0, 0.0, 20.0)
"""Pitches to start from."""


@dataclass(frozen=True, slots=True)
class World:
    """`turn` leads from camera axes to the world's; `source` says in one line where it comes from."""

    turn: Float64[np.ndarray, "3 3"]
    source: str


@dataclass(frozen=True, slots=True)
class Ground:
    """How high the camera is above the ground, and in one line where that comes from."""

    height_m: float
    source: str


@dataclass(frozen=True, slots=True)
class _Plane:
    """Pitch, roll (radians) and log height; their doubts; stances' weights; −2 log of how likely it is."""

    angles: Float64[np.ndarray, " 3"]
    doubts: Float64[np.ndarray, " 3"]
    weights: Float64[np.ndarray, " K"]
    cost: float


def given(pitch_deg: float | None, roll_deg: float | None) -> World | None:
    """The world of a camera of known pitch and roll (the one left out is 0); None where neither is known."""
    if pitch_deg is None and roll_deg is None:
        return None
    pitch, roll = pitch_deg or 0.0, roll_deg or 0.0
    return World(turn(pitch, roll), f"pitch {pitch:g}°, roll {roll:g}° as given")


def turn(pitch_deg: float, roll_deg: float) -> Float64[np.ndarray, "3 3"]:
    """Camera axes to the world's."""
    angles = np.deg2rad(np.array([pitch_deg, -roll_deg]))
    return LEVEL @ axis_rotations("x", angles[:1])[0] @ axis_rotations("z", angles[1:])[0]


def from_feet(people: Sequence[Stances]) -> World:
    """The world as far as feet that stand tell it, level for the rest."""
    places, person = _gathered(people)
    for free in ((True, True), (False, True), (True, False)):
        plane = _plane(places, person, free)
        if plane is not None and (plane.doubts < TOLD * TILT)[:2][np.array(free)].all():
            degrees = np.rad2deg(plane.angles)
            words = [
                f"{name} {value:.1f}°" if told else f"{name} assumed 0°"
                for name, value, told in zip(("pitch", "roll"), degrees, free, strict=False)
            ]
            count = int((plane.weights > 0.5).sum())
            source = f"{', '.join(words)}, from {count} stances of feet"
            return World(turn(float(degrees[0]), float(degrees[1])), source)
    return World(LEVEL, "a level camera is assumed")


def ground(world: World, people: Sequence[Stances], ankles_m: Sequence[Float64[np.ndarray, "_ 3"]]) -> Ground:
    """Where the ground is: under feet that stand, else under the lowest ankles, else at the camera's height.

    `ankles_m` are each person's, in camera axes, standing or not.
    """
    places, person = _gathered(people)
    ankle = float(np.median([own.ankle_m for own in people])) if people else 0.0
    if len(places):
        height, count = _lowest_level(-places @ world.turn[1], person)
        return Ground(height + ankle, f"{count} of {len(places)} stances of feet")
    lowest = [np.nanpercentile(-(own @ world.turn[1]), 95) for own in ankles_m if np.isfinite(own).any()]
    if lowest:
        return Ground(float(max(lowest)) + ankle, "lowest ankles: no foot was seen to stand")
    return Ground(0.0, "no foot was seen: heights are from the camera")


def _gathered(people: Sequence[Stances]) -> tuple[np.ndarray, np.ndarray]:
    """Where feet stood (K, 3), camera axes, and whose they are."""
    person = np.repeat(np.arange(len(people)), [len(own) for own in people])
    places = [np.insert(own.rays, 2, 1.0, axis=1) * own.depth_m[:, None] for own in people]
    return np.concatenate([np.zeros((0, 3)), *places]), person


def _plane(places: Float[np.ndarray, "K 3"], person: np.ndarray, free: tuple[bool, bool]) -> _Plane | None:
    """The plane that explains stances best; starts under everybody, and under each person alone."""
    starts = [person == who for who in np.unique(person)]
    found: list[_Plane] = []
    for start in [*starts, np.ones(len(places), bool)]:
        for pitch in np.deg2rad(STARTS_DEG) if free[0] and start.any() else [0.0]:
            below = np.median(places[start] @ _down(pitch, 0.0)) if start.any() else 0.0
            if below > LEAST_M:
                angles = np.array([pitch, 0.0, np.log(below)])
                found.append(_fitted(places, np.array([*free, True]), angles))
    return min(found, key=lambda plane: plane.cost, default=None)


def _fitted(places: Float[np.ndarray, "K 3"], free: np.ndarray, angles: Float64[np.ndarray, " 3"]) -> _Plane:
    """Gauss and Newton's steps from first `angles`; outliers weigh as Geman and McClure (1987) have it."""
    angles = angles.copy()
    prior = np.diag(TILT**-2.0 + 1e-6)[np.ix_(free, free)]  # 1e-6: where no stance counts at all
    for _ in range(STEPS):
        off, slopes = _off(places, angles)
        weights = (1 + (off / OUTLIER) ** 2) ** -2
        part = slopes[:, free]
        matrix = (part * weights[:, None]).T @ part + prior
        step = np.linalg.solve(matrix, (part * weights[:, None]).T @ off + prior @ angles[free])
        angles[free] -= np.clip(step, -LONGEST_STEP, LONGEST_STEP)
    off, slopes = _off(places, angles)
    weights = (1 + (off / OUTLIER) ** 2) ** -2
    part = slopes[:, free]
    doubts = np.zeros(3)
    doubts[free] = np.sqrt(np.diag(np.linalg.inv((part * weights[:, None]).T @ part + prior)))
    cost = (off**2 / (1 + (off / OUTLIER) ** 2)).sum() + ((angles / TILT) ** 2).sum()
    return _Plane(angles, doubts, weights, float(cost))


def _down(pitch: float, roll: float) -> Float64[np.ndarray, " 3"]:
    """The vertical in camera axes; radians."""
    return np.array([-np.sin(roll) * np.cos(pitch), np.cos(roll) * np.cos(pitch), -np.sin(pitch)])


def _off(
    places: Float[np.ndarray, "K 3"], angles: Float64[np.ndarray, " 3"]
) -> tuple[Float64[np.ndarray, " K"], Float64[np.ndarray, "K 3"]]:
    """How far places are from the plane, n·X/h − 1 over its standard deviation, and the slopes of that."""
    (sp, sr), (cp, cr) = np.sin(angles[:2]), np.cos(angles[:2])
    by_pitch, by_roll = np.array([sr * sp, -cr * sp, -cp]), np.array([-cr * cp, -sr * cp, 0.0])
    scaled = places / np.exp(angles[2]) / FAR_SHARE
    along = scaled @ _down(angles[0], angles[1])
    return along - 1 / FAR_SHARE, np.stack([scaled @ by_pitch, scaled @ by_roll, -along], -1)


def _lowest_level(below: Float[np.ndarray, " K"], person: np.ndarray) -> tuple[float, int]:
    """The lowest level (metres below the camera) on which enough stand, and how many stances do."""
    levels: list[tuple[float, int]] = []
    for who in np.unique(person):
        level = float(np.median(below[person == who]))
        near = np.abs(below - level) < 2 * OUTLIER * max(FAR_SHARE * abs(level), FLAT_M)
        levels.append((float(np.median(below[near])) if near.any() else level, int(near.sum())))
    best = max(count for _, count in levels)
    return max(pair for pair in levels if pair[1] >= SUPPORT * best)
