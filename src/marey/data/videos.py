"""Videos without labels: every frame a sample, its truth unknown.

Layout: a folder of videos, each read as `marey run` reads it (upright, presentation times). `boxed_all` is
False and there are no people in the truth: nothing is known. No splits: all is everything, the others are
empty. Frames are decoded one after another; asking for them out of order seeks.
"""

from functools import partial
from pathlib import Path

import numpy as np

from marey.data.files import Samples, chosen
from marey.data.frames import Footage
from marey.data.sample import Sample, only_boxes

SUFFIXES = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v")


def open(path: Path, split: str) -> Samples:
    """The frames of all videos of a folder, video by video."""
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
    videos = [(file.stem, Footage(file)) for file in files] if split == "all" else []
    keys = [(name, player, k) for name, player in videos for k in range(len(player.video))]
    return Samples(chosen(keys, path, "videos", split), _sample)


def _sample(key: tuple[str, Footage, int]) -> Sample:
    name, player, k = key
    video = player.video
    nobody = only_boxes(np.zeros((0, 4), np.float32))
    time_s = float(video.times_s[k])
    load = partial(player.frame, k)
    return Sample("videos", f"{name}/{k:06d}", name, video.info.size, nobody, load, False, time_s)
