"""Tidy CSV: one row per person, frame and joint.

The columns of the table `poses` with the video's name before them, so that files of many videos can be put
under one another. Missing is an empty cell.
"""

# pyarrow has no types of its own: the checker does not know its functions.
# pyright: reportAttributeAccessIssue=false

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from marey.core.files import write_whole
from marey.core.recording import Recording


def write(recording: Recording, path: Path) -> None:
    """Write the file."""
    poses = recording.poses
    columns = {"video": pa.repeat(recording.history.source.name, poses.num_rows)}
    for field in poses.schema:
        column = poses[field.name]
        if pa.types.is_floating(field.type):
            column = pc.if_else(pc.is_nan(column), None, column)
        columns[field.name] = column.cast(pa.string()) if pa.types.is_dictionary(field.type) else column
    table = pa.table(columns)
    header = (",".join(table.column_names) + "\n").encode()

    def fill(draft: Path) -> None:
        with draft.open("wb") as file:
            file.write(header)
            pacsv.write_csv(table, file, pacsv.WriteOptions(include_header=False, quoting_style="needed"))

    write_whole(path, fill)
