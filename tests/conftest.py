"""What tests share: where real data lies, when it is there at all.

Neither the shared data nor the demo clip is needed: tests that use them skip and say what is missing.
"""

import os
from pathlib import Path

import hypothesis
import pytest

from marey.core.folders import cache_dir
from small_network import network

__all__ = ["network"]

# A slow machine is no failure, and the same commit gets the same answer.
hypothesis.settings.register_profile("marey", deadline=None, max_examples=50, derandomize=True)
hypothesis.settings.load_profile("marey")


def _shared_data() -> Path | None:
    """`$MAREY_DATA`, else `shared/data` beside the checkout."""
    named = os.environ.get("MAREY_DATA")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data sets and clips."""
    folder = _shared_data()
    if folder is None:
        pytest.skip("no real data here: put it at ../shared/data or set MAREY_DATA")
    return folder


@pytest.fixture(scope="session")
def demo_clip() -> Path:
    """The real clip of `make demo`: a walker filmed from the side, with audio."""
    fetched = cache_dir() / "demo.mp4"
    folder = _shared_data()
    if fetched.is_file():
        return fetched
    if folder is not None and (folder / "videos" / "sports2d-demo.mp4").is_file():
        return folder / "videos" / "sports2d-demo.mp4"
    pytest.skip("no demo clip here: `make demo` fetches it once")
