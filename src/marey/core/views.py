"""Several calibrated cameras that see one thing: where it is, and how well the cameras agree on it.

Conventions: V views, N points (joints, frames, or both flat), pixels and world as in `core/cameras.py`. A
weight of 0 or a NaN place is a view that does not see the point; missing is NaN. A point needs two views.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from beartype import beartype
from jaxtyping import Bool, Float, Float64, jaxtyped  # pyright: ignore[reportUnknownVariableType]

from marey.core.cameras import Camera
from marey.core.kinematics import euler_rotations

STEP_M = 1e-4
"""Of the differences that stand for derivatives of a projection with its lens (our choice)."""
STEP_RAD = 1e-6
ROUNDS = 30
STILL_RAD = 1e-7
"""Directions that turn less than this in a round have arrived (our choice: 1e-4 px at 1000 px)."""

Seen = Float[np.ndarray, "V N 2"]
Weights = Float[np.ndarray, "V N"]


@jaxtyped(typechecker=beartype)
@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Points in the world, the views they stand on, and how far each of these is off, px (NaN: not used)."""

    xyz: Float64[np.ndarray, "N 3"]
    used: Bool[np.ndarray, "V N"]
    errors_px: Float64[np.ndarray, "V N"]


def triangulated(cameras: Sequence[Camera], xy: Seen, weights: Weights) -> Float64[np.ndarray, "N 3"]:
    """Points in the world that project nearest to the pixels seen; NaN where fewer than two views see one.

    The linear solution, each view's two equations times its weight (Hartley and Zisserman, Multiple View
    Geometry, 2nd ed., §12.2; undistorted, in units of the focal length, so that no view counts for its
    pixels' size), then one Gauss–Newton step on the weighted squares of pixels, kept where it helps.
    """
    w = np.where(np.isfinite(xy).all(-1), weights, 0.0)
    rays = np.stack([_rays(camera, seen) for camera, seen in zip(cameras, xy, strict=True)])
    rays = np.where((w > 0)[..., None], rays, 0.0)
    matrices = np.stack([np.column_stack([c.rotation, c.translation]) for c in cameras])
    rows = rays[..., None] * matrices[:, None, 2:] - matrices[:, None, :2]
    rows = np.moveaxis(w[..., None, None] * rows, 1, 0).reshape(xy.shape[1], -1, 4)
    direction = np.linalg.svd(rows)[2][:, -1]
    scale = np.where(np.abs(direction[:, 3:]) > 1e-12, direction[:, 3:], np.nan)
    start = np.where(((w > 0).sum(0) >= 2)[:, None], direction[:, :3] / scale, np.nan)
    moved = start + _step(cameras, xy, w, start)
    better = _squares(cameras, xy, w, moved) < _squares(cameras, xy, w, start)
    return np.where(better[:, None], moved, start)


def errors_px(
    cameras: Sequence[Camera], xy: Seen, xyz: Float[np.ndarray, "N 3"]
) -> Float64[np.ndarray, "V N"]:
    """How far each point's projection lies from where each view saw it; NaN if unseen or behind a camera."""
    shown = np.stack([camera.project(xyz.astype(np.float64)) for camera in cameras])
    return np.linalg.norm(shown - xy, axis=-1)


def agreed(cameras: Sequence[Camera], xy: Seen, weights: Weights, within_px: float) -> Points:
    """Points on which all views agree to `within_px`, after leaving out as few views as need be.

    Where a view is further off, every view that takes part is left out in turn, and the set whose worst view
    is best goes on; two views that do not agree give no point. (RANSAC over all subsets of which only one
    view is dropped at a time: with four cameras that is nearly all of them.)
    """
    used = (weights > 0) & np.isfinite(xy).all(-1)
    for _ in range(len(cameras) - 2):
        points = _points(cameras, xy, weights, used)
        doubtful = (_worst(points) > within_px) & (used.sum(0) > 2)
        if not doubtful.any():
            break
        some = xy[:, doubtful], weights[:, doubtful]
        trials = [_without(view, used[:, doubtful]) for view in range(len(cameras))]
        worst = np.stack([_worst(_points(cameras, *some, trial)) for trial in trials])
        # A view that took no part leaves the set as it was: not a choice.
        worst = np.where(used[:, doubtful], worst, np.inf)
        best = worst.argmin(0)
        used[:, doubtful] = np.stack(trials)[best, :, np.arange(len(best))].T
    points = _points(cameras, xy, weights, used)
    apart = ~(_worst(points) <= within_px)
    return Points(
        np.where(apart[:, None], np.nan, points.xyz),
        points.used & ~apart,
        np.where(apart, np.nan, points.errors_px),
    )


