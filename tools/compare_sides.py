"""What crops of other sizes and shapes are worth, and what they cost: one network, beside MoveNet's files.

    python tools/compare_sides.py [NETWORK] [--sides 128x192,192x256,256x256] [--data ../shared/data]

Validation parts, true boxes, no flip test. Times: one thread, by eight, all networks by turns
(`tools/bench_movenet.py`); accuracy in the precision that a run takes. Writes results/sides.json and draws
docs/methods/sides.png.
"""

import argparse
import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from bench_movenet import RIVALS, Run, rival, turns

from marey.core.stages import Network
from marey.data import open_kind
from marey.evaluation.measure import pose_all, true_boxes
from marey.evaluation.poses import POSE_PROTOCOLS, judge_poses
from marey.evaluation.result import commit
from marey.pipeline.measure import TOGETHER
from marey.pipeline.plan import PRESETS, Stage, stage
from marey.weights.session import has_bf16, load

SIDES = "128x192,160x192,192x192,160x224,192x256,224x256,256x256,224x288,256x320"
RESULT, PICTURE = Path("results/sides.json"), Path("docs/methods/sides.png")
SHOWN = ("PCK@0.2/12", "PCK@0.1/12", "AP", "AP50")
BATCH = 8
Size = tuple[int, int]


def accuracy(made: Stage, size: Size, sets: dict[str, Any]) -> dict[str, float]:
    """Figures of both sets with crops of a size."""
    network = load(made.card, "cpu", 1, size=size, together=TOGETHER)  # pyright: ignore[reportArgumentType]
    settings = replace(made.settings, side=size, flip=False)
    found: dict[str, float] = {}
    for kind, samples in sets.items():
        posed = pose_all(samples, true_boxes, partial(made.method.stage, settings=settings, network=network))
        found |= judge_poses(POSE_PROTOCOLS[kind], samples, posed).metrics
    return {name: found[name] for name in SHOWN}


def waiting(made: Stage, size: Size, precision: str) -> Run:
    """The network with a batch of crops ready."""
    card = replace(made.card, bf16=precision == "bf16")  # pyright: ignore[reportArgumentType]
    network: Network = load(card, "cpu", 1, size=size, together=TOGETHER)
    rgb = np.random.default_rng(0).integers(0, 256, (BATCH, size[1], size[0], 3), np.uint8)
    return lambda: network({"rgb": rgb})


def milliseconds(made: Stage, sizes: list[Size], data: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Of one crop, by precision and by size or rival."""
    found: dict[str, dict[str, float]] = {}
    for precision in ("f32", "bf16") if has_bf16() else ("f32",):
        runs: dict[str, Run] = {
            name: rival(data / "teachers" / f"{name}.onnx", side, precision, BATCH)
            for name, side in RIVALS.items()
        }
        runs |= {named(size): waiting(made, size, precision) for size in sizes}
        found[precision] = turns(runs, BATCH, rounds)
    return found


def named(size: Size) -> str:
    """Width × height."""
    return f"{size[0]}×{size[1]}"


def heights(sets: dict[str, Any]) -> dict[str, float]:
    """Median of height over width of people's boxes, by set: why crops are higher than wide."""
    found: dict[str, float] = {}
    for kind, samples in sets.items():
        boxes = np.concatenate([true_boxes(sample, np.zeros((1, 1, 3), np.uint8))[0] for sample in samples])
        wide, high = (boxes[:, 2:] - boxes[:, :2]).T
        found[kind] = float(np.median(high / wide))
    return found


def draw(rows: dict[str, dict[str, float]], took: dict[str, float], rivals: dict[str, float]) -> None:
    """AP over milliseconds: squares as squares, other shapes as circles, rivals as crosses."""
    figure, axis = plt.subplots(figsize=(6.4, 3.6))
    for name, row in rows.items():
        square = len(set(name.split("×"))) == 1
        axis.plot(took[name], row["AP"], "s" if square else "o", color="#999999" if square else "#1f6f8b")
        label = (4, -12) if square else (-14, 7)
        axis.annotate(name, (took[name], row["AP"]), xytext=label, textcoords="offset points", fontsize=8)
    for name, value in rivals.items():
        axis.plot(took[name], value, "x", color="#b5482a")
        axis.annotate(name, (took[name], value), xytext=(4, 5), textcoords="offset points", fontsize=8)
    axis.set(xlabel="milliseconds a crop, one thread, float32", ylabel="AP, COCO validation part")
    axis.set_xlim(0, None)
    axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(PICTURE, dpi=150)


def main() -> None:
    """Measure, write, draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("network", nargs="?", default=PRESETS["balanced"].estimate)
    parser.add_argument("--sides", default=SIDES)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--rounds", type=int, default=40)
    args = parser.parse_args()
    sizes: list[Size] = [(int(w), int(h)) for w, h in (pair.split("x") for pair in args.sides.split(","))]
    made = stage("estimate", args.network)
    took = milliseconds(made, sizes, args.data, args.rounds)
    sets = {kind: list(open_kind(kind, args.data / kind, "val")) for kind in ("lsp", "coco")}
    rows: dict[str, dict[str, float]] = {}
    for size in sizes:
        rows[named(size)] = accuracy(made, size, sets)
        print(named(size), rows[named(size)], flush=True)
    held = json.loads(Path("results/rivals.json").read_text("utf-8"))["rows"]
    rivals = {name: held[f"{name}/coco"]["metrics"]["AP"] for name in RIVALS}
    told = {"command": " ".join(["python", *sys.argv]), "commit": commit()}
    said = {"rows": rows, "milliseconds_a_crop": took, "height_over_width": heights(sets), "made": told}
    RESULT.write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", "utf-8")
    draw(rows, took["f32"], rivals)
    print(RESULT, PICTURE)


if __name__ == "__main__":
    main()
