"""Human3.6M: 11 actors, 15 actions, four calibrated cameras, 50 Hz (Ionescu et al., TPAMI 2014).

Layout: `metadata.xml` (of the official code; here or in a folder below), `S1/MyPoseFeatures/D3_Positions/
NAME.cdf` (variable `Pose`, T×96, mm in the world, Z up), `S1/Videos/NAME.CAMERA.mp4`, for S1, S5 to S9, S11.
Conventions: 17 of the 32 joints, as lifting uses them; the person's sides. `xyz_m` is in the world; `xy_px`
is its projection, as in VideoPose3D, with the cameras of `<w0>` (angles, place, focal lengths, centre, lens;
the lens as OpenCV has it, which differs from the official code's by less than 0.2 px inside the picture).
Their pixels are taken as counted from 0 at their centres: the source does not say, and half a pixel is 2 mm
at 4 m. Everything is captured, so joints inside the picture count as visible. S11's Directions is left out,
its video is broken. `action` is the name's first word, `TakingPhoto` and `WalkingDog` as Photo and WalkDog.
Splits: test = S9, S11 (protocol 1); val = S8 (ours); train = S1, S5, S6, S7.
"""

import xml.etree.ElementTree as Xml
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from marey.core.cameras import Camera
from marey.core.errors import DataError
from marey.core.kinematics import euler_rotations
from marey.core.skeletons import H36M17
from marey.data.cdf import read_cdf
from marey.data.files import Samples, chosen, need
from marey.data.frames import frame_of
from marey.data.nodes import Node
from marey.data.sample import Sample, seen_from

SUBJECTS = {"train": ("S1", "S5", "S6", "S7"), "val": ("S8",), "test": ("S9", "S11")}
SIZES = {
    "54138969": (1000, 1002),
    "55011271": (1000, 1000),
    "58860488": (1000, 1000),
    "60457274": (1000, 1002),
}
"""Sizes of the four cameras' pictures, in the order of `<w0>`."""
JOINTS = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
"""The 17 of 32 that move and do not coincide (VideoPose3D)."""
BROKEN = (("S11", "Directions"),)
RATE_HZ = 50.0
RENAMED = {"TakingPhoto": "Photo", "WalkingDog": "WalkDog"}
NUMBERS = 4 * 11 * 6 + 4 * 9


def open(path: Path, split: str) -> Samples:
    """The frames of a split: subject by subject, action by action, camera by camera."""
    subjects = [s for part, named in SUBJECTS.items() if split in ("all", part) for s in named]
    files = [f for s in subjects for f in sorted((path / s / "MyPoseFeatures/D3_Positions").glob("*.cdf"))]
    files = [file for file in files if (file.parents[2].name, file.stem) not in BROKEN]
    cameras = _cameras(path)
    keys = [(file, camera, k) for file in files for camera in SIZES for k in range(len(_world(file)))]
    return Samples(chosen(keys, path, "h36m", split), partial(_sample, cameras))


@lru_cache(maxsize=1024)
def _world(file: Path) -> np.ndarray:
    """Joints in the world, T×17×3, in metres."""
    pose = read_cdf(file, "Pose")
    if pose.size == 0 or pose.shape[-1] != 96:
        raise DataError(f"{file}: variable `Pose` is {pose.shape}, numbers any × 96 expected")
    if not np.isfinite(pose).all():
        raise DataError(f"{file}: variable `Pose` holds NaN")
    return (pose.reshape(-1, 32, 3)[:, JOINTS] / 1000).astype(np.float32)


def _cameras(path: Path) -> dict[tuple[str, str], Camera]:
    """Cameras by subject and number, from the parameter list of the official code."""
    found = sorted(path.rglob("metadata.xml"))
    file = found[0] if found else need(path / "metadata.xml", "the cameras' file")
    try:
        text = Xml.parse(file).findtext("w0") or ""
    except Xml.ParseError as error:
        raise DataError(f"{file}: not XML ({error}); fetch it again") from error
    try:
        numbers = [float(word) for word in text.strip().strip("[]").split()]
    except ValueError as error:
        raise DataError(f"{file}: field `w0` holds something that is no number ({error})") from error
    w0 = Node(numbers, f"{file}: w0").array((NUMBERS,))
    places, lenses = w0[: 4 * 11 * 6].reshape(4, 11, 6), w0[4 * 11 * 6 :].reshape(4, 9)
    return {
        (f"S{s + 1}", name): _camera(places[c, s], lenses[c])
        for c, name in enumerate(SIZES)
        for s in range(11)
    }


def _camera(place: np.ndarray, lens: np.ndarray) -> Camera:
    """Three angles and a place in mm; focal lengths, centre, radial (3) and tangential (2) distortion."""
    rotation = euler_rotations("xyz", place[:3])
    fx, fy, cx, cy, k1, k2, k3, p1, p2 = lens
    matrix = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]])
    where = -rotation @ (place[3:] / 1000)
    return Camera.opencv(matrix, rotation, where, np.array([k1, k2, p1, p2, k3]))


def _sample(cameras: dict[tuple[str, str], Camera], key: tuple[Path, str, int]) -> Sample:
    file, number, k = key
    subject, camera = file.parents[2].name, cameras[file.parents[2].name, number]
    clip = f"{subject}/{file.stem}.{number}"
    xyz = _world(file)[k : k + 1]
    video = file.parents[2] / "Videos" / f"{file.stem}.{number}.mp4"
    word = file.stem.split(" ")[0]
    return Sample(
        "h36m", f"{clip}/{k:06d}", clip, SIZES[number], seen_from(camera, H36M17, xyz, SIZES[number]),
        partial(frame_of, video, k), False, k / RATE_HZ, camera, xyz, action=RENAMED.get(word, word),
    )  # fmt: skip
