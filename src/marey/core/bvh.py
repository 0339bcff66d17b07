"""Biovision's BVH, the common text format of motion capture: text in, arrays out.

Conventions (Meredith and Maddock, *Motion Capture File Formats Explained*, 2001): offsets and positions keep
the file's unit, which it does not state; Y is up in most files; angles are degrees, multiplied in the order
in which the channels are written (`Zrotation Yrotation Xrotation` is Rz · Ry · Rx, column vectors).
End sites are joints without channels, named after their parent with `_end`.
The root's position channels are added to its OFFSET, as that text says. Blender and MotionBuilder write
whole positions instead: give `add_offset=False`. At other joints position channels replace the OFFSET, as in
those two programs, the only ones that are known to write them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from beartype import beartype
from jaxtyping import Float64, jaxtyped  # pyright: ignore[reportUnknownVariableType]

from marey.core.errors import DataError
from marey.core.kinematics import euler_rotations, forward

CHANNELS = ("Xposition", "Yposition", "Zposition", "Xrotation", "Yrotation", "Zrotation")


@jaxtyped(typechecker=beartype)
@dataclass(frozen=True, slots=True)
class Bvh:
    """A motion: J joints (end sites included), T frames, C channels in the order of the joints."""

    joints: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: Float64[np.ndarray, "J 3"]
    channels: tuple[tuple[str, ...], ...]
    rate_hz: float
    motion: Float64[np.ndarray, "T C"]

    def __len__(self) -> int:
        return len(self.motion)

    def index(self, joint: str) -> int:
        """Position of a joint by name; a `DataError` where there is none."""
        if joint not in self.joints:
            raise DataError(f"this motion has no joint `{joint}`; its joints are {', '.join(self.joints)}")
        return self.joints.index(joint)

    def rotations(self) -> Float64[np.ndarray, "T J 3 3"]:
        """Local rotations; joints without rotation channels have none (identity)."""
        turned = np.broadcast_to(np.eye(3), (len(self), len(self.joints), 3, 3)).copy()
        for j, columns in enumerate(self._columns()):
            held = [(name[0].lower(), k) for name, k in columns.items() if name.endswith("rotation")]
            if held:
                axes, at = "".join(axis for axis, _ in held), [k for _, k in held]
                turned[:, j] = euler_rotations(axes, np.deg2rad(self.motion[:, at]))
        return turned

    def root(self, add_offset: bool = True) -> Float64[np.ndarray, "T 3"]:
        """The root's positions: its channels, plus its OFFSET unless the file's writer meant whole ones."""
        moved = self._moved(0, np.zeros(3))
        return moved + self.offsets[0] if add_offset else moved

    def bones(self) -> Float64[np.ndarray, "*N J 3"]:
        """Offsets for `kinematics.forward`: (J, 3), or (T, J, 3) where joints other than the root slide."""
        sliding = [j for j, names in enumerate(self.channels) if j and any("position" in n for n in names)]
        if not sliding:
            return self.offsets
        bones = np.broadcast_to(self.offsets, (len(self), *self.offsets.shape)).copy()
        for j in sliding:
            bones[:, j] = self._moved(j, self.offsets[j])
        return bones

    def positions(self, add_offset: bool = True) -> Float64[np.ndarray, "T J 3"]:
        """Positions of all joints, in the file's unit and axes."""
        return forward(self.rotations(), self.root(add_offset), self.bones(), self.parents)

    def _columns(self) -> Iterator[dict[str, int]]:
        """For each joint where its channels stand in `motion`, in the order written."""
        start = 0
        for names in self.channels:
            yield {name: start + k for k, name in enumerate(names)}
            start += len(names)

    def _moved(self, j: int, rest: Float64[np.ndarray, " 3"]) -> Float64[np.ndarray, "T 3"]:
        """What the position channels of a joint say; `rest` where it has none."""
        columns = list(self._columns())[j]
        moved = np.broadcast_to(rest, (len(self), 3)).copy()
        for axis, name in enumerate(CHANNELS[:3]):
            if name in columns:
                moved[:, axis] = self.motion[:, columns[name]]
        return moved


