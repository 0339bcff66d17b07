"""The clips that the command line is tried on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from marey.core.folders import sample_clip
from marey.video.read import read
from marey.video.write import Writer


@pytest.fixture(scope="session")
def sample() -> Path:
    """The drawn clip that marey ships: one person walks through it."""
    return sample_clip()


@pytest.fixture(scope="session")
def short(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its first second."""
    path = tmp_path_factory.mktemp("clips") / "short.mp4"
    video = read(sample, 0, 1)
    with Writer(path, video.info.size) as writer:
        for frame in video.frames():
            writer.write(frame.rgb, frame.time_s)
    return path


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, int, int], Path]:
    """Makes a clip of `count` grey frames of a size."""

    def make(width: int, height: int, count: int) -> Path:
        path = tmp_path_factory.mktemp("blank") / f"grey-{width}x{height}.mkv"
        with Writer(path, (width, height), codec="ffv1") as writer:
            for k in range(count):
                writer.write(np.full((height, width, 3), 110, np.uint8), k / 25)
        return path

    return make
