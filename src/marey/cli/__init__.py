"""The command line: one file per verb, each `add(subparsers)` and `run(args) -> exit code`.

Exit codes: 0 everything was done, 1 something failed (one line each on stderr), 2 wrong use, 130 Ctrl-C, 141
whoever read our output left.
Results go to stdout; progress, log and errors to stderr.
"""

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from marey.core.errors import MareyError, SettingsError

VERBS = ("run", "live", "export", "eval", "train", "data", "synth", "weights", "doctor")
"""In the order of `marey --help`; a verb's file is imported only when it is asked for."""

EXAMPLES = """examples:
  marey run                         measure the sample clip that comes with marey
  marey run walk.mp4                measure a video into walk.marey/
  marey export walk.marey --to csv  hand the result on
  marey run --help                  options and examples of a verb
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code."""
    argv = list(sys.argv[1:] if argv is None else argv)
    args = _parser(argv).parse_args(argv)
    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.WARNING)
    logging.getLogger("marey").setLevel(logging.INFO)
    try:
        code = args.run(args)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # `marey … | head` has seen enough; Python would complain again when it exits
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except MareyError as error:
        complain(str(error))
        return 2 if isinstance(error, SettingsError) else 1
    except KeyboardInterrupt:
        complain("interrupted")
        return 130


def complain(text: str) -> None:
    """One line to the person, on stderr."""
    print(f"marey: {' '.join(text.split())}", file=sys.stderr)


def _parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of the verb asked for; of all verbs where none is."""
    parser = argparse.ArgumentParser(
        prog="marey",
        description="Measure human motion in ordinary video.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"marey {version('marey')}")
    subparsers = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for verb in VERBS[VERBS.index(argv[0]) :][:1] if argv and argv[0] in VERBS else VERBS:
        module = importlib.import_module(f"marey.cli.{verb}")
        module.add(subparsers).set_defaults(run=module.run)
    return parser
