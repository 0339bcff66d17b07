"""What a detector offers, and the parts that every detector needs: fitting a picture in, dropping duplicates.

Conventions: boxes x0 y0 x1 y1 in px, rgb uint8. A picture is fitted in at the top left corner of the
network's input, aspect kept; what is left over at the right and below is grey.
"""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from marey.core.geometry import Crop, box_iou

GREY = 114
"""Value of the padding: near the middle of the range (YOLO's)."""
MULTIPLE = 32
"""Sides of the input are multiples of the coarsest stride."""

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
