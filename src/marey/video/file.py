"""A video file: opened, and decoded from any frame on.

A frame is known by its presentation time, so an index is exact wherever decoding began: a seek goes to a
keyframe at or before the wanted frame, is checked against the packet and the frame that arrive, and is
repeated from further back until they are not too late.
"""

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream

from marey.core.errors import VideoError
from marey.core.nouns import Frame
from marey.video.scan import scan, torn
from marey.video.source import Info, Problems, rate_of
from marey.video.upright import Upright

NOT_VIDEO = frozenset(("tty",))
"""FFmpeg formats that would render plain text as pictures."""


class File:
    """A source made of one file or URL; see `source.Source`."""

    def __init__(self, location: str, threads: int = 0) -> None:
        self._location, self._threads = location, threads
        name = Path(location).name
        self.problems = Problems(name)
        with _opened(location) as container:
            stream = _stream(container, name)
            self._place = container.streams.video.index(stream)
            codec, has_audio = stream.codec_context.name, bool(container.streams.audio)
            first = self._first_frame(container, stream)
            stated = stream.average_rate
            self._upright = Upright.of(first, stream.sample_aspect_ratio)
        with _opened(location) as container:
            found = scan(container, container.streams.video[self._place])
        pts = found.pts
        if not found.counted and first.pts is not None:
            pts = pts[pts >= first.pts]  # what comes before leans on pictures that are not in the file
        if len(pts) == 0:
            raise VideoError(f"{location}: no frame has a time; the file is damaged beyond reading")
        self._keys, self._counted = found.keys, found.counted
        self.pts, self.time_base = pts, found.time_base
        self._times_s = times_s(pts, found.time_base)
        rate, variable = rate_of(pts, found.time_base, stated)
        self.info = Info(
            name=name,
            size=self._upright.shown,
            rotation=self._upright.turn.rotation,
            mirrored=self._upright.turn.mirrored,
            pixel_aspect=self._upright.aspect,
            rate=rate,
            variable=variable,
            duration_s=float((found.end - int(pts[0])) * found.time_base),
            start_s=float(int(pts[0]) * found.time_base),
            codec=codec,
            has_audio=has_audio,
        )
        self.problems.add(found.problem)

    def decode(self, first: int, last: int) -> Iterator[Frame]:
        """Yield the frames first ≤ index < last; what is missing is told in `problems`."""
        done, reached = 0, first
        for index, picture in self._from(first):
            if index >= last:
                break
            done, reached = done + 1, index + 1
            yield Frame(index, float(self._times_s[index]), self._upright.rgb(picture))
        lost = last - first - done
        if lost and reached + lost == last:
            self.problems.add(
                f"decoding ends at {self._times_s[reached - 1] if reached else 0:.2f} s: the last {lost} "
                f"of {last - first} frames cannot be decoded"
            )
        elif lost:
            self.problems.add(f"{lost} of {last - first} frames cannot be decoded and are left out")

    def _first_frame(self, container: InputContainer, stream: VideoStream) -> av.VideoFrame:
        stream.codec_context.thread_count = 1  # threads hold frames back; one is wanted
        for packet in _packets(container, stream):
            for frame in _decoded(packet):
                return frame
        codec = stream.codec_context.name
        raise VideoError(f"{self._location}: no frame can be decoded (codec {codec}); is the file damaged?")

    def _from(self, first: int) -> Iterator[tuple[int, av.VideoFrame]]:
        """Yield frames with their indices from `first` on, having sought as close before it as is safe."""
        for start in self._starts(first):
            with _opened(self._location) as container:
                frames = self._numbered(container, start, first)
                head = next(frames, None)
                if start is not None and (head is None or head[0] > first):
                    continue
                if head is not None and head[0] >= first:
                    yield head
                for index, picture in frames:
                    if index >= first:
                        yield index, picture
                return

    def _starts(self, first: int) -> Iterator[int | None]:
        """Times to seek to for a frame, best first; None is the file's beginning."""
        if not self._counted:
            before = int(np.searchsorted(self._keys, self.pts[first], "right"))
            for back in (1, 2, 4):
                if before - back > 0:
                    yield int(self._keys[before - back])
        yield None

    def _numbered(
        self, container: InputContainer, start: int | None, first: int
    ) -> Iterator[tuple[int, av.VideoFrame]]:
        """Decode from `start` on and number the frames; nothing where the seek landed behind `first`."""
        stream = container.streams.video[self._place]
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = self._threads
        if start is not None:
            with suppress(FFmpegError):
                container.seek(start, stream=stream)
        index, landed = -1, start is None
        for packet in _packets(container, stream):
            if not landed:
                landed = packet.pts is not None and packet.pts <= self.pts[first]
                if not landed:
                    return
            for frame in _decoded(packet):
                index, known = self._number(frame, index)
                if known:
                    yield index, frame

    def _number(self, frame: av.VideoFrame, previous: int) -> tuple[int, bool]:
        """Index of a frame by its time (by its place where times do not tell), and whether it has one."""
        following = previous + 1
        if self._counted or (frame.pts is None and previous >= 0):
            return following, following < len(self.pts)
        if frame.pts is None:
            return previous, False
        if following < len(self.pts) and self.pts[following] == frame.pts:
            return following, True
        index = int(np.searchsorted(self.pts, frame.pts))
        known = index < len(self.pts) and self.pts[index] == frame.pts and index > previous
        return (index, True) if known else (previous, False)


def times_s(pts: np.ndarray, time_base: Fraction) -> np.ndarray:
    """Seconds since the first of `pts`, each correctly rounded."""
    return (pts - pts[0]) * time_base.numerator / time_base.denominator


def _opened(location: str) -> InputContainer:
    path = Path(location)
    if "://" not in location:
        if not path.exists():
            raise VideoError(f"{location}: there is no such file")
        if path.stat().st_size == 0:
            raise VideoError(f"{location}: the file is empty (0 bytes)")
    try:
        container = av.open(location, metadata_errors="replace")
    except FFmpegError as error:
        why = f"{error.strerror}; it is no video, is damaged, or was cut off before its index was written"
        raise VideoError(f"{location}: cannot be read as a video ({why})") from error
    except OSError as error:
        raise VideoError(f"{location}: cannot be opened ({error.strerror})") from error
    if container.format.name in NOT_VIDEO:
        container.close()
        raise VideoError(f"{location}: is text, not a video")
    return container


def _stream(container: InputContainer, name: str) -> VideoStream:
    """The largest moving picture; a cover of a piece of music does not count."""
    cover = Disposition.attached_pic | Disposition.timed_thumbnails
    moving = [s for s in container.streams.video if not s.disposition & cover]
    if not moving:
        what = "only sound" if container.streams.audio else "nothing that can be shown"
        raise VideoError(f"{name}: holds {what}, no pictures")
    best = max(moving, key=lambda s: (s.codec_context.width or 0) * (s.codec_context.height or 0))
    if best.codec_context is None:
        raise VideoError(f"{name}: its codec is not known to this FFmpeg; convert it to H.264 first")
    return best


def _packets(container: InputContainer, stream: VideoStream) -> Iterator[av.Packet]:
    """The stream's packets, up to where the file breaks off, and at last the empty one that flushes."""
    with suppress(FFmpegError):  # `scan` has met it and said how far the file goes
        for packet in container.demux(stream):
            if not torn(container, packet):
                yield packet
        return
    yield av.Packet()


def _decoded(packet: av.Packet) -> list[av.VideoFrame]:
    """Frames that a packet completes; none where it is damaged (told by the frames that are missing)."""
    try:
        return packet.decode()
    except FFmpegError:
        return []
