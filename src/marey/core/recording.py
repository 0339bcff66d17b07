"""A recording: what was measured in a video, as tidy tables with their history.

On disk it is a folder `NAME.marey/` with `poses.parquet`, `people.parquet`, `frames.parquet` and `run.json`;
every Parquet file carries the history as JSON under the schema key `marey`. Columns: `core/tables.py`. A
lifted one has places in space as well (`core/space.py`) and a file `lifted.parquet`.
"""

# pyarrow has no types of its own: what comes out of it is unknown to the checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false, reportAttributeAccessIssue=false

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float64, Int64

from marey.core import rows as arrays
from marey.core import tables
from marey.core.errors import RecordingError
from marey.core.files import make_folder, write_whole
from marey.core.history import History, from_json
from marey.core.nouns import Poses
from marey.core.parquet import read_table, write_table
from marey.core.rows import Rows
from marey.core.skeletons import Skeleton
from marey.core.space import Space, lifted_table, poses_with, space_of

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


@dataclass(frozen=True, eq=False)
class Recording:
    """Tables `poses`, `people` and `frames` (pyarrow), and the history they come from; `space` once lifted.

    Made by `collect`, `Recording.open` or `Recording.of`; arrays of the same content are `.rows` (a row per
    person and frame), `.at(frame)` (one frame) and `.tracks()` (one person over time).
    """

    poses: pa.Table
    people: pa.Table
    frames: pa.Table
    history: History
    space: Space | None = None

    @classmethod
    def of(
        cls,
        rows: Rows,
        frame: Int64[np.ndarray, " T"],
        time_s: Float64[np.ndarray, " T"],
        history: History,
        space: Space | None = None,
    ) -> "Recording":
        """A recording of these rows; `frame` and `time_s` are all frames that were looked at.

        With `space` the rows must be in order already: it is in theirs.
        """
        rows = rows.in_order()
        _check(rows, frame)
        poses = tables.poses_table(rows, history.skeleton)
        made = cls(
            poses=poses if space is None else poses_with(poses, space),
            people=tables.people_table(rows),
            frames=tables.frames_table(frame, time_s),
            history=history,
            space=space,
        )
        made.__dict__["rows"] = rows
        return made

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "Recording":
        """Read a finished recording's folder. Raises `RecordingError` if it is not one or is damaged."""
        folder = Path(path)
        missing = [name for name in tables.SCHEMAS if not (folder / f"{name}.parquet").is_file()]
        if missing:
            raise RecordingError(
                f"{folder}: no finished recording ({missing[0]}.parquet is missing); "
                "give a folder NAME.marey made by marey run, or finish it with --resume"
            )
        there = (*tables.SCHEMAS, *(["lifted"] if (folder / "lifted.parquet").is_file() else []))
        read = {name: read_table(folder / f"{name}.parquet") for name in there}
        return cls.of_tables(
            {name: table for name, (table, _) in read.items()}, read["poses"][1], str(folder)
        )

    @classmethod
    def of_tables(cls, named: Mapping[str, pa.Table], history: Mapping[str, Any], where: str) -> "Recording":
        """A recording of tables by name and of a history as JSON values, both checked.

        Raises `RecordingError`, naming `where`, if they are not what a recording holds.
        """
        try:
            past = from_json(history)
            poses, people, frames = (tables.as_schema(named[name], name) for name in tables.SCHEMAS)
            rows = tables.rows_of(people, poses, past.skeleton)
            lifted = named["lifted"] if past.lift is not None else None
            space = None if lifted is None else space_of(named["poses"], lifted, rows.scores.shape)
            return cls.of(rows, frames["frame"].to_numpy(), frames["time_s"].to_numpy(), past, space)
        except RecordingError as error:
            raise RecordingError(f"{where}: {error}") from error
        except (KeyError, TypeError, ValueError) as error:
            raise RecordingError(f"{where}: the history in it is damaged ({error!r}); run again") from error

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the folder; files there are replaced one by one, each whole or not at all."""
        folder = Path(path)
        make_folder(folder)
        for name in tables.SCHEMAS:
            write_table(getattr(self, name), self.history, folder / f"{name}.parquet")
        if self.space is not None:
            write_table(lifted_table(self.rows, self.space), self.history, folder / "lifted.parquet")
        text = json.dumps(self.history.to_json(), indent=2, sort_keys=True) + "\n"
        write_whole(folder / "run.json", lambda part: part.write_text(text, encoding="utf-8"), sync=True)

    def with_space(self, space: Space, lift: Mapping[str, Any]) -> "Recording":
        """The same recording with places in space; `lift` says how they came about."""
        history = replace(self.history, lift=dict(lift))
        return Recording.of(self.rows, self.frame, self.time_s, history, space)

    @property
    def skeleton(self) -> Skeleton:
        """The joints."""
        return self.history.skeleton

    @cached_property
    def rows(self) -> Rows:
        """Everything as arrays, a row per person and frame."""
        return tables.rows_of(self.people, self.poses, self.skeleton)

    @cached_property
    def frame(self) -> Int64[np.ndarray, " T"]:
        """All frames that were looked at, in order."""
        return self.frames["frame"].to_numpy()

    @cached_property
    def time_s(self) -> Float64[np.ndarray, " T"]:
        """Presentation times of `frame`."""
        return self.frames["time_s"].to_numpy()

    @cached_property
    def ids(self) -> tuple[int, ...]:
        """Ids of the people, ascending."""
        return tuple(np.unique(self.rows.person).tolist())

    def equals(self, other: "Recording") -> bool:
        """Whether history, frames and every value agree; NaN equals NaN."""
        return (
            self.history == other.history
            and self.frames.equals(other.frames)
            and self.rows.equals(other.rows)
            and (other.space is None if self.space is None else self.space.equals(other.space))
        )

    def at(self, frame: int) -> Rows:
        """The people on one frame; no rows where nobody was."""
        first, last = np.searchsorted(self.rows.frame, (frame, frame + 1))
        return self.rows.take(slice(int(first), int(last)))

    def tracks(self) -> dict[int, Rows]:
        """Each person over every frame from the first to the last; NaN where the person was not seen."""
        return arrays.to_tracks(self.rows, self.frame, self.time_s)

    def with_rows(self, rows: Rows, step: str = "", settings: dict[str, Any] | None = None) -> "Recording":
        """The same video with other rows; a named step is added to the history. Places in space are lost."""
        history = self.history.then(step, settings or {}) if step else self.history
        history = replace(history, lift=None)
        return Recording.of(rows, self.frame, self.time_s, history)

    def only(self, people: Iterable[int]) -> "Recording":
        """Some of its people; frames, history and places in space stay."""
        kept = np.isin(self.rows.person, list(people))
        space = None if self.space is None else self.space.take(kept)
        return Recording.of(self.rows.take(kept), self.frame, self.time_s, self.history, space)

    def to_pandas(self) -> "pd.DataFrame":
        """The table `poses` as a data frame. Needs the extra `tables`."""
        try:
            return self.poses.to_pandas()
        except ImportError as error:
            raise RecordingError("to_pandas needs pandas: pip install 'marey[tables]'") from error

    def to_xarray(self, metres: bool = False) -> "xr.Dataset":
        """The layout of movement (≥ 0.17): position and confidence by time, space, keypoint, individual.

        Time is this recording's own seconds; `fps` is the container's rate, absent where it has none.
        Positions are pixels, or with `metres` places in space, with the joints that only the lifter has.
        Needs the extra `tables`. Raises `RecordingError` without it, and for metres if it was not lifted.
        """
        try:
            import xarray as xr
        except ImportError as error:
            raise RecordingError("to_xarray needs xarray: pip install 'marey[tables]'") from error
        position, scores = self.dense(metres)
        joints = (*self.skeleton.joints, *(self.space.joints if metres and self.space else ()))
        source = self.history.source
        attrs: dict[str, Any] = {
            "ds_type": "poses",
            "time_unit": "seconds",
            "source_software": "marey",
            "source_file": source.name,
        }
        if source.rate is not None:
            attrs["fps"] = float(source.rate)
        return xr.Dataset(
            {
                "position": (("time", "space", "keypoint", "individual"), position.transpose(0, 3, 2, 1)),
                "confidence": (("time", "keypoint", "individual"), scores.transpose(0, 2, 1)),
            },
            coords={
                "time": self.time_s,
                "space": ["x", "y", "z"][: position.shape[-1]],
                "keypoint": list(joints),
                "individual": [f"person_{person}" for person in self.ids],
            },
            attrs=attrs,
        )

    if TYPE_CHECKING:

        def export(self, path: str | os.PathLike[str], to: str | None = None) -> tuple[Path, ...]:
            """Write in a foreign format: `marey.export.export`, which adds itself (core knows no format)."""
            ...

    def dense(self, metres: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Positions (T, N, J, 2) and scores (T, N, J) over all frames and `ids`, NaN where absent.

        With `metres` places in space (T, N, J + K, 3), the lifter's own K joints last, which bear no score.
        """
        if not metres:
            return self._spread(self.rows.xy_px), self._spread(self.rows.scores)
        if self.space is None:
            raise RecordingError("places in metres: this recording was not lifted; run --lift or marey.lift")
        unscored = np.full(self.space.more_m.shape[:2], np.nan, np.float32)
        places = np.concatenate([self.space.xyz_m, self.space.more_m], 1)
        return self._spread(places), self._spread(np.concatenate([self.space.scores, unscored], 1))

    def _spread(self, values: np.ndarray) -> np.ndarray:
        """A value per row as (T, N, …) over all frames and `ids`, NaN where absent."""
        place = np.searchsorted(self.frame, self.rows.frame), np.searchsorted(self.ids, self.rows.person)
        out = np.full((len(self.frame), len(self.ids), *values.shape[1:]), np.nan, np.float32)
        out[place] = values
        return out


