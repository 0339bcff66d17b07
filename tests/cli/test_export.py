"""`marey export`."""

from pathlib import Path

import numpy as np
import pytest

from lifted_recordings import lifted, wandering
from marey.cli import main
from marey.core.history import History, Source
from marey.core.recording import Recording
from marey.core.rows import blank


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A person who stands still for three frames."""
    frame = np.arange(3)
    rows = blank(frame, frame / 25, 19, 1)
    rows.boxes_px[:], rows.box_scores[:] = (10, 20, 50, 120), 0.9
    rows.xy_px[:], rows.raw_xy_px[:], rows.scores[:] = 30.25, 30.25, 0.8
    folder = tmp_path / "walk.marey"
    Recording.of(rows, frame, frame / 25, History(source=Source("walk.mp4", (64, 128)))).save(folder)
    return folder


def test_every_format_is_written_and_named(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(recording), "--to", "csv,coco,openpose,mot-challenge"]) == 0
    written = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert len(written) == 4
    assert all(path.exists() and path.parent == recording for path in written)


def test_a_file_for_each_person_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lifted({1: wandering(3), 2: wandering(3)}, np.arange(3) / 25).save(tmp_path / "walk.marey")
    assert main(["export", str(tmp_path / "walk.marey"), "--to", "trc,bvh,csv-wide"]) == 0
    names = [Path(line).name for line in capsys.readouterr().out.splitlines()]
    people = [f"walk_person-{person}.{ending}" for ending in ("trc", "bvh") for person in (1, 2)]
    assert names == [*people, "walk-wide.csv"]


def test_elsewhere(recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["export", str(recording), "--to", "csv", "-o", str(out)]) == 0
    assert Path(capsys.readouterr().out.strip()).parent == out


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("--to", "csv,docx"), 2, "csv"),
        (("--to", "csv,trc"), 2, "trc: holds metres; lift"),
        (("--to", "csv", "-o", "/proc/none"), 1, "cannot"),
    ],
)
def test_what_cannot_be_written_is_one_line(
    args: tuple[str, ...], code: int, said: str, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(recording), *args]) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_a_folder_that_is_no_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(tmp_path), "--to", "csv"]) == 1
    assert "no finished recording" in capsys.readouterr().err
