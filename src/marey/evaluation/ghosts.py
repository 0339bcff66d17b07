"""How often a recording shows somebody where nobody is.

Conventions: intervals (first, last) in seconds of presentation time, both ends included; a frame counts where
it was looked at, and shows somebody if the recording has any person on it, whatever the score.
"""

from collections.abc import Sequence

import numpy as np

from marey.core.errors import DataError
from marey.core.recording import Recording

NEAR_S = 1e-3
"""Times nearer than this are one (containers round to a millisecond)."""


def ghost_share(recording: Recording, empty_s: Sequence[tuple[float, float]]) -> tuple[float, int]:
    """Share of the empty frames that show somebody, and how many empty frames there are.

    Raises
    ------
    DataError
        If the recording has no frame in the intervals.
    """
    times = recording.time_s
    empty = np.zeros(len(times), bool)
    for first, last in empty_s:
        empty |= (times >= first - NEAR_S) & (times <= last + NEAR_S)
    if not empty.any():
        raise DataError("the recording has no frame in the empty intervals; are they those of another video?")
    shown = np.isin(recording.frame, recording.people.column("frame").to_numpy())
    return float(shown[empty].mean()), int(empty.sum())
