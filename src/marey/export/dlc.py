"""DeepLabCut's CSV of predictions: a row per frame; x, y, likelihood for every body part.

Header rows `scorer` (marey), `individuals` (`person_1`), `bodyparts`, `coords`, as DeepLabCut writes several
animals; of one person there is no row `individuals`, as it writes one animal. A row's name is the frame's
number: the format knows no times. Whole numbers are pixel centres (half a pixel less than ours). Missing is
the word NaN, which pandas reads as such: it would take a first row of empty cells for names and lose it.
"""

from pathlib import Path

import numpy as np

from marey.core.files import write_whole
from marey.core.recording import Recording

SCORER = "marey"
COORDS = ("x", "y", "likelihood")


def write(recording: Recording, path: Path) -> None:
    """Write the file."""
    people, joints = [f"person_{person}" for person in recording.ids], recording.skeleton.joints
    columns = [(SCORER, person, joint, name) for person in people for joint in joints for name in COORDS]
    lines = [
        ",".join((level, *(column[k] for column in columns)))
        for k, level in enumerate(("scorer", "individuals", "bodyparts", "coords"))
        if level != "individuals" or len(people) != 1
    ]
    xy, scores = recording.dense()
    values = np.concatenate([xy - np.float32(0.5), scores[..., None]], -1).reshape(len(xy), len(columns))
    for frame, row in zip(recording.frame.tolist(), values.tolist(), strict=True):
        lines.append(",".join((str(frame), *("NaN" if np.isnan(value) else f"{value:.4f}" for value in row))))
    text = "\n".join(lines) + "\n"
    write_whole(path, lambda draft: draft.write_text(text, encoding="utf-8", newline=""))
