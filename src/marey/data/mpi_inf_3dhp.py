"""MPI-INF-3DHP: eight actors without markers, green screen and outdoors (Mehta et al., 3DV 2017).

Layout: training `S1/Seq1/annot.mat` (cells of 14 cameras: `annot2` T×56, `annot3` T×84), beside it
`camera.calibration` and `imageSequence/video_0.avi`; test `TS1/annot_data.mat` (`annot2` 2×17×1×T, `annot3`
3×17×1×T, `valid_frame`, `activity_annotation`), beside it `imageSequence/img_000001.jpg`. The test files are
MATLAB 7.3: save them again in MATLAB or Octave with `save -v7`.
Conventions: the 17 joints of the test part, the person's sides; mm in the camera's axes. `TRUTH` says which
3D is read: `annot3`, or `univ_annot3`, scaled to one stature. Training `xyz_m` is in the world of
`camera.calibration`. The test files hold no calibration: the lens is fitted to their own 2D and 3D by
least squares, without distortion. Pixels are taken as counted from 0 at their centres, so 0.5 is added.
Splits: test = valid frames of TS1–TS6; val = S8 (as others do); train = S1–S7. Training takes the videos
found here, or the eight cameras at chest height where there are none.
"""

import re
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from marey.core.cameras import Camera
from marey.core.errors import DataError, MareyError
from marey.core.skeletons import MPI_INF_3DHP17
from marey.data.files import Samples, chosen, need, picture_size, read_picture
from marey.data.frames import frame_of
from marey.data.matlab import read_mat, read_struct
from marey.data.nodes import Node
from marey.data.sample import Sample, State, Truth, people

TRUTH = "annot3"
JOINTS = (7, 5, 14, 15, 16, 9, 10, 11, 23, 24, 25, 18, 19, 20, 4, 3, 6)
"""The 17 joints of the test part among the 28 of the training part."""
CHEST = (0, 1, 2, 4, 5, 6, 7, 8)
SIZE, RATE_HZ = (2048, 2048), 25.0
SHORT = {("S6", "Seq2", 2): 3911}
"""A video that ends before its labels."""
ACTIVITIES = ("Stand/Walk", "Exercise", "Sit on Chair", "Reach/Crouch", "On Floor", "Sports", "Misc.")
_NUMBERS = r"((?:\s+-?[\d.]+(?:e[-+]?\d+)?){16})"
_CAMERA = re.compile(rf"name\s+(\d+).*?intrinsic{_NUMBERS}\s+extrinsic{_NUMBERS}", re.DOTALL)


def open(path: Path, split: str) -> Samples:
    """The labelled frames of a split, sequence by sequence and camera by camera."""
    keys: list[tuple[Path, int, int]] = []
    for file in sorted(path.glob("S*/Seq*/annot.mat")):
        if split == "all" or split == ("val" if file.parents[1].name == "S8" else "train"):
            keys += [(file, c, k) for c in _views(file.parent) for k in range(_length(file, c))]
    if split in ("all", "test"):
        for file in sorted(path.glob("TS*/annot_data.mat")):
            keys += [(file, -1, int(k)) for k in np.flatnonzero(_test(file)[2])]
    return Samples(chosen(keys, path, "mpi_inf_3dhp", split), _sample)


def _views(folder: Path) -> list[int]:
    found = sorted((folder / "imageSequence").glob("video_*.avi"))
    return sorted(int(video.stem.removeprefix("video_")) for video in found) or list(CHEST)


def _length(file: Path, c: int) -> int:
    count = len(_cell(file, "annot2", c, 2))
    return min(count, SHORT.get((file.parents[1].name, file.parent.name, c), count))


@lru_cache(maxsize=3)
def _cells(file: Path, field: str) -> Node:
    """Labels of all cameras of a sequence: some hundred megabytes, read in one go."""
    return read_struct(file, field)


@lru_cache(maxsize=32)
def _cell(file: Path, field: str, c: int, width: int) -> np.ndarray:
    """Labels of one camera, T×17×width."""
    cells = _cells(file, field)
    if len(cells) <= c:
        raise cells.error(f"{len(cells)} cameras found, camera {c} expected")
    return cells[c].array((None, 28 * width)).reshape(-1, 28, width)[:, JOINTS]


