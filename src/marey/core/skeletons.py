"""Named joints: every skeleton marey reads, predicts or writes, and conversion between them by name.

Left is the person's left. Joint names are COCO's, spelt out. A joint of one skeleton becomes a joint of
another in one of three ways, and a converter says which for each:

copied   both have the joint, under one name or under two that mean one point (`SAME`);
derived  the middle of joints the source has (`MIDDLES`), and never anything cleverer;
missing  NaN.

Some words mean different points in different sets (`PRIVATE`): these joints are never copied to another
skeleton. Truth for training is what is copied; what is derived is good enough to export or to lift.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from marey.core.errors import MareyError
from marey.core.skeleton_tables import TABLES, Table

Way = Literal["copied", "derived", "missing"]

SAME = {
    "pelvis": "mid_hip", "root": "mid_hip", "hip": "mid_hip",
    "upper_neck": "neck", "head_bottom": "neck",
    "left_foot": "left_ankle", "right_foot": "right_ankle",
}  # fmt: skip
"""Names that mean one point: MPII's pelvis, Human3.6M's root and Halpe's hip are the middle of the hips; its
feet are the ankles; PoseTrack takes MPII's upper neck as head bottom, and LSP's neck lies there too."""

MIDDLES = {
    "mid_hip": ("left_hip", "right_hip"),
    "mid_shoulder": ("left_shoulder", "right_shoulder"),
    "mid_ear": ("left_ear", "right_ear"),
    "neck": ("left_shoulder", "right_shoulder"),
    "thorax": ("left_shoulder", "right_shoulder"),
    "spine": ("left_shoulder", "right_shoulder", "left_hip", "right_hip"),
}
"""Joints that may be derived, as the mean of others. A neck so derived lies lower than a labelled one (our
choice, as in OpenPose); the spine is the middle between root and thorax, as in VideoPose3D's data."""

PRIVATE = frozenset(
    {
        *((name, "head") for name in ("halpe26", "h36m17", "penn13", "bbc7", "mpi_inf_3dhp17", "humaneva15")),
        ("jhmdb15", "neck"),
        ("mpi_inf_3dhp17", "neck"),
        ("mpi_inf_3dhp17", "spine"),
    }
)
"""Joints that share a word with another set's but not the place: a head is the crown or the middle of it,
JHMDB's neck lies lower than LSP's, and MPI-INF-3DHP's neck and spine are joints of its own model."""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Joints by name, limbs and left/right pairs as index pairs, OKS sigmas and parents where they exist."""

    name: str
    joints: tuple[str, ...]
    limbs: tuple[tuple[int, int], ...]
    flips: tuple[tuple[int, int], ...]
    sigmas: tuple[float, ...] | None = None
    parents: tuple[int, ...] | None = None

    def __len__(self) -> int:
        return len(self.joints)

    def index(self, joint: str) -> int:
        """Position of a joint by name.

        Raises
        ------
        MareyError
            If the skeleton has no such joint.
        """
        if joint not in self.joints:
            raise MareyError(f"{self.name} has no joint {joint!r}; its joints are {', '.join(self.joints)}")
        return self.joints.index(joint)

    def converter(self, other: "Skeleton") -> "Converter":
        """What makes joints of `other` out of joints of this skeleton."""
        if self.joints == other.joints:
            return Converter(self, other, tuple((k,) for k in range(len(self))))
        shared = ((k, joint) for k, joint in enumerate(self.joints) if (self.name, joint) not in PRIVATE)
        places = {SAME.get(joint, joint): k for k, joint in shared}
        return Converter(self, other, tuple(_sources(other.name, joint, places) for joint in other.joints))


@dataclass(frozen=True, slots=True)
class Converter:
    """Conversion by name; `sources[j]` are the joints whose mean is joint j of `target` (none: missing)."""

    source: Skeleton
    target: Skeleton
    sources: tuple[tuple[int, ...], ...]

    @property
    def ways(self) -> tuple[Way, ...]:
        """How each joint of the target comes about."""
        return tuple("missing" if not s else "copied" if len(s) == 1 else "derived" for s in self.sources)

    def names(self, way: Way) -> tuple[str, ...]:
        """The joints of the target that come about in this way."""
        return tuple(name for name, how in zip(self.target.joints, self.ways, strict=True) if how == way)

    def __call__(self, xy: Float[np.ndarray, "*N J D"]) -> Float[np.ndarray, "*N K D"]:
        """Convert positions in two or three dimensions; what stands on a NaN is NaN."""
        result = np.full((*xy.shape[:-2], len(self.target), xy.shape[-1]), np.nan, xy.dtype)
        for j, joints in enumerate(self.sources):
            if joints:
                result[..., j, :] = xy[..., joints, :].mean(-2)
        return result

    def scores(self, scores: Float[np.ndarray, "*N J"]) -> Float[np.ndarray, "*N K"]:
        """Convert scores: a derived joint is worth its worst part, a missing one has none (NaN)."""
        result = np.full((*scores.shape[:-1], len(self.target)), np.nan, scores.dtype)
        for j, joints in enumerate(self.sources):
            if joints:
                result[..., j] = scores[..., joints].min(-1)
        return result


def mirrored(skeleton: Skeleton) -> tuple[int, ...]:
    """For each joint the joint on the person's other side (itself on the middle line)."""
    order = list(range(len(skeleton)))
    for left, right in skeleton.flips:
        order[left], order[right] = right, left
    return tuple(order)


