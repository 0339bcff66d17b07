"""PoseTrack 2018 and PoseTrack21: people followed through short videos.

Andriluka et al., CVPR 2018; Döring et al., CVPR 2022: two kinds, `posetrack18` and `posetrack21`, one format.
Layout: `annotations/{train,val}/VIDEO.json` or `posetrack_data/{train,val}/VIDEO.json`; pictures where
`file_name` says (`images/val/VIDEO/000000.jpg`).
Conventions: COCO's (`coco_json`), 17 joints of which the ears are never filled, the person's sides. `ids` are
tracks; `head_px` is 0.6 × the diagonal of `bbox_head` (poseval); outlines of places that count neither way
(`ignore_regions_x/y`) are `regions_px`. Frames that were not labelled (`is_labeled`) are left out.
Splits: train and val are the official folders; papers report on val. Test has no public labels.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from marey.core.skeletons import POSETRACK18
from marey.data.coco_json import Image, read_images, size_of, truth_of
from marey.data.files import Samples, chosen, need, read_picture
from marey.data.nodes import Node
from marey.data.sample import Sample

HEAD_SHARE = 0.6


def open(kind: str, path: Path, split: str) -> Samples:
    """The labelled frames of a split, video by video."""
    folder = path / ("posetrack_data" if (path / "posetrack_data").is_dir() else "annotations")
    need(folder, "the folder of annotation files")
    parts = [part for part in ("train", "val") if split in ("all", part)]
    files = [file for part in parts for file in sorted((folder / part).glob("*.json"))]
    keys = [(file.stem, image) for file in files for image in read_images(file) if _labelled(image)]
    return Samples(chosen(keys, path, kind, split), partial(_sample, kind, path))


def _labelled(key: Image) -> bool:
    image, _ = key
    return not image.has("is_labeled") or bool(image["is_labeled"].value)


def _sample(kind: str, path: Path, key: tuple[str, Image]) -> Sample:
    video, (image, notes) = key
    truth = truth_of(POSETRACK18, notes, "track_id")
    heads = np.array([_head(note) for note in notes], np.float32)
    file = image["file_name"].text()
    name = f"{video}/{Path(file).stem}"
    load, regions = partial(read_picture, path / file), _regions(image)
    return Sample(kind, name, video, size_of(image), replace(truth, head_px=heads), load, regions_px=regions)


def _head(note: Node) -> float:
    return (
        HEAD_SHARE * float(np.hypot(*note["bbox_head"].array((4,))[2:])) if note.has("bbox_head") else np.nan
    )


def _regions(image: Node) -> tuple[np.ndarray, ...]:
    if not image.has("ignore_regions_x"):
        return ()
    across, down = image["ignore_regions_x"], image["ignore_regions_y"]
    if len(across) != len(down):
        raise down.error(f"{len(across)} regions expected, as in ignore_regions_x, {len(down)} found")
    sides = zip(across, down, strict=True)
    return tuple(np.stack([x.array((None,)), y.array((len(x),))], -1) for x, y in sides)
