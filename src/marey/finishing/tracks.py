"""Do something to every person's track and keep the rest of the recording."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
from jaxtyping import Float

from marey.core.recording import Recording
from marey.core.rows import Rows, concat, from_tracks


def each_track(recording: Recording, step: str, settings: Any, change: Callable[[Rows], Rows]) -> Recording:
    """The recording with every tracked person's track changed; `step` and its settings go into the history.

    People whom nobody tracked stay as they are.
    """
    joints = len(recording.skeleton)
    tracks = from_tracks([change(track) for track in recording.tracks().values()], joints)
    untracked = recording.rows.take(recording.rows.person < 0)
    return recording.with_rows(concat([tracks, untracked], joints), step, asdict(settings))


def person_size(track: Rows) -> Float[np.ndarray, " T"]:
    """Longer side of the box in pixels, at least 1: the length that motion is measured by."""
    sides = track.boxes_px[:, 2:] - track.boxes_px[:, :2]
    return np.maximum(sides.max(1), 1).astype(np.float64)
