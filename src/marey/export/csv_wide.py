"""Wide CSV: one row per person and frame, three columns per joint (`left_hip_x_px`, `…_y_px`, `…_score`).

For spreadsheets; what a value stands on is in the tidy form. Missing is an empty cell.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from marey.core.files import write_whole
from marey.core.recording import Recording


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
    for j, joint in enumerate(recording.skeleton.joints):
        for k, name in enumerate(("x_px", "y_px", "score")):
            columns[f"{joint}_{name}"] = pa.array(values[:, j, k], from_pandas=True)
    table = pa.table(columns)
    header = (",".join(columns) + "\n").encode()

    def fill(draft: Path) -> None:
        with draft.open("wb") as file:
            file.write(header)
            pacsv.write_csv(table, file, pacsv.WriteOptions(include_header=False, quoting_style="needed"))

    write_whole(path, fill)
