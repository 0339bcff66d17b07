"""`marey run` from end to end, on a drawn clip and on everything that can go wrong."""

import contextlib
import functools
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from marey.cli import main
from marey.core.recording import Recording
from marey.video.read import read
from marey.video.write import Writer

FAST = ("--quality", "fast")


def _run(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, str, list[str]]:
    """Exit code, stdout, and what marey complained of, a line each."""
    code = main(["run", *map(str, args)])
    said = capsys.readouterr()
    return code, said.out, [line for line in said.err.splitlines() if line.startswith("marey: ")]


def test_one_walker_from_video_to_results(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    formats = "csv,coco,openpose,mot-challenge"
    code, out, complaints = _run(capsys, sample, "-o", tmp_path, *FAST, "--export", formats, "--json")
    assert (code, complaints) == (0, [])
    video, folder = read(sample), tmp_path / "walker.marey"
    told = json.loads(out)
    assert set(told) == {"version", "inputs"}
    (outcome,) = told["inputs"]
    assert set(outcome) == {"path", "status", "folder", "frames", "people", "seconds", "error"}
    assert (outcome["status"], outcome["error"]) == ("done", None)
    assert (outcome["frames"], outcome["people"], outcome["folder"]) == (len(video), 1, str(folder))

    recording = Recording.open(folder)
    np.testing.assert_array_equal(recording.time_s, video.times_s)
    (track,) = recording.tracks().values()
    assert len(track) > 0.9 * len(video)
    assert np.nanmedian(track.scores) > 0.3
    np.testing.assert_array_equal(read(folder / "overlay.mp4").times_s, video.times_s)
    assert (folder / "sheet.png").stat().st_size > 10_000
    assert not (folder / "parts").exists()

    run = json.loads((folder / "run.json").read_text())
    assert run["status"] == "finished"
    assert run["source"]["rate"] == str(video.info.rate)
    assert (run["source"]["rotation"], run["source"]["variable"]) == (0, False)
    assert "OpenVINO" in run["device"]
    assert all(len(weights["sha256"]) == 64 for weights in run["weights"])
    assert {"decode", "find", "estimate", "finish", "overlay encode"} <= set(run["seconds"])
    assert run["warnings"] == []


def test_without_arguments_the_sample_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, complaints = _run(capsys, *FAST, "--no-overlay", "--from", 1, "--to", 1.5)
    assert (code, complaints) == (0, [])
    assert "walker.marey" in out
    folder = tmp_path / "walker.marey"
    assert {item.name for item in folder.iterdir()} >= {"poses.parquet", "run.json", "sheet.png"}
    assert not (folder / "overlay.mp4").exists()
    times = Recording.open(folder).time_s
    assert times[0] >= 1.0
    assert times[-1] < 1.5


def test_run_needs_no_torch(short: Path, tmp_path: Path) -> None:
    code = "import sys\nfrom marey.cli import main\n"
    code += "code = main(sys.argv[1:])\nsys.exit(code or ('torch' in sys.modules) * 9)"
    done = subprocess.run([sys.executable, "-c", code, "run", short, "-o", tmp_path, *FAST], check=False)
    assert done.returncode == 0


def test_one_bad_input_does_not_stop_the_others(
    short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty, text, torn = tmp_path / "empty.mp4", tmp_path / "text.mp4", tmp_path / "torn.mp4"
    empty.touch()
    text.write_text("no video at all\n" * 100)
    torn.write_bytes(short.read_bytes()[:2000])
    given = (empty, tmp_path / "missing.mp4", text, torn, short)
    code, out, complaints = _run(capsys, *given, "-o", tmp_path / "out", *FAST, "--json", "--no-overlay")
    assert code == 1
    outcomes = json.loads(out)["inputs"]
    assert [outcome["status"] for outcome in outcomes] == ["failed"] * 4 + ["done"]
    assert len(complaints) == 4
    for path, complaint, outcome in zip(given, complaints, outcomes, strict=False):
        assert path.name in complaint
        assert outcome["error"] is not None
    assert [item.name for item in (tmp_path / "out").iterdir()] == ["short.marey"]


def test_a_folder_stands_for_its_videos(
    short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "day"
    folder.mkdir()
    for name in ("b.mp4", "a.mp4"):
        (folder / name).write_bytes(short.read_bytes())
    (folder / "notes.txt").write_text("x")
    code, out, complaints = _run(capsys, folder, *FAST, "--no-overlay", "--json")
    assert (code, complaints) == (0, [])
    assert [Path(item["path"]).name for item in json.loads(out)["inputs"]] == ["a.mp4", "b.mp4"]


def test_two_inputs_of_one_name_do_not_overwrite_each_other(
    short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "walk.mp4").write_bytes(short.read_bytes())
    given = (tmp_path / "x" / "walk.mp4", tmp_path / "y" / "walk.mp4")
    code, _, complaints = _run(capsys, *given, "-o", tmp_path / "out", *FAST, "--no-overlay")
    assert code == 1
    assert len(complaints) == 1
    assert "y/walk.mp4" in complaints[0]


@pytest.mark.parametrize(
    "wrong",
    [
        ("--quality", "superb"),
        ("--find", "nobody"),
        ("--estimate", "baseline-thundre"),
        ("--subject", "tallest"),
        ("--export", "csv,docx"),
        ("--export", "csv,trc"),
        ("--codec", "paper"),
        ("--workers", "0"),
        ("--from", "3", "--to", "2"),
    ],
)
def test_wrong_use_is_told_before_anything_is_measured(
    wrong: tuple[str, ...], short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = -1
    with contextlib.suppress(SystemExit):
        code = main(["run", str(short), "-o", str(tmp_path), *wrong])
    said = capsys.readouterr().err.splitlines()
    assert code in (-1, 2)
    assert wrong[-1].rpartition(",")[2] in said[-1]
    assert list(tmp_path.iterdir()) == []


def test_a_result_is_kept_and_never_silently_replaced(
    short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = (short, "-o", tmp_path, "--no-overlay", "--to", 0.4)
    assert _run(capsys, *base, *FAST)[0] == 0
    poses = tmp_path / "short.marey" / "poses.parquet"
    first = poses.stat().st_mtime_ns
    assert _run(capsys, *base, *FAST, "--export", "csv")[0] == 0
    assert poses.stat().st_mtime_ns == first
    assert list(poses.parent.glob("*.csv"))
    code, _, complaints = _run(capsys, *base, *FAST, "--flip")
    assert code == 1
    assert len(complaints) == 1
    assert "--overwrite" in complaints[0]
    assert "flip" in complaints[0]
    assert _run(capsys, *base, *FAST, "--flip", "--overwrite")[0] == 0
    assert poses.stat().st_mtime_ns != first
    assert not list(poses.parent.glob("*.csv"))


def test_unwritable_place_is_one_line(short: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, complaints = _run(capsys, short, "-o", "/proc/nowhere", *FAST)
    assert code == 1
    assert len(complaints) == 1
    assert "choose another place with -o" in complaints[0]


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (97, 61)])
def test_nobody_on_pictures_of_any_size(
    size: tuple[int, int],
    blank: Callable[[int, int, int], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = blank(*size, 3)
    code, _, complaints = _run(
        capsys, path, "-o", tmp_path, *FAST, "--export", "csv,coco,openpose,mot-challenge"
    )
    assert (code, complaints) == (0, [])
    recording = Recording.open(tmp_path / f"{path.stem}.marey")
    assert (len(recording.frame), recording.ids) == (3, ())
    assert len(read(tmp_path / f"{path.stem}.marey" / "overlay.mp4")) == 3


def test_a_single_picture_of_8k(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "wide.png"
    cv2.imwrite(str(path), np.full((4320, 7680, 3), 90, np.uint8))
    code, _, complaints = _run(capsys, path, *FAST, "--no-overlay")
    assert (code, complaints) == (0, [])


def _crowd(sample: Path, folder: Path) -> tuple[Path, Path]:
    """Thirty copies of the walker side by side, for eight frames, and a file of their boxes."""
    frame = next(read(sample).frames(37, 38)).rgb
    xy = np.load(sample.with_suffix(".npz"))["xy_px"][37]
    (x, y), (right, bottom) = xy.min(0).astype(int) - 20, xy.max(0).astype(int) + 20
    tile = cv2.resize(frame[y:bottom, x:right], (60, 110), interpolation=cv2.INTER_AREA)
    clip, boxes = folder / "crowd.mp4", folder / "boxes.txt"
    with Writer(clip, (360, 550)) as writer:
        for k in range(8):
            writer.write(np.tile(tile, (5, 6, 1)), k / 25)
    lines = [f"{f},{p},{p % 6 * 60 + 8},{p // 6 * 110 + 8},44,94,1" for f in range(1, 9) for p in range(30)]
    boxes.write_text("\n".join(lines))
    return clip, boxes


def test_thirty_people_from_a_file_of_boxes(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip, boxes = _crowd(sample, tmp_path)
    code, _, complaints = _run(capsys, clip, "-o", tmp_path, *FAST, "--find", f"boxes:{boxes}")
    assert (code, complaints) == (0, [])
    recording = Recording.open(tmp_path / "crowd.marey")
    assert len(recording.ids) == 30
    assert len(recording.rows) == 240


def test_ctrl_c_is_code_130_and_one_line_that_says_how_to_go_on(sample: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "marey.cli", "run", sample, "-o", tmp_path, *FAST]
    # A shell that starts this in the background makes it deaf to Ctrl-C, and a child inherits that.
    listen = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=listen)
    while process.poll() is None and not (tmp_path / "walker.marey" / "parts").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    said = process.communicate()[1]
    assert process.returncode == 130
    assert "Traceback" not in said
    # Not always the last line: a network that was just loading may still say what it runs on.
    assert sum("continue with --resume" in line for line in said.splitlines()) == 1
