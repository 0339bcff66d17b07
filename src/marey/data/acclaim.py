"""Acclaim's skeletons and motions (ASF, AMC), in which CMU publishes its motion capture: text in, arrays out.

Conventions (the format's description by Lander, *Working with Motion Capture File Formats*, 1998): a bone has
a direction and a length in the world's axes at rest, and own axes C; a frame gives angles M in those axes, so
it turns its parent's frame by C · M · C⁻¹. Angles are applied in the order X, Y, Z: Rz · Ry · Rx. A joint is
called after the bone that begins there, a loose end after its bone with `_end`. Lengths keep the file's unit
(`:units length` is a divisor: 0.45 in CMU's, whose values / 0.45 are inches).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from beartype import beartype
from jaxtyping import Float64, jaxtyped

from marey.core.errors import DataError
from marey.core.kinematics import euler_rotations, forward
from marey.data.files import need

AXES = {"rx": 0, "ry": 1, "rz": 2}
PLACES = {"tx": 0, "ty": 1, "tz": 2}


@dataclass(slots=True)
class _Bone:
    """One bone of an ASF file."""

    vector: np.ndarray
    axes: np.ndarray
    dof: list[str]
    parent: str = ""


@jaxtyped(typechecker=beartype)
@dataclass(frozen=True, slots=True)
class Acclaim:
    """A motion: T frames of J joints, loose ends included; `turned` are local rotations."""

    joints: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: Float64[np.ndarray, "J 3"]
    turned: Float64[np.ndarray, "T J 3 3"]
    root: Float64[np.ndarray, "T 3"]

    def __len__(self) -> int:
        return len(self.root)

    def index(self, joint: str) -> int:
        """Position of a joint by name; a `DataError` where there is none."""
        if joint not in self.joints:
            raise DataError(f"this motion has no joint `{joint}`; its joints are {', '.join(self.joints)}")
        return self.joints.index(joint)

    def rotations(self) -> Float64[np.ndarray, "T J 3 3"]:
        """Local rotations."""
        return self.turned

    def positions(self) -> Float64[np.ndarray, "T J 3"]:
        """Positions of all joints, in the file's unit and axes."""
        return forward(self.turned, self.root, self.offsets, self.parents)


def read_acclaim(amc: Path) -> Acclaim:
    """A take and its skeleton, the only .asf file beside it or the one called as its name begins.

    Raises
    ------
    DataError
        that names the file and line: a missing skeleton, a bone it lacks, a number that is none.
    """
    bones = _skeleton(_asf_of(amc))
    frames = _frames(amc, bones)
    names = _ordered(bones)
    joints, parents, offsets, turned = [], [], [], []
    for name in names:
        bone = bones[name]
        own = euler_rotations("zyx", np.deg2rad(bone.axes[::-1].copy()))
        joints.append(name)
        parents.append(joints.index(bone.parent) if bone.parent else -1)
        offsets.append(bones[bone.parent].vector if bone.parent else np.zeros(3))
        angles = np.zeros((len(frames), 3))
        for k, word in enumerate(bone.dof):
            if word in AXES:
                angles[:, AXES[word]] = [frame[name][k] for frame in frames]
        turned.append(own @ euler_rotations("zyx", np.deg2rad(angles[:, ::-1].copy())) @ own.T)
    for name in set(names) - {bone.parent for bone in bones.values()}:
        joints.append(f"{name}_end")
        parents.append(joints.index(name))
        offsets.append(bones[name].vector)
        turned.append(np.broadcast_to(np.eye(3), (len(frames), 3, 3)))
    places = [bones["root"].dof.index(word) for word in PLACES]
    root = np.array([[frame["root"][k] for k in places] for frame in frames])
    return Acclaim(tuple(joints), tuple(parents), np.array(offsets), np.stack(turned, 1), root)


