"""A contact sheet: a few moments of a video on one page, each with its time."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import UInt8

from marey.core.errors import VideoError
from marey.core.nouns import Frame

Picture = UInt8[np.ndarray, "_ _ 3"]

TILES = 12
"""Moments on a sheet (our choice)."""
TILE_PX = 480
"""Longer side of a moment; three or four of them are as wide as a screen."""
GAP_PX = 6
PAGE_ASPECT = 4 / 3
PAPER = (255, 255, 255)


def moments(count: int, tiles: int = TILES) -> list[int]:
    """Places of `tiles` moments in `count` frames: the middles of equal stretches; all if there are fewer."""
    tiles = min(tiles, count)
    return [(2 * k + 1) * count // (2 * tiles) for k in range(tiles)]


def tile(frame: Frame, longer_px: int = TILE_PX) -> Picture:
    """A frame made small (never larger), its time on a dark plate in the lower left corner."""
    height, width = frame.rgb.shape[:2]
    scale = min(1.0, longer_px / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(frame.rgb, size, interpolation=cv2.INTER_AREA)
    text, letters = f"{frame.time_s:.2f} s", max(0.3, 0.5 * max(size) / TILE_PX)
    (wide, high), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, letters, 1)
    left, top = min(size[0], wide + 2 * below), max(0, size[1] - high - 2 * below)
    small[top:, :left] //= 3
    white, place = (255, 255, 255), (below, size[1] - below)
    cv2.putText(small, text, place, cv2.FONT_HERSHEY_SIMPLEX, letters, white, 1, cv2.LINE_AA)
    return small


def sheet(tiles: Sequence[Picture], columns: int | None = None) -> Picture:
    """Lay tiles out row by row, in so many columns that the page is about 4:3 if none are asked for.

    Tiles of different sizes stand in the middle of cells as large as the largest.

    Raises
    ------
    VideoError
        If there is no tile.
    """
    if not tiles:
        raise VideoError("contact sheet: there is no frame to show")
    height, width = (max(t.shape[axis] for t in tiles) for axis in (0, 1))
    columns = columns or min(len(tiles), math.ceil(math.sqrt(len(tiles) * PAGE_ASPECT * height / width)))
    rows = math.ceil(len(tiles) / columns)
    page = np.empty((rows * (height + GAP_PX) - GAP_PX, columns * (width + GAP_PX) - GAP_PX, 3), np.uint8)
    page[:] = PAPER
    for k, picture in enumerate(tiles):
        high, wide = picture.shape[:2]
        top = k // columns * (height + GAP_PX) + (height - high) // 2
        left = k % columns * (width + GAP_PX) + (width - wide) // 2
        page[top : top + high, left : left + wide] = picture
    return page


def png(page: Picture) -> bytes:
    """Encode a page."""
    return cv2.imencode(".png", cv2.cvtColor(page, cv2.COLOR_RGB2BGR))[1].tobytes()
