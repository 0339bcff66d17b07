"""Windows of a 2D track, as lifting networks see them, and the way back to 3D.

Conventions: rays are x/Z, y/Z in camera axes (X right, Y down, Z ahead) without lens distortion; joints are
h36m17's; missing is NaN. A window holds F moments `STEP_S` apart about one of the track's own times, by
linear interpolation (before the first and after the last sample: those), so a video of any rate, also a
variable one, is seen as training was. What a network sees: the window turned so that the mean root ray is the
optical axis, divided by the person's size in the picture, and a third channel that says which joints are
there (missing ones are zeros). What it says: the middle moment in that camera, in statures, root at 0.
A person's size is the median of torso + leg in the picture; where no leg is seen it follows from the torso,
where no torso, from the shoulders. Whoever shows none of these is not lifted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from beartype import beartype
from jaxtyping import Bool, Float, Float32, Float64, jaxtyped  # pyright: ignore[reportUnknownVariableType]

from marey.core.skeletons import Skeleton, mirrored, skeleton
from marey.core.stages import Network

H36M = skeleton("h36m17")
MIRRORED = list(mirrored(H36M))
STEP_S = 1 / 30
"""Between the moments of a window: the rate of the motions we train on."""
SHARES = {"torso": 0.37, "leg": 0.63, "shoulders": 0.28}
"""Of torso + leg: Winter, Biomechanics (2009), table 4.1: torso 0.288 and leg 0.491 of stature; shoulder
joints 0.22 apart (0.259 over the acromia)."""

ROOT, THORAX, NOSE, HEAD = (H36M.index(name) for name in ("root", "thorax", "neck_base", "head"))
LEGS = tuple(
    tuple(H36M.index(f"{side}_{joint}") for joint in ("hip", "knee", "foot")) for side in ("left", "right")
)
SHOULDERS = H36M.index("left_shoulder"), H36M.index("right_shoulder")


@jaxtyped(typechecker=beartype)
@dataclass(frozen=True, slots=True)
class Track:
    """One person over time: increasing times and rays of h36m17's joints."""

    time_s: Float64[np.ndarray, " T"]
    rays: Float64[np.ndarray, "T 17 2"]

    def __len__(self) -> int:
        return len(self.time_s)


@jaxtyped(typechecker=beartype)
@dataclass(frozen=True, slots=True)
class Seen:
    """N windows as a network sees them; `turn` leads from the camera's axes to the network's."""

    xy: Float32[np.ndarray, "N F 17 3"]
    turn: Float64[np.ndarray, "N 3 3"]
    usable: Bool[np.ndarray, " N"]


def to_h36m(xy: Float[np.ndarray, "*N J D"], source: Skeleton) -> Float[np.ndarray, "*N 17 D"]:
    """Joints of any skeleton as the lifter was trained to see them; what cannot be had is NaN.

    Converted by name; `neck_base` is the nose (Human3.6M's lies between nose and neck, where no 2D set labels
    a joint) and `head` the top of the head. Ears do not stand in for it: a network that knows crowns would
    take them for a head that hangs.
    """
    out = source.converter(H36M)(xy)
    if source.name != H36M.name:
        for joint, name in ((NOSE, "nose"), (HEAD, "head_top")):
            known = name in source.joints
            out[..., joint, :] = xy[..., source.index(name), :] if known else np.nan
    return out


