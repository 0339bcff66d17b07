"""HiEve's AP and w-AP of poses, in the four readings of `metrics/hie.py`.

The labels of its tracks 2 and 3, which `hie` reads, name no actions, so the number of kinds of unusual action
in a frame (N of the weight) is not known here: frames are weighted by how crowded they are alone, c1·exp(CI),
and the figure is called `w-AP/CI`, for it is not the paper's w-AP. The form of that weight is from memory.
"""

from collections.abc import Sequence
from itertools import product
from typing import get_args

import numpy as np

from marey.core.errors import DataError
from marey.core.skeletons import HIE14
from marey.data.sample import Sample
from marey.evaluation.judged import Judged, shared_joints
from marey.evaluation.measure import Posed
from marey.evaluation.result import Result
from marey.metrics import hie, oks
from marey.metrics.crowding import crowd_index

SIMILARITIES = ("pckh_share", "oks")


def hieve_ap(samples: Sequence[Sample], posed: Sequence[Posed]) -> Judged:
    """AP and w-AP/CI, by both similarities and both ways of weighting.

    Raises
    ------
    DataError
        If the data are not of HiEve's 14 joints, or poses have none of them.
    """
    skeleton = samples[0].truth.skeleton
    if skeleton.joints != HIE14.joints:
        raise DataError(f"protocol hieve: is for {HIE14.name}, the data have {skeleton.name}")
    joints = shared_joints(posed[0].skeleton, HIE14)
    if not joints:
        raise DataError(f"protocol hieve: {posed[0].skeleton.name} has none of its joints")
    weights = [_weight(sample) for sample in samples]
    frames = {
        how: [_frame(sample, one, joints, how) for sample, one in zip(samples, posed, strict=True)]
        for how in SIMILARITIES
    }

    def read(how: str, pooling: hie.Pooling, times: np.ndarray) -> dict[str, float]:
        drawn = [hie.Frame(*one, float(n)) for one, n in zip(frames[how], times, strict=True) if n]
        return hie.evaluate(drawn, how, pooling)

    metrics: dict[str, float] = {}
    for name, each in (("AP", np.ones(len(samples))), ("w-AP/CI", np.array(weights))):
        for how, pooling in product(SIMILARITIES, get_args(hie.Pooling)):
            metrics |= {k.replace("w-AP", name, 1): v for k, v in read(how, pooling, each).items()}

    def figures(times: np.ndarray) -> dict[str, float]:
        # The headline only: every draw matches all frames anew.
        name, value = next(iter(read(SIMILARITIES[0], "pooled", times).items()))
        return {name.replace("w-AP", "AP", 1): value}

    counted = {how: sum(alike.shape[1] for alike, _ in frames[how]) for how in SIMILARITIES}
    people = sum(len(sample.truth) for sample in samples)
    result = Result(
        protocol={
            "name": "hieve", "metric": "HiEve AP, w-AP (readings of ours; not beside the paper's)",
            "thresholds": list(hie.ALPHAS), "operator": "≥", "within": hie.WITHIN,
            "length": "0.6 × 2 × nose to chest (our choice)", "joints": [HIE14.joints[k] for k in joints],
            "weight": "2·exp(CI); N is not labelled here; the form is from memory",
            "people_not_counted": {how: people - count for how, count in counted.items()},
        },
        items=people,
        metrics=metrics,
    )  # fmt: skip
    return Judged(result, [sample.clip for sample in samples], figures)


def _weight(sample: Sample) -> float:
    truth = sample.truth
    return hie.frame_weight(crowd_index(truth.xy_px, truth.labelled, truth.boxes_px), 0)


def _frame(sample: Sample, posed: Posed, joints: list[int], how: str) -> tuple[np.ndarray, np.ndarray]:
    """Likeness of predictions with the people who count, and the scores of predictions."""
    truth, xy = sample.truth, posed.skeleton.converter(HIE14)(posed.xy_px)
    shared = np.isin(np.arange(len(HIE14)), joints)
    labelled = truth.labelled & shared
    head = hie.head_px(truth.xy_px)
    counts = labelled.any(1) & ~truth.ignore
    if how == "oks":
        people = oks.People(
            truth.xy_px, labelled, truth.boxes_px, oks.box_areas(truth.boxes_px), truth.ignore
        )
        alike = oks.oks(np.where(shared[:, None], xy, np.nan), people, hie.SIGMAS)
        return np.nan_to_num(alike)[:, counts], posed.ranks
    counts &= hie.countable(labelled, head)
    return hie.pckh_share(xy, truth.xy_px[counts], labelled[counts], head[counts]), posed.ranks
