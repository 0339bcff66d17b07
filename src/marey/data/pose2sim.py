"""Videos of several calibrated cameras, as Pose2Sim's demonstration has them (Pagnon et al., JOSS 2022).

Layout: `Calib.qca.txt` (Qualisys XML), and one video a camera, called after its `serial` (`cam01.mp4`).
Conventions: no truth but the geometry: where the cameras stand, so that 2D of any estimator can be
triangulated and compared with itself. The file's places are mm in a world with Z up; the rows of `transform`
are the camera's axes to the right, up and backwards; lens values are 64ths of a pixel, counted from 0 at the
pixels' centres. A video whose width is not the calibration's is that picture scaled, with equal bars above
and below; `camera` is for the video's pixels. The demonstration's directions are off by about 1 degree.
Splits: all is everything, the others are empty. Frames of one time have the same number in every camera.
"""

import xml.etree.ElementTree as Xml
from functools import partial
from pathlib import Path

import numpy as np

from marey.core.cameras import Camera
from marey.core.errors import DataError
from marey.data.files import Samples, chosen, need
from marey.data.frames import Footage
from marey.data.sample import Sample, only_boxes

SUFFIXES = (".mp4", ".avi", ".mov", ".mkv")
SUBPIXELS = 64.0


def open(path: Path, split: str) -> Samples:
    """The frames of all cameras, camera by camera."""
    keys = []
    for camera in _calibration(path) if split == "all" else []:
        serial = camera.get("serial", "")
        found = [path / f"{serial}{suffix}" for suffix in SUFFIXES if (path / f"{serial}{suffix}").exists()]
        footage = Footage(found[0] if found else need(path / f"{serial}.mp4", "the camera's video"))
        seen = _camera(path, camera, footage.size)
        keys += [(serial, footage, seen, k) for k in range(len(footage.video))]
    return Samples(chosen(keys, path, "pose2sim", split), _sample)


def _calibration(path: Path) -> list[Xml.Element]:
    files = sorted(path.glob("*.qca.txt"))
    file = files[0] if files else need(path / "Calib.qca.txt", "the cameras' file")
    try:
        cameras = Xml.parse(file).findall("cameras/camera")
    except Xml.ParseError as error:
        raise DataError(f"{file}: not XML ({error}); fetch it again") from error
    if not cameras:
        raise DataError(f"{file}: field `cameras/camera` is missing; Qualisys' calibration is expected")
    return cameras


def _numbers(path: Path, camera: Xml.Element, tag: str, names: str) -> np.ndarray:
    held = camera.find(tag)
    serial = camera.get("serial", "")
    try:
        values = [float(held.attrib[name]) for name in names.split()] if held is not None else []
    except (KeyError, ValueError) as error:
        raise DataError(f"{path}: calibration of {serial}: field `{tag}` {error} is no number") from error
    if not values or not np.isfinite(values).all():
        raise DataError(f"{path}: calibration of {serial}: field `{tag}` is missing or holds NaN")
    return np.array(values)


def _camera(path: Path, camera: Xml.Element, size: tuple[int, int]) -> Camera:
    axes = _numbers(path, camera, "transform", "r11 r12 r13 r21 r22 r23 r31 r32 r33").reshape(3, 3)
    place = _numbers(path, camera, "transform", "x y z") / 1000
    left, top, right, bottom = _numbers(path, camera, "fov_video", "left top right bottom")
    fx, fy, cx, cy = (
        _numbers(path, camera, "intrinsic", "focalLengthU focalLengthV centerPointU centerPointV") / SUBPIXELS
    )
    k1, k2, k3 = _numbers(path, camera, "intrinsic", " ".join(f"radialDistortion{k}" for k in (1, 2, 3)))
    p1, p2 = _numbers(path, camera, "intrinsic", "tangentalDistortion1 tangentalDistortion2")
    scale = size[0] / (right - left + 1)
    bar = (size[1] - (bottom - top + 1) * scale) / 2
    matrix = np.array(
        [
            [fx * scale, 0, (cx - left + 0.5) * scale],
            [0, fy * scale, (cy - top + 0.5) * scale + bar],
            [0, 0, 1],
        ]
    )
    rotation = axes * [[1], [-1], [-1]]
    return Camera(matrix, rotation, -rotation @ place, np.array([k1, k2, p1, p2, k3]))


def _sample(key: tuple[str, Footage, Camera, int]) -> Sample:
    serial, footage, camera, k = key
    nobody = only_boxes(np.zeros((0, 4), np.float32))
    time_s = float(footage.video.times_s[k])
    load = partial(footage.frame, k)
    return Sample("pose2sim", f"{serial}/{k:06d}", serial, footage.size, nobody, load, False, time_s, camera)
