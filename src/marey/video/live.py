"""Video that does not wait: cameras, network streams, standard input.

One thread receives and decodes; whoever asks gets the newest frame, and what came in between is dropped and
counted. So the lag stays below the time that one frame takes, whatever the speed of what follows.
`Frame.index` counts every frame received, dropped ones too; `time_s` is the stream's own clock where it has
one, else the time of arrival, and goes on across a lost connection.
"""

import logging
import math
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from io import BufferedIOBase
from types import TracebackType
from typing import IO

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream
from jaxtyping import UInt8

from marey.core.errors import VideoError
from marey.core.nouns import Frame
from marey.video.source import Info
from marey.video.upright import Upright

log = logging.getLogger("marey")

OPEN_S, READ_S = 10.0, 5.0
"""How long a network stream may take to answer, and to send the next packet (our choice)."""
WAITS_S = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Pauses before a lost connection is tried again; the last is repeated (our choice)."""
PATIENCE_S = 60.0
"""How long a stream may be lost before that is an error (our choice)."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture as received: the stream's clock (None: it has none) and how to get its pixels."""

    clock_s: float | None
    rgb: Callable[[], UInt8[np.ndarray, "H W 3"]]


@dataclass(frozen=True, slots=True)
class Connection:
    """An open source: what it says of itself and its pictures, which end when the source does."""

    info: Info
    shots: Iterator[Shot]


class Live:
    """A running source; use it in a `with` block or call `close`.

    Parameters
    ----------
    connect
        Opens the source; called again after a loss where `lasting`.
    lasting
        Whether an end is a loss, to be mended, rather than the end.
    waits_s, patience_s
        Pauses before trying again, and how long to try.

    Raises
    ------
    VideoError
        If the source cannot be opened, or stays lost.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        lasting: bool,
        waits_s: tuple[float, ...] = WAITS_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._connect, self._lasting = connect, lasting
        self._waits_s, self._patience_s = waits_s, patience_s
        self._change = threading.Condition()
        self._newest: tuple[int, float, float, Shot] | None = None
        self._failure: VideoError | None = None
        self._ended = self._closed = False
        self._arrived = math.nan
        self.dropped = 0
        first = connect()
        self.info = first.info
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._receive, args=(first,), name="live", daemon=True)
        self._thread.start()

    def __enter__(self) -> "Live":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def lag_s(self) -> float:
        """Seconds since the frame last handed out arrived; NaN before the first."""
        return time.monotonic() - self._arrived

    def frames(self) -> Iterator[Frame]:
        """Yield the newest frame each time one is asked for, waiting where there is no new one."""
        while True:
            with self._change:
                self._change.wait_for(lambda: self._newest or self._ended or self._closed)
                if self._closed or self._newest is None:
                    if self._failure and not self._closed:
                        raise self._failure
                    return
                (index, time_s, self._arrived, shot), self._newest = self._newest, None
            yield Frame(index, time_s, shot.rgb())

    def close(self) -> None:
        """Stop receiving."""
        with self._change:
            self._closed = True
            self._change.notify_all()

    def _receive(self, connection: Connection | None) -> None:
        """Thread: keep the newest shot, connect again after a loss."""
        index, lost_at, tries = 0, time.monotonic(), 0
        latest = -math.inf
        while not self._closed:
            try:
                connection = connection or self._connect()
                for time_s, shot in self._timed(connection.shots, latest):
                    if self._closed:
                        break
                    self._put(index, time_s, shot)
                    index, latest, lost_at, tries = index + 1, time_s, time.monotonic(), 0
                failure = VideoError(f"{self.info.name}: the stream ended")
            except VideoError as error:
                failure = error
            connection = None
            if not self._lasting or time.monotonic() - lost_at > self._patience_s:
                self._failure = failure if self._lasting else None
                break
            wait_s = self._waits_s[min(tries, len(self._waits_s) - 1)]
            log.warning("%s: connection lost; trying again in %g s", self.info.name, wait_s)
            tries += 1
            with self._change:
                self._change.wait_for(lambda: self._closed, wait_s)
        with self._change:
            self._ended = True
            self._change.notify_all()

    def _timed(self, shots: Iterator[Shot], latest: float) -> Iterator[tuple[float, Shot]]:
        """Times that go on from `latest`: the connection's clock, set by the time of its first picture."""
        start: float | None = None
        shift = 0.0
        for shot in shots:
            now = time.monotonic() - self._began
            if start is None:
                shift = 0.0 if latest == -math.inf else max(now, latest)
                start = now if shot.clock_s is None else shot.clock_s
            time_s = shift + (now if shot.clock_s is None else shot.clock_s) - start
            latest = max(time_s, math.nextafter(latest, math.inf))
            yield latest, shot

    def _put(self, index: int, time_s: float, shot: Shot) -> None:
        with self._change:
            self.dropped += self._newest is not None
            self._newest = index, time_s, time.monotonic(), shot
            self._change.notify_all()


