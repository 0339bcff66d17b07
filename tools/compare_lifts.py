"""Train the family of lifters at equal budget and compare them on people they have not seen.

    python tools/compare_lifts.py [--data FOLDER] [--steps 800] [--seeds 1 2 3] [--only NAME …]
    python tools/compare_lifts.py --ablations --seeds 1

Every variant sees the same number of windows of the same motions, bodies, cameras and noise levels, and is
judged on the same takes of held-out people, with clean and with noisy 2D, without flip averaging. Runs that
are finished are not repeated: a run that was killed goes on. Writes results/lift-family.json, or with
--ablations, how many neighbours and moments a graph needs, results/lift-ablations.json.
"""

import argparse
import importlib
import json
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import nn

from marey.core.folders import cache_dir
from marey.core.settings import fingerprint, parse, plain
from marey.core.stages import Arrays, Network
from marey.evaluation.lifts import Sums, figures, gain, take_sums
from marey.evaluation.result import commit
from marey.lifting.windows import H36M
from marey.methods import method
from marey.methods.dgnet import DGNet, affinities
from marey.training.bodies import Lifting
from marey.training.lifting import View, lift_batches, remembered, views
from marey.training.loop import fit
from marey.training.recipe import Recipe, read_recipe
from marey.trunks.graph import adjacency

VARIANTS: dict[str, tuple[str, list[str]]] = {
    "both": ("dgnet-h36m", []),
    "static": ("dgnet-h36m", ["settings.affinity=static", "settings.width=33"]),
    "dynamic-spatial": ("dgnet-h36m", ["settings.affinity=dynamic-spatial"]),
    "dynamic-temporal": ("dgnet-h36m", ["settings.affinity=dynamic-temporal"]),
    "learned": ("liftbase-learned", []),
    "mlp": ("liftbase-mlp", []),
    "temporal-9": ("liftbase-temporal", ["settings.frames=9"]),
    "temporal-27": ("liftbase-temporal", []),
    "temporal-27-wide": ("liftbase-temporal", ["settings.width=256"]),
}
"""Recipe and changes; widths of the graph networks make their parameters equal to within 2 % (static,
learned) or fewer than those of both (one part only)."""
SPATIAL, TEMPORAL = ["settings.affinity=dynamic-spatial"], ["settings.affinity=dynamic-temporal"]
ABLATIONS: dict[str, tuple[str, list[str]]] = {
    "static": VARIANTS["static"],
    "learned": VARIANTS["learned"],
    "dynamic-spatial": VARIANTS["dynamic-spatial"],
    "dynamic-temporal": VARIANTS["dynamic-temporal"],
    "near-3": ("dgnet-h36m", [*SPATIAL, "settings.nearest=3"]),
    "near-9": ("dgnet-h36m", [*SPATIAL, "settings.nearest=9"]),
    "near-17": ("dgnet-h36m", [*SPATIAL, "settings.nearest=17"]),
    "drawn-6": ("dgnet-h36m", [*SPATIAL, "settings.neighbours=drawn"]),
    "attention": ("dgnet-h36m", ["settings.affinity=attention"]),
    "frames-1": ("dgnet-h36m", [*SPATIAL, "settings.frames=1", "settings.width=37"]),
    "frames-3": ("dgnet-h36m", [*SPATIAL, "settings.frames=3", "settings.width=36"]),
    "frames-27": ("dgnet-h36m", [*SPATIAL, "settings.frames=27"]),
    "relative": ("dgnet-h36m", [*TEMPORAL, "settings.relative=true"]),
    "both-relative": ("dgnet-h36m", ["settings.relative=true"]),
    "alike-3": ("dgnet-h36m", [*TEMPORAL, "settings.alike=3"]),
    "alike-17": ("dgnet-h36m", [*TEMPORAL, "settings.alike=17"]),
    "temporal-27": VARIANTS["temporal-27"],
    "temporal-81": ("liftbase-temporal", ["settings.frames=81"]),
}
"""One change each to one part alone; widths again for equal parameters (attention has 3 % more)."""
CLAIMS = (
    ("both", "static"), ("both", "learned"), ("dynamic-spatial", "static"), ("dynamic-temporal", "static"),
    ("both", "mlp"), ("both", "temporal-9"), ("both", "temporal-27"), ("both", "temporal-27-wide"),
    ("dynamic-spatial", "learned"), ("dynamic-spatial", "both"), ("dynamic-spatial", "temporal-9"),
    *(("dynamic-spatial", name) for name in ABLATIONS if name.startswith(("near", "frames", "drawn", "att"))),
    *(("dynamic-temporal", name) for name in ABLATIONS if name.startswith(("alike", "relative"))),
    *((name, other) for name in ("near-17", "drawn-6", "attention") for other in ("static", "learned")),
    ("near-17", "attention"), ("dynamic-spatial", "temporal-81"), ("temporal-27", "temporal-81"),
)  # fmt: skip
FIGURES = ("P1", "P2", "P3", "MPJVE_mm_s", "depth", "plane", "slow", "middle", "fast", "bones")
LEVELS = {"clean": 0.0, "noisy": 1.0}
LONGEST = 90
"""Frames of a take that are judged: three seconds, so that long takes do not decide alone."""
OUT = {False: Path("results/lift-family.json"), True: Path("results/lift-ablations.json")}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data", default="../shared/data/mocap")
    asked.add_argument("--steps", type=int, default=800)
    asked.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    asked.add_argument("--only", nargs="+", choices={**VARIANTS, **ABLATIONS})
    asked.add_argument("--ablations", action="store_true", help="K and T instead of the family")
    asked.add_argument("--out", type=Path)
    args = asked.parse_args()
    args.only = args.only or list(ABLATIONS if args.ablations else VARIANTS)
    args.out = args.out or OUT[args.ablations]
    torch.set_num_threads(1)
    began = time.perf_counter()
    recipes = {name: _recipe(name, args.data, args.steps) for name in args.only}
    held = remembered(Path(args.data), "val")
    shown = recipes[args.only[0]].lifting or Lifting()
    judged = {word: views(held, shown, level, LONGEST, seed=5) for word, level in LEVELS.items()}
    made: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in args.only}
    for seed in args.seeds:  # seed by seed: a comparison that is cut short has whole seeds
        for name, recipe in recipes.items():
            made[name][seed] = _remembered(replace(recipe, seed=seed), judged)
            print(
                f"{time.perf_counter() - began:7.0f} s  {name} {seed}: {_line(made[name][seed])}", flush=True
            )
    result = {
        "protocol": _protocol(args, held, judged, recipes[args.only[0]].train.batch),
        "variants": {name: _variant(recipes[name], runs) for name, runs in made.items()},
        "gains": {word: _gains(made, word) for word in LEVELS},
        "made": {"commit": commit(), "seconds": round(time.perf_counter() - began)},
    }
    args.out.parent.mkdir(exist_ok=True)
    args.out.write_text(json.dumps(_rounded(result), indent=2) + "\n", encoding="utf-8")
    print(f"wrote {args.out}")


