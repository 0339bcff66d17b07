"""`marey eval`: how good a network is, on labelled data, by a stated protocol."""

import argparse
import json
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from marey.core.errors import SettingsError
from marey.data import SPLITS
from marey.evaluation import Evaluated, Result, compare, evaluate_network, evaluate_poses
from marey.evaluation.motion import PROTOCOLS, RULE
from marey.evaluation.poses import Name
from marey.pipeline.plan import PRESETS
from marey.report import write_page

EXAMPLES = """examples:
  marey eval default --data lsp:data/lsp --split val
  marey eval default --data lsp:data/lsp --split val --html lsp.html    plots, joints, the worst pictures
  marey eval best --data coco:data/coco --split val --boxes find
  marey eval baseline-thunder --flip --data coco:data/coco --split val --save coco-val-thunder
  marey eval detector --data coco:data/coco --split val
  marey eval detector --data negatives:data/negatives --split val
  marey eval --poses theirs.json --data coco:data/coco --split val      poses made by any tool
  marey eval fast --data coco:data/coco --write ours.json --against theirs.json
  marey eval best --data posetrack18:data/posetrack18 --split val --protocol tracks   who is who
  marey eval dgnet --data mocap:data/mocap --split val                   poses in space, from true 2D
  marey eval best --lift dgnet --data h36m:data/h36m --split test        the same from our own 2D
  marey eval balanced --data pose2sim:data/pose2sim --subject most-moving   agreement of calibrated cameras
"""


FOR_THE_PAGE = ("curve", "worst")
"""Tables that are long, and are looked at as pictures."""


def add(subparsers: Any) -> argparse.ArgumentParser:
    """Describe the verb."""
    parser = subparsers.add_parser(
        "eval",
        help="measure a network on labelled data",
        description="Measure a network, or a quality of `marey run`, on labelled data. "
        "Figures are fractions in [0, 1].",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    words = f"a network, the path of its card, default, {', '.join(PRESETS)}"
    parser.add_argument("name", metavar="NAME", nargs="?", help=words)
    poses = "score this file instead: COCO or PoseTrack JSON, a folder of OpenPose's, a recording"
    parser.add_argument("--poses", type=Path, metavar="FILE", help=poses)
    against = "compare with this file of poses: differences with intervals by a paired bootstrap"
    parser.add_argument("--against", type=Path, metavar="FILE", help=against)
    parser.add_argument("--write", type=Path, metavar="FILE", help="keep the estimated poses (COCO results)")
    parser.add_argument("--data", required=True, metavar="KIND:PATH", help="such as lsp:data/lsp")
    parser.add_argument("--split", choices=SPLITS, default="all", help="(default: %(default)s)")
    names = ", ".join((*get_args(Name), *PROTOCOLS))
    parser.add_argument("--protocol", metavar="P", help=f"{names} (default: as usual for the kind)")
    boxes = (
        "truth, find (our detector) or a COCO result file (default: find for tracks and cameras, else truth)"
    )
    parser.add_argument("--boxes", metavar="truth|find|FILE", help=boxes)
    flip = "average with the mirrored crop (default: as the quality or network has it)"
    parser.add_argument("--flip", action=argparse.BooleanOptionalAction, help=flip)
    lift = "lift the estimated 2D with this network and judge it in space"
    parser.add_argument("--lift", metavar="NAME", help=lift)
    height = "people's height where poses are lifted (default: 1.70)"
    parser.add_argument("--height", metavar="M", help=height)
    subject = f"whom calibrated cameras look at: largest, most-moving or an id (default: {RULE})"
    parser.add_argument("--subject", metavar="RULE", help=subject)
    parser.add_argument("--save", metavar="NAME", help="write results/NAME.json")
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="write a page: plots, joints, worst pictures"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    """Measure, print and, if asked, save."""
    _check(args)
    done = _measure(args)
    result = done.result
    made = {**result.made, "command": command(args)}
    if args.against:
        ours = args.poses or args.write
        table = compare(ours, args.against, args.data, args.split, args.protocol)
        result = replace(result, tables={"against": table, **result.tables})
        made["against"] = str(args.against)
    result = replace(result, made=made)
    if args.save:
        print(f"written: {result.save(args.save)}", file=sys.stderr)
    if args.html:
        write_page(args.html, replace(done, result=result))
        print(f"written: {args.html}", file=sys.stderr)
    if args.json:
        json.dump(result.as_json(), sys.stdout, ensure_ascii=False)
        print()
    else:
        _show(result)
    return 0


def _check(args: argparse.Namespace) -> None:
    """Refuse at once what would fail after everything is measured."""
    if args.boxes not in (None, "truth", "find") and not Path(args.boxes).is_file():
        raise SettingsError(f"--boxes {args.boxes}: no such file; give truth, find or a COCO result file")
    if (args.name is None) == (args.poses is None):
        raise SettingsError("marey eval: give the NAME of a network or --poses FILE, one of the two")
    if args.against and not (args.poses or args.write):
        raise SettingsError("--against compares files: keep the network's poses with --write FILE")
    for option, path in (("--write", args.write), ("--html", args.html)):
        if path is not None and not path.parent.is_dir():
            raise SettingsError(f"{option} {path}: there is no folder {path.parent}; make it first")


def _measure(args: argparse.Namespace) -> Evaluated:
    height = () if args.height is None else (args.height,)
    asked = {"lift": args.lift, "height": height, "subject": args.subject}
    if args.poses:
        return evaluate_poses(args.poses, args.data, args.split, args.protocol, **asked)
    asked |= {"boxes": args.boxes, "protocol": args.protocol, "flip": args.flip}
    return evaluate_network(args.name, args.data, args.split, args.write, **asked)


def command(args: argparse.Namespace) -> str:
    """The command that gives this result again."""
    words = ["marey", "eval", *(["--poses", str(args.poses)] if args.poses else [args.name])]
    words += ["--data", args.data, "--split", args.split]
    kept = ("write",) if args.against else ()  # what is compared must be written again
    for option in ("protocol", "boxes", "lift", "height", "subject", *kept, "against"):
        value = getattr(args, option)
        words += [f"--{option}", str(value)] if value not in (None, "truth") else []
    words += [] if args.flip is None else ["--flip" if args.flip else "--no-flip"]
    return shlex.join(words)


def _show(result: Result) -> None:
    for name, value in result.metrics.items():
        low, high = result.intervals.get(name, (None, None))
        between = "" if low is None else f"   95 % {low:.4f} … {high:.4f}"
        print(f"{name:24} {value:.4f}{between}")
    for title, values in (("per joint", result.per_joint), *result.tables.items()):
        if values and title not in FOR_THE_PAGE:
            print(f"\n{title.replace('_', ' ')}")
            for line in _lines(values):
                print(f"  {line}")
    print(f"\nitems: {result.items}")
    for name, value in result.protocol.items():
        print(f"{name}: {', '.join(value) if isinstance(value, list) else value}")


def _lines(values: Any) -> list[str]:
    rows = list(values.items()) if isinstance(values, dict) else [("", row) for row in values]
    return [f"{name:16} {_row(value)}".strip() for name, value in rows]


def _row(value: Any) -> str:
    if isinstance(value, dict):
        return "  ".join(f"{name} {_row(held)}" for name, held in value.items())
    return f"{value:.4f}" if isinstance(value, float) else str(value)
