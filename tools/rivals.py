"""Score rivals and our own networks on the same pictures, by the same protocols, in one run.

    python tools/rivals.py [--data ../shared/data] [--save NAME] [NETWORK …]

Rivals: MoveNet Lightning and Thunder (poses, true boxes, their own decoding), YOLOX-nano (people). Data: LSP
801–1000, the COCO validation part, the held-back negatives. NETWORK are marey's, by name or path of the card,
with and without flip test; a detector is compared with YOLOX-nano at equal recall. `--only lsp,coco,people`
leaves parts out.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import openvino

from marey.core.nouns import Origin, People, Poses
from marey.core.skeletons import COCO17
from marey.data import open_kind
from marey.data.sample import Sample
from marey.estimation.crops import cut_people
from marey.evaluation import evaluate
from marey.evaluation.evaluate import LEAST, detector
from marey.evaluation.measure import detect_all, pose_all, true_boxes
from marey.evaluation.people import judge_boxes
from marey.evaluation.poses import POSE_PROTOCOLS, judge_poses
from marey.evaluation.result import Result, commit
from marey.methods import method
from marey.metrics import boxes
from marey.metrics.matching import rank, score_at_recall
from marey.pipeline.plan import stage
from marey.weights import find, read_card

Found = tuple[np.ndarray, np.ndarray]
"""Boxes and scores of one picture."""
PADDING = 1.25
RIVAL_SCORE = 0.3
"""Where YOLOX-nano is cut off (as its authors' demonstration does)."""
SHOWN = ("PCK@0.2/12", "PCK@0.1/12", "PCK@0.2", "AP", "AP50", "recall", "precision", "false_alarms_an_image")


class MoveNet:
    """MoveNet as it is: its single-pose decoding, no flip test."""

    def __init__(self, path: Path, side: int):
        self.side = side
        compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        self._request = compiled.create_infer_request()

    def __call__(self, people: Iterator[People]) -> Iterator[Poses]:
        for cut in cut_people(people, self.side, PADDING, 8):
            poses = np.zeros((0, 17, 3), np.float32)
            if len(cut.rgb):
                rgb = np.ascontiguousarray(cut.rgb.transpose(0, 3, 1, 2), np.float32)
                poses = self._request.infer({"rgb": rgb})["poses"].copy()
            for own, rows in cut.frames:
                xy, scores = cut.to_image(poses[..., :2], rows), poses[rows, :, 2]
                origin = np.full(scores.shape, Origin.MEASURED, np.uint8)
                nowhere = np.full((*scores.shape, 3), np.nan, np.float32)
                yield Poses(own, COCO17, xy, scores, origin, nowhere)


class YoloxNano:
    """YOLOX-nano: class person, 416² filled with 114 below and right, BGR 0–255, NMS 0.65 (its own)."""

    SIDE, LEAST, OVERLAP = 416, 0.01, 0.65

    def __init__(self, path: Path):
        compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        self._request = compiled.create_infer_request()
        cells = []
        for stride in (8, 16, 32):
            n = self.SIDE // stride
            y, x = np.mgrid[:n, :n]
            cells.append(np.stack([x, y, np.full_like(x, stride)], -1).reshape(-1, 3))
        self._cells = np.concatenate(cells).astype(np.float32)

    def __call__(self, images: list[np.ndarray]) -> list[Found]:
        return [self._one(rgb) for rgb in images]

    def _one(self, rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        scale = self.SIDE / max(rgb.shape[:2])
        size = (int(rgb.shape[1] * scale), int(rgb.shape[0] * scale))
        canvas = np.full((self.SIDE, self.SIDE, 3), 114, np.uint8)
        canvas[: size[1], : size[0]] = cv2.resize(rgb, size)[:, :, ::-1]
        out = self._request.infer({"images": canvas.transpose(2, 0, 1)[None].astype(np.float32)})["output"][0]
        stride = self._cells[:, 2:]
        centre, half = (out[:, :2] + self._cells[:, :2]) * stride, np.exp(out[:, 2:4]) * stride / 2
        edges, scores = np.concatenate([centre - half, centre + half], 1) / scale, out[:, 4] * out[:, 5]
        edges, scores = edges[scores > self.LEAST], scores[scores > self.LEAST]
        corner = np.concatenate([edges[:, :2], edges[:, 2:] - edges[:, :2]], 1)
        kept = np.array(
            cv2.dnn.NMSBoxes(corner.tolist(), scores.tolist(), self.LEAST, self.OVERLAP), int
        ).reshape(-1)
        return edges[kept].astype(np.float32), scores[kept].astype(np.float32)


class Table:
    """Results by network and data, shown as they come."""

    def __init__(self) -> None:
        self.rows: dict[str, Result] = {}

    def add(self, name: str, data: str, result: Result) -> None:
        self.rows[f"{name} {data}"] = result
        figures = "  ".join(f"{key} {result.metrics[key]:.4f}" for key in SHOWN if key in result.metrics)
        print(f"{name:28} {data:10} {figures}", flush=True)

    def save(self, name: str) -> None:
        path = Path("results") / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        held = {key: result.as_json() for key, result in self.rows.items()}
        told = {"commit": commit(), "command": " ".join(["python", *sys.argv]), "rows": held}
        path.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def poses(table: Table, kind: str, data: Path, networks: list[str]) -> None:
    """True boxes; rivals as they are, ours without and with flip test."""
    samples = open_kind(kind, data / kind, "val")
    for name, side in (("lightning", 192), ("thunder", 256)):
        rival = MoveNet(data / "teachers" / f"movenet-{name}.onnx", side)
        posed = pose_all(samples, true_boxes, rival)
        table.add(f"movenet-{name}", kind, judge_poses(POSE_PROTOCOLS[kind], samples, posed))
    for name in networks:
        for flip in (False, True):
            result = evaluate(name, f"{kind}:{data / kind}", "val", flip=flip)
            table.add(name + (" +flip" if flip else ""), kind, result)


def people(table: Table, data: Path, networks: list[str]) -> None:
    """Recall, precision and AP, then false alarms where recall is the rival's."""
    pictures, nobody = (open_kind(kind, data / kind, "val") for kind in ("coco", "negatives"))
    rival = YoloxNano(data / "teachers" / "yolox_nano.onnx")
    cut = RIVAL_SCORE
    found = {"yolox-nano": (detect_all(pictures, rival), detect_all(nobody, rival), cut)}
    for name in networks:
        detect, shown = detector(stage("find", name), LEAST)
        found[name] = (detect_all(pictures, detect), detect_all(nobody, detect), shown)
    for name, (seen, alarms, score) in found.items():
        table.add(name, "coco", judge_boxes(pictures, seen, score))
        table.add(name, "negatives", judge_boxes(nobody, alarms, score))
    wanted = table.rows["yolox-nano coco"].metrics["recall"]
    for name in networks:
        seen, alarms, _ = found[name]
        score = score_for(pictures, seen, wanted)
        table.add(f"{name} at its recall", "coco", judge_boxes(pictures, seen, score))
        table.add(f"{name} at its recall", "negatives", judge_boxes(nobody, alarms, score))


def score_for(
    samples: Sequence[Sample], found: Sequence[tuple[np.ndarray, np.ndarray]], recall: float
) -> float:
    """The score at which a detector reaches a recall (IoU 0.5)."""
    images = [
        boxes.image(boxes.Found(*one), boxes.People(s.truth.boxes_px, s.truth.areas_px, s.truth.ignore))[
            "all"
        ]
        for s, one in zip(samples, found, strict=True)
    ]
    return score_at_recall(rank(images), recall)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("networks", nargs="*")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", default="lsp,coco,people")
    parser.add_argument("--save", metavar="NAME", help="write results/NAME.json")
    args = parser.parse_args()
    parts, table = args.only.split(","), Table()
    finders = [name for name in args.networks if "find" in method(read_card(find(name)).method).kinds]
    estimators = [name for name in args.networks if name not in finders]
    for kind in ("lsp", "coco"):
        if kind in parts:
            poses(table, kind, args.data, estimators)
    if "people" in parts:
        people(table, args.data, finders)
    if args.save:
        table.save(args.save)


if __name__ == "__main__":
    main()
