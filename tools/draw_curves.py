"""Draw how the loss of trained recipes fell, from what training left in the user's cache.

    python tools/draw_curves.py [RECIPE ...] [--out docs/methods/curves.png]

Writes results/curves.json too: per recipe the steps, and over each stretch of them the mean of the loss and
of the rate. Recipes default to those of the shipped estimators and the detector; each must have been trained
here.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from marey.core.errors import MareyError
from marey.training.make import run_folder
from marey.training.recipe import read_recipe

RECIPES = Path(__file__).parents[1] / "recipes"
SHIPPED = ["baseline-thunder", "baseline-lightning", "baseline-open", "detector"]
RESULT = Path("results/curves.json")
STRETCHES = 64
"""Points of a curve: single batches differ more than the whole training changes."""


def curve(name: str) -> dict[str, list[float]]:
    """Means of a recipe's curve over equal stretches of its steps."""
    path = run_folder(read_recipe(RECIPES / f"{name}.toml", [], {})) / "curve.jsonl"
    if not path.is_file():
        raise MareyError(f"{path}: not there; train recipes/{name}.toml first")
    lines: list[dict[str, Any]] = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    pieces = np.array_split(np.arange(len(lines)), min(STRETCHES, len(lines)))
    kept: dict[str, list[float]] = {"step": [lines[piece[-1]]["step"] for piece in pieces]}
    for key in ("loss", "rate"):
        kept[key] = [float(np.mean([lines[k][key] for k in piece])) for piece in pieces]
    return kept


def main() -> None:
    """Thin the curves, keep and draw them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipes", nargs="*", default=SHIPPED)
    parser.add_argument("--out", type=Path, default=Path("docs/methods/curves.png"))
    args = parser.parse_args()
    curves = {name: curve(name) for name in args.recipes}
    RESULT.write_text(
        json.dumps({"command": "python tools/draw_curves.py", **curves}, indent=1) + "\n", "utf-8"
    )
    figure, axes = plt.subplots(1, len(curves), figsize=(3.2 * len(curves), 2.6), squeeze=False)
    for axis, (name, own) in zip(axes[0], curves.items(), strict=True):
        axis.plot(own["step"], own["loss"], color="#1f6f8b", linewidth=1.6)
        rate = axis.twinx()
        rate.fill_between(own["step"], own["rate"], color="#1f6f8b", alpha=0.12, linewidth=0)
        rate.set(ylim=(0, 2 * max(own["rate"])), yticks=[])
        axis.set(title=name, xlabel="steps", ylabel="loss" if axis is axes[0][0] else "")
        axis.spines[["top", "right"]].set_visible(False)
        rate.spines[:].set_visible(False)
    figure.tight_layout()
    figure.savefig(args.out, dpi=110)
    print(RESULT, args.out)


if __name__ == "__main__":
    main()
