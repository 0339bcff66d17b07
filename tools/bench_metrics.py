"""How long metrics take: 2,000 frames of 10 people with 17 joints, beside pycocotools and faster-coco-eval.

    python tools/bench_metrics.py [--frames 2000] [--rounds 3]      writes results/bench-metrics.json

Median processor seconds of a round, so that what else the machine does falls out. Everybody starts with the
data in memory as they want it (arrays here, dictionaries there); the six figures of COCO's keypoints must
agree. Video is scored as ten clips: HOTA, IDF1 and CLEAR MOT on OKS, and PoseTrack's AP and MOTA on 15
joints.
"""

import argparse
import contextlib
import io
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faster_coco_eval
import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from marey.core.errors import DataError
from marey.core.geometry import joints_box
from marey.core.skeletons import COCO17
from marey.metrics import mpjpe, oks, pck, posetrack, tracking
from marey.people.assign import assign

RESULT = Path("results/bench-metrics.json")
SIGMAS = np.array(COCO17.sigmas)
CLIPS, PEOPLE = 10, 10


class Scene:
    """People who walk about, and poses of them that are a little wrong, in another order, one a ghost."""

    def __init__(self, frames: int, people: int) -> None:
        rng = np.random.default_rng(0)
        shape = rng.uniform(0, 150, (people, 17, 2)) + rng.uniform(0, 1500, (people, 1, 2))
        self.truth = shape + np.cumsum(rng.normal(0, 2, (frames, people, 1, 2)), 0)
        self.truth_ids = np.arange(people)
        self.order = np.array([rng.permutation(people) for _ in range(frames)])
        noise = rng.normal(0, 1, self.truth.shape) * rng.choice([2, 6, 20], (frames, people, 1, 1))
        found = self.truth + noise
        found[:, 0] += 400
        self.found = np.take_along_axis(found, self.order[..., None, None], 1)
        self.scores = rng.random((frames, people))
        self.labelled = rng.random((frames, people, 17)) < 0.8
        self.boxes = joints_box(self.truth)
        self.areas = oks.box_areas(self.boxes)

    def people(self, frame: int) -> oks.People:
        """The truths of a frame."""
        crowd = np.zeros(len(self.truth_ids), bool)
        parts = self.truth[frame], self.labelled[frame], self.boxes[frame], self.areas[frame]
        return oks.People(*parts, crowd)

    def coco(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The same as COCO files."""
        notes, results = [], []
        for frame in range(len(self.truth)):
            flags = self.labelled[frame][..., None]
            joints = np.concatenate([np.where(flags, self.truth[frame], 0), 2.0 * flags], -1)
            seen = np.concatenate([self.found[frame], np.ones_like(flags)], -1)
            for k, (x0, y0, x1, y1) in enumerate(self.boxes[frame].tolist()):
                notes.append({
                    "id": len(notes) + 1, "image_id": frame, "category_id": 1, "iscrowd": 0,
                    "bbox": [x0, y0, x1 - x0, y1 - y0], "area": float(self.areas[frame, k]),
                    "keypoints": joints[k].ravel().tolist(),
                    "num_keypoints": int(self.labelled[frame, k].sum()),
                })  # fmt: skip
                results.append({
                    "image_id": frame, "category_id": 1, "score": float(self.scores[frame, k]),
                    "keypoints": seen[k].ravel().tolist(),
                })  # fmt: skip
        images = [{"id": frame} for frame in range(len(self.truth))]
        categories = [{"id": 1, "name": "person", "keypoints": list(COCO17.joints)}]
        return {"info": {}, "images": images, "annotations": notes, "categories": categories}, results


def keypoint_ap(scene: Scene) -> list[float]:
    """COCO's figures by marey."""
    images = [
        oks.image(found, scores, scene.people(frame), SIGMAS)
        for frame, (found, scores) in enumerate(zip(scene.found, scene.scores, strict=True))
    ]
    held = oks.evaluate(images)
    return [held[name] for name in ("AP", "AP50", "AP75", "AP_medium", "AP_large", "AR")]


def judged(judge: Any) -> list[float]:
    """COCO's figures by another."""
    with contextlib.redirect_stdout(io.StringIO()):
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return [float(value) for value in judge.stats[:6]]


def pck_share(scene: Scene) -> float:
    """PCK of all people, and its area."""
    pairs = np.take_along_axis(scene.truth, scene.order[..., None, None], 1).reshape(-1, 17, 2)
    labelled = np.take_along_axis(scene.labelled, scene.order[..., None], 1).reshape(-1, 17)
    held = pck.errors(scene.found.reshape(-1, 17, 2), pairs, labelled, np.full(len(pairs), 100.0))
    return pck.share(held, 0.2) + pck.area(held)


def people_tracking(scene: Scene) -> dict[str, float]:
    """HOTA, IDF1 and CLEAR MOT on OKS."""
    frames = [
        tracking.Frame(scene.truth_ids, order, oks.oks(found, scene.people(frame), SIGMAS).T)
        for frame, (found, order) in enumerate(zip(scene.found, scene.order, strict=True))
    ]
    clips = np.array_split(np.arange(len(frames)), CLIPS)
    counts = [tracking.count([frames[k] for k in clip], assign) for clip in clips]
    return tracking.scores(tracking.combine(counts))


def posetrack_ap_mota(scene: Scene) -> float:
    """PoseTrack's AP and MOTA."""
    truth = np.where(scene.labelled[..., None], scene.truth, np.nan)[:, :, :15]
    heads = np.full(len(scene.truth_ids), 20.0)
    frames = [
        posetrack.Frame(found[:, :15], np.repeat(scores[:, None], 15, 1), order, true, heads, scene.truth_ids)
        for found, scores, order, true in zip(scene.found, scene.scores, scene.order, truth, strict=True)
    ]
    clips = np.array_split(np.arange(len(frames)), CLIPS)
    counts = [posetrack.track([frames[k] for k in clip], assign) for clip in clips]
    return posetrack.average_precision(frames)["AP"] + posetrack.mota(counts)["MOTA"]


def mpjpe_p1_p2(scene: Scene) -> float:
    """MPJPE P1 and P2 of as many poses."""
    rng = np.random.default_rng(1)
    truth = rng.normal(0, 300, (scene.scores.size, 17, 3))
    guess = truth + rng.normal(0, 50, truth.shape)
    both = (guess, mpjpe.aligned(guess, truth))
    return sum(mpjpe.mean(mpjpe.errors(one, truth)) for one in both)


OTHERS = (pck_share, people_tracking, posetrack_ap_mota, mpjpe_p1_p2)


def seconds(work: Callable[[], Any], rounds: int) -> float:
    """Median processor seconds."""
    spent = []
    for _ in range(rounds):
        begin = time.process_time()
        work()
        spent.append(time.process_time() - begin)
    return round(statistics.median(spent), 3)


def main() -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(description="how long metrics take")
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    scene = Scene(args.frames, PEOPLE)
    truth, results = scene.coco()
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = COCO()
        theirs.dataset = truth
        theirs.createIndex()
        slow = COCOeval(theirs, theirs.loadRes(results), "keypoints")
    fast_truth = faster_coco_eval.COCO(truth)
    fast = faster_coco_eval.COCOeval_faster(
        fast_truth, fast_truth.loadRes(results), "keypoints", print_function=str
    )
    figures = {"marey": keypoint_ap(scene), "pycocotools": judged(slow), "faster-coco-eval": judged(fast)}
    if np.ptp(list(figures.values()), axis=0).max() > 1e-9:
        raise DataError(f"bench: the three do not agree, so nothing is compared: {figures}")
    result = {
        "command": "python tools/bench_metrics.py",
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": len(os.sched_getaffinity(0)),
        },
        "scene": {"frames": args.frames, "people": PEOPLE, "joints": 17, "rounds": args.rounds},
        "keypoint_ap_s": {
            "marey": seconds(lambda: keypoint_ap(scene), args.rounds),
            "pycocotools": seconds(lambda: judged(slow), args.rounds),
            "faster-coco-eval": seconds(lambda: judged(fast), args.rounds),
        },
        "others_s": {work.__name__: seconds(lambda work=work: work(scene), args.rounds) for work in OTHERS},
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(RESULT, json.dumps(result["keypoint_ap_s"]), json.dumps(result["others_s"]))


if __name__ == "__main__":
    main()
