"""`marey export`: a recording handed on in other formats."""

import argparse
from typing import Any

from marey.core.recording import Recording
from marey.export import FORMATS, check, export

EXAMPLES = """examples:
  marey export walk.marey --to csv                  into walk.marey/
  marey export walk.marey --to coco,openpose -o out
  marey export walk.marey --to trc,c3d,bvh          metres, of a recording made with --lift
"""


def add(subparsers: Any) -> argparse.ArgumentParser:
    """Describe the verb."""
    parser = subparsers.add_parser(
        "export",
        help="hand a recording on in other formats",
        description="Write a recording, NAME.marey, in formats that other programs read.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("recording", metavar="REC", help="folder NAME.marey")
    parser.add_argument("--to", required=True, metavar="A,B", help=f"formats: {', '.join(FORMATS)}")
    parser.add_argument("-o", dest="out", metavar="DIR", help="where to write (default: into the recording)")
    return parser


def run(args: argparse.Namespace) -> int:
    """Write every format asked for."""
    recording, names = Recording.open(args.recording), args.to.split(",")
    for name in names:
        check(name, recording)
    for name in names:
        for path in export(recording, args.out or args.recording, name):
            print(path)
    return 0
