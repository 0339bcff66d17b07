"""Exports: one file per foreign format, each writing a whole recording.

Pixels are the displayed video's. Formats that count whole pixels from their centres (COCO, OpenPose) get half
a pixel less, MOTChallenge counts from 1: each file says so.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath

from marey.core.errors import SettingsError
from marey.core.files import make_folder
from marey.core.recording import Recording
from marey.export import coco, csv, csv_wide, mot_challenge, openpose

__all__ = ["FORMATS", "Format", "export"]


@dataclass(frozen=True, slots=True)
class Format:
    """A foreign format: how its files end (empty: a folder), the suffix that stands for it, its writer."""

    ending: str
    suffix: str
    write: Callable[[Recording, Path], None]


FORMATS = {
    "csv": Format(".csv", ".csv", csv.write),
    "csv-wide": Format("-wide.csv", "", csv_wide.write),
    "coco": Format(".coco.json", ".json", coco.write),
    "openpose": Format("-openpose", "", openpose.write),
    "mot-challenge": Format(".mot.txt", ".txt", mot_challenge.write),
}


def export(recording: Recording, path: str | os.PathLike[str], to: str | None = None) -> Path:
    """Write a recording in a foreign format and return the file or folder written.

    Parameters
    ----------
    recording
        What to write.
    path
        The file to write; or, with `to`, a folder (a path without a suffix), in which it is named after the
        video. `openpose` writes a folder of files.
    to
        The format's name; None: what the suffix says (.csv, .json: coco, .txt: mot-challenge).

    Raises
    ------
    SettingsError
        If the format is unknown; the message lists those that exist.
    RecordingError
        If the file cannot be written.
    """
    path = Path(path)
    chosen = FORMATS[_named(path, to)]
    if to is not None and (path.is_dir() or not path.suffix):
        path = path / f"{PurePath(recording.history.source.name).stem or 'recording'}{chosen.ending}"
    make_folder(path.parent)
    chosen.write(recording, path)
    return path


def _named(path: Path, to: str | None) -> str:
    known = ", ".join(FORMATS)
    if to is None:
        for name, form in FORMATS.items():
            if form.suffix == path.suffix.lower() != "":
                return name
        raise SettingsError(
            f"{path}: no format for the suffix {path.suffix or '(none)'}; name one of {known}"
        )
    if to not in FORMATS:
        raise SettingsError(f"{to}: unknown export format; choose from {known}")
    return to


Recording.export = export  # pyright: ignore[reportAttributeAccessIssue]
