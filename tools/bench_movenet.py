"""What a crop costs: the networks of the qualities beside MoveNet's files, in one run.

    python tools/bench_movenet.py [--data ../shared/data] [--rounds 60]     writes results/bench-movenet.json

One thread, one engine (OpenVINO), float32 and, where the processor computes in it, bf16 for both sides. All
networks take turns call by call; figures are medians in milliseconds of one crop, alone and by eight, and
ratios to MoveNet Lightning (`fast`) and Thunder (`balanced`, and `best` without its flip test). All are
compiled for a fixed number of crops, whose input lies ready. MoveNet's files also decode; ours leave that to
NumPy, so `reading` says what it takes.
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

from marey.core.geometry import Side, size_of
from marey.evaluation.result import commit
from marey.methods.baseline import codec
from marey.pipeline.measure import TOGETHER
from marey.pipeline.plan import PRESETS, stage
from marey.weights import find, read_card
from marey.weights.session import has_bf16, load

RESULT = Path("results/bench-movenet.json")
RIVALS = {"movenet-lightning": 192, "movenet-thunder": 256}
AGAINST = {"fast": "movenet-lightning", "balanced": "movenet-thunder"}

Run = Callable[[], object]


def rival(path: Path, side: int, precision: str, batch: int) -> Run:
    """MoveNet's file on one thread, compiled for the batch as ours is, its input ready as it wants it."""
    options = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}
    core = openvino.Core()
    model = core.read_model(path)
    model.reshape([batch, 3, side, side])
    request = core.compile_model(model, "CPU", options).create_infer_request()
    rgb = np.random.default_rng(0).integers(0, 256, (batch, 3, side, side)).astype(np.float32)
    return lambda: request.infer({"rgb": rgb}, share_inputs=True)


def ours(quality: str, precision: str, batch: int) -> Run:
    """A quality's network as a run loads it, on one thread."""
    preset = PRESETS[quality]
    card = replace(read_card(find(preset.estimate)), bf16=precision == "bf16")
    width, height = size_of(preset.side)
    session = load(card, "cpu", 1, size=(width, height), together=min(batch, TOGETHER))
    rgb = np.random.default_rng(0).integers(0, 256, (batch, height, width, 3), np.uint8)
    return lambda: session({"rgb": rgb})


def reading(side: Side, name: str, rounds: int) -> float:
    """Milliseconds to read the joints of one crop from its maps."""
    settings = replace(stage("estimate", name).settings, side=side)
    width, height = size_of(side)
    heat = np.random.default_rng(0).random((8, 19, height // 4, width // 4), np.float32) / (width * height)
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        codec(settings).decode({"heat": heat})
        took.append(time.perf_counter() - began)
    return 1e3 * statistics.median(took) / len(heat)


def turns(runs: dict[str, Run], batch: int, rounds: int) -> dict[str, float]:
    """Median milliseconds a crop of every network, each called once a round."""
    took: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds + 3):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
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
        for batch in (1, 8):
            runs: dict[str, Run] = {
                name: rival(args.data / "teachers" / f"{name}.onnx", side, precision, batch)
                for name, side in RIVALS.items()
            }
            runs |= {quality: ours(quality, precision, batch) for quality in AGAINST}
            took = turns(runs, batch, args.rounds)
            ratios = {quality: took[quality] / took[other] for quality, other in AGAINST.items()}
            found[f"{precision}, by {batch}"] = {"ms": took, "ratio": ratios}
            print(precision, batch, took, ratios, flush=True)
    made = {"command": " ".join(["python", *sys.argv]), "commit": commit(), "cores": os.cpu_count()}
    read = {quality: reading(PRESETS[quality].side, PRESETS[quality].estimate, 20) for quality in AGAINST}
    RESULT.write_text(json.dumps({"one_crop": found, "reading_ms": read, "made": made}, indent=2) + "\n")
    print(RESULT)


if __name__ == "__main__":
    main()
