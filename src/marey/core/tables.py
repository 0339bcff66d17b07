"""The three tidy tables of a recording, and the way between them and arrays.

`poses` has one row per person, frame and joint; `people` one per person and frame; `frames` one per frame
looked at, so that "nobody" and "not looked at" differ. Missing is NaN; only `look` is null.
Rows are sorted by frame, then person, joints in the skeleton's order: equal content gives equal tables.
"""

# pyarrow has no types of its own: what comes out of it is unknown to the checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false, reportAttributeAccessIssue=false

from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float64, Int64

from marey.core.errors import RecordingError
from marey.core.nouns import LOOK_SIZE, Origin
from marey.core.rows import Rows
from marey.core.skeletons import Skeleton

_NAME = pa.dictionary(pa.int32(), pa.string())
_XYXY = ("x0_px", "y0_px", "x1_px", "y1_px")
FRAMES = pa.schema([("frame", pa.int64()), ("time_s", pa.float64())])
PEOPLE = pa.schema(
    [
        *FRAMES,
        ("person", pa.int64()),
        *((name, pa.float32()) for name in _XYXY),
        ("score", pa.float32()),
        ("look", pa.list_(pa.float16(), LOOK_SIZE)),
    ]
)
POSES = pa.schema(
    [
        *FRAMES,
        ("person", pa.int64()),
        ("joint", _NAME),
        ("x_px", pa.float32()),
        ("y_px", pa.float32()),
        ("score", pa.float32()),
        ("origin", _NAME),
        ("edits", pa.uint8()),
        ("raw_x_px", pa.float32()),
        ("raw_y_px", pa.float32()),
    ]
)
SCHEMAS = {"poses": POSES, "people": PEOPLE, "frames": FRAMES}
ORIGINS = tuple(origin.name.lower() for origin in Origin)


def as_schema(table: pa.Table, name: str) -> pa.Table:
    """A table's columns in the order and types of the table called `name`. Raises `RecordingError`."""
    schema = SCHEMAS[name]
    absent = [column for column in schema.names if column not in table.column_names]
    if absent:
        raise RecordingError(f"{name} has no column {absent[0]}; restore the table or run again")
    try:
        return table.select(schema.names).cast(schema)
    except pa.ArrowException as error:
        raise RecordingError(f"{name} has a column of another type: {error}") from error


def frames_table(frame: Int64[np.ndarray, " T"], time_s: Float64[np.ndarray, " T"]) -> pa.Table:
    """The table `frames`."""
    return pa.table([frame, time_s], schema=FRAMES)


def people_table(rows: Rows) -> pa.Table:
    """The table `people`."""
    absent = np.array(np.isnan(rows.looks).all(1))
    looks = np.where(absent[:, None], np.float16(0), rows.looks)
    look = pa.FixedSizeListArray.from_arrays(pa.array(looks.ravel()), LOOK_SIZE, mask=pa.array(absent))
    boxes = [np.ascontiguousarray(rows.boxes_px[:, k]) for k in range(4)]
    return pa.table([rows.frame, rows.time_s, rows.person, *boxes, rows.box_scores, look], schema=PEOPLE)


def poses_table(rows: Rows, skeleton: Skeleton) -> pa.Table:
    """The table `poses`."""
    joints = len(skeleton)
    columns = [
        np.repeat(rows.frame, joints),
        np.repeat(rows.time_s, joints),
        np.repeat(rows.person, joints),
        _names(np.tile(np.arange(joints, dtype=np.int32), len(rows)), skeleton.joints),
        rows.xy_px[..., 0].ravel(),
        rows.xy_px[..., 1].ravel(),
        rows.scores.ravel(),
        _names(rows.origin.ravel().astype(np.int32), ORIGINS),
        rows.edits.ravel(),
        rows.raw_xy_px[..., 0].ravel(),
        rows.raw_xy_px[..., 1].ravel(),
    ]
    return pa.table(columns, schema=POSES)


def rows_of(people: pa.Table, poses: pa.Table, skeleton: Skeleton) -> Rows:
    """The arrays of two tables. Raises `RecordingError` where they do not belong together."""
    count, joints = people.num_rows, len(skeleton)
    if poses.num_rows != count * joints:
        raise RecordingError(
            f"poses has {poses.num_rows} rows, {count} people × {joints} joints of {skeleton.name} need "
            f"{count * joints}; restore the tables or run again"
        )

    def pair(*names: str) -> np.ndarray:
        return np.stack([_numpy(poses, name) for name in names], -1).reshape(count, joints, len(names))

    rows = Rows(
        frame=_numpy(people, "frame"),
        time_s=_numpy(people, "time_s"),
        person=_numpy(people, "person"),
        boxes_px=np.stack([_numpy(people, name) for name in _XYXY], -1),
        box_scores=_numpy(people, "score"),
        looks=_looks(people),
        xy_px=pair("x_px", "y_px"),
        scores=_numpy(poses, "score").reshape(count, joints),
        origin=_codes(poses, "origin", ORIGINS).astype(np.uint8).reshape(count, joints),
        edits=_numpy(poses, "edits").reshape(count, joints),
        raw_xy_px=pair("raw_x_px", "raw_y_px"),
    )
    _check_order(rows, poses, skeleton)
    return rows


def _check_order(rows: Rows, poses: pa.Table, skeleton: Skeleton) -> None:
    joints = len(skeleton)
    step = np.lexsort((rows.person, rows.frame))
    twice = (np.diff(rows.frame) == 0) & (np.diff(rows.person) == 0)
    right = (
        np.array_equal(step, np.arange(len(rows)))
        and not twice.any()
        and np.array_equal(_numpy(poses, "frame"), np.repeat(rows.frame, joints))
        and np.array_equal(_numpy(poses, "person"), np.repeat(rows.person, joints))
        and np.array_equal(_codes(poses, "joint", skeleton.joints), np.tile(np.arange(joints), len(rows)))
    )
    if not right:
        raise RecordingError(
            "rows of poses and people are not sorted by frame, person and joint with each once; "
            "restore the tables or run again"
        )


def _names(codes: np.ndarray, names: tuple[str, ...]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(names, pa.string()))


def _codes(table: pa.Table, name: str, names: tuple[str, ...]) -> np.ndarray:
    """Positions in `names` of a column of names, whatever its chunks' dictionaries."""
    parts = [np.zeros(0, np.int64)]
    for chunk in table[name].chunks:
        place = {text: k for k, text in enumerate(names)}
        try:
            known = np.array([place[text] for text in chunk.dictionary.to_pylist()], np.int64)
        except KeyError as error:
            raise RecordingError(
                f"column {name} of poses holds {error.args[0]!r}, which is none of {', '.join(names)}"
            ) from error
        parts.append(known[chunk.indices.to_numpy()])
    return np.concatenate(parts)


def _numpy(table: pa.Table, name: str) -> np.ndarray[Any, np.dtype[Any]]:
    return table[name].to_numpy()


def _looks(people: pa.Table) -> np.ndarray:
    column = people["look"].combine_chunks()
    looks = np.full((people.num_rows, LOOK_SIZE), np.nan, np.float16)
    known = column.is_valid().to_numpy(zero_copy_only=False)
    looks[known] = column.flatten().to_numpy(zero_copy_only=False).reshape(-1, LOOK_SIZE)
    return looks
