"""Hold the shipped weights to their cards and to their size.

    python tools/check_weights.py [ROOT]

Every network has a card whose sha256 is the file's, every card has a network, no file is above 16 MB and all
together stay within 32 MB, so that the wheel stays small enough for any package index.
"""

import hashlib
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ONE_BYTES, ALL_BYTES = 16_000_000, 32_000_000


def wrong(shelf: Path) -> Iterator[str]:
    """Complaints about the folder of weights."""
    networks = sorted(shelf.glob("*.onnx"))
    for path in networks:
        size = path.stat().st_size
        if size > ONE_BYTES:
            yield f"{path.name}: {size / 1e6:.1f} MB; at most {ONE_BYTES / 1e6:.0f}"
        card = path.with_suffix(".toml")
        if not card.is_file():
            yield f"{path.name}: no card {card.name} beside it"
            continue
        stated = tomllib.loads(card.read_text("utf-8")).get("sha256")
        if stated != hashlib.sha256(path.read_bytes()).hexdigest():
            yield f"{card.name}: its sha256 is not that of {path.name}; export the network again"
    for card in sorted(shelf.glob("*.toml")):
        if not card.with_suffix(".onnx").is_file():
            yield f"{card.name}: no network {card.stem}.onnx beside it"
    total = sum(path.stat().st_size for path in networks)
    if total > ALL_BYTES:
        yield f"{shelf.name}: {total / 1e6:.1f} MB of networks; at most {ALL_BYTES / 1e6:.0f}"


def main() -> int:
    """Print every complaint; 1 if there was one."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    complaints = list(wrong(root / "src" / "marey" / "weights"))
    print("\n".join(complaints) or "weights: as on their cards")
    return 1 if complaints else 0


if __name__ == "__main__":
    raise SystemExit(main())
