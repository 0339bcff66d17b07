"""From boxes to figures.

`detection`     box AP, recall and precision by height; where a set does not box everybody, recall only
`false-alarms`  boxes in pictures without people
"""

from collections.abc import Sequence

import numpy as np

from marey.data.sample import Sample
from marey.evaluation.intervals import bootstrap
from marey.evaluation.result import Result
from marey.metrics import boxes
from marey.metrics.matching import figures

SCORES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.7)
"""Scores at which false alarms are also counted."""


def judge_boxes(
    samples: Sequence[Sample], found: Sequence[tuple[np.ndarray, np.ndarray]], score: float
) -> Result:
    """Compare found boxes (with their scores) with the truth; `score` is where a run would cut them off.

    Raises
    ------
    DataError
        If a set has people whose boxes are not known.
    """
    if not any(len(sample.truth) for sample in samples):
        return _false_alarms(samples, found, score)
    known = [(s, f) for s, f in zip(samples, found, strict=True) if np.isfinite(s.truth.boxes_px).all()]
    images = [
        boxes.image(boxes.Found(*one), boxes.People(s.truth.boxes_px, s.truth.areas_px, s.truth.ignore))
        for s, one in known
    ]
    everybody = all(sample.boxed_all for sample, _ in known)
    ranks = boxes.by_area(images)
    metrics = figures(ranks)
    table = boxes.by_height(images, score)
    recall, precision = boxes.at_score_all(images, score)
    metrics |= {"recall": recall, "precision": precision}
    if not everybody:
        metrics = {"recall": recall, "AR": metrics["AR"]}
        table = {band: {k: v for k, v in row.items() if k != "precision"} for band, row in table.items()}

    def drawn(weights: np.ndarray) -> dict[str, float]:
        return {name: value for name, value in figures(ranks, weights).items() if name in metrics}

    return Result(
        protocol={
            "name": "detection", "metric": "box AP" if everybody else "recall (not everybody has a box)",
            "thresholds": "0.50:0.05:0.95", "estimates_an_image": boxes.MOST, "score": score,
            "recall_and_precision": "IoU 0.5, estimates from `score` on", "ignored": "crowds",
        },
        items=sum(one["all"].truths for one in images),
        metrics=metrics,
        intervals=bootstrap([sample.clip for sample, _ in known], drawn),
        tables={"by_height": table, "scores_at_recall": boxes.scores_at(images) if everybody else {}},
    )  # fmt: skip


def _false_alarms(
    samples: Sequence[Sample], found: Sequence[tuple[np.ndarray, np.ndarray]], score: float
) -> Result:
    scores = [held for _, held in found]
    rate, share = boxes.false_alarms(scores, score)

    def drawn(weights: np.ndarray) -> dict[str, float]:
        counts = np.array([(one >= score).sum() for one in scores])
        return {"false_alarms_an_image": float(weights @ counts / weights.sum())}

    return Result(
        protocol={"name": "false-alarms", "metric": "boxes in pictures without people", "score": score},
        items=len(samples),
        metrics={"false_alarms_an_image": rate, "images_with_any": share},
        intervals=bootstrap([sample.clip for sample in samples], drawn),
        tables={"by_score": {f"{s:g}": boxes.false_alarms(scores, s)[0] for s in SCORES}},
    )
