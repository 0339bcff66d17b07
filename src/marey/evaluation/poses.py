"""From poses to figures: what is compared with what, protocol by protocol.

`pck-torso`  PCK@0.2 ≤, torso = left shoulder to right hip, micro mean (LSP); `/12` without neck and head top
`pck-box`    PCK@0.2 ≤, longer side of the person's box, micro mean (JHMDB; its boxes are those of the masks)
`coco`       keypoint AP: score = box score × mean joint score, no suppression, 20 estimates an image

A joint is compared where network and truth both have it by name; a figure over joints that the network lacks
is left out and not counted as missed. A person is compared with the pose whose box overlaps theirs most;
without any, every joint is a miss.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from marey.core.errors import DataError
from marey.core.geometry import box_iou, box_sizes
from marey.core.skeletons import Converter, Skeleton
from marey.data.sample import Sample
from marey.evaluation.intervals import bootstrap, paired
from marey.evaluation.measure import Posed
from marey.evaluation.result import Result
from marey.metrics import oks, pck

Name = Literal["pck-torso", "pck-box", "coco"]

POSE_PROTOCOLS: dict[str, Name] = {
    "lsp": "pck-torso",
    "lspet": "pck-torso",
    "jhmdb": "pck-box",
    "coco": "coco",
}
"""What poses are judged by, unless another is asked for."""

BODY12 = tuple(
    f"{side}_{joint}"
    for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    for side in ("left", "right")
)
"""The joints that every skeleton here has: the only fair set beside rivals."""
ALPHA = 0.2


@dataclass(frozen=True, slots=True)
class Judged:
    """A result without intervals, and what they are made from: `figures(weights)`, weights one an item."""

    result: Result
    clips: Sequence[str]
    figures: Callable[[Float[np.ndarray, " I"]], dict[str, float]]


def judge_poses(name: Name, samples: Sequence[Sample], posed: Sequence[Posed]) -> Result:
    """Compare poses with their truth.

    Raises
    ------
    DataError
        If the protocol does not fit the data, or nothing in them can be compared.
    """
    judged = judge(name, samples, posed)
    return replace(judged.result, intervals=bootstrap(judged.clips, judged.figures))


def compare_poses(
    name: Name, samples: Sequence[Sample], posed: Sequence[Posed], other: Sequence[Posed]
) -> dict[str, dict[str, float]]:
    """How much better `posed` is than `other` on the same pictures, by the figures both have.

    For each: `difference`, its 95 % interval `low` … `high` by a paired bootstrap (both are drawn together),
    and `better`, the share of draws in which `posed` is ahead.
    """
    first, second = judge(name, samples, posed), judge(name, samples, other)

    def differences(weights: np.ndarray) -> dict[str, float]:
        ours, theirs = first.figures(weights), second.figures(weights)
        return {key: ours[key] - theirs[key] for key in ours if key in theirs}

    return paired(first.clips, differences)


def judge(name: Name, samples: Sequence[Sample], posed: Sequence[Posed]) -> Judged:
    """Compare poses with their truth, intervals still to be made; raises as `judge_poses`."""
    if not any(sample.truth.labelled.any() for sample in samples):
        raise DataError(f"{samples[0].kind}: no joint is labelled in this split; choose data with poses")
    return _keypoint_ap(samples, posed) if name == "coco" else _pck(name, samples, posed)


def _pck(name: Name, samples: Sequence[Sample], posed: Sequence[Posed]) -> Judged:
    skeleton = samples[0].truth.skeleton
    shared = _shared(posed[0].skeleton, skeleton)
    rows = [_person_errors(name, sample, one) for sample, one in zip(samples, posed, strict=True)]
    errors = np.concatenate([error for error, _ in rows])
    scores = np.concatenate([score for _, score in rows])
    clips = [sample.clip for sample in samples for _ in range(len(sample.truth))]
    sets = _joint_sets(skeleton, shared)
    metrics = {
        _called(alpha, suffix): pck.share(errors[:, columns], alpha)
        for suffix, columns in sets.items()
        for alpha in (ALPHA, ALPHA / 2)
    }

    def figures(weights: np.ndarray) -> dict[str, float]:
        hits = {suffix: pck.right(errors[:, columns], ALPHA) for suffix, columns in sets.items()}
        return {_called(ALPHA, suffix): _weighted(hit, weights) for suffix, hit in hits.items()}

    counted = ~np.isnan(errors[:, shared])
    uncounted = int(np.isnan(errors).all(1).sum())
    length = "left shoulder to right hip" if name == "pck-torso" else "longer side of the person's box"
    shares = pck.per_joint(errors, ALPHA)
    result = Result(
        protocol={
            "name": name, "metric": "PCK", "operator": "≤", "length": length, "mean": "micro over joints",
            "joints": [skeleton.joints[k] for k in shared], "occluded": "counted",
            "people_without_length": uncounted,
        },
        items=len(errors) - uncounted,
        metrics=metrics,
        per_joint={skeleton.joints[k]: float(shares[k]) for k in shared},
        tables={"by_score": reliability(errors[:, shared] <= ALPHA, scores[:, shared], counted)},
    )  # fmt: skip
    return Judged(result, clips, figures)


def _person_errors(name: Name, sample: Sample, posed: Posed) -> tuple[np.ndarray, np.ndarray]:
    """Errors (N, J) of a picture's people in units of length, and the joints' scores (0 where missed)."""
    truth = sample.truth
    convert = posed.skeleton.converter(truth.skeleton)
    xy, scores = _assigned(sample, posed, convert)
    length = truth.torso_px if name == "pck-torso" else box_sizes(truth.boxes_px).max(-1)
    labelled = truth.labelled & ~truth.ignore[:, None]
    return pck.errors(xy, truth.xy_px, labelled, length), np.nan_to_num(scores)


def _assigned(sample: Sample, posed: Posed, convert: Converter) -> tuple[np.ndarray, np.ndarray]:
    """For each true person the pose whose box overlaps most, in the truth's skeleton; NaN without one."""
    truth, copied = sample.truth, np.array(convert.ways) == "copied"
    xy = np.full(truth.xy_px.shape, np.nan, np.float32)
    scores = np.full(truth.state.shape, np.nan, np.float32)
    if len(posed.boxes_px) and len(truth):
        overlap = box_iou(np.nan_to_num(truth.boxes_px), posed.boxes_px)
        best, some = overlap.argmax(1), overlap.max(1) > 0
        xy[some], scores[some] = convert(posed.xy_px)[best[some]], convert.scores(posed.scores)[best[some]]
        xy[:, ~copied], scores[:, ~copied] = np.nan, np.nan
    return xy, scores


