"""`marey synth`: video of people who were never filmed, with exact truth."""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from marey.core.errors import SettingsError

EXAMPLES = """examples:
  marey synth single -o clips                        one clip of one person, with our own motions
  marey synth crowd --mocap data/mocap --count 4 -o clips --keep masks,flow
  marey synth bench --tier tiny -o bench             the benchmark, small enough to try
  marey eval fast --data bench:bench/crowd --split test
"""
WHAT = ("single", "fast", "occlusion", "crowd", "identity", "3d", "bench")


def add(subparsers: Any) -> argparse.ArgumentParser:
    """Describe the verb."""
    parser = subparsers.add_parser(
        "synth",
        help="make video of people with exact truth",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("track", choices=WHAT, help="what the clip is about; bench: all of them")
    parser.add_argument("-o", dest="out", type=Path, required=True, metavar="DIR", help="where clips go")
    parser.add_argument("--seed", type=int, default=1, help="(default: %(default)s); of the first clip")
    parser.add_argument("--count", type=int, default=1, help="clips (default: %(default)s)")
    parser.add_argument("--seconds", type=float, help="length of a clip (default: 4)")
    parser.add_argument("--size", default="640x360", help="(default: %(default)s)")
    parser.add_argument("--mocap", default="", metavar="DIR", help="motion capture, as mocap:DIR is laid out")
    parser.add_argument("--photographs", default="", metavar="DIR", help="pictures for backdrops")
    parser.add_argument(
        "--keep", default="", metavar="LIST", help="of masks, flow, depth, with commas between"
    )
    parser.add_argument("--tier", default="tiny", help="of bench: tiny, small or full (default: %(default)s)")
    parser.add_argument("--tracks", default="", metavar="LIST", help="of bench: these only")
    parser.add_argument(
        "--splits", default="", metavar="LIST", help="of bench: of train, val, test these only"
    )
    parser.add_argument("--workers", type=int, default=1, help="of bench (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    """Make what was asked for, and print the hash of its truth."""
    from marey.synth.bench import TRACKS, make_bench, orders, part
    from marey.synth.clip import KEEP, make_clip

    if args.track == "bench":
        todo = part(orders(args.tier, args.mocap, args.photographs), _names(args.tracks), _names(args.splits))
        found = make_bench(todo, args.out, args.workers)
        told = {"folder": str(args.out), "tier": args.tier, "clips": str(len(todo)), "truth": found}
        _say(told, args.json)
        return 0
    keep = _names(args.keep)
    if unknown := set(keep) - set(KEEP):
        raise SettingsError(f"--keep {', '.join(sorted(unknown))}: not known; choose from {', '.join(KEEP)}")
    film = replace(TRACKS[args.track], size=_size(args.size), mocap=args.mocap, photographs=args.photographs)
    if args.seconds is not None:
        film = replace(film, seconds=args.seconds)
    for seed in range(args.seed, args.seed + args.count):
        name = f"{args.track}-{seed}"
        found = make_clip(film, seed, args.out, name, keep)
        _say({"clip": str(args.out / name), "truth": found}, args.json)
    return 0


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.partition("x")
    if not (cross and width.isdigit() and height.isdigit()):
        raise SettingsError(f"--size {text}: WIDTHxHEIGHT is expected, such as 640x360")
    return int(width), int(height)


def _say(values: dict[str, str], as_json: bool) -> None:
    if as_json:
        json.dump(values, sys.stdout, ensure_ascii=False)
        print()
    else:
        print(", ".join(f"{name} {value}" for name, value in values.items()))