def skeleton(name: str) -> Skeleton:
    """Look a skeleton up by name.

    Raises
    ------
    MareyError
        If there is none of that name.
    """
    if name not in SKELETONS:
        raise MareyError(f"{name}: no such skeleton; known are {', '.join(SKELETONS)}")
    return SKELETONS[name]


def _sources(skeleton: str, joint: str, places: dict[str, int]) -> tuple[int, ...]:
    """Joints of the source (by meaning, in `places`) that make `joint` of a skeleton."""
    if (skeleton, joint) in PRIVATE:
        return ()
    meaning = SAME.get(joint, joint)
    if meaning in places:
        return (places[meaning],)
    parts = MIDDLES.get(meaning, ())
    return tuple(places[part] for part in parts) if all(part in places for part in parts) else ()


def _spelt(joint: str) -> str:
    side = {"l": "left", "r": "right"}.get(joint.split("_")[0])
    return f"{side}{joint[1:]}" if side and joint[1] == "_" else joint


def _skeleton(name: str, table: Table) -> Skeleton:
    joints = tuple(_spelt(joint) for joint in table.joints.split())
    sides = ((joint, f"right{joint[4:]}") for joint in joints if joint.startswith("left_"))
    by_name = ((joints.index(left), joints.index(right)) for left, right in sides)
    flips = sorted(tuple(sorted(pair)) for pair in (*by_name, *table.flips))
    pairs = tuple((low, high) for low, high in flips)
    return Skeleton(name, joints, table.limbs, pairs, table.sigmas, table.parents)


SKELETONS: dict[str, Skeleton] = {name: _skeleton(name, table) for name, table in TABLES.items()}
"""Every skeleton by name."""

COCO17 = SKELETONS["coco17"]
WHOLEBODY133 = SKELETONS["wholebody133"]
HALPE26 = SKELETONS["halpe26"]
BODY25 = SKELETONS["body25"]
COCO18 = SKELETONS["coco18"]
LSP14 = SKELETONS["lsp14"]
MPII16 = SKELETONS["mpii16"]
POSETRACK15 = SKELETONS["posetrack15"]
POSETRACK18 = SKELETONS["posetrack18"]
CROWDPOSE14 = SKELETONS["crowdpose14"]
H36M17 = SKELETONS["h36m17"]
PENN13 = SKELETONS["penn13"]
JHMDB15 = SKELETONS["jhmdb15"]
FLIC29 = SKELETONS["flic29"]
FLIC11 = SKELETONS["flic11"]
BBC7 = SKELETONS["bbc7"]
HIE14 = SKELETONS["hie14"]
MEDIAPIPE33 = SKELETONS["mediapipe33"]
PARSE14 = SKELETONS["parse14"]
PANOPTIC19 = SKELETONS["panoptic19"]
MPI_INF_3DHP17 = SKELETONS["mpi_inf_3dhp17"]
HUMANEVA15 = SKELETONS["humaneva15"]
MAREY19 = SKELETONS["marey19"]
