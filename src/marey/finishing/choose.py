"""Whom a recording is about: a rule over whole tracks, so that a passer-by cannot take over.

Conventions: R rows, one per person and frame, in any order; ids below 0 are people whom nobody tracked.
"""

import numpy as np
from jaxtyping import Float32, Float64, Int64

from marey.core.errors import SettingsError
from marey.core.geometry import box_centres, box_sizes
from marey.core.recording import Recording

RULES = ("all", "largest", "most-moving")
BIN_S = 0.5
"""Places are averaged over so many seconds before a path is measured: a trembling box is not moving."""


def subject(recording: Recording, rule: str) -> Recording:
    """The recording with only the people that a rule chooses (`choose`); they keep their ids."""
    rows = recording.rows
    keep = choose(rule, rows.person, rows.boxes_px, rows.time_s)
    return recording.with_rows(rows.take(np.isin(rows.person, keep)), "subject", {"rule": rule})


def choose(
    subject: str,
    ids: Int64[np.ndarray, " R"],
    boxes_px: Float32[np.ndarray, "R 4"],
    times_s: Float64[np.ndarray, " R"],
) -> tuple[int, ...]:
    """Ids of the people to keep, ascending; none where a rule finds nobody.

    Parameters
    ----------
    subject
        `all`; `largest`: the largest area, summed over the frames that show the person; `most-moving`: the
        longest way, in the person's own heights, so that nearness to the camera does not count; or an id.
        Ties go to the smaller id.

    Raises
    ------
    SettingsError
        If the rule is unknown, or nobody has the id.
    """
    known = np.unique(ids)
    tracked = known[known >= 0]
    if subject == "all":
        return tuple(known.tolist())
    if subject.isdecimal():
        if int(subject) not in tracked:
            people = ", ".join(map(str, tracked.tolist())) or "nobody"
            raise SettingsError(f"--subject {subject}: there is no such person; found: {people}")
        return (int(subject),)
    if subject not in RULES:
        raise SettingsError(f"--subject {subject}: unknown; choose {', '.join(RULES)} or a person's id")
    if not len(tracked):
        return ()
    worth = [_worth(subject, boxes_px[ids == person], times_s[ids == person]) for person in tracked]
    return (int(tracked[np.argmax(worth)]),)


def _worth(rule: str, boxes: Float32[np.ndarray, "T 4"], times: Float64[np.ndarray, " T"]) -> float:
    """What a rule compares, of one person."""
    seen = ~np.isnan(boxes).any(-1)
    boxes, times = boxes[seen].astype(np.float64), times[seen]
    if rule == "largest":
        return float(box_sizes(boxes).prod(-1).sum())
    if not len(boxes):
        return 0.0
    _, part = np.unique(np.floor((times - times.min()) / BIN_S), return_inverse=True)
    count = np.bincount(part)[:, None]
    values = np.concatenate([box_centres(boxes), box_sizes(boxes)[:, 1:]], -1)
    x, y, height = (np.stack([np.bincount(part, column) for column in values.T], -1) / count).T
    steps = np.hypot(np.diff(x), np.diff(y)) / np.maximum((height[1:] + height[:-1]) / 2, 1.0)
    return float(steps.sum())
