"""How much of a training's time the processor is on the network.

    python tools/bench_training.py [RECIPE ...] [--steps 20]      writes results/bench-training.json

Images a second of real steps (batches drawn on a thread, pixels augmented, gradients clipped, optimiser,
average, curve) beside those of forward and backward alone on the same batches made beforehand, in one process
and one after the other. Wants the data of the recipes; says so and stops where they are not there.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

from marey.evaluation.result import commit
from marey.training.loop import bare_rate, fit
from marey.training.make import prepared
from marey.training.recipe import Recipe, read_recipe

RECIPES = ("recipes/baseline-thunder.toml", "recipes/baseline-lightning.toml", "recipes/detector.toml")
RESULT = Path("results/bench-training.json")


def measure(recipe: Recipe, steps: int) -> dict[str, float]:
    """Images a second of whole steps and of the bare loop."""
    settings, twin, net, batches = prepared(recipe)
    if batches is None:
        raise SystemExit(f"{recipe.name}: trains no steps")
    loss = partial(twin.loss, settings=settings)
    train = replace(recipe.train, steps=2 * steps, log_every=steps, save_every=2 * steps)
    with tempfile.TemporaryDirectory() as folder:
        fit(net, loss, batches, train, Path(folder))
        lines = (Path(folder) / "curve.jsonl").read_text().splitlines()
    whole = json.loads(lines[-1])["images_s"]  # the first half warms up
    bare = bare_rate(net, loss, batches, train, range(steps - 1, 2 * steps))
    return {"images_s": whole, "bare_images_s": round(bare, 2), "ratio": round(whole / bare, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipes", nargs="*", type=Path, default=[Path(name) for name in RECIPES])
    parser.add_argument("--steps", type=int, default=20)
    args = parser.parse_args()
    recipes = [read_recipe(path, [], {}) for path in args.recipes]
    absent = [source.folder for recipe in recipes for source in recipe.data if not source.folder.is_dir()]
    if absent:
        sys.stderr.write(f"{absent[0]}: the data of the recipes are not here; nothing was measured\n")
        return
    result: dict[str, object] = {
        "commit": commit(),
        "command": " ".join(["python", *sys.argv]),
        "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()},
    }
    for recipe in recipes:
        result[recipe.name] = row = measure(recipe, args.steps)
        speeds = f"{row['images_s']:7.2f} of {row['bare_images_s']:7.2f} images/s"
        print(f"{recipe.name:24} {speeds}: {row['ratio']:.2f}", flush=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
