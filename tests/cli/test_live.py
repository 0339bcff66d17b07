"""`marey live`, fed through standard input."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from marey.core.skeletons import MAREY19


@pytest.mark.slow
def test_a_stream_on_standard_input_gives_a_line_a_frame(sample: Path) -> None:
    with sample.open("rb") as stream:
        done = subprocess.run(
            [sys.executable, "-m", "marey.cli", "live", "-"],
            stdin=stream,
            capture_output=True,
            text=True,
            check=True,
        )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines
    assert [line["frame"] for line in lines] == sorted({line["frame"] for line in lines})
    for line in lines:
        assert line["lag_s"] >= 0
        for person in line["people"]:
            assert set(person) == {"person", "score", "box_px", "joints"}
            assert tuple(person["joints"]) == MAREY19.joints
    assert f"{len(lines)} frames measured" in done.stderr


def test_a_file_is_sent_to_run(sample: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "marey.cli", "live", str(sample)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "marey run" in done.stderr
