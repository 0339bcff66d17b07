"""Video out: H.264 that plays in a browser, on the source's own clock, with the source's own sound.

Conventions: every frame keeps the presentation time of its source; sound is copied packet by packet, never
encoded again. Pictures are upright, so nothing is left to turn. RGB becomes YUV 4:2:0 by BT.709 in limited
range, and the stream says so. The file appears under its name only when it is complete.
"""

import logging
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import cast

import av
import cv2
import numpy as np
from av.codec.codec import UnknownCodecError
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from av.video.stream import VideoStream
from jaxtyping import UInt8

from marey.core.errors import VideoError
from marey.video.read import Video
from marey.video.sound import Sound

log = logging.getLogger("marey")

CLOCK = Fraction(1, 720_000)
"""Time base without a source: whole ticks for 24, 25, 30, 50, 60 Hz, their /1.001 kin, and milliseconds."""
SPEED: dict[str, dict[str, str]] = {
    "libx264": {"preset": "superfast", "crf": "23", "bf": "0"},
    "libx265": {"preset": "ultrafast", "crf": "24", "x265-params": "log-level=error"},
    "libsvtav1": {"preset": "10", "crf": "32"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "7", "crf": "32", "b": "0"},
}
"""Options of known encoders (our choice: an overlay is looked at, not archived, and must not slow us)."""
BITS_PER_PIXEL = 0.15
"""Bit rate of other encoders (our choice: ample for codecs of H.264's kind)."""
KEYFRAME_S = 2
"""Seconds between keyframes, so that a player can jump (our choice)."""
USUAL_HZ = Fraction(30)
"""Rate told to the encoder where the source has none; it steers quality, never time."""
MAX_TIMESCALE = 2**31 - 1
_MP4 = frozenset((".mp4", ".m4v", ".mov"))