@lru_cache(maxsize=8)
def _cameras(file: Path) -> dict[int, Camera]:
    text = need(file, "the cameras' file").read_text()
    made = {}
    for number, inner, outer in _CAMERA.findall(text):
        matrix, pose = (np.array(block.split(), np.float64).reshape(4, 4) for block in (inner, outer))
        made[int(number)] = Camera.opencv(matrix[:3, :3], pose[:3, :3], pose[:3, 3] / 1000, np.zeros(5))
    if not made:
        raise DataError(f"{file}: no camera with `name`, `intrinsic` and `extrinsic` found")
    return made


@lru_cache(maxsize=8)
def _test(file: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, Camera]:
    """Pixels T×17×2, metres T×17×3, validity and activity of a test sequence, and its fitted camera."""
    xy = np.moveaxis(read_mat(file, "annot2", (2, 17, 1, None))[:, :, 0], -1, 0).transpose(0, 2, 1) + 0.5
    xyz = np.moveaxis(read_mat(file, TRUTH, (3, 17, 1, None))[:, :, 0], -1, 0).transpose(0, 2, 1) / 1000
    if len(xy) != len(xyz):
        raise DataError(f"{file}: fields `annot2` and `{TRUTH}` hold {len(xy)} and {len(xyz)} frames")
    valid, activity = (
        read_struct(file, field).array((len(xy),)) for field in ("valid_frame", "activity_annotation")
    )
    return xy, xyz, valid > 0, activity.astype(int), _fitted(file, xy[valid > 0], xyz[valid > 0])


def _fitted(file: Path, xy: np.ndarray, xyz: np.ndarray) -> Camera:
    """The lens of a test sequence, from its valid frames."""
    try:
        return Camera.fitted(xy, xyz)
    except MareyError as error:
        raise DataError(f"{file}: fields `annot2` and `{TRUTH}`, valid frames: {error}") from error


def _sample(key: tuple[Path, int, int]) -> Sample:
    file, c, k = key
    return _train_sample(file, c, k) if c >= 0 else _test_sample(file, k)


def _train_sample(file: Path, c: int, k: int) -> Sample:
    cameras = _cameras(file.parent / "camera.calibration")
    if c not in cameras:
        raise DataError(f"{file.parent / 'camera.calibration'}: camera {c} is missing")
    xy, xyz = _cell(file, "annot2", c, 2)[k : k + 1] + 0.5, _cell(file, TRUTH, c, 3)[k : k + 1] / 1000
    clip = f"{file.parents[1].name}/{file.parent.name}/{c}"
    load = partial(frame_of, file.parent / "imageSequence" / f"video_{c}.avi", k)
    return Sample(
        "mpi_inf_3dhp", f"{clip}/{k:06d}", clip, SIZE, _truth(xy, SIZE), load, False, k / RATE_HZ,
        cameras[c], cameras[c].to_world(xyz).astype(np.float32),
    )  # fmt: skip


def _test_sample(file: Path, k: int) -> Sample:
    xy, xyz, _, activity, camera = _test(file)
    clip = file.parent.name
    picture = need(file.parent / "imageSequence" / f"img_{k + 1:06d}.jpg", f"the picture of frame {k + 1}")
    size, number = picture_size(picture), activity[k] - 1
    word = ACTIVITIES[number] if 0 <= number < len(ACTIVITIES) else ""
    return Sample(
        "mpi_inf_3dhp", f"{clip}/{k:06d}", clip, size, _truth(xy[k : k + 1], size),
        partial(read_picture, picture), False, k / RATE_HZ, camera, xyz[k : k + 1].astype(np.float32),
        action=word,
    )  # fmt: skip


def _truth(xy: np.ndarray, size: tuple[int, int]) -> Truth:
    inside = ((xy >= 0) & (xy < size)).all(-1)
    return people(MPI_INF_3DHP17, xy, np.where(inside, State.VISIBLE, State.OCCLUDED))
