"""PCK: the share of joints that lie within a share of a body length of their truth.

Conventions: joint j of person i is right if d_ij ≤ α·s_i (**≤**; pass `strict` for `<`). What differs
between variants is the length s_i, the joints and the mean:

- LSP: s = torso, left shoulder to right hip; all 14 joints, occluded ones too; micro mean (Yang and
  Ramanan's eval_pck.m). `/12` leaves out neck and head top, which rivals of COCO-17 lack.
- JHMDB, Penn Action: s = max(w, h) of the person's box; micro mean (Luo et al., LSTM Pose Machines).
- MPII: s = 0.6 × diagonal of the head box (PCKh).

Micro: hits of all people and joints ÷ joints counted. A joint without a label is not counted; a predicted
NaN is a miss; a person whose length is unknown (NaN or 0) is not counted, and the caller says how many.
Arrays: N people, J joints; distances in units of s. Metrics: `right`, `share`, `per_joint`, `area`.
"""

import numpy as np
from jaxtyping import Bool, Float

from marey.core.errors import DataError

Errors = Float[np.ndarray, "N J"]


def validate(
    predicted: Float[np.ndarray, "N J 2"],
    truth: Float[np.ndarray, "N J 2"],
    labelled: Bool[np.ndarray, "N J"],
    length: Float[np.ndarray, " N"],
) -> None:
    """Refuse arrays that do not belong together, or labels without a place."""
    if predicted.shape != truth.shape or labelled.shape != truth.shape[:2] or length.shape != truth.shape[:1]:
        shapes = f"{predicted.shape}, {truth.shape}, {labelled.shape}, {length.shape}"
        raise DataError(f"PCK: shapes {shapes} do not fit; (N, J, 2), (N, J, 2), (N, J), (N,) are expected")
    if np.isnan(truth[labelled]).any():
        raise DataError("PCK: a labelled joint has no position; mark it as not labelled")


def errors(
    predicted: Float[np.ndarray, "N J 2"],
    truth: Float[np.ndarray, "N J 2"],
    labelled: Bool[np.ndarray, "N J"],
    length: Float[np.ndarray, " N"],
) -> Errors:
    """Distances ÷ length: NaN where nothing is counted, infinite where nothing was predicted."""
    validate(predicted, truth, labelled, length)
    known = np.where(length > 0, length, np.nan).astype(np.float64)
    distance = np.linalg.norm(predicted.astype(np.float64) - truth, axis=-1) / known[:, None]
    distance[np.isnan(predicted).any(-1)] = np.inf
    distance[~labelled | np.isnan(known)[:, None]] = np.nan
    return distance


def right(error: Errors, alpha: float, strict: bool = False) -> Float[np.ndarray, "N J"]:
    """1 for a joint within α, 0 for one that is not, NaN for one that is not counted."""
    within = error < alpha if strict else error <= alpha
    return np.where(np.isnan(error), np.nan, within.astype(np.float64))


def share(error: Errors, alpha: float, strict: bool = False) -> float:
    """PCK, micro mean; NaN where nothing is counted."""
    total = int((~np.isnan(error)).sum())
    return float(np.nansum(right(error, alpha, strict)) / total) if total else float("nan")


def per_joint(error: Errors, alpha: float, strict: bool = False) -> Float[np.ndarray, " J"]:
    """PCK of each joint over all people; NaN where a joint is never counted."""
    total = np.sum(~np.isnan(error), axis=0)
    hits = np.nansum(right(error, alpha, strict), axis=0)
    return np.where(total > 0, hits / np.maximum(total, 1), np.nan)


def area(error: Errors, alpha: float = 0.2, steps: int = 20) -> float:
    """Mean PCK over α = 0, α/steps, …, α by the trapezium rule, in [0, 1] (eval_pck.m's AUC)."""
    curve = np.array([share(error, a) for a in np.linspace(0, alpha, steps + 1)])
    return float((curve[1:] + curve[:-1]).mean() / 2)
