"""The camera that a video was filmed with, as far as it is known.

`--intrinsics FILE` is TOML as calibration tools write it (Pose2Sim, anipose): `size`, `matrix`,
`distortions`, pixel centres at whole numbers, at the top or in one section. `--fov` is the angle from left to
right of the displayed picture. Without either `VIEW_DEG` over its longer side are assumed.
"""

from pathlib import Path
from typing import Any

import numpy as np

from marey.core.cameras import Camera
from marey.core.errors import SettingsError
from marey.core.settings import load_toml

VIEW_DEG = 60.0
"""Over the longer side (our choice: phones' main cameras have 60 to 70° when they film)."""


def lens(
    size: tuple[int, int], fov_deg: float | None = None, intrinsics: str | None = None
) -> tuple[Camera, str]:
    """The camera of pictures of `size` (width, height), and one line on where it comes from.

    Raises
    ------
    SettingsError
        If the angle is not between 0 and 180°, both are given, or the file is no calibration of one camera.
    """
    if fov_deg is not None and intrinsics is not None:
        raise SettingsError("--fov and --intrinsics: both say what the lens is; give one")
    if intrinsics is not None:
        return _read(Path(intrinsics), size), f"intrinsics of {Path(intrinsics).name}"
    if fov_deg is not None:
        if not 0 < fov_deg < 180:
            raise SettingsError(f"--fov {fov_deg:g}: an angle between 0 and 180 degrees is expected")
        return Camera.from_view(size, fov_deg), f"field of view {fov_deg:g}° as given"
    longer = max(size) / 2 / np.tan(np.deg2rad(VIEW_DEG) / 2)
    angle = float(np.rad2deg(2 * np.arctan(size[0] / 2 / longer)))
    return Camera.from_view(size, angle), f"field of view assumed, {VIEW_DEG:g}° over the longer side"


def _read(path: Path, size: tuple[int, int]) -> Camera:
    told = load_toml(path)
    tables: list[Any] = [told, *told.values()]
    sections = [table for table in tables if hasattr(table, "items") and "matrix" in table]
    if len(sections) != 1:
        raise SettingsError(f"{path}: holds {len(sections)} cameras; keep the section of the one that filmed")
    section: dict[str, Any] = sections[0]
    try:
        matrix = np.array(section["matrix"], np.float64).reshape(3, 3)
        held = np.array(section.get("distortions", ()), np.float64).ravel()[:5]
        width, height = (float(side) for side in section.get("size", size))
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{path}: matrix (3×3), distortions or size are not numbers ({error})") from error
    camera = Camera.opencv(matrix, np.eye(3), np.zeros(3), np.pad(held, (0, 5 - len(held))))
    if abs(width / height - size[0] / size[1]) > 0.01 * width / height:
        raise SettingsError(
            f"{path}: is of pictures {width:g}×{height:g}, the video's are {size[0]}×{size[1]}; "
            "calibrate in the format that was filmed"
        )
    scaled = camera.matrix * np.array([[size[0] / width], [size[1] / height], [1.0]])
    return Camera(scaled, distortion=camera.distortion)