def _recipe(name: str, data: str, steps: int) -> Recipe:
    stem, changes = {**VARIANTS, **ABLATIONS}[name]
    return read_recipe(Path(f"recipes/{stem}.toml"), [*changes, f"train.steps={steps}"], {"mocap": data})


def _remembered(recipe: Recipe, judged: dict[str, list[View]]) -> dict[str, Any]:
    """What a run gave: from its file if it is finished, else trained and judged."""
    says = plain(replace(recipe, name=""))
    if recipe.train.cycles == 1:  # as in Recipe.print: the setting is younger than runs that are kept
        del says["train"]["cycles"]
    told = fingerprint({"recipe": says, "frames": LONGEST, "takes": len(judged["clean"])})
    folder = cache_dir() / "runs" / f"lift-{told}"
    if (folder / "judged.json").is_file():
        return json.loads((folder / "judged.json").read_text(encoding="utf-8"))
    began = time.perf_counter()
    settings: Any = parse(method(recipe.method).settings, recipe.settings)
    twin = importlib.import_module(f"marey.networks.{recipe.method}")
    torch.manual_seed(recipe.seed)
    net = twin.build(settings)
    net = fit(
        net, partial(twin.loss, settings=settings), lift_batches(recipe, settings), recipe.train, folder
    )
    found = {
        "parameters": sum(part.numel() for part in net.parameters()),
        "seconds": round(time.perf_counter() - began, 1),
        **{word: _judge(settings, net, recipe, takes) for word, takes in judged.items()},
    }
    if isinstance(settings, DGNet) and settings.affinity == "both":
        found["ranks"] = _ranks(settings, net, judged["clean"])
    (folder / "judged.json").write_text(json.dumps(found), encoding="utf-8")
    return found


