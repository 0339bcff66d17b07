"""The one form in which every data set is read.

Conventions: pixels as in `core.nouns` (edge-based, displayed image); joints in the data set's own skeleton;
missing is NaN. A kind is a function `open(path, split) -> Samples`, read lazily: a sample's picture
is decoded when `rgb()` is called.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from beartype import beartype
from jaxtyping import Bool, Float32, Int64, UInt8, jaxtyped

from marey.core.skeletons import Skeleton


class State(IntEnum):
    """What a label says of a joint."""

    UNLABELLED = 0
    OCCLUDED = 1
    VISIBLE = 2


@jaxtyped(typechecker=beartype)
@dataclass(frozen=True, slots=True)
class Truth:
    """The people of one picture.

    `boxes_px` are the set's own boxes or tight boxes of the joints (NaN where neither is known);
    `areas_px` is the set's area (COCO) or NaN; `ignore` marks people that count neither way (crowds);
    `torso_px`, `head_px` are the set's normalisers, NaN where it has none.
    """

    skeleton: Skeleton
    xy_px: Float32[np.ndarray, "N J 2"]
    state: UInt8[np.ndarray, "N J"]
    boxes_px: Float32[np.ndarray, "N 4"]
    ids: Int64[np.ndarray, " N"]
    areas_px: Float32[np.ndarray, " N"]
    torso_px: Float32[np.ndarray, " N"]
    head_px: Float32[np.ndarray, " N"]
    ignore: Bool[np.ndarray, " N"]

    @property
    def labelled(self) -> Bool[np.ndarray, "N J"]:
        """Joints with a usable label, seen or not."""
        return self.state > State.UNLABELLED

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled picture: `name` is unique in its set, `clip` groups pictures that must not be split.

    `boxed_all` says whether every person in the picture has a box; where it is False, an unboxed place may
    still hold a person. `size` is (width, height).
    """

    kind: str
    name: str
    clip: str
    size: tuple[int, int]
    truth: Truth
    load: Callable[[], UInt8[np.ndarray, "H W 3"]] = field(repr=False, compare=False)
    boxed_all: bool = False
    time_s: float = float("nan")

    def rgb(self) -> UInt8[np.ndarray, "H W 3"]:
        """Decode the picture."""
        return self.load()


NO_JOINTS = Skeleton("boxes", (), (), ())
"""The skeleton of sets that know where people are, not how they stand."""


def one_person(
    skeleton: Skeleton,
    xy_px: Float32[np.ndarray, "J 2"],
    state: UInt8[np.ndarray, " J"],
    box_px: Float32[np.ndarray, " 4"],
) -> Truth:
    """Truth of one person; its torso is left shoulder to right hip (NaN where one is not labelled)."""
    torso = xy_px[skeleton.index("left_shoulder")] - xy_px[skeleton.index("right_hip")]
    nothing = np.full(1, np.nan, np.float32)
    return Truth(
        skeleton=skeleton,
        xy_px=xy_px[None],
        state=state[None],
        boxes_px=box_px[None],
        ids=np.zeros(1, np.int64),
        areas_px=nothing,
        torso_px=np.hypot(*torso)[None].astype(np.float32),
        head_px=nothing,
        ignore=np.zeros(1, bool),
    )


def only_boxes(boxes_px: Float32[np.ndarray, "N 4"]) -> Truth:
    """Truth that knows boxes only."""
    count = len(boxes_px)
    nothing = np.full(count, np.nan, np.float32)
    return Truth(
        skeleton=NO_JOINTS,
        xy_px=np.zeros((count, 0, 2), np.float32),
        state=np.zeros((count, 0), np.uint8),
        boxes_px=boxes_px,
        ids=np.arange(count),
        areas_px=nothing,
        torso_px=nothing,
        head_px=nothing,
        ignore=np.zeros(count, bool),
    )
