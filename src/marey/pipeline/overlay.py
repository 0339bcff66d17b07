"""What a person looks at: the overlay video and the contact sheet, both drawn from the finished recording.

For the overlay the pictures are read a second time, so that what is drawn is what was recorded, smoothed and
identified; decoding, drawing and encoding each have a thread. The sheet needs few pictures: they are kept,
made small, beside the parts while the video is measured.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from marey.core.nouns import Frame
from marey.core.parquet import write_whole
from marey.core.recording import Recording
from marey.pipeline.flow import Meter, ahead_of
from marey.video.draw import draw_poses
from marey.video.pictures import decoded
from marey.video.read import Video
from marey.video.sheet import moments, png, tile
from marey.video.sheet import sheet as lay_out
from marey.video.write import Writer

_log = logging.getLogger(__name__)
OVERLAY, SHEET = "overlay.mp4", "sheet.png"
WAITING = 4


def overlay(
    video: Video, recording: Recording, path: Path, codec: str, advance: Callable[[int], object]
) -> dict[str, float]:
    """Write the overlay, whole or not at all.

    Parameters
    ----------
    video, recording
        The source and what was measured in it.
    path
        Where to write.
    codec
        Encoder.
    advance
        Hears of every frame done.

    Returns
    -------
    dict
        Busy seconds of decoding, drawing and encoding.

    Raises
    ------
    VideoError
        If the file cannot be written or the encoder is missing.
    """
    meter = Meter()
    first, last = int(recording.frame[0]), int(recording.frame[-1]) + 1
    frames = ahead_of(meter.source("decode", video.frames(first, last)), WAITING)
    ready = ahead_of(meter.stage("draw", drawn, frames, recording), WAITING)
    with contextlib.closing(ready), Writer(path, video.info.size, video, codec) as writer:
        for _ in meter.stage("encode", _written, ready, writer):
            advance(1)
    return meter.seconds


def drawn(frames: Iterator[Frame], recording: Recording) -> Iterator[Frame]:
    """Draw what was recorded on frames."""
    for frame in frames:
        rows = recording.at(frame.index)
        rgb = draw_poses(frame.rgb, rows.xy_px, rows.scores, rows.person, recording.skeleton)
        yield Frame(frame.index, frame.time_s, rgb)


def _written(frames: Iterator[Frame], writer: Writer) -> Iterator[Frame]:
    for frame in frames:
        writer.write(frame.rgb, frame.time_s)
        yield frame


def wanted(span: range) -> frozenset[int]:
    """The frames of a source that its sheet shows, evenly spread."""
    return frozenset(span[place] for place in moments(len(span)))


def keep(frame: Frame, folder: Path) -> None:
    """Keep a frame, made small, for the sheet; `folder` is that of the parts."""
    picture = png(tile(frame))
    write_whole(folder / f"moment-{frame.index:09d}.png", lambda draft: draft.write_bytes(picture))


def sheet(recording: Recording, kept: Path, path: Path) -> None:
    """Write the sheet: the frames kept in the folder `kept`, drawn, each with its time."""
    width, height = recording.history.source.size
    tiles = []
    for picture in sorted(kept.glob("moment-*.png")):
        rgb = decoded(picture)
        if rgb is None:
            _log.warning("%s: a kept picture that cannot be read is left out of the sheet", picture)
            continue
        rows = recording.at(int(picture.stem.removeprefix("moment-")))
        scale = np.array([rgb.shape[1] / width, rgb.shape[0] / height], np.float32)
        tiles.append(draw_poses(rgb, rows.xy_px * scale, rows.scores, rows.person, recording.skeleton))
    if tiles:
        page = png(lay_out(tiles))
        write_whole(path, lambda draft: draft.write_bytes(page))
