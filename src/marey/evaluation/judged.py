"""What every protocol on poses needs: a result on its way, and which pose is compared with which person.

A joint is compared where network and truth both have it by name; a figure over joints that the network lacks
is left out and not counted as missed. A person is compared with the pose whose box overlaps theirs most;
without any, every joint is a miss.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from marey.core.geometry import box_iou
from marey.core.skeletons import Converter, Skeleton
from marey.data.sample import Sample
from marey.evaluation.measure import Posed
from marey.evaluation.result import Result

WORST = 12
"""How many people are named as the worst (our choice: a page of pictures)."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A result without intervals, and what they are made from: `figures(weights)`, weights one an item."""

    result: Result
    clips: Sequence[str]
    figures: Callable[[Float[np.ndarray, " I"]], dict[str, float]]


def assigned(sample: Sample, posed: Posed, convert: Converter) -> tuple[np.ndarray, np.ndarray]:
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


def shared_joints(source: Skeleton, target: Skeleton) -> list[int]:
    """Joints of the target that the source itself has; derived ones are not compared."""
    return [k for k, way in enumerate(source.converter(target).ways) if way == "copied"]


def reliability(alike: np.ndarray, scores: np.ndarray, counted: np.ndarray) -> list[dict[str, Any]]:
    """Whether a joint's score means what it says: by tenths of the score, how many joints are right.

    `alike` is 1 for a joint that is right and 0 for one that is not, or anything between (OKS).
    """
    table = []
    tenth = np.clip((scores * 10).astype(int), 0, 9)
    for k in range(10):
        held = counted & (tenth == k)
        if held.any():
            row = {"mean_score": float(scores[held].mean()), "right": float(alike[held].mean())}
            table.append({"from": k / 10, **row, "joints": int(held.sum())})
    return table


def worst(
    samples: Sequence[Sample], alike: Float[np.ndarray, " P"], off: Float[np.ndarray, " P"]
) -> list[dict[str, Any]]:
    """The people who came out worst, with the picture each is in; P counts the people of all samples in turn.

    `alike` is how well each came out (NaN: not counted), `off` tells equals apart, the larger the worse. NaN
    there is somebody without an estimate: they come after their equals, for there is nothing to see.
    """
    places = [(sample.name, person) for sample in samples for person in range(len(sample.truth))]
    order = [k for k in np.lexsort((-off, alike)).tolist() if not np.isnan(alike[k])]
    return [
        {"picture": places[k][0], "person": places[k][1], "alike": float(alike[k])} for k in order[:WORST]
    ]
