"""Finishing: whole tracks, all of time at once, no pixels.

Each step is a function Recording → Recording that says in the history what it did with which settings. What
the estimator said stays in `raw_x_px` and `raw_y_px`.
"""

from dataclasses import dataclass

from marey.core.recording import Recording
from marey.finishing.choose import choose, subject
from marey.finishing.gaps import GAPS, Gaps, gaps
from marey.finishing.measured import as_measured
from marey.finishing.smooth import SMOOTH, Smooth, smooth
from marey.finishing.stitch import STITCH, Stitch, stitch
from marey.finishing.swaps import SWAPS, Swaps, swaps

__all__ = [
    "Finishing",
    "Gaps",
    "Smooth",
    "Stitch",
    "Swaps",
    "as_measured",
    "choose",
    "finish",
    "gaps",
    "smooth",
    "stitch",
    "subject",
    "swaps",
]


@dataclass(frozen=True, slots=True)
class Finishing:
    """Settings of `finish`: those of each step (None: leave it out) and whom to keep."""

    stitch: Stitch | None = STITCH
    swaps: Swaps | None = SWAPS
    gaps: Gaps | None = GAPS
    smooth: Smooth | None = SMOOTH
    subject: str = "all"


FINISHING = Finishing()


def finish(recording: Recording, settings: Finishing = FINISHING) -> Recording:
    """Make one clean track of each person.

    Starts from what was measured, so that a finished recording can be finished again in another way: stitch
    (who is who), swaps (left and right, before anything is interpolated between them), gaps, smooth, subject.
    """
    recording = as_measured(recording)
    if settings.stitch is not None:
        recording = stitch(recording, settings.stitch)
    if settings.swaps is not None:
        recording = swaps(recording, settings.swaps)
    if settings.gaps is not None:
        recording = gaps(recording, settings.gaps)
    if settings.smooth is not None:
        recording = smooth(recording, settings.smooth)
    return recording if settings.subject == "all" else subject(recording, settings.subject)
