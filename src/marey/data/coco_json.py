"""What label files in COCO's JSON share: images, their annotations, keypoints in threes.

Conventions: `bbox` is x, y, width, height on pixel edges, as ours. Keypoints are indices of clicked pixels,
so 0.5 is added to reach the pixel's centre; v = 0 not labelled, 1 occluded, 2 visible.
"""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

from marey.core.skeletons import Skeleton
from marey.data.nodes import Node, read_json
from marey.data.sample import State, Truth, people

Image = tuple[Node, list[Node]]
"""An image of a file and its annotations."""


def read_images(file: Path) -> list[Image]:
    """All images of a file with their annotations, in the file's order."""
    root = read_json(file, "the annotation file")
    notes: dict[int, list[Node]] = defaultdict(list)
    for note in root["annotations"]:
        notes[note["image_id"].whole()].append(note)
    return [(image, notes[image["id"].whole()]) for image in root["images"]]


def size_of(image: Node) -> tuple[int, int]:
    """(width, height)."""
    return image["width"].whole(), image["height"].whole()


def truth_of(skeleton: Skeleton, notes: list[Node], ids: str) -> Truth:
    """The people of an image; `ids` is the field that says who they are. Boxes are the file's where given."""
    count = len(skeleton)
    joints = [note["keypoints"].array((count * 3,)) for note in notes]
    stacked = np.array(joints, np.float64).reshape(len(notes), count, 3)
    state = np.clip(stacked[..., 2], State.UNLABELLED, State.VISIBLE).astype(np.uint8)
    truth = people(skeleton, stacked[..., :2] + 0.5, state)
    boxes = np.array([_box(note, tight) for note, tight in zip(notes, truth.boxes_px, strict=True)])
    return replace(
        truth,
        boxes_px=boxes.reshape(-1, 4).astype(np.float32),
        ids=np.array([note[ids].whole() for note in notes], np.int64),
        ignore=np.array([note.has("iscrowd") and bool(note["iscrowd"].number()) for note in notes], bool),
    )


def _box(note: Node, tight: np.ndarray) -> np.ndarray:
    if not note.has("bbox"):
        return tight
    x, y, width, height = note["bbox"].array((4,))
    return np.array([x, y, x + width, y + height])
