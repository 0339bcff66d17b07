"""A recording's content as arrays: one row per person and frame.

Conventions: R rows, J joints; pixels of the displayed image; seconds since the first shown frame; missing is
NaN. Rows are sorted by frame, then person; both together occur once. Ids from 0 are tracked people; negative
ids are people whom nobody tracked (−1, −2, … within their frame, so they say nothing across frames).
A track is the `Rows` of one person with a row for every frame between the first and the last; frames that do
not show the person have a NaN box there (`seen` is false).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import IntFlag

import numpy as np
from beartype import beartype
from jaxtyping import Bool, Float16, Float32, Float64, Int64, UInt8, jaxtyped  # pyright: ignore[reportUnknownVariableType]

from marey.core.nouns import LOOK_SIZE


class Edit(IntFlag):
    """What finishing changed about a joint (bits of `edits`)."""

    NONE = 0
    SMOOTHED = 1
    SWAPPED = 2


@jaxtyped(typechecker=beartype)
@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """People and their joints, a row per person and frame; `raw_xy_px` is what the estimator said."""

    frame: Int64[np.ndarray, " R"]
    time_s: Float64[np.ndarray, " R"]
    person: Int64[np.ndarray, " R"]
    boxes_px: Float32[np.ndarray, "R 4"]
    box_scores: Float32[np.ndarray, " R"]
    looks: Float16[np.ndarray, "R 64"]
    xy_px: Float32[np.ndarray, "R J 2"]
    scores: Float32[np.ndarray, "R J"]
    origin: UInt8[np.ndarray, "R J"]
    edits: UInt8[np.ndarray, "R J"]
    raw_xy_px: Float32[np.ndarray, "R J 2"]

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def seen(self) -> Bool[np.ndarray, " R"]:
        """Rows that show the person."""
        return ~np.isnan(self.boxes_px[:, 0])

    @property
    def known(self) -> Bool[np.ndarray, "R J"]:
        """Joints that have a position."""
        return ~np.isnan(self.xy_px[..., 0])

    @property
    def pose_scores(self) -> Float32[np.ndarray, " R"]:
        """Mean score of each row's joints; NaN where none has one."""
        scored = ~np.isnan(self.scores)
        total, count = np.where(scored, self.scores, 0).sum(1), scored.sum(1)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)

    def equals(self, other: "Rows") -> bool:
        """Whether every value agrees; NaN equals NaN."""
        pairs = ((getattr(self, c.name), getattr(other, c.name)) for c in fields(self))
        return all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)

    def take(self, index: Int64[np.ndarray, " K"] | Bool[np.ndarray, " R"] | slice) -> "Rows":
        """Some of the rows."""
        return Rows(*(getattr(self, column.name)[index] for column in fields(self)))

    def in_order(self) -> "Rows":
        """Sorted by frame, then person."""
        order = np.lexsort((self.person, self.frame))
        if np.array_equal(order, np.arange(len(self))):
            return self
        return self.take(order)


def concat(parts: Sequence[Rows], joints: int) -> Rows:
    """Rows one after the other, in order; none gives no rows of `joints` joints."""
    parts = [blank(np.zeros(0, np.int64), np.zeros(0), joints), *parts]
    return Rows(*(np.concatenate([getattr(p, c.name) for p in parts]) for c in fields(Rows))).in_order()


def blank(
    frame: Int64[np.ndarray, " R"], time_s: Float64[np.ndarray, " R"], joints: int, person: int = 0
) -> Rows:
    """Rows of one person who is seen on none of them."""
    count = len(frame)

    def nans(*shape: int) -> Float32[np.ndarray, "..."]:
        return np.full((count, *shape), np.nan, np.float32)

    return Rows(
        frame=frame,
        time_s=time_s,
        person=np.full(count, person, np.int64),
        boxes_px=nans(4),
        box_scores=nans(),
        looks=nans(LOOK_SIZE).astype(np.float16),
        xy_px=nans(joints, 2),
        scores=nans(joints),
        origin=np.zeros((count, joints), np.uint8),
        edits=np.zeros((count, joints), np.uint8),
        raw_xy_px=nans(joints, 2),
    )


def to_tracks(
    rows: Rows, frame: Int64[np.ndarray, " T"], time_s: Float64[np.ndarray, " T"]
) -> dict[int, Rows]:
    """Rows by person, in order of id, each over every recorded frame between its first and last.

    `frame` and `time_s` are all recorded frames. People whom nobody tracked have no track.
    """
    order = np.lexsort((rows.frame, rows.person))
    order = order[np.searchsorted(rows.person[order], 0) :]
    people, starts = np.unique(rows.person[order], return_index=True)
    place = np.searchsorted(frame, rows.frame)
    tracks: dict[int, Rows] = {}
    for person, mine in zip(people.tolist(), np.split(order, starts[1:]), strict=False):
        first, last = place[mine[0]], place[mine[-1]] + 1
        track = blank(frame[first:last], time_s[first:last], rows.scores.shape[1], person)
        for column in fields(Rows)[3:]:
            getattr(track, column.name)[place[mine] - first] = getattr(rows, column.name)[mine]
        tracks[person] = track
    return tracks


def from_tracks(tracks: Sequence[Rows], joints: int) -> Rows:
    """The inverse of `to_tracks`: what is seen of every track."""
    return concat([track.take(track.seen) for track in tracks], joints)


def in_order_of_appearance(rows: Rows) -> Rows:
    """The same people with ids from 1, numbered by first frame, then by the id they had.

    People whom nobody tracked are numbered too, each row as a person of its own.
    """
    tracked = rows.person >= 0
    key = np.where(tracked, rows.person, -np.arange(1, len(rows) + 1))
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.lexsort((rows.person[first], rows.frame[first]))] = np.arange(1, len(first) + 1)
    return replace(rows, person=rank[inverse]).in_order()
