"""Our detector beside YOLOX-nano on the same pictures: how well, how often wrongly, how fast.

    python tools/compare_detectors.py [detector | PATH …] [--sides 320,384,448] [--data ../shared/data]
    [--save NAME]

COCO validation part: AP, AP50, recall and precision by height. Held-back negatives: false alarms an image
at the scores where both have the same recall. Speed: milliseconds of the network alone on one core, median
of 40 calls taken in turns, for a 16:9 picture (ours is as short as the picture allows, YOLOX-nano's input
is square). Ours computes in bf16 where its card and the processor say so, YOLOX-nano in float32 as given.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import openvino

from marey import weights
from marey.core.settings import parse
from marey.data import open_kind
from marey.data.sample import Sample
from marey.evaluation.measure import Detect, detect_all
from marey.evaluation.result import commit
from marey.methods.detector import Detector, Finder
from marey.metrics import boxes
from marey.metrics.matching import Matches
from marey.people.detect import fitted
from marey.training.yolox import YoloxNano
from marey.weights.session import has_bf16

LEAST = 0.01
CALLS = 40
WIDE = (1280, 720)


def matched(detect: Detect, people: list[Sample]) -> list[dict[str, Matches]]:
    """What is found on each picture, matched with who is there."""
    return [
        boxes.image(boxes.Found(*one), boxes.People(s.truth.boxes_px, s.truth.areas_px, s.truth.ignore))
        for s, one in zip(people, detect_all(people, detect), strict=True)
    ]


def judge(images: list[dict[str, Matches]], detect: Detect, nobody: list[Sample]) -> dict[str, Any]:
    """AP, table by height at the score of recall 0.6, false alarms at equal recall."""
    alarms = [scores for _, scores in detect_all(nobody, detect)]
    at = boxes.scores_at(images)
    return {
        **boxes.evaluate(images),
        "by_height": boxes.by_height(images, at["0.6"]),
        "score_at_recall": at,
        "false_alarms_at_recall": {r: boxes.false_alarms(alarms, s) for r, s in at.items() if np.isfinite(s)},
        "precision_at_recall": {r: boxes.at_score_all(images, s)[1] for r, s in at.items() if np.isfinite(s)},
    }


def show(name: str, row: dict[str, Any]) -> None:
    line = "  ".join(f"{key} {row[key]:.3f}" for key in ("AP", "AP50", "AP_small", "AP_medium", "AP_large"))
    print(f"\n{name}\n  {line}")
    for recall, (rate, share) in row["false_alarms_at_recall"].items():
        score, precision = row["score_at_recall"][recall], row["precision_at_recall"][recall]
        alarms = f"false alarms {rate:.3f} an image ({100 * share:.1f} % of pictures)"
        print(f"  recall {recall} at score {score:.2f}: precision {precision:.3f}, {alarms}")
    for band, held in row["by_height"].items():
        print(
            f"  {band:>12}: recall {held['recall']:.3f} precision {held['precision']:.3f} of {held['people']}"
        )


def speeds(runs: dict[str, Callable[[], Any]]) -> dict[str, tuple[float, float]]:
    """Median and least milliseconds of each, taken in turns so that a busy moment hits all alike."""
    took: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(CALLS):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            took[name].append(1000 * (time.perf_counter() - began))
    return {name: (float(np.median(held)), min(held)) for name, held in took.items()}


def one_core(path: Path, inputs: dict[str, np.ndarray], kind: str = "f32") -> Callable[[], Any]:
    config = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": kind, "PERFORMANCE_HINT": "LATENCY"}
    request = openvino.Core().compile_model(path, "CPU", config).create_infer_request()
    return lambda: request.infer(inputs)


def one_core_ort(path: Path, inputs: dict[str, np.ndarray]) -> Callable[[], Any]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, inputs)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("networks", nargs="*", default=["detector"])
    parser.add_argument("--sides", default="")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--save", metavar="NAME", help="write results/NAME.json")
    args = parser.parse_args()
    people = list(open_kind("coco", args.data / "coco", "val"))
    nobody = list(open_kind("negatives", args.data / "negatives", "val"))
    rival = args.data / "teachers" / "yolox_nano.onnx"
    square = {"images": np.random.default_rng(0).uniform(0, 255, (1, 3, 416, 416)).astype(np.float32)}
    detectors: dict[str, Detect] = {"yolox-nano-416": YoloxNano(rival, LEAST).detect}
    runs = {
        "yolox-nano-416-openvino": one_core(rival, square),
        "yolox-nano-416-onnxruntime": one_core_ort(rival, square),
    }
    for name in args.networks:
        network = weights.load(name, "cpu", threads=1)
        stored = parse(Detector, network.card.settings)
        for side in [int(s) for s in args.sides.split(",") if s] or [stored.side]:
            settings = replace(stored, side=side, score=LEAST)
            detectors[f"{name}-{side}"] = Finder(settings, network).detect
            width, height = fitted(WIDE, side).size
            rgb = np.random.default_rng(0).integers(0, 256, (1, height, width, 3)).astype(np.uint8)
            kind = "bf16" if network.card.bf16 and has_bf16() else "f32"
            runs[f"{name}-{width}x{height}-openvino"] = one_core(network.card.onnx, {"rgb": rgb}, kind)
    result: dict[str, Any] = {}
    for name, detect in detectors.items():
        result[name] = judge(matched(detect, people), detect, nobody)
        show(name, result[name])
    result["milliseconds"] = speeds(runs)
    print()
    for name, (median, least) in result["milliseconds"].items():
        print(f"{name:36} {median:6.1f} ms (least {least:.1f})")
    if args.save:
        told = {"commit": commit(), "command": " ".join(["python", *sys.argv]), **result}
        Path("results", f"{args.save}.json").write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
