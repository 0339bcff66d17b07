"""Who is who from frame to frame: ByteTrack's two stages, and boxes for the frames between detections.

After Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box" (ECCV 2022). As
there: confirmed tracks take detections of high score first, then what is left over of low score; tracks seen
once take what remains of high score, or die; lost tracks are kept for a while. Different here (ours):
motion is on true time; boxes are grown by the uncertainty of the prediction before they are compared, so that
fast and small people overlap themselves; appearance scales the overlap in the first stage; the assignment
maximises total overlap instead of the number of pairs; people lost are looked for again from near, where
they are expected (a search region, as single-object trackers have it).

Offline (`ahead` > 0) a frame is answered once `ahead` more have been seen. Boxes are the detector's own where
it looked and interpolated on true time elsewhere, also over a few looks that missed a person. A person counts
from the first of two looks in a row: who was seen once and not by the next look is a ghost and never appears;
where there was no next look (a single picture, the end) the first one suffices, and the few frames after the
last look are extrapolated. Live, a person appears at the
second look, or at the first if the score is high, and boxes between looks are extrapolated.
Ids count from 1 in order of appearance. Every box that comes out is tracked; none has the id −1.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, final

import numpy as np
from jaxtyping import Float16, Float32, Float64, UInt8

from marey.core.geometry import box_iou
from marey.core.nouns import LOOK_SIZE, Frame, People, no_looks
from marey.people import kalman
from marey.people.assign import assign
from marey.people.detect import Found
from marey.people.look import looks

OUTWARDS = np.array([-1.0, -1.0, 1.0, 1.0])
FIRST_OVERLAP, SECOND_OVERLAP = 0.2, 0.5
"""Least overlap of a pair in the two stages (ByteTrack: 1 − 0.8 and 1 − 0.5)."""
MOST_GROWTH = 0.3
"""Boxes are grown by at most this many heights (C-BIoU, Yang et al. 2023, uses 0.3 to 0.5 of the sides)."""
MEMORY = 0.9
"""How much of a track's look outlives a new one (BoT-SORT, Aharon et al. 2022)."""


@dataclass(frozen=True)
class Tracking:
    """How people are followed. Scores are the detector's.

    Attributes
    ----------
    bridge
        So many looks in a row may miss a person whose boxes are still interpolated.
    high, low, start
        High scores enter the first stage, low ones the second; a new person needs `start`.
    twice
        A person must be seen by two looks in a row; False where every box is known to be a person.
    sure
        Live only: a score that shows a person at once.
    keep_s
        A person lost for longer comes back under another id.
    near_s
        So long a person may be seen from near only: what was mistaken for somebody is not followed for ever.
    look_weight
        How much of an overlap a wholly different look takes away.
    live
        No future: boxes are extrapolated, and a person appears at the second look.
    """

    bridge: int = 1
    high: float = 0.5
    low: float = 0.1
    start: float = 0.6
    twice: bool = True
    sure: float = 0.8
    keep_s: float = 1.0
    near_s: float = 5.0
    look_weight: float = 0.5
    live: bool = False

    def ahead(self, every: int) -> int:
        """Frames of future needed where the detector looks at every N-th: up to the look that bridges."""
        return 0 if self.live else every * (1 + self.bridge)


Again = Callable[[UInt8[np.ndarray, "H W 3"], Float32[np.ndarray, "K 4"]], Found]
"""What is seen of a picture from near, where boxes (most recently seen first) are expected."""


def track(
    found: Iterable[tuple[Frame, Found | None]], settings: Tracking, every: int, again: Again | None = None
) -> Iterator[People]:
    """Follow people through frames; one `People` per frame, in the same order.

    Parameters
    ----------
    found
        Frames with what the detector found, or None where it did not look.
    settings
        How people are followed.
    every
        The detector looks at one frame in so many.
    again
        Looks for people who are lost; None: nobody does.
    """
    tracker = _Tracker(settings, settings.ahead(every), again)
    waiting: deque[tuple[int, Frame]] = deque()
    for number, (frame, seen) in enumerate(found):
        waiting.append((number, frame))
        if seen is not None:
            tracker.look(number, frame, seen)
        if len(waiting) > tracker.ahead:
            yield tracker.people(*waiting.popleft())
    tracker.end()
    while waiting:
        yield tracker.people(*waiting.popleft())


class _Hit(NamedTuple):
    """A detection that a track took."""

    number: int
    time_s: float
    box: Float32[np.ndarray, " 4"]
    score: float
    look: Float16[np.ndarray, " 64"]


_NO_LOOK = np.full(LOOK_SIZE, np.nan, np.float16)


