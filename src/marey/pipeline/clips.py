"""Clips: a long video cut into pieces that are measured independently, and their results joined.

A clip's core is what it contributes; around it lies a halo, measured too, that warms trackers and windows up.
Two neighbours share the frames of their halos: there the same person has two ids, found by how much the boxes
overlap. Which clips exist depends on the video and the settings only, never on workers or interruptions.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64, Int64

from marey.core.geometry import box_iou
from marey.core.parts import join as together
from marey.core.recording import Recording
from marey.core.rows import Rows
from marey.people.assign import assign

JOIN_IOU = 0.5
"""Least mean overlap on shared frames of two boxes of one person (our choice: both come from the same network
on the same frames, so they agree far better than that)."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Frames [first, last) count; [start, stop) are measured, halo included."""

    number: int
    first: int
    last: int
    start: int
    stop: int


def cut(times_s: Float64[np.ndarray, " T"], span: range, clip_s: float, halo_s: float) -> tuple[Clip, ...]:
    """Cut the frames of `span` into clips of about `clip_s` seconds, all of the same duration.

    Parameters
    ----------
    times_s
        Presentation times of all frames of the source, ascending.
    span
        The frames to measure, at least one.
    clip_s, halo_s
        Seconds of a clip and of the halo on either side; the halo stays inside `span`.
    """
    low, high = span.start, span.stop
    begin, end = float(times_s[low]), float(times_s[high - 1])
    count = max(1, round((end - begin) / clip_s))
    inner = np.searchsorted(times_s, begin + (end - begin) * np.arange(1, count) / count).tolist()
    edges = np.unique(np.clip([low, *inner, high], low, high)).tolist()
    clips = []
    for number, (first, last) in enumerate(itertools.pairwise(edges)):
        start = int(np.searchsorted(times_s, times_s[first] - halo_s))
        stop = int(np.searchsorted(times_s, times_s[last - 1] + halo_s, side="right"))
        clips.append(Clip(number, first, last, max(start, low), min(stop, high)))
    return tuple(clips)


def join(clips: Sequence[Clip], parts: Iterable[Recording]) -> Recording:
    """One recording from the clips' parts, halos cut off, one id per person.

    A person keeps the id under which the clip before knew it, where the two overlap by `JOIN_IOU` on the
    frames both measured; everyone else gets a new id. `parts` come in the order of `clips`.

    Raises
    ------
    RecordingError
        If the parts were not made alike.
    """
    return together(_cores(clips, parts))


def _cores(clips: Sequence[Clip], parts: Iterable[Recording]) -> Iterator[Recording]:
    before: Rows | None = None
    next_id = 1
    for clip, part in zip(clips, parts, strict=True):
        rows = part.rows
        known = {} if before is None else same_people(before, rows)
        fresh = [person for person in np.unique(rows.person).tolist() if person > 0 and person not in known]
        known |= dict(zip(fresh, range(next_id, next_id + len(fresh)), strict=True))
        next_id += len(fresh)
        rows = replace(rows, person=np.array([known.get(p, p) for p in rows.person.tolist()], np.int64))
        mine = _inside(part.frame, clip)
        yield Recording.of(
            rows.take(_inside(rows.frame, clip)), part.frame[mine], part.time_s[mine], part.history
        )
        before = rows


def same_people(before: Rows, after: Rows) -> dict[int, int]:
    """Ids of `after` → ids of `before` for the people that both saw at one place on the frames they share.

    Maximises the sum of overlaps over all pairings (Hungarian); people nobody tracked are left out.
    """
    shared = np.intersect1d(before.frame[before.person > 0], after.frame[after.person > 0])
    old, new = (r.take(np.isin(r.frame, shared) & (r.person > 0)) for r in (before, after))
    old_ids, new_ids = np.unique(old.person), np.unique(new.person)
    if not len(old_ids) or not len(new_ids):
        return {}
    total = np.zeros((len(old_ids), len(new_ids)))
    count = np.zeros_like(total)
    for frame in shared.tolist():
        a, b = old.take(old.frame == frame), new.take(new.frame == frame)
        place = np.ix_(np.searchsorted(old_ids, a.person), np.searchsorted(new_ids, b.person))
        total[place] += box_iou(a.boxes_px, b.boxes_px)
        count[place] += 1
    mean = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
    pairs = assign(np.where(mean >= JOIN_IOU, total, 0.0))
    return {int(new_ids[j]): int(old_ids[i]) for i, j in zip(*pairs, strict=True)}


def _inside(frame: Int64[np.ndarray, " T"], clip: Clip) -> np.ndarray:
    return (frame >= clip.first) & (frame < clip.last)
