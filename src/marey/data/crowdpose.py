"""CrowdPose: 20,000 stills of crowds, people in each other's way (Li et al., CVPR 2019).

Layout: `json/crowdpose_{train,val,test}.json` (or in `annotations/`, or `crowdpose_trainval.json`), pictures
in `images/`.
Conventions: COCO's (`coco_json`), 14 joints, the person's sides. `areas_px` is 0.53 · w · h of the box,
always, as the official code has it. `crowd_index` is the image's: easy < 0.2, hard ≥ 0.8. Everybody labelled
has a box, but people too small or hidden were left out, so `boxed_all` is False.
Splits: train, val, test are the official files; `crowdpose_trainval.json` stands for train where that is
missing (papers train on both).
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from marey.core.geometry import box_sizes
from marey.core.skeletons import CROWDPOSE14
from marey.data.coco_json import Image, read_images, size_of, truth_of
from marey.data.files import Samples, chosen, need, read_picture
from marey.data.sample import Sample

AREA_SHARE = 0.53
FILES = {"train": ("train", "trainval"), "val": ("val",), "test": ("test",)}


def open(path: Path, split: str) -> Samples:
    """The images of a split in the files' order."""
    folder = path / ("json" if (path / "json").is_dir() else "annotations")
    found = [_file(folder, FILES[part]) for part in FILES if split in ("all", part)]
    files = [file for file in found if file.exists()]
    if not files:
        need(found[0], "the annotation file")
    keys = [image for file in files for image in read_images(file)]
    return Samples(chosen(keys, path, "crowdpose", split), partial(_sample, path))


def _file(folder: Path, parts: tuple[str, ...]) -> Path:
    files = [folder / f"crowdpose_{part}.json" for part in parts]
    return next((file for file in files if file.exists()), files[0])


def _sample(path: Path, key: Image) -> Sample:
    image, notes = key
    file = image["file_name"].text()
    truth = truth_of(CROWDPOSE14, notes, "id")
    areas = (AREA_SHARE * box_sizes(truth.boxes_px).prod(-1)).astype(np.float32)
    load = partial(read_picture, path / "images" / file)
    return Sample(
        "crowdpose", Path(file).stem, Path(file).stem, size_of(image), replace(truth, areas_px=areas), load,
        crowd_index=image["crowdIndex"].number(),
    )  # fmt: skip
