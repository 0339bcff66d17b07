"""Clips made for the tests: every frame carries its number as bars, to be told by its pixels alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from marey.video.read import Video

BITS = 10


def numbered(index: int, size: tuple[int, int] = (160, 48)) -> np.ndarray:
    """A picture whose ten upright bars spell `index` in binary, on a ground that drifts."""
    width, height = size
    bars = np.array([index >> k & 1 for k in range(BITS)])
    row = np.where(bars[np.arange(width) * BITS // width], 230, 25)
    picture = np.repeat(np.repeat(row[None, :, None], height, 0), 3, 2).astype(np.uint8)
    picture[height // 2 :, :, 1] = 60 + index * 7 % 130
    return picture


def number(rgb: np.ndarray) -> int:
    """Read the number of a picture."""
    height, width = rgb.shape[:2]
    middles = ((np.arange(BITS) + 0.5) * width / BITS).astype(int)
    bits = rgb[: height // 3, middles, 0].mean(0) > 127
    return int((bits << np.arange(BITS)).sum())


@dataclass(frozen=True)
class Maker:
    """Writes test clips into a folder."""

    folder: Path

    def __call__(
        self,
        name: str,
        pictures: Sequence[np.ndarray] | int = 30,
        *,
        codec: str = "libx264",
        options: dict[str, str] | None = None,
        pts: Sequence[int] | None = None,
        time_base: Fraction = Fraction(1, 30),
        muxing: dict[str, str] | None = None,
        setup: Callable[[av.VideoStream], None] | None = None,
        audio: str | None = None,
        pix_fmt: str | None = None,
    ) -> Path:
        path = self.folder / name
        if isinstance(pictures, int):
            pictures = [numbered(k) for k in range(pictures)]
        ticks = list(pts) if pts is not None else list(range(len(pictures)))
        with av.open(path, "w", options=muxing or {}) as out:
            stream = out.add_stream(codec, rate=30, options=options or {})
            stream.width, stream.height = pictures[0].shape[1::-1]
            stream.pix_fmt = pix_fmt or stream.codec.video_formats[0].name
            stream.codec_context.time_base = time_base
            if setup:
                setup(stream)
            sound = out.add_stream(audio, rate=48000) if audio else None
            for picture, tick in zip(pictures, ticks, strict=True):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = tick, time_base
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
            if sound is not None:
                _add_tone(out, sound, float((ticks[-1] + 1) * time_base))
        return path


def _add_tone(out: av.container.OutputContainer, stream: av.AudioStream, seconds: float) -> None:
    size = stream.codec_context.frame_size or 1024
    shape = stream.codec_context.format.name
    for start in range(0, int(seconds * 48000), size):
        wave = 0.3 * np.sin(2 * np.pi * 440 * (start + np.arange(size)) / 48000)
        data = np.stack([wave, wave]).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(data, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        resampler = av.AudioResampler(format=shape, layout=stream.layout.name, rate=48000)
        for part in resampler.resample(frame):
            part.pts, part.time_base = start, Fraction(1, 48000)
            out.mux(stream.encode(part))
    out.mux(stream.encode(None))


def shown_times(path: Path) -> list[Fraction]:
    """Truth without our reader: presentation times by plain demuxing, in seconds."""
    with av.open(str(path)) as source:
        stream = source.streams.video[0]
        packets = [p for p in source.demux(stream) if p.size and not p.is_discard]
        return sorted(p.pts * stream.time_base for p in packets)


def plain_decode(path: Path) -> list[tuple[Fraction, np.ndarray]]:
    """Truth without our reader: every frame from the beginning on, one thread."""
    with av.open(str(path)) as source:
        stream = source.streams.video[0]
        stream.codec_context.thread_count = 1
        return [(f.pts * f.time_base, f.to_ndarray(format="rgb24")) for f in source.decode(stream)]


def packets_of(path: Path, kind: str) -> list[tuple[Fraction, bytes]]:
    """Times and bytes of a track's packets."""
    with av.open(str(path)) as source:
        streams = getattr(source.streams, kind)
        packets = source.demux(streams[0]) if streams else ()
        return [(p.pts * p.time_base, bytes(p)) for p in packets if p.size]


def exact_times(video: Video) -> list[Fraction]:
    """A video's times as it says them, in seconds."""
    return [int(p) * video.time_base for p in video.pts]
