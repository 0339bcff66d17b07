"""`marey export`: a recording handed on in other formats."""

import argparse
from typing import Any

from marey.core.recording import Recording
from marey.export import FORMATS, export

EXAMPLES = """examples:
  marey export walk.marey --to csv                  into walk.marey/
  marey export walk.marey --to coco,openpose -o out
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
    recording = Recording.open(args.recording)
    for name in args.to.split(","):
        print(export(recording, args.out or args.recording, name))
    return 0
