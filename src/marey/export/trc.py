"""TRC, the marker files of OpenSim: tab-separated text, metres, Y up, an exact rate.

As OpenSim's `TRCFileAdapter` reads it. A missing place is three empty cells (the text `nan` stops inverse
kinematics in older versions); every row ends with a tab, as OpenSim's own do, or it would miscount a row
whose last places are missing. `trc-filled` has no empty cells (`finishing/markers.filled`). Times are those
of the recording, so that files of several people share one clock.
"""

import logging
import math
from pathlib import Path

from marey.core.files import write_whole
from marey.core.recording import Recording
from marey.finishing.markers import Markers, filled, markers

KEYS = (
    "DataRate", "CameraRate", "NumFrames", "NumMarkers", "Units", "OrigDataRate", "OrigDataStartFrame",
    "OrigNumFrames",
)  # fmt: skip
_log = logging.getLogger(__name__)


def write(recording: Recording, path: Path) -> None:
    """Write the file of the recording's only person."""
    _write(markers(recording), path, "empty cells, which --to trc-filled fills")


def write_filled(recording: Recording, path: Path) -> None:
    """Write the file of the recording's only person, without empty cells."""
    _write(markers(recording), path, "filled")


def _write(found: Markers, path: Path, gaps: str) -> None:
    if found.notes():
        _log.info("%s: %s (%s)", path.name, found.notes(), gaps)
    text = _text(filled(found) if gaps == "filled" else found, path.name)
    write_whole(path, lambda draft: draft.write_text(text, encoding="utf-8", newline=""))


def _text(found: Markers, name: str) -> str:
    rate, count = repr(float(found.rate)), len(found)
    values = (rate, rate, count, len(found.joints), "m", rate, 1, count)
    numbers = range(1, len(found.joints) + 1)
    lines = [
        f"PathFileType\t4\t(X/Y/Z)\t{name}",
        "\t".join(KEYS),
        "\t".join(map(str, values)),
        "Frame#\tTime\t" + "".join(f"{joint}\t\t\t" for joint in found.joints),
        "\t\t" + "".join(f"X{k}\tY{k}\tZ{k}\t" for k in numbers),
        "",
    ]
    places = found.xyz_m.reshape(count, -1).tolist()
    for k, (time_s, row) in enumerate(zip(found.time_s.tolist(), places, strict=True), 1):
        cells = "".join("\t" if math.isnan(value) else f"{value:.6f}\t" for value in row)
        lines.append(f"{k}\t{time_s:.9f}\t{cells}")
    return "\n".join(lines) + "\n"