@final
@dataclass(eq=False)
class _Track:
    """One person: a filter's state at `time_s`, and the hits that frames not yet answered need.

    `missed`: the newest look did not find the person; `last`: no look follows; `far_s`: when the person was
    last seen on the whole picture.
    """

    mean: Float64[np.ndarray, "4 2"]
    covariance: Float64[np.ndarray, "2 2"]
    time_s: float
    hits: list[_Hit]
    look: Float16[np.ndarray, " 64"]
    confirmed: bool
    far_s: float
    id: int = 0
    missed: bool = False
    dead: bool = False
    last: bool = False

    def take(self, hit: _Hit) -> None:
        """Note that the person was seen (the filter's state is the caller's work)."""
        self.hits.append(hit)
        self.confirmed, self.missed = True, False
        if not np.isnan(hit.look[0]):
            blend = hit.look if np.isnan(self.look[0]) else MEMORY * self.look + (1 - MEMORY) * hit.look
            self.look = (blend / np.linalg.norm(blend.astype(np.float32))).astype(np.float16)

    def miss(self) -> None:
        """Note that a look did not find the person: seen once is a ghost, seen before is lost for a while."""
        self.missed, self.dead = True, not self.confirmed
        self.mean = kalman.steady(self.mean[None])[0]

    def at(self, number: int, time_s: float, ahead: int) -> _Hit | None:
        """Where the person is on a frame, None where nobody knows; `ahead` 0 is live."""
        past = sum(hit.number <= number for hit in self.hits)
        if not self.confirmed or not past:
            return None
        self.hits = self.hits[past - 1 :]
        before, after = self.hits[0], self.hits[1:2]
        if before.number == number:
            return before
        if after and after[0].number - before.number <= ahead:
            return _between(before, after[0], number, time_s)
        if (ahead == 0 or self.last) and not self.missed:
            return before._replace(number=number, time_s=time_s, box=self._expected(time_s), look=_NO_LOOK)
        return None

    def _expected(self, time_s: float) -> Float32[np.ndarray, " 4"]:
        """The box that the filter expects."""
        elapsed = np.array([max(time_s - self.time_s, 0.0)])
        corners = kalman.predict(self.mean[None], self.covariance[None], elapsed)[0][0, :, 0]
        return np.concatenate([corners[:2], np.maximum(corners[:2], corners[2:])]).astype(np.float32)


def _between(a: _Hit, b: _Hit, number: int, time_s: float) -> _Hit:
    """The box between two hits at a time; its score is the lower one."""
    share = (time_s - a.time_s) / (b.time_s - a.time_s) if b.time_s > a.time_s else 0.5
    box = (a.box + (b.box - a.box) * share).astype(np.float32)
    return _Hit(number, time_s, box, min(a.score, b.score), _NO_LOOK)


