"""Detection on drawn truth: perfect, empty, sets that do not box everybody, pictures of nobody."""

from pathlib import Path

import numpy as np
import pytest

import data_trees as trees
from marey.data import open_kind
from marey.evaluation.people import judge_boxes


def exact(samples, score=0.9):
    return [(s.truth.boxes_px, np.full(len(s.truth), score, np.float32)) for s in samples]


def test_the_truth_is_perfect(tmp_path: Path):
    notes = [trees.note(1, 7, [1, 2, 10, 30]), trees.note(2, 21, [5, 2, 10, 20], False)]
    samples = open_kind("coco", trees.coco(tmp_path, "val2017", notes))
    held = judge_boxes(samples, exact(samples), 0.5)
    assert held.value == held.metrics["AP50"] == pytest.approx(1)
    assert (held.metrics["recall"], held.metrics["precision"]) == (1, 1)
    assert held.tables["by_height"]["24-48 px"] == {"recall": 1, "precision": 1, "people": 1}
    low = judge_boxes(samples, exact(samples, 0.3), 0.5)
    assert low.value == pytest.approx(1)
    assert low.metrics["recall"] == 0


def test_where_not_everybody_is_boxed_only_recall_is_told(tmp_path: Path):
    samples = open_kind("pennfudan", trees.pennfudan(tmp_path))
    held = judge_boxes(samples, exact(samples), 0.5)
    assert set(held.metrics) == {"recall", "AR"}
    assert set(held.tables["by_height"]["24-48 px"]) == {"recall", "people"}


def test_pictures_of_nobody_count_false_alarms(tmp_path: Path):
    samples = open_kind("negatives", trees.negatives(tmp_path))
    box = np.array([[0, 0, 5, 5]], np.float32)
    found = [(box, np.array([score], np.float32)) for score in (0.9, 0.4, 0.1)]
    held = judge_boxes(samples, found, 0.3)
    assert held.protocol["name"] == "false-alarms"
    assert held.value == pytest.approx(2 / 3)
    assert held.tables["by_score"]["0.5"] == pytest.approx(1 / 3)
