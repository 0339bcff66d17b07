"""What synthetic video is worth: trained on real data, and on real and synthetic, in as many steps.

    python tools/compare_synthetic.py {estimator,detector} [--made DIR] [--seeds 1,2,3] [--set A.B=C]
    [--data ../shared/data] [--name NAME]

The arms are two recipes that differ in their data alone. `--made` is where `marey synth bench --tier small`
put the material; its training part is used. Judged is on real data: estimators on validation parts with true
boxes, body part by body part too; detectors on COCO's, on held-back negatives, and on a clip of people who
walk through a room one by one. Differences are synthetic less real, bootstrapped over pictures, the same ones
for both arms. What is trained lies in the user's cache by the print of its recipe, so a stopped comparison
goes on where it was; the real arms are those of tools/compare_clnet.py and of the detector that ships.
Writes its part of results/synthetic.json.
"""

import argparse
import hashlib
import json
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from compare_clnet import JUDGES, RECIPES, Arm, compared, mean, measured
from compare_detectors import LEAST, judge, matched

from marey import weights
from marey.core.folders import cache_dir
from marey.core.settings import parse
from marey.data import open_kind
from marey.data.sample import Sample
from marey.evaluation.by_pck import person_errors
from marey.evaluation.ghosts import NEAR_S
from marey.evaluation.intervals import paired
from marey.evaluation.judged import Judged, shared_joints
from marey.evaluation.measure import Detect, Posed
from marey.evaluation.result import Result, commit
from marey.methods.detector import Detector, Finder
from marey.metrics import boxes, matching, pck
from marey.synth.bench import TRACKS
from marey.training.cache import CacheSettings, people
from marey.training.make import make
from marey.training.recipe import DATA, MADE, Recipe, read_recipe
from marey.video.read import read

ESTIMATORS = {"real": Arm("baseline-mobilenet-128"), "synthetic": Arm("baseline-mobilenet-128-synthetic")}
DETECTORS = {"real": "detector", "synthetic": "detector-synthetic"}
LENGTHS = {"lsp": "pck-torso", "coco": "pck-box"}
"""What parts of the body are judged by, set by set (`metrics/pck.py`)."""
LABELS = Path(__file__).parents[1] / "tests" / "fixtures" / "one-by-one-empty.toml"
EDGE_S = 0.5
"""Nearer than this to an empty stretch somebody may be half in the picture, and nothing is asked."""


def by_part(kind: str, samples: Sequence[Sample], found: Sequence[Posed]) -> Judged:
    """PCK of each part of the body, left and right together."""
    rule, skeleton = pck.PROTOCOLS[LENGTHS[kind]], samples[0].truth.skeleton
    errors, _ = person_errors(rule, samples, found)
    columns: dict[str, list[int]] = {}
    for k in shared_joints(found[0].skeleton, skeleton):
        columns.setdefault(skeleton.joints[k].removeprefix("left_").removeprefix("right_"), []).append(k)
    right = pck.right(errors, rule.alphas[0])
    hits = {part: np.nansum(right[:, held], 1) for part, held in columns.items()}
    counts = {part: (~np.isnan(right[:, held])).sum(1) for part, held in columns.items()}

    def figures(drawn: np.ndarray) -> dict[str, float]:
        return {part: float(drawn @ hits[part] / (drawn @ counts[part] or np.nan)) for part in columns}

    clips = [sample.clip for sample in samples for _ in range(len(sample.truth))]
    return Judged(Result({}, len(errors), figures(np.ones(len(errors)))), clips, figures)


def estimators(args: argparse.Namespace) -> dict[str, Any]:
    """Train, run and compare both arms with every seed."""
    sets = {kind: open_kind(kind, args.data / kind, "val") for kind in JUDGES}
    rows: dict[str, dict[str, Any]] = {}
    whole: dict[str, dict[str, list[Judged]]] = {}
    parts: dict[str, dict[str, list[Judged]]] = {}
    for name, arm in ESTIMATORS.items():
        held = measured(arm, sets, args)
        whole[name] = held["judged"]
        parts[name] = {kind: [by_part(kind, sets[kind], one) for one in held["found"][kind]] for kind in sets}
        by_seed = {kind: [one.result.metrics for one in own] for kind, own in parts[name].items()}
        rows[name] = {**held["row"], "parts": {kind: mean(seeds) for kind, seeds in by_seed.items()}}
        print(name, json.dumps(rows[name]["metrics"]), flush=True)
    recipe = recipe_of(ESTIMATORS["synthetic"].recipe, args)
    return {
        "seeds": args.seeds,
        "synthetic_share": share(recipe),
        "arms": rows,
        "differences": {kind: compared(whole["synthetic"][kind], whole["real"][kind]) for kind in sets},
        "parts": {kind: compared(parts["synthetic"][kind], parts["real"][kind]) for kind in sets},
    }


def share(recipe: Recipe) -> float:
    """The share of all people drawn that is synthetic."""
    source = people(recipe.data, CacheSettings()).source
    odds = np.array([one.repeat for one in recipe.data])[source]
    made = np.isin([one.kind for one in recipe.data], MADE)[source]
    return float(odds[made].sum() / odds.sum())


