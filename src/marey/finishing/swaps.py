"""Repair left and right over time.

A pose network that sees one frame may call the left leg right. Motion tells the sides apart: the most likely
course of swaps is found by dynamic programming (Viterbi 1967) over eight states, each of three limb groups
(trunk and head, arms, legs) as said or swapped. Every term is our choice:

- motion: how far each joint is from where the two frames before send it at constant speed, in units of what
  noise (at least the track's own usual departure) and muscles explain, squared, bounded, weighted by score.
  Constant speed, not nearness, so that legs may cross: at a crossing the true sides go straight on.
- a toll for every change of state, and one for each second and group spent swapped: the estimator is right
  unless motion clearly says otherwise, and of two stretches the longer one is believed.

Both sides' joints, scores and origins change places; `raw_x_px`, `raw_y_px` stay as the estimator said.
"""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from jaxtyping import Bool, Float

from marey.core.recording import Recording
from marey.core.rows import Edit, Rows
from marey.core.skeletons import Skeleton
from marey.finishing.tracks import each_track, person_size


@dataclass(frozen=True, slots=True)
class Swaps:
    """Settings of `swaps`; lengths are shares of the person's box (its longer side)."""

    noise: float = 0.012
    """Least error of a joint's position."""
    push: float = 8.0
    """Usual acceleration of a limb per s²."""
    change: float = 10.0
    """Toll of a change of state."""
    per_s: float = 12.0
    """Toll of a second in which a group is swapped. At 6 one doubtful crossing turned over 1.4 s that the
    estimator had right; at 20 the longer of two stretches is no longer believed."""
    bound: float = 8.0
    """Most that one joint's motion can cost on one frame."""


SWAPS = Swaps()
ARMS, LEGS = ("elbow", "wrist", "hand"), ("knee", "ankle", "foot", "heel", "toe")
STATES = np.array(list(product((0, 1), repeat=3)), np.int64)
"""Which of trunk and head, arms, legs are swapped, per state."""


def swaps(recording: Recording, settings: Swaps = SWAPS) -> Recording:
    """Give every tracked person's joints the sides that motion says they have."""
    groups = limb_groups(recording.skeleton)
    return each_track(recording, "swaps", settings, lambda track: repaired(track, groups, settings))


def limb_groups(skeleton: Skeleton) -> tuple[tuple[tuple[int, int], ...], ...]:
    """The skeleton's left/right pairs, by group: trunk and head, arms, legs."""
    groups: tuple[list[tuple[int, int]], ...] = ([], [], [])
    for pair in skeleton.flips:
        name = skeleton.joints[pair[0]]
        group = 1 if any(part in name for part in ARMS) else 2 if any(part in name for part in LEGS) else 0
        groups[group].append(pair)
    return tuple(tuple(group) for group in groups)


def repaired(track: Rows, groups: tuple[tuple[tuple[int, int], ...], ...], settings: Swaps) -> Rows:
    """One person's track with its swaps undone."""
    shown = np.flatnonzero(track.seen)
    swapped = np.zeros((len(track), 3), bool)
    swapped[shown] = course(track.take(shown), groups, settings)
    if not swapped.any():
        return track
    xy, scores, origin, edits = (
        getattr(track, name).copy() for name in ("xy_px", "scores", "origin", "edits")
    )
    for group, pairs in enumerate(groups):
        frames = np.flatnonzero(swapped[:, group])[:, None]
        both = np.array(pairs, np.int64).reshape(-1, 2)
        here, there = both.ravel(), both[:, ::-1].ravel()
        for values in (xy, scores, origin):
            values[frames, here] = values[frames, there]
        edits[frames, here] ^= np.uint8(Edit.SWAPPED)
    return replace(track, xy_px=xy, scores=scores, origin=origin, edits=edits)


def course(
    rows: Rows, groups: tuple[tuple[tuple[int, int], ...], ...], settings: Swaps
) -> Bool[np.ndarray, "T 3"]:
    """Whether each group is swapped on each of a person's frames."""
    if len(rows) < 3:
        return np.zeros((len(rows), 3), bool)
    motion = np.stack([motion_costs(rows, pairs, settings) for pairs in groups], 1)
    spent = np.gradient(rows.time_s).clip(0, 0.2)[:, None] * STATES.sum(1) * settings.per_s
    changed = STATES[:, None] ^ STATES[None]
    number = changed @ (4, 2, 1)
    toll = settings.change * (number > 0)
    # cost of going from state i over j to k: motion depends on what changed from i to j and from j to k.
    by_change = np.sum([motion[:, k][:, STATES[:, None, k], STATES[None, :, k]] for k in range(3)], axis=0)
    value = spent[0][:, None] + spent[1][None] + toll
    best = np.zeros((len(rows), 8, 8), np.int8)
    over = number[:, :, None]
    onto = number[None, :, :]
    for t in range(2, len(rows)):
        total = value[:, :, None] + by_change[t - 2][over, onto]
        best[t] = total.argmin(0)
        value = total.min(0) + toll + spent[t][None]
    states = np.zeros(len(rows), np.int64)
    states[-2], states[-1] = np.unravel_index(value.argmin(), value.shape)
    for t in range(len(rows) - 1, 1, -1):
        states[t - 2] = best[t, states[t - 1], states[t]]
    return STATES[states].astype(bool)


def motion_costs(
    rows: Rows, pairs: tuple[tuple[int, int], ...], settings: Swaps
) -> Float[np.ndarray, "T 2 2"]:
    """Cost of each frame from the third on, by change of sides one step before and now (no, yes)."""
    count = len(rows) - 2
    costs = np.zeros((count, 2, 2))
    if not pairs:
        return costs
    both = np.array(pairs, np.int64)
    xy = rows.xy_px[:, both].astype(np.float64)
    weight = np.nan_to_num(np.clip(rows.scores[:, both], 0, 1)).min(-1)
    weight = np.minimum(np.minimum(weight[:-2], weight[1:-1]), weight[2:])
    step = np.diff(rows.time_s)
    before, now = step[:-1], step[1:]
    ratio = (now / before)[:, None, None, None]
    size = person_size(rows)[2:, None, None]
    # How far noise of one pixel in each of the three frames sends the third from where the two before point.
    spread = np.sqrt(1 + (1 + ratio) ** 2 + ratio**2)[..., 0]
    gone = np.empty((2, 2, count, len(pairs), 2))
    for earlier, later in product((0, 1), repeat=2):
        first = xy[:-2, :, :: -1 if earlier else 1]
        last = xy[2:, :, :: -1 if later else 1]
        gone[earlier, later] = np.linalg.norm(last - xy[1:-1] - (xy[1:-1] - first) * ratio, axis=-1)
    # The median length of a two-dimensional normal deviate of spread 1 is 1.18.
    shown = gone[0, 0] / spread / size
    shown = shown[~np.isnan(shown)]
    noise = max(settings.noise, float(np.median(shown)) / 1.18) if len(shown) else settings.noise
    push = settings.push * (now * (before + now) / 2)[:, None, None]
    unit = size * np.hypot(noise * spread, push)
    cost = np.minimum((gone / unit) ** 2 / 2, settings.bound).sum(-1)
    costs = np.nansum(cost * weight, -1).transpose(2, 0, 1)
    # A joint that is missing on either side in any of the three frames says nothing (NaN above).
    return costs
