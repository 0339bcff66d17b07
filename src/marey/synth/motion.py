"""Motions without bodies: how each segment of a person is turned, frame by frame, and where the hips are.

Conventions: turns are from a T-pose to the world: the person stands upright, looks along +Z, Y is up, the
left arm points along +X, palms down. Places of the middle of the hips are in leg lengths (thigh and shin), so
that a motion suits a body of any size. Seconds are those of the motion; a warped motion has its own.
"""

from dataclasses import dataclass, replace

import numpy as np
from beartype import beartype
from jaxtyping import Float64, jaxtyped  # pyright: ignore[reportUnknownVariableType]

from marey.synth.turns import about, inverse, matrices, mirrored, mixed, product, rotated

SIDED = ("clavicle", "upper_arm", "forearm", "hand", "thigh", "shin", "foot")
SEGMENTS = (
    "pelvis",
    "chest",
    "neck",
    "head",
    *(f"{side}_{name}" for side in ("left", "right") for name in SIDED),
)
"""What turns; the belly is between pelvis and chest, fingers curl with the hand."""
OTHER = tuple(
    SEGMENTS.index(name.replace("left_", "right_") if "left_" in name else name.replace("right_", "left_"))
    for name in SEGMENTS
)
UP = np.array([0.0, 1.0, 0.0])


@jaxtyped(typechecker=beartype)
@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """T frames of S segments; `group` says whose motion it is: splits keep groups whole."""

    name: str
    group: str
    rate_hz: float
    turns: Float64[np.ndarray, "T S 4"]
    root: Float64[np.ndarray, "T 3"]
    curl: Float64[np.ndarray, "T 2"]
    """Of left and right fingers in radians for each joint."""

    def __len__(self) -> int:
        return len(self.root)

    @property
    def lasts_s(self) -> float:
        """From the first frame to the last."""
        return (len(self) - 1) / self.rate_hz


def mirror(motion: Motion) -> Motion:
    """The same with left and right exchanged."""
    turns = mirrored(motion.turns)[:, list(OTHER)]
    root, curl = motion.root * np.array([-1.0, 1.0, 1.0]), motion.curl[:, ::-1].copy()
    return replace(motion, name=f"{motion.name}~", turns=turns, root=root, curl=curl)


def at_times(motion: Motion, times_s: Float64[np.ndarray, " N"], rate_hz: float) -> Motion:
    """The motion at any times within it, as frames of `rate_hz`: cutting, resampling, warping time."""
    place = np.clip(times_s * motion.rate_hz, 0, len(motion) - 1)
    first = np.minimum(place.astype(int), max(len(motion) - 2, 0))
    second = np.minimum(first + 1, len(motion) - 1)
    share = place - first

    def between(values: np.ndarray) -> np.ndarray:
        return values[first] * (1 - share)[:, None] + values[second] * share[:, None]

    turns = mixed(motion.turns[first], motion.turns[second], share[:, None])
    return replace(motion, rate_hz=rate_hz, turns=turns, root=between(motion.root), curl=between(motion.curl))


def turned(motion: Motion, angle: float, place: Float64[np.ndarray, " 3"]) -> Motion:
    """Turned about the upright axis through the world's origin, then moved."""
    by = about(UP, angle)
    return replace(motion, turns=product(by, motion.turns), root=rotated(by, motion.root) + place)


def heading(motion: Motion, frame: int) -> float:
    """Where the pelvis looks, as an angle about the upright axis (0: along +Z)."""
    ahead = matrices(motion.turns[frame, 0])[:, 2]
    return float(np.arctan2(ahead[0], ahead[2]))


def joined(first: Motion, second: Motion, overlap_s: float = 0.4) -> Motion:
    """One after the other, the second moved and turned to go on from the first, blended over `overlap_s`."""
    count = max(1, min(round(overlap_s * first.rate_hz), len(first) - 1, len(second) - 1))
    start = len(first) - count
    second = turned(second, heading(first, start) - heading(second, 0), np.zeros(3))
    moved = (first.root[start] - second.root[0]) * np.array([1.0, 0.0, 1.0])
    second = replace(second, root=second.root + moved)
    share = (np.arange(count) + 0.5) / count
    share = share * share * (3 - 2 * share)
    turns = mixed(first.turns[start:], second.turns[:count], share[:, None])

    def blended(name: str) -> np.ndarray:
        a, b = getattr(first, name), getattr(second, name)
        middle = a[start:] * (1 - share)[:, None] + b[:count] * share[:, None]
        return np.concatenate([a[:start], middle, b[count:]])

    turns = np.concatenate([first.turns[:start], turns, second.turns[count:]])
    return replace(first, turns=turns, root=blended("root"), curl=blended("curl"))


def lasting(motion: Motion, seconds: float) -> Motion:
    """The motion repeated until it lasts so long."""
    whole = motion
    while whole.lasts_s < seconds:
        whole = joined(whole, motion, min(0.4, motion.lasts_s / 3))
    return whole


def warped_times(seconds: float, rate_hz: float, rng: np.random.Generator) -> Float64[np.ndarray, " N"]:
    """Times of a motion that is played 0.8 to 1.25 times as fast, the speed changing slowly (our choice)."""
    count = round(seconds * rate_hz)
    time_s = np.arange(count) / rate_hz
    speed = np.exp(
        rng.uniform(-0.15, 0.15) + 0.07 * np.sin(2 * np.pi * (time_s / rng.uniform(3, 6) + rng.random()))
    )
    return np.concatenate([[0.0], np.cumsum(speed[:-1]) / rate_hz])


def relative(
    turns: Float64[np.ndarray, "*#N 4"], to: Float64[np.ndarray, "*#N 4"]
) -> Float64[np.ndarray, "*#N 4"]:
    """Turns in the axes of others."""
    return product(inverse(to), turns)
