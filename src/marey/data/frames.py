"""Frames of a set's videos by number, for labels that count frames.

Conventions: frames are numbered from 0 in the order shown, upright, as `marey run` numbers them.
"""

from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import final

import numpy as np
from jaxtyping import UInt8

from marey.core.errors import DataError, VideoError
from marey.core.nouns import Frame
from marey.data.files import need
from marey.video.read import Video, read

SKIP = 30
"""So many frames are decoded and dropped before a seek is tried (our choice: about a second)."""


@final
class Footage:
    """A video that is opened when first asked for, and remembers where it is, so neighbours need no seek."""

    def __init__(self, path: Path):
        self.path = path
        self._next = 0
        self._frames: Iterator[Frame] = iter(())

    @cached_property
    def video(self) -> Video:
        """The opened video."""
        try:
            return read(need(self.path, "the video"))
        except VideoError as error:
            raise DataError(
                f"{self.path}: not a video that can be decoded ({error}); fetch it again"
            ) from error

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.video.info.size

    def frame(self, k: int) -> UInt8[np.ndarray, "H W 3"]:
        """Decode frame k."""
        if not self._next <= k <= self._next + SKIP or self._next == 0:
            self._frames = self.video.frames(k)
        for frame in self._frames:
            self._next = frame.index + 1
            if frame.index == k:
                return frame.rgb
        self._next = 0
        held = len(self.video)
        raise DataError(f"{self.path}: frame {k} could not be decoded (it holds {held}); fetch it again")


@lru_cache(maxsize=8)
def footage(path: Path) -> Footage:
    """The footage of a file; the last few stay open, because neighbours are asked for next."""
    return Footage(path)


def frame_of(path: Path, k: int) -> UInt8[np.ndarray, "H W 3"]:
    """Decode frame k of the video at `path`."""
    return footage(path).frame(k)
