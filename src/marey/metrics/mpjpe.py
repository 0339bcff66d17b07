"""Errors of poses in space: MPJPE (protocols 1 to 3), 3DPCK and AUC, errors of velocity and acceleration.

Conventions: T frames of one person, J joints; lengths in the unit given, mm by custom (thresholds are mm).
- P1, MPJPE: mean of |p − g|, both relative to the root (`relative`). VideoPose3D (Pavllo et al., CVPR 2019)
  sets the true root to 0 but leaves the predicted one, and keeps it in the mean: say what was done.
- P2, P-MPJPE: after the best similarity of each frame (`aligned`: scale, rotation without reflection, shift).
- P3, N-MPJPE: after one scale a frame about the origin, s = Σ⟨g, p⟩ / Σ⟨p, p⟩ (`scaled`; Rhodin et al. 2018).
- MPJVE: mean |Δp − Δg| of first differences, mm **a frame** (Pavllo et al.); acceleration error: of second
  differences, mm a frame² (Kanazawa et al., CVPR 2019); jitter error: of third. A rate makes them mm/s, mm/s²
  and mm/s³. A frame without truth takes every difference it is part of with it.
- 3DPCK: share of joints with an error **<** 150 mm; AUC: mean 3DPCK at 0, 5, … 150 mm, 31 thresholds, the
  first always 0 (Mehta et al., 3DV 2017).
Means: over all joints and frames (`mean`), or of each action first (`by_action`; Human3.6M's custom).
Missing: truth NaN is not counted; a prediction NaN is a miss, with infinite error: it counts against 3DPCK
and makes a mean infinite. To speak of what was predicted only, take the finite errors (`found`) and print
`coverage` beside. P2 and P3 align by the joints that both have; with one or two of them P2 is 0.
Traps: 14 or 17 joints; a port of AUC with 40 thresholds up to 195 mm is in wide use; P2 hides jitter;
Human3.6M's S11 Directions 2 of camera 54138969 is broken and often skipped; MPI-INF-3DHP has a truth in mm
and a "universal" one of another size, and its root is joint 14 of 17; say if 2D input was true.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from marey.core.errors import DataError

Poses = Float[np.ndarray, "T J 3"]
Errors = Float[np.ndarray, "T J"]
WITHIN_MM = 150.0
THRESHOLDS_MM = np.linspace(0, 150, 31)


def validate(predicted: Poses, truth: Poses) -> None:
    """Refuse poses that do not belong together."""
    if predicted.shape != truth.shape:
        raise DataError(f"MPJPE: shapes {predicted.shape} and {truth.shape} differ; convert joints by name")


def relative(xyz: Poses, root: int = 0) -> Poses:
    """Positions relative to a joint of the same frame; NaN where it is missing."""
    return xyz - xyz[:, root : root + 1]


def scaled(predicted: Poses, truth: Poses) -> Poses:
    """The prediction under the one scale a frame, about the origin, that brings it nearest to the truth."""
    validate(predicted, truth)
    weight = _both(predicted, truth)
    p, g = np.where(weight > 0, predicted, 0.0), np.where(weight > 0, truth, 0.0)
    total = (p * p).sum((1, 2))
    return predicted * _ratio((p * g).sum((1, 2)), total)[:, None, None]


def aligned(predicted: Poses, truth: Poses) -> Poses:
    """The prediction under the similarity a frame that brings it nearest to the truth (Umeyama 1991)."""
    validate(predicted, truth)
    weight = _both(predicted, truth)
    total = np.maximum(weight.sum(1, keepdims=True), 1)
    p, g = np.where(weight > 0, predicted, 0.0), np.where(weight > 0, truth, 0.0)
    p_middle, g_middle = p.sum(1, keepdims=True) / total, g.sum(1, keepdims=True) / total
    p, g = (p - p_middle) * weight, (g - g_middle) * weight
    u, stretch, vt = np.linalg.svd(np.einsum("tji,tjk->tik", g, p))
    # The nearest rotation, not the nearest reflection: the weakest axis is turned if need be.
    sign = np.ones(stretch.shape)
    sign[:, -1] = np.where(np.linalg.det(u) * np.linalg.det(vt) < 0, -1.0, 1.0)
    rotation = (u * sign[:, None]) @ vt
    scale = _ratio((stretch * sign).sum(1), (p * p).sum((1, 2)))
    moved = np.einsum("tik,tjk->tji", rotation, predicted - p_middle)
    return scale[:, None, None] * moved + g_middle


def errors(predicted: Poses, truth: Poses) -> Errors:
    """Distances: NaN where there is no truth, infinite where nothing was predicted."""
    validate(predicted, truth)
    return _missed(np.linalg.norm(predicted.astype(np.float64) - truth, axis=-1), truth)


def motion_errors(
    predicted: Poses, truth: Poses, order: int, rate_hz: float = 1.0
) -> Float[np.ndarray, "T2 J"]:
    """Errors of the differences of an order (1 velocity, 2 acceleration, 3 jitter), × rate^order."""
    validate(predicted, truth)
    wanted = np.diff(truth.astype(np.float64), n=order, axis=0)
    off = np.diff(predicted.astype(np.float64), n=order, axis=0) - wanted
    return _missed(np.linalg.norm(off, axis=-1) * rate_hz**order, wanted)


def mean(error: Errors) -> float:
    """Mean over joints and frames; infinite if one was missed, NaN where nothing is counted."""
    counted = error[~np.isnan(error)]
    return float(counted.mean()) if len(counted) else float("nan")


def per_joint(error: Errors) -> Float[np.ndarray, " J"]:
    """Mean of each joint over frames."""
    return np.array([mean(column[:, None]) for column in error.T])


def by_action(errors: Sequence[Float[np.ndarray, "_ J"]], actions: Sequence[str]) -> float:
    """Mean over actions of the mean over all frames of an action, whatever clips they come from."""
    means = [
        mean(np.concatenate([one for one, of in zip(errors, actions, strict=True) if of == action]))
        for action in sorted(set(actions))
    ]
    return float(np.mean(means)) if means else float("nan")


def found(error: Errors) -> Errors:
    """The errors without the misses: say `coverage` beside whatever is made of them."""
    return np.where(np.isinf(error), np.nan, error)


def coverage(error: Errors) -> float:
    """Share of the joints counted that were predicted; NaN where nothing is counted."""
    total = int((~np.isnan(error)).sum())
    return int(np.isfinite(error).sum()) / total if total else float("nan")


def pck(error: Errors, within_mm: float = WITHIN_MM) -> float:
    """3DPCK in [0, 1], strictly less; NaN where nothing is counted."""
    total = int((~np.isnan(error)).sum())
    return int((error < within_mm).sum()) / total if total else float("nan")


def area(error: Errors) -> float:
    """Mean 3DPCK over the 31 thresholds 0, 5, … 150 mm."""
    return float(np.mean([pck(error, threshold) for threshold in THRESHOLDS_MM.tolist()]))


def _both(predicted: Poses, truth: Poses) -> Float[np.ndarray, "T J 1"]:
    """1 where both sides have a joint, else 0."""
    return np.all(np.isfinite(predicted) & np.isfinite(truth), axis=-1, keepdims=True).astype(np.float64)


def _ratio(above: Float[np.ndarray, " T"], below: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
    """Quotient; 1 where the prediction is a point, and there is nothing to scale."""
    return np.divide(above, below, out=np.ones(len(above)), where=below > 0)


def _missed(
    distance: Float[np.ndarray, "S J"], truth: Float[np.ndarray, "S J 3"]
) -> Float[np.ndarray, "S J"]:
    known = np.all(np.isfinite(truth), axis=-1)
    return np.where(known, np.where(np.isnan(distance), np.inf, distance), np.nan)
