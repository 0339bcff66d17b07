"""HumanEva-I: four actors, five actions, three colour cameras, 60 Hz (Sigal, Balan and Black, IJCV 2010).

Its motion capture is MATLAB objects that only MATLAB reads, so this is the layout that VideoPose3D's
`ConvertHumanEva.m` writes, the one papers use: `converted_15j/{Train,Validate}/S1/Walking_1.mat` with
`poses_3d` T×15×3 (mm, world, Z up) and `poses_2d` 3×T×15×2; videos as published,
`S1/Image_Data/Walking_1_(C1).avi`.
Conventions: 15 joints, the person's sides; `thorax` lies between the torso's top and the neck's foot. Frames
that the capture lost (NaN) are left out. The converted files hold no calibration: where cameras stand and
look is VideoPose3D's, the lens is fitted to a take's own 2D and 3D by least squares, without distortion.
Pixels are taken as counted from 0 at their centres, so 0.5 is added. A video starts some frames before the
capture does; those numbers, and where Train begins, are VideoPose3D's.
Splits: train is Train of S1 to S3, test their Validate, on which papers report, both of `ACTIONS` alone, as
papers do; `all` has every action; no val.
"""

from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from marey.core.cameras import Camera
from marey.core.errors import DataError, MareyError
from marey.core.skeletons import HUMANEVA15
from marey.data.files import Samples, chosen, need
from marey.data.frames import frame_of
from marey.data.matlab import read_mat
from marey.data.sample import Sample, State, people

SIZE, RATE_HZ = (640, 480), 60.0
FOLDERS = {"train": "Train", "test": "Validate"}
ACTIONS = ("Walking", "Jog", "Box")
"""What lifting is trained and judged on (VideoPose3D's own commands)."""
FIRST = 5
"""The frame of the capture at which every Validate part begins."""
TAKES = {
    ("S1", "Walking_1"): (590, 82, 81, 82), ("S1", "Jog_1"): (367, 51, 51, 50),
    ("S1", "ThrowCatch_1"): (473, 61, 61, 60), ("S1", "Gestures_1"): (395, 45, 45, 44),
    ("S1", "Box_1"): (385, 57, 57, 56),
    ("S2", "Walking_1"): (438, 115, 115, 114), ("S2", "Jog_1"): (398, 100, 100, 99),
    ("S2", "ThrowCatch_1"): (550, 127, 127, 127), ("S2", "Gestures_1"): (500, 122, 122, 121),
    ("S2", "Box_1"): (382, 119, 119, 117),
    ("S3", "Walking_1"): (448, 80, 80, 80), ("S3", "Jog_1"): (401, 65, 65, 65),
    ("S3", "ThrowCatch_1"): (493, 79, 79, 79), ("S3", "Gestures_1"): (533, 83, 83, 82),
    ("S3", "Box_1"): (512, 1, 1, 1),
}  # fmt: skip
"""Where Validate ends and Train begins, and the frame (from 1) of C1, C2, C3 at which the capture starts."""
_S1 = (
    ((0.424207, -0.4983646, -0.5802981, 0.4847012), (4062.227, 663.2477, 1528.397)),
    ((0.6503354, -0.7481602, -0.0919284, 0.0941766), (844.8131, -3805.2092, 1504.9929)),
    ((0.0664734, -0.0690535, 0.7416416, -0.6639132), (-797.67377, 3916.3174, 1433.6602)),
)
_S2 = (
    ((0.4214752, -0.4961493, -0.5838273, 0.4851187), (4112.9121, 626.4929, 1545.2988)),
    ((0.6501393, -0.7476588, -0.0954617, 0.0959808), (923.5740, -3877.9243, 1504.5518)),
    ((0.0699353, -0.0712403, 0.7421637, -0.662742), (-781.4915, 3838.8853, 1444.9929)),
)
PLACES = {"S1": _S1, "S2": _S2, "S3": _S1}
"""Quaternions (w x y z, camera to world) and places (mm) of C1, C2, C3; S3 was recorded with S1's."""


def open(path: Path, split: str) -> Samples:
    """The captured frames of a split: take by take, camera by camera."""
    found = sorted(path.rglob("converted_15j"))
    root = found[0] if found else need(path / "converted_15j", "what ConvertHumanEva.m wrote")
    parts = [root / folder for part, folder in FOLDERS.items() if split in ("all", part)]
    files = [file for part in parts for file in sorted(part.glob("S*/*.mat")) if _known(file)]
    files = [file for file in files if split == "all" or _action(file) in ACTIONS]
    keys = [(file, c, int(k)) for file in files for c in range(3) for k in np.flatnonzero(_captured(file))]
    return Samples(chosen(keys, path, "humaneva", split), partial(_sample, path))


def _action(file: Path) -> str:
    return file.stem.split("_")[0]


def _known(file: Path) -> bool:
    if (file.parent.name, file.stem) not in TAKES:
        raise DataError(f"{file}: a take that is not known; HumanEva-I's have names such as S1/Walking_1.mat")
    return True


@lru_cache(maxsize=64)
def _take(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Positions in metres T×15×3 and pixels 3×T×15×2, NaN where the capture lost the person."""
    xyz = read_mat(file, "poses_3d", (None, 15, 3)).astype(np.float64)
    xy = read_mat(file, "poses_2d", (3, len(xyz), 15, 2)).astype(np.float64)
    return xyz / 1000, xy + 0.5


def _captured(file: Path) -> np.ndarray:
    xyz, xy = _take(file)
    lost = np.isnan(xyz).any(axis=(1, 2)) | np.isnan(xy).any(axis=(0, 2, 3))
    return np.asarray(~lost)


@lru_cache(maxsize=64)
def _camera(file: Path, c: int) -> Camera:
    """Where the file of places says, with the lens that sees this take as it was seen."""
    placed = _placed(*PLACES[file.parent.name][c])
    (xyz, xy), there = _take(file), _captured(file)
    try:
        lens = Camera.fitted(xy[c, there], placed.to_camera(xyz[there]))
    except MareyError as error:
        raise DataError(f"{file}: fields `poses_2d` and `poses_3d`, camera C{c + 1}: {error}") from error
    return replace(placed, matrix=lens.matrix)


def _sample(path: Path, key: tuple[Path, int, int]) -> Sample:
    file, c, k = key
    subject, part = file.parent.name, file.parents[1].name
    begin, *starts = TAKES[subject, file.stem]
    frame = k + starts[c] - 1 + (begin if part == "Train" else FIRST)
    xyz, xy = (_take(file)[0][k : k + 1], _take(file)[1][c, k : k + 1])
    inside = ((xy >= 0) & (xy < SIZE)).all(-1)
    truth = people(HUMANEVA15, xy, np.where(inside, State.VISIBLE, State.OCCLUDED))
    clip = f"{part}/{subject}/{file.stem}.C{c + 1}"
    video = path / subject / "Image_Data" / f"{file.stem}_(C{c + 1}).avi"
    return Sample(
        "humaneva", f"{clip}/{k:06d}", clip, SIZE, truth, partial(frame_of, video, frame), False, k / RATE_HZ,
        _camera(file, c), xyz.astype(np.float32), action=_action(file),
    )  # fmt: skip


def _placed(turn: tuple[float, ...], place_mm: tuple[float, ...]) -> Camera:
    """A camera that stands and looks as told, with no lens yet."""
    w, x, y, z = np.array(turn) / np.linalg.norm(turn)
    to_world = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    return Camera(np.eye(3), to_world.T, -to_world.T @ (np.array(place_mm) / 1000))
