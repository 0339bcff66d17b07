"""Average precision of poses: COCO and CrowdPose by OKS, PoseTrack joint by joint in head sizes."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from marey.core.errors import DataError
from marey.core.skeletons import POSETRACK15, Converter, Skeleton
from marey.data.sample import Sample
from marey.evaluation.by_pck import likeness_tables, person_errors
from marey.evaluation.by_tracks import posetrack_frame
from marey.evaluation.judged import Judged, assigned, reliability, worst
from marey.evaluation.measure import Posed
from marey.evaluation.result import Result
from marey.metrics import matching, oks, pck, posetrack

HEADS = pck.Protocol("PCK", "head", (posetrack.WITHIN,), posetrack.WITHIN)
"""By what PoseTrack's people are told apart as well or badly estimated."""


def keypoint_ap(name: str, samples: Sequence[Sample], posed: Sequence[Posed]) -> Judged:
    """Keypoint AP: `coco`, or `crowdpose` with its bands of crowding.

    Raises
    ------
    DataError
        If the data have no OKS sigmas, or the poses not all of their joints.
    """
    skeleton = samples[0].truth.skeleton
    if skeleton.sigmas is None:
        raise DataError(f"protocol {name}: skeleton {skeleton.name} has no OKS sigmas; use a PCK protocol")
    sigmas = np.array(skeleton.sigmas)
    convert = _all_joints(name, posed[0].skeleton, skeleton)
    crowd = name == "crowdpose"
    most = max(oks.MOST, *(len(one.xy_px) for one in posed)) if crowd else oks.MOST
    images, paired = [], []
    for sample, one in zip(samples, posed, strict=True):
        people = _people(sample)
        images.append(oks.image(convert(one.xy_px), one.ranks, people, sigmas, most))
        xy, scores = assigned(sample, one, convert)
        near = np.where(people.crowd[:, None], np.nan, oks.joints(xy, people, sigmas))
        paired.append((near, np.nan_to_num(scores), np.isnan(xy).all((1, 2))))
    index = np.array([sample.crowd_index for sample in samples])
    ranks = oks.by_crowding(images, index) if crowd else oks.by_area(images)
    figures = partial(matching.figures, ranks)
    joints, scores, missed = (np.concatenate(held) for held in zip(*paired, strict=True))
    counted = ~np.isnan(joints)
    alike = np.nansum(joints, 1) / np.where(counted.any(1), counted.sum(1), np.nan)
    means = np.nansum(joints, 0) / np.maximum(counted.sum(0), 1)
    result = Result(
        protocol={
            "name": name, "metric": "OKS AP", "thresholds": "0.50:0.05:0.95",
            "estimates_an_image": most,
            "score": _scored(posed), "suppression": "none", "joints": list(skeleton.joints),
            "per_joint": "mean of exp(−d²/(2·area·(2σ)²)) over labelled joints, 0 where missed",
            "people_without_estimate": int((missed & counted.any(1)).sum()),
        },
        items=sum(one["all"].truths for one in images),
        metrics=figures(),
        per_joint=dict(zip(skeleton.joints, means.tolist(), strict=True)),
        tables={
            "by_score": reliability(joints, scores, counted),
            "curve": _curve(ranks["all"]),
            "worst": worst(samples, alike, np.where(missed, np.nan, 0.0)),
        },
    )  # fmt: skip
    return Judged(result, [sample.clip for sample in samples], figures)


def _curve(ranked: matching.Ranked) -> list[dict[str, float]]:
    """AP at each threshold of likeness."""
    values = matching.average_precision(ranked)
    rows = zip(matching.THRESHOLDS.tolist(), values.tolist(), strict=True)
    return [{"threshold": threshold, "AP": value} for threshold, value in rows]


def posetrack_ap(samples: Sequence[Sample], posed: Sequence[Posed]) -> Judged:
    """PoseTrack's AP over its 15 joints; tracks are not judged here, for a picture alone has none.

    Raises
    ------
    DataError
        If the poses lack one of the joints.
    """
    frames = [posetrack_frame(*pair, k) for k, pair in enumerate(zip(samples, posed, strict=True))]
    errors, scores = person_errors(HEADS, samples, posed)
    clips = [sample.clip for sample in samples]

    def figures(weights: np.ndarray) -> dict[str, float]:
        drawn = [frame for frame, times in zip(frames, weights, strict=True) for _ in range(int(times))]
        return _parts(posetrack.average_precision(drawn))

    table = posetrack.average_precision(frames)
    result = Result(
        protocol={
            "name": "posetrack", "metric": "PoseTrack AP", "operator": "≤", "within": posetrack.WITHIN,
            "length": "head size, 0.6 × diagonal of the head box", "mean": "macro over joints",
            "joints": list(POSETRACK15.joints), "strict_server": False,
        },
        items=sum(len(frame.truth) for frame in frames),
        metrics=_parts(table),
        per_joint={joint: table[joint] for joint in POSETRACK15.joints},
        tables=likeness_tables(samples, errors, scores, posetrack.WITHIN),
    )  # fmt: skip
    return Judged(result, clips, figures)


def _parts(table: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in table.items() if name not in POSETRACK15.joints}


def _all_joints(name: str, source: Skeleton, target: Skeleton) -> Converter:
    convert = source.converter(target)
    if set(convert.ways) != {"copied"}:
        lacking = ", ".join((*convert.names("missing"), *convert.names("derived")))
        raise DataError(f"protocol {name}: {source.name} lacks {lacking}")
    return convert


def _scored(posed: Sequence[Posed]) -> str:
    own = any(one.worth is not None for one in posed)
    return "the file's own" if own else "box score × mean joint score"


def _people(sample: Sample) -> oks.People:
    truth = sample.truth
    areas = np.where(np.isnan(truth.areas_px), oks.box_areas(truth.boxes_px), truth.areas_px)
    return oks.People(truth.xy_px, truth.labelled, truth.boxes_px, areas, truth.ignore)
