"""CLNet beside its opponents: trained alike, judged on the same people, compared pair by pair.

    python tools/compare_clnet.py {mobilenet,r50,lightning,hourglass,ablations} [--seeds 1,2,3]
    [--arms clnet,dark] [--flip] [--time] [--set A.B=C] [--data ../shared/data] [--name NAME]

Arms differ in what `FAMILIES` says and in nothing else. What is trained lies in the user's cache by the print
of its recipe, so a stopped comparison goes on where it was, and arms that two families share are trained
once. Validation parts only, true boxes; the first arm is what the others are held against. Differences are
bootstrapped over pictures, the same ones for both arms, of means over seeds. Writes results/clnet-NAME.json.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from count_cost import cost

from marey.core.folders import cache_dir
from marey.core.geometry import size_of
from marey.core.settings import override, parse, plain
from marey.data import open_kind
from marey.data.sample import Sample
from marey.estimation.crops import person_crops
from marey.evaluation.intervals import paired
from marey.evaluation.measure import Posed, pose_all, true_boxes
from marey.evaluation.poses import Judged, Name, judge
from marey.evaluation.result import commit, data_print
from marey.pipeline.plan import Stage, stage
from marey.training.make import make
from marey.training.recipe import read_recipe

RECIPES = Path(__file__).parents[1] / "recipes"
CELL = 16
"""Pixels of the cells by which errors are split, whatever the method's own grid."""


JUDGES: dict[str, Name] = {"lsp": "pck-torso", "coco": "coco"}
"""Protocols, by the set whose validation part is judged."""


@dataclass(frozen=True)
class Arm:
    """A recipe, what is changed in it, and what is changed only when the network runs."""

    recipe: str
    changes: tuple[str, ...] = ()
    running: tuple[str, ...] = ()


STRIDE_8 = ("settings.stride=8",)
ONE_CHOICE = ("settings.loss=cross-entropy", "settings.pull=0.4")
"""Cells compete for the joint, and the offsets of 3×3 cells, five times as heavy as one's, weigh as one."""

OWN_CELL = ("settings.offsets=cell",)
"""As reconstructed at first."""


def _family(trunk: str) -> dict[str, Arm]:
    ours, theirs = f"clnet-{trunk}-128", f"baseline-{trunk}-128"
    return {
        "clnet": Arm(ours),
        "clnet with vote": Arm(ours, running=("vote=true",)),
        "clnet with neck": Arm(ours, ("settings.neck=true",)),
        "clnet by cross-entropy": Arm(ours, ("settings.loss=cross-entropy",)),
        "stride 8": Arm(ours, STRIDE_8),
        "one choice": Arm(ours, ONE_CHOICE),
        "one choice at stride 8": Arm(ours, (*STRIDE_8, *ONE_CHOICE)),
        "one choice at stride 8 with vote": Arm(ours, (*STRIDE_8, *ONE_CHOICE), running=("vote=true",)),
        "one choice at stride 8 of width 128": Arm(
            ours, (*STRIDE_8, *ONE_CHOICE, "settings.width=128"), ("vote=true",)
        ),
        "own cell": Arm(ours, OWN_CELL),
        "dark": Arm(theirs),
        "mass": Arm(theirs, running=("subpixel=mass",)),
        "published": Arm(theirs, ("settings.subpixel=quarter",)),
        "offsets at stride 4": Arm(ours, ("settings.stride=4",)),
        "points": Arm(theirs, ("settings.head=points",)),
        "squared error": Arm(theirs, ("settings.loss=mse",)),
    }


def _ablation(*changes: str, running: tuple[str, ...] = ()) -> Arm:
    return Arm("clnet-mobilenet-128", tuple(f"settings.{change}" for change in changes), running)


