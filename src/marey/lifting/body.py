"""One person in metres: bones of constant length, and where the body is, by reprojection.

Conventions: h36m17, camera axes (X right, Y down, Z ahead), metres; T samples; rays are x/Z, y/Z; missing is
NaN. All of it is our choice, after what users miss in lifters: bones that change, people who float.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from marey.finishing.spline import smoothing_spline
from marey.lifting.windows import H36M, MIRRORED, median

DEPTH_HZ = 1.0
"""Cut-off of the distance's low-pass: what reprojection says least about, and bodies change slowly."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Joints (T, 17, 3) in camera axes, and how well it went.

    `bone_variation` is the mean over bones of standard deviation ÷ mean of their lengths, before they were
    made constant; `reprojection` the median distance of the joints' rays from those seen, as a share of the
    body's height in the picture.
    """

    xyz_m: Float64[np.ndarray, "T 17 3"]
    bone_variation: float
    reprojection: float


def placed(
    time_s: Float64[np.ndarray, " T"],
    body_m: Float64[np.ndarray, "T 17 3"],
    rays: Float64[np.ndarray, "T 17 2"],
    scores: Float64[np.ndarray, "T 17"],
) -> Placed:
    """Joints relative to the root, with bones of one length each, put where the rays were seen."""
    lengths, variation = bones(body_m)
    body = with_bones(body_m, lengths)
    weights = np.where(np.isnan(body).any(-1) | np.isnan(rays).any(-1), 0, np.nan_to_num(scores) + 1e-3)
    root = _steady(time_s, roots(body, rays, weights), body, rays, weights)
    xyz = body + root[:, None]
    off = np.linalg.norm(xyz[..., :2] / xyz[..., 2:] - rays, axis=-1)
    tall = np.nanmax(np.where(weights > 0, rays[..., 1], -np.inf), 1) - np.min(
        np.where(weights > 0, rays[..., 1], np.inf), 1
    )
    return Placed(xyz, variation, float(median((off / np.maximum(tall, 1e-9)[:, None]).reshape(1, -1))[0]))


def bones(body: Float64[np.ndarray, "T 17 3"]) -> tuple[Float64[np.ndarray, " 17"], float]:
    """Length of the bone above each joint (median over time, left = right; NaN: never seen).

    And how lengths vary: the mean over bones of standard deviation ÷ mean.
    """
    above = list(H36M.parents or ())
    vectors = body - body[:, above]
    lengths = np.linalg.norm(vectors, axis=-1).T  # (17, T)
    middle = median(lengths)
    known = ~np.isnan(lengths)
    count = known.sum(1)
    mean = np.where(known, lengths, 0).sum(1) / np.maximum(count, 1)
    spread = np.sqrt(np.where(known, (lengths - mean[:, None]) ** 2, 0).sum(1) / np.maximum(count, 1))
    limbs = np.flatnonzero((np.array(above) >= 0) & (count > 1) & (mean > 0))
    variation = float((spread[limbs] / mean[limbs]).mean()) if len(limbs) else float("nan")
    other = middle[MIRRORED]
    both = np.where(np.isnan(middle), other, np.where(np.isnan(other), middle, (middle + other) / 2))
    return both, variation


def with_bones(
    body: Float64[np.ndarray, "T 17 3"], lengths: Float64[np.ndarray, " 17"]
) -> Float64[np.ndarray, "T 17 3"]:
    """The same directions with bones of these lengths; what hangs on a missing joint stays where it was."""
    out = body.copy()
    for joint, above in enumerate(H36M.parents or ()):
        if above < 0 or np.isnan(lengths[joint]):
            continue
        vector = body[:, joint] - body[:, above]
        size = np.linalg.norm(vector, axis=-1, keepdims=True)
        moved = out[:, above] + vector * lengths[joint] / np.maximum(size, 1e-9)
        there = ~np.isnan(moved)
        out[:, joint] = np.where(there, moved, out[:, joint])
    return out


def roots(
    body: Float[np.ndarray, "T 17 3"], rays: Float[np.ndarray, "T 17 2"], weights: Float[np.ndarray, "T 17"]
) -> Float64[np.ndarray, "T 3"]:
    """Where the root is so that the body's rays are those seen: Σ w·|(X + t) − ray·(Z + t_z)|² is least.

    Linear in t. NaN where fewer than three joints say anything, or the body would be behind the camera.
    """
    given = weights > 0
    x, y = np.where(given[..., None], rays, 0).transpose(2, 0, 1)
    place = np.where(given[..., None], body, 0)
    w = weights
    a = x * place[..., 2] - place[..., 0]
    b = y * place[..., 2] - place[..., 1]
    matrix = np.zeros((len(body), 3, 3))
    matrix[:, 0, 0] = matrix[:, 1, 1] = w.sum(1)
    matrix[:, 0, 2] = matrix[:, 2, 0] = -(w * x).sum(1)
    matrix[:, 1, 2] = matrix[:, 2, 1] = -(w * y).sum(1)
    matrix[:, 2, 2] = (w * (x * x + y * y)).sum(1)
    wanted = np.stack([(w * a).sum(1), (w * b).sum(1), -(w * (x * a + y * b)).sum(1)], -1)
    enough = (given.sum(1) >= 3) & (np.linalg.det(matrix) > 1e-12)
    matrix[~enough] = np.eye(3)
    out = np.linalg.solve(matrix, wanted[..., None])[..., 0]
    out[~enough | (out[:, 2] <= 0)] = np.nan
    return out


def _steady(
    time_s: Float[np.ndarray, " T"],
    root: Float[np.ndarray, "T 3"],
    body: Float[np.ndarray, "T 17 3"],
    rays: Float[np.ndarray, "T 17 2"],
    weights: Float[np.ndarray, "T 17"],
) -> Float64[np.ndarray, "T 3"]:
    """Roots with a smooth distance; what lies across follows from the rays again."""
    known = ~np.isnan(root[:, 2])
    depth = np.log(np.where(known, root[:, 2], 1.0))
    smooth = smoothing_spline(time_s, depth[:, None, None], known[:, None].astype(np.float64), DEPTH_HZ)
    far = np.exp(smooth[:, 0, 0])
    given = weights > 0
    across = (
        np.where(given[..., None], rays, 0) * (np.where(given, body[..., 2], 0) + far[:, None])[..., None]
    )
    across -= np.where(given[..., None], body[..., :2], 0)
    total = np.maximum(weights.sum(1), 1e-9)[:, None]
    mean = (across * weights[..., None]).sum(1) / total
    out = np.concatenate([mean, far[:, None]], -1)
    out[~known] = np.nan
    return out
