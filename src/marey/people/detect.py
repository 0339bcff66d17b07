"""What a detector offers, and the parts that every detector needs: fitting a picture in, dropping duplicates.

Conventions: boxes x0 y0 x1 y1 in px, rgb uint8. A picture is fitted in at the top left corner of the
network's input, aspect kept; what is left over at the right and below is grey.
"""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

from marey.core.geometry import Crop, box_iou

GREY = 114
"""Value of the padding: near the middle of the range (YOLO's)."""
MULTIPLE = 32
"""Sides of the input are multiples of the coarsest stride."""

NEAR = 2.6
"""Side of a view from near, in longer sides of the box (our choice: 1.3 times as far each way as a person is
tall; people then fill as much of the view as they do of pictures that detectors learn from)."""
NEARER = 1.5
"""A view from near shows people at least this many times larger, or is not worth it."""
EDGE = 0.02
"""A box that ends nearer to the edge of a view, in its sides, is taken to be cut off there."""

Found = tuple[Float32[np.ndarray, "_ 4"], Float32[np.ndarray, " _"]]
"""Boxes and scores of one picture, best first."""


@runtime_checkable
class Detector(Protocol):
    """Finds the people of pictures."""

    def detect(self, images: list[UInt8[np.ndarray, "_ _ 3"]]) -> list[Found]:
        """Boxes in px and scores of each picture."""
        ...


def fitted(size: tuple[int, int], side: int) -> Crop:
    """The map that fits a picture of `size` = (width, height) into an input whose longer side is `side`.

    The input's shorter side is as short as the picture allows, so that a wide picture costs less than a
    square one.
    """
    scale = side / max(size)
    width, height = (max(MULTIPLE, -(-round(length * scale) // MULTIPLE) * MULTIPLE) for length in size)
    return Crop(np.array([0, 0, width / scale, height / scale], np.float32), (width, height))


def near(boxes: Float32[np.ndarray, "K 4"], size: tuple[int, int]) -> Int64[np.ndarray, "K 4"]:
    """Squares about boxes, as far as they lie in a picture of `size` = (width, height).

    Where the box's middle is out of the picture or a view from near would show it hardly larger, the square
    is empty.
    """
    limits = np.array([*size, *size])
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = NEAR / 2 * (boxes[:, 2:] - boxes[:, :2]).max(1, keepdims=True)
    squares = np.clip(np.rint(np.concatenate([middle - half, middle + half], 1)), 0, limits).astype(np.int64)
    seen = ((middle >= 0) & (middle < limits[:2])).all(1)
    sides = squares[:, 2:] - squares[:, :2]
    seen &= (sides > 0).all(1) & (sides.max(1) * NEARER <= max(size))
    return np.where(seen[:, None], squares, 0)


def uncut(
    boxes: Float32[np.ndarray, "N 4"], square: Int64[np.ndarray, " 4"], size: tuple[int, int]
) -> Bool[np.ndarray, " N"]:
    """Whether boxes in the picture end before the edges of a view of it, unless the picture ends there."""
    margin = EDGE * (square[2:] - square[:2]).max()
    first = (boxes[:, :2] >= square[:2] + margin) | (square[:2] == 0)
    last = (boxes[:, 2:] <= square[2:] - margin) | (square[2:] == np.array(size))
    return (first & last).all(1)


def suppress(
    boxes: Float32[np.ndarray, "N 4"], scores: Float32[np.ndarray, " N"], most_iou: float, most: int
) -> Int64[np.ndarray, " K"]:
    """Which boxes stay, best first: none overlaps a better one by more than `most_iou` (greedy NMS)."""
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while len(order) and len(kept) < most:
        best, order = order[0], order[1:]
        kept.append(int(best))
        order = order[box_iou(boxes[best : best + 1], boxes[order])[0] <= most_iou]
    return np.array(kept, np.int64)