def live(source: str) -> Live:
    """Open a running source: a camera's number, `-` for standard input, or a URL (rtsp://… and others).

    Raises
    ------
    VideoError
        If it cannot be opened or sends no picture.
    """
    if source.isdecimal():
        return Live(lambda: _camera(int(source)), lasting=False)
    if source == "-":
        return Live(lambda: stream(sys.stdin.buffer, "stdin"), lasting=False)
    if "://" not in source:
        raise VideoError(f"{source}: live takes a camera's number, a URL or -; for a file use `marey run`")
    return Live(lambda: stream(source, source.rsplit("@", 1)[-1]), lasting=True)


def stream(place: str | IO[bytes] | BufferedIOBase, name: str) -> Connection:
    """Open a network stream, or a file object that need not go back.

    `name` is what people see; it must not hold a password.
    """
    remote = isinstance(place, str)
    options = {"rtsp_transport": "tcp", "fflags": "nobuffer"} if remote else {}
    try:
        container = av.open(place, "r", options=options, timeout=(OPEN_S, READ_S) if remote else None)
    except (FFmpegError, OSError) as error:
        raise VideoError(f"{name}: cannot be opened ({error.strerror or error})") from error
    if not container.streams.video:
        container.close()
        raise VideoError(f"{name}: holds no pictures")
    video = container.streams.video[0]
    pictures = _pictures(container, video, name)
    first = next(pictures, None)
    if first is None:
        container.close()
        raise VideoError(f"{name}: ended before its first picture")
    upright = Upright.of(first, video.sample_aspect_ratio)
    info = _info(name, upright.shown, video.codec_context.name, video.average_rate, upright)
    return Connection(info, _shots(first, pictures, upright))


def _pictures(container: InputContainer, video: VideoStream, name: str) -> Iterator[av.VideoFrame]:
    """Decode what comes; a damaged packet costs its picture, a broken connection the stream."""
    with container:
        packets = container.demux(video)
        while True:
            try:
                packet = next(packets, None)
            except (FFmpegError, OSError) as error:
                raise VideoError(f"{name}: broke off ({error.strerror or error})") from error
            if packet is None:
                return
            try:
                pictures = packet.decode()
            except FFmpegError:
                continue
            yield from pictures


def _shots(first: av.VideoFrame, rest: Iterator[av.VideoFrame], upright: Upright) -> Iterator[Shot]:
    picture: av.VideoFrame | None = first
    while picture is not None:
        yield Shot(picture.time, lambda picture=picture: upright.rgb(picture))
        picture = next(rest, None)


def _camera(number: int) -> Connection:
    """Open a camera by OpenCV, which knows those of every system; they have no clock of their own."""
    name = f"camera {number}"
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # our one line says it all
    camera = cv2.VideoCapture(number)
    ok, bgr = camera.read()
    cv2.utils.logging.setLogLevel(level)
    if not ok:
        camera.release()
        raise VideoError(f"{name}: sends no picture; is it connected, free and allowed to be used?")
    rate = camera.get(cv2.CAP_PROP_FPS)
    info = _info(
        name, bgr.shape[1::-1], "camera", Fraction(rate).limit_denominator(1001) if rate > 0 else None
    )

    def shots() -> Iterator[Shot]:
        ok, picture = True, bgr
        while ok:
            yield Shot(None, lambda picture=picture: cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
            ok, picture = camera.read()
        camera.release()

    return Connection(info, shots())


def _info(
    name: str, size: tuple[int, int], codec: str, rate: Fraction | None, upright: Upright | None = None
) -> Info:
    return Info(
        name=name,
        size=size,
        rotation=upright.turn.rotation if upright else 0,
        mirrored=upright.turn.mirrored if upright else False,
        pixel_aspect=upright.aspect if upright else Fraction(1),
        rate=rate,
        variable=True,
        duration_s=math.inf,
        start_s=0.0,
        codec=codec,
        has_audio=False,
    )