class Collector:
    """Gathers poses frame by frame and keeps none of their pixels, nor for long the arrays it was given.

    Small arrays that stay alive among the pictures of the thread that made them leave holes in which no next
    picture fits: a process grew by a picture a frame. So they are copied together every `BLOCK` frames.
    """

    BLOCK = 32

    def __init__(self) -> None:
        self._frames: list[tuple[int, float]] = []
        self._blocks: list[tuple[np.ndarray, ...]] = []
        self._people: list[tuple[np.ndarray, ...]] = []

    def add(self, poses: Poses) -> None:
        """Append the poses of one frame; untracked people get −1, −2, … within it."""
        people, frame = poses.people, poses.frame
        self._frames.append((frame.index, frame.time_s))
        if not len(people):
            return
        ids, untracked = people.ids, people.ids < 0
        if untracked.any():
            ids = np.where(untracked, np.negative(np.cumsum(untracked)), ids)
        self._people.append(
            (
                np.full(len(ids), frame.index, np.int64),
                np.full(len(ids), frame.time_s, np.float64),
                ids,
                people.boxes_px,
                people.scores,
                people.looks,
                poses.xy_px,
                poses.scores,
                poses.origin,
            )
        )
        if len(self._people) == self.BLOCK:
            self._blocks.append(_joined(self._people))
            self._people.clear()

    def recording(self, history: History) -> Recording:
        """Everything added so far."""
        times = dict(sorted(self._frames))
        if len(times) != len(self._frames):
            raise RecordingError("a frame was collected twice; each stage gives one answer per frame")
        frame, time_s = np.array(list(times), np.int64), np.array(list(times.values()), np.float64)
        rows = arrays.blank(frame[:0], time_s[:0], len(history.skeleton))
        if held := [*self._blocks, *self._people]:
            columns = _joined(held)
            xy, origin = columns[6], columns[8]
            rows = Rows(*columns, edits=np.zeros_like(origin), raw_xy_px=xy)
        return Recording.of(rows, frame, time_s, history)


def _joined(held: list[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
    return tuple(np.concatenate(column) for column in zip(*held, strict=True))


def collect(poses: Iterable[Poses], history: History | None = None) -> Recording:
    """Gather poses into a recording.

    Without `history` only the skeleton is known of where they come from (`marey19` if there are no poses).
    """
    collector, skeleton = Collector(), None
    for item in poses:
        collector.add(item)
        skeleton = skeleton or item.skeleton
    history = history or History()
    return collector.recording(replace(history, skeleton=skeleton or history.skeleton))


def _check(rows: Rows, frame: np.ndarray) -> None:
    if np.isnan(rows.boxes_px).any():
        raise RecordingError("a person without a box (NaN) cannot be recorded; leave the person out")
    if ((np.diff(rows.frame) == 0) & (np.diff(rows.person) == 0)).any():
        twice = int(rows.person[:-1][(np.diff(rows.frame) == 0) & (np.diff(rows.person) == 0)][0])
        raise RecordingError(f"person {twice} is on one frame twice; ids must differ within a frame")
    if not np.isin(rows.frame, frame).all():
        raise RecordingError("a person is on a frame that is not among the frames looked at")
