"""Detection AP against pycocotools and faster-coco-eval; bands of height, ignore regions, false alarms."""

import contextlib
import copy
import io

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from marey.core.errors import DataError
from marey.metrics import boxes

NAMES = ("AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large")


def scene(seed: int) -> tuple[dict, list]:
    rng = np.random.default_rng(seed)
    notes, results, images = [], [], []
    for image in range(1, 30):
        images.append({"id": image, "width": 640, "height": 480})
        for _ in range(rng.integers(0, 7)):
            low = rng.uniform(0, 400, 2)
            size = np.exp(rng.uniform(np.log(10), np.log(250), 2))
            crowd = int(rng.random() < 0.15)
            notes.append({
                "id": len(notes) + 1, "image_id": image, "category_id": 1, "iscrowd": crowd,
                "bbox": [*low.tolist(), *size.tolist()], "area": float(size.prod() * 0.6),
            })  # fmt: skip
            for _ in range(rng.integers(0, 5)):
                moved = low + rng.normal(0, 0.1, 2) * size
                found = [*moved.tolist(), *(size * rng.uniform(0.7, 1.2, 2)).tolist()]
                score = float(np.round(rng.random(), 2))
                results.append({"image_id": image, "category_id": 1, "bbox": found, "score": score})
    return {
        "info": {}, "images": images, "annotations": notes, "categories": [{"id": 1, "name": "person"}]
    }, results  # fmt: skip


def one_image(truth: dict, results: list, image: int) -> dict:
    notes = [n for n in truth["annotations"] if n["image_id"] == image]
    found = [r for r in results if r["image_id"] == image]
    true, mine = (np.array([n["bbox"] for n in one]).reshape(-1, 4) for one in (notes, found))
    for one in (true, mine):
        one[:, 2:] += one[:, :2]
    crowd = np.array([n["iscrowd"] for n in notes], bool)
    people = boxes.People(true, np.array([n["area"] for n in notes]), crowd)
    return boxes.image(boxes.Found(mine, np.array([r["score"] for r in found])), people)


def ours(truth: dict, results: list) -> list[float]:
    held = boxes.evaluate([one_image(truth, results, image["id"]) for image in truth["images"]])
    return [held[name] for name in NAMES]


@pytest.mark.parametrize("seed", range(4))
def test_equals_pycocotools(seed: int):
    truth, results = scene(seed)
    with contextlib.redirect_stdout(io.StringIO()):
        held = COCO()
        held.dataset = copy.deepcopy(truth)
        held.createIndex()
        judge = COCOeval(held, held.loadRes(copy.deepcopy(results)), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    np.testing.assert_allclose(ours(truth, results), judge.stats[:6], atol=1e-6)


def test_equals_faster_coco_eval():
    faster = pytest.importorskip("faster_coco_eval")
    truth, results = scene(7)
    held = faster.COCO(copy.deepcopy(truth))
    judge = faster.COCOeval_faster(held, held.loadRes(copy.deepcopy(results)), "bbox", print_function=str)
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    np.testing.assert_allclose(ours(truth, results), np.asarray(judge.stats[:6], float), atol=1e-6)


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
