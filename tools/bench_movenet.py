"""What a crop costs: the networks of the qualities beside MoveNet's files, in one run.

    python tools/bench_movenet.py [--data ../shared/data] [--rounds 60]     writes results/bench-movenet.json

One thread, one engine (OpenVINO), float32 and, where the processor computes in it, bf16 for both sides. All
networks take turns call by call; figures are medians in milliseconds of one crop, alone and by eight, and
ratios to MoveNet Lightning (`fast`) and Thunder (the others). No flip test. MoveNet's files also decode; ours
leave that to NumPy, so `reading` says what it takes.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino

from marey.evaluation.result import commit
from marey.methods.baseline import codec
from marey.pipeline.measure import TOGETHER
from marey.pipeline.plan import PRESETS, stage
from marey.weights import find, read_card
from marey.weights.session import has_bf16, load

RESULT = Path("results/bench-movenet.json")
RIVALS = {"movenet-lightning": 192, "movenet-thunder": 256}
AGAINST = {"fast": "movenet-lightning", "balanced": "movenet-thunder", "best": "movenet-thunder"}

Run = Callable[[np.ndarray], object]


def rival(path: Path, precision: str) -> Run:
    """MoveNet's file on one thread; crops uint8 (B, side, side, 3)."""
    options = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}
    request = openvino.Core().compile_model(path, "CPU", options).create_infer_request()
    return lambda rgb: request.infer({"rgb": np.ascontiguousarray(rgb.transpose(0, 3, 1, 2), np.float32)})


def ours(name: str, side: int, precision: str, together: int) -> Run:
    """A network of a quality as a run loads it, on one thread."""
    card = replace(read_card(find(name)), bf16=precision == "bf16")
    session = load(card, "cpu", 1, size=(side, side), together=together)
    return lambda rgb: session({"rgb": rgb})


def reading(side: int, name: str, rounds: int) -> float:
    """Milliseconds to read the joints of one crop from its maps."""
    settings = replace(stage("estimate", name).settings, side=side)
    heat = np.random.default_rng(0).random((8, 19, side // 4, side // 4), np.float32) / side**2
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        codec(settings).decode({"heat": heat})
        took.append(time.perf_counter() - began)
    return 1e3 * statistics.median(took) / len(heat)


def turns(runs: dict[str, tuple[Run, int]], batch: int, rounds: int) -> dict[str, float]:
    """Median milliseconds a crop of every network, each called once a round."""
    rng = np.random.default_rng(0)
    given = {name: rng.integers(0, 256, (batch, side, side, 3), np.uint8) for name, (_, side) in runs.items()}
    took: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds + 3):
        for name, (run, _) in runs.items():
            began = time.perf_counter()
            run(given[name])
            took[name].append(time.perf_counter() - began)
    return {name: 1e3 * statistics.median(times[3:]) / batch for name, times in took.items()}


def main() -> None:
    """Measure, divide, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--rounds", type=int, default=60)
    args = parser.parse_args()
    found: dict[str, dict[str, dict[str, float]]] = {}
    for precision in ("f32", "bf16") if has_bf16() else ("f32",):
        rivals = {
            name: (rival(args.data / "teachers" / f"{name}.onnx", precision), side)
            for name, side in RIVALS.items()
        }
        for batch, together in ((1, 1), (8, TOGETHER)):
            runs = rivals | {
                quality: (ours(preset.estimate, preset.side, precision, together), preset.side)
                for quality, preset in PRESETS.items()
            }
            took = turns(runs, batch, args.rounds)
            ratios = {quality: took[quality] / took[other] for quality, other in AGAINST.items()}
            found[f"{precision}, by {batch}"] = {"ms": took, "ratio": ratios}
            print(precision, batch, took, ratios, flush=True)
    made = {"command": " ".join(["python", *sys.argv]), "commit": commit(), "cores": os.cpu_count()}
    read = {quality: reading(preset.side, preset.estimate, 20) for quality, preset in PRESETS.items()}
    RESULT.write_text(json.dumps({"one_crop": found, "reading_ms": read, "made": made}, indent=2) + "\n")
    print(RESULT)


if __name__ == "__main__":
    main()
