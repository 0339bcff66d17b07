"""What a person looks at: the overlay video and the contact sheet, both drawn from the finished recording.

For the overlay the pictures are read a second time, so that what is drawn is what was recorded, smoothed and
identified; decoding has a thread, drawing and converting another, encoding its encoder's. A lifted recording
can be drawn with its room beside the picture. The sheet needs few pictures: they are kept, made small, beside
the parts while the video is measured.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from av import VideoFrame

from marey.core.nouns import Frame
from marey.core.parquet import write_whole
from marey.core.recording import Recording
from marey.core.skeletons import Skeleton
from marey.core.space import Space
from marey.pipeline.flow import Meter, ahead_of, waiting
from marey.video.draw import draw_poses
from marey.video.pictures import decoded
from marey.video.read import Video
from marey.video.room import draw_room, room
from marey.video.sheet import moments, png, tile
from marey.video.sheet import sheet as lay_out
from marey.video.write import Writer

_log = logging.getLogger(__name__)
OVERLAY, OVERLAY_3D, SHEET = "overlay.mp4", "overlay-3d.mp4", "sheet.png"
TRUNK = (("root", "spine"), ("spine", "thorax"), ("thorax", "nose"), ("nose", "head_top"))
"""Limbs of joints that only a lifter has."""


def overlay(
    video: Video,
    recording: Recording,
    path: Path,
    codec: str,
    advance: Callable[[int], object],
    space: Space | None = None,
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
    space
        The recording's, to draw it beside the picture.

    Returns
    -------
    dict
        Busy seconds of decoding, drawing, converting and encoding.

    Raises
    ------
    VideoError
        If the file cannot be written or the encoder is missing.
    """
    meter = Meter()
    first, last = int(recording.frame[0]), int(recording.frame[-1]) + 1
    size = video.info.size
    frames = ahead_of(meter.source("decode", video.frames(first, last)), waiting(size))
    draw = drawn if space is None else partial(drawn_in_space, space=space)
    whole = size if space is None else (size[0] + _panel(size)[0], size[1])
    with Writer(path, whole, video, codec) as writer:
        pictures = meter.stage("draw", draw, frames, recording)
        ready = ahead_of(meter.stage("convert", _converted, pictures, writer), waiting(size))
        with contextlib.closing(ready):
            for _ in meter.stage("encode", _written, ready, writer):
                advance(1)
    return meter.seconds


def drawn(frames: Iterator[Frame], recording: Recording) -> Iterator[Frame]:
    """Draw what was recorded on frames."""
    for frame in frames:
        rows = recording.at(frame.index)
        rgb = draw_poses(frame.rgb, rows.xy_px, rows.scores, rows.person, recording.skeleton)
        yield Frame(frame.index, frame.time_s, rgb)


def drawn_in_space(frames: Iterator[Frame], recording: Recording, space: Space) -> Iterator[Frame]:
    """Draw what was recorded on frames, and beside them where people are in space."""
    skeleton = _with_trunk(recording.skeleton, space.joints)
    places = np.concatenate([space.xyz_m, space.more_m], 1)
    rows = recording.rows
    seen = room(_panel(recording.history.source.size), places)
    for frame in drawn(frames, recording):
        own = rows.frame == frame.index
        beside = draw_room(seen, places[own], rows.person[own], skeleton)
        yield Frame(frame.index, frame.time_s, np.hstack([frame.rgb, beside]))


def _panel(size: tuple[int, int]) -> tuple[int, int]:
    """Beside a picture: as high, at most square, of even width (encoders want that)."""
    return min(size[1], 2 * size[0]) // 2 * 2, size[1]


def _with_trunk(skeleton: Skeleton, more: tuple[str, ...]) -> Skeleton:
    """The skeleton with the joints that only the lifter has, and the limbs between them."""
    names = (*skeleton.joints, *more)
    trunk = tuple((names.index(a), names.index(b)) for a, b in TRUNK if a in names and b in names)
    return Skeleton("in space", names, (*skeleton.limbs, *trunk), ())


def _converted(frames: Iterator[Frame], writer: Writer) -> Iterator[tuple[VideoFrame, float]]:
    for frame in frames:
        yield writer.converted(frame.rgb), frame.time_s


def _written(ready: Iterator[tuple[VideoFrame, float]], writer: Writer) -> Iterator[None]:
    for picture, time_s in ready:
        writer.write(picture, time_s)
        yield


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
