"""Video in: files, folders of pictures and single pictures, with the exact time of every frame.

Conventions: pictures are 8-bit RGB, upright (the container's turn and mirroring applied), with square pixels
(a pixel aspect other than 1 stretches the shorter way, nothing is thrown away). Time is the container's
presentation time: `time_s` = PTS − PTS of the source's first shown frame, also with `from_s`; `info.start_s`
+ `time_s` is the container's PTS. Frames are numbered from 0 in the source. YUV becomes RGB by the matrix
and range that the stream states; a stream that states no matrix is BT.709 from 720 lines up and BT.601 below
(our choice, as players do). High dynamic range is converted without tone mapping.
"""

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64

from marey.core.errors import VideoError
from marey.core.nouns import Frame
from marey.video.file import File, times_s
from marey.video.pictures import Pictures, is_pictures
from marey.video.source import Info, Source


class Video:
    """A source that stays: its frames can be asked for in any order, as often as wanted.

    `times_s` and `pts` hold every frame of the source; `span` says which of them were asked for.
    """

    def __init__(self, location: str, source: Source, span: range) -> None:
        self.location = location
        self.span = span
        self.times_s: Float64[np.ndarray, " T"] = times_s(source.pts, source.time_base)
        self._source = source

    @property
    def info(self) -> Info:
        """Name, size, rate and what else is known before decoding."""
        return self._source.info

    @property
    def pts(self) -> Int64[np.ndarray, " T"]:
        """Presentation times of the shown frames in ticks of `time_base`, as in the container."""
        return self._source.pts

    @property
    def time_base(self) -> Fraction:
        """Seconds per tick."""
        return self._source.time_base

    @property
    def problem(self) -> str:
        """What was found wrong so far, in one line; empty for a sound source."""
        return str(self._source.problems)

    def __len__(self) -> int:
        """Number of frames asked for."""
        return len(self.span)

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames asked for."""
        return self.frames()

    def frames(self, first: int = 0, last: int | None = None) -> Iterator[Frame]:
        """Yield the frames first ≤ index < last, numbered in the source, as far as `span` allows.

        Each call decodes on its own, so calls may overlap and run on different threads. Frames that cannot
        be decoded are left out; a warning says so, and `problem`.
        """
        low = max(first, self.span.start)
        high = self.span.stop if last is None else min(last, self.span.stop)
        return self._source.decode(low, high) if low < high else iter(())


def read(
    path: str | os.PathLike[str],
    from_s: float | None = None,
    to_s: float | None = None,
    *,
    threads: int = 0,
    rate_hz: float | Fraction | None = None,
) -> Video:
    """Open a video file, a URL, a folder of pictures or a picture.

    Opening reads the file once without decoding it, for the times of its frames. A damaged file is opened as
    far as it goes; a warning (logger "marey") and `Video.problem` say how far.

    Parameters
    ----------
    path
        Where it is.
    from_s, to_s
        Only frames with from_s ≤ time_s < to_s; their numbers and times stay those of the whole source.
    threads
        Decoding threads; 0 is one for each core.
    rate_hz
        Rate of a folder of pictures, 25 if not given; videos have their own times.

    Raises
    ------
    VideoError
        If nothing can be read, or no frame lies between `from_s` and `to_s`.
    """
    location = os.fspath(path)
    if "://" not in location and is_pictures(Path(location)):
        source: Source = Pictures(Path(location), rate_hz)
    else:
        source = File(location, threads)
    times = times_s(source.pts, source.time_base)
    low = 0 if from_s is None else int(np.searchsorted(times, from_s))
    high = len(times) if to_s is None else int(np.searchsorted(times, to_s))
    if low >= high:
        until = "its end" if to_s is None else f"{to_s:g} s"
        lasts = f"it lasts {source.info.duration_s:.2f} s"
        raise VideoError(f"{location}: no frame between {from_s or 0:g} s and {until}; {lasts}")
    return Video(location, source, range(low, high))
