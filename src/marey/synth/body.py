"""A person's body: a shape of the base person, the same in every pose; how it is posed, and where joints lie.

Skinning is linear (each vertex follows its bones by fixed shares), so a joint that is a mean of vertices is a
fixed sum over bones: joints are exact and need no mesh. Conventions: metres, Y up, left is +X at rest.
The joints are those of marey19: COCO's by anny's regressors; `neck` is half-way between the rig's first and
third neck bones (where LSP's annotators put it, our choice), `head_top` the highest point of the skull.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64

from marey.core.files import make_folder, write_whole
from marey.core.folders import cache_dir
from marey.core.kinematics import axis_rotations, check_parents
from marey.core.skeletons import MAREY19
from marey.synth.assets import NAMES, VERSION, Template, shaped, template
from marey.synth.motion import SEGMENTS, Motion, relative
from marey.synth.turns import STILL, about, between, inverse, matrices, mixed, product, unit

BONES = {
    "root": ("pelvis", "pelvis", 0.0), "pelvis": ("pelvis", "pelvis", 0.0),
    "spine05": ("pelvis", "pelvis", 0.0),
    "spine04": ("pelvis", "chest", 1 / 3), "spine03": ("pelvis", "chest", 2 / 3),
    "spine02": ("chest", "chest", 0.0), "spine01": ("chest", "chest", 0.0),
    "neck01": ("chest", "neck", 0.5), "neck02": ("neck", "neck", 0.0), "neck03": ("neck", "head", 0.5),
    "head": ("head", "head", 0.0),
    "clavicle": ("clavicle", "clavicle", 0.0), "shoulder01": ("clavicle", "upper_arm", 0.3),
    "upperarm01": ("upper_arm", "upper_arm", 0.0), "upperarm02": ("upper_arm", "upper_arm", 0.0),
    "lowerarm01": ("forearm", "forearm", 0.0), "lowerarm02": ("forearm", "forearm", 0.0),
    "upperleg01": ("thigh", "thigh", 0.0), "upperleg02": ("thigh", "thigh", 0.0),
    "lowerleg01": ("shin", "shin", 0.0), "lowerleg02": ("shin", "shin", 0.0), "foot": ("foot", "foot", 0.0),
}  # fmt: skip
"""For each bone the segments it turns with, and the share of the second; all others are of the hand."""
SPANS = {
    "upper_arm": ("upperarm01", "lowerarm01"), "forearm": ("lowerarm01", "wrist"),
    "hand": ("lowerarm01", "wrist"),
    "thigh": ("upperleg01", "lowerleg01"), "shin": ("lowerleg01", "foot"),
}  # fmt: skip
"""Bones whose direction at rest is laid along the T-pose's."""
FINGERS = {"finger1": 0.5, **{f"finger{k}": 1.0 for k in (2, 3, 4, 5)}}
"""How much fingers bend for a curl of 1; the thumb half as much (our choice)."""
SOLES = 24
"""Lowest vertices of each foot that touch the ground."""
CUSHION_M = {"left_knee": 0.06, "right_knee": 0.06, "left_wrist": 0.05, "right_wrist": 0.05, "left_hip": 0.12,
             "right_hip": 0.12, "left_elbow": 0.05, "right_elbow": 0.05, "nose": 0.1, "left_shoulder": 0.08,
             "right_shoulder": 0.08}  # fmt: skip
"""How far a joint is under the skin at least, for people who lie or kneel (our choice)."""


@dataclass(frozen=True, eq=False)
class Body:
    """Vertices and bone heads at rest.

    `joint_sums` make joints of bones; `laid` turns segments from rest to the T-pose.
    """

    base: Template
    rest: Float64[np.ndarray, "V 3"]
    heads: Float64[np.ndarray, "B 3"]
    joint_sums: Float64[np.ndarray, "J B 4"]
    laid: Mapping[str, Float64[np.ndarray, " 4"]]
    soles: Float64[np.ndarray, "2 K 3"]

    @property
    def stature_m(self) -> float:
        """From sole to crown."""
        skin = self.rest[self.base.part == NAMES.index("skin"), 1]
        return float(skin.max() - skin.min())

    @property
    def leg_m(self) -> float:
        """Thigh and shin."""
        hip, knee, foot = (
            self.heads[self.base.bones.index(f"{name}.L")] for name in ("upperleg01", "lowerleg01", "foot")
        )
        return float(np.linalg.norm(knee - hip) + np.linalg.norm(foot - knee))


