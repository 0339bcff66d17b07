"""BVH, the skeletons of animation: a tree of bones of constant length that turn, at an exact rate.

Centimetres, Y up; at rest the body stands in a T and looks along +Z. Angles in degrees, `Zrotation Xrotation
Yrotation`, so a joint's rotation is Rz · Rx · Ry; the root's OFFSET is 0, so its positions are whole ones.

Inverse kinematics, bone by bone from the root: hips and chest are turned so that X lies along the line from
the right to the left joint and Y as near the trunk as that allows; any other bone turns from its parent's
frame by the smallest rotation that points it where it was seen. **So limbs have no twist of their own: points
do not tell it, and none was measured.** Where several bones begin at one joint each has a joint of its own
there, without length (`left_hip_base`), as in CMU's files: every bone lies exactly where it was seen.
Lengths are medians over time. The format has no missing value: gaps are filled (`finishing/markers.filled`)
and the log says how long they were; a joint that was never placed is left out.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from marey.core.files import write_whole
from marey.core.kinematics import swings, zxy_angles
from marey.core.recording import Recording
from marey.core.skeletons import Skeleton
from marey.finishing.markers import Markers, UnplacedError, filled, markers

CM = 100.0
SIDES = (("left", 1.0), ("right", -1.0))
TREE: dict[str, tuple[str, tuple[float, float, float]]] = {
    "spine": ("root", (0, 1, 0)),
    "thorax": ("spine", (0, 1, 0)),
    "nose": ("thorax", (0, 0.8, 0.6)),
    "head_top": ("nose", (0, 0.8, -0.6)),
    **{f"{side}_shoulder": ("thorax", (x, 0, 0)) for side, x in SIDES},
    **{f"{side}_elbow": (f"{side}_shoulder", (x, 0, 0)) for side, x in SIDES},
    **{f"{side}_wrist": (f"{side}_elbow", (x, 0, 0)) for side, x in SIDES},
    **{f"{side}_hip": ("root", (x, 0, 0)) for side, x in SIDES},
    **{f"{side}_knee": (f"{side}_hip", (0, -1, 0)) for side, x in SIDES},
    **{f"{side}_ankle": (f"{side}_knee", (0, -1, 0)) for side, x in SIDES},
}
"""For every joint its parent and where it lies from there at rest (our choice: a T; the head's roughly)."""
FRAMES = {"root": ("hip", "root", "thorax"), "thorax": ("shoulder", "spine", "thorax")}
"""Joints with a frame of their own: the pair of joints across, and the trunk's lower and upper end."""
BODY = Skeleton("bvh", ("root", *TREE), (), ())
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Joint:
    """A joint of the file: its offset in centimetres and its local rotations; the end of a bone has none."""

    name: str
    offset: Float64[np.ndarray, " 3"]
    turns: Float64[np.ndarray, "T 3 3"] | None
    children: tuple["Joint", ...] = ()


def write(recording: Recording, path: Path) -> None:
    """Write the file of the recording's only person.

    Raises
    ------
    UnplacedError
        If the middle of the hips was never placed.
    """
    found = markers(recording)
    if found.notes():
        _log.info("%s: %s (filled)", path.name, found.notes())
    found = filled(found)
    body = found.skeleton.converter(BODY)(found.xyz_m) * CM
    places = {name: body[:, k] for k, name in enumerate(BODY.joints) if not np.isnan(body[:, k]).any()}
    if "root" not in places:
        raise UnplacedError(f"{path.name}: the hips of this person were never placed; leave the person out")
    still = np.broadcast_to(np.eye(3), (len(found), 3, 3))
    root = _joint("root", np.zeros(3), still, _Body(places))
    text = "\n".join(("HIERARCHY", *_hierarchy(root), *_motion(root, places["root"], found))) + "\n"
    write_whole(path, lambda draft: draft.write_text(text, encoding="utf-8", newline=""))


class _Body:
    """Where the joints of one person are (T, 3), in centimetres, and which hangs on which."""

    def __init__(self, places: Mapping[str, Float64[np.ndarray, "T 3"]]):
        self.places = places
        self.parents = {name: self._parent(name) for name in places if name != "root"}

    def _parent(self, name: str) -> str:
        """The nearest joint above that is there."""
        above = TREE[name][0]
        while above not in self.places:
            above = TREE[above][0]
        return above

    def children(self, name: str) -> list[str]:
        return [child for child, parent in self.parents.items() if parent == name]

    def bone(self, child: str) -> Float64[np.ndarray, "T 3"]:
        """From a joint's parent to it."""
        return self.places[child] - self.places[self.parents[child]]

    def frame(self, name: str, above: Float64[np.ndarray, "T 3 3"]) -> Float64[np.ndarray, "T 3 3"]:
        """World rotations of hips or chest; those `above` it where its joints do not tell."""
        pair, low, high = FRAMES[name]
        needed = (f"left_{pair}", f"right_{pair}", low, high)
        if any(joint not in self.places for joint in needed):
            return above
        left, right, bottom, top = (self.places[joint] for joint in needed)
        x, ahead = left - right, np.cross(left - right, top - bottom)
        axes = np.stack([x, np.cross(ahead, x), ahead], -1)
        size = np.linalg.norm(axes, axis=1, keepdims=True)
        return np.where(size.min(-1, keepdims=True) > 1e-6, axes / np.maximum(size, 1e-6), above)


def _joint(
    name: str, offset: Float64[np.ndarray, " 3"], above: Float64[np.ndarray, "T 3 3"], body: _Body
) -> Joint:
    """A joint and what hangs on it; `above` are its parent's world rotations."""
    children = body.children(name)
    if not children:
        return Joint(name, offset, None)
    if len(children) == 1 and name not in FRAMES:
        return _pointing(name, offset, above, children[0], body)
    world = body.frame(name, above) if name in FRAMES else above
    bases = (_pointing(f"{child}_base", np.zeros(3), world, child, body) for child in children)
    return Joint(name, offset, above.swapaxes(1, 2) @ world, tuple(bases))


def _pointing(
    name: str, offset: Float64[np.ndarray, " 3"], above: Float64[np.ndarray, "T 3 3"], child: str, body: _Body
) -> Joint:
    """A joint that points its one bone at where its child was seen."""
    rest, bone = np.array(TREE[child][1], np.float64), body.bone(child)
    turns = swings(rest, (above.swapaxes(1, 2) @ bone[..., None])[..., 0])
    reach = rest * np.median(np.linalg.norm(bone, axis=-1))
    return Joint(name, offset, turns, (_joint(child, reach, above @ turns, body),))


def _hierarchy(joint: Joint, depth: int = 0) -> Iterator[str]:
    """Lines of a joint and those below."""
    pad = "  " * depth
    ends = joint.turns is None
    yield f"{pad}{'End Site' if ends else f'JOINT {joint.name}' if depth else f'ROOT {joint.name}'}"
    yield f"{pad}{{"
    yield f"{pad}  OFFSET {' '.join(f'{value:.6f}' for value in joint.offset.tolist())}"
    if not ends:
        place = "" if depth else "Xposition Yposition Zposition "
        yield f"{pad}  CHANNELS {3 if depth else 6} {place}Zrotation Xrotation Yrotation"
    for child in joint.children:
        yield from _hierarchy(child, depth + 1)
    yield f"{pad}}}"


def _motion(root: Joint, place: Float64[np.ndarray, "T 3"], found: Markers) -> Iterator[str]:
    """Header and rows of the motion; angles go on across ±180° instead of jumping."""
    angles = [np.unwrap(np.rad2deg(zxy_angles(turns)), period=360, axis=0) for turns in _turns(root)]
    yield from ("MOTION", f"Frames: {len(found)}", f"Frame Time: {1 / float(found.rate):.12g}")
    for row in np.concatenate([place, *angles], -1).tolist():
        yield " ".join(f"{value:.6f}" for value in row)


def _turns(joint: Joint) -> Iterator[Float64[np.ndarray, "T 3 3"]]:
    """Local rotations in the order of the hierarchy."""
    if joint.turns is not None:
        yield joint.turns
    for child in joint.children:
        yield from _turns(child)
