"""PCK protocols on poses: the share of joints near enough to their truth, in units of a stated length.

Each is a `Rule`; sources and traps are in `metrics/pck.py`. Beside the figure over all joints of a set stands
the one over the twelve that every skeleton here has (`/12`): the only fair set beside rivals.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from marey.core.geometry import box_sizes
from marey.core.skeletons import Skeleton
from marey.data.sample import Sample, State, Truth
from marey.evaluation.judged import Judged, assigned, reliability, shared_joints
from marey.evaluation.measure import Posed
from marey.evaluation.result import Result
from marey.metrics import pck

BODY12 = tuple(
    f"{side}_{joint}"
    for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    for side in ("left", "right")
)
"""The joints that every full skeleton here has."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A PCK protocol: its name in tables, the length, the thresholds (headline first), and who counts."""

    title: str
    length: Literal["torso", "head", "box", "pixel"]
    said: str
    alphas: tuple[float, ...]
    left_out: tuple[str, ...] = ()
    visible_only: bool = False

    def called(self, alpha: float, suffix: str = "") -> str:
        """The metric's name at a threshold."""
        return f"{self.title}@{alpha:g}{suffix}"

    def lengths(self, truth: Truth) -> Float[np.ndarray, " N"]:
        """The length of each person, px; NaN where it is not known."""
        if self.length == "torso":
            return truth.torso_px
        if self.length == "head":
            return truth.head_px
        sides = box_sizes(truth.boxes_px).max(-1)
        return np.ones_like(sides) if self.length == "pixel" else sides

    def counted(self, truth: Truth) -> np.ndarray:
        """Joints (N, J) that count."""
        held = truth.state == State.VISIBLE if self.visible_only else truth.labelled
        here = np.array([joint not in self.left_out for joint in truth.skeleton.joints])
        return held & here & ~truth.ignore[:, None]


RULES = {
    "pck-torso": Rule("PCK", "torso", "the torso's diagonal", (0.2, 0.1)),
    "pck-box": Rule("PCK", "box", "longer side of the person's box", (0.2, 0.1)),
    "pck-box-visible": Rule(
        "PCK", "box", "longer side of the person's box", (0.2, 0.1, 0.05), visible_only=True
    ),
    "pckh": Rule("PCKh", "head", "0.6 × diagonal of the head box", (0.5, 0.1), left_out=("pelvis", "thorax")),
    "pixels": Rule("px", "pixel", "a pixel of the picture as it lies on the disk", (6.0, 4.0, 8.0)),
}


def pck_family(name: str, samples: Sequence[Sample], posed: Sequence[Posed]) -> Judged:
    """Judge by one of `RULES`."""
    rule, skeleton = RULES[name], samples[0].truth.skeleton
    shared = shared_joints(posed[0].skeleton, skeleton)
    rows = [_person_errors(rule, sample, one) for sample, one in zip(samples, posed, strict=True)]
    errors = np.concatenate([error for error, _ in rows])
    scores = np.concatenate([score for _, score in rows])
    clips = [sample.clip for sample in samples for _ in range(len(sample.truth))]
    sets, headline = _joint_sets(rule, skeleton, shared), rule.alphas[0]
    metrics = {
        rule.called(alpha, suffix): pck.share(errors[:, columns], alpha)
        for suffix, columns in sets.items()
        for alpha in rule.alphas
    }

    def figures(weights: np.ndarray) -> dict[str, float]:
        hits = {suffix: pck.right(errors[:, columns], headline) for suffix, columns in sets.items()}
        return {rule.called(headline, suffix): _weighted(hit, weights) for suffix, hit in hits.items()}

    counted = ~np.isnan(errors[:, shared])
    uncounted = int(np.isnan(errors).all(1).sum())
    shares = pck.per_joint(errors, headline)
    result = Result(
        protocol={
            "name": name, "metric": rule.title, "operator": "≤", "length": rule.said,
            "mean": "micro over joints",
            "joints": [skeleton.joints[k] for k in shared if skeleton.joints[k] not in rule.left_out],
            "occluded": "left out" if rule.visible_only else "counted", "people_without_length": uncounted,
        },
        items=len(errors) - uncounted,
        metrics=metrics,
        per_joint={skeleton.joints[k]: float(shares[k]) for k in shared},
        tables={"by_score": reliability(errors[:, shared] <= headline, scores[:, shared], counted)},
    )  # fmt: skip
    return Judged(result, clips, figures)


def _person_errors(rule: Rule, sample: Sample, posed: Posed) -> tuple[np.ndarray, np.ndarray]:
    """Errors (N, J) of a picture's people in units of length, and the joints' scores (0 where missed)."""
    truth = sample.truth
    xy, scores = assigned(sample, posed, posed.skeleton.converter(truth.skeleton))
    return pck.errors(xy, truth.xy_px, rule.counted(truth), rule.lengths(truth)), np.nan_to_num(scores)


def _joint_sets(rule: Rule, skeleton: Skeleton, shared: Sequence[int]) -> dict[str, list[int]]:
    """Name and joints of each mean: all that count if the network has them, and the twelve."""
    wanted = [k for k, joint in enumerate(skeleton.joints) if joint not in rule.left_out]
    twelve = [skeleton.index(joint) for joint in BODY12 if joint in skeleton.joints]
    some = [k for k in wanted if k in shared]
    sets: dict[str, list[int]] = {}
    if some == wanted:
        sets[""] = wanted
    elif not set(some) <= set(twelve) or len(twelve) < len(BODY12):
        sets[f"/{len(some)}"] = some
    if len(twelve) == len(BODY12):
        sets["/12"] = twelve
    return sets


def _weighted(right: Float[np.ndarray, "N J"], weights: Float[np.ndarray, " N"]) -> float:
    counted = weights @ (~np.isnan(right)).sum(1)
    return float(weights @ np.nansum(right, 1) / counted) if counted else float("nan")
