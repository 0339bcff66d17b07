"""Our own person detector: one class, no anchors, pictures of any aspect.

Paper: none of its own; the layers of YOLOX-nano (Ge et al. 2021, arXiv:2107.08430), from whose weights it
starts, scores trained as expected IoU (VarifocalNet, Zhang et al., CVPR 2021). Twin: `networks/detector.py`.
Conventions: Frames in, People out; boxes in px of the frame, clipped to it; a score is the chance that a
box is a person times how well it fits. Cells are listed level by level (strides 8, 16, 32), row by row; a
cell of stride s looks from the point (s·(column + ½), s·(row + ½)), and `box` is the middle of its person
seen from there, in strides, and ln of width and height in strides. The detector looks at every N-th frame by
the frame's own index, so that nothing depends on where reading began;
`people.track` follows people and fills the frames between. Where it has lost somebody, the detector looks
again from near (`again`): people who are small, dim or before a like background are found there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import final

import numpy as np
from jaxtyping import Float32, UInt8

from marey.core.nouns import Frame, People
from marey.core.stages import Method, Network
from marey.people.detect import GREY, Found, fitted, near, suppress, uncut
from marey.people.track import Tracking, track

STRIDES = (8, 16, 32)
FURTHEST = 6.0
"""ln of the largest side in strides; far beyond any input, it only keeps the exponential finite."""


@dataclass(frozen=True, slots=True)
class Detector:
    """Settings."""

    side: int = 416  # longer side of the network's input, px
    score: float = 0.1  # boxes below are dropped
    overlap: float = 0.6  # IoU above which the worse of two boxes is a duplicate
    most: int = 100  # boxes a picture
    every: int = 3  # look at every N-th frame
    again: int = 4  # people lost whom one look searches again from near, at most
    batch: int = 1  # pictures in one call of the network; more pays on an accelerator only
    # scores are expected IoU: half of all people reach 0.4 on COCO, one in view of a camera 0.7 and more; on
    # our clips the ids and the empty frames are the same from 0.35 to 0.5 (LOG.md)
    tracking: Tracking = field(default_factory=lambda: Tracking(high=0.4, low=0.1, start=0.45, sure=0.6))


@final
class Finder:
    """The detector on single pictures (`people.detect.Detector`)."""

    def __init__(self, settings: Detector, network: Network):
        self.settings, self.network = settings, network

    def detect(self, images: list[UInt8[np.ndarray, "_ _ 3"]]) -> list[Found]:
        """Boxes and scores of each picture, best first; pictures of one shape share a call."""
        found: dict[int, Found] = {}
        shapes = [image.shape for image in images]
        for shape in dict.fromkeys(shapes):
            numbers = [k for k, other in enumerate(shapes) if other == shape]
            for at in range(0, len(numbers), self.settings.batch):
                part = numbers[at : at + self.settings.batch]
                found.update(zip(part, self._alike([images[k] for k in part]), strict=True))
        return [found[k] for k in range(len(images))]

    def again(self, rgb: UInt8[np.ndarray, "H W 3"], expected: Float32[np.ndarray, "K 4"]) -> Found:
        """What is seen from near where people are expected; those whom a view cuts off are left out."""
        size = (rgb.shape[1], rgb.shape[0])
        squares = [square for square in near(expected[: self.settings.again], size) if square.any()]
        views = [rgb[y0:y1, x0:x1] for x0, y0, x1, y1 in squares]
        boxes, scores = [np.zeros((0, 4), np.float32)], [np.zeros(0, np.float32)]
        for square, (own, sure) in zip(squares, self.detect(views), strict=True):
            placed = own + np.tile(square[:2], 2).astype(np.float32)
            whole = uncut(placed, square, size)
            boxes.append(placed[whole])
            scores.append(sure[whole])
        together, surest = np.concatenate(boxes), np.concatenate(scores)
        kept = suppress(together, surest, self.settings.overlap, self.settings.most)
        return together[kept], surest[kept]

    def _alike(self, images: list[UInt8[np.ndarray, "H W 3"]]) -> list[Found]:
        """Pictures of one shape."""
        height, width = images[0].shape[:2]
        crop = fitted((width, height), self.settings.side)
        outputs = self.network({"rgb": np.stack([crop.cut(image, GREY) for image in images])})
        limits = np.array([width, height, width, height], np.float32)
        results: list[Found] = []
        for score, box in zip(outputs["score"], outputs["box"], strict=True):
            boxes, scores = decode(score, box, crop.size, self.settings.score)
            boxes = np.clip(crop.to_image(boxes.reshape(-1, 2)).reshape(-1, 4), 0, limits)
            whole = (boxes[:, 2:] > boxes[:, :2]).all(1)
            boxes, scores = boxes[whole], scores[whole]
            kept = suppress(boxes, scores, self.settings.overlap, self.settings.most)
            results.append((boxes[kept], scores[kept]))
        return results


def cells(size: tuple[int, int]) -> Float32[np.ndarray, "A 3"]:
    """x, y of every cell's point in input px, and its stride, for an input of (width, height)."""
    levels: list[np.ndarray] = []
    for stride in STRIDES:
        y, x = np.mgrid[: size[1] // stride, : size[0] // stride].reshape(2, -1)
        levels.append(np.stack([(x + 0.5) * stride, (y + 0.5) * stride, np.full(len(x), stride)], 1))
    return np.concatenate(levels).astype(np.float32)


def decode(
    score: Float32[np.ndarray, " A"], box: Float32[np.ndarray, "A 4"], size: tuple[int, int], least: float
) -> tuple[Float32[np.ndarray, "N 4"], Float32[np.ndarray, " N"]]:
    """Boxes in input px and scores of the cells whose score is at least `least`."""
    scores = 1 / (1 + np.exp(-score.astype(np.float64)))
    chosen = scores >= least
    points, box = cells(size)[chosen], box[chosen]
    middle = points[:, :2] + box[:, :2] * points[:, 2:]
    half = np.exp(np.clip(box[:, 2:], -FURTHEST, FURTHEST)) * points[:, 2:] / 2
    return np.concatenate([middle - half, middle + half], 1), scores[chosen].astype(np.float32)


def encode(
    boxes: Float32[np.ndarray, "A 4"], points: Float32[np.ndarray, "A 3"]
) -> Float32[np.ndarray, "A 4"]:
    """What cells say of boxes: `decode`'s inverse."""
    strides = points[:, 2:]
    middle = ((boxes[:, :2] + boxes[:, 2:]) / 2 - points[:, :2]) / strides
    return np.concatenate([middle, np.log((boxes[:, 2:] - boxes[:, :2]) / strides)], 1)


def stage(frames: Iterator[Frame], settings: Detector, network: Network) -> Iterator[People]:
    """Find and follow the people of a video."""
    finder = Finder(settings, network)
    again = finder.again if settings.again else None
    return track(_looked(frames, settings, finder), settings.tracking, settings.every, again)


def _looked(
    frames: Iterator[Frame], settings: Detector, finder: Finder
) -> Iterator[tuple[Frame, Found | None]]:
    """Frames with what was found on them, None where nobody looked; the first one is always looked at."""
    waiting: list[tuple[Frame, bool]] = []
    for number, frame in enumerate(frames):
        waiting.append((frame, number == 0 or frame.index % settings.every == 0))
        looks = sum(look for _, look in waiting)
        if looks in (0, settings.batch):  # a frame that nobody looks at waits only behind one that is
            yield from _found(waiting, finder)
            waiting = []
    yield from _found(waiting, finder)


def _found(waiting: list[tuple[Frame, bool]], finder: Finder) -> Iterator[tuple[Frame, Found | None]]:
    results = iter(finder.detect([frame.rgb for frame, look in waiting if look]))
    for frame, look in waiting:
        yield frame, next(results) if look else None


def ahead(settings: Detector) -> int:
    """Frames of future: the tracker's, and those that fill a batch."""
    return settings.tracking.ahead(settings.every) + (settings.batch - 1) * settings.every


METHOD = Method("detector", "ours", ("find",), Detector, ahead, stage)
