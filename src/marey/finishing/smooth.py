"""Smooth without lag: single-frame jumps out, then a smoothing spline on true times.

A sample that jumps away and back is judged by its distance from the straight line between its neighbours,
compared with the median of that distance around it (Hampel 1974, on second differences). Fast motion and its
turning points are no jumps: there the neighbours bend the same way, at a jump they bend the other way.
The spline (`spline.py`) weighs each sample by its score squared: its cut-off is `cutoff_hz` where the score
is 1 and falls with the square root of the score. Jumps and filled joints weigh nothing: they are put where
the others say, and jumps become `filled` too. The spline ends where a person is absent; a joint that is
missing stays missing.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from marey.core.nouns import Origin
from marey.core.recording import Recording
from marey.core.rows import Edit, Rows
from marey.finishing.spline import smoothing_spline
from marey.finishing.tracks import each_track, person_size


@dataclass(frozen=True, slots=True)
class Smooth:
    """Settings of `smooth`."""

    cutoff_hz: float = 6.0
    """Amplitude one half there, 0.94 at half of it (usual in gait analysis: Winter 2009, §3.4.4)."""
    jump: float = 6.0
    """A jump is this many times the usual distance from its neighbours' line; our choice."""
    jump_size: float = 0.03
    """And no less than this share of the person's box (its longer side); our choice."""
    around_s: float = 0.5
    """Time on either side that says what is usual; our choice."""
    least_score: float = 0.05
    """No joint weighs less than one of this score; our choice."""


SMOOTH = Smooth()


def smooth(recording: Recording, settings: Smooth = SMOOTH) -> Recording:
    """Smooth every tracked person's joints; what the estimator said stays in `raw_x_px`, `raw_y_px`."""
    return each_track(recording, "smooth", settings, lambda track: smoothed(track, settings))


def smoothed(track: Rows, settings: Smooth) -> Rows:
    """One person's track without jumps and jitter."""
    known = track.known
    xy = np.where(known[..., None], track.xy_px, 0).astype(np.float64)
    size = person_size(track)
    bad = jumps(xy, known & (track.origin != Origin.FILLED), track.time_s, size, settings)
    weights = np.clip(np.nan_to_num(track.scores), settings.least_score, 1) ** 2
    weights = np.where(known & ~bad & (track.origin != Origin.FILLED), weights, 0)
    out = xy.copy()
    for first, last in _runs(track.seen):
        part = slice(first, last)
        out[part] = smoothing_spline(track.time_s[part], xy[part], weights[part], settings.cutoff_hz)
    return replace(
        track,
        xy_px=np.where(known[..., None], out, np.nan).astype(np.float32),
        origin=np.where(bad, np.uint8(Origin.FILLED), track.origin),
        edits=np.where(known, track.edits | np.uint8(Edit.SMOOTHED), track.edits),
    )


def jumps(
    xy: Float[np.ndarray, "T J 2"],
    known: Bool[np.ndarray, "T J"],
    time_s: Float[np.ndarray, " T"],
    size: Float[np.ndarray, " T"],
    settings: Smooth,
) -> Bool[np.ndarray, "T J"]:
    """Single samples that jump away and back."""
    found = np.zeros(known.shape, bool)
    if len(time_s) < 5:
        return found
    share = ((time_s[1:-1] - time_s[:-2]) / (time_s[2:] - time_s[:-2]))[:, None, None]
    away = np.full(xy.shape, np.nan)
    away[1:-1] = xy[1:-1] - (1 - share) * xy[:-2] - share * xy[2:]
    triple = np.zeros(known.shape, bool)
    triple[1:-1] = known[:-2] & known[1:-1] & known[2:]
    away[~triple] = np.nan
    far = np.linalg.norm(away, axis=-1)
    beside, peak = np.zeros(known.shape), np.zeros(known.shape, bool)
    beside[1:-1] = ((away[:-2] + away[2:]) * away[1:-1]).sum(-1)
    peak[1:-1] = (far[1:-1] > far[:-2]) & (far[1:-1] > far[2:])
    # An exact jump has away[t ± 1] = −away[t] / 2, a smooth turn has away[t ± 1] ≈ away[t].
    suspects = (far > settings.jump_size * size[:, None]) & peak & (beside < -0.5 * far**2)
    for t, joint in np.argwhere(suspects):
        first, last = np.searchsorted(time_s, time_s[t] + np.array([-1, 1]) * settings.around_s)
        others = np.concatenate([far[first : t - 1, joint], far[t + 2 : last, joint]])
        others = others[~np.isnan(others)]
        found[t, joint] = len(others) >= 3 and far[t, joint] > settings.jump * np.median(others)
    return found


def _runs(seen: Bool[np.ndarray, " T"]) -> list[tuple[int, int]]:
    """First and one past last of every run of frames that show the person."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], seen, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]
