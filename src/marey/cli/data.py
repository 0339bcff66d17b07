"""`marey data`: what lies in a data set, whether it is whole, what it looks like."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import cv2

from marey.cli import complain
from marey.core.errors import SettingsError
from marey.data import KINDS, SPLITS, open_kind
from marey.data.preview import describe, problems, sheet

EXAMPLES = """examples:
  marey data describe coco:data/coco --split val
  marey data check lsp:data/lsp
  marey data preview jhmdb:data/jhmdb -o jhmdb.png
"""


def add(subparsers: Any) -> argparse.ArgumentParser:
    """Describe the verb."""
    parser = subparsers.add_parser(
        "data",
        help="describe, check or show a data set",
        description=f"Data sets that marey reads: {', '.join(KINDS)}.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    doing = parser.add_argument("doing", choices=("describe", "check", "preview"))
    doing.help = "figures; everything read and tested; a sheet of pictures with their truth"
    parser.add_argument("data", metavar="KIND:PATH", help="kind and folder, such as lsp:data/lsp")
    parser.add_argument("--split", choices=SPLITS, default="all", help="(default: %(default)s)")
    parser.add_argument("-o", dest="out", metavar="FILE.png", help="where the sheet goes (default: KIND.png)")
    parser.add_argument("--count", type=int, default=24, help="pictures on the sheet (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    """Do what was asked; `check` returns 1 where something is wrong."""
    kind, _, path = args.data.partition(":")
    if not path:
        raise SettingsError(f"{args.data}: KIND:PATH is expected, such as lsp:data/lsp")
    samples = open_kind(kind, path, args.split)
    if args.doing == "describe":
        _say(describe(samples), args.json)
        return 0
    if args.doing == "check":
        found = list(problems(samples))
        for line in found:
            complain(line)
        _say({"pictures": len(samples), "problems": len(found)}, args.json)
        return 1 if found else 0
    if args.count < 1:
        raise SettingsError(f"--count {args.count}: at least 1 is needed")
    out = Path(args.out or f"{kind}.png")
    picture = cv2.cvtColor(sheet(samples, args.count), cv2.COLOR_RGB2BGR)
    if out.suffix != ".png" or not out.parent.is_dir() or not cv2.imwrite(str(out), picture):
        raise SettingsError(f"-o {out}: cannot be written; name a .png in a folder that exists")
    _say({"sheet": str(out), "pictures": min(args.count, len(samples))}, args.json)
    return 0


def _say(values: dict[str, Any], as_json: bool) -> None:
    if as_json:
        json.dump(values, sys.stdout, ensure_ascii=False)
        print()
        return
    for name, value in values.items():
        shown = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        print(f"{name.replace('_', ' ')}: {shown}")
