"""Wide CSV: one row per person and frame, three columns per joint (`left_hip_x_px`, `…_y_px`, `…_score`).

After lifting also `left_hip_x_m`, `…_y_m`, `…_z_m`, `…_score_3d`, and the places of joints that only the
lifter has. For spreadsheets; what a value stands on is in the tidy form. Missing is an empty cell.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from jaxtyping import Float32

from marey.core.files import write_whole
from marey.core.recording import Recording
from marey.core.space import AXES, COLUMNS


def write(recording: Recording, path: Path) -> None:
    """Write the file."""
    rows = recording.rows
    columns = {
        "video": pa.repeat(recording.history.source.name, len(rows)),
        "frame": pa.array(rows.frame),
        "time_s": pa.array(rows.time_s),
        "person": pa.array(rows.person),
    }
    values = np.concatenate([rows.xy_px, rows.scores[..., None]], -1)
    columns |= _columns(recording.skeleton.joints, ("x_px", "y_px", "score"), values)
    if recording.space is not None:
        space = recording.space
        values = np.concatenate([space.xyz_m, space.scores[..., None]], -1)
        columns |= _columns(recording.skeleton.joints, COLUMNS, values)
        columns |= _columns(space.joints, AXES, space.more_m)
    table = pa.table(columns)
    header = (",".join(columns) + "\n").encode()

    def fill(draft: Path) -> None:
        with draft.open("wb") as file:
            file.write(header)
            pacsv.write_csv(table, file, pacsv.WriteOptions(include_header=False, quoting_style="needed"))

    write_whole(path, fill)


def _columns(
    joints: tuple[str, ...], names: tuple[str, ...], values: Float32[np.ndarray, "R J C"]
) -> dict[str, pa.Array]:
    """A column for every joint and name; NaN becomes an empty cell."""
    return {
        f"{joint}_{name}": pa.array(values[:, j, k], from_pandas=True)
        for j, joint in enumerate(joints)
        for k, name in enumerate(names)
    }