def _asf_of(amc: Path) -> Path:
    found = sorted(amc.parent.glob("*.asf"))
    called = [asf for asf in found if amc.stem.startswith(asf.stem)]
    if len(found) == 1 or called:
        return (called or found)[0]
    return need(amc.with_name(f"{amc.stem.split('_')[0]}.asf"), "the skeleton of this take")


def _lines(path: Path) -> list[tuple[str, list[str]]]:
    """Where each line stands and its words, comments and empty lines left out."""
    text = need(path, "the motion file").read_text("utf-8", "replace")
    numbered = (
        (f"{path}: line {k}", line.split("#")[0].split()) for k, line in enumerate(text.splitlines(), 1)
    )
    return [(where, words) for where, words in numbered if words]


def _numbers(where: str, words: list[str], count: int) -> np.ndarray:
    try:
        values = np.array(words[:count], np.float64)
    except ValueError as error:
        raise DataError(f"{where}: {count} numbers expected, `{' '.join(words)[:40]}` found") from error
    if len(values) != count or not np.isfinite(values).all():
        raise DataError(f"{where}: {count} numbers expected, `{' '.join(words)[:40]}` found")
    return values


def _skeleton(asf: Path) -> dict[str, _Bone]:
    bones = {"root": _Bone(np.zeros(3), np.zeros(3), [])}
    section, name = "", "root"
    for where, words in _lines(asf):
        key, rest = words[0].lower(), words[1:]
        if key.startswith(":"):
            section = key
        elif section == ":root" and key == "order":
            bones["root"].dof = [word.lower() for word in rest]
        elif section == ":bonedata" and key == "name":
            name = " ".join(rest)
            bones[name] = _Bone(np.zeros(3), np.zeros(3), [])
        elif section == ":bonedata":
            _describe(where, bones[name], key, rest)
        elif section == ":hierarchy" and key not in ("begin", "end"):
            _join(where, bones, words)
    if not set(PLACES) <= set(bones["root"].dof):
        raise DataError(f"{asf}: field `:root order` must name {', '.join(PLACES)}")
    return bones


def _describe(where: str, bone: _Bone, key: str, rest: list[str]) -> None:
    """One line about a bone; its direction stands before its length."""
    if key == "direction":
        bone.vector = _numbers(where, rest, 3)
    elif key == "length":
        bone.vector = bone.vector * _numbers(where, rest, 1)
    elif key == "axis":
        bone.axes = _numbers(where, rest, 3)
    elif key == "dof":
        bone.dof = [word.lower() for word in rest]


def _join(where: str, bones: dict[str, _Bone], words: list[str]) -> None:
    unknown = [word for word in words if word not in bones]
    if unknown:
        raise DataError(f"{where}: bone `{unknown[0]}` is not known; it has no bonedata")
    for child in words[1:]:
        bones[child].parent = words[0]


def _ordered(bones: dict[str, _Bone]) -> list[str]:
    """Bones that hang on the root, parents before children."""
    names = ["root"]
    for name in names:
        names += [child for child, bone in bones.items() if bone.parent == name and child not in names]
    return names


def _frames(amc: Path, bones: dict[str, _Bone]) -> list[dict[str, np.ndarray]]:
    frames: list[dict[str, np.ndarray]] = []
    for where, words in _lines(amc):
        if words[0].startswith(":"):
            continue
        if words[0].isdigit() and len(words) == 1:
            frames.append({})
        elif words[0] not in bones or not frames:
            raise DataError(f"{where}: bone `{words[0]}` is not known; its skeleton lacks it")
        else:
            frames[-1][words[0]] = _numbers(where, words[1:], len(bones[words[0]].dof))
    moving = {name for name, bone in bones.items() if bone.dof}
    for k, frame in enumerate(frames):
        if moving - frame.keys():
            raise DataError(f"{amc}: frame {k + 1}: bone `{min(moving - frame.keys())}` is missing")
    if not frames:
        raise DataError(f"{amc}: holds no frames; fetch it again")
    return frames