def parse(text: str, name: str = "BVH text") -> Bvh:
    """Read a BVH file's text; `name` is what errors call it.

    Raises
    ------
    DataError
        that names the line and what was expected there: a word out of place, an unknown channel, a number
        that is none or is NaN, a motion of another size than its header says.
    """
    lines = _Lines(text, name)
    lines.take("HIERARCHY")
    joints, parents, offsets, channels = _hierarchy(lines)
    lines.take("MOTION")
    count = int(lines.numbers("Frames:", 1)[0])
    step_s = lines.numbers("Frame Time:", 1)[0]
    if step_s <= 0:
        raise lines.error("the frame time must be above 0")
    motion = _motion(lines, count, sum(map(len, channels)))
    return Bvh(tuple(joints), tuple(parents), np.array(offsets), tuple(channels), 1 / step_s, motion)


class _Lines:
    """The lines of a text that hold something, with their numbers."""

    def __init__(self, text: str, name: str):
        self.held = [(k, line.strip()) for k, line in enumerate(text.splitlines(), 1) if line.strip()]
        self.name = name
        self.at = 0

    def peek(self) -> str:
        if self.at >= len(self.held):
            raise DataError(f"{self.name}: ends too early; the file is cut off, fetch it again")
        return self.held[self.at][1]

    def error(self, what: str) -> DataError:
        number = self.held[max(self.at - 1, 0)][0] if self.held else 0
        return DataError(f"{self.name}: line {number}: {what}")

    def take(self, word: str) -> str:
        """The rest of the next line, which must begin with `word`."""
        line = self.peek()
        self.at += 1
        if not line.lower().startswith(word.lower()):
            raise self.error(f"`{word}` expected, `{line[:40]}` found")
        return line[len(word) :].strip()

    def numbers(self, word: str, count: int) -> list[float]:
        """The numbers that follow `word`."""
        held = self.take(word).split()
        try:
            values = [float(part) for part in held]
        except ValueError as error:
            raise self.error(
                f"{count} numbers expected after `{word}`, `{' '.join(held)[:40]}` found"
            ) from error
        if len(values) != count or not np.isfinite(values).all():
            raise self.error(f"{count} numbers expected after `{word}`, `{' '.join(held)[:40]}` found")
        return values


def _hierarchy(lines: _Lines) -> tuple[list[str], list[int], list[list[float]], list[tuple[str, ...]]]:
    """Names, parents, offsets and channels of the joints in the order written."""
    joints: list[str] = []
    parents: list[int] = []
    offsets: list[list[float]] = []
    channels: list[tuple[str, ...]] = []
    above: list[int] = []
    while above or not joints:
        if lines.peek() == "}":
            lines.take("}")
            above.pop()
            continue
        ends = bool(above) and lines.peek().lower().startswith("end site")
        word = "End Site" if ends else "JOINT" if above else "ROOT"
        joint = lines.take(word)
        joint = f"{joints[above[-1]]}_end" if ends else joint
        if joint in joints:
            raise lines.error(f"the joint `{joint}` occurs twice")
        lines.take("{")
        joints.append(joint)
        parents.append(above[-1] if above else -1)
        offsets.append(lines.numbers("OFFSET", 3))
        channels.append(() if ends else _channels(lines))
        above.append(len(joints) - 1)
    return joints, parents, offsets, channels


def _channels(lines: _Lines) -> tuple[str, ...]:
    count, *names = lines.take("CHANNELS").split() or [""]
    spelt = {name.lower(): name for name in CHANNELS}
    unknown = [name for name in names if name.lower() not in spelt]
    if unknown or count != str(len(names)) or len(set(names)) != len(names):
        raise lines.error(
            f"`CHANNELS {count} {' '.join(names)}`: a count and as many of {', '.join(CHANNELS)}"
        )
    return tuple(spelt[name.lower()] for name in names)


def _motion(lines: _Lines, count: int, width: int) -> Float64[np.ndarray, "T C"]:
    words = " ".join(line for _, line in lines.held[lines.at :]).split()
    try:
        values = np.array(words, np.float64)
    except ValueError as error:
        raise DataError(f"{lines.name}: the motion holds something that is no number ({error})") from error
    if len(values) != count * width or count < 1:
        what = f"{count} frames of {width} channels expected, {len(values) / max(width, 1):.1f} frames found"
        raise DataError(f"{lines.name}: {what}; the file is cut off or its header is wrong")
    if not np.isfinite(values).all():
        raise DataError(
            f"{lines.name}: frame {int(np.flatnonzero(~np.isfinite(values))[0]) // width} holds NaN"
        )
    return values.reshape(count, width)
