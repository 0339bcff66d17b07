"""Motion capture as joints: CMU's recordings as BVH in three rigs, read as h36m17.

Conventions: metres, Y up, right-handed; the body's own proportions are those of the rig, which are no human's
in one of three (give the motion another body: `training/bodies.py`). A root is the middle of the hips, a
thorax the middle of the shoulders, a spine the middle of the two; `neck_base` is the nose (middle of the
eyes, or 9 cm before the walks' head joint) and `head` the top of the head, as in `lifting/windows.py`.
Layout: a folder with `cmu_general`, `cmu_walks`, `cmu_dance_martial`, or any of them; or CMU's own files,
each subject's `02.asf` with `02_01.amc …` beside it, in any folders (120 Hz). Takes of one person, and both
partners of a dance, are one group: splits keep groups whole. Data: mocap.cs.cmu.edu (NSF EIA-0196217).
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from beartype import beartype
from jaxtyping import Float64, jaxtyped  # pyright: ignore[reportUnknownVariableType]

from marey.core.bvh import Bvh, parse
from marey.core.cameras import Camera
from marey.core.errors import DataError
from marey.core.kinematics import world_rotations
from marey.core.skeletons import skeleton
from marey.data.acclaim import Acclaim, read_acclaim
from marey.data.files import Samples, chosen
from marey.data.sample import Sample, seen_from

H36M = skeleton("h36m17")
STEP = (("hip", 0), ("knee", 1), ("foot", 2), ("shoulder", 3), ("elbow", 4), ("wrist", 5))
NOSE_M, CROWN_M = 0.09, 0.17
"""From a head joint forward to the nose, and up along the neck to the top of the head (our choice)."""
BROKEN = ("002_01", "002_02", "002_03", "007_01")
"""Takes of `cmu_general` without vertical motion."""
SAME = {"002": "02", "006": "06", "007": "07"}
"""Subjects that occur under two numbers: walks of one are takes of the other."""
HELD = ("003", "005", "martial", "08", "12", "26", "32", "38", "43", "47", "114", "136", "143")
"""Groups of our validation part: about a fifth of the frames, of every kind of motion (our choice)."""


@dataclass(frozen=True, slots=True)
class Rig:
    """How a rig calls our joints: `limbs` with `{}` for the side, in the order of `STEP`."""

    limbs: tuple[str, ...]
    sides: tuple[str, str]
    metres: float
    neck: str
    head: str
    eyes: str = ""
    crown: str = ""


ASF = Rig(
    tuple(f"{{}}{name}" for name in ("femur", "tibia", "foot", "humerus", "radius", "wrist")),
    ("l", "r"), 0.0254 / 0.45, "upperneck", "head", crown="head_end",
)  # fmt: skip
"""CMU's own files: each subject's ASF has its own bone lengths."""
ASF_RATE_HZ = 120.0
SIZE, FOCAL_PX = (512, 512), 512.0
"""Picture and focal length of the ideal camera through which frames are seen (our choice)."""
RIGS = {
    "cmu_general": Rig(
        tuple(f"CC_Base_{{}}_{name}" for name in ("Thigh", "Calf", "Foot", "Upperarm", "Forearm", "Hand")),
        ("L", "R"), 0.01, "CC_Base_NeckTwist01", "CC_Base_Head", eyes="CC_Base_{}_Eye",
    ),
    "cmu_walks": Rig(
        tuple(f"{{}}{name}" for name in ("Hip", "Knee", "Ankle", "Shoulder", "Elbow", "Wrist")),
        ("Left", "Right"), 0.0254 / 0.45, "Neck", "Head", crown="Head_end",
    ),
    "cmu_dance_martial": Rig(
        tuple(f"{{}}{name}" for name in ("Thigh", "Shin", "Foot", "Shldr", "ForeArm", "Hand")),
        ("l", "r"), 0.01, "neck", "head", eyes="{}Eye",
    ),
}  # fmt: skip


@jaxtyped(typechecker=beartype)
@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """One take: joints of h36m17 in metres, and the group it belongs to."""

    name: str
    group: str
    rate_hz: float
    xyz_m: Float64[np.ndarray, "T 17 3"]

    def __len__(self) -> int:
        return len(self.xyz_m)


def motions(path: str | Path, split: str = "all") -> list[Motion]:
    """The takes of a split (`all`, `train`, `val`), in order of name.

    Raises
    ------
    DataError
        if there are none under the path, or a file is no BVH of the rig its folder says.
    """
    if split not in ("all", "train", "val"):
        raise DataError(f"split `{split}` is not known for mocap; choose all, train or val")
    wanted = _takes(Path(path), split)
    if not wanted:
        raise DataError(f"{path}: no takes of split `{split}`; BVH files belong into {', '.join(RIGS)}")
    return [read(file) for file in wanted]


def open(path: Path, split: str) -> Samples:
    """The frames of a split, take by take, as an ideal camera before the person sees them.

    There are no pictures: `rgb()` is plain grey. The camera stands still, looks along −Z at the middle of the
    take, and holds all of it.
    """
    takes = _takes(path, split)
    keys = [(file, k) for file in takes for k in range(_length(file))]
    return Samples(chosen(keys, path, "mocap", split), _sample)


def _length(file: Path) -> int:
    """Frames of a take, counted without reading them: parsing all takes would take half a minute."""
    text = file.read_text("utf-8", "replace")
    if file.suffix == ".amc":
        return sum(line.strip().isdigit() for line in text.splitlines())
    found = re.search(r"^\s*Frames:\s*(\d+)", text, re.MULTILINE)
    return max(int(found[1]) - _first(file), 0) if found else len(read(file))


def _first(file: Path) -> int:
    """The first frame that is used: many takes of two rigs begin with a T-pose."""
    return 0 if file.parent.name == "cmu_walks" else 1


@lru_cache(maxsize=256)
def _seen(file: Path) -> tuple[Motion, Camera]:
    motion = read(file)
    low, high = motion.xyz_m.min((0, 1)), motion.xyz_m.max((0, 1))
    half = float((high - low).max()) / 2
    back = 1.1 * half * FOCAL_PX / (SIZE[0] / 2) + half
    rotation = np.diag([1.0, -1.0, -1.0])
    place = (low + high) / 2 + [0, 0, back]
    matrix = np.array([[FOCAL_PX, 0, SIZE[0] / 2], [0, FOCAL_PX, SIZE[1] / 2], [0, 0, 1]])
    return motion, Camera(matrix, rotation, -rotation @ place)


def _sample(key: tuple[Path, int]) -> Sample:
    file, k = key
    motion, camera = _seen(file)
    xyz = motion.xyz_m[k : k + 1]
    truth = seen_from(camera, H36M, xyz, SIZE)
    name, time_s = f"{motion.name}/{k:06d}", k / motion.rate_hz
    return Sample(
        "mocap", name, motion.name, SIZE, truth, _grey, True, time_s, camera, xyz.astype(np.float32)
    )


def _grey() -> np.ndarray:
    return np.full((SIZE[1], SIZE[0], 3), 96, np.uint8)


def _takes(path: Path, split: str) -> list[Path]:
    files = [file for kind in RIGS for file in sorted((path / kind).glob("*.bvh"))]
    files += sorted(file for file in path.rglob("*.amc"))
    return [file for file in files if file.stem not in BROKEN and _in(split, group(file.stem))]


def read(file: Path) -> Motion:
    """One take, in the rig that its folder's name says. Raises `DataError`."""
    if file.suffix == ".amc":
        return Motion(file.stem, group(file.stem), ASF_RATE_HZ, _joints(file, read_acclaim(file), ASF))
    if file.parent.name not in RIGS:
        raise DataError(f"{file}: of no known rig; put it into one of {', '.join(RIGS)}")
    rig = RIGS[file.parent.name]
    bvh = parse(file.read_text(encoding="utf-8"), file.name)
    xyz = _joints(file, bvh, rig)[_first(file) :]
    return Motion(file.stem, group(file.stem), bvh.rate_hz, xyz)


