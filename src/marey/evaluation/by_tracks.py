"""Who is who through video: HOTA, IDF1 and CLEAR MOT of people, and PoseTrack's MOTA of each joint.

`tracks`: people of a frame are as alike as their OKS over the joints that both sides have by name (sigmas by
name as in `marey19`). A true person without one of these joints, or marked as to be ignored, does not count;
a prediction that fits nobody who counts (OKS < 0.5) but somebody who does not, counts neither way. Joints in
ignore regions are taken from both sides, and with its last joint a person.
`posetrack-tracks`: PoseTrack's MOTA as in `metrics/posetrack.py`, nothing left out for a low score; beside it
what its server would say (`strict_server`), and MOTA when joints below a score are left out first.
Both: clips are counted apart and their counts added; a frame is a frame with or without people on either
side, as long as the set has it. People whom nobody followed (ids below 0) are each somebody new.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64

from marey.core.errors import DataError
from marey.core.skeletons import MAREY19, POSETRACK15, Converter, Skeleton
from marey.data.sample import Sample
from marey.evaluation.clips import by_clip
from marey.evaluation.judged import Judged, shared_joints
from marey.evaluation.measure import Posed
from marey.evaluation.result import Result
from marey.metrics import oks, posetrack, tracking
from marey.people.assign import assign

FOLLOWED = (
    "posetrack18", "posetrack21", "hie", "jhmdb", "jhmdb_sub", "jhmdb_sub2", "jhmdb_sub3", "penn", "panoptic",
    "recordings", "synth", "bench",
)  # fmt: skip
"""Kinds whose ids say who is who through a clip."""
SCORES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
"""Scores below which joints are left out, in PoseTrack's table."""
NUMBERS = 10_000
"""More than people on a frame."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """How two skeletons are compared: joints of the truth's that count, and their sigmas."""

    convert: Converter
    joints: list[int]
    sigmas: np.ndarray


def people_tracks(samples: Sequence[Sample], posed: Sequence[Posed]) -> Judged:
    """HOTA, IDF1 and CLEAR MOT on OKS.

    Raises
    ------
    DataError
        If truth or poses do not say who is who, or have no joint in common.
    """
    _check(samples, posed)
    rule = _rule(posed[0].skeleton, samples[0].truth.skeleton)
    clips = by_clip(samples)
    counts = [
        tracking.count([_likeness(samples[k], posed[k], k, rule) for k in places], assign)
        for places in clips.values()
    ]

    def figures(weights: np.ndarray) -> dict[str, float]:
        drawn = [one for one, times in zip(counts, weights, strict=True) for _ in range(int(times))]
        held = tracking.scores(tracking.combine(drawn))
        return {name: held[name] for name in ("HOTA", "DetA", "AssA", "MOTA", "IDF1")}

    total = tracking.combine(counts)
    result = Result(
        protocol={
            "name": "tracks", "metric": "HOTA, IDF1, CLEAR MOT (as TrackEval counts)",
            "similarity": "OKS over shared joints", "within": tracking.WITHIN,
            "thresholds": "HOTA 0.05:0.05:0.95",
            "joints": [rule.convert.target.joints[k] for k in rule.joints],
            "ignored": "people marked so or without a shared joint, and predictions on them; ignore regions",
            "mean": "counts of clips are added", "clips": len(clips), "frames": len(samples),
        },
        items=int(total.truths),
        metrics=tracking.scores(total),
        tables={"by_clip": {clip: _few(one) for clip, one in zip(clips, counts, strict=True)}},
    )  # fmt: skip
    return Judged(result, list(clips), figures)


def joint_tracks(samples: Sequence[Sample], posed: Sequence[Posed]) -> Judged:
    """PoseTrack's MOTA.

    Raises
    ------
    DataError
        If truth or poses do not say who is who, or the poses lack one of the 15 joints.
    """
    _check(samples, posed)
    clips = by_clip(samples)
    frames = [[posetrack_frame(samples[k], posed[k], k) for k in places] for places in clips.values()]
    counts = [posetrack.track(one, assign) for one in frames]

    def figures(weights: np.ndarray) -> dict[str, float]:
        drawn = [one for one, times in zip(counts, weights, strict=True) for _ in range(int(times))]
        return _without_joints(posetrack.mota(drawn))

    def confident(score: float) -> float:
        kept = [[posetrack.confident(frame, score, 0.0) for frame in one] for one in frames]
        return posetrack.mota([posetrack.track(one, assign) for one in kept])["MOTA"]

    table = posetrack.mota(counts)
    server = posetrack.mota([posetrack.track(one, assign, strict_server=True) for one in frames])
    result = Result(
        protocol={
            "name": "posetrack-tracks", "metric": "PoseTrack MOTA", "operator": "≤",
            "within": posetrack.WITHIN, "length": "head size, 0.6 × diagonal of the head box",
            "least_joint_score": 0, "least_pose_score": 0, "joints": list(POSETRACK15.joints),
            "mean": "counts of clips are added, then macro over joints", "clips": len(clips),
            "frames": len(samples), "server": "poseval's quirks (metrics/posetrack.py: strict_server)",
        },
        items=sum(len(frame.truth) for one in frames for frame in one),
        metrics=_without_joints(table) | {"MOTA_server": server["MOTA"], "MOTP_server": server["MOTP"]},
        per_joint={joint: table[joint] for joint in POSETRACK15.joints},
        tables={"MOTA_by_least_joint_score": {f"{score:g}": confident(score) for score in SCORES}},
    )  # fmt: skip
    return Judged(result, list(clips), figures)


