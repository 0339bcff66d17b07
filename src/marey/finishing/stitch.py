"""One id per person: duplicates merged, broken tracks joined, ghosts dropped, ids from 1 by first appearance.

All rules are ours, and careful: a missed join costs one more id, a wrong one makes two people one.

1. Two tracks that show the same pose (OKS) for most of the time they share are one person; the one with the
   larger sum of scores is kept and the other fills in where it is absent.
2. A track that begins within `within_s` after another ended is its continuation if each, carried on at the
   speed it had, comes to where the other is (OKS of the last and the first pose, with an area that grows with
   the time between), and their looks do not contradict.
3. Within `reentry_s`, a track of nearly the same size and look as one that ended is the same person come
   back. Without looks nobody comes back.
   In 2 and 3 the shortest breaks are mended first, none that two people who are there at once would fit
   nearly as well, and none where someone who comes later fits far better.
4. Tracks that are still shorter than `ghost_s` and score below `ghost_score` are dropped.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from marey.core.recording import Recording
from marey.core.rows import Rows, concat, in_order_of_appearance, to_tracks
from marey.core.skeletons import Skeleton
from marey.finishing.likeness import box_area, mean_look, oks


@dataclass(frozen=True, slots=True)
class Stitch:
    """Settings of `stitch`."""

    same_oks: float = 0.7
    """Two poses at least so alike are the same person's."""
    same_share: float = 0.6
    """Of the frames that two tracks share, for them to be one."""
    within_s: float = 2.0
    """Longest break that motion joins."""
    join_oks: float = 0.5
    """Least likeness of two ends that motion joins."""
    contrary_look: float = 0.77
    """Looks less alike than this are different people (cosine of mean looks; in JHMDB's validation clips the
    first and last frame of a person are as alike in 99 of 100, of different people in two of five)."""
    reentry_s: float = 10.0
    """Longest absence after which a look is recognised."""
    reentry_look: float = 0.94
    """Least likeness of looks for it (there most of the same people, fewer than one in 100 of others)."""
    reentry_size: float = 1.5
    """Largest ratio of box heights for it."""
    margin: float = 0.03
    """By how much a pair must be better than another that cannot be true at once."""
    patience: float = 0.25
    """By how much it may be worse than another with someone who comes later, or left earlier."""
    speed_s: float = 0.3
    """Time at a track's end that its speed and size are taken from."""
    ghost_s: float = 0.25
    """A track shorter than this may be a ghost …"""
    ghost_score: float = 0.3
    """… if its joints' mean score is below this."""


STITCH = Stitch()
Pair = tuple[float, int, int]
"""How sure two tracks are one person, the earlier one, the later one."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Last or first moments of N tracks: the pose there, how fast and how large it was; and mean looks."""

    time_s: Float[np.ndarray, " N"]
    xy_px: Float[np.ndarray, "N J 2"]
    speed: Float[np.ndarray, "N 1 2"]
    area: Float[np.ndarray, " N"]
    height: Float[np.ndarray, " N"]
    look: Float[np.ndarray, "N 64"]


def stitch(recording: Recording, settings: Stitch = STITCH) -> Recording:
    """Make one track of each person; ids run from 1 in order of appearance."""
    rows = in_order_of_appearance(recording.rows)
    tracks = to_tracks(rows, recording.frame, recording.time_s)
    shown = [track.take(track.seen) for track in tracks.values()]
    count = -1
    # A join or a drop may make another one clear; at the end nothing is left to do, now or the next time.
    while len(shown) != count:
        count = len(shown)
        shown = without_duplicates(shown, recording.skeleton, settings)
        shown = joined(shown, recording.skeleton, settings)
        if len(shown) == count:
            shown = [track for track in shown if not is_ghost(track, settings)]
    rows = in_order_of_appearance(concat(shown, len(recording.skeleton)))
    return recording.with_rows(rows, "stitch", asdict(settings))


def is_ghost(track: Rows, settings: Stitch) -> bool:
    """Whether a track is too short and too unsure to be a person."""
    lasts_s = track.time_s[-1] - track.time_s[0]
    scores = track.scores[~np.isnan(track.scores)]
    return bool(lasts_s < settings.ghost_s and (not len(scores) or scores.mean() < settings.ghost_score))


def without_duplicates(tracks: list[Rows], skeleton: Skeleton, settings: Stitch) -> list[Rows]:
    """Tracks of which no two show the same person at the same time; best first."""
    best = sorted(tracks, key=lambda track: -float(np.nansum(track.scores)))
    kept: list[Rows] = []
    for track in best:
        for k, better in enumerate(kept):
            if is_same(better, track, skeleton, settings):
                kept[k] = _together(better, track)
                break
        else:
            kept.append(track)
    return kept


def is_same(a: Rows, b: Rows, skeleton: Skeleton, settings: Stitch) -> bool:
    """Whether two tracks show the same pose most of the time they share."""
    if not _overlap(a, b):
        return False
    _, in_a, in_b = np.intersect1d(a.frame, b.frame, assume_unique=True, return_indices=True)
    if not len(in_a):
        return False
    a, b = a.take(in_a), b.take(in_b)
    likeness = oks(a.xy_px, b.xy_px, np.minimum(box_area(a), box_area(b)), skeleton)
    return bool((likeness >= settings.same_oks).mean() >= settings.same_share)


