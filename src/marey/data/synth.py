"""Synthetic clips as `marey synth` writes them, and the benchmark that is made of them: exact truth.

Layout: a folder of clips, `NAME.mp4` with `NAME.marey` beside it (`synth/clip.py` says what is in it), or a
benchmark or one of its tracks, with the folders `train`, `val` and `test`. Joints are those of marey19, in
pixels and in metres; a hidden joint is occluded, its place known all the same; one outside the picture counts
as unlabelled, as in COCO, and only its place in metres is given. Boxes hold the whole person within the
picture, hidden parts too; areas are the pixels seen; ids are the scene's. Somebody of whom less than
`LEAST_SHARE` of the box is seen counts neither way.
Splits: all is every clip under the path; the others are the folders of those names.
"""

# pyright: reportUnknownMemberType=false

from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from jaxtyping import Float64, Int64

from marey.core.cameras import Camera
from marey.core.errors import DataError, RecordingError
from marey.core.geometry import box_sizes
from marey.core.recording import Recording
from marey.data.files import Samples, chosen, need
from marey.data.frames import frame_of
from marey.data.sample import Sample, State, people

LEAST_SHARE = 0.04
"""Of a box, in pixels that show its person (our choice: an uncovered walker fills about a third)."""
SIGHTS = {"outside": State.UNLABELLED, "occluded": State.OCCLUDED, "visible": State.VISIBLE}


@dataclass(frozen=True, eq=False)
class _Clip:
    recording: Recording
    state: np.ndarray
    visible_px: Int64[np.ndarray, " R"]
    cameras: Float64[np.ndarray, "T 21"]


def open(path: Path, split: str) -> Samples:
    """The frames of all clips of a split, clip by clip, in order of name."""
    return _opened("synth", path, split)


def open_bench(path: Path, split: str) -> Samples:
    """The same of a track of the benchmark, or of all of its tracks that lie under the path."""
    return _opened("bench", path, split)


def _opened(kind: str, path: Path, split: str) -> Samples:
    every = path.rglob("*.marey")
    parts = {path / split, *(path.glob(f"*/{split}") if kind == "bench" else ())}
    folders = sorted(every if split == "all" else (held for held in every if held.parent in parts))
    keys = [(kind, folder, k) for folder in folders for k in range(len(_clip(folder).recording.frame))]
    return Samples(chosen(keys, path, kind, split), _sample)


@lru_cache(maxsize=64)
def _clip(folder: Path) -> _Clip:
    try:
        recording = Recording.open(folder)
    except RecordingError as error:
        raise DataError(str(error)) from error
    if recording.space is None:
        raise DataError(
            f"{folder}: has no places in space, so marey synth did not make it; use recordings:PATH"
        )
    tables = {}
    for name in ("truth", "seen", "cameras"):
        file = need(folder / f"{name}.parquet", "a table of the truth")
        tables[name] = pq.read_table(file)
    sights = tables["truth"]["sight"].to_pylist()
    state = np.array([SIGHTS[sight] for sight in sights], np.uint8).reshape(recording.rows.scores.shape)
    cameras = tables["cameras"].drop(["frame"])
    values = np.stack([column.to_numpy() for column in cameras.columns], -1)
    return _Clip(recording, state, tables["seen"]["visible_px"].to_numpy().astype(np.int64), values)


def _sample(key: tuple[str, Path, int]) -> Sample:
    kind, folder, k = key
    clip = _clip(folder)
    recording, size = clip.recording, clip.recording.history.source.size
    frame = int(recording.frame[k])
    first, last = np.searchsorted(recording.rows.frame, (frame, frame + 1))
    rows = recording.rows.take(slice(int(first), int(last)))
    area = box_sizes(rows.boxes_px).prod(-1)
    truth = replace(
        people(recording.skeleton, rows.xy_px, clip.state[first:last], rows.boxes_px),
        ids=rows.person,
        areas_px=clip.visible_px[first:last].astype(np.float32),
        ignore=clip.visible_px[first:last] < LEAST_SHARE * area,
    )
    space = recording.space
    xyz = np.zeros((0, len(recording.skeleton), 3), np.float32) if space is None else space.xyz_m[first:last]
    load = partial(frame_of, folder.parent / recording.history.source.name, frame)
    name, time_s = f"{folder.stem}/{frame:06d}", float(recording.time_s[k])
    values = clip.cameras[k]
    camera = Camera(values[:9].reshape(3, 3), values[9:18].reshape(3, 3), values[18:21].copy())
    return Sample(kind, name, folder.stem, size, truth, load, True, time_s, camera, xyz)
