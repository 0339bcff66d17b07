"""Parquet files with a history, each written whole or not at all."""

# pyarrow has no types of its own: what comes out of it is unknown to the checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false, reportAttributeAccessIssue=false

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from marey.core.errors import RecordingError
from marey.core.files import write_whole
from marey.core.history import History

_KEY = b"marey"


def write_table(table: pa.Table, history: History, path: Path) -> None:
    """Write a table with the history in its schema metadata; equal content gives equal bytes."""
    text = json.dumps(history.to_json(), sort_keys=True)
    table = table.replace_schema_metadata({_KEY: text.encode()})
    write_whole(path, lambda draft: pq.write_table(table, draft, compression="zstd"), sync=True)


def read_table(path: Path) -> tuple[pa.Table, dict[str, Any]]:
    """A table without its metadata, and its history as JSON values."""
    try:
        table = pq.read_table(path)
        history = json.loads((table.schema.metadata or {})[_KEY])
    except (OSError, pa.ArrowException, ValueError) as error:
        raise RecordingError(f"{path}: cannot be read ({_line(error)}); run again with --resume") from error
    except KeyError as error:
        raise RecordingError(f"{path}: Parquet, but not written by marey (no history in it)") from error
    return table.replace_schema_metadata(None), history


def _line(error: BaseException) -> str:
    return str(error).splitlines()[0]
