"""`marey doctor`: what this installation can do, to read before asking for help and to paste when asking."""

import argparse
import dataclasses
import json
from typing import Any

from marey.pipeline.doctor import Finding, examine

MARKS = {"ok": "✓", "note": "·", "broken": "✗"}

EXAMPLES = """examples:
  marey doctor            one line a finding; 1 if something essential is broken
  marey doctor --json     to paste into a report
"""


def add(subparsers: Any) -> argparse.ArgumentParser:
    """Describe the verb."""
    parser = subparsers.add_parser(
        "doctor",
        help="check this installation",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    """Examine and report; 1 if something essential is broken."""
    findings = []
    for finding in examine():
        findings.append(finding)
        if not args.json:
            print(_line(finding), flush=True)
    broken = [finding.topic for finding in findings if finding.state == "broken"]
    if args.json:
        print(json.dumps({"ok": not broken, "findings": list(map(dataclasses.asdict, findings))}, indent=1))
    elif broken:
        print(f"broken: {', '.join(broken)}")
    else:
        print("everything that marey needs works")
    return int(bool(broken))


def _line(finding: Finding) -> str:
    return f"{MARKS[finding.state]} {finding.topic:<24} {finding.text}"
