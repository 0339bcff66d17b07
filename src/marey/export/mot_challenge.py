"""MOTChallenge text: `frame,id,left,top,width,height,conf,-1,-1,-1`, one line per person and frame.

Frames, ids and pixels count from 1 (motchallenge.net/instructions); so do marey's ids once a recording is
finished. `conf` is the box's score, of a filled box the mean of its joints'.
"""

from pathlib import Path

import numpy as np

from marey.core.files import write_whole
from marey.core.recording import Recording


def write(recording: Recording, path: Path) -> None:
    """Write the file."""
    rows = recording.rows
    sides = rows.boxes_px[:, 2:] - rows.boxes_px[:, :2]
    conf = np.nan_to_num(np.where(np.isnan(rows.box_scores), rows.pose_scores, rows.box_scores))
    numbers = np.column_stack([rows.boxes_px[:, :2] + 1, sides, conf])
    lines = [
        f"{frame + 1},{person}," + ",".join(f"{value:.4f}" for value in values) + ",-1,-1,-1\n"
        for frame, person, values in zip(
            rows.frame.tolist(), rows.person.tolist(), numbers.tolist(), strict=True
        )
    ]
    write_whole(path, lambda draft: draft.write_text("".join(lines), encoding="utf-8"))
