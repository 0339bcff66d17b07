"""What lifting adds to a recording: places in space for its rows.

Conventions: metres, right-handed, X to the right of the picture, Y up, Z towards the viewer, all people of a
video in one frame; R rows, J joints of the recording's skeleton, K joints that only the lifter has (such as
`root`, `spine`, `thorax`). Missing is NaN; a joint without a 2D place has none in space.
On disk: `x_m, y_m, z_m, score_3d` are further columns of the table `poses`; the other joints are the table
`lifted`. How it was done is in the history under `lift`.
"""

# pyarrow has no types of its own: what comes out of it is unknown to the checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false, reportAttributeAccessIssue=false

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from beartype import beartype
from jaxtyping import Bool, Float32, jaxtyped  # pyright: ignore[reportUnknownVariableType]

from marey.core.errors import RecordingError
from marey.core.rows import Rows

AXES = ("x_m", "y_m", "z_m")
COLUMNS = (*AXES, "score_3d")
LIFTED = pa.schema(
    [
        ("frame", pa.int64()),
        ("time_s", pa.float64()),
        ("person", pa.int64()),
        ("joint", pa.dictionary(pa.int32(), pa.string())),
        *((name, pa.float32()) for name in AXES),
    ]
)


@jaxtyped(typechecker=beartype)
@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """Places of a recording's rows, in their order: its own joints, and `joints` that only the lifter has."""

    xyz_m: Float32[np.ndarray, "R J 3"]
    scores: Float32[np.ndarray, "R J"]
    joints: tuple[str, ...]
    more_m: Float32[np.ndarray, "R K 3"]

    def take(self, index: Bool[np.ndarray, " R"] | slice) -> "Space":
        """Places of some of the rows."""
        return Space(self.xyz_m[index], self.scores[index], self.joints, self.more_m[index])

    def equals(self, other: "Space | None") -> bool:
        """Whether every value agrees; NaN equals NaN."""
        return (
            other is not None
            and self.joints == other.joints
            and np.array_equal(self.xyz_m, other.xyz_m, equal_nan=True)
            and np.array_equal(self.scores, other.scores, equal_nan=True)
            and np.array_equal(self.more_m, other.more_m, equal_nan=True)
        )


def poses_with(poses: pa.Table, space: Space) -> pa.Table:
    """The table `poses` with the columns of space."""
    flat = [*(space.xyz_m[..., k].ravel() for k in range(3)), space.scores.ravel()]
    for name, values in zip(COLUMNS, flat, strict=True):
        poses = poses.append_column(pa.field(name, pa.float32()), pa.array(values))
    return poses


def lifted_table(rows: Rows, space: Space) -> pa.Table:
    """The table `lifted`: a row per person, frame and joint that only the lifter has."""
    count = len(space.joints)
    codes = np.tile(np.arange(count, dtype=np.int32), len(rows))
    columns = [
        np.repeat(rows.frame, count),
        np.repeat(rows.time_s, count),
        np.repeat(rows.person, count),
        pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(space.joints, pa.string())),
        *(space.more_m[..., k].ravel() for k in range(3)),
    ]
    return pa.table(columns, schema=LIFTED)


def space_of(poses: pa.Table, lifted: pa.Table, shape: tuple[int, int]) -> Space:
    """The arrays of two tables; `shape` = (rows, joints). Raises `RecordingError` where they do not fit."""
    missing = [name for name in COLUMNS if name not in poses.column_names]
    if missing:
        raise RecordingError(f"poses has no column {missing[0]}, though the history says it was lifted")
    values = np.stack([_numpy(poses, name) for name in COLUMNS], -1).reshape(*shape, 4)
    try:
        lifted = lifted.select(LIFTED.names).cast(LIFTED)
    except (KeyError, pa.ArrowException) as error:
        raise RecordingError(f"lifted is not as it was written ({error}); lift again") from error
    names = lifted["joint"].to_pylist()
    joints = tuple(dict.fromkeys(names))
    if len(names) != shape[0] * len(joints) or names != list(joints) * shape[0]:
        raise RecordingError("lifted does not belong to poses; restore the tables or lift again")
    more = np.stack([_numpy(lifted, name) for name in AXES], -1).reshape(shape[0], len(joints), 3)
    return Space(values[..., :3], values[..., 3], joints, more)


def _numpy(table: pa.Table, name: str) -> np.ndarray:
    return table[name].to_numpy().astype(np.float32)