def left_out_px(
    cameras: Sequence[Camera], xy: Seen, weights: Weights, used: Bool[np.ndarray, "V N"]
) -> Float64[np.ndarray, "V N"]:
    """How far each view in use is from what the others say without it; NaN where fewer than two are left."""
    out = np.full(used.shape, np.nan)
    for view in range(len(cameras)):
        points = _points(cameras, xy, weights, _without(view, used))
        off = errors_px([cameras[view]], xy[view : view + 1], points.xyz)[0]
        out[view] = np.where(used[view], off, np.nan)
    return out


def turned(
    cameras: Sequence[Camera], xy: Seen, weights: Weights, within_px: float
) -> tuple[list[Camera], Float64[np.ndarray, " V"]]:
    """The cameras turned about their own centres so that they agree best, and by how many degrees each was.

    Bundle adjustment of directions only, centres and lenses as given: Gauss–Newton on the weighted squares
    of pixels over what `agreed` accepts; points are eliminated (Triggs et al., Bundle Adjustment, 2000, §6.1)
    and found anew in each round, until no direction moves.
    """
    now = list(cameras)
    for _ in range(ROUNDS):
        points = agreed(now, xy, weights, within_px)
        turns = _turns(now, xy, np.where(points.used, weights, 0.0), points.xyz)
        now = [_rotated(camera, turn) for camera, turn in zip(now, turns, strict=True)]
        if np.abs(turns).max() < STILL_RAD:
            break
    moved = [a.rotation @ b.rotation.T for a, b in zip(now, cameras, strict=True)]
    # By the sine where it is small: an arc cosine near 1 knows half of the digits.
    sines = [np.linalg.norm([m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]]) / 2 for m in moved]
    cosines = [(np.trace(m) - 1) / 2 for m in moved]
    return now, np.rad2deg(np.arctan2(sines, cosines))


def _rays(camera: Camera, xy: Float[np.ndarray, "N 2"]) -> Float[np.ndarray, "N 2"]:
    """Places on the camera's own unit plane."""
    return Camera(camera.matrix, distortion=camera.distortion).unproject(xy.astype(np.float64))[:, :2]


def _points(cameras: Sequence[Camera], xy: Seen, weights: Weights, used: Bool[np.ndarray, "V N"]) -> Points:
    xyz = triangulated(cameras, xy, np.where(used, weights, 0.0))
    return Points(xyz, used, np.where(used, errors_px(cameras, xy, xyz), np.nan))


def _without(view: int, used: Bool[np.ndarray, "V N"]) -> Bool[np.ndarray, "V N"]:
    rest = used.copy()
    rest[view] = False
    return rest


def _worst(points: Points) -> Float64[np.ndarray, " N"]:
    """The largest error of the views in use; infinite where there is no point or it is behind a camera."""
    off = np.where(points.used, points.errors_px, 0.0)
    return np.where(np.isnan(points.xyz).any(-1) | np.isnan(off).any(0), np.inf, off.max(0))


def _squares(
    cameras: Sequence[Camera], xy: Seen, w: Weights, xyz: Float[np.ndarray, "N 3"]
) -> Float64[np.ndarray, " N"]:
    return (np.where(w > 0, w * errors_px(cameras, xy, xyz), 0.0) ** 2).sum(0)


