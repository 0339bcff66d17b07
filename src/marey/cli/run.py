"""`marey run`: videos in, recordings out."""

import argparse
import json
import os
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from marey.cli import complain
from marey.core.errors import MareyError
from marey.core.folders import sample_clip
from marey.export import FORMATS
from marey.pipeline.plan import PRESETS, Plan, check
from marey.pipeline.run import inputs, result_folder
from marey.pipeline.run import run as measure

EXAMPLES = """examples:
  marey run                                        the sample clip that comes with marey
  marey run walk.mp4                               into walk.marey/, beside the video
  marey run *.mp4 -o results --quality best        several, slower and better
  marey run gait.mov --from 12 --to 20 --subject largest --export csv,openpose
  marey run night.mp4 --workers 4                  clips of a minute, four at a time
  marey run night.mp4 --workers 4 --resume         go on where it was interrupted
  marey run crowd.mp4 --find boxes:tracks.txt      people found by something else
  marey run walk.mp4 --lift dgnet --height 1.82    in metres as well
"""
WORKERS = max(1, (os.cpu_count() or 1) // 4)
"""Processes unless said otherwise (our choice: a network uses about four cores well)."""


def add(subparsers: Any) -> argparse.ArgumentParser:
    """Describe the verb."""
    default = Plan()
    parser = subparsers.add_parser(
        "run",
        help="measure videos",
        description="Find and follow the people in videos and measure their poses, into NAME.marey/.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "videos", nargs="*", metavar="VIDEO", help="files, folders of videos, folders of pictures"
    )
    parser.add_argument("-o", dest="out", metavar="DIR", help="where results go (default: beside each video)")
    what = parser.add_argument_group("what is measured")
    what.add_argument("--quality", choices=PRESETS, default=default.quality, help="(default: %(default)s)")
    what.add_argument("--find", metavar="NAME|boxes:FILE", help="network that finds people, or their boxes")
    what.add_argument("--estimate", metavar="NAME|CARD", help="network that estimates poses")
    flip = "average with the mirrored picture: better, half as fast (default: as the quality says)"
    what.add_argument("--flip", action=argparse.BooleanOptionalAction, help=flip)
    subject = "all, largest, most-moving or an id (default: %(default)s)"
    what.add_argument("--subject", default=default.subject, metavar="WHO", help=subject)
    what.add_argument("--from", dest="from_s", type=float, metavar="S", help="first second to measure")
    what.add_argument("--to", dest="to_s", type=float, metavar="S", help="second to stop at")
    made = parser.add_argument_group("what is made of it")
    made.add_argument("--export", default="", metavar="A,B", help=f"formats to add: {', '.join(FORMATS)}")
    made.add_argument("--overlay", action=argparse.BooleanOptionalAction, default=default.overlay)
    made.add_argument(
        "--codec", default=default.codec, help="video encoder of the overlay (default: %(default)s)"
    )
    _add_space(parser.add_argument_group("space"))
    how = parser.add_argument_group("how")
    how.add_argument("--device", choices=("auto", "cpu", "cuda"), default=default.device)
    how.add_argument("--workers", type=int, default=WORKERS, metavar="N", help="(default: %(default)s here)")
    how.add_argument("--resume", action="store_true", help="continue an interrupted run")
    how.add_argument("--overwrite", action="store_true", help="replace what lies in the result folder")
    how.add_argument("--json", action="store_true", help="print the outcome as JSON")
    return parser


def _add_space(group: Any) -> None:
    """Options of lifting."""
    group.add_argument("--lift", metavar="NAME|CARD", help="lift tracks into metres, such as with dgnet")
    group.add_argument("--fov", type=float, metavar="DEG", help="the lens's angle from left to right")
    group.add_argument("--intrinsics", metavar="FILE", help="the lens as a calibration (TOML) instead")
    height = "people's height, or one person's (default: 1.70, and the result says assumed)"
    group.add_argument("--height", action="append", default=[], metavar="M|ID=M", help=height)
    group.add_argument("--camera-pitch", type=float, metavar="DEG", help="above 0: the camera looks up")
    group.add_argument("--camera-roll", type=float, metavar="DEG", help="above 0: its right side is higher")
    group.add_argument("--contacts", action="store_true", help="feet that stand keep their distance")
    group.add_argument("--overlay-3d", action="store_true", help="draw people in space beside the picture")


def run(args: argparse.Namespace) -> int:
    """Measure every input; one that fails does not stop the others."""
    names = ("quality", "find", "estimate", "flip", "subject", "from_s", "to_s", "overlay", "codec", "device")
    space = ("lift", "fov", "intrinsics", "camera_pitch", "camera_roll", "contacts", "overlay_3d")
    chosen = {name: getattr(args, name) for name in (*names, *space, "workers", "resume", "overwrite")}
    chosen["height"] = tuple(args.height)
    plan = Plan(**chosen, export=tuple(name for name in args.export.split(",") if name))
    try:
        check(plan)
    except MareyError as error:
        complain(str(error))
        return 2
    videos = inputs(args.videos) if args.videos else [sample_clip()]
    out = args.out if args.out or args.videos else "."
    folders = [result_folder(video, out) for video in videos]
    outcomes = []
    for k, (video, folder) in enumerate(zip(videos, folders, strict=True)):
        twin = videos[folders.index(folder)] if folder in folders[:k] else None
        outcomes.append(_one(video, folder, plan, args.json, twin))
    if args.json:
        print(json.dumps({"version": version("marey"), "inputs": outcomes}, indent=1))
    return 1 if any(outcome["status"] == "failed" for outcome in outcomes) else 0


def _one(video: Path, folder: Path, plan: Plan, quiet: bool, twin: Path | None) -> dict[str, Any]:
    """Measure an input, unless an earlier one, its twin, already goes to the same folder."""
    begin = time.perf_counter()
    outcome = {"path": str(video), "status": "done", "folder": str(folder), "frames": None, "people": None}
    try:
        if twin is not None:
            raise MareyError(f"{video}: {folder} is where {twin} goes; run it apart, with another -o")
        recording = measure(video, folder.parent, plan)
    except MareyError as error:
        complain(str(error))
        failed = {"status": "failed", "seconds": round(time.perf_counter() - begin, 3), "error": str(error)}
        return outcome | failed
    except KeyboardInterrupt:
        complain(f"{video}: interrupted; what was measured is kept: continue with --resume")
        raise SystemExit(130) from None
    frames, people, seconds = len(recording.frame), len(recording.ids), time.perf_counter() - begin
    if not quiet:
        print(f"{folder}: {frames} frames, {people} {'person' if people == 1 else 'people'}, {seconds:.1f} s")
    return outcome | {"frames": frames, "people": people, "seconds": round(seconds, 3), "error": None}
