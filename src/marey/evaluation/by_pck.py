"""PCK protocols on poses: the share of joints near enough to their truth, in units of a stated length.

The protocols, their sources and traps are in `metrics/pck.py`; each person's length is the one that the data
set states. Beside the figure over all joints of a set stands the one over the twelve that every skeleton here
has (`/12`): the only fair set beside rivals.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from marey.core.skeletons import Skeleton
from marey.data.sample import Sample, State, Truth
from marey.evaluation.judged import Judged, assigned, reliability, shared_joints, worst
from marey.evaluation.measure import Posed
from marey.evaluation.result import Result
from marey.metrics import pck

BODY12 = tuple(
    f"{side}_{joint}"
    for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    for side in ("left", "right")
)
"""The joints that every full skeleton here has."""


SAID = {
    "torso": "the torso's diagonal",
    "box": "longer side of the person's box",
    "head": "0.6 × diagonal of the head box",
    "pixel": "a pixel of the picture as it lies on the disk",
}
STEPS = 20
"""Of a curve from 0 (eval_pck.m has as many)."""


def pck_family(name: str, samples: Sequence[Sample], posed: Sequence[Posed]) -> Judged:
    """Judge by one of `pck.PROTOCOLS`."""
    rule, skeleton = pck.PROTOCOLS[name], samples[0].truth.skeleton
    shared = shared_joints(posed[0].skeleton, skeleton)
    errors, scores = person_errors(rule, samples, posed)
    sets, headline = _joint_sets(rule, skeleton, shared), rule.alphas[0]
    figures = _figures(rule, errors, sets)
    own = errors[:, shared]
    uncounted = int(np.isnan(errors).all(1).sum())
    missed = np.isinf(own).any(1) & ~np.isfinite(own).any(1)
    shares = pck.per_joint(errors, headline)
    result = Result(
        protocol={
            "name": name, "metric": rule.title, "operator": "≤", "length": SAID[rule.length],
            "mean": "micro over joints",
            "joints": [skeleton.joints[k] for k in shared if skeleton.joints[k] not in rule.left_out],
            "occluded": "left out" if rule.visible_only else "counted", "people_without_length": uncounted,
            "people_without_estimate": int(missed.sum()),
        },
        items=len(errors) - uncounted,
        metrics=figures(np.ones(len(errors))),
        per_joint={skeleton.joints[k]: float(shares[k]) for k in shared},
        tables={
            **likeness_tables(samples, own, scores[:, shared], headline),
            "curve": _curve(rule, errors, sets),
        },
    )  # fmt: skip
    return Judged(result, [sample.clip for sample in samples for _ in range(len(sample.truth))], figures)


def _figures(
    rule: pck.Protocol, errors: pck.Errors, sets: dict[str, list[int]]
) -> Callable[[Float[np.ndarray, " P"]], dict[str, float]]:
    """Every figure of a protocol under weights of people; hits are counted once."""
    counts = {suffix: (~np.isnan(errors[:, columns])).sum(1) for suffix, columns in sets.items()}
    hits = {
        (suffix, alpha): np.nansum(pck.right(errors[:, columns], alpha), 1)
        for suffix, columns in sets.items()
        for alpha in rule.alphas
    }

    def figures(weights: Float[np.ndarray, " P"]) -> dict[str, float]:
        totals = {suffix: float(weights @ counted) or np.nan for suffix, counted in counts.items()}
        return {
            rule.called(alpha, suffix): float(weights @ held) / totals[suffix]
            for (suffix, alpha), held in hits.items()
        }

    return figures


def _curve(rule: pck.Protocol, errors: pck.Errors, sets: dict[str, list[int]]) -> list[dict[str, float]]:
    """The shares of each set of joints at thresholds from 0 to the protocol's `top`."""
    alphas = np.linspace(0, rule.top, STEPS + 1).tolist()
    columns = {f"{rule.title}{suffix}": pck.curve(errors[:, held], alphas) for suffix, held in sets.items()}
    return [
        {"threshold": alpha, **{name: float(held[k]) for name, held in columns.items()}}
        for k, alpha in enumerate(alphas)
    ]


def likeness_tables(
    samples: Sequence[Sample], errors: pck.Errors, scores: Float[np.ndarray, "P J"], alpha: float
) -> dict[str, list[dict[str, Any]]]:
    """Whether scores mean what they say, and who came out worst: by the share of a person's joints within α.

    Of equals the one whose joints lie farther off on average is worse.
    """
    counted, found = (~np.isnan(errors)).sum(1), np.isfinite(errors)
    hits, total = np.nansum(pck.right(errors, alpha), 1), np.where(found, errors, 0).sum(1)
    share = np.where(counted > 0, hits / np.maximum(counted, 1), np.nan)
    off = np.where(found.any(1), total / np.maximum(found.sum(1), 1), np.nan)
    return {
        "by_score": reliability(errors <= alpha, scores, ~np.isnan(errors)),
        "worst": worst(samples, share, off),
    }


def person_errors(
    rule: pck.Protocol, samples: Sequence[Sample], posed: Sequence[Posed]
) -> tuple[pck.Errors, Float[np.ndarray, "P J"]]:
    """Errors of everybody in units of their length, and their joints' scores (0 where missed)."""
    convert = posed[0].skeleton.converter(samples[0].truth.skeleton)
    rows = []
    for sample, one in zip(samples, posed, strict=True):
        truth = sample.truth
        xy, scores = assigned(sample, one, convert)
        error = pck.errors(xy, truth.xy_px, _counted(rule, truth), _lengths(rule, truth))
        rows.append((error, np.nan_to_num(scores)))
    errors, scores = (np.concatenate(held) for held in zip(*rows, strict=True))
    return errors, scores


def _lengths(rule: pck.Protocol, truth: Truth) -> Float[np.ndarray, " N"]:
    """The length of each person, px, as the set states it; NaN where it does not."""
    if rule.length == "torso":
        return truth.torso_px
    if rule.length == "head":
        return truth.head_px
    return np.ones(len(truth)) if rule.length == "pixel" else pck.side(truth.boxes_px)


def _counted(rule: pck.Protocol, truth: Truth) -> np.ndarray:
    """Joints (N, J) that count."""
    held = truth.state == State.VISIBLE if rule.visible_only else truth.labelled
    here = np.zeros(len(truth.skeleton), bool)
    here[rule.columns(truth.skeleton)] = True
    return held & here & ~truth.ignore[:, None]


def _joint_sets(rule: pck.Protocol, skeleton: Skeleton, shared: Sequence[int]) -> dict[str, list[int]]:
    """Name and joints of each mean: all that count if the network has them, and the twelve."""
    wanted = rule.columns(skeleton)
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
