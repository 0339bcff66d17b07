"""Files that exist whole or not at all, and the order of their names."""

import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from marey.core.errors import RecordingError


def write_whole(path: Path, write: Callable[[Path], Any], sync: bool = False) -> None:
    """Let `write` fill a file beside `path`, then put it in its place in one step.

    With `sync` it is on the disk before it takes that place, whatever happens to the machine.

    Raises `RecordingError` if the disk is full or the folder not writable; `path` is then as it was.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        draft = Path(name)
        try:
            write(draft)
            if sync:
                with draft.open("rb") as file:
                    os.fsync(file.fileno())
            draft.chmod(0o666 & ~_umask())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise RecordingError(f"{path}: cannot be written ({error.strerror or error})") from error


def natural(name: str) -> list[tuple[int, str]]:
    """Sort key in which runs of digits count as numbers: `2.png` before `10.png`."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name.lower())]


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, if they are not there. Raises `RecordingError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordingError(f"{folder}: cannot make this folder ({error.strerror or error})") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