@dataclass(frozen=True, eq=False)
class Pose:
    """A body in motion: for each of T frames how every bone moves what hangs on it (rotation and shift)."""

    turns: Float64[np.ndarray, "T B 3 3"]
    shifts: Float64[np.ndarray, "T B 3"]

    def __len__(self) -> int:
        return len(self.shifts)


def body(traits: Mapping[str, float]) -> Body:
    """The body of a person of these traits (`assets.shaped`), from the user's cache if it was made before.

    Raises `MareyError` without anny.
    """
    text = json.dumps({"version": VERSION, **traits}, sort_keys=True)
    path = cache_dir() / "synth" / f"shape-{hashlib.sha256(text.encode()).hexdigest()[:12]}.npy"
    if not path.is_file():
        make_folder(path.parent)
        shape = shaped(traits)
        write_whole(path, lambda part: _save(part, shape))
    return of_shape(template(), np.load(path))


def of_shape(base: Template, shape: Float64[np.ndarray, "U 3"]) -> Body:
    """The body that a shape of the whole base mesh is."""
    check_parents(base.parents)
    rest, heads = shape[base.source], base.heads(shape)
    return Body(base, rest, heads, _joint_sums(base, rest, heads), _laid(base, heads), _soles(base, rest))


def posed(body: Body, motion: Motion) -> Pose:
    """The body moving: FK from the hips, whose middle is where the motion says, in this body's leg lengths.

    The ground is not looked at: see `ground.on_ground`.
    """
    base = body.base
    turns = matrices(_bone_turns(body, motion))
    places = np.zeros((*turns.shape[:2], 3))
    for b, parent in enumerate(base.parents):
        if parent >= 0:
            places[:, b] = places[:, parent] + turns[:, parent] @ (body.heads[b] - body.heads[parent])
    hips = [base.bones.index(f"upperleg01.{side}") for side in "LR"]
    places += (motion.root * body.leg_m - places[:, hips].mean(1))[:, None]
    return Pose(turns, places - (turns @ body.heads[..., None])[..., 0])


def moved(pose: Pose, by: Float64[np.ndarray, "T 3"]) -> Pose:
    """The pose elsewhere."""
    return Pose(pose.turns, pose.shifts + by[:, None])


def set_down(pose: Pose, angle: float, place: Float64[np.ndarray, " 3"]) -> Pose:
    """The pose turned about the upright axis through the world's origin, then moved to another place."""
    turn = axis_rotations("y", np.array(angle))
    return Pose(turn @ pose.turns, pose.shifts @ turn.T + place)


def joints(body: Body, pose: Pose) -> Float64[np.ndarray, "T 19 3"]:
    """Places of the joints of marey19."""
    parts = np.einsum("tbik,jbk->tji", pose.turns, body.joint_sums[..., :3], optimize=True)
    return parts + np.einsum("tbi,jb->tji", pose.shifts, body.joint_sums[..., 3], optimize=True)


def skinned(
    weights: Float32[np.ndarray, "V B"],
    rest: Float32[np.ndarray, "V 3"],
    normals: Float32[np.ndarray, "V 3"],
    pose: Pose,
    frame: int,
) -> tuple[Float32[np.ndarray, "V 3"], Float32[np.ndarray, "V 3"]]:
    """Vertices and their normals on one frame."""
    bones = np.concatenate([pose.turns[frame], pose.shifts[frame][..., None]], -1)
    by = (weights @ bones.reshape(len(bones), 12).astype(np.float32)).reshape(-1, 3, 4)
    turned = np.einsum("vij,vj->vi", by[..., :3], normals)
    return np.einsum("vij,vj->vi", by[..., :3], rest) + by[..., 3], turned


def lowest(body: Body, pose: Pose) -> Float64[np.ndarray, " T"]:
    """Height of the lowest part of the body: soles, or whatever lies lower."""
    feet = [body.base.bones.index(f"foot.{side}") for side in "LR"]
    soles = np.einsum("tfij,fkj->tfki", pose.turns[:, feet], body.soles) + pose.shifts[:, feet, None]
    others = joints(body, pose)[..., 1]
    cushion = [(MAREY19.index(name), depth) for name, depth in CUSHION_M.items()]
    rest = np.min([others[:, k] - depth for k, depth in cushion], 0)
    return np.minimum(soles[..., 1].min((1, 2)), rest)


