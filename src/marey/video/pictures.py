"""A folder of pictures, or a single one, as a video.

Pictures are in natural order (`2.png` before `10.png`) at a given rate; the orientation that a camera wrote
into a picture (EXIF) is applied. Pictures of one folder may differ in size.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from marey.core.errors import VideoError
from marey.core.files import natural
from marey.core.nouns import Frame
from marey.video.source import Info, Problems

SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".jp2"))
RATE_HZ = Fraction(25)
"""Rate of a folder of pictures when none is given (our choice: FFmpeg's for pictures)."""


class Pictures:
    """A source made of pictures; see `source.Source`."""

    def __init__(self, path: Path, rate_hz: float | Fraction | None = None) -> None:
        self._files = [path] if path.is_file() else _in_folder(path)
        if not self._files:
            raise VideoError(f"{path}: no pictures in this folder; known are {', '.join(sorted(SUFFIXES))}")
        rate = RATE_HZ if rate_hz is None else Fraction(rate_hz).limit_denominator(1001)
        if rate <= 0:
            raise VideoError(f"{path}: the rate of a folder of pictures must be above 0, not {rate_hz}")
        single = path.is_file()
        first = next((rgb for rgb in map(decoded, self._files) if rgb is not None), None)
        if first is None:
            raise VideoError(f"{path}: no picture in it can be read; is it damaged?")
        self.problems = Problems(path.name)
        self.time_base = 1 / rate
        self.pts = np.arange(len(self._files), dtype=np.int64)
        self.info = Info(
            name=path.name,
            size=(first.shape[1], first.shape[0]),
            rotation=0,
            mirrored=False,
            pixel_aspect=Fraction(1),
            rate=None if single else rate,
            variable=False,
            duration_s=0.0 if single else float(len(self._files) / rate),
            start_s=0.0,
            codec=self._files[0].suffix[1:].lower(),
            has_audio=False,
        )

    def decode(self, first: int, last: int) -> Iterator[Frame]:
        """Yield the pictures first ≤ index < last."""
        for index in range(first, last):
            rgb = decoded(self._files[index])
            if rgb is None:
                self.problems.add(f"picture {self._files[index].name} cannot be read and is left out")
                continue
            yield Frame(index, float(index * self.time_base), rgb)


def is_pictures(path: Path) -> bool:
    """Whether a path is a folder or a picture by its name."""
    return path.is_dir() or path.suffix.lower() in SUFFIXES


def _in_folder(folder: Path) -> list[Path]:
    try:
        found = [p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")]
    except OSError as error:
        raise VideoError(f"{folder}: this folder cannot be read ({error.strerror})") from error
    return sorted(found, key=lambda path: natural(path.name))


def decoded(path: Path) -> UInt8[np.ndarray, "H W 3"] | None:
    """Decode a picture to RGB; None where it cannot be read. Names that `cv2.imread` cannot open are fine."""
    try:
        data = np.fromfile(path, np.uint8)
    except OSError:
        return None
    bgr = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    return None if bgr is None else cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)  # pyright: ignore[reportReturnType]
