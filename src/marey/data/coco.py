"""COCO person keypoints (Lin et al., ECCV 2014), official JSON.

Layout: `annotations/person_keypoints_{train,val}2017.json`, pictures in `train2017/`, `val2017/`.
Conventions: `bbox` is x, y, width, height on pixel edges, as ours. Keypoints are indices of clicked pixels
(whole numbers in the official files), so 0.5 is added to reach the pixel's centre (as Detectron2 does);
v = 0 not labelled, 1 occluded, 2 visible. `areas_px` is the file's `area` (segment, or 0.53·w·h).
Splits: val = val2017 images with (id // 7) % 5 == 1 (ours), train = the other val2017 images and train2017,
all = every annotation file found; the official test part has no public labels.
Crowds are ignore regions. A file without a single crowd flag has lost them: there a joint-less box that
holds two others at 80 % is one. A file in which everybody has joints has lost the other people, so
`boxed_all` is False.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32

from marey.core.errors import DataError
from marey.core.skeletons import COCO17
from marey.data.files import Samples, chosen, need, read_picture
from marey.data.sample import Sample, State, Truth

PARTS = {"all": ("val2017", "train2017"), "train": ("val2017", "train2017"), "val": ("val2017",), "test": ()}
CROWD_HOLDS, CROWD_SHARE = 2, 0.8
"""A joint-less box is a crowd where it holds this many others by this share of their area (our choice)."""


def open(path: Path, split: str) -> Samples:
    """The images of a split, those without people included."""
    found = [part for part in PARTS[split] if _file(path, part).exists()]
    if not found and PARTS[split]:
        need(_file(path, PARTS[split][0]), "the annotation file")
    keys = list(chain.from_iterable(_images(path, part, split) for part in found))
    return Samples(chosen(keys, path, "coco", split), partial(_sample, path))


def _file(path: Path, part: str) -> Path:
    return path / "annotations" / f"person_keypoints_{part}.json"


def _images(path: Path, part: str, split: str) -> Iterable[tuple[str, dict[str, Any], list[Any], bool, bool]]:
    file = _file(path, part)
    try:
        held = json.loads(file.read_text())
        images, notes = held["images"], held["annotations"]
        people = defaultdict(list)
        for note in notes:
            people[note["image_id"]].append(note)
        flagged = any(note.get("iscrowd", 0) for note in notes)
        boxed_all = any(note["num_keypoints"] == 0 for note in notes)
        return [
            (part, image, people[image["id"]], flagged, boxed_all)
            for image in images
            if part != "val2017" or split == "all" or ((image["id"] // 7) % 5 == 1) == (split == "val")
        ]
    except ValueError as error:
        raise DataError(f"{file}: not JSON ({error}); fetch it again") from error
    except (KeyError, TypeError) as error:
        raise DataError(f"{file}: field {error} is missing; COCO person keypoints are expected") from error


def _sample(path: Path, key: tuple[str, dict[str, Any], list[dict[str, Any]], bool, bool]) -> Sample:
    part, image, notes, flagged, boxed_all = key
    try:
        truth = _truth(notes, flagged)
        size = (int(image["width"]), int(image["height"]))
        picture = path / part / image["file_name"]
    except KeyError as error:
        raise DataError(f"{_file(path, part)}: image {image.get('id')}: field {error} is missing") from error
    except ValueError as error:
        where = f"{_file(path, part)}: image {image.get('id')}"
        raise DataError(f"{where}: `keypoints` must be 17 × 3 numbers and `bbox` 4 ({error})") from error
    name = f"{part}/{Path(image['file_name']).stem}"
    return Sample("coco", name, name, size, truth, partial(read_picture, picture), boxed_all)


def _truth(notes: list[dict[str, Any]], flagged: bool) -> Truth:
    joints = np.array([note["keypoints"] for note in notes], np.float32).reshape(len(notes), 17, 3)
    state = joints[..., 2].astype(np.uint8)
    xy = np.where(
        (state > State.UNLABELLED)[..., None], joints[..., :2] + np.float32(0.5), np.float32(np.nan)
    )
    boxes = np.array([note["bbox"] for note in notes], np.float32).reshape(len(notes), 4)
    boxes[:, 2:] += boxes[:, :2]
    crowd = np.array([bool(note.get("iscrowd", 0)) for note in notes], bool)
    nothing = np.full(len(notes), np.nan, np.float32)
    return Truth(
        skeleton=COCO17,
        xy_px=xy,
        state=state,
        boxes_px=boxes,
        ids=np.array([note["id"] for note in notes], np.int64),
        areas_px=np.array([note["area"] for note in notes], np.float32),
        torso_px=nothing,
        head_px=nothing,
        ignore=crowd if flagged else _likely_crowds(boxes, np.any(state > 0, axis=-1)),
    )


def _likely_crowds(
    boxes: Float32[np.ndarray, "N 4"], posed: Bool[np.ndarray, " N"]
) -> Bool[np.ndarray, " N"]:
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(-1)
    held = np.clip(high - low, 0, None).prod(-1) >= CROWD_SHARE * np.maximum(areas, 1e-6)
    np.fill_diagonal(held, False)
    return ~posed & (held.sum(1) >= CROWD_HOLDS)
