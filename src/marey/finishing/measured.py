"""Undo what finishing did to values, as far as a recording keeps what was measured."""

from dataclasses import replace

import numpy as np

from marey.core.nouns import Origin
from marey.core.recording import Recording
from marey.core.rows import Edit
from marey.core.skeletons import mirrored

UNDONE = ("swaps", "gaps", "smooth")


def as_measured(recording: Recording) -> Recording:
    """The recording as the estimator measured it: filled rows gone, raw positions and sides back.

    Who is who stays as stitching decided, and people left out stay out. A joint that was filled loses its
    score; one that was a jump counts as measured.
    """
    rows = recording.rows
    filled = rows.origin == Origin.FILLED
    rows = rows.take(~(filled.any(1) & np.isnan(rows.raw_xy_px).all((1, 2))))
    swapped = (rows.edits & Edit.SWAPPED) > 0
    other = list(mirrored(recording.skeleton))
    scores = np.where(swapped, rows.scores[:, other], rows.scores)
    origin = np.where(swapped, rows.origin[:, other], rows.origin)
    filled = origin == Origin.FILLED
    rows = replace(
        rows,
        xy_px=rows.raw_xy_px,
        scores=np.where(filled & np.isnan(rows.raw_xy_px[..., 0]), np.float32(np.nan), scores),
        origin=np.where(filled, np.uint8(Origin.MEASURED), origin),
        edits=np.zeros_like(rows.edits),
    )
    steps = tuple(step for step in recording.history.steps if step.name not in UNDONE)
    history = replace(recording.history, steps=steps)
    return Recording.of(rows, recording.frame, recording.time_s, history)
