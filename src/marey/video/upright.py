"""A decoded picture as marey sees it: 8-bit RGB, upright, with square pixels."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import av
import cv2
import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import Colorspace
from jaxtyping import UInt8

UNSTATED = 2
"""AVCOL_SPC_UNSPECIFIED: the stream does not state its YUV matrix."""
HD_LINES = 720
"""From this height on, an unstated matrix is BT.709's."""
ASPECT_MARGIN = Fraction(1, 100)
"""Pixel aspects closer to 1 are rounding by the encoder, not shape; they are left alone (our choice)."""
ASPECT_LIMIT = 4
"""Pixel aspects beyond this (or below its inverse) are damage, not shape, and left alone (our choice)."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One of the eight ways to put a stored picture upright: transpose first, then reverse x and y."""

    transpose: bool
    reverse_x: bool
    reverse_y: bool

    @property
    def mirrored(self) -> bool:
        """Whether the turn is not a pure rotation."""
        return (self.transpose + self.reverse_x + self.reverse_y) % 2 == 1

    @property
    def rotation(self) -> int:
        """Clockwise turn in degrees; where `mirrored`, a left-right mirroring follows it."""
        reverse_x = self.reverse_x != self.mirrored
        return {(False, False): 0, (True, True): 90, (False, True): 180, (True, False): 270}[
            (self.transpose, reverse_x)
        ]

    def apply(self, rgb: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "h w 3"]:
        """Put a stored picture upright."""
        if self.transpose:
            rgb = cv2.transpose(rgb)
        if self.reverse_x or self.reverse_y:
            rgb = cv2.flip(rgb, -1 if self.reverse_x and self.reverse_y else int(self.reverse_x))
        return rgb


def _turn(frame: av.VideoFrame) -> Turn:
    """The turn nearest to a frame's display matrix.

    ISO/IEC 14496-12, 8.3.2: (x, y) is shown at (a·x + c·y, b·x + d·y), the matrix being stored a b u c d v ….
    """
    stored = cast(Iterable[Any], frame.side_data)  # PyAV's stubs say str
    side = next((data for data in stored if data.type == SideDataType.DISPLAYMATRIX), None)
    if side is None:
        return Turn(False, False, False)
    a, b, _, c, d = np.frombuffer(side, np.int32, 5)
    if abs(int(a)) + abs(int(d)) >= abs(int(b)) + abs(int(c)):
        return Turn(False, bool(a < 0), bool(d < 0))
    return Turn(True, bool(c < 0), bool(b < 0))


@dataclass(frozen=True, slots=True)
class Upright:
    """How the pictures of one stream are to be shown, learnt from its first.

    `size` is (width, height) in square pixels before the turn, the same for every picture of the stream.
    """

    size: tuple[int, int]
    turn: Turn
    aspect: Fraction
    hd: bool

    @classmethod
    def of(cls, first: av.VideoFrame, aspect: Fraction | None) -> "Upright":
        """Learn from a first picture and the stream's pixel aspect (None: not stated)."""
        aspect = _plausible(aspect)
        width, height = first.width, first.height
        size = (round(width * aspect), height) if aspect > 1 else (width, round(height / aspect))
        return cls(size, _turn(first), aspect, height >= HD_LINES)

    @property
    def shown(self) -> tuple[int, int]:
        """(width, height) as displayed."""
        width, height = self.size
        return (height, width) if self.turn.transpose else (width, height)

    def rgb(self, frame: av.VideoFrame) -> UInt8[np.ndarray, "H W 3"]:
        """Turn a decoded picture into the one to be shown."""
        width, height = self.size
        matrix = Colorspace.ITU709 if frame.colorspace == UNSTATED and self.hd else None
        # One thread: splitting this millisecond of work costs more than it gains (measured).
        rgb = frame.to_ndarray(format="rgb24", width=width, height=height, src_colorspace=matrix, threads=1)
        return self.turn.apply(rgb)


def _plausible(aspect: Fraction | None) -> Fraction:
    aspect = aspect or Fraction(1)
    sound = Fraction(1, ASPECT_LIMIT) <= aspect <= ASPECT_LIMIT
    return aspect if sound and abs(aspect - 1) > ASPECT_MARGIN else Fraction(1)
