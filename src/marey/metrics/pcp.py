"""PCP: the share of limbs whose two ends lie within half the limb's length of their truth.

Conventions: a stick is a limb with two ends. *Strict* (Ferrari et al., CVPR 2008, as eval_pose's eval_pcp.m
counts it): right if **both** ends lie within α = 0.5 of the true stick's length (**≤**) of their own true
ends. *Loose* (a second reading of the same sentence, found in older toolkits): right if the **mean** of the
two distances does; it scores several points higher, so say which. An end that is no joint is the mean of
joints: the torso runs from the middle of the hips to the middle of the shoulders. Micro mean over sticks
(`share`); tables average left and right rows first (`per_stick`).
A stick with an end that is not labelled, or without length, is not counted; a predicted NaN is a miss.
Traps: foreshortened limbs have tiny thresholds; FLIC's neck is the middle of the shoulders; Buffy's and
PASCAL's tools count only people who were found, so print `found` beside.
Arrays: N people, S sticks; distances in units of the true stick's length.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from marey.core.errors import DataError
from marey.core.skeletons import skeleton

Errors = Float[np.ndarray, "N S 2"]
ALPHA = 0.5


@dataclass(frozen=True, slots=True)
class Stick:
    """A limb by name; each end is the mean of some joints."""

    name: str
    start: tuple[str, ...]
    end: tuple[str, ...]


def _limbs(part: str, start: str, end: str) -> tuple[Stick, Stick]:
    left, right = (Stick(f"{s}_{part}", (f"{s}_{start}",), (f"{s}_{end}",)) for s in ("left", "right"))
    return left, right


_HIPS, _SHOULDERS = ("left_hip", "right_hip"), ("left_shoulder", "right_shoulder")
_ARMS = (*_limbs("lower_arm", "wrist", "elbow"), *_limbs("upper_arm", "elbow", "shoulder"))
STICKS: dict[str, tuple[Stick, ...]] = {
    "lsp14": (
        *_limbs("lower_leg", "ankle", "knee"),
        *_limbs("upper_leg", "knee", "hip"),
        *_ARMS,
        Stick("head", ("neck",), ("head_top",)),
        Stick("torso", _HIPS, _SHOULDERS),
    ),
    "flic11": (*_ARMS, Stick("head", ("nose",), _SHOULDERS), Stick("torso", _SHOULDERS, _HIPS)),
}
"""Ten sticks of LSP and six of FLIC (eval_pose's keypoints2sticks.m)."""


def sticks(xy: Float[np.ndarray, "N J 2"], name: str) -> Float[np.ndarray, "N S 2 2"]:
    """Both ends of each stick of a skeleton; NaN where a joint they stand on is missing.

    Raises
    ------
    DataError
        If there are no sticks for this skeleton, or the joints are not its own.
    """
    if name not in STICKS:
        raise DataError(f"PCP: no sticks are known for {name}; convert to one of {', '.join(STICKS)}")
    joints = skeleton(name)
    if xy.shape[1] != len(joints):
        raise DataError(f"PCP: {xy.shape[1]} joints are not those of {name}; convert by name")
    ends = [
        [xy[:, [joints.index(joint) for joint in end]].mean(1) for end in (stick.start, stick.end)]
        for stick in STICKS[name]
    ]
    return np.array(ends).transpose(2, 0, 1, 3)


def errors(predicted: Float[np.ndarray, "N S 2 2"], truth: Float[np.ndarray, "N S 2 2"]) -> Errors:
    """Distance of each end ÷ length: NaN where nothing is counted, infinite where nothing was predicted."""
    truth = truth.astype(np.float64)
    length = np.linalg.norm(truth[:, :, 0] - truth[:, :, 1], axis=-1)
    known = np.where(length > 0, length, np.nan)[..., None]
    distance = np.linalg.norm(predicted - truth, axis=-1) / known
    gone = np.isnan(predicted).any(-1) & ~np.isnan(known)
    return np.where(gone, np.inf, distance)


def right(error: Errors, alpha: float = ALPHA, loose: bool = False) -> Float[np.ndarray, "N S"]:
    """1 for a right stick, 0 for a wrong one, NaN for one that is not counted."""
    worst = error.mean(-1) if loose else error.max(-1)
    return np.where(np.isnan(error).any(-1), np.nan, (worst <= alpha).astype(np.float64))


def share(error: Errors, alpha: float = ALPHA, loose: bool = False) -> float:
    """PCP, micro mean; NaN where nothing is counted."""
    held = right(error, alpha, loose)
    total = int((~np.isnan(held)).sum())
    return float(np.nansum(held) / total) if total else float("nan")


def per_stick(error: Errors, name: str, alpha: float = ALPHA, loose: bool = False) -> dict[str, float]:
    """PCP of each kind of stick, left and right averaged; NaN where a side is never counted."""
    held = right(error, alpha, loose)
    total = np.sum(~np.isnan(held), axis=0)
    shares = np.where(total > 0, np.nansum(held, axis=0) / np.maximum(total, 1), np.nan)
    rows: dict[str, list[float]] = {}
    for stick, one in zip(STICKS[name], shares, strict=True):
        rows.setdefault(stick.name.removeprefix("left_").removeprefix("right_"), []).append(float(one))
    return {part: sum(sides) / len(sides) for part, sides in rows.items()}


def found(predicted: Float[np.ndarray, "N J 2"], counted: Bool[np.ndarray, " N"]) -> float:
    """Share of the people counted for whom anything was predicted; NaN where nobody is counted."""
    posed = np.any(np.all(np.isfinite(predicted), axis=-1), axis=-1)
    total = int(counted.sum())
    return int((posed & counted).sum()) / total if total else float("nan")