def detectors(args: argparse.Namespace) -> dict[str, Any]:
    """Train, run and compare both arms."""
    persons = list(open_kind("coco", args.data / "coco", "val"))
    nobody = list(open_kind("negatives", args.data / "negatives", "val"))
    labels = tomllib.loads(LABELS.read_text("utf-8"))
    clip, empty_s = args.data / "videos" / labels["video"], [tuple(pair) for pair in labels["empty_s"]]
    rows, ranked = {}, {}
    for name, title in DETECTORS.items():
        recipe = recipe_of(title, args)
        network = weights.load(str(finished(recipe)), "cpu", threads=1)
        settings = parse(Detector, network.card.settings)
        detect = Finder(replace(settings, score=LEAST), network).detect
        images = matched(detect, persons)
        ranked[name] = boxes.by_area(images)
        rows[name] = {"recipe": f"recipes/{title}.toml", "recipe_print": recipe.print}
        rows[name] |= judge(images, detect, nobody)
        scores = {"tracking.start": settings.tracking.start, **rows[name]["score_at_recall"]}
        rows[name]["clip"] = rates(*on_clip(detect, clip), empty_s, scores)
        print(name, json.dumps({key: rows[name][key] for key in ("AP", "AP50", "clip")}), flush=True)

    def differences(drawn: np.ndarray) -> dict[str, float]:
        first, second = (matching.figures(ranked[name], drawn) for name in ("synthetic", "real"))
        return {key: first[key] - second[key] for key in first}

    return {"arms": rows, "differences": paired([sample.clip for sample in persons], differences)}


def finished(recipe: Recipe) -> Path:
    """The card of a recipe's network, made if it is not there yet."""
    folder = cache_dir() / "compare" / recipe.print
    card = folder / f"{recipe.name}.toml"
    return card if card.is_file() else make(recipe, folder, resume=True)


def on_clip(detect: Detect, clip: Path) -> tuple[np.ndarray, np.ndarray]:
    """The best score on every frame of a clip (0: nothing), and the frames' times."""
    best, times = [], []
    for frame in read(clip).frames():
        scores = detect([frame.rgb])[0][1]
        best.append(float(scores.max(initial=0.0)))
        times.append(frame.time_s)
    return np.array(best), np.array(times)


def rates(
    best: np.ndarray, times_s: np.ndarray, empty_s: Sequence[tuple[float, float]], scores: dict[str, float]
) -> dict[str, dict[str, float]]:
    """How often somebody is found where somebody is (`recall`) and where nobody is (`ghosts`)."""
    empty, someone = told(times_s, empty_s)
    return {
        name: {
            "score": score,
            "recall": float((best[someone] >= score).mean()),
            "ghosts": float((best[empty] >= score).mean()),
        }
        for name, score in scores.items()
        if np.isfinite(score)
    }


def told(times_s: np.ndarray, empty_s: Sequence[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """At which times nobody is there for certain, and at which somebody."""
    empty, near = np.zeros(len(times_s), bool), np.zeros(len(times_s), bool)
    for first, last in empty_s:
        empty |= (times_s >= first - NEAR_S) & (times_s <= last + NEAR_S)
        near |= (times_s > first - EDGE_S) & (times_s < last + EDGE_S)
    return empty, ~near


def recipe_of(title: str, args: argparse.Namespace) -> Recipe:
    """A recipe. Data that lie where recipes say stay unsaid, so its print is that of `marey train`."""
    if args.data == DATA:
        return read_recipe(RECIPES / f"{title}.toml", args.set, args.folders)
    lie = {kind.name: str(kind) for kind in args.data.iterdir() if kind.is_dir()}
    changes = [f"starts={args.data / 'teachers'}", *args.set]
    return read_recipe(RECIPES / f"{title}.toml", changes, lie | args.folders)


def material(folder: Path) -> dict[str, Any]:
    """What was learned from: its clips, and the hash of their truths that `marey synth bench` printed."""
    truths = [file for track in TRACKS for file in sorted((folder / track / "train").glob("*.truth"))]
    text = "\n".join(file.read_text("ascii").split()[0] for file in truths)
    return {"clips": len(truths), "truth": hashlib.sha256(text.encode()).hexdigest()[:16]}


def main() -> None:
    """Parse, compare, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("estimator", "detector"))
    parser.add_argument("--made", type=Path, default=cache_dir() / "synth" / "small", metavar="DIR")
    parser.add_argument("--seeds", type=lambda text: [int(s) for s in text.split(",")], default=[1, 2, 3])
    parser.add_argument("--set", action="append", default=[], metavar="A.B=C", help="in every recipe")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--name", default="synthetic", help="of the result (default: %(default)s)")
    args = parser.parse_args()
    args.folders, args.flip = {"bench": str(args.made)}, False
    found = {"estimator": estimators, "detector": detectors}[args.what](args)
    command = " ".join(["python", *sys.argv])
    found |= {"made": {"command": command, "commit": commit(), "material": material(args.made)}}
    path = Path("results") / f"{args.name}.json"
    told_before = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    path.write_text(json.dumps({**told_before, args.what: found}, indent=2) + "\n", "utf-8")
    print(path)


if __name__ == "__main__":
    main()
