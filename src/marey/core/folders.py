"""Where marey keeps files: the user's cache, and the sample clip that the package ships."""

import os
from pathlib import Path

from marey.core.errors import MareyError


def cache_dir() -> Path:
    """Return the user's cache folder, made if it does not exist yet.

    `$MAREY_CACHE`, else `$XDG_CACHE_HOME/marey`, else `~/.cache/marey`. Everything in it may be deleted.

    Raises
    ------
    MareyError
        If the folder cannot be made.
    """
    chosen = os.environ.get("MAREY_CACHE")
    base = os.environ.get("XDG_CACHE_HOME")
    folder = Path(chosen) if chosen else (Path(base) if base else Path.home() / ".cache") / "marey"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MareyError(
            f"{folder}: cannot be made ({error.strerror}); set MAREY_CACHE to another folder"
        ) from error
    return folder


def sample_clip() -> Path:
    """Return the drawn clip that ships with marey: one figure walking (tools/draw_sample.py).

    Raises
    ------
    MareyError
        If this installation came without it.
    """
    path = Path(__file__).parents[1] / "sample" / "walker.mp4"
    if not path.is_file():
        raise MareyError(f"{path}: the sample clip is missing from this installation; reinstall marey")
    return path
