"""Data sets: one file per kind, all read as the same `Sample`.

`open_kind("lsp", path, "val")` opens a data set where it lies; nothing is copied and no picture is decoded
until it is asked for.
"""

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

from marey.core.errors import DataError
from marey.data import coco, jhmdb, lsp, lspet, negatives, pennfudan, videos
from marey.data.files import Samples

KINDS: dict[str, Callable[[Path, str], Samples]] = {
    module.__name__.rpartition(".")[2]: module.open
    for module in (lsp, lspet, coco, jhmdb, pennfudan, negatives, videos)
}
"""What a kind is called, and what opens it."""

SPLITS = ("all", "train", "val", "test")


def open_kind(kind: str, path: str | Path, split: str = "all") -> Samples:
    """Open a data set of a known format.

    Parameters
    ----------
    kind : one of `KINDS`
    path : folder of the set, in its official layout or one the kind's file names
    split : `all` (everything with truth under the path), `train`, `val` (our parts), `test` (official)

    Raises
    ------
    DataError
        for an unknown kind or split, a missing or broken file (named with its field), an empty split.
    """
    if kind not in KINDS:
        near = get_close_matches(kind, KINDS, 1)
        hint = f"did you mean `{near[0]}`?" if near else f"choose from {', '.join(sorted(KINDS))}"
        raise DataError(f"data kind `{kind}` is not known; {hint}")
    if split not in SPLITS:
        raise DataError(f"split `{split}` is not known; choose from {', '.join(SPLITS)}")
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; give the path of the {kind} set as --data {kind}:PATH")
    return KINDS[kind](folder, split)