def joined(tracks: list[Rows], skeleton: Skeleton, settings: Stitch) -> list[Rows]:
    """Tracks with those joined that continue one another."""
    tracks = sorted(tracks, key=lambda track: (int(track.frame[0]), int(track.person[0])))
    follower = dict(_clear(list(candidates(tracks, skeleton, settings)), tracks, settings))
    begun = set(range(len(tracks))) - set(follower.values())
    result: list[Rows] = []
    for k in sorted(begun):
        whole, place = tracks[k], k
        while place in follower:
            place = follower[place]
            whole = _together(whole, tracks[place])
        result.append(whole)
    return result


def candidates(tracks: list[Rows], skeleton: Skeleton, settings: Stitch) -> Iterator[Pair]:
    """Pairs that may be one person; what motion says (1 to 2) goes before what looks say (0 to 1)."""
    if len(tracks) < 2:
        return
    lasts, firsts = _ends(tracks, -1, settings), _ends(tracks, 0, settings)
    for later in range(len(tracks)):
        away_s = firsts.time_s[later] - lasts.time_s
        near = np.flatnonzero((away_s > 0) & (away_s <= max(settings.within_s, settings.reentry_s)))
        worth = _likeness(lasts, near, firsts, later, skeleton, settings)
        for earlier, value in zip(near.tolist(), worth.tolist(), strict=True):
            if value > 0:
                yield value, earlier, later


def _likeness(
    lasts: Ends, near: np.ndarray, firsts: Ends, later: int, skeleton: Skeleton, settings: Stitch
) -> np.ndarray:
    """How sure a track is the continuation of each of some others; 0: not at all."""
    away_s = firsts.time_s[later] - lasts.time_s[near]
    look = lasts.look[near] @ firsts.look[later]
    # What a person may do in a break grows with it: a second doubles the length that errors are measured by.
    area = np.minimum(lasts.area[near], firsts.area[later]) * (1 + away_s) ** 2
    way = away_s[:, None, None]
    there = oks(lasts.xy_px[near] + lasts.speed[near] * way, firsts.xy_px[[later]], area, skeleton)
    here = oks(lasts.xy_px[near], firsts.xy_px[[later]] - firsts.speed[[later]] * way, area, skeleton)
    motion = np.nan_to_num(np.minimum(there, here))
    contrary = look < settings.contrary_look
    moves_on = (away_s <= settings.within_s) & ~contrary & (motion >= settings.join_oks)
    ratio = np.abs(np.log(lasts.height[near] / firsts.height[later]))
    back = (look >= settings.reentry_look) & (ratio <= np.log(settings.reentry_size))
    comes_back = back & (away_s <= settings.reentry_s)
    return np.where(moves_on, 1 + motion, np.where(comes_back, look, 0))


def _clear(pairs: list[Pair], tracks: list[Rows], settings: Stitch) -> Iterator[tuple[int, int]]:
    """Pairs to join, shortest break first, each track once as the earlier and once as the later."""
    ended: set[int] = set()
    begun: set[int] = set()
    after: dict[int, list[tuple[float, int]]] = {}
    before: dict[int, list[tuple[float, int]]] = {}
    for worth, earlier, later in pairs:
        after.setdefault(earlier, []).append((worth, later))
        before.setdefault(later, []).append((worth, earlier))

    def beaten(worth: float, track: int, others: list[tuple[float, int]], taken: set[int]) -> bool:
        return any(
            worth
            < other + (settings.margin if _overlap(tracks[track], tracks[rival]) else -settings.patience)
            for other, rival in others
            if rival != track and rival not in taken
        )

    def order(pair: Pair) -> tuple[float, float, int, int]:
        worth, earlier, later = pair
        return float(tracks[later].time_s[0] - tracks[earlier].time_s[-1]), -worth, earlier, later

    for worth, earlier, later in sorted(pairs, key=order):
        if earlier in ended or later in begun:
            continue
        if beaten(worth, later, after[earlier], begun) or beaten(worth, earlier, before[later], ended):
            continue
        yield earlier, later
        ended.add(earlier)
        begun.add(later)


def _overlap(a: Rows, b: Rows) -> bool:
    """Whether two tracks are there at once."""
    return bool(a.frame[0] <= b.frame[-1] and b.frame[0] <= a.frame[-1])


def _ends(tracks: list[Rows], place: int, settings: Stitch) -> Ends:
    """The tracks' ends at `place`, 0 or −1."""
    columns: list[tuple[Any, ...]] = []
    for track in tracks:
        time_s = track.time_s[place]
        near = track.take(np.abs(track.time_s - time_s) <= settings.speed_s)
        middle = (near.boxes_px[:, :2] + near.boxes_px[:, 2:]).astype(np.float64) / 2
        past = near.time_s - near.time_s.mean()
        # A straight line through the box's middles: limbs swing, boxes travel.
        speed = (past[:, None] * middle).sum(0) / max(float((past**2).sum()), 1e-12)
        height = max(float(np.median(near.boxes_px[:, 3] - near.boxes_px[:, 1])), 1.0)
        area = float(np.median(box_area(near)))
        columns.append((time_s, track.xy_px[place], speed[None], area, height, mean_look(track)))
    return Ends(*(np.array(column, np.float64) for column in zip(*columns, strict=True)))


def _together(first: Rows, second: Rows) -> Rows:
    """Both as the first one's person; where both are there, the first one's row."""
    new = second.take(~np.isin(second.frame, first.frame))
    new = replace(new, person=np.full(len(new), first.person[0], np.int64))
    return concat([first, new], first.scores.shape[1])
