"""Detection AP against pycocotools and faster-coco-eval; bands of height, ignore regions, false alarms."""

import numpy as np
import pytest

from marey.core.errors import DataError
from marey.metrics import boxes
from metrics.coco_scenes import BOX_NAMES, box_images, box_scene, faster, pycocotools


@pytest.mark.parametrize("seed", range(4))
def test_equals_pycocotools(seed: int):
    scene = box_scene(seed)
    mine = boxes.evaluate(box_images(scene))
    np.testing.assert_allclose([mine[k] for k in BOX_NAMES], pycocotools(scene, "bbox"), atol=1e-9)


def test_equals_faster_coco_eval():
    scene = box_scene(7)
    mine = boxes.evaluate(box_images(scene))
    np.testing.assert_allclose([mine[k] for k in BOX_NAMES], faster(scene, "bbox"), atol=1e-9)


def people(rows: list, ignore: list | None = None) -> boxes.People:
    held = np.array(rows, float).reshape(-1, 4)
    return boxes.People(held, np.full(len(held), np.nan), np.array(ignore or [False] * len(held), bool))


def test_bands_of_height():
    truth = people([[0, 0, 10, 30], [50, 0, 90, 100], [200, 0, 300, 300]])
    found = boxes.Found(truth.boxes[[0, 2]], np.array([0.9, 0.4]))
    table = boxes.by_height([boxes.image(found, truth)], 0.3)
    assert [row["people"] for row in table.values()] == [0, 1, 0, 1, 1]
    assert table["24-48 px"]["recall"] == table["from 192 px"]["recall"] == 1
    assert table["96-192 px"]["recall"] == 0
    assert np.isnan(table["96-192 px"]["precision"])
    strict = boxes.by_height([boxes.image(found, truth)], 0.5)
    assert strict["from 192 px"]["recall"] == 0


def test_an_ignore_region_counts_neither_way():
    truth = people([[0, 0, 200, 200], [300, 0, 340, 100]], [True, False])
    inside = [[10.0, 10, 40, 90], [50, 10, 80, 90]]
    found = boxes.Found(np.array([*inside, [300, 0, 340, 100]]), np.array([0.9, 0.8, 0.7]))
    assert boxes.evaluate([boxes.image(found, truth)])["AP"] == pytest.approx(1)


def test_false_alarms_by_score():
    pictures = [np.array([0.9, 0.2]), np.zeros(0), np.array([0.4])]
    assert boxes.false_alarms(pictures, 0.3) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert boxes.false_alarms(pictures, 0.95) == (0, 0)


def test_broken_boxes_are_refused():
    with pytest.raises(DataError, match="true box"):
        boxes.image(boxes.Found(np.zeros((0, 4)), np.zeros(0)), people([[10, 0, 0, 10]]))
