"""What a person looks like, in 64 numbers: colours of four horizontal stripes of the box.

Our choice: it costs a tenth of a millisecond and no network, and within one clip clothes tell people apart
better than anything else so cheap. Each stripe holds eight bins of hue, weighted by saturation, and eight of
brightness, weighted by what is left; the square roots make the dot product of two looks a Bhattacharyya
coefficient (1: same, 0: nothing in common).
"""

import cv2
import numpy as np
from jaxtyping import Float, Float16, Float64, UInt8

from marey.core.nouns import no_looks

STRIPES, BINS = 4, 8
SIZE = (12, 32)
"""Width and height a box is shrunk to: enough for a histogram of eight bins a stripe."""
WIDTH = 2
"""A value counts in bins up to so many away."""
MARGIN = 0.2
"""Share of the box's width left out on each side: background."""


def looks(rgb: UInt8[np.ndarray, "H W 3"], boxes_px: Float[np.ndarray, "N 4"]) -> Float16[np.ndarray, "N 64"]:
    """Appearance of each box, of unit length; NaN where a box covers no pixel."""
    result = no_looks(len(boxes_px))
    height, width = rgb.shape[:2]
    for k, (x0, y0, x1, y1) in enumerate(boxes_px):
        inset = MARGIN * (x1 - x0)
        left, right = np.clip([round(float(x0 + inset)), round(float(x1 - inset))], 0, width)
        top, bottom = np.clip([round(float(y0)), round(float(y1))], 0, height)
        if right > left and bottom > top:
            result[k] = _look(rgb[top:bottom, left:right])
    return result


def _shares(wraps: bool) -> Float64[np.ndarray, "256 8"]:
    """How a value from 0 to 255 is shared out among the bins: falling over two, as light moves it."""
    apart = np.abs((np.arange(256)[:, None] + 0.5) / 256 * BINS - (np.arange(BINS) + 0.5))
    near = np.maximum(1 - (np.minimum(apart, BINS - apart) if wraps else apart) / WIDTH, 0)
    return near / near.sum(1, keepdims=True)


_HUES, _BRIGHTNESSES = _shares(wraps=True), _shares(wraps=False)


def _look(part: UInt8[np.ndarray, "h w 3"]) -> Float64[np.ndarray, " 64"]:
    small = cv2.resize(part, SIZE, interpolation=cv2.INTER_AREA)
    hue, saturation, value = np.moveaxis(cv2.cvtColor(small, cv2.COLOR_RGB2HSV_FULL), -1, 0)
    coloured = saturation[..., None] / 255
    shares = np.concatenate([_HUES[hue] * coloured, _BRIGHTNESSES[value] * (1 - coloured)], -1)
    stripes = shares.reshape(STRIPES, -1, 2 * BINS).mean(1) / STRIPES
    return np.sqrt(stripes.ravel())