def windows(
    track: Track, frames: int, at: Sequence[int] | slice = slice(None)
) -> Float64[np.ndarray, "N F 17 2"]:
    """Rays at `frames` moments about each of some of the track's times."""
    moments = track.time_s[at, None] + STEP_S * (np.arange(frames) - frames // 2)
    after = np.clip(np.searchsorted(track.time_s, moments - 1e-6), 0, len(track) - 1)
    before = np.maximum(after - 1, 0)
    span = track.time_s[after] - track.time_s[before]
    share = np.where(span > 0, (moments - track.time_s[before]) / np.where(span > 0, span, 1), 1)
    share = np.clip(share, 0, 1)[..., None, None]
    mixed = (1 - share) * track.rays[before] + share * track.rays[after]
    # 0 × NaN is NaN: a moment that is a frame's own must not miss what its neighbour misses
    mixed = np.where(share > 1 - 1e-4, track.rays[after], mixed)
    return np.where(share < 1e-4, track.rays[before], mixed)


def seen(rays: Float[np.ndarray, "N F 17 2"]) -> Seen:
    """Windows of rays as the network sees them."""
    known = ~np.isnan(rays[..., 0])
    ahead = np.concatenate([np.where(known[..., None], rays, 0), np.ones_like(rays[..., :1])], -1)
    turn = _turns(_centres(ahead, known))
    turned = np.einsum("nij,nfkj->nfki", turn, ahead)
    xy = turned[..., :2] / np.maximum(turned[..., 2:], 1e-3)
    size = _sizes(xy, known)
    usable = size > 0
    scaled = xy / np.where(usable, size, 1)[:, None, None, None]
    shown = known & usable[:, None, None]
    inputs = np.concatenate([np.where(shown[..., None], scaled, 0), shown[..., None]], -1)
    return Seen(inputs.astype(np.float32), turn, usable)


def lifted(
    track: Track, frames: int, network: Network, *, flip: bool, batch: int
) -> Float64[np.ndarray, "T 17 3"]:
    """A track's joints in camera axes, in statures, root at 0; NaN where the 2D joint is.

    With `flip` the answer is the mean with that for the mirrored picture, which makes it mirror with the
    picture exactly.
    """
    out = np.full((len(track), len(H36M), 3), np.nan)
    for first in range(0, len(track), batch):
        part = slice(first, first + batch)
        given = seen(windows(track, frames, part))
        xyz = network({"xy": given.xy})["xyz"].astype(np.float64)
        if flip:
            xyz = (xyz + mirror(network({"xy": mirror(given.xy)})["xyz"])) / 2
        back = np.einsum("nji,nkj->nki", given.turn, xyz - xyz[:, ROOT, None])
        back[~given.usable] = np.nan
        out[part] = np.where(np.isnan(track.rays[part, :, :1]), np.nan, back)
    return out


def mirror(values: Float[np.ndarray, "*N 17 3"]) -> Float[np.ndarray, "*N 17 3"]:
    """Left and right exchanged: joints by name, and x (inputs and 3D joints alike) by sign."""
    return values[..., MIRRORED, :] * np.array([-1, 1, 1], values.dtype)


def _centres(ahead: Float[np.ndarray, "N F J 3"], known: Bool[np.ndarray, "N F J"]) -> np.ndarray:
    """Unit vectors (N, 3) to the mean root; to the mean of all joints where no root is known."""
    rooted = np.zeros_like(known)
    rooted[..., ROOT] = known[..., ROOT]
    weight = np.where(rooted.any((1, 2), keepdims=True), rooted, known)
    directions = ahead / np.linalg.norm(ahead, axis=-1, keepdims=True)
    total = (directions * weight[..., None]).sum((1, 2))
    length = np.linalg.norm(total, axis=-1, keepdims=True)
    return np.where(length > 0, total / np.maximum(length, 1e-12), np.array([0.0, 0.0, 1.0]))


def _turns(centres: Float[np.ndarray, "N 3"]) -> Float64[np.ndarray, "N 3 3"]:
    """The smallest rotations that bring unit vectors (Z > −1) to the optical axis (Rodrigues)."""
    x, y, z = centres.T
    zero = np.zeros_like(x)
    cross = np.stack(
        [np.stack([zero, zero, -x], -1), np.stack([zero, zero, -y], -1), np.stack([x, y, zero], -1)], -2
    )
    return np.eye(3) + cross + cross @ cross / np.maximum(1 + z, 1e-6)[:, None, None]


def _sizes(xy: Float[np.ndarray, "N F J 2"], known: Bool[np.ndarray, "N F J"]) -> np.ndarray:
    """Size of each window's person in the picture (N,); NaN where it cannot be told."""
    place = np.where(known[..., None], xy, np.nan)

    def length(a: int, b: int) -> np.ndarray:
        return np.linalg.norm(place[:, :, a] - place[:, :, b], axis=-1)

    sides = [length(hip, knee) + length(knee, foot) for hip, knee, foot in LEGS]
    both = (sides[0] + sides[1]) / 2
    leg = np.where(np.isnan(both), np.where(np.isnan(sides[0]), sides[1], sides[0]), both)
    torso, shoulders = length(ROOT, THORAX), length(*SHOULDERS)
    size = median(torso + leg)
    for name, part in (("torso", torso), ("leg", leg), ("shoulders", shoulders)):
        size = np.where(np.isnan(size), median(part) / SHARES[name], size)
    return np.where(size > 0, size, np.nan)


def median(values: Float[np.ndarray, "N F"]) -> Float[np.ndarray, " N"]:
    """Median over the last axis of what is not NaN; NaN where nothing is."""
    count = (~np.isnan(values)).sum(-1)
    ordered = np.sort(values, -1)  # NaN last
    low, high = np.maximum((count - 1) // 2, 0), count // 2
    high = np.minimum(high, values.shape[-1] - 1)
    picked = [np.take_along_axis(ordered, at[:, None], -1)[:, 0] for at in (low, high)]
    return np.where(count > 0, (picked[0] + picked[1]) / 2, np.nan)