def posetrack_frame(sample: Sample, posed: Posed, number: int) -> posetrack.Frame:
    """Picture `number` as PoseTrack sees it: people with a head size, joints outside ignore regions.

    Raises
    ------
    DataError
        If the poses lack one of the 15 joints.
    """
    convert = posed.skeleton.converter(POSETRACK15)
    if set(convert.ways) != {"copied"}:
        lacking = ", ".join((*convert.names("missing"), *convert.names("derived")))
        raise DataError(f"protocol posetrack: {posed.skeleton.name} lacks {lacking}")
    truth = sample.truth
    wanted = ~truth.ignore & np.isfinite(truth.head_px)
    frame = posetrack.Frame(
        xy=convert(posed.xy_px).astype(np.float64),
        scores=convert.scores(posed.scores).astype(np.float64),
        ids=_ids(posed, number),
        truth=truth.skeleton.converter(POSETRACK15)(truth.xy_px)[wanted].astype(np.float64),
        head_px=truth.head_px[wanted].astype(np.float64),
        truth_ids=truth.ids[wanted],
    )
    return posetrack.without(frame, sample.regions_px) if sample.regions_px else frame


def _check(samples: Sequence[Sample], posed: Sequence[Posed]) -> None:
    if samples[0].kind not in FOLLOWED:
        raise DataError(f"{samples[0].kind}: does not say who is who; tracks are of {', '.join(FOLLOWED)}")
    told = [one.ids for one in posed if len(one.xy_px)]
    if told and not any(ids is not None and (ids >= 0).any() for ids in told):
        raise DataError(
            "tracks: these poses do not say who is who; give --boxes find, or a file with track_id"
        )


def _ids(posed: Posed, number: int) -> Int64[np.ndarray, " D"]:
    """Who is who; people nobody followed get ids below 0 that no other frame has."""
    ids = np.full(len(posed.xy_px), -1) if posed.ids is None else posed.ids
    return np.where(ids < 0, -1 - number * NUMBERS - np.arange(len(ids)), ids)


def _rule(source: Skeleton, target: Skeleton) -> _Rule:
    known = MAREY19.converter(target)
    shared = [k for k in shared_joints(source, target) if known.ways[k] == "copied"]
    if not shared:
        raise DataError(f"tracks: {source.name} and {target.name} have no joint in common that has a sigma")
    sigmas = np.array(MAREY19.sigmas)[[known.sources[k][0] for k in shared]]
    return _Rule(source.converter(target), shared, sigmas)


def _likeness(sample: Sample, posed: Posed, number: int, rule: _Rule) -> tracking.Frame:
    """One frame's people who count, and how alike they are."""
    truth = sample.truth
    found, xy = rule.convert(posed.xy_px)[:, rule.joints], truth.xy_px[:, rule.joints]
    labelled = truth.labelled[:, rule.joints]
    for outline in sample.regions_px:
        found = np.where(posetrack.inside(found, outline)[..., None], np.nan, found)
        labelled = labelled & ~posetrack.inside(xy, outline)
    areas = np.where(np.isnan(truth.areas_px), oks.box_areas(truth.boxes_px), truth.areas_px)
    people = oks.People(xy, labelled, truth.boxes_px, areas, truth.ignore)
    alike = np.nan_to_num(oks.oks(found, people, rule.sigmas)).T
    counts = labelled.any(1) & ~truth.ignore
    kept = _kept(alike, counts) & np.any(np.all(np.isfinite(found), axis=-1), axis=1)
    return tracking.Frame(truth.ids[counts], _ids(posed, number)[kept], alike[counts][:, kept])


def _kept(alike: np.ndarray, counts: Bool[np.ndarray, " G"]) -> Bool[np.ndarray, " D"]:
    """Predictions that count: those not left to somebody who does not."""
    paired = np.zeros(alike.shape[1], bool)
    _, columns = assign(np.where(alike[counts] >= tracking.WITHIN, alike[counts], 0.0))
    paired[columns] = True
    return paired | ~(alike[~counts] >= tracking.WITHIN).any(0)


def _few(counts: tracking.Counts) -> dict[str, float]:
    held = tracking.scores(counts)
    return {name: held[name] for name in ("HOTA", "MOTA", "IDF1", "switches")}


def _without_joints(table: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in table.items() if name not in POSETRACK15.joints}
