"""C3D, the binary files of motion capture: points in millimetres, Y up, an exact rate, no analog channels.

Written with ezc3d. `X_SCREEN` is +X, `Y_SCREEN` +Y: as in the picture. A missing point is NaN with residual
−1; a point's residual is 0 otherwise, as C3D has no word for a score. The format counts from frame 1; the
group `MAREY` says at which second of the video that is (`START_S`) and where the scale comes from (`SCALE`).
Its header counts frames in 16 bits, and readers stop there whatever the parameters say: longer ones are
refused.
"""

import logging
from pathlib import Path

import numpy as np

from marey.core.errors import RecordingError
from marey.core.files import write_whole
from marey.core.recording import Recording
from marey.finishing.markers import markers

LONGEST = 65_534
"""Frames that ezc3d and c3d both read back (c3d overflows at one more)."""
_log = logging.getLogger(__name__)


def write(recording: Recording, path: Path) -> None:
    """Write the file of the recording's only person.

    Raises
    ------
    RecordingError
        If there are more frames than the format counts.
    """
    import ezc3d

    found = markers(recording)
    if len(found) > LONGEST:
        raise RecordingError(
            f"{path.name}: {len(found)} frames, C3D counts to {LONGEST}; measure parts (--from, --to)"
        )
    if found.notes():
        _log.info("%s: %s", path.name, found.notes())
    points = np.full((4, len(found.joints), len(found)), 1.0)
    points[:3] = 1000 * found.xyz_m.transpose(2, 1, 0)
    missing = ~found.known.T
    scale = ((recording.history.lift or {}).get("scale_source") or {}).get(str(recording.ids[0]), "")
    c3d = ezc3d.c3d()
    held = c3d["parameters"]["POINT"]
    held["RATE"]["value"] = [float(found.rate)]
    held["LABELS"]["value"] = list(found.joints)
    held["UNITS"]["value"] = ["mm"]
    for group, name, value in (
        ("POINT", "X_SCREEN", "+X"),
        ("POINT", "Y_SCREEN", "+Y"),
        ("MAREY", "START_S", found.start_s),
        ("MAREY", "SCALE", scale or "unknown"),
        ("MAREY", "VIDEO", recording.history.source.name or "unknown"),
    ):
        c3d.add_parameter(group, name, [value])
    c3d["data"]["points"] = points
    c3d["data"]["meta_points"]["residuals"] = np.where(missing, -1.0, 0.0)[None]
    c3d["data"]["meta_points"]["camera_masks"] = np.zeros((7, *missing.shape), bool)

    def fill(draft: Path) -> None:
        named = draft.with_name(f"{draft.name}.c3d")  # to a path that ends otherwise ezc3d adds this itself
        try:
            c3d.write(str(named))
            named.replace(draft)
        finally:
            named.unlink(missing_ok=True)

    write_whole(path, fill)
