import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from video_clips import Maker, exact_times, number, plain_decode, shown_times

from marey.core.errors import VideoError
from marey.video.read import read

MS = Fraction(1, 1000)


def test_from_and_to_keep_numbers_and_times(make: Maker) -> None:
    path = make("a.mp4", 90, options={"g": "10"})
    whole, part = read(path), read(path, from_s=1.0, to_s=2.0)
    assert len(part) == 30
    assert part.span == range(30, 60)
    assert [(f.index, f.time_s) for f in part.frames()] == [(k, whole.times_s[k]) for k in range(30, 60)]
    assert [f.index for f in part.frames(0, 32)] == [30, 31]
    assert [f.index for f in part.frames(58)] == [58, 59]
    assert list(part.frames(70)) == []
    with pytest.raises(VideoError, match=r"no frame between 9 s and its end; it lasts 3\.00 s"):
        read(path, from_s=9.0)


def test_calls_do_not_disturb_each_other(make: Maker) -> None:
    video = read(make("a.mp4", 60, options={"g": "10"}))
    got: dict[int, list[int]] = {}

    def work(first: int) -> None:
        got[first] = [number(f.rgb) for f in video.frames(first, first + 20)]

    threads = [threading.Thread(target=work, args=(first,)) for first in (0, 13, 27, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == {first: list(range(first, first + 20)) for first in (0, 13, 27, 40)}


def test_one_thread_or_many_give_the_same(make: Maker) -> None:
    path = make("a.mp4", 30)
    for one, many in zip(read(path, threads=1).frames(), read(path, threads=4).frames(), strict=True):
        np.testing.assert_array_equal(one.rgb, many.rgb)


def refused(path: Path) -> str:
    with pytest.raises(VideoError) as caught:
        read(path)
    text = str(caught.value)
    assert "\n" not in text
    assert path.name in text
    return text


def test_what_is_no_video_is_refused_in_one_line(make: Maker, tmp_path: Path) -> None:
    (tmp_path / "zero.mp4").write_bytes(b"")
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(20_000))
    (tmp_path / "notes.txt").write_text("This is no video.\n" * 40)
    (tmp_path / "empty").mkdir()
    assert "0 bytes" in refused(tmp_path / "zero.mp4")
    assert "cannot be read as a video" in refused(tmp_path / "noise.mp4")
    assert "is text" in refused(tmp_path / "notes.txt")
    assert "no such file" in refused(tmp_path / "missing.mp4")
    assert "no pictures in this folder" in refused(tmp_path / "empty")
    headless = make("headless.mp4", 60)
    headless.write_bytes(headless.read_bytes()[:-900])
    assert "cut off before its index" in refused(headless)


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "song.m4a"
    with av.open(str(path), "w", format="mp4") as out:
        stream = out.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = 48000, 0
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    assert "only sound" in refused(path)


REAL = (
    "asl-book.mkv asl-help.mkv asl-night.mkv asl-sister.mkv mmpose-demo.mp4 sports2d-demo.mp4 "
    "one-by-one-person-detection.mp4"
).split()


@pytest.mark.data
@pytest.mark.parametrize(
    "name",
    [
        "asl-book.mkv",
        "asl-help.mkv",
        "asl-night.mkv",
        "asl-sister.mkv",
        "mmpose-demo.mp4",
        "sports2d-demo.mp4",
    ],
)
def test_real_clips_have_their_containers_times(shared_data: Path, name: str) -> None:
    path = shared_data / "videos" / name
    if not path.is_file():
        pytest.skip(f"no {name} in the shared data")
    video, truth = read(path), plain_decode(path)
    assert exact_times(video) == shown_times(path) == [t for t, _ in truth]
    assert video.problem == ""
    assert not video.info.variable
    first = len(truth) * 2 // 3
    for frame in video.frames(first, first + 3):
        assert np.abs(frame.rgb.astype(int) - truth[frame.index][1]).mean() < 12  # unstated matrices differ
    assert (video.info.start_s == 0.033) == (name in {"asl-book.mkv", "asl-night.mkv", "asl-sister.mkv"})
