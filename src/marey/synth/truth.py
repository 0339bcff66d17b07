"""What is true of a clip: joints and whether they are seen, boxes, flow and where it holds.

Conventions: pixels of `core/cameras.py`; joints of marey19. A joint lies inside the body, so it counts as
visible when the first surface at its pixel is its own person's and no nearer to the camera than joints of its
kind lie under the skin (`UNDER_M`); as outside when its pixel is not in the picture; else as occluded.
"""

import hashlib
from collections.abc import Iterable
from enum import IntEnum

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, UInt8

from marey.core.cameras import Camera
from marey.core.skeletons import MAREY19
from marey.synth.gpu import Seen

UNDER = {"nose": 0.03, "eye": 0.035, "ear": 0.05, "shoulder": 0.11, "elbow": 0.08, "wrist": 0.07, "hip": 0.18,
         "knee": 0.11, "ankle": 0.09, "neck": 0.12, "top": 0.07}  # fmt: skip
UNDER_M = np.array([UNDER[name.split("_")[-1]] for name in MAREY19.joints])
"""How far joints lie under skin, hair or cloth at most, for a person of 1.75 m (our choice)."""
SAME_M, SAME_SHARE = 0.03, 0.01
"""Depths that differ by less than this, plus this share of the depth, are of one surface."""


class Sight(IntEnum):
    """Whether a joint is seen."""

    OUTSIDE = 0
    OCCLUDED = 1
    VISIBLE = 2


def sight(
    camera: Camera, xyz_m: Float64[np.ndarray, "J 3"], who: int, seen: Seen, stature_m: float
) -> tuple[Float64[np.ndarray, "J 2"], UInt8[np.ndarray, " J"], Float64[np.ndarray, " J"]]:
    """Where a person's joints are in the picture, whether they are seen, and their depths."""
    xy, depth = camera.project(xyz_m), camera.to_camera(xyz_m)[:, 2]
    inside, row, column = pixel_of(xy, seen.who.shape)
    front = seen.depths_m[row, column, 0]
    own = (seen.who[row, column] == who) & (front > depth - UNDER_M * max(stature_m / 1.75, 0.6))
    state = np.where(own, Sight.VISIBLE, Sight.OCCLUDED)
    return xy, np.where(inside, state, Sight.OUTSIDE).astype(np.uint8), depth


def pixel_of(
    xy: Float[np.ndarray, "*N 2"], shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether places are in the picture, and the rows and columns of their pixels (0 where they are not)."""
    place = np.floor(np.where(np.isnan(xy), -1, xy))
    inside = np.asarray(((place >= 0) & (place < (shape[1], shape[0]))).all(-1))
    place = np.where(inside[..., None], place, 0).astype(int)
    return inside, place[..., 1], place[..., 0]


def extent(
    camera: Camera, xyz_m: Float[np.ndarray, "V 3"], size: tuple[int, int]
) -> Float32[np.ndarray, " 4"] | None:
    """The box of a whole body, hidden parts too, cut at the picture's edge; None if nothing is in it."""
    xy = camera.project(xyz_m)
    if np.isnan(xy).all():
        return None
    low, high = np.nanmin(xy, 0), np.nanmax(xy, 0)
    box = np.concatenate([np.clip(low, 0, size), np.clip(high, 0, size)])
    return box.astype(np.float32) if (box[2:] > box[:2]).all() else None


def flow_holds(
    seen: Seen, other: Seen, ahead: bool, at: tuple[np.ndarray, np.ndarray] | None = None
) -> Bool[np.ndarray, "*N"]:
    """Where flow from one frame to a neighbour leads to the same surface, in the picture and not hidden.

    `ahead`: the neighbour is the next frame, not the last. Asked of the pixels in rows and columns `at`, or
    of all.
    """
    row, column = np.indices(seen.who.shape) if at is None else at
    way = seen.flow_px[..., :2] if ahead else seen.flow_px[..., 2:]
    there = np.stack([column + 0.5, row + 0.5], -1) + way[row, column]
    inside, to_row, to_column = pixel_of(there, seen.who.shape)
    expected = seen.depths_m[row, column, 1 if ahead else 2]
    gap = np.abs(other.depths_m[to_row, to_column, 0] - expected)
    same = (other.who[to_row, to_column] == seen.who[row, column]) & (gap < SAME_M + SAME_SHARE * expected)
    return inside & same


def at_joints(
    seen: Seen, last: Seen | None, following: Seen | None, xy: np.ndarray, state: np.ndarray
) -> Float32[np.ndarray, "J 4"]:
    """How the surface over each visible joint moves to the next frame and to the last; NaN elsewhere.

    Nothing is known of the way to a neighbour that is None.
    """
    _, row, column = pixel_of(xy, seen.who.shape)
    found = np.full((len(xy), 4), np.nan, np.float32)
    for other, ahead, part in ((following, True, slice(0, 2)), (last, False, slice(2, 4))):
        if other is not None:
            known = (state == Sight.VISIBLE) & flow_holds(seen, other, ahead, (row, column))
            found[known, part] = seen.flow_px[row, column, part][known]
    return found


def truth_hash(xyz_m: Iterable[np.ndarray], cameras: Iterable[Camera]) -> str:
    """Sixteen digits of a SHA-256 over people (to 1 mm) and cameras (to 1e-4): geometry, no pixels."""
    digest = hashlib.sha256()
    for xyz in xyz_m:
        digest.update(np.round(xyz * 1e3).astype("<i4").tobytes())
    for camera in cameras:
        for values in (camera.matrix, camera.rotation, camera.translation):
            digest.update(np.round(values * 1e4).astype("<i4").tobytes())
    return digest.hexdigest()[:16]
