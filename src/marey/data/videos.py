"""Videos without labels: every frame a sample, its truth unknown.

Layout: a folder of videos, each read as `marey run` reads it (upright, presentation times). `boxed_all` is
False and there are no people in the truth: nothing is known. No splits: all is everything, the others are
empty. Frames are decoded one after another; asking for them out of order seeks.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import final

import numpy as np
from jaxtyping import UInt8

from marey.core.errors import DataError
from marey.core.nouns import Frame
from marey.data.files import Samples, chosen
from marey.data.sample import Sample, only_boxes
from marey.video.read import Video, read

SUFFIXES = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v")
SKIP = 30
"""So many frames are decoded and dropped before a seek is tried (our choice: about a second)."""


def open(path: Path, split: str) -> Samples:
    """The frames of all videos of a folder, video by video."""
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
    videos = [(file.stem, _Player(read(file))) for file in files] if split == "all" else []
    keys = [(name, player, k) for name, player in videos for k in range(len(player.video))]
    return Samples(chosen(keys, path, "videos", split), _sample)


@final
class _Player:
    """A video that remembers where it is, so that neighbours need no seek."""

    def __init__(self, video: Video):
        self.video = video
        self._next = 0
        self._frames: Iterator[Frame] = iter(())

    def frame(self, k: int) -> UInt8[np.ndarray, "H W 3"]:
        if not self._next <= k <= self._next + SKIP or self._next == 0:
            self._frames = self.video.frames(k)
        for frame in self._frames:
            self._next = frame.index + 1
            if frame.index == k:
                return frame.rgb
        raise DataError(f"{self.video.info.name}: frame {k} could not be decoded; the file is damaged there")


def _sample(key: tuple[str, _Player, int]) -> Sample:
    name, player, k = key
    video = player.video
    nobody = only_boxes(np.zeros((0, 4), np.float32))
    time_s = float(video.times_s[k])
    load = partial(player.frame, k)
    return Sample("videos", f"{name}/{k:06d}", name, video.info.size, nobody, load, False, time_s)
