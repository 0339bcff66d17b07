"""OKS and keypoint AP against pycocotools and faster-coco-eval, and the properties any measure must have."""

import contextlib
import copy
import io

import numpy as np
import pytest
from jaxtyping import TypeCheckError
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from marey.core.errors import DataError
from marey.core.skeletons import COCO17
from marey.metrics import oks

SIGMAS = np.array(COCO17.sigmas)


def scene(seed: int) -> tuple[dict, list]:
    """A COCO file and results with near hits, doubles, ghosts, crowds, joint-less people, all sizes."""
    rng = np.random.default_rng(seed)
    notes, results, images = [], [], []
    for image in range(1, 25):
        images.append({"id": image, "width": 640, "height": 480, "file_name": f"{image}.jpg"})
        for _ in range(rng.integers(0, 6)):
            size = np.exp(rng.uniform(np.log(12), np.log(300)))
            low = rng.uniform(0, 400, 2)
            xy = low + rng.uniform(0, size, (17, 2))
            flag = rng.choice([0, 1, 2], 17, p=[0.3, 0.2, 0.5]) * (rng.random() > 0.2)
            crowd = int(rng.random() < 0.1)
            joints = np.concatenate([xy * (flag > 0)[:, None], flag[:, None]], 1)
            if crowd:
                joints[:] = 0
            notes.append({
                "id": len(notes) + 1, "image_id": image, "category_id": 1, "iscrowd": crowd,
                "bbox": [*low.tolist(), size, size], "area": 0.53 * size * size,
                "num_keypoints": int((joints[:, 2] > 0).sum()), "keypoints": joints.reshape(-1).tolist(),
            })  # fmt: skip
            for _ in range(rng.integers(0, 8)):
                moved = xy + rng.normal(0, size * rng.choice([0.01, 0.05, 0.15]), (17, 2))
                score = float(np.round(rng.random(), 2))
                found = np.concatenate([moved, np.ones((17, 1))], 1).reshape(-1).tolist()
                results.append({"image_id": image, "category_id": 1, "keypoints": found, "score": score})
    category = {"id": 1, "name": "person", "keypoints": list(COCO17.joints), "skeleton": []}
    return {"info": {}, "images": images, "annotations": notes, "categories": [category]}, results


def reference(truth: dict, results: list) -> np.ndarray:
    with contextlib.redirect_stdout(io.StringIO()):
        held = COCO()
        held.dataset = copy.deepcopy(truth)
        held.createIndex()
        judge = COCOeval(held, held.loadRes(copy.deepcopy(results)), "keypoints")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return judge.stats


def ours(truth: dict, results: list, weights: np.ndarray | None = None) -> dict[str, float]:
    return oks.evaluate([one_image(truth, results, image["id"]) for image in truth["images"]], weights)


def one_image(truth: dict, results: list, image: int) -> dict:
    notes = [n for n in truth["annotations"] if n["image_id"] == image]
    found = [r for r in results if r["image_id"] == image]
    joints = np.array([n["keypoints"] for n in notes]).reshape(-1, 17, 3)
    boxes = np.array([n["bbox"] for n in notes]).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    people = oks.People(
        joints[..., :2], joints[..., 2] > 0, boxes, np.array([n["area"] for n in notes]),
        np.array([n["iscrowd"] for n in notes], bool),
    )  # fmt: skip
    xy = np.array([r["keypoints"] for r in found]).reshape(-1, 17, 3)[..., :2]
    return oks.image(xy, np.array([r["score"] for r in found]), people, SIGMAS)


@pytest.mark.parametrize("seed", range(4))
def test_equals_pycocotools(seed: int):
    truth, results = scene(seed)
    mine, theirs = ours(truth, results), reference(truth, results)
    got = [mine[k] for k in ("AP", "AP50", "AP75", "AP_medium", "AP_large", "AR")]
    np.testing.assert_allclose(got, theirs[:6], atol=1e-6)


def test_equals_faster_coco_eval():
    faster = pytest.importorskip("faster_coco_eval")
    truth, results = scene(9)
    held = faster.COCO(copy.deepcopy(truth))
    judge = faster.COCOeval_faster(
        held, held.loadRes(copy.deepcopy(results)), "keypoints", print_function=str
    )
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    mine = ours(truth, results)
    got = [mine[k] for k in ("AP", "AP50", "AP75", "AP_medium", "AP_large", "AR")]
    np.testing.assert_allclose(got, np.asarray(judge.stats[:6], float), atol=1e-6)


def test_weights_repeat_images():
    truth, results = scene(3)
    for k, result in enumerate(results):
        result["score"] = 1 / (k + 1)
    images = [one_image(truth, results, image["id"]) for image in truth["images"]]
    repeats = np.random.default_rng(0).multinomial(len(images), np.ones(len(images)) / len(images))
    spelt_out = [image for image, n in zip(images, repeats, strict=True) for _ in range(n)]
    weighted = oks.evaluate(images, repeats.astype(float))
    # Spelt out, an estimate that is repeated passes through the recalls in between.
    for name, value in oks.evaluate(spelt_out).items():
        assert weighted[name] == pytest.approx(value, abs=0.01)


def simple(people: int = 2) -> tuple[np.ndarray, oks.People]:
    rng = np.random.default_rng(people)
    xy = rng.uniform(0, 100, (people, 17, 2)) + np.arange(people)[:, None, None] * 150
    boxes = np.concatenate([xy.min(1), xy.max(1)], 1)
    labelled = np.ones((people, 17), bool)
    return xy, oks.People(xy, labelled, boxes, np.full(people, 9000.0), np.zeros(people, bool))


def test_perfect_and_empty():
    xy, people = simple()
    assert oks.evaluate([oks.image(xy, np.ones(2), people, SIGMAS)])["AP"] == pytest.approx(1)
    assert oks.evaluate([oks.image(xy[:0], np.ones(0), people, SIGMAS)])["AP"] == 0
    assert np.isnan(oks.evaluate([oks.image(xy[:0], np.ones(0), simple(0)[1], SIGMAS)])["AP"])


def test_one_person_found_twice_counts_once():
    xy, people = simple(1)
    twice = np.concatenate([xy, xy])
    matches = oks.image(twice, np.array([0.9, 0.8]), people, SIGMAS)["all"]
    assert matches.right.sum(1).tolist() == [1] * 10
    assert matches.counts.all()


def test_missing_joints_are_misses():
    xy, people = simple(1)
    half = xy.copy()
    half[:, :8] = np.nan
    np.testing.assert_allclose(oks.oks(half, people, SIGMAS), [[9 / 17]])


def test_people_without_joints_excuse_what_is_near():
    xy, people = simple(1)
    nobody = oks.People(people.xy, np.zeros((1, 17), bool), people.boxes, people.areas, people.crowd)
    matches = oks.image(xy, np.ones(1), nobody, SIGMAS)["all"]
    assert matches.truths == 0
    assert not matches.counts.any()


def test_scaling_picture_and_areas_changes_nothing():
    xy, people = simple(2)
    moved = xy + np.random.default_rng(0).normal(0, 5, xy.shape)
    bigger = oks.People(people.xy * 3, people.labelled, people.boxes * 3, people.areas * 9, people.crowd)
    np.testing.assert_allclose(oks.oks(moved * 3, bigger, SIGMAS), oks.oks(moved, people, SIGMAS))


def test_other_joints_are_refused():
    xy, people = simple(2)
    with pytest.raises((DataError, TypeCheckError), match=r"convert both to one skeleton|sigmas"):
        oks.oks(xy[:, :14], people, SIGMAS)
