"""Hold every marked number in a document to the result file it comes from.

    python tools/check_numbers.py [ROOT]

A number is marked by a comment right before it, which the rendered page does not show:

    <!-- results/eval-lsp.json#metrics.PCK@0.2 -->0.912          the value, rounded as printed
    <!-- results/eval-lsp.json#metrics.PCK@0.2 x100 -->91.2      the value times a hundred

The path names keys from the outside in; a key may itself hold dots and spaces. Whole numbers may be written
with thousands separated by commas. Only marks are held, and none between backticks.
"""

import json
import re
import sys
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

MARK = re.compile(r"<!--\s*(results/[\w.\-]+\.json)#(.+?)(?:\s+x([\d.e+-]+))?\s*-->\s*\**(\S*)")
NUMBER = re.compile(r"[-−]?\d[\d,]*(?:\.\d+)?")
CODE = re.compile(r"`[^`]*`")
DOCUMENTS = ("*.md", "docs/**/*.md")


def look_up(values: Any, path: str) -> Any:
    """Value at a dotted path, whose keys may hold dots themselves.

    Raises
    ------
    KeyError
        If no way of reading the path leads to a value.
    """
    if isinstance(values, list):
        head, _, rest = path.partition(".")
        item = values[int(head)] if head.isdigit() and int(head) < len(values) else None
        return look_up(item, rest) if rest else item
    if not isinstance(values, dict):
        raise KeyError(path)
    if path in values:
        return values[path]
    for key in sorted(values, key=len, reverse=True):
        if path.startswith(f"{key}."):
            return look_up(values[key], path[len(key) + 1 :])
    raise KeyError(path)


def agrees(printed: str, value: float, factor: str = "1") -> bool:
    """Whether a number as printed is the value times the factor, rounded to the printed digits."""
    text = Decimal(printed.replace(",", "").replace("−", "-"))
    exact = Decimal(repr(value)) * Decimal(factor)
    step = Decimal(1).scaleb(int(text.as_tuple().exponent))
    rounded = exact.quantize(step, ROUND_HALF_EVEN)
    tied = abs(exact - text) * 2 == step  # a half may be rounded either way
    return text == rounded or tied


def wrong(path: Path, root: Path) -> Iterator[str]:
    """Complaints about the marks of one document."""
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        for mark in MARK.finditer(CODE.sub("", line)):
            where = f"{path.relative_to(root)}:{number}: {mark[1]}#{mark[2]}"
            printed, source = NUMBER.match(mark[4]), root / mark[1]
            if not source.is_file():
                yield f"{where}: there is no such file; run the command that writes it"
                continue
            if printed is None:
                yield f"{where}: no number follows the mark"
                continue
            try:
                value = look_up(json.loads(source.read_text("utf-8")), mark[2])
            except KeyError:
                yield f"{where}: the file has no such value"
                continue
            if not isinstance(value, int | float) or not agrees(printed[0], value, mark[3] or "1"):
                yield f"{where}: the document says {printed[0]}, the file {value}"


def main() -> int:
    """Print every complaint; 1 if there was one."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    paths = sorted({path for pattern in DOCUMENTS for path in root.glob(pattern)})
    complaints = [line for path in paths for line in wrong(path, root)]
    print("\n".join(complaints) or "numbers: as in results/")
    return 1 if complaints else 0


if __name__ == "__main__":
    raise SystemExit(main())
