"""MOT, the motion files of OpenSim: joint angles in degrees at an exact rate, as tab-separated text.

The angles are those of `finishing/angles.py`, with its names, zeros and signs: which coordinate of a model
each belongs to, and with which sign, is the model's affair. Columns are counted with the time column, as
OpenSim does. The format has no missing value: the reader behind OpenSim's window loses rows at the text `nan`
without a word, so gaps are filled in space (`finishing/markers.filled`) and the log says how long they were;
an angle that was never known is left out.
"""

import logging
from pathlib import Path

import numpy as np

from marey.core.files import write_whole
from marey.core.recording import Recording
from marey.finishing.angles import ANGLES, angles
from marey.finishing.markers import UnplacedError, filled, markers

_log = logging.getLogger(__name__)


def write(recording: Recording, path: Path) -> None:
    """Write the file of the recording's only person.

    Raises
    ------
    UnplacedError
        If none of the angles is known.
    """
    found = markers(recording)
    if found.notes():
        _log.info("%s: %s (filled)", path.name, found.notes())
    found = filled(found)
    degrees = angles(found.xyz_m, found.skeleton)
    known = {name: degrees[name] for name in ANGLES if np.isfinite(degrees[name]).all()}
    if not known:
        raise UnplacedError(f"{path.name}: no joint angle of this person is known; leave the person out")
    table = np.stack([found.time_s, *known.values()], -1)
    lines = [
        path.stem,
        "version=1",
        f"nRows={len(table)}",
        f"nColumns={table.shape[1]}",
        "inDegrees=yes",
        "endheader",
        "\t".join(("time", *known)),
        *(f"{row[0]:.9f}\t" + "\t".join(f"{value:.6f}" for value in row[1:]) for row in table.tolist()),
    ]
    text = "\n".join(lines) + "\n"
    write_whole(path, lambda draft: draft.write_text(text, encoding="utf-8", newline=""))
