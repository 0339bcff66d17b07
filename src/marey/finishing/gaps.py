"""Fill short gaps on true time.

A gap is what lies between two values of the same joint (or box): it lasts from the presentation of the first
frame without one to that of the next frame with one. Gaps of at most `longest_s` are filled along a straight
line in time and marked `filled`; longer ones, and what lies before the first and after the last value, stay
missing. A filled joint scores as the worse of its two ends; a filled box has no score.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from marey.core.nouns import Origin
from marey.core.recording import Recording
from marey.core.rows import Rows
from marey.finishing.tracks import each_track


@dataclass(frozen=True, slots=True)
class Gaps:
    """Settings of `gaps`."""

    longest_s: float = 0.2
    """Longest gap that is filled: what people expect, on time and not on frames."""


GAPS = Gaps()


def gaps(recording: Recording, settings: Gaps = GAPS) -> Recording:
    """Fill short gaps of every tracked person, whole rows and single joints."""
    return each_track(recording, "gaps", settings, lambda track: fill(track, settings))


def fill(track: Rows, settings: Gaps) -> Rows:
    """One person's track without its short gaps."""
    time_s, seen, known = track.time_s, track.seen, track.known
    joints = short_gaps(known, time_s, settings.longest_s)
    boxes = short_gaps(seen[:, None], time_s, settings.longest_s)[:, 0]
    if not joints.any() and not boxes.any():
        return track
    xy = np.where(joints[..., None], interpolated(track.xy_px, known, time_s), track.xy_px)
    before, after = neighbours(known)
    after = np.minimum(after, len(known) - 1)
    worse = np.minimum(*(np.take_along_axis(track.scores, place, 0) for place in (before, after)))
    line = interpolated(track.boxes_px[:, None], seen[:, None], time_s)[:, 0]
    return replace(
        track,
        boxes_px=np.where(boxes[:, None], line, track.boxes_px),
        xy_px=xy,
        scores=np.where(joints, worse, track.scores),
        origin=np.where(joints, np.uint8(Origin.FILLED), track.origin),
    )


def short_gaps(
    known: Bool[np.ndarray, "T K"], time_s: Float[np.ndarray, " T"], longest_s: float
) -> Bool[np.ndarray, "T K"]:
    """What is unknown, but between two known values and for no longer than `longest_s`."""
    before, after = neighbours(known)
    bounded = (before >= 0) & (after < len(known))
    first = np.clip(before + 1, 0, len(known) - 1)
    lasts_s = time_s[np.clip(after, 0, len(known) - 1)] - time_s[first]
    # A frame is due within a microsecond of its time: 0.2 s at 30 Hz is six frames, not five.
    return ~known & bounded & (lasts_s <= longest_s + 1e-6)


def neighbours(known: Bool[np.ndarray, "T K"]) -> tuple[Int[np.ndarray, "T K"], Int[np.ndarray, "T K"]]:
    """For every sample the last known one up to it (−1: none) and the first from it on (T: none)."""
    count = len(known)
    place = np.arange(count)[:, None]
    before = np.maximum.accumulate(np.where(known, place, -1), 0)
    after = np.minimum.accumulate(np.where(known, place, count)[::-1], 0)[::-1]
    return before, after


def interpolated(
    values: Float[np.ndarray, "T K D"], known: Bool[np.ndarray, "T K"], time_s: Float[np.ndarray, " T"]
) -> Float[np.ndarray, "T K D"]:
    """Values on a straight line in time between the known ones; beyond them the nearest known one."""
    out = values.copy()
    for k in range(values.shape[1]):
        there = known[:, k]
        if there.any() and not there.all():
            for d in range(values.shape[2]):
                out[:, k, d] = np.interp(time_s, time_s[there], values[there, k, d])
    return out
