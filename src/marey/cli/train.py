"""`marey train RECIPE`: make a network from its recipe."""

import argparse
import importlib.util
from pathlib import Path

from marey.core.errors import SettingsError

EXAMPLES = """examples:
  marey train recipes/baseline-thunder.toml                       resumable; ends with a network and its card
  marey train recipes/detector.toml --data coco:/data/coco        the set lies elsewhere
  marey train recipes/baseline-thunder.toml --set train.steps=20  a short try
  marey train recipes/tune.toml --data coco:mine -o networks      a shipped network, tuned on your pictures
"""


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Add the verb's parser."""
    parser = subparsers.add_parser(
        "train",
        help="make a network from its recipe",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("recipe", type=Path, help="a file of recipes/")
    parser.add_argument("--set", action="append", default=[], metavar="A.B=C", help="change one setting")
    parser.add_argument(
        "--data", action="append", default=[], metavar="KIND:PATH", help="where a data set lies"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on where the last run of this recipe stopped"
    )
    parser.add_argument(
        "-o", "--output", type=Path, default=None, help="folder of the network (default: the shelf)"
    )
    return parser


def run(args: argparse.Namespace) -> int:
    """Train, export, and print the card's path."""
    for needed in ("torch", "lightning_fabric", "onnx", "onnxruntime"):
        if importlib.util.find_spec(needed) is None:
            raise SettingsError(f"marey train needs {needed}; install it with: pip install 'marey[train]'")
    from marey.training.make import make
    from marey.training.recipe import read_recipe
    from marey.weights.shelf import added_folder

    folders = {}
    for given in args.data:
        kind, colon, path = given.partition(":")
        if not colon:
            raise SettingsError(f"--data {given}: not of the form KIND:PATH")
        folders[kind] = path
    recipe = read_recipe(args.recipe, args.set, folders)
    print(make(recipe, args.output or added_folder(), resume=args.resume))
    return 0