@final
@dataclass
class _Tracker:
    """The tracks of a video as far as it has been looked at."""

    settings: Tracking
    ahead: int
    again: Again | None = None
    tracks: list[_Track] = field(default_factory=list)
    count: int = 0

    def look(self, number: int, frame: Frame, found: Found) -> None:
        """Take in what the detector found on a frame."""
        hits = self._hits(number, frame, found)
        high = [hit for hit in hits if hit.score >= self.settings.high]
        low = [hit for hit in hits if hit.score < self.settings.high]
        self._predict(frame.time_s)
        alive = [track for track in self.tracks if not track.dead]
        lost, high = self._match([track for track in alive if track.confirmed], high, FIRST_OVERLAP)
        self._match([track for track in lost if not track.missed], low, SECOND_OVERLAP)
        _, high = self._match([track for track in alive if not track.confirmed], high, FIRST_OVERLAP)
        for track in alive:
            if track.hits[-1].number == number:
                track.far_s = frame.time_s
        self._search(number, frame, [track for track in lost if track.hits[-1].number != number])
        for track in alive:
            if track.hits[-1].number != number:
                track.miss()
        for hit in high:
            if hit.score >= self.settings.start:
                mean, covariance = kalman.begin(hit.box[None])
                seen = not self.settings.twice or (self.settings.live and hit.score >= self.settings.sure)
                time_s = hit.time_s
                self.tracks.append(
                    _Track(mean[0], covariance[0], time_s, [hit], hit.look, seen, far_s=time_s)
                )

    def _search(self, number: int, frame: Frame, lost: list[_Track]) -> None:
        """Look from near for people whom the look at the whole picture did not find."""
        lost = [track for track in lost if frame.time_s - track.far_s <= self.settings.near_s]
        if self.again is None or not lost:
            return
        lost.sort(key=lambda track: -track.hits[-1].number)
        expected = np.array([track.mean[:, 0] for track in lost], np.float32)
        hits = self._hits(number, frame, self.again(frame.rgb, expected))
        taken = [track.hits[-1].box for track in self.tracks if track.hits[-1].number == number]
        free = [hit for hit in hits if hit.score >= self.settings.high and not _covered(hit.box, taken)]
        self._match(lost, free, FIRST_OVERLAP)

    def end(self) -> None:
        """Take in that no look follows: who was seen once at the last had no second chance and counts."""
        for track in self.tracks:
            track.last = not track.dead
            track.confirmed |= track.last and not self.settings.live

    def people(self, number: int, frame: Frame) -> People:
        """The people on a frame, by id."""
        present = [(track, track.at(number, frame.time_s, self.ahead)) for track in self.tracks]
        seen = [(track, hit) for track, hit in present if hit is not None]
        for track, _ in sorted(
            (pair for pair in seen if not pair[0].id), key=lambda pair: tuple(pair[1].box)
        ):
            self.count += 1
            track.id = self.count
        self.tracks = [track for track in self.tracks if not track.dead or track.hits[-1].number > number]
        seen.sort(key=lambda pair: pair[0].id)
        return People(
            frame,
            np.array([hit.box for _, hit in seen], np.float32).reshape(-1, 4),
            np.array([hit.score for _, hit in seen], np.float32),
            np.array([track.id for track, _ in seen], np.int64),
            np.array([hit.look for _, hit in seen], np.float16).reshape(-1, LOOK_SIZE),
        )

    def _hits(self, number: int, frame: Frame, found: Found) -> list[_Hit]:
        """Detections worth a look, in an order that is their own and not the detector's."""
        boxes, scores = found
        kept = np.flatnonzero(scores >= self.settings.low)
        kept = kept[np.lexsort((*boxes[kept].T, -scores[kept]))]
        clear = scores[kept] >= self.settings.high  # low scores are half hidden: their look is another's
        seen = no_looks(len(kept))
        seen[clear] = looks(frame.rgb, boxes[kept][clear])
        rows = zip(boxes[kept], scores[kept], seen, strict=True)
        return [_Hit(number, frame.time_s, box, float(score), look) for box, score, look in rows]

    def _predict(self, time_s: float) -> None:
        """Move every living track to a time; drop those lost for too long."""
        for track in self.tracks:
            track.dead |= time_s - track.hits[-1].time_s > self.settings.keep_s
        alive = [track for track in self.tracks if not track.dead]
        if alive:
            elapsed = np.array([max(time_s - track.time_s, 0.0) for track in alive])
            states = kalman.predict(*_states(alive), elapsed)
            for track, mean, covariance in zip(alive, *states, strict=True):
                track.mean, track.covariance, track.time_s = mean, covariance, time_s

    def _match(self, tracks: list[_Track], hits: list[_Hit], least: float) -> tuple[list[_Track], list[_Hit]]:
        """Give tracks their hits; what is left over of both comes back."""
        if not tracks or not hits:
            return tracks, hits
        overlap = _overlap(tracks, hits)
        rows, columns = assign(np.where(overlap >= least, overlap * self._alike(tracks, hits), 0))
        taken = [tracks[row] for row in rows]
        if taken:
            boxes = np.array([hits[column].box for column in columns])
            for track, column, *state in zip(
                taken, columns, *kalman.update(*_states(taken), boxes), strict=True
            ):
                track.mean, track.covariance = state
                track.take(hits[column])
        rest = set(range(len(hits))) - set(columns.tolist())
        return [track for track in tracks if track not in taken], [hits[k] for k in sorted(rest)]

    def _alike(self, tracks: list[_Track], hits: list[_Hit]) -> Float32[np.ndarray, "K M"]:
        """What an overlap is multiplied by for the looks of both; 1 where a look is unknown."""
        mine = np.array([track.look for track in tracks], np.float32)
        theirs = np.array([hit.look for hit in hits], np.float32)
        return 1 - self.settings.look_weight * np.nan_to_num(1 - mine @ theirs.T, nan=0.0)


def _states(tracks: list[_Track]) -> tuple[kalman.Mean, kalman.Covariance]:
    return np.stack([track.mean for track in tracks]), np.stack([track.covariance for track in tracks])


def _covered(box: Float32[np.ndarray, " 4"], others: list[Float32[np.ndarray, " 4"]]) -> bool:
    """Whether one of the other boxes is that of the same person."""
    return bool(others) and bool((box_iou(box[None], np.array(others)) > SECOND_OVERLAP).any())


def _overlap(tracks: list[_Track], hits: list[_Hit]) -> Float64[np.ndarray, "K M"]:
    """IoU of every pair, both boxes grown by the deviation of the track's prediction."""
    mean, covariance = _states(tracks)
    growth = np.minimum(np.sqrt(covariance[:, 0, 0]), MOST_GROWTH * kalman.heights(mean))
    margins = growth[:, None] * OUTWARDS
    boxes = np.array([hit.box for hit in hits], np.float64)
    expected = mean[:, :, 0] + margins
    return np.concatenate([box_iou(expected[k : k + 1], boxes + margins[k]) for k in range(len(tracks))])
