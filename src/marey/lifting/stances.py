"""Feet that stand: when, and where, judged in the picture.

Lifted depth trembles faster than a foot walks; across the line of sight the picture knows better. So a foot
stands while its ankle hardly moves in the picture, at the person's distance, and no other foot is clearly
lower. A camera that moves makes standing feet move: then few stances are found, and none is made up.
Conventions: camera axes (X right, Y down, Z ahead), metres; rays are x/Z, y/Z. All is our choice.
"""

from dataclasses import dataclass

import numpy as np
from beartype import beartype
from jaxtyping import Bool, Float, Float64, Int64, jaxtyped  # pyright: ignore[reportUnknownVariableType]

from marey.finishing.spline import smoothing_spline
from marey.lifting.windows import H36M

FEET = [H36M.index("left_foot"), H36M.index("right_foot")]
STILL_M_S = 0.3
"""An ankle slower than this stands; heels rise at 0.1 to 0.3 m/s, walking ankles swing at 3 to 4."""
SHORTEST_S = 0.1
LOWER = 0.08
"""In statures: a foot that is this much higher than the other does not stand, however still it is held."""
ANKLE = 0.039
"""Height of an ankle above the ground, in statures (Winter 2009, table 4.1)."""
PLANT_HZ = 4.0
"""Cut-off of the move that holds feet; steps come twice a second."""
FREE = 0.02
"""Weight, against 1 of a foot that stands, of no move at all: nobody drifts away between steps."""


@jaxtyped(typechecker=beartype)
@dataclass(frozen=True, slots=True)
class Stances:
    """K stances of one person: which foot (0 left, 1 right), first and one past last sample, and where.

    `rays` and `depth_m` are medians over a stance; `ankle_m` is how high the ankle is above the ground.
    """

    foot: Int64[np.ndarray, " K"]
    span: Int64[np.ndarray, "K 2"]
    rays: Float64[np.ndarray, "K 2"]
    depth_m: Float64[np.ndarray, " K"]
    ankle_m: float

    def __len__(self) -> int:
        return len(self.foot)


def stances(
    time_s: Float64[np.ndarray, " T"],
    xyz_m: Float64[np.ndarray, "T 17 3"],
    rays: Float64[np.ndarray, "T 17 2"],
    stature_m: float,
) -> Stances:
    """The stances of a person who was placed at `xyz_m` and seen along `rays`."""
    seen, depth = rays[:, FEET], xyz_m[:, FEET, 2]
    stands = _still(time_s, seen, depth) & _lowest(seen, depth, stature_m)
    foot: list[int] = []
    span: list[tuple[int, int]] = []
    for k in range(len(FEET)):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], stands[:, k], [False]]).astype(np.int8)))
        for first, last in edges.reshape(-1, 2):
            if time_s[last - 1] - time_s[first] >= SHORTEST_S:
                foot.append(k)
                span.append((int(first), int(last)))
    held = [(seen[a:b, k], depth[a:b, k]) for k, (a, b) in zip(foot, span, strict=True)]
    return Stances(
        np.array(foot, np.int64),
        np.array(span, np.int64).reshape(-1, 2),
        np.array([np.median(ray, 0) for ray, _ in held]).reshape(-1, 2),
        np.array([np.median(far) for _, far in held], np.float64),
        ANKLE * stature_m,
    )


def planted(
    time_s: Float64[np.ndarray, " T"], xyz_m: Float64[np.ndarray, "T 17 3"], own: Stances
) -> Float64[np.ndarray, "T 17 3"]:
    """The person moved along the line of sight so that feet that stand keep their distance.

    Across it the picture says where they are. Between stances the move is the smoothest that fits them.
    """
    away, weight = np.zeros((len(xyz_m), 1, 1)), np.zeros((len(xyz_m), 1))
    for foot, (first, last), far in zip(own.foot, own.span, own.depth_m, strict=True):
        part = slice(int(first), int(last))
        away[part, 0, 0] += far - xyz_m[part, FEET[foot], 2]
        weight[part, 0] += 1
    if not weight.any():
        return xyz_m
    away /= np.maximum(weight, 1)[..., None]
    move = smoothing_spline(time_s, away, np.where(weight > 0, 1.0, FREE), PLANT_HZ)[:, 0]
    root = xyz_m[:, :1]
    return xyz_m + move[:, None] * root / root[..., 2:]


def _still(
    time_s: Float64[np.ndarray, " T"], rays: Float[np.ndarray, "T 2 2"], depth: Float[np.ndarray, "T 2"]
) -> Bool[np.ndarray, "T 2"]:
    """Whether ankles move slowly across the line of sight; not known (False) at both ends."""
    still = np.zeros(depth.shape, bool)
    if len(time_s) > 2:
        moved = np.linalg.norm(rays[2:] - rays[:-2], axis=-1) * depth[1:-1]
        still[1:-1] = moved < STILL_M_S * (time_s[2:] - time_s[:-2])[:, None]  # NaN is not still
    return still


def _lowest(
    rays: Float[np.ndarray, "T 2 2"], depth: Float[np.ndarray, "T 2"], stature_m: float
) -> Bool[np.ndarray, "T 2"]:
    """Whether no other foot is clearly lower in the picture."""
    down = rays[..., 1] * depth
    other = np.where(np.isnan(down[:, ::-1]), -np.inf, down[:, ::-1])
    return down > other - LOWER * stature_m
