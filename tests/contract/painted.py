"""Painted videos, and networks that read the paint: stand-ins for trained ones.

A video shows bright rectangles that walk over black. A method that is not known here needs a stand-in of its
own: a function of its settings in `STAND_INS`.
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from marey.core.nouns import Frame, People, no_looks
from marey.core.stages import Arrays, Method, Network
from marey.methods.detector import cells, encode

SIZE = (160, 96)
RATE = 25.0


def boxes_at(index: int) -> np.ndarray:
    """Two people who walk towards each other, and one who stands there for part of the time."""
    boxes = [[10 + index, 20, 30 + index, 80], [130 - index / 2, 30, 150 - index / 2, 90]]
    if 12 <= index < 30:
        boxes.append([70, 4, 82, 40])
    return np.round(np.array(boxes, np.float32))


def frame(index: int, blank: bool = False) -> Frame:
    """One frame of the video, or one that shows nothing."""
    rgb = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    if not blank:
        for k, (x0, y0, x1, y1) in enumerate(boxes_at(index).astype(int)):
            rgb[y0:y1, x0:x1] = (255, 200 - 40 * k, 150 + 30 * k)
    return Frame(index, index / RATE, rgb)


def people(index: int, blank: bool = False) -> People:
    """The people of a frame as the finder should give them."""
    shown = frame(index, blank)
    boxes = boxes_at(index) if not blank else np.zeros((0, 4), np.float32)
    count = len(boxes)
    return People(
        shown,
        boxes,
        np.full(count, 0.9, np.float32),
        np.arange(1, count + 1, dtype=np.int64),
        no_looks(count),
    )


def items(method: Method, indices: range, blank_after: int | None = None) -> list[Any]:
    """What the method's stage takes in, for some frames."""
    make = frame if "find" in method.kinds else people
    return [make(k, blank_after is not None and k > blank_after) for k in indices]


def _detector(settings: Any) -> Network:
    """Every cell on a bright patch says the patch's box."""

    def run(inputs: Arrays) -> Arrays:
        rgb = inputs["rgb"]
        points = cells((rgb.shape[2], rgb.shape[1]))
        scores, said = [], []
        for picture in rgb:
            bright = (picture.max(-1) > 127).astype(np.uint8)
            _, labels, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=4)
            label = labels[points[:, 1].astype(int), points[:, 0].astype(int)]
            x, y, w, h = stats[label, :4].T.astype(np.float32)
            box = np.stack([x, y, x + w, y + h], -1)
            near = np.concatenate([points[:, :2] - 1, points[:, :2] + 1], -1)
            on = (label > 0) & (box[:, :2] <= near[:, :2]).all(-1) & (box[:, 2:] >= near[:, 2:]).all(-1)
            scores.append(np.where(on, 4.0, -9.0))
            said.append(encode(np.where(on[:, None], box, near), points))
        return {"score": np.array(scores, np.float32), "box": np.array(said, np.float32)}

    return run


def _baseline(settings: Any) -> Network:
    """Joint j's map is the picture, shrunk and moved by j cells: it depends on every pixel of the crop."""
    from marey.methods.baseline import SKELETONS, codec

    columns, rows = codec(settings).cells
    joints = len(SKELETONS[settings.skeleton])

    def run(inputs: Arrays) -> Arrays:
        maps = np.zeros((len(inputs["rgb"]), joints, rows, columns), np.float32)
        for k, picture in enumerate(inputs["rgb"]):
            grey = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA).mean(-1) + 1e-3
            for joint in range(joints):
                moved = np.roll(grey**2, joint - joints // 2, axis=1)
                maps[k, joint] = moved / moved.sum()
        return {"heat": maps}

    return run


def _clnet(settings: Any) -> Network:
    """The same maps, and offsets that depend on the picture as well."""
    from marey.methods.clnet import SKELETONS, codec

    columns, rows = codec(settings).cells
    joints = len(SKELETONS[settings.skeleton])

    def run(inputs: Arrays) -> Arrays:
        maps = np.zeros((len(inputs["rgb"]), joints, rows, columns), np.float32)
        for k, picture in enumerate(inputs["rgb"]):
            grey = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA).mean(-1) + 1e-3
            for joint in range(joints):
                moved = np.roll(grey**2, joint - joints // 2, axis=1)
                maps[k, joint] = moved / moved.sum()
        return {"heat": maps, "offset": np.stack([maps % 1, 1 - maps % 1], 2)}

    return run


STAND_INS: dict[str, Callable[[Any], Network]] = {
    "detector": _detector,
    "baseline": _baseline,
    "clnet": _clnet,
}
