"""What flows through marey: a frame, the people on it, their poses.

Conventions: N people, J joints, H×W pixels. Pixels are those of the displayed (upright) image, origin at
its top-left corner; pixel k covers [k, k+1), so the centre of the top-left pixel is (0.5, 0.5).
Missing is NaN, never 0. A score is the quality of an estimate, never a mask.
Each noun holds its predecessor, so its type says how far the work has come. Shapes and dtypes are checked
when a noun is made, and nowhere after.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from beartype import beartype
from jaxtyping import Float16, Float32, Int64, UInt8, jaxtyped  # pyright: ignore[reportUnknownVariableType]

from marey.core.skeletons import Skeleton

LOOK_SIZE = 64
"""Length of an appearance vector (our choice: small enough to store one per box)."""


class Origin(IntEnum):
    """What a joint's value stands on."""

    MEASURED = 0
    CARRIED = 1
    RECOVERED = 2
    FILLED = 3


@jaxtyped(typechecker=beartype)
@dataclass(frozen=True, slots=True)
class Frame:
    """One upright picture of a video: `index` in the source from 0, `time_s` from its first shown frame."""

    index: int
    time_s: float
    rgb: UInt8[np.ndarray, "H W 3"]


@jaxtyped(typechecker=beartype)
@dataclass(frozen=True, slots=True)
class People:
    """The people on a frame: boxes x0 y0 x1 y1, ids (−1: not tracked), appearance (NaN: not computed)."""

    frame: Frame
    boxes_px: Float32[np.ndarray, "N 4"]
    scores: Float32[np.ndarray, " N"]
    ids: Int64[np.ndarray, " N"]
    looks: Float16[np.ndarray, "N 64"]

    def __len__(self) -> int:
        return len(self.ids)


@jaxtyped(typechecker=beartype)
@dataclass(frozen=True, slots=True)
class Poses:
    """The poses of a frame's people, in the order of `people`.

    `origin` is an `Origin` per joint; `xyz_m` is root-relative in camera axes, NaN unless the estimator
    measures 3D.
    """

    people: People
    skeleton: Skeleton
    xy_px: Float32[np.ndarray, "N J 2"]
    scores: Float32[np.ndarray, "N J"]
    origin: UInt8[np.ndarray, "N J"]
    xyz_m: Float32[np.ndarray, "N J 3"]

    @property
    def frame(self) -> Frame:
        """The frame these poses were measured on."""
        return self.people.frame

    def __len__(self) -> int:
        return len(self.people)


def no_looks(count: int) -> Float16[np.ndarray, "N 64"]:
    """Appearance vectors of `count` people whose appearance was not computed."""
    return np.full((count, LOOK_SIZE), np.nan, np.float16)