def _network(net: nn.Module, pick: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> Network:
    def run(inputs: Arrays) -> Arrays:
        with torch.no_grad():
            made = pick(net(torch.from_numpy(inputs["xy"])))
        return {name: value.numpy() for name, value in made.items()}

    return run


def _judge(settings: Any, net: nn.Module, recipe: Recipe, takes: list[View]) -> list[Sums]:
    plainly = replace(settings, flip=False)
    network = _network(net, lambda made: {"xyz": made["xyz"]})
    lifted = method(recipe.method).stage((take.track for take in takes), plainly, network)
    return [take_sums(out, take.truth) for out, take in zip(lifted, takes, strict=True)]


def _ranks(settings: DGNet, net: nn.Module, takes: list[View]) -> dict[str, float]:
    """Rank correlation of the graphs with true nearness and likeness of movement, beside the skeleton's."""
    network = _network(net, lambda made: made)
    away = ~np.eye(len(H36M), dtype=bool)
    bones = adjacency(H36M).numpy()[away]
    found: dict[str, list[float]] = {}
    for take in takes:
        middle = [len(take.truth) // 2]
        graphs = affinities(take.track, settings, network, middle)
        xyz = take.truth[middle[0]]
        near = -np.linalg.norm(xyz[:, None] - xyz[None], axis=-1)[away]
        half = settings.frames // 2
        moved = np.diff(take.truth[max(middle[0] - half, 0) : middle[0] + half + 1], axis=0)
        moved = moved.transpose(1, 0, 2).reshape(len(H36M), -1)
        sizes = np.linalg.norm(moved, axis=1, keepdims=True)
        alike = (moved @ moved.T / np.maximum(sizes * sizes.T, 1e-12))[away]
        for word, graph, truth in (
            ("spatial", graphs["spatial"], near),
            ("temporal", graphs["temporal"], alike),
        ):
            found.setdefault(word, []).append(spearmanr(graph[0].mean(0)[away], truth).statistic)
            found.setdefault(f"skeleton for {word}", []).append(spearmanr(bones, truth).statistic)
    return {word: float(np.nanmean(values)) for word, values in found.items()}


def _variant(recipe: Recipe, runs: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """Means over seeds, their spread, and what the variant costs."""
    first = next(iter(runs.values()))
    out: dict[str, Any] = {
        "recipe": f"recipes/{recipe.name}.toml", "settings": recipe.settings,
        "frames": recipe.settings["frames"], "parameters": first["parameters"],
        "train_seconds": float(np.mean([run["seconds"] for run in runs.values()])),
    }  # fmt: skip
    for word in LEVELS:
        seeds = [figures(run[word]) for run in runs.values()]
        out[word] = {name: float(np.mean([one[name] for one in seeds])) for name in seeds[0]}
        out[word]["P1_seeds"] = [one["P1"] for one in seeds]
    if "ranks" in first:
        out["ranks"] = {k: float(np.mean([run["ranks"][k] for run in runs.values()])) for k in first["ranks"]}
    return out


def _gains(made: dict[str, dict[int, dict[str, Any]]], word: str) -> dict[str, Any]:
    """How much the first of each claim is better than the second, figure by figure."""
    held = {name: {seed: run[word] for seed, run in runs.items()} for name, runs in made.items()}
    return {
        f"{a} over {b}": {name: gain(held[a], held[b], name) for name in FIGURES}
        for a, b in CLAIMS
        if a in held and b in held
    }


def _protocol(
    args: argparse.Namespace, held: list[Any], judged: dict[str, list[View]], batch: int
) -> dict[str, Any]:
    return {
        "data": "CMU motion capture on drawn bodies before Human3.6M-like cameras; held-out people",
        "groups": sorted({motion.group for motion in held}), "takes": len(held),
        "frames": sum(len(take.truth) for take in judged["clean"]), "unit": "mm of a person of 1.70 m",
        "steps": args.steps, "batch": batch, "seeds": args.seeds, "flip_test": False,
        "interval": "95 %, paired, takes resampled 2000 times, mean over seeds",
    }  # fmt: skip


def _line(run: dict[str, Any]) -> str:
    told = ", ".join(f"{word} P1 {figures(run[word])['P1']:.1f} mm" for word in LEVELS)
    return f"{told}; {run['parameters']} parameters, {run['seconds']:.0f} s"


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(held) for key, held in value.items()}
    if isinstance(value, list):
        return [_rounded(held) for held in value]
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
