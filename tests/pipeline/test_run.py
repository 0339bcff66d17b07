"""A recording does not depend on interruptions, workers or threads, and nothing measured is lost."""

import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from marey.core.folders import sample_clip
from marey.core.recording import Recording
from marey.pipeline.run import run

SETTINGS = {"quality": "fast", "overlay": False, "clip_s": 1.0, "halo_s": 0.3}
CODE = """
import sys
from marey.core.errors import MareyError
from marey.pipeline.run import run
if __name__ == "__main__":
    try:
        run(sys.argv[1], sys.argv[2], progress=False, **eval(sys.argv[3]))
    except MareyError as error:
        sys.exit(f"refused: {error}")
"""


def _content(folder: Path) -> dict[str, bytes]:
    """What a recording is, to the byte."""
    names = [f"{name}.parquet" for name in ("poses", "people", "frames")]
    return {name: (folder / "walker.marey" / name).read_bytes() for name in names}


def _started(
    tmp_path: Path, limit: Callable[[], None] | None = None, **settings: object
) -> subprocess.Popen[str]:
    """The same run in a process of its own."""
    script = tmp_path / "go.py"
    script.write_text(CODE)
    args = [sys.executable, script, sample_clip(), tmp_path, repr({**SETTINGS, **settings})]
    return subprocess.Popen(args, stderr=subprocess.PIPE, text=True, preexec_fn=limit)


def _ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code, and what was said."""
    said = process.communicate()[1]
    return process.returncode, said


def _listen() -> None:
    """Hear Ctrl-C: a shell that starts the tests in the background makes them, and children, deaf to it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _stopped_by(sign: signal.Signals, tmp_path: Path, **settings: object) -> tuple[int, str]:
    """Start, stop as soon as one clip is measured."""
    process = _started(tmp_path, _listen, **settings)
    while process.poll() is None and not list(tmp_path.glob("walker.marey/parts/clip-*.parquet")):
        time.sleep(0.01)
    process.send_signal(sign)
    return _ended(process)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The recording as an undisturbed run in this process makes it."""
    folder = tmp_path_factory.mktemp("whole")
    assert len(run(sample_clip(), folder, progress=False, **SETTINGS).ids) == 1
    return _content(folder)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_and_resumed_is_the_same_recording(
    whole: dict[str, bytes], tmp_path: Path, workers: int
) -> None:
    assert _stopped_by(signal.SIGKILL, tmp_path, workers=workers)[0] == -signal.SIGKILL
    assert not (tmp_path / "walker.marey" / "poses.parquet").exists()
    code, said = _ended(_started(tmp_path))
    assert (code, "--resume" in said) == (1, True)
    part = next(tmp_path.glob("walker.marey/parts/clip-*.parquet"))
    made = part.stat().st_mtime_ns
    run(sample_clip(), tmp_path, progress=False, **SETTINGS, resume=True, workers=3 - workers)
    assert not part.exists() or part.stat().st_mtime_ns == made
    assert _content(tmp_path) == whole


@pytest.mark.slow
def test_workers_do_not_change_the_recording(whole: dict[str, bytes], tmp_path: Path) -> None:
    run(sample_clip(), tmp_path, progress=False, **SETTINGS, workers=2)
    assert _content(tmp_path) == whole


def test_ctrl_c_ends_at_once_and_can_be_resumed(whole: dict[str, bytes], tmp_path: Path) -> None:
    code, said = _stopped_by(signal.SIGINT, tmp_path, workers=2)
    assert code == -signal.SIGINT
    assert said.splitlines()[-1] == "KeyboardInterrupt"
    run(sample_clip(), tmp_path, progress=False, **SETTINGS, resume=True)
    assert _content(tmp_path) == whole


def _at_most(bytes_a_file: int) -> Callable[[], None]:
    """A disk on which no file may grow beyond a size (what a full disk does, without needing one)."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_a_file, bytes_a_file))


def test_a_full_disk_stops_with_one_line_and_loses_nothing(whole: dict[str, bytes], tmp_path: Path) -> None:
    code, said = _ended(_started(tmp_path, _at_most(2500)))
    assert code == 1
    assert re.search(r"refused: .*walker\.marey/parts/.*cannot be written", said)  # whichever file is first
    assert "Traceback" not in said
    run(sample_clip(), tmp_path, progress=False, **SETTINGS, resume=True)
    assert _content(tmp_path) == whole


def test_a_full_disk_under_the_overlay_leaves_the_recording(tmp_path: Path) -> None:
    code, said = _ended(_started(tmp_path, _at_most(250_000), overlay=True))
    assert code == 1
    assert re.search(r"refused: .*(overlay\.mp4|sheet\.png): cannot be written", said)
    folder = tmp_path / "walker.marey"
    assert len(Recording.open(folder).ids) == 1
    assert not (folder / "overlay.mp4").exists()
    assert not list(folder.glob(".*.mp4"))


def test_another_plan_does_not_continue_a_run(tmp_path: Path) -> None:
    _stopped_by(signal.SIGKILL, tmp_path)
    said = _ended(_started(tmp_path, quality="balanced", resume=True))[1]
    assert re.search(r"refused: .*made otherwise \(.*every", said)
