"""Part files: a clip's recording in one Parquet file, while a run is going on.

A part is the three tables of `core/tables.py` under one another, told apart by a column `table`, so that one
rename makes the whole clip exist or not.
"""

# pyarrow has no types of its own: what comes out of it is unknown to the checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false, reportAttributeAccessIssue=false

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from marey.core import rows as arrays
from marey.core.errors import RecordingError
from marey.core.files import make_folder
from marey.core.parquet import read_table, write_table
from marey.core.recording import Recording
from marey.core.tables import SCHEMAS

_PART = re.compile(r"clip-(\d+)\.parquet")


def write_part(folder: Path, k: int, recording: Recording) -> Path:
    """Write clip `k` to `folder/parts/clip-<k>.parquet`, whole or not at all; returns the file.

    Raises `RecordingError` if it cannot be written.
    """
    path = folder / "parts" / f"clip-{k:05d}.parquet"
    make_folder(path.parent)
    tables = [_named(getattr(recording, name), name) for name in SCHEMAS]
    write_table(pa.concat_tables(tables, promote_options="default"), recording.history, path)
    return path


def parts(folder: Path) -> dict[int, Path]:
    """The part files of a recording's folder, by clip, in order."""
    found = ((_PART.fullmatch(path.name), path) for path in (folder / "parts").glob("clip-*.parquet"))
    return dict(sorted((int(match[1]), path) for match, path in found if match))


def read_part(path: Path) -> Recording:
    """One clip's recording. Raises `RecordingError` if the file is damaged."""
    table, history = read_table(path)
    if "table" not in table.column_names:
        raise RecordingError(f"{path}: not a part of a recording (no column table); delete it and resume")
    split = {
        name: table.select(["table", *schema.names]).filter(pc.equal(table["table"], name))
        for name, schema in SCHEMAS.items()
    }
    return Recording.of_tables(split, history, str(path))


def join(recordings: Iterable[Recording]) -> Recording:
    """One recording of several that share no frame, whatever their order; ids are kept as they are.

    Devices may differ and are all named; everything else of their histories must agree. Raises
    `RecordingError` if it does not, if there is nothing to join, or if a frame is in two of them.
    """
    items = sorted(recordings, key=lambda item: int(item.frame[0]) if len(item.frame) else -1)
    if not items:
        raise RecordingError("no parts to join; nothing was measured yet")
    devices = ", ".join(sorted({item.history.device for item in items}))
    histories = [replace(item.history, device=devices) for item in items]
    if any(history != histories[0] for history in histories):
        raise RecordingError("the parts come from different runs (settings, weights or versions); run afresh")
    frame = np.concatenate([item.frame for item in items])
    if (np.diff(frame) <= 0).any():
        raise RecordingError("the parts overlap: a frame is in two of them; run afresh")
    time_s = np.concatenate([item.time_s for item in items])
    rows = arrays.concat([item.rows for item in items], len(histories[0].skeleton))
    return Recording.of(rows, frame, time_s, histories[0])


def _named(table: pa.Table, name: str) -> pa.Table:
    return table.add_column(0, "table", pa.repeat(name, table.num_rows))
