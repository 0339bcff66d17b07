"""Exports: one file per foreign format, each writing a whole recording.

Pixels are the displayed video's. Formats that count whole pixels from their centres (COCO, OpenPose,
PoseTrack, SLEAP, DeepLabCut, movement) get half a pixel less, MOTChallenge counts from 1: each file says so.
"""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path, PurePath
from typing import Literal

from marey.core.errors import SettingsError
from marey.core.files import make_folder
from marey.core.recording import Recording
from marey.export import (
    bvh,
    c3d,
    coco,
    csv,
    csv_wide,
    dlc,
    mot,
    mot_challenge,
    movement,
    nwb,
    openpose,
    posetrack,
    slp,
    trc,
)
from marey.finishing.markers import UnplacedError

__all__ = ["FORMATS", "Format", "check", "export"]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Format:
    """A foreign format.

    How its files end (empty: a folder), the suffix that stands for it, its writer; whom it holds (`tracked`:
    not those whom nobody tracked; `one`: a file per tracked person), whether it holds places in `metres`, and
    the modules that its writer needs, with the `extra` that installs them.
    """

    ending: str
    suffix: str
    write: Callable[[Recording, Path], None]
    people: Literal["all", "tracked", "one"] = "all"
    metres: bool = False
    extra: str = ""
    needs: tuple[str, ...] = ()


FORMATS = {
    "csv": Format(".csv", ".csv", csv.write),
    "csv-wide": Format("-wide.csv", "", csv_wide.write),
    "coco": Format(".coco.json", ".json", coco.write),
    "openpose": Format("-openpose", "", openpose.write),
    "mot-challenge": Format(".mot.txt", ".txt", mot_challenge.write),
    "posetrack": Format(".posetrack.json", "", posetrack.write, "tracked"),
    "trc": Format(".trc", ".trc", trc.write, "one", True),
    "trc-filled": Format("-filled.trc", "", trc.write_filled, "one", True),
    "mot": Format(".mot", ".mot", mot.write, "one", True),
    "c3d": Format(".c3d", ".c3d", c3d.write, "one", True, "c3d", ("ezc3d",)),
    "bvh": Format(".bvh", ".bvh", bvh.write, "one", True),
    "movement": Format(".nc", ".nc", movement.write, "tracked", False, "movement", ("xarray", "h5netcdf")),
    "movement-3d": Format(
        "-3d.nc", "", movement.write_metres, "tracked", True, "movement", ("xarray", "h5netcdf")
    ),
    "slp": Format(".slp", ".slp", slp.write, "all", False, "sleap", ("sleap_io",)),
    "dlc": Format(".dlc.csv", "", dlc.write, "tracked"),
    "nwb": Format(".nwb", ".nwb", nwb.write, "one", False, "nwb", ("pynwb", "ndx_pose")),
}


def check(name: str, recording: Recording | None = None) -> Format:
    """The format called `name`, which can be written here, of this recording if one is given.

    Raises
    ------
    SettingsError
        If the format is unknown (the message lists those that exist), what it needs is not installed (the
        message says what to type), or it holds metres and the recording was not lifted.
    """
    if name not in FORMATS:
        raise SettingsError(f"{name}: unknown export format; choose from {', '.join(FORMATS)}")
    chosen = FORMATS[name]
    missing = [module for module in chosen.needs if find_spec(module) is None]
    if missing:
        raise SettingsError(f"{name}: needs {' and '.join(missing)}: pip install 'marey[{chosen.extra}]'")
    if recording is not None and chosen.metres and recording.space is None:
        raise SettingsError(f"{name}: holds metres; lift the recording first (marey run --lift dgnet)")
    return chosen


def export(recording: Recording, path: str | os.PathLike[str], to: str | None = None) -> tuple[Path, ...]:
    """Write a recording in a foreign format and return the files or the folder written.

    Formats that hold one person make a file for each: `walk.trc` where there is one, `walk_person-2.trc` and
    so on where there are several, and none where there is nobody. Of several, those of whom a format can hold
    nothing (never placed in space, no hips for a skeleton) are left out, and the log says so.

    Parameters
    ----------
    recording
        What to write.
    path
        The file to write; or, with `to`, a folder (a path without a suffix), in which it is named after the
        video. `openpose` writes a folder of files.
    to
        The format's name; None: what the suffix says (.csv, .trc; .json is coco, .txt mot-challenge, .nc
        movement).

    Raises
    ------
    SettingsError
        As `check`.
    RecordingError
        If a file cannot be written, or the recording holds something that the format cannot, or its only
        person nothing that it could.
    """
    path = Path(path)
    name = _named(path, to)
    form = check(name, recording)
    folder = to is not None and (path.is_dir() or not path.suffix)
    stem = PurePath(recording.history.source.name).stem or "recording"
    path = path / f"{stem}{form.ending}" if folder else path
    ending = form.ending if folder else path.suffix
    parts = _parts(recording, form, name)
    make_folder(path.parent)
    written: list[Path] = []
    for person, part in parts.items():
        own = f"{path.name.removesuffix(ending)}_person-{person}{ending}" if len(parts) > 1 else path.name
        try:
            form.write(part, path.with_name(own))
        except UnplacedError as error:
            if len(parts) == 1:
                raise
            _log.warning("%s", error)
            continue
        written.append(path.with_name(own))
    return tuple(written)


def _parts(recording: Recording, form: Format, name: str) -> dict[int, Recording]:
    """What goes into each file, by person where a file holds one."""
    if form.people == "all":
        return {0: recording}
    untracked = int((recording.rows.person < 0).sum())
    if untracked:
        _log.warning("%s: left out %d people on single frames whom nobody tracked", name, untracked)
        recording = recording.only(person for person in recording.ids if person >= 0)
    if form.people == "tracked":
        return {0: recording}
    if not recording.ids:
        _log.warning("%s: nobody to write", name)
    return {person: recording.only([person]) for person in recording.ids}


def _named(path: Path, to: str | None) -> str:
    if to is not None:
        return to
    for name, form in FORMATS.items():
        if form.suffix == path.suffix.lower() != "":
            return name
    raise SettingsError(
        f"{path}: no format for the suffix {path.suffix or '(none)'}; name one of {', '.join(FORMATS)}"
    )


Recording.export = export  # pyright: ignore[reportAttributeAccessIssue]
