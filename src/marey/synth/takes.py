"""Motion capture as motions: joint rotations of CMU's takes, taken over whole, twist included.

A take's segment turns from its rig's rest pose; what the rest pose lacks of a T-pose is made good by the
smallest turn that lays the rig's bone along the T-pose's. Rigs: `data/mocap.py`. Trunk, head, collar bones
and feet stand alike in all rest poses and need none. The rig of `cmu_general` has bones whose own axes differ
(Y along the bone); its T-pose, the first frame of 007_03 to 007_12, gives `CC_AXES`. CMU's own files (`.amc`)
are a fourth rig, called `amc` here.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from marey.core.bvh import Bvh, parse
from marey.core.errors import DataError
from marey.core.kinematics import axis_rotations, world_rotations
from marey.data.acclaim import Acclaim, read_acclaim
from marey.data.mocap import ASF_RATE_HZ, BROKEN, HELD, RIGS, group
from marey.synth.motion import SEGMENTS, SIDED, Motion
from marey.synth.turns import between, of_matrices, product

DOWN, LEFT = np.array([0.0, -1.0, 0.0]), np.array([1.0, 0.0, 0.0])
TRUNK = {
    "cmu_general": ("CC_Base_Hip", "CC_Base_Spine02", "CC_Base_NeckTwist02", "CC_Base_Head"),
    "cmu_walks": ("Hips", "Chest2", "Neck", "Head"),
    "cmu_dance_martial": ("hip", "chest", "neck", "head"),
    "amc": ("root", "", "upperneck", "head"),  # the chest is what the collar bones hang on
}
LIMBS = {
    "cmu_general": ("Clavicle", "Upperarm", "Forearm", "Hand", "Thigh", "Calf", "Foot"),
    "cmu_walks": ("Collar", "Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle"),
    "cmu_dance_martial": ("Collar", "Shldr", "ForeArm", "Hand", "Thigh", "Shin", "Foot"),
    "amc": ("clavicle", "humerus", "radius", "wrist", "femur", "tibia", "foot"),
}
SIDES = {
    "cmu_general": ("CC_Base_L_{}", "CC_Base_R_{}"),
    "cmu_walks": ("Left{}", "Right{}"),
    "cmu_dance_martial": ("l{}", "r{}"),
    "amc": ("l{}", "r{}"),
}
ENDS = {"upper_arm": "forearm", "forearm": "hand", "thigh": "shin", "shin": "foot"}
"""Where a segment's bone leads to; a hand lies as its forearm does."""
HAND_CURL = 0.25
"""Of fingers that nobody captured, in radians a joint (our choice: a relaxed hand)."""


def _pitched(degrees: float) -> Float64[np.ndarray, "3 3"]:
    return axis_rotations("x", np.array(np.deg2rad(degrees)))


def _columns(*axes: tuple[float, float, float]) -> Float64[np.ndarray, "3 3"]:
    return np.array(axes, np.float64).T


CC_AXES = {
    "chest": _pitched(-10.4),
    "left_arm": _columns((0, -1, 0), (1, 0, 0), (0, 0, 1)),
    "right_arm": _columns((0, 1, 0), (-1, 0, 0), (0, 0, 1)),
    "leg": _columns((-1, 0, 0), (0, -1, 0), (0, 0, 1)),
    "foot": _columns((-1, 0, 0), (0, -0.22, 0.975), (0, 0.975, 0.22)),
}
"""How the bones of `cmu_general` are turned in its T-pose."""


def take_files(path: Path, split: str) -> list[Path]:
    """The takes under a mocap folder that belong to a split: `train`, `val`, or `test`.

    `data/mocap.py` holds some groups of people back; every second of those is for `test`. Raises `DataError`.
    """
    files = [file for kind in RIGS for file in sorted((path / kind).glob("*.bvh")) if file.stem not in BROKEN]
    files += sorted(path.rglob("*.amc"))
    files = [file for file in files if part_of(group(file.stem)) == split]
    if not files:
        raise DataError(f"{path}: no takes for `{split}`; BVH files belong into {', '.join(RIGS)}")
    return files


def part_of(who: str) -> str:
    """Which part of the benchmark a group of people belongs to."""
    if who not in HELD:
        return "train"
    return ("val", "test")[HELD.index(who) % 2]


@lru_cache(maxsize=64)
def read_take(file: Path) -> Motion:
    """One take, in the rig that its folder's name says. Raises `DataError`."""
    kind = "amc" if file.suffix == ".amc" else file.parent.name
    if kind not in TRUNK:
        raise DataError(f"{file}: of no known rig; put it into one of {', '.join(RIGS)}")
    bvh = read_acclaim(file) if kind == "amc" else parse(file.read_text(encoding="utf-8"), file.name)
    try:
        return _motion(file, kind, bvh)
    except DataError as error:
        raise DataError(f"{file}: {error}") from error


def _motion(file: Path, kind: str, bvh: Bvh | Acclaim) -> Motion:
    first = 0 if kind in ("cmu_walks", "amc") else 1
    joints = dict(zip(SEGMENTS, _joints(kind), strict=True))
    if not joints["chest"]:
        joints["chest"] = bvh.joints[bvh.parents[bvh.index(joints["left_clavicle"])]]
    world = world_rotations(bvh.rotations(), bvh.parents)[first:]
    turns = [
        product(
            of_matrices(world[:, bvh.index(name)] @ _axes(kind, segment).T), _laid(kind, segment, bvh, joints)
        )
        for segment, name in joints.items()
    ]
    places = bvh.positions()[first:]
    hips = (places[:, bvh.index(joints["left_thigh"])] + places[:, bvh.index(joints["right_thigh"])]) / 2
    leg = sum(np.linalg.norm(bvh.offsets[bvh.index(joints[f"left_{name}"])]) for name in ("shin", "foot"))
    curl = np.full((len(world), 2), HAND_CURL)
    rate_hz = bvh.rate_hz if isinstance(bvh, Bvh) else ASF_RATE_HZ
    return Motion(file.stem, group(file.stem), rate_hz, np.stack(turns, 1), hips / leg, curl)


def _joints(kind: str) -> list[str]:
    limbs = [side.format(name) for side in SIDES[kind] for name in LIMBS[kind]]
    return [*TRUNK[kind], *limbs]


def _axes(kind: str, segment: str) -> Float64[np.ndarray, "3 3"]:
    if kind != "cmu_general":
        return np.eye(3)
    side, _, name = segment.partition("_")
    if name in SIDED[:4]:
        return CC_AXES[f"{side}_arm"]
    return CC_AXES.get("leg" if name in ("thigh", "shin") else name or segment, np.eye(3))


def _laid(kind: str, segment: str, bvh: Bvh | Acclaim, joints: dict[str, str]) -> Float64[np.ndarray, " 4"]:
    """The turn from the T-pose to the rig's rest pose of a segment."""
    side, _, name = segment.partition("_")
    name = "forearm" if name == "hand" else name
    if kind == "cmu_general" or name not in ENDS:
        return np.array([1.0, 0.0, 0.0, 0.0])
    along = {"left": LEFT, "right": -LEFT}[side] if name in SIDED[:4] else DOWN
    return between(along, bvh.offsets[bvh.index(joints[f"{side}_{ENDS[name]}"])])