def _step(
    cameras: Sequence[Camera], xy: Seen, w: Weights, xyz: Float[np.ndarray, "N 3"]
) -> Float64[np.ndarray, "N 3"]:
    """The Gauss–Newton step of points; 0 where it cannot be taken."""
    slopes, off = _system(cameras, xy, w, xyz)
    square = np.einsum("vnki,vnkj->nij", slopes, slopes)
    right = np.einsum("vnki,vnk->ni", slopes, off)
    return np.einsum("nij,nj->ni", _inverse(square), right)


def _turns(
    cameras: Sequence[Camera], xy: Seen, w: Weights, xyz: Float[np.ndarray, "N 3"]
) -> Float64[np.ndarray, "V 3"]:
    """The Gauss–Newton step of all directions, points following; turns about each camera's own axes."""
    count = len(cameras)
    slopes, off = _system(cameras, xy, w, xyz)
    bends = np.stack([_bends(camera, xyz) for camera in cameras])
    bends = np.where((w > 0)[..., None, None], w[..., None, None] * bends, 0.0)
    inverse = _inverse(np.einsum("vnki,vnkj->nij", slopes, slopes))
    mixed = np.einsum("vnki,vnkj->vnij", bends, slopes)
    square = -np.einsum("vnij,njk,unlk->viul", mixed, inverse, mixed)
    square[range(count), :, range(count)] += np.einsum("vnki,vnkj->vij", bends, bends)
    right = np.einsum("vnki,vnk->vi", bends, off)
    right -= np.einsum("vnij,njk,nk->vi", mixed, inverse, np.einsum("vnki,vnk->ni", slopes, off))
    # A camera that sees too little to tell its direction stays: hence the small diagonal.
    whole = square.reshape(3 * count, 3 * count)
    whole += 1e-9 * max(float(whole.max()), 1.0) * np.eye(3 * count)
    return np.asarray(np.linalg.inv(whole) @ right.ravel(), np.float64).reshape(count, 3)


def _system(
    cameras: Sequence[Camera], xy: Seen, w: Weights, xyz: Float[np.ndarray, "N 3"]
) -> tuple[np.ndarray, np.ndarray]:
    """Weighted slopes of pixels by places (V, N, 2, 3), and weighted errors (V, N, 2); 0 where not seen."""
    shown = np.stack([camera.project(xyz) for camera in cameras])
    sides = [
        np.stack([camera.project(xyz[:, None] + way) for camera in cameras])
        for way in (STEP_M * np.eye(3), -STEP_M * np.eye(3))
    ]
    slopes = np.moveaxis((sides[0] - sides[1]) / (2 * STEP_M), -1, -2)
    there = (w > 0) & np.isfinite(shown).all(-1)
    off = np.where(there[..., None], w[..., None] * (xy - shown), 0.0)
    return np.where(there[..., None, None], w[..., None, None] * slopes, 0.0), off


def _bends(camera: Camera, xyz: Float[np.ndarray, "N 3"]) -> np.ndarray:
    """Slopes of pixels by turns of the camera about its own axes (N, 2, 3)."""
    ways = STEP_RAD * np.eye(3)
    slopes = [_rotated(camera, way).project(xyz) - _rotated(camera, -way).project(xyz) for way in ways]
    return np.stack(slopes, -1) / (2 * STEP_RAD)


def _inverse(square: np.ndarray) -> np.ndarray:
    """Inverses (N, 3, 3); 0 where there is none."""
    good = np.linalg.det(square) > 1e-9
    return np.where(good[:, None, None], np.linalg.inv(np.where(good[:, None, None], square, np.eye(3))), 0.0)


def _rotated(camera: Camera, turn: Float[np.ndarray, " 3"]) -> Camera:
    """The camera turned about its centre by angles about its own axes."""
    rotation = euler_rotations("xyz", turn)
    return replace(camera, rotation=rotation @ camera.rotation, translation=rotation @ camera.translation)
