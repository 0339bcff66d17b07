"""COCO files drawn at random, scored by marey, by pycocotools and by faster-coco-eval."""

import contextlib
import copy
import io
import json
import tempfile
from pathlib import Path

import faster_coco_eval
import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from marey.core.skeletons import COCO17, Skeleton
from marey.metrics import boxes, oks

Scene = tuple[dict, list]
KEYPOINT_NAMES = ("AP", "AP50", "AP75", "AP_medium", "AP_large", "AR")
BOX_NAMES = ("AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large")
CROWD_NAMES = ("AP", "AP50", "AP75", "AR", "AP_easy", "AP_medium", "AP_hard")


def keypoint_scene(seed: int, skeleton: Skeleton = COCO17) -> Scene:
    """A COCO file and results with near hits, doubles, ghosts, crowds, joint-less people, all sizes."""
    rng = np.random.default_rng(seed)
    count = len(skeleton)
    notes, results, images = [], [], []
    for image in range(1, 25):
        images.append({"id": image, "width": 640, "height": 480, "file_name": f"{image}.jpg"})
        images[-1]["crowdIndex"] = rng.choice([0.0, 0.1, 0.2, 0.5, 0.8, 1.0])
        for _ in range(rng.integers(0, 6)):
            size = np.exp(rng.uniform(np.log(12), np.log(300)))
            low = rng.uniform(0, 400, 2)
            xy = low + rng.uniform(0, size, (count, 2))
            flag = rng.choice([0, 1, 2], count, p=[0.3, 0.2, 0.5]) * (rng.random() > 0.2)
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
                moved = xy + rng.normal(0, size * rng.choice([0.01, 0.05, 0.15]), (count, 2))
                score = float(np.round(rng.random(), 2))
                found = np.concatenate([moved, np.ones((count, 1))], 1).reshape(-1).tolist()
                results.append({"image_id": image, "category_id": 1, "keypoints": found, "score": score})
    category = {"id": 1, "name": "person", "keypoints": list(skeleton.joints), "skeleton": []}
    return {"info": {}, "images": images, "annotations": notes, "categories": [category]}, results


def box_scene(seed: int) -> Scene:
    """A COCO file and results of boxes, crowds among them."""
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


def _of_image(scene: Scene, image: int) -> tuple[list, list]:
    truth, results = scene
    return [n for n in truth["annotations"] if n["image_id"] == image], [
        r for r in results if r["image_id"] == image
    ]


def _corners(rows: list) -> np.ndarray:
    held = np.array([row["bbox"] for row in rows], np.float64).reshape(-1, 4)
    held[:, 2:] += held[:, :2]
    return held


def keypoint_images(scene: Scene, skeleton: Skeleton = COCO17, boxed: bool = False) -> list[dict]:
    """marey's matches of each picture; `boxed` takes areas from boxes, as CrowdPose does."""
    matched = []
    for image in scene[0]["images"]:
        notes, found = _of_image(scene, image["id"])
        joints = np.array([n["keypoints"] for n in notes]).reshape(-1, len(skeleton), 3)
        held = _corners(notes)
        areas = oks.box_areas(held) if boxed else np.array([n["area"] for n in notes], np.float64)
        crowd = np.array([n["iscrowd"] for n in notes], bool)
        people = oks.People(joints[..., :2], joints[..., 2] > 0, held, areas, crowd)
        xy = np.array([r["keypoints"] for r in found]).reshape(-1, len(skeleton), 3)[..., :2]
        scores = np.array([r["score"] for r in found], np.float64)
        matched.append(oks.image(xy, scores, people, np.array(skeleton.sigmas)))
    return matched


def box_images(scene: Scene) -> list[dict]:
    """marey's matches of each picture."""
    matched = []
    for image in scene[0]["images"]:
        notes, found = _of_image(scene, image["id"])
        crowd = np.array([n["iscrowd"] for n in notes], bool)
        people = boxes.People(_corners(notes), np.array([n["area"] for n in notes], np.float64), crowd)
        scores = np.array([r["score"] for r in found], np.float64)
        matched.append(boxes.image(boxes.Found(_corners(found), scores), people))
    return matched


def pycocotools(scene: Scene, kind: str) -> np.ndarray:
    """The first six figures pycocotools prints."""
    truth, results = copy.deepcopy(scene)
    with contextlib.redirect_stdout(io.StringIO()):
        held = COCO()
        held.dataset = truth
        held.createIndex()
        judge = COCOeval(held, held.loadRes(results), kind)
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return judge.stats[:6]


def faster(scene: Scene, kind: str) -> np.ndarray:
    """The same of faster-coco-eval."""
    truth, results = copy.deepcopy(scene)
    held = faster_coco_eval.COCO(truth)
    judge = faster_coco_eval.COCOeval_faster(held, held.loadRes(results), kind, print_function=str)
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    return np.asarray(judge.stats[:6], float)


def faster_crowd(scene: Scene, sigmas: np.ndarray) -> np.ndarray:
    """AP, AP50, AP75, AR, easy, medium, hard of faster-coco-eval; the last three before it rounds them."""
    truth, results = copy.deepcopy(scene)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "truth.json"
        path.write_text(json.dumps(truth))
        held = faster_coco_eval.COCO(str(path))
        judge = faster_coco_eval.COCOeval_faster(
            held, held.loadRes(results), "keypoints_crowd", print_function=str,
            kpt_oks_sigmas=sigmas, use_area=False,
        )  # fmt: skip
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
        figures = [float(value) for value in judge.all_stats[:4]]
        for images in judge.split(str(path), 0.2, 0.8):
            judge.params.imgIds = images
            judge.evaluate()
            judge.accumulate()
            figures.append(float(np.mean(judge.eval["precision"][:, :, :, 0, :])))
    return np.array(figures)
