import logging
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from video_clips import Maker, exact_times, number, plain_decode, shown_times

from marey.video.read import read

MS = Fraction(1, 1000)


def uneven(seed: int, count: int = 60) -> list[int]:
    return np.cumsum(np.random.default_rng(seed).integers(5, 90, count)).tolist()


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov"])
@pytest.mark.parametrize("seed", [0, 1])
def test_variable_rate_times_are_the_containers(make: Maker, name: str, seed: int) -> None:
    pts = uneven(seed)
    path = make(name, 60, pts=pts, time_base=MS)
    video = read(path)
    assert exact_times(video) == shown_times(path) == [p * MS for p in pts]
    assert video.info.variable
    assert len(video) == 60
    np.testing.assert_allclose(video.info.start_s + video.times_s, np.array(pts) / 1000, rtol=0, atol=1e-12)
    for frame in video.frames():
        assert number(frame.rgb) == frame.index
        assert frame.time_s == video.times_s[frame.index]


def test_time_starts_at_the_first_shown_frame(make: Maker) -> None:
    path = make("late.mkv", 10, pts=[33 + 33 * k for k in range(10)], time_base=MS)
    video = read(path)
    assert video.info.start_s == 0.033
    assert next(video.frames()).time_s == 0.0


@pytest.mark.parametrize(
    ("rate", "tick"),
    [(Fraction(30000, 1001), None), (Fraction(24000, 1001), None), (Fraction(30), MS), (Fraction(240), MS)],
)
def test_constant_rates_are_recognised_through_rounding(
    make: Maker, rate: Fraction, tick: Fraction | None
) -> None:
    time_base = tick or 1 / rate
    pts = [round(k / rate / time_base) for k in range(99)]
    path = make("c.mkv" if tick else "c.mp4", 99, pts=pts, time_base=time_base)
    info = read(path).info
    assert not info.variable
    assert info.rate == rate


def test_a_dropped_frame_makes_the_rate_variable(make: Maker) -> None:
    pts = [k for k in range(41) if k != 17]
    assert read(make("drop.mp4", 40, pts=pts)).info.variable


def test_pictures_before_an_edit_lists_start_are_no_frames(make: Maker) -> None:
    plain = make("plain.mp4", 40, options={"g": "40", "bf": "2"})
    cut = plain.with_name("cut.mp4")
    with av.open(str(plain)) as source, av.open(str(cut), "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0], opaque=True)
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                packet.pts -= 512 * 7
                packet.dts -= 512 * 7
                packet.stream = stream
                out.mux(packet)
    video = read(cut)
    frames = list(video.frames())
    assert [number(f.rgb) for f in frames] == list(range(7, 40))
    assert [f.index for f in frames] == list(range(33))
    assert exact_times(video) == shown_times(cut) == [t for t, _ in plain_decode(cut)]


def test_without_duration_or_frame_count(make: Maker, tmp_path: Path) -> None:
    class Pipe:
        """A file that cannot be gone back in, so that the writer cannot fill in what it learns at the end."""

        def __init__(self, path: Path) -> None:
            self.file = path.open("wb")

        def write(self, data: bytes) -> int:
            return self.file.write(data)

    source, target = make("with.mkv", 25), tmp_path / "without.mkv"
    pipe = Pipe(target)
    with av.open(str(source)) as given, av.open(pipe, "w", format="matroska", options={"live": "1"}) as out:
        stream = out.add_stream_from_template(given.streams.video[0], opaque=True)
        for packet in given.demux(given.streams.video[0]):
            if packet.size:
                packet.stream = stream
                out.mux(packet)
    pipe.file.close()
    with av.open(str(target)) as check:
        assert check.duration is None
        assert check.streams.video[0].frames == 0
    video = read(target)
    assert len(video) == 25
    assert video.problem == ""
    assert [number(f.rgb) for f in video.frames(20)] == [20, 21, 22, 23, 24]
    assert video.info.duration_s == pytest.approx(25 / 30, abs=0.002)


@pytest.mark.parametrize(
    ("name", "codec"), [("raw.h264", "libx264"), ("old.avi", "mpeg4"), ("h264.avi", "libx264")]
)
def test_without_presentation_times_frames_are_counted(make: Maker, name: str, codec: str) -> None:
    video = read(make(name, 40, codec=codec, options={"bf": "2", "g": "10"}))
    np.testing.assert_allclose(video.times_s, np.arange(40) / 30, atol=1e-9)
    assert [(f.index, number(f.rgb)) for f in video.frames()] == [(k, k) for k in range(40)]
    assert [(f.index, number(f.rgb)) for f in video.frames(23, 26)] == [(k, k) for k in (23, 24, 25)]


def test_frames_that_share_a_time_are_all_there(make: Maker) -> None:
    pts = [0, 33, 66, 66, 99, 132, 132, 132, 165]
    path = make("twins.mkv", 9, codec="ffv1", pix_fmt="yuv444p", pts=pts, time_base=MS)
    video = read(path)
    assert video.pts.tolist() == pts
    assert [(f.index, number(f.rgb)) for f in video.frames()] == [(k, k) for k in range(9)]
    assert [number(f.rgb) for f in video.frames(3, 7)] == [3, 4, 5, 6]


def test_joined_streams_go_on_where_the_clock_is_set_back(
    make: Maker, caplog: pytest.LogCaptureFixture
) -> None:
    part = make("part.ts", 60, options={"g": "20"}).read_bytes()
    joined = make.folder / "joined.ts"
    joined.write_bytes(part + part)
    with caplog.at_level(logging.WARNING, "marey"):
        video = read(joined)
    assert "begin anew" in video.problem
    assert "joined.ts: its time stamps begin anew" in caplog.text
    assert [number(f.rgb) for f in video.frames()] == [*range(60), *range(60)]
    np.testing.assert_allclose(np.diff(video.times_s), 1 / 30, atol=1e-9)
    assert [number(f.rgb) for f in video.frames(70, 72)] == [10, 11]


def test_a_vp8_frame_kept_for_reference_only_is_not_shown(make: Maker) -> None:
    plain = make("plain.webm", 12, codec="libvpx", options={"error-resilient": "1"})
    hidden = plain.with_name("hidden.webm")
    with av.open(str(plain)) as source, av.open(str(hidden), "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0], opaque=True)
        for k, packet in enumerate(p for p in source.demux(source.streams.video[0]) if p.size):
            data = bytearray(bytes(packet))
            data[0] &= 0xEF if k == 5 else 0xFF
            changed = av.Packet(bytes(data))
            changed.pts, changed.dts, changed.time_base = packet.pts, packet.dts, packet.time_base
            changed.is_keyframe, changed.stream = packet.is_keyframe, stream
            out.mux(changed)
    frames = list(read(hidden).frames())
    assert [f.index for f in frames] == list(range(11))
    assert [number(f.rgb) for f in frames] == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]
