from pathlib import Path

import pytest
from video_clips import Maker


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    """Makes clips in the test's own folder."""
    return Maker(tmp_path)