def group(name: str) -> str:
    """Who is in a take: what must not be divided between training and validation."""
    subject = name.partition("_")[0]
    return SAME.get(subject, subject)


def _in(split: str, who: str) -> bool:
    return split == "all" or split == ("val" if who in HELD else "train")


def _joints(file: Path, take: Bvh | Acclaim, rig: Rig) -> Float64[np.ndarray, "T 17 3"]:
    """A take's joints in metres; the error of a joint that the rig should have names the file."""
    try:
        return _named(take, rig)
    except DataError as error:
        raise DataError(f"{file}: {error}") from error


def _named(bvh: Bvh | Acclaim, rig: Rig) -> Float64[np.ndarray, "T 17 3"]:
    places = bvh.positions() * rig.metres
    out = np.empty((len(bvh), len(H36M), 3))
    for side, word in zip(("left", "right"), rig.sides, strict=True):
        for joint, k in STEP:
            out[:, H36M.index(f"{side}_{joint}")] = places[:, bvh.index(rig.limbs[k].format(word))]
    root, thorax = (
        (out[:, H36M.index(f"left_{joint}")] + out[:, H36M.index(f"right_{joint}")]) / 2
        for joint in ("hip", "shoulder")
    )
    nose, crown = _face(bvh, rig, places)
    for name, value in (("root", root), ("thorax", thorax), ("spine", (root + thorax) / 2)):
        out[:, H36M.index(name)] = value
    out[:, H36M.index("neck_base")], out[:, H36M.index("head")] = nose, crown
    return out


def _face(
    bvh: Bvh | Acclaim, rig: Rig, places: Float64[np.ndarray, "T J 3"]
) -> tuple[np.ndarray, np.ndarray]:
    """Nose and top of the head (T, 3)."""
    head = places[:, bvh.index(rig.head)]
    if rig.eyes:
        eyes = [rig.eyes.format(word) for word in (("left", "right") if rig.sides[0] == "l" else rig.sides)]
        nose = np.mean([places[:, bvh.index(eye)] for eye in eyes], 0)
    else:
        forward = world_rotations(bvh.rotations(), bvh.parents)[:, bvh.index(rig.head), :, 2]
        nose = head + NOSE_M * forward
    if rig.crown:
        return nose, places[:, bvh.index(rig.crown)]
    neck = head - places[:, bvh.index(rig.neck)]
    return nose, head + CROWN_M * neck / np.linalg.norm(neck, axis=-1, keepdims=True)
