"""marey's own recordings as truth: what one estimator said, to compare another with, or corrected by hand.

Layout: a folder `NAME.marey`, or a folder of such; pictures from the video of the recording's `source` name,
if it lies beside the folder or in it.
Conventions: those of a recording (docs/conventions.md). A joint that has a place counts as visible, whatever
it stands on; boxes and ids are the recording's. Every frame that was looked at is a sample, with people or
without. The recording may be of a part of its video; frames keep the video's numbers.
After lifting `xyz_m` are the recording's own joints in its axes (gravity's), and there is no camera.
Splits: all is everything, the others are empty.
"""

from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from marey.core.errors import DataError, RecordingError
from marey.core.recording import Recording
from marey.data.files import Samples, chosen
from marey.data.frames import frame_of
from marey.data.sample import Sample, State, people


def open(path: Path, split: str) -> Samples:
    """The frames of all recordings, recording by recording."""
    folders = [path] if (path / "run.json").exists() else sorted(path.glob("*.marey"))
    held = [(folder, _recording(folder)) for folder in folders] if split == "all" else []
    keys = [(folder, k) for folder, recording in held for k in range(len(recording.frame))]
    return Samples(chosen(keys, path, "recordings", split), _sample)


@lru_cache(maxsize=8)
def _recording(folder: Path) -> Recording:
    try:
        return Recording.open(folder)
    except RecordingError as error:
        raise DataError(str(error)) from error


def _sample(key: tuple[Path, int]) -> Sample:
    folder, k = key
    recording = _recording(folder)
    frame, size = int(recording.frame[k]), recording.history.source.size
    place = np.flatnonzero((recording.rows.frame == frame) & recording.rows.seen)
    rows, space = recording.rows.take(place), recording.space
    state = np.where(rows.known, State.VISIBLE, State.UNLABELLED)
    truth = replace(people(recording.skeleton, rows.xy_px, state, rows.boxes_px), ids=rows.person)
    name, time_s = f"{folder.stem}/{frame:06d}", float(recording.time_s[k])
    load = partial(_picture, folder, recording.history.source.name, frame)
    xyz = None if space is None else space.xyz_m[place]
    return Sample("recordings", name, folder.stem, size, truth, load, True, time_s, xyz_m=xyz)


def _picture(folder: Path, name: str, frame: int) -> UInt8[np.ndarray, "H W 3"]:
    for place in (folder.parent, folder):
        if name and (place / name).exists():
            return frame_of(place / name, frame)
    raise DataError(
        f"{folder}: its video {name or '(no name)'} is not beside it; put it there to see pictures"
    )
