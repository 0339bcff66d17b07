"""The files that hold a clip's truth: a recording with exact joints, and the tables beside it.

truth.parquet    frame, person, joint, sight (outside, occluded, visible), depth_m, and the motion of the
                 surface over a visible joint: next_x_px, next_y_px, last_x_px, last_y_px
seen.parquet     frame, person, visible_px: how many pixels show the person
cameras.parquet  frame, and the camera: k (9), rotation (9), translation (3), row by row
"""

# pyright: reportUnknownMemberType=false

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from beartype import beartype
from jaxtyping import Float32, Float64, Int32, Int64, UInt8, jaxtyped  # pyright: ignore[reportUnknownVariableType]

from marey.core.cameras import Camera
from marey.core.files import write_whole
from marey.core.history import History
from marey.core.nouns import LOOK_SIZE
from marey.core.recording import Recording
from marey.core.rows import Rows
from marey.core.skeletons import MAREY19, skeleton
from marey.core.space import Space

MORE = ("root", "spine", "thorax")
MOVED = ("next_x_px", "next_y_px", "last_x_px", "last_y_px")
SIGHTS = ("outside", "occluded", "visible")
EXACT = {
    "method": "synth",
    "skeleton": "marey19",
    "frame": "world",
    "camera_source": "exact",
    "scale_source": "exact",
}
"""What the history says of places in space: metres in the scene's world, Y up."""


@jaxtyped(typechecker=beartype)
@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """The people on one frame of one view, with J joints of marey19; `motion_px` as `MOVED` says."""

    people: Int64[np.ndarray, " N"]
    boxes_px: Float32[np.ndarray, "N 4"]
    xyz_m: Float64[np.ndarray, "N J 3"]
    xy_px: Float64[np.ndarray, "N J 2"]
    sight: UInt8[np.ndarray, "N J"]
    depth_m: Float64[np.ndarray, "N J"]
    visible_px: Int32[np.ndarray, " N"]
    motion_px: Float32[np.ndarray, "N J 4"]


def nobody() -> Shown:
    """A frame that shows nobody."""
    count = len(MAREY19)
    return Shown(
        np.zeros(0, np.int64),
        np.zeros((0, 4), np.float32),
        np.zeros((0, count, 3)),
        np.zeros((0, count, 2)),
        np.zeros((0, count), np.uint8),
        np.zeros((0, count)),
        np.zeros(0, np.int32),
        np.zeros((0, count, 4), np.float32),
    )


def write_truth(
    folder: Path, shown: Sequence[Shown], cameras: Sequence[Camera], history: History, rate_hz: float
) -> None:
    """Write a clip's recording and tables; `shown` and `cameras` have one entry for each frame.

    Raises `RecordingError` where the disk does not take them.
    """
    frame = np.arange(len(shown), dtype=np.int64)
    rows, space = _tables(shown, frame / rate_hz)
    Recording.of(rows, frame, frame / rate_hz, history, space).save(folder)
    _write(folder / "truth.parquet", _truth_table(shown, rows))
    pixels = np.concatenate([one.visible_px for one in shown])
    seen = {"frame": rows.frame, "person": rows.person, "visible_px": pixels}
    _write(folder / "seen.parquet", pa.table(seen))
    _write(folder / "cameras.parquet", camera_table(cameras))


def _tables(shown: Sequence[Shown], time_s: np.ndarray) -> tuple[Rows, Space]:
    counts = [len(one.people) for one in shown]
    frame = np.repeat(np.arange(len(shown)), counts)
    xy = np.concatenate([one.xy_px for one in shown]).astype(np.float32)
    total = len(frame)
    ones = np.ones(xy.shape[:2], np.float32)
    rows = Rows(
        frame, time_s[frame], np.concatenate([one.people for one in shown]),
        np.concatenate([one.boxes_px for one in shown]), np.ones(total, np.float32),
        np.full((total, LOOK_SIZE), np.nan, np.float16), xy, np.where(np.isnan(xy[..., 0]), np.nan, ones),
        np.zeros(xy.shape[:2], np.uint8), np.zeros(xy.shape[:2], np.uint8), xy,
    )  # fmt: skip
    xyz = np.concatenate([one.xyz_m for one in shown])
    h36m = skeleton("h36m17")
    more = MAREY19.converter(h36m)(xyz)[:, [h36m.index(name) for name in MORE]]
    return rows, Space(xyz.astype(np.float32), ones, MORE, more.astype(np.float32))


def _truth_table(shown: Sequence[Shown], rows: Rows) -> pa.Table:
    count = len(MAREY19)
    names = pa.DictionaryArray.from_arrays(
        pa.array(np.tile(np.arange(count, dtype=np.int32), len(rows))), pa.array(MAREY19.joints)
    )
    sights = np.concatenate([one.sight for one in shown]).ravel().astype(np.int32)
    words = pa.DictionaryArray.from_arrays(pa.array(sights), pa.array(SIGHTS))
    moved = np.concatenate([one.motion_px for one in shown]).reshape(-1, 4)
    depth = np.concatenate([one.depth_m for one in shown]).ravel().astype(np.float32)
    return pa.table(
        {
            "frame": np.repeat(rows.frame, count), "person": np.repeat(rows.person, count), "joint": names,
            "sight": words, "depth_m": depth,
            **{name: np.ascontiguousarray(moved[:, k]) for k, name in enumerate(MOVED)},
        }
    )  # fmt: skip


def camera_table(cameras: Sequence[Camera]) -> pa.Table:
    """Cameras, a row per frame."""
    parts = {
        "k": [c.matrix for c in cameras],
        "rotation": [c.rotation for c in cameras],
        "translation": [c.translation for c in cameras],
    }
    columns = {"frame": np.arange(len(cameras))}
    for name, values in parts.items():
        flat = np.stack(values).reshape(len(cameras), -1)
        columns |= {f"{name}{k}": np.ascontiguousarray(flat[:, k]) for k in range(flat.shape[1])}
    return pa.table(columns)


def _write(path: Path, table: pa.Table) -> None:
    write_whole(path, lambda part: pq.write_table(table, part))
