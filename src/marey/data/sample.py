"""The one form in which every data set is read.

Conventions: pixels as in `core.nouns` (edge-based, displayed image); joints in the data set's own skeleton;
missing is NaN. A kind is a function `open(path, split) -> Samples`, read lazily: a sample's picture
is decoded when `rgb()` is called.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import IntEnum

import numpy as np
from beartype import beartype
from jaxtyping import Bool, Float, Float32, Int64, Integer, UInt8, jaxtyped

from marey.core.cameras import Camera
from marey.core.geometry import joints_box
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
    still hold a person. `size` is (width, height). `camera` and `xyz_m` (people × joints × 3, metres, in the
    world that the camera starts from) are given by sets that measured space; `regions_px` are outlines of
    what counts neither way; `crowd_index` is CrowdPose's; `action` is what the person does, where a set says.
    """

    kind: str
    name: str
    clip: str
    size: tuple[int, int]
    truth: Truth
    load: Callable[[], UInt8[np.ndarray, "H W 3"]] = field(repr=False, compare=False)
    boxed_all: bool = False
    time_s: float = float("nan")
    camera: Camera | None = None
    xyz_m: Float[np.ndarray, "N J 3"] | None = None
    regions_px: tuple[Float[np.ndarray, "P 2"], ...] = ()
    crowd_index: float = float("nan")
    action: str = ""

    def rgb(self) -> UInt8[np.ndarray, "H W 3"]:
        """Decode the picture."""
        return self.load()


NO_JOINTS = Skeleton("boxes", (), (), ())
"""The skeleton of sets that know where people are, not how they stand."""


def people(
    skeleton: Skeleton,
    xy_px: Float[np.ndarray, "N J 2"],
    state: Integer[np.ndarray, "N J"],
    boxes_px: Float[np.ndarray, "N 4"] | None = None,
) -> Truth:
    """Truth of several people: unlabelled joints become NaN, ids count from 0, boxes are tight unless given.

    What a set knows besides goes in with `dataclasses.replace`.
    """
    xy_px = np.where((state > State.UNLABELLED)[..., None], xy_px, np.nan).astype(np.float32)
    boxes_px = joints_box(xy_px) if boxes_px is None else boxes_px.astype(np.float32)
    nothing = np.full(len(xy_px), np.nan, np.float32)
    ids, ignore = np.arange(len(xy_px), dtype=np.int64), np.zeros(len(xy_px), bool)
    return Truth(skeleton, xy_px, state.astype(np.uint8), boxes_px, ids, nothing, nothing, nothing, ignore)


def seen_from(
    camera: Camera, skeleton: Skeleton, xyz_m: Float[np.ndarray, "N J 3"], size: tuple[int, int]
) -> Truth:
    """Truth of people in space as a camera sees them: what lies outside the picture counts as occluded."""
    xy = camera.project(xyz_m.astype(np.float64))
    inside = ((xy >= 0) & (xy < size)).all(-1)
    state = np.where(inside, State.VISIBLE, State.OCCLUDED)
    return people(skeleton, xy, np.where(np.isnan(xy).any(-1), State.UNLABELLED, state))


def one_person(
    skeleton: Skeleton,
    xy_px: Float32[np.ndarray, "J 2"],
    state: UInt8[np.ndarray, " J"],
    box_px: Float32[np.ndarray, " 4"],
) -> Truth:
    """Truth of one person; its torso is left shoulder to right hip (NaN where one is not labelled)."""
    torso = xy_px[skeleton.index("left_shoulder")] - xy_px[skeleton.index("right_hip")]
    truth = people(skeleton, xy_px[None], state[None], box_px[None])
    return replace(truth, torso_px=np.hypot(*torso)[None].astype(np.float32))


def only_boxes(boxes_px: Float32[np.ndarray, "N 4"]) -> Truth:
    """Truth that knows boxes only."""
    nobody = np.zeros((len(boxes_px), 0, 2), np.float32)
    return people(NO_JOINTS, nobody, np.zeros((len(boxes_px), 0), np.uint8), boxes_px)
