"""People to crops in batches: the people of several frames share one batch.

Conventions: a crop, a square of `side` pixels or `side` = (width, height), shows the region about a box's
centre that has the crop's shape and just holds the box, grown by `padding`; outside the picture it is black
(0), as in training.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from marey.core.geometry import Crop, Side, crop_boxes, size_of
from marey.core.nouns import People


@dataclass(frozen=True, slots=True)
class Cut:
    """Crops rgb (N, h, w, 3) of some frames; `frames` holds each frame's people and rows in `rgb`."""

    rgb: UInt8[np.ndarray, "N h w 3"]
    crops: tuple[Crop, ...]
    frames: tuple[tuple[People, slice], ...]

    def to_image(self, xy: Float32[np.ndarray, "N J 2"], rows: slice) -> Float32[np.ndarray, "n J 2"]:
        """Joints of one frame's rows, from crop to image pixels."""
        found = [crop.to_image(own) for crop, own in zip(self.crops[rows], xy[rows], strict=True)]
        return np.stack(found) if found else np.zeros((0, *xy.shape[1:]), np.float32)


def cut_people(people: Iterator[People], side: Side, padding: float, batch: int) -> Iterator[Cut]:
    """Cut people out of their frames, whole frames together until a batch is full.

    A batch closes with the frame that fills it, and after `batch` frames even if nobody is on them: what is
    held back is bounded, and how the frames are grouped changes no result.
    """
    waiting: list[People] = []
    count = 0
    for item in people:
        waiting.append(item)
        count += len(item)
        if count >= batch or len(waiting) >= batch:
            yield _cut(waiting, side, padding)
            waiting, count = [], 0
    if waiting:
        yield _cut(waiting, side, padding)


def person_crops(boxes_px: Float32[np.ndarray, "N 4"], side: Side, padding: float) -> tuple[Crop, ...]:
    """The crops of boxes."""
    width, height = size_of(side)
    return tuple(Crop(box, (width, height)) for box in crop_boxes(boxes_px, width / height, padding))


def _cut(waiting: list[People], side: Side, padding: float) -> Cut:
    crops: list[Crop] = []
    pictures: list[np.ndarray] = []
    frames: list[tuple[People, slice]] = []
    for item in waiting:
        own = person_crops(item.boxes_px, side, padding)
        frames.append((item, slice(len(crops), len(crops) + len(own))))
        crops.extend(own)
        pictures.extend(crop.cut(item.frame.rgb) for crop in own)
    width, height = size_of(side)
    rgb = np.stack(pictures) if pictures else np.zeros((0, height, width, 3), np.uint8)
    return Cut(rgb, tuple(crops), tuple(frames))
