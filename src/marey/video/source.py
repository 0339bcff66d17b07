"""What a source of frames says of itself, whatever it is made of."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int64

from marey.core.nouns import Frame

log = logging.getLogger("marey")


@dataclass(frozen=True, slots=True)
class Info:
    """A source in a few words.

    `size` is (width, height) as displayed; `rotation` the clockwise turn in degrees that was applied to the
    stored pictures, followed by a left-right mirroring where `mirrored`; `pixel_aspect` the stored pixels'
    width / height, already undone in the frames. `rate` is in frames per second, the mean where `variable`,
    None where a single frame leaves it open. `start_s` is the container's time of the first shown frame.
    """

    name: str
    size: tuple[int, int]
    rotation: int
    mirrored: bool
    pixel_aspect: Fraction
    rate: Fraction | None
    variable: bool
    duration_s: float
    start_s: float
    codec: str
    has_audio: bool


@runtime_checkable
class Source(Protocol):
    """Frames by number: `pts` holds the time of each in ticks of `time_base`."""

    info: Info
    pts: Int64[np.ndarray, " T"]
    time_base: Fraction
    problems: "Problems"

    def decode(self, first: int, last: int) -> Iterator[Frame]:
        """Yield the frames first ≤ index < last, leaving out what cannot be decoded."""
        ...


class Problems:
    """What is wrong with a source, each thing logged once, in one line."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lines: list[str] = []

    def add(self, line: str) -> None:
        """Note a problem, and warn of it if it is new."""
        if line and line not in self._lines:
            self._lines.append(line)
            log.warning("%s: %s", self._name, line)

    def __str__(self) -> str:
        return "; ".join(self._lines)


def rate_of(
    pts: Int64[np.ndarray, " T"], time_base: Fraction, stated: Fraction | None
) -> tuple[Fraction | None, bool]:
    """Rate in frames per second and whether it varies, from the times themselves.

    Rounding to ticks, or to milliseconds in a container before this one, moves a frame of a constant rate by
    one of them at most; where that is not small beside a frame, any difference counts. A constant rate is
    the whole number of Hz, or the whole number / 1.001, that the times cannot be told from, the container's
    `stated` one if it is either; else the stated one if the times agree; else their mean.
    """
    if len(pts) < 2 or pts[-1] == pts[0]:
        return stated, False
    step = Fraction(int(pts[-1] - pts[0]), len(pts) - 1)
    grid = pts[0] + np.arange(len(pts)) * float(step)
    rounding = max(1, Fraction(1, 1000) / time_base)
    allowed = 1.01 * float(rounding) if rounding * 2 < step else 1e-6 * float(step)
    variable = bool(np.abs(pts - grid).max() > allowed)
    mean = 1 / (step * time_base)
    doubt = rounding / (len(pts) - 1) / step + Fraction(1, 10_000)
    whole = Fraction(round(mean))
    usual = (whole, Fraction(round(mean * Fraction(1001, 1000)) * 1000, 1001))
    likely = (stated, *usual) if stated in usual else (*usual, stated)
    known = [rate for rate in likely if rate and abs(rate / mean - 1) <= doubt]
    return (known[0] if known and not variable else mean.limit_denominator(1001)), variable
