import io
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from video_clips import Maker, number, numbered

from marey.core.errors import VideoError
from marey.video.live import Connection, Live, Shot, live, stream
from marey.video.source import Info

INFO = Info("fake", (160, 48), 0, False, Fraction(1), None, True, math.inf, 0.0, "fake", False)


def shot(k: int, clock_s: float | None = None) -> Shot:
    return Shot(clock_s, lambda: numbered(k))


def test_the_newest_frame_wins_and_the_rest_is_counted() -> None:
    given, more = threading.Event(), threading.Event()

    def shots() -> Iterator[Shot]:
        for k in range(10):
            yield shot(k, k / 10)
        given.set()
        more.wait(30)
        yield shot(10, 1.0)

    with Live(lambda: Connection(INFO, shots()), lasting=False) as source:
        assert given.wait(30)
        frames = source.frames()
        first = next(frames)
        assert (first.index, number(first.rgb), source.dropped) == (9, 9, 9)
        assert first.time_s == pytest.approx(0.9)
        more.set()
        second = next(frames)
        assert (second.index, number(second.rgb), source.dropped) == (10, 10, 9)
        assert next(frames, None) is None


def test_pixels_of_dropped_frames_are_never_made() -> None:
    made: list[int] = []
    given = threading.Event()

    def picture(k: int) -> Callable[[], np.ndarray]:
        return lambda: (made.append(k), numbered(k))[1]

    def shots() -> Iterator[Shot]:
        for k in range(5):
            yield Shot(None, picture(k))
        given.set()

    with Live(lambda: Connection(INFO, shots()), lasting=False) as source:
        assert given.wait(30)
        assert [f.index for f in source.frames()] == [4]
    assert made == [4]


def test_lag_is_the_age_of_the_frame_in_hand() -> None:
    hold = threading.Event()

    def shots() -> Iterator[Shot]:
        yield shot(0)
        hold.wait(30)

    with Live(lambda: Connection(INFO, shots()), lasting=False) as source:
        assert math.isnan(source.lag_s)
        next(source.frames())
        before = source.lag_s
        time.sleep(0.05)
        assert before >= 0
        assert source.lag_s >= before + 0.05
        hold.set()


def test_a_lost_connection_is_mended_and_time_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[float] = []
    taken = threading.Semaphore(0)

    def shots(first: int) -> Iterator[Shot]:
        for k in range(first, first + 3):
            yield shot(k, 500.0 + (k - first) / 25)  # each connection has a clock of its own
            taken.acquire(timeout=30)

    def connect() -> Connection:
        calls.append(time.monotonic())
        if len(calls) in (2, 3):
            raise VideoError("fake: cannot be opened")
        if len(calls) > 4:
            raise VideoError("fake: gone for good")
        return Connection(INFO, shots(0 if len(calls) == 1 else 3))

    got = []

    def collect() -> None:
        with Live(connect, True, (0.05, 0.1), 1.0) as source:
            for frame in source.frames():
                got.append(frame)
                taken.release()

    with caplog.at_level(logging.WARNING, "marey"), pytest.raises(VideoError, match="gone for good"):
        collect()
    assert [f.index for f in got] == [number(f.rgb) for f in got] == list(range(6))
    assert got[0].time_s == 0
    assert all(a.time_s < b.time_s for a, b in pairwise(got))
    assert got[3].time_s >= 0.2  # the time that the connection was away
    assert calls[2] - calls[1] >= 0.1  # backs off
    assert "fake: connection lost; trying again in 0.05 s" in caplog.text


def test_a_source_that_never_opens_is_told_at_once() -> None:
    for source in ("rtsp://user:secret@127.0.0.1:9/x", "77"):
        with pytest.raises(VideoError) as told:
            live(source)
        assert "secret" not in str(told.value)
        assert "\n" not in str(told.value)
    with pytest.raises(VideoError, match="use `marey run`"):
        live("walk.mp4")


@pytest.mark.parametrize("name", ["a.mkv", "a.ts"])
def test_standard_input(make: Maker, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = make(name, 50, options={"bf": "0"}).read_bytes()
    outlet, inlet = os.pipe()

    def feed() -> None:
        with os.fdopen(inlet, "wb") as pipe:
            for start in range(0, len(data), 400):
                pipe.write(data[start : start + 400])
                pipe.flush()
                time.sleep(0.001)

    thread = threading.Thread(target=feed)
    thread.start()
    stdin = io.TextIOWrapper(os.fdopen(outlet, "rb"))
    monkeypatch.setattr("sys.stdin", stdin)
    with live("-") as source, stdin:
        frames = list(source.frames())
        assert source.info.size == (160, 48)
        assert source.info.name == "stdin"
    thread.join()
    assert len(frames) + source.dropped == 50
    assert frames[-1].index == 49
    for frame in frames:
        assert number(frame.rgb) == frame.index
        assert frame.time_s == pytest.approx(frame.index / 30, abs=0.001)


def test_what_is_no_stream_is_refused() -> None:
    with pytest.raises(VideoError, match="stdin: cannot be opened"):
        stream(io.BytesIO(b""), "stdin")
    with pytest.raises(VideoError, match="stdin: cannot be opened"):
        stream(io.BytesIO(np.random.default_rng(0).bytes(5000)), "stdin")
