"""A result folder is claimed by one run, and nothing in it is destroyed unasked."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from marey.core.errors import RecordingError
from marey.core.history import History
from marey.core.parts import write_part
from marey.core.recording import Recording
from marey.core.rows import concat
from marey.pipeline import resume


def _measure_something(folder: Path) -> None:
    write_part(folder, 0, Recording.of(concat([], 19), np.arange(3), np.arange(3) / 25, History()))


MADE = {"source": {"name": "a.mp4", "bytes": 10}, "find": {"every": 3}}


def test_second_run_into_one_folder_is_told_who_holds_it(tmp_path: Path) -> None:
    folder = tmp_path / "a.marey"
    code = "import sys, time; from pathlib import Path; from marey.pipeline.resume import claimed\n"
    code += "with claimed(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", code, folder], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline().strip() == "held"
        with (
            pytest.raises(RecordingError, match=f"another run .process {holder.pid}."),
            resume.claimed(folder),
        ):
            pass
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    with resume.claimed(folder):  # the killed run's claim went with it
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_unwritable_place(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(RecordingError, match="cannot be written"), resume.claimed(tmp_path / "a.marey"):
        pass


def test_place_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.marey").write_text("")
    with (
        pytest.raises(RecordingError, match="choose another place with -o"),
        resume.claimed(tmp_path / "a.marey"),
    ):
        pass


def test_a_folder_goes_from_new_to_unfinished_to_finished(tmp_path: Path) -> None:
    assert resume.state(tmp_path, MADE, {}, resume=False) == "new"
    assert resume.state(tmp_path, MADE, {}, resume=True) == "new"
    resume.begin(tmp_path, MADE)
    assert resume.state(tmp_path, {}, {}, resume=False) == "new", "nothing is lost that was not measured"
    _measure_something(tmp_path)
    with pytest.raises(RecordingError, match="continue it with --resume"):
        resume.state(tmp_path, MADE, {}, resume=False)
    assert resume.state(tmp_path, MADE, {}, resume=True) == "unfinished"
    resume.finish(tmp_path, {"made_by": {**MADE, "finish": {}}})
    assert not (tmp_path / "parts").exists()
    assert resume.state(tmp_path, MADE, {}, resume=False) == "finished"


def test_what_was_made_otherwise_is_refused_and_named(tmp_path: Path) -> None:
    resume.begin(tmp_path, MADE)
    _measure_something(tmp_path)
    other = {**MADE, "find": {"every": 6}}
    with pytest.raises(RecordingError, match=r"unfinished run made otherwise \(find.every 3 → 6\)"):
        resume.state(tmp_path, other, {}, resume=True)
    resume.finish(tmp_path, {"made_by": {**MADE, "finish": {}}})
    with pytest.raises(RecordingError, match=r"finished recording made otherwise .*--overwrite"):
        resume.state(tmp_path, other, {}, resume=False)
    with pytest.raises(RecordingError, match=r"finish.subject None → 2"):
        resume.state(tmp_path, MADE, {"subject": "2"}, resume=True)


def test_measured_clips_may_be_finished_otherwise(tmp_path: Path) -> None:
    resume.begin(tmp_path, MADE)
    _measure_something(tmp_path)
    assert resume.state(tmp_path, MADE, {"subject": "2"}, resume=True) == "unfinished"


def test_an_unreadable_note_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{torn")
    with pytest.raises(RecordingError, match=r"run\.json: cannot be read"):
        resume.state(tmp_path, MADE, {}, resume=True)


def test_a_source_is_known_by_name_size_and_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(bytes(3 * resume.PRINT_BYTES))
    first = resume.file_print(path)
    assert resume.file_print(path) == first
    for place in (0, 3 * resume.PRINT_BYTES - 1):
        with path.open("r+b") as file:
            file.seek(place)
            file.write(b"x")
        assert resume.file_print(path) != first
        path.write_bytes(bytes(3 * resume.PRINT_BYTES))
    path.write_bytes(bytes(3 * resume.PRINT_BYTES + 1))
    assert resume.file_print(path) != first


def test_clear_keeps_only_the_claim(tmp_path: Path) -> None:
    with resume.claimed(tmp_path):
        resume.begin(tmp_path, MADE)
        (tmp_path / "old.csv").write_text("")
        resume.clear(tmp_path)
        assert [item.name for item in tmp_path.iterdir()] == [resume.LOCK_FILE]
