"""`marey weights`: which networks there are, what they are, and whether they are whole."""

import argparse
from typing import Any

from marey.cli import complain
from marey.core.errors import WeightsError
from marey.weights import Card, find, hub, names, read_card, shelf
from marey.weights.trial import trial

HUB = "hub:"
EXAMPLES = """examples:
  marey weights list                     names, sizes, training data and their terms
  marey weights show detector            a network's whole card
  marey weights verify                   hashes, and one run of each
  marey weights add mine/walker.onnx     with mine/walker.toml beside it
"""


def add(subparsers: Any) -> argparse.ArgumentParser:
    """Describe the verb."""
    parser = subparsers.add_parser(
        "weights",
        help="list, show, verify and add networks",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="every network by name")
    listing.set_defaults(action=_list)
    show = actions.add_parser("show", help="a network's card")
    show.add_argument("name", help="name, or path of an .onnx or its card")
    show.set_defaults(action=_show)
    verify = actions.add_parser("verify", help="check the hash and run each network once")
    verify.add_argument("names", nargs="*", metavar="name", help="names or paths (default: all)")
    verify.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    verify.set_defaults(action=_verify)
    adding = actions.add_parser("add", help="put a network on your own shelf")
    adding.add_argument("source", help=f"path of an .onnx with its card beside it, or {HUB}REPOSITORY")
    adding.set_defaults(action=_add)
    return parser


def run(args: argparse.Namespace) -> int:
    """Do the action asked for."""
    return args.action(args)


def _list(args: argparse.Namespace) -> int:
    rows = [("NAME", "METHOD", "INPUT", "PARAMETERS", "GMAC", "LICENCE", "TRAINING DATA AND THEIR TERMS")]
    for name in names():
        card = read_card(find(name))
        size = "×".join(map(str, card.input_size))
        parameters = f"{card.parameters / 1e6:.2f} M"
        rows.append((name, card.method, size, parameters, f"{card.gmac:.2f}", card.licence, card.terms))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _show(args: argparse.Namespace) -> int:
    path = find(args.name)
    read_card(path)
    print(f"# {path}\n{path.read_text('utf-8')}", end="")
    return 0


def _verify(args: argparse.Namespace) -> int:
    failed = False
    for name in args.names or names():
        try:
            done = trial(read_card(find(name)), args.device)
        except WeightsError as error:
            complain(str(error))
            failed = True
        else:
            print(f"{name}: sha256 as on the card; {done.milliseconds:.1f} ms a picture on {done.provider}")
    return int(failed)


def _add(args: argparse.Namespace) -> int:
    source = args.source
    card: Card = shelf.add(hub.fetch(source.removeprefix(HUB)) if source.startswith(HUB) else source)
    print(f"{card.name}: added to {shelf.added_folder()}")
    return 0