class Writer:
    """Writes frames to a file; use it in a `with` block.

    Leaving the block normally completes the file; leaving it by an error leaves nothing behind.

    Parameters
    ----------
    path
        Where to write; the suffix says which container (`.mp4`, `.mkv`, `.mov`, …).
    size
        (width, height) of the frames. An odd side gets one more row or column, a copy of the last; a frame
        of another size is fitted in, with black beside it.
    like
        The source, for its clock and sound; without it there is no sound and time starts at 0.
    codec
        Any encoder of this FFmpeg, by its name.

    Raises
    ------
    VideoError
        If the encoder does not exist or does not fit the container, or the file cannot be written.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        size: tuple[int, int],
        like: Video | None = None,
        codec: str = "libx264",
    ) -> None:
        self.path = Path(path)
        self._temporary = self.path.with_name(f".{self.path.stem}.part{self.path.suffix}")
        self._size = size
        self._even = (size[0] + size[0] % 2, size[1] + size[1] % 2)
        if self._even != size:
            log.info("%s: %d×%d is padded to even sides, %d×%d", self.path.name, *size, *self._even)
        self._like = like
        self._clock = like.time_base if like else CLOCK
        first = int(like.pts[0]) if like else 0
        self._moved = max(-first, 0)  # containers such as MP4 do not show what lies before 0
        self._start = first + self._moved
        self._last: int | None = None
        self._converter = VideoReformatter()
        self._sound = Sound(like.location) if like and like.info.has_audio else None
        self._out = _container(self.path, self._temporary, self._muxing())
        with self._told():
            self._stream = self._add_picture(codec)
            if self._sound and not self._sound.join(self._out, self._moved * self._clock):
                self._sound = None

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def write(self, picture: UInt8[np.ndarray, "H W 3"] | av.VideoFrame, time_s: float) -> None:
        """Add a frame shown `time_s` after the source's first shown frame; frames come in their order.

        `picture` is RGB, or what `converted` made of it.
        """
        pts = self._start + round(Fraction(time_s) / self._clock)
        if self._last is not None and pts <= self._last:
            pts = self._last + 1  # frames of a damaged source may share a time, those of a file may not
        with self._told():
            frame = picture if isinstance(picture, av.VideoFrame) else self.converted(picture)
            frame.pts, frame.time_base = pts, self._clock
            if self._sound:
                if self._last is None and pts > self._start:
                    self._sound.skip(pts * self._clock)
                self._sound.copy(self._out, pts * self._clock)
            self._last = pts
            self._out.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Complete the file and give it its name."""
        if self._last is None:
            self.discard()
            raise VideoError(f"{self.path}: no frame was written")
        end, lasts = self._end(self._last)
        with self._told():
            if self._sound:
                self._sound.copy(self._out, end)
                self._sound.close()
            for packet in self._stream.encode(None):
                if packet.pts == self._last and lasts:
                    packet.duration = lasts
                self._out.mux(packet)
            self._out.close()
            self._temporary.replace(self.path)

    def discard(self) -> None:
        """Give up; nothing is left behind."""
        if self._sound:
            self._sound.close()
        with suppress(FFmpegError, OSError):
            self._out.close()
        self._temporary.unlink(missing_ok=True)

    def _end(self, last: int) -> tuple[Fraction | None, int]:
        """When sound must stop (None: at its own end), and the ticks the last frame lasts (0: unknown)."""
        if self._like is None:
            return None, 0
        pts = self._like.pts
        following = int(np.searchsorted(pts, last - self._moved, "right"))
        if following < len(pts):
            end = int(pts[following]) + self._moved
            return end * self._clock, end - last
        end = int(pts[0]) + self._moved + round(Fraction(self._like.info.duration_s) / self._clock)
        return None, max(end - last, 0)

    def converted(self, rgb: UInt8[np.ndarray, "H W 3"]) -> av.VideoFrame:
        """The encoder's form of a picture; one thread may convert while another writes."""
        context = self._stream.codec_context
        try:
            frame = self._converter.reformat(
                av.VideoFrame.from_numpy_buffer(_fitted(rgb, self._size, self._even)),
                format=context.pix_fmt,
                dst_colorspace=Colorspace.ITU709,
                dst_color_range=ColorRange.MPEG,
                threads=1,
            )
        except (FFmpegError, ValueError) as error:
            why = f"pictures cannot be made into the encoder's {context.pix_fmt}"
            raise VideoError(f"{self.path}: cannot be written ({why}); try --codec libx264") from error
        frame.color_primaries, frame.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        return frame

    def _add_picture(self, codec: str) -> VideoStream:
        """The stream of pictures: source's clock, 4:2:0 where the encoder can, and its colours stated."""
        formats = _formats(codec)
        if formats is None:
            raise VideoError(f"{self.path}: this FFmpeg has no video encoder {codec!r}; the usual is libx264")
        rate = (self._like.info.rate if self._like else None) or USUAL_HZ
        stream = cast(VideoStream, self._out.add_stream(codec, rate=rate, options=SPEED.get(codec, {})))
        context = stream.codec_context
        context.width, context.height = self._even
        context.pix_fmt = "yuv420p" if "yuv420p" in formats or not formats else formats[0]
        context.time_base = self._clock
        context.gop_size = max(1, round(KEYFRAME_S * rate))
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        if codec not in SPEED:
            context.bit_rate = round(BITS_PER_PIXEL * math.prod(self._even) * rate)
        return stream

    def _muxing(self) -> dict[str, str]:
        """Options of the container: index in front, and a clock fine enough for both tracks' starts."""
        if self.path.suffix.lower() not in _MP4:
            return {}
        both = math.lcm(self._clock.denominator, self._sound.clock.denominator if self._sound else 1)
        scale = both if both <= MAX_TIMESCALE else min(self._clock.denominator, MAX_TIMESCALE)
        return {"movflags": "+faststart", "movie_timescale": str(scale)}

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what goes wrong into one line, and leave no half file."""
        try:
            yield
        except VideoError:
            self.discard()
            raise
        except (FFmpegError, OSError, ValueError) as error:
            self.discard()
            why = getattr(error, "strerror", None) or str(error)
            raise VideoError(f"{self.path}: cannot be written ({why})") from error


def _container(path: Path, temporary: Path, options: dict[str, str]) -> OutputContainer:
    """Open what is to be written; that it can be written shows now, not after the first frame."""
    try:
        temporary.touch()
        return av.open(temporary, "w", options=options)
    except OSError as error:
        raise VideoError(f"{path}: cannot be written ({error.strerror})") from error
    except ValueError as error:
        temporary.unlink()
        raise VideoError(f"{path}: no container has this suffix; .mp4 is the usual one") from error


def _formats(codec: str) -> list[str] | None:
    """Pixel formats that an encoder takes; None where there is no such video encoder."""
    try:
        encoder = av.Codec(codec, "w")
    except UnknownCodecError:
        return None
    return [f.name for f in encoder.video_formats or ()] if encoder.type == "video" else None


def _fitted(
    rgb: UInt8[np.ndarray, "H W 3"], size: tuple[int, int], even: tuple[int, int]
) -> UInt8[np.ndarray, "h w 3"]:
    """A picture of the written size, rows contiguous."""
    height, width = rgb.shape[:2]
    if (width, height) != size:
        scale = min(size[0] / width, size[1] / height)
        inner = (max(1, round(width * scale)), max(1, round(height * scale)))
        left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
        fitted = np.zeros((size[1], size[0], 3), np.uint8)
        fitted[top : top + inner[1], left : left + inner[0]] = cv2.resize(
            rgb, inner, interpolation=cv2.INTER_AREA
        )
        rgb = fitted
    below, right = even[1] - size[1], even[0] - size[0]
    if below or right:
        rgb = cv2.copyMakeBorder(rgb, 0, below, 0, right, cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(rgb)


def encodes(codec: str) -> bool:
    """Whether this FFmpeg has a video encoder of this name."""
    return _formats(codec) is not None