def _shared(source: Skeleton, target: Skeleton) -> list[int]:
    """Joints of the target that the source itself has; derived ones are not compared."""
    return [k for k, way in enumerate(source.converter(target).ways) if way == "copied"]


def _joint_sets(skeleton: Skeleton, shared: Sequence[int]) -> dict[str, list[int]]:
    """Name and joints of each mean: all of the set's joints if the network has them, and the twelve."""
    twelve = [skeleton.index(joint) for joint in BODY12]
    whole = {"": list(range(len(skeleton)))} if len(shared) == len(skeleton) else {}
    some = {} if whole or set(shared) <= set(twelve) else {f"/{len(shared)}": list(shared)}
    return {**whole, **some, "/12": twelve}


def _called(alpha: float, suffix: str) -> str:
    return f"PCK@{alpha:g}{suffix}"


def _weighted(right: Float[np.ndarray, "N J"], weights: Float[np.ndarray, " N"]) -> float:
    counted = weights @ (~np.isnan(right)).sum(1)
    return float(weights @ np.nansum(right, 1) / counted) if counted else float("nan")


def _keypoint_ap(samples: Sequence[Sample], posed: Sequence[Posed]) -> Judged:
    skeleton = samples[0].truth.skeleton
    if skeleton.sigmas is None:
        raise DataError(f"protocol coco: skeleton {skeleton.name} has no OKS sigmas; use a PCK protocol")
    sigmas = np.array(skeleton.sigmas)
    convert = posed[0].skeleton.converter(skeleton)
    if "copied" not in convert.ways or set(convert.ways) != {"copied"}:
        raise DataError(
            f"protocol coco: {posed[0].skeleton.name} lacks {', '.join(convert.names('missing'))}"
        )
    images, alike = [], []
    for sample, one in zip(samples, posed, strict=True):
        people = _people(sample)
        images.append(oks.image(convert(one.xy_px), one.ranks, people, sigmas))
        alike.append(oks.joints(_assigned(sample, one, convert)[0], people, sigmas))
    joints = np.concatenate(alike)
    means = np.nansum(joints, 0) / np.maximum((~np.isnan(joints)).sum(0), 1)
    result = Result(
        protocol={
            "name": "coco", "metric": "OKS AP", "thresholds": "0.50:0.05:0.95",
            "estimates_an_image": oks.MOST,
            "score": _scored(posed), "suppression": "none", "joints": list(skeleton.joints),
            "per_joint": "mean of exp(−d²/(2·area·(2σ)²)) over labelled joints, 0 where missed",
        },
        items=sum(one["all"].truths for one in images),
        metrics=oks.evaluate(images),
        per_joint=dict(zip(skeleton.joints, means.tolist(), strict=True)),
    )  # fmt: skip
    return Judged(result, [s.clip for s in samples], partial(oks.evaluate, images, ranges=("all",)))


def _scored(posed: Sequence[Posed]) -> str:
    own = any(one.worth is not None for one in posed)
    return "the file's own" if own else "box score × mean joint score"


def _people(sample: Sample) -> oks.People:
    truth = sample.truth
    areas = np.where(np.isnan(truth.areas_px), 0.53 * box_sizes(truth.boxes_px).prod(-1), truth.areas_px)
    return oks.People(truth.xy_px, truth.labelled, truth.boxes_px, areas, truth.ignore)


def reliability(right: np.ndarray, scores: np.ndarray, counted: np.ndarray) -> list[dict[str, Any]]:
    """Whether a score means what it says: share of joints that are right, by tenths of the score."""
    table = []
    tenth = np.clip((scores * 10).astype(int), 0, 9)
    for k in range(10):
        held = counted & (tenth == k)
        if held.any():
            row = {"mean_score": float(scores[held].mean()), "right": float(right[held].mean())}
            table.append({"from": k / 10, **row, "joints": int(held.sum())})
    return table