STACKS = ("settings.stacks=2",)
FAMILIES: dict[str, dict[str, Arm]] = {
    "mobilenet": _family("mobilenet"),
    "r50": _family("r50"),
    "lightning": {
        "clnet": Arm("clnet-lightning"),
        "dark": Arm("baseline-lightning", running=("subpixel=dark",)),
        "mass": Arm("baseline-lightning"),
    },
    "hourglass": {
        "clnet B": Arm("clnet-hourglass-128"),
        "clnet B by one choice": Arm("clnet-hourglass-128", ONE_CHOICE, ("vote=true",)),
        "clnet A": Arm("clnet-hourglass-128", ("settings.stride=4",)),
        "clnet A by one choice": Arm(
            "clnet-hourglass-128", ("settings.stride=4", *ONE_CHOICE), ("vote=true",)
        ),
        "hourglass": Arm("baseline-hourglass-128"),
        "hourglass by mass": Arm("baseline-hourglass-128", running=("subpixel=mass",)),
        "clnet B of 2 stacks": Arm("clnet-hourglass-128", STACKS),
        "clnet A of 2 stacks": Arm("clnet-hourglass-128", ("settings.stride=4", *STACKS)),
        "hourglass of 2 stacks": Arm("baseline-hourglass-128", STACKS),
    },
    "ablations": {
        "clnet": _ablation(),
        "stride 4": _ablation("stride=4"),
        "stride 8": _ablation("stride=8"),
        "stride 32": _ablation("stride=32"),
        "squared error": _ablation("loss=mse"),
        "cross-entropy": _ablation("loss=cross-entropy"),
        "focal": _ablation("loss=focal"),
        "gaussian of half a cell": _ablation("sigma=0.5"),
        "gaussian of a cell": _ablation("sigma=1.0"),
        "vote": _ablation(running=("vote=true",)),
        "offsets of the own cell": _ablation("offsets=cell"),
        "the same, linear": _ablation("offsets=linear"),
        "no offsets": _ablation("offsets=none"),
        "pull 0.5": _ablation("pull=0.5"),
        "pull 1": _ablation("pull=1.0"),
        "pull 5": _ablation("pull=5.0"),
        "knee 1": _ablation("knee=1.0"),
        "neck": _ablation("neck=true"),
        "one hidden layer": _ablation("split=false"),
    },
}


@dataclass(frozen=True)
class Made:
    """A trained network as it runs, and its recipe's print."""

    stage: Stage
    print: str


def trained(arm: Arm, seed: int, args: argparse.Namespace) -> Made:
    """The arm's network of a seed, made if it is not there yet."""
    folders = {kind: str(args.data / kind) for kind in ("lsp", "lspet", "coco", "jhmdb")} | args.folders
    changes = [f"starts={args.data / 'teachers'}", *args.set, *arm.changes, f"seed={seed}"]
    recipe = read_recipe(RECIPES / f"{arm.recipe}.toml", changes, folders)
    folder = cache_dir() / "compare" / recipe.print
    card = folder / f"{recipe.name}.toml"
    if not card.is_file():
        make(recipe, folder, resume=True)
    made = stage("estimate", str(card))
    running = [*arm.running, *(["flip=true"] if args.flip else [])]
    settings = parse(type(made.settings), override(plain(made.settings), running), arm.recipe)
    return Made(replace(made, settings=settings), recipe.print)


def posed(made: Made, samples: Sequence[Sample]) -> list[Posed]:
    """The poses of a set's people, always anew: what reads the network's outputs may have changed."""
    own, network = made.stage, made.stage.load("cpu", 1)
    return pose_all(samples, true_boxes, partial(own.method.stage, settings=own.settings, network=network))


def split(samples: Sequence[Sample], found: Sequence[Posed], settings: Any) -> dict[str, float | None]:
    """Where errors come from: is the coarse cell right, and how fine is the place within it (crop pixels)."""
    skeleton = samples[0].truth.skeleton
    truths, guesses = [], []
    for sample, one in zip(samples, found, strict=True):
        crop = person_crops(one.boxes_px, settings.side, settings.padding)[0]
        known = sample.truth.labelled[0]
        truths.append(crop.to_crop(sample.truth.xy_px[0][known]))
        guesses.append(crop.to_crop(one.skeleton.converter(skeleton)(one.xy_px)[0][known]))
    truth, guess = np.concatenate(truths), np.concatenate(guesses)
    apart = np.abs(np.floor(guess / CELL) - np.floor(truth / CELL)).max(-1)
    off = np.linalg.norm(guess - truth, axis=-1)
    return {
        "right_cell": float((apart == 0).mean()),
        "within_one_cell": float((apart <= 1).mean()),
        "px_in_right_cell": float(off[apart == 0].mean()) if (apart == 0).any() else None,
        "px_within_one_cell": float(off[apart <= 1].mean()) if (apart <= 1).any() else None,
    }


