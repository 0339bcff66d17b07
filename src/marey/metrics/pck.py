"""PCK: the share of joints that lie within a share of a body length of their truth.

Conventions: joint j of person i is right if d_ij ≤ α·s_i (**≤**; pass `strict` for `<`). What differs between
variants is the length s_i (`torso`, `head`, `side`, `pixel`), the joints and α; `PROTOCOLS` names them:

- `pck-torso`. LSP: s = torso, left shoulder to right hip; all 14 joints, occluded ones too; micro mean (Yang
  and Ramanan's eval_pck.m). Observer-centric labels are another file than person-centric ones and score
  higher: say which. FLIC: s = torso, right shoulder to left hip (eval_pck.m, 11 joints). Several people may
  be in the picture: the given torso box says whom to score.
- `pckh`. MPII: s = 0.6 × diagonal of the head box, α 0.5, also 0.1; pelvis and thorax are left out.
- `pck-box`. sub-JHMDB: s = max(w, h) of the tight box of the puppet mask, not of the joints; all 15 joints;
  the mean over the three splits is printed (Luo et al., LSTM Pose Machines).
- `pck-box-visible`. Penn Action: s = max(w, h) of the annotated box; visible joints only.
- `pixels`. Accuracy at d pixels (Pfister et al., ICCV 2015): s = 1 px of the picture at the size it is
  scored at, α = d: BBC Pose 6 px, ChaLearn 6, Poses in the Wild 8 (wrists and elbows), curves 0 to 20. The
  paper does not state that size: state yours.

PDJ (Sapp and Taskar, CVPR 2013) is PCK by torso, read at α 0.1 to 0.5 (`curve`).

Micro: hits of all people and joints ÷ joints counted (`share`). Macro: the plain mean over joints (`macro`).
A joint without a label is not counted; a predicted NaN is a miss; a person whose length is unknown (NaN or 0)
is not counted, and the caller says how many. Two areas under the curve, never to be mixed: `area` is
eval_pck.m's, by interpolation over α = 0 … 0.2; `mean_below` is mmpose's mean over the 20 thresholds 0, 1/20,
…, 19/20 of 30 px.
Traps: mmpose compares with `<` and takes the macro mean; MATLAB's labels count pixels from 1, so 1.0 px is
added to predictions before PCKh@0.1; where the true torso is under 1 px two published evaluators fall back
on the predicted one, which is not done here.
Arrays: N people, J joints; distances in units of s.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from marey.core.errors import DataError
from marey.core.geometry import box_sizes
from marey.core.skeletons import Skeleton, mirrored

Errors = Float[np.ndarray, "N J"]
HEAD_SHARE = 0.6
"""PCKh's share of the head box's diagonal (SC_BIAS of the MPII toolkit)."""
TORSO = ("left_shoulder", "right_hip")
"""LSP's diagonal; FLIC's goes from the right shoulder to the left hip."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """A PCK: its name in tables, the length, the thresholds (headline first), and the joints that count.

    `top` is where its curve ends.
    """

    title: str
    length: Literal["torso", "head", "box", "pixel"]
    alphas: tuple[float, ...]
    top: float
    left_out: tuple[str, ...] = ()
    visible_only: bool = False

    def called(self, alpha: float, suffix: str = "") -> str:
        """The metric's name at a threshold."""
        return f"{self.title}@{alpha:g}{suffix}"

    def columns(self, skeleton: Skeleton) -> list[int]:
        """Positions of the joints that count."""
        return [k for k, joint in enumerate(skeleton.joints) if joint not in self.left_out]


PROTOCOLS = {
    "pck-torso": Protocol("PCK", "torso", (0.2, 0.1), 0.2),
    "pck-box": Protocol("PCK", "box", (0.2, 0.1), 0.2),
    "pck-box-visible": Protocol("PCK", "box", (0.2, 0.1, 0.05), 0.2, visible_only=True),
    "pckh": Protocol("PCKh", "head", (0.5, 0.1), 0.5, left_out=("pelvis", "thorax")),
    "pixels": Protocol("px", "pixel", (6.0, 4.0, 8.0), 20.0),
}


def torso(
    truth: Float[np.ndarray, "N J 2"], skeleton: Skeleton, ends: tuple[str, str] = TORSO
) -> Float[np.ndarray, " N"]:
    """Length of the torso, px, from joint to joint; NaN where one is missing."""
    first, last = (truth[:, skeleton.index(joint)].astype(np.float64) for joint in ends)
    return np.linalg.norm(first - last, axis=-1)


def head(boxes: Float[np.ndarray, "N 4"]) -> Float[np.ndarray, " N"]:
    """PCKh's size of the head, px, from the head's box."""
    return HEAD_SHARE * np.linalg.norm(box_sizes(boxes.astype(np.float64)), axis=-1)


def side(boxes: Float[np.ndarray, "N 4"]) -> Float[np.ndarray, " N"]:
    """The longer side of the person's box, px."""
    return box_sizes(boxes.astype(np.float64)).max(-1)


def pixel(scale: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """The length of one scored pixel, in px of the labels; `scale` is scored size ÷ labelled size."""
    return 1 / np.where(scale > 0, scale, np.nan).astype(np.float64)


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


def macro(error: Errors, alpha: float, strict: bool = False) -> float:
    """PCK, plain mean over the joints that are ever counted; NaN where none is."""
    shares = per_joint(error, alpha, strict)
    counted = shares[~np.isnan(shares)]
    return float(counted.mean()) if len(counted) else float("nan")


def paired(shares: Float[np.ndarray, " J"], skeleton: Skeleton) -> dict[str, float]:
    """Shares of joints as tables print them: left and right averaged, under the joint's bare name.

    LSP's tables average neck and head top, too, and call it Head.
    """
    both = (shares + shares[list(mirrored(skeleton))]) / 2
    rows = zip(skeleton.joints, both, strict=True)
    return {joint.removeprefix("left_"): float(one) for joint, one in rows if not joint.startswith("right_")}


def curve(error: Errors, alphas: Sequence[float], strict: bool = False) -> Float[np.ndarray, " A"]:
    """PCK, micro mean, at each α."""
    return np.array([share(error, alpha, strict) for alpha in alphas])


def area(error: Errors, alpha: float = 0.2, steps: int = 20) -> float:
    """Mean PCK over α = 0, α/steps, …, α by the trapezium rule, in [0, 1] (eval_pck.m's AUC)."""
    held = curve(error, np.linspace(0, alpha, steps + 1).tolist())
    return float((held[1:] + held[:-1]).mean() / 2)


def mean_below(error: Errors, alpha: float, steps: int = 20) -> float:
    """Mean of macro PCK (`<`) over α·k/steps, k = 0 … steps − 1: mmpose's AUC for s = 1 px and α = 30."""
    return float(np.mean([macro(error, alpha * k / steps, strict=True) for k in range(steps)]))
