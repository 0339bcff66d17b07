"""Detection: how well people are found as boxes, and how often nobody is taken for somebody.

Conventions: boxes x0 y0 x1 y1 in px; IoU over thresholds .50:.05:.95, the 100 best boxes an image (COCO).
With an ignore region (a crowd) the overlap is the share of the *estimate* that lies in it, and it may be
matched any number of times; what it covers counts neither way. Sizes: COCO's areas (small < 32², medium <
96², large), and bands of height in px, where truths of other heights are ignored and so are unmatched
estimates of other heights.
Metrics (in [0, 1]): AP, AP50, AP75, AP_small, AP_medium, AP_large, AR; recall and precision at IoU 0.5 and
a score, by height; false alarms an image at a score.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float

from marey.core.errors import DataError
from marey.core.geometry import box_iou, box_sizes
from marey.metrics.matching import (
    THRESHOLDS,
    Matches,
    Ranked,
    Sides,
    at_score,
    figures,
    match,
    rank,
    score_at_recall,
)

MOST = 100
AREAS = {"all": (0.0, 1e10), "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
RECALLS = (0.5, 0.6, 0.7, 0.8)
HEIGHTS_PX = (0, 24, 48, 96, 192, 100_000)
"""Edges of the bands of height (our choice: 24 px is the smallest person promised, then octaves)."""


@dataclass(frozen=True, slots=True)
class Found:
    """The estimates of one image."""

    boxes: Float[np.ndarray, "D 4"]
    scores: Float[np.ndarray, " D"]


@dataclass(frozen=True, slots=True)
class People:
    """The truths of one image: boxes, their areas (NaN: those of the boxes), and ignore regions."""

    boxes: Float[np.ndarray, "G 4"]
    areas: Float[np.ndarray, " G"]
    ignore: Bool[np.ndarray, " G"]


def validate(found: Found, people: People) -> None:
    """Refuse boxes that are not boxes, and arrays that do not belong together."""
    for name, boxes in (("found", found.boxes), ("true", people.boxes)):
        if not np.isfinite(boxes).all() or (boxes[:, 2:] < boxes[:, :2]).any():
            raise DataError(f"detection: a {name} box is not x0 y0 x1 y1 with x0 ≤ x1 and y0 ≤ y1")
    if len(found.boxes) != len(found.scores) or len(people.boxes) != len(people.ignore):
        raise DataError("detection: boxes and their scores or flags differ in number")


def similarity(found: Found, people: People) -> Float[np.ndarray, "D G"]:
    """IoU; with an ignore region, the share of the estimate inside it."""
    boxes, truths = found.boxes.astype(np.float64), people.boxes.astype(np.float64)
    alike = box_iou(boxes, truths)
    if people.ignore.any():
        held = truths[people.ignore]
        low = np.maximum(boxes[:, None, :2], held[None, :, :2])
        high = np.minimum(boxes[:, None, 2:], held[None, :, 2:])
        shared = np.clip(high - low, 0, None).prod(-1)
        alike[:, people.ignore] = shared / np.maximum(box_sizes(boxes).prod(-1), 1e-9)[:, None]
    return alike


def image(found: Found, people: People) -> dict[str, Matches]:
    """Match one image: `all`, `small` … by area at every threshold, `h24` … by height at IoU 0.5."""
    validate(found, people)
    alike = similarity(found, people)
    sizes = box_sizes(found.boxes.astype(np.float64))
    truth_sizes = box_sizes(people.boxes.astype(np.float64))
    areas = np.where(np.isnan(people.areas), truth_sizes.prod(1), people.areas)
    matches: dict[str, Matches] = {}
    for name, (low, high) in AREAS.items():
        ignore = people.ignore | (areas < low) | (areas > high)
        outside = (sizes.prod(1) < low) | (sizes.prod(1) > high)
        matches[name] = match(alike, found.scores, Sides(ignore, people.ignore, outside), THRESHOLDS, MOST)
    for low, high in pairwise(HEIGHTS_PX):
        ignore = people.ignore | (truth_sizes[:, 1] < low) | (truth_sizes[:, 1] >= high)
        outside = (sizes[:, 1] < low) | (sizes[:, 1] >= high)
        sides = Sides(ignore, people.ignore, outside)
        matches[f"h{low}"] = match(alike, found.scores, sides, THRESHOLDS[:1], MOST)
    return matches


def by_area(images: Sequence[dict[str, Matches]]) -> dict[str, Ranked]:
    """The estimates of a set in each of `AREAS`, ready for `matching.figures`."""
    return {name: rank([one[name] for one in images]) for name in AREAS}


def evaluate(images: Sequence[dict[str, Matches]]) -> dict[str, float]:
    """AP, AP50, AP75, AR, AP_small, AP_medium, AP_large of a set."""
    return figures(by_area(images))


def by_height(images: Sequence[dict[str, Matches]], score: float) -> dict[str, dict[str, float]]:
    """Recall, precision and number of truths in each band of height, at IoU 0.5 and a score."""
    table: dict[str, dict[str, float]] = {}
    for low, high in pairwise(HEIGHTS_PX):
        ranked = rank([one[f"h{low}"] for one in images])
        recall, precision = at_score(ranked, score)
        name = f"{low}-{high} px" if high < HEIGHTS_PX[-1] else f"from {low} px"
        table[name] = {"recall": recall, "precision": precision, "people": int(ranked.truths.sum())}
    return table


def at_score_all(images: Sequence[dict[str, Matches]], score: float) -> tuple[float, float]:
    """Recall and precision of all sizes together, at IoU 0.5 and a score."""
    return at_score(rank([one["all"] for one in images]), score)


def scores_at(images: Sequence[dict[str, Matches]]) -> dict[str, float]:
    """The score at which recall at IoU 0.5 reaches each of some values; NaN where it never does."""
    ranked = rank([one["all"] for one in images])
    return {f"{recall:g}": score_at_recall(ranked, recall) for recall in RECALLS}


def false_alarms(scores: Sequence[Float[np.ndarray, " _"]], score: float) -> tuple[float, float]:
    """In pictures without people: boxes an image, and share of images with any, at a score."""
    counts = np.array([(one >= score).sum() for one in scores])
    return float(counts.mean()), float((counts > 0).mean())