def _bone_turns(body: Body, motion: Motion) -> Float64[np.ndarray, "T B 4"]:
    base = body.base
    out = np.empty((len(motion), len(base.bones), 4))
    curls = _curl_axes(body)
    for b, bone in enumerate(base.bones):
        name, _, side = bone.partition(".")
        sided = {"L": "left_", "R": "right_", "": ""}[side]
        if name in BONES:
            first, second, share = BONES[name]
            first, second = (part if part in SEGMENTS else sided + part for part in (first, second))
            out[:, b] = mixed(_segment(body, motion, first), _segment(body, motion, second), share)
            if name == "lowerarm02":
                out[:, b] = product(_half_twist(motion, sided), out[:, b])
        elif name == "wrist":
            out[:, b] = _segment(body, motion, f"{sided}hand")
        else:
            amount = motion.curl[:, "LR".index(side)] * FINGERS.get(name.rpartition("-")[0], 0.0)
            out[:, b] = product(out[:, base.parents[b]], about(curls[side], amount))
    return out


def _segment(body: Body, motion: Motion, name: str) -> Float64[np.ndarray, "T 4"]:
    """A segment's turns from this body's own rest pose."""
    return product(motion.turns[:, SEGMENTS.index(name)], body.laid.get(name, STILL))


def _half_twist(motion: Motion, side: str) -> Float64[np.ndarray, "T 4"]:
    """Half of what the hand turns more than the forearm about the forearm itself, as a turn of the world."""
    forearm = motion.turns[:, SEGMENTS.index(f"{side}forearm")]
    twist = relative(motion.turns[:, SEGMENTS.index(f"{side}hand")], forearm) * np.array([1.0, 1.0, 0.0, 0.0])
    half = mixed(STILL, unit(twist + 1e-9 * STILL), 0.5)
    return product(product(forearm, half), inverse(forearm))


def _curl_axes(body: Body) -> dict[str, np.ndarray]:
    """For each hand the axis, at rest, about which fingers close: along the knuckles."""
    axes = {}
    for side, sign in (("L", 1.0), ("R", -1.0)):
        first, last = (body.heads[body.base.bones.index(f"finger{k}-1.{side}")] for k in (2, 5))
        axes[side] = sign * (first - last) / np.linalg.norm(first - last)
    return axes


def _laid(base: Template, heads: np.ndarray) -> dict[str, np.ndarray]:
    """For segments that rest otherwise than in the T-pose, the turn from rest to there."""
    out = {}
    for side, letter, outward in (("left", "L", 1.0), ("right", "R", -1.0)):
        for segment, bones in SPANS.items():
            start, end = (heads[base.bones.index(f"{bone}.{letter}")] for bone in bones)
            down = segment in ("thigh", "shin")
            out[f"{side}_{segment}"] = between(
                end - start, np.array([0, -1.0, 0] if down else [outward, 0, 0])
            )
    return out


def _joint_sums(base: Template, rest: np.ndarray, heads: np.ndarray) -> Float64[np.ndarray, "J B 4"]:
    skin = np.flatnonzero(base.part == NAMES.index("skin"))
    crown = np.zeros(len(rest))
    crown[skin[np.argsort(-rest[skin, 1], kind="stable")[:8]]] = 1 / 8
    means = np.stack(
        [base.joint_of[base.joints.index(name)] if name in base.joints else crown for name in MAREY19.joints]
    )
    shares = np.einsum("jv,vb->jb", means, base.weights)
    sums = np.concatenate(
        [np.einsum("jv,vb,vi->jbi", means, base.weights, rest, optimize=True), shares[..., None]], -1
    )
    neck = sums[MAREY19.index("neck")]
    neck[:] = 0
    for bone in ("neck01", "neck03"):
        b = base.bones.index(bone)
        neck[b] += 0.5 * np.append(heads[b], 1.0)
    return sums


def _soles(base: Template, rest: np.ndarray) -> Float64[np.ndarray, "2 K 3"]:
    out = []
    for side in "LR":
        on = (base.weights[:, base.bones.index(f"foot.{side}")] > 0.9) & (base.part == NAMES.index("skin"))
        held = rest[on]
        out.append(held[np.argsort(held[:, 1], kind="stable")[: SOLES * 8 : 8]])
    return np.stack(out)


def vertex_normals(xyz: Float[np.ndarray, "V 3"], faces: np.ndarray) -> Float64[np.ndarray, "V 3"]:
    """Unit normals, the mean of those of the faces around, by area."""
    a, b, c = (xyz[faces[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    out = np.zeros(xyz.shape)
    for k in range(3):
        for axis in range(3):
            out[:, axis] += np.bincount(faces[:, k], flat[:, axis], len(xyz))
    return out / np.maximum(np.linalg.norm(out, axis=-1, keepdims=True), 1e-12)


def _save(path: object, values: np.ndarray) -> None:
    with path.open("wb") as file:  # type: ignore[attr-defined]
        np.save(file, values)
