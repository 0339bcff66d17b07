"""One person's places in space at an even rate, for formats that state a rate and no times.

Conventions of `core/space.py` (metres, Y up, missing is NaN); T samples, K joints: those of the recording and
those that only the lifter has, without the ones that were never placed. They reach from the first to the last
frame that places anything.
Frames of a constant rate are where their numbers say: their times differ from that by the container's
rounding only. A variable rate is resampled to the rate in the recording's history (the mean of its times): a
moment that is a frame's takes that frame's places, any other lies on the straight line in time between the
two frames around it, and is missing where either misses the joint or they lie further apart than a gap that
finishing would fill.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from beartype import beartype
from jaxtyping import Bool, Float64, Int64, jaxtyped  # pyright: ignore[reportUnknownVariableType]

from marey.core.errors import RecordingError
from marey.core.recording import Recording
from marey.core.skeletons import H36M17, Skeleton
from marey.finishing.gaps import GAPS, interpolated

OWN = 1e-3
"""Share of the way between two frames within which a moment is a frame's own (our choice: rounding)."""


class UnplacedError(RecordingError):
    """Of this person nothing is there that a format needs; others may well be written."""


@jaxtyped(typechecker=beartype)
@dataclass(frozen=True, slots=True)
class Markers:
    """Places in metres; sample k is at `start_s + k / rate`. `resampled`: the frames were not even."""

    joints: tuple[str, ...]
    rate: Fraction
    start_s: float
    xyz_m: Float64[np.ndarray, "T K 3"]
    resampled: bool = False

    def __len__(self) -> int:
        return len(self.xyz_m)

    @property
    def time_s(self) -> Float64[np.ndarray, " T"]:
        """Seconds since the video's first shown frame."""
        return self.start_s + np.arange(len(self)) / float(self.rate)

    @property
    def known(self) -> Bool[np.ndarray, "T K"]:
        """Which joints have a place."""
        return ~np.isnan(self.xyz_m[..., 0])

    @property
    def skeleton(self) -> Skeleton:
        """The joints, to be converted by name."""
        return Skeleton("markers", self.joints, (), ())

    def notes(self) -> str:
        """What a person should know of them in one line; empty if nothing."""
        varied = f"resampled to {float(self.rate):g} Hz: the video's rate varies or is not known"
        return "; ".join(filter(None, (varied if self.resampled else "", self._gaps())))

    def _gaps(self) -> str:
        missing = ~self.known
        if not missing.any():
            return ""
        runs = np.zeros(missing.shape, np.int64)
        for t, row in enumerate(missing):
            runs[t] = (runs[t - 1] + 1) * row if t else row
        end, joint = np.unravel_index(runs.argmax(), runs.shape)
        longest = int(runs[end, joint])
        begin_s = self.time_s[end + 1 - longest]
        lasts_s = longest / float(self.rate)
        return (
            f"{missing.mean():.1%} of places missing, the longest {lasts_s:.2f} s "
            f"({self.joints[joint]} from {begin_s:.2f} s)"
        )


def markers(recording: Recording) -> Markers:
    """The places of a recording's only person.

    Raises
    ------
    UnplacedError
        If no joint was ever placed.
    RecordingError
        If it was not lifted, holds another number of people than one, or nothing tells the rate.
    """
    space, rows = recording.space, recording.rows
    if space is None or len(recording.ids) != 1:
        raise RecordingError("places at an even rate are one person's, lifted: choose whom, and lift first")
    xyz = np.concatenate([space.xyz_m, space.more_m], 1).astype(np.float64)
    known = np.array(~np.isnan(xyz).any(-1))
    if not known.any():
        raise UnplacedError(f"person {recording.ids[0]} was never placed in space; leave the person out")
    joints, shown = np.flatnonzero(known.any(0)), np.flatnonzero(known.any(1))
    first, last = np.searchsorted(recording.frame, rows.frame[shown[[0, -1]]])
    frame, time_s = recording.frame[first : last + 1], recording.time_s[first : last + 1]
    places = np.full((len(frame), len(joints), 3), np.nan)
    places[np.searchsorted(frame, rows.frame[shown])] = xyz[shown][:, joints]
    every = (*recording.skeleton.joints, *space.joints)
    names = tuple(every[k] for k in joints)
    source = recording.history.source
    if source.rate is not None and not source.variable:
        return Markers(names, source.rate, float(time_s[0]), _numbered(frame, places))
    rate = source.rate or _rate(recording.time_s)
    return Markers(names, rate, float(time_s[0]), _even(time_s, places, float(rate)), True)


def filled(markers: Markers) -> Markers:
    """Without gaps, however long: for formats and programs that know no missing value.

    The middle of the hips goes on a straight line in time, every other joint does so relative to it; before
    the first and after the last place both stay as they are there (our choice: a hidden hand stays with its
    body). Without hips, joints go their own ways.
    """
    time_s, known = markers.time_s, markers.known
    hips = markers.skeleton.converter(H36M17)(markers.xyz_m)[:, :1]
    there = ~np.isnan(hips[..., 0])
    centre = interpolated(hips, there, time_s) if there.any() else np.zeros_like(hips)
    moved = interpolated(markers.xyz_m - centre, known, time_s) + centre
    return replace(markers, xyz_m=np.where(known[..., None], markers.xyz_m, moved))


def _numbered(
    frame: Int64[np.ndarray, " R"], places: Float64[np.ndarray, "R K 3"]
) -> Float64[np.ndarray, "T K 3"]:
    """Places by the number of their frame; frames that were not looked at place nothing."""
    out = np.full((int(frame[-1] - frame[0]) + 1, *places.shape[1:]), np.nan)
    out[frame - frame[0]] = places
    return out


def _even(
    time_s: Float64[np.ndarray, " R"], places: Float64[np.ndarray, "R K 3"], rate_hz: float
) -> Float64[np.ndarray, "T K 3"]:
    """Places at even moments from the first frame's on."""
    count = int((time_s[-1] - time_s[0]) * rate_hz + OWN) + 1
    at: Float64[np.ndarray, " T"] = time_s[0] + np.arange(count) / rate_hz
    last = len(time_s) - 1
    after = np.clip(np.searchsorted(time_s, at), min(1, last), last)
    before = np.maximum(after - 1, 0)
    span = time_s[after] - time_s[before]
    share = np.clip((at - time_s[before]) / np.where(span > 0, span, 1), 0, 1)[:, None, None]
    mixed = (1 - share) * places[before] + share * places[after]
    mixed[span > max(GAPS.longest_s, 2 / rate_hz)] = np.nan
    # 0 × NaN is NaN: a moment that is a frame's own must not miss what its neighbour misses
    mixed = np.where(share > 1 - OWN, places[after], mixed)
    return np.where(share < OWN, places[before], mixed)


def _rate(time_s: Float64[np.ndarray, " T"]) -> Fraction:
    """Of frames whose history tells no rate: by the median of what lies between two."""
    if len(time_s) < 2:
        raise RecordingError("one frame without a rate: nothing says how long it lasts; give a longer video")
    return Fraction(1 / float(np.median(np.diff(time_s)))).limit_denominator(1001)