def mean(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean over seeds."""
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def compared(one: Sequence[Judged], other: Sequence[Judged]) -> dict[str, dict[str, float]]:
    """How much better the first is in the mean over seeds, on pictures drawn for both at once."""

    def differences(weights: np.ndarray) -> dict[str, float]:
        first, second = (mean([seed.figures(weights) for seed in arm]) for arm in (one, other))
        return {name: first[name] - second[name] for name in first}

    return paired(one[0].clips, differences)


def milliseconds(stages: dict[str, Stage], rounds: int = 40) -> dict[str, float]:
    """Median time of one crop on one core, the networks taken in turns."""
    held = {name: made.load("cpu", 1) for name, made in stages.items()}
    took: dict[str, list[float]] = {name: [] for name in held}
    for _ in range(rounds + 3):
        for name, network in held.items():
            width, height = size_of(stages[name].settings.side)
            rgb = np.zeros((1, height, width, 3), np.uint8)
            began = time.perf_counter()
            network({"rgb": rgb})  # pyright: ignore[reportOptionalCall]
            took[name].append(1e3 * (time.perf_counter() - began))
    return {name: float(np.median(times[3:])) for name, times in took.items()}


def measured(arm: Arm, sets: dict[str, Sequence[Sample]], args: argparse.Namespace) -> dict[str, Any]:
    """Train and run one arm with every seed; what was judged, and the row of the result."""
    runs = [trained(arm, seed, args) for seed in args.seeds]
    found = {kind: [posed(run, samples) for run in runs] for kind, samples in sets.items()}
    judged = {kind: [judge(JUDGES[kind], sets[kind], own) for own in seeds] for kind, seeds in found.items()}
    figures = {kind: [one.result.metrics for one in seeds] for kind, seeds in judged.items()}
    first = runs[0].stage
    row = {
        "recipe": f"recipes/{arm.recipe}.toml",
        "changes": [*args.set, *arm.changes, *arm.running],
        "recipe_prints": [run.print for run in runs],
        "cost": cost(first.settings, size_of(first.settings.side)),
        "metrics": {kind: mean(seeds) for kind, seeds in figures.items()},
        "seeds": figures,
        "cells": [split(sets["lsp"], own, first.settings) for own in found["lsp"]],
    }
    return {"judged": judged, "row": row, "stage": first, "found": found}


def study(arms: dict[str, Arm], args: argparse.Namespace) -> dict[str, Any]:
    """Train, run and compare."""
    sets = {kind: open_kind(kind, args.data / kind, "val") for kind in JUDGES}
    held: dict[str, dict[str, Any]] = {}
    for name, arm in arms.items():
        held[name] = measured(arm, sets, args)
        print(name, json.dumps(held[name]["row"]["metrics"]), flush=True)
    reference, *others = arms
    ours = held[reference]["judged"]
    return {
        "reference": reference,
        "arms": {name: own["row"] for name, own in held.items()},
        "differences": {
            name: {kind: compared(ours[kind], held[name]["judged"][kind]) for kind in sets} for name in others
        },
        "ms": milliseconds({name: own["stage"] for name, own in held.items()}) if args.time else {},
        "data": {kind: data_print(samples) for kind, samples in sets.items()},
    }


def main() -> None:
    """Parse, compare, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("family", choices=FAMILIES)
    parser.add_argument("--seeds", type=lambda text: [int(s) for s in text.split(",")], default=[1])
    parser.add_argument(
        "--arms", type=lambda text: text.split(","), help="some of the family's (default: all)"
    )
    parser.add_argument("--flip", action="store_true", help="average with the mirrored crop")
    parser.add_argument("--time", action="store_true", help="milliseconds too; the machine should be idle")
    parser.add_argument("--set", action="append", default=[], metavar="A.B=C", help="in every recipe")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--name", help="of the result (default: the family's)")
    parser.set_defaults(folders={})  # of sets that lie elsewhere; what else compares arms may have some
    args = parser.parse_args()
    family = FAMILIES[args.family]
    unknown = set(args.arms or ()) - set(family)
    if unknown:
        parser.error(f"--arms {','.join(sorted(unknown))}: not in {args.family}; known: {', '.join(family)}")
    result = study({name: family[name] for name in args.arms or family}, args)
    made = {"command": " ".join(["python", *sys.argv]), "seeds": args.seeds, "commit": commit()}
    protocol = {"split": "val", "boxes": "truth", "flip_test": args.flip, "cell_px": CELL}
    path = Path("results") / f"clnet-{args.name or args.family}.json"
    path.write_text(json.dumps({**result, "protocol": protocol, "made": made}, indent=2) + "\n", "utf-8")
    print(path)


if __name__ == "__main__":
    main()
