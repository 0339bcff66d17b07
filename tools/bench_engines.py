"""The shipped networks on every engine that could run them: OpenVINO, onnxruntime and torch.

    python tools/bench_engines.py [NAME ...] [--rounds 15]      writes results/bench-engines.json

Each figure is the median time of a call in milliseconds an image, with one and two threads, batches of one
and eight, for each side of crop that a quality asks for. Engines take turns call by call, so that whatever
else the machine does falls on all of them alike; only ratios within one run count. bf16 is measured where the
processor computes in it; torch runs the network's trainable twin with random weights, which take the same
time.
"""

import argparse
import importlib
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import openvino
import torch

from marey.core.geometry import size_of
from marey.core.settings import parse
from marey.methods import method
from marey.pipeline.plan import PRESETS
from marey.weights import Card, find, names, read_card
from marey.weights.session import Session, has_bf16, load

Run = Callable[[np.ndarray], object]
RESULT = Path("results/bench-engines.json")
THREADS, BATCHES = (1, 2), (1, 8)


def sizes(card: Card) -> dict[str, tuple[int, int]]:
    """Sizes of picture that a network runs at, by label: its own, and those that qualities ask for."""
    asked = {size_of(preset.side) for preset in PRESETS.values() if preset.estimate == card.name}
    others = {f"{card.name}, {w}×{h}": (w, h) for w, h in sorted(asked - {card.input_size})}
    return {card.name: card.input_size, **others}


def engines(card: Card, threads: int, size: tuple[int, int]) -> Iterator[tuple[str, Run]]:
    """Every way to run a network on the processor, by name."""
    fixed = size if "estimate" in method(card.method).kinds else None  # as a run compiles them
    for precision in ("f32", "bf16") if has_bf16() else ("f32",):
        own = replace(card, bf16=precision == "bf16")
        yield f"openvino {precision}", _openvino(load(own, "cpu", threads, alone=True, size=fixed))
        yield f"openvino {precision}, split", _openvino(load(own, "cpu", threads, size=fixed))
    yield "onnxruntime f32", _onnxruntime(card, threads)
    for kind in (torch.float32, torch.bfloat16) if has_bf16() else (torch.float32,):
        yield f"torch {'f32' if kind is torch.float32 else 'bf16'}", _torch(card, kind)


def _openvino(session: Session) -> Run:
    return lambda rgb: session({"rgb": rgb})


def _onnxruntime(card: Card, threads: int) -> Run:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(card.onnx), options, providers=["CPUExecutionProvider"])
    return lambda rgb: session.run(list(card.outputs), {"rgb": rgb})


def _torch(card: Card, kind: torch.dtype) -> Run:
    network = importlib.import_module(f"marey.networks.{card.method}")
    settings = parse(method(card.method).settings, card.settings, card.name)
    module = network.Exported(network.build(settings)).eval().to(memory_format=torch.channels_last)

    def run(rgb: np.ndarray) -> object:
        with torch.inference_mode(), torch.autocast("cpu", kind, enabled=kind is not torch.float32):
            return module(torch.from_numpy(rgb))

    return run


def measure(card: Card, size: tuple[int, int], rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds an image by engine, for every number of threads and size of batch."""
    width, height = size
    rng = np.random.default_rng(0)
    found: dict[str, dict[str, float]] = {}
    for threads in THREADS:
        torch.set_num_threads(threads)
        ready = dict(engines(card, threads, size))
        for batch in BATCHES:
            rgb = rng.integers(0, 256, (batch, height, width, 3), dtype=np.uint8)
            seconds: dict[str, list[float]] = {name: [] for name in ready}
            for _ in range(rounds + 2):
                for name, run in ready.items():
                    begin = time.perf_counter()
                    run(rgb)
                    seconds[name].append(time.perf_counter() - begin)
            label = f"{threads} thread{'s' * (threads > 1)}, batch {batch}"
            for name, values in seconds.items():
                middle = statistics.median(values[2:])  # the first two calls allocate
                found.setdefault(name, {})[label] = round(1000 * middle / batch, 2)
    return found


def main() -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(description="the shipped networks on every engine")
    parser.add_argument("names", nargs="*", metavar="NAME", help="networks (default: all)")
    parser.add_argument("--rounds", type=int, default=15, help="calls of which the median counts")
    args = parser.parse_args()
    networks = {}
    cards = [read_card(find(name)) for name in args.names or names()]
    for card in cards:
        if "lift" in method(card.method).kinds:  # takes joints; less than a millisecond
            continue
        for name, size in sizes(card).items():
            networks[name] = measure(card, size, args.rounds)
            for engine, figures in networks[name].items():
                print(f"{name} {engine:<24} {figures}", flush=True)
    result = {
        "command": "python tools/bench_engines.py",
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "bf16": has_bf16(),
        },
        "versions": {m.__name__: m.__version__ for m in (openvino, onnxruntime, torch)},
        "milliseconds_an_image": networks,
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(RESULT)


if __name__ == "__main__":
    main()
