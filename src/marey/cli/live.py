"""`marey live`: a camera or stream in, one line of JSON a frame out."""

import argparse
import json
import sys
import time
from typing import Any

import numpy as np

from marey.pipeline.live import Sight, watch
from marey.pipeline.plan import PRESETS, Plan
from marey.video.live import live

EXAMPLES = """examples:
  marey live 0                                    the first camera
  marey live rtsp://camera.local/stream           a network camera, over TCP
  ffmpeg -i … -f nut - | marey live -             whatever another program sends

Each line on stdout is a frame:
  {"frame": 12, "time_s": 0.41, "lag_s": 0.03, "people": [{"person": 1, "score": 0.9,
   "box_px": [x0, y0, x1, y1], "joints": {"nose": [x, y, score], …}}]}
A joint that is not known is null. Frames that come while one is measured are dropped, never queued.
"""
SAID_EVERY_S = 2.0
"""How often the lag is told on stderr."""


def add(subparsers: Any) -> argparse.ArgumentParser:
    """Describe the verb."""
    default = Plan(quality="fast")
    parser = subparsers.add_parser(
        "live",
        help="measure a camera or stream",
        description="Measure a camera, network stream or standard input while it runs.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="SOURCE", help="number of a camera, URL, or - for standard input")
    parser.add_argument("--quality", choices=PRESETS, default=default.quality, help="(default: %(default)s)")
    parser.add_argument("--find", metavar="NAME", help="network that finds people")
    parser.add_argument("--estimate", metavar="NAME|CARD", help="network that estimates poses")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default=default.device)
    return parser


def run(args: argparse.Namespace) -> int:
    """Print a line a frame until the source ends."""
    plan = Plan(quality=args.quality, find=args.find, estimate=args.estimate, device=args.device)
    said = time.monotonic()
    count = 0
    with live(args.source) as source:
        for count, sight in enumerate(watch(source, plan), start=1):
            print(json.dumps(_line(sight)), flush=True)
            if time.monotonic() - said > SAID_EVERY_S:
                said = time.monotonic()
                print(_state(sight, count), file=sys.stderr)
    print(f"{source.info.name}: ended; {count} frames measured, {source.dropped} dropped", file=sys.stderr)
    return 0


def _state(sight: Sight, count: int) -> str:
    people = len(sight.poses)
    return f"lag {1000 * sight.lag_s:.0f} ms, {count} frames, {sight.dropped} dropped, {people} in view"


def _line(sight: Sight) -> dict[str, Any]:
    poses = sight.poses
    people = []
    for k in range(len(poses)):
        joints = np.concatenate([poses.xy_px[k], poses.scores[k][:, None]], -1).round(3).tolist()
        people.append(
            {
                "person": int(poses.people.ids[k]),
                "score": round(float(poses.people.scores[k]), 3),
                "box_px": poses.people.boxes_px[k].round(2).tolist(),
                "joints": {
                    name: None if np.isnan(values[0]) else values
                    for name, values in zip(poses.skeleton.joints, joints, strict=True)
                },
            }
        )
    time_s, lag_s = round(poses.frame.time_s, 6), round(sight.lag_s, 4)
    return {"frame": sight.index, "time_s": time_s, "lag_s": lag_s, "people": people}
