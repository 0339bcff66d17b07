"""Penn-Fudan pedestrians: 170 street pictures with masks of people (Wang et al., ACCV 2007).

Layouts, told apart by the folder found: official `PNGImages/NAME.png` and `PedMasks/NAME_mask.png`;
compact `images/NAME.jpg` and `masks/NAME.png`. A mask holds 0 for background and k for person k.
Conventions: boxes are tight on the masks, edge-based; no joints. Far and hidden people are not
labelled, so `boxed_all` is False. No split of its own: everything is train.
"""

from functools import partial
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from marey.core.errors import DataError
from marey.data.files import Samples, chosen, need, picture_size, read_picture
from marey.data.sample import Sample, Truth, only_boxes


def open(path: Path, split: str) -> Samples:
    """The pictures in the order of their names."""
    images = need(path / ("PNGImages" if _official(path) else "images"), "the folder of pictures")
    keys = sorted(p for p in images.iterdir() if p.suffix in (".png", ".jpg"))
    keys = keys if split in ("all", "train") else []
    return Samples(chosen(keys, path, "pennfudan", split), partial(_sample, path))


def read_mask(path: Path, name: str) -> UInt8[np.ndarray, "H W"]:
    """The mask of a picture of the set at `path`: 0 for background, k for person k."""
    place = f"PedMasks/{name}_mask.png" if _official(path) else f"masks/{name}.png"
    mask = cv2.imread(str(need(path / place, "the mask")), cv2.IMREAD_UNCHANGED)
    if mask is None or mask.ndim != 2:
        raise DataError(f"{path / place}: a grey mask is expected; fetch this file again")
    return mask  # pyright: ignore[reportReturnType]


def _official(path: Path) -> bool:
    return (path / "PNGImages").is_dir()


def _sample(path: Path, picture: Path) -> Sample:
    size, name = picture_size(picture), picture.stem
    mask = read_mask(path, name)
    if mask.shape != size[::-1]:
        found = f"{mask.shape[1]}×{mask.shape[0]}"
        raise DataError(f"{path}: a mask of {size[0]}×{size[1]} is expected for {name}, this is {found}")
    return Sample("pennfudan", name, name, size, _truth(mask), partial(read_picture, picture))


def _truth(mask: np.ndarray) -> Truth:
    boxes = []
    for k in np.unique(mask[mask > 0]):
        rows, columns = np.nonzero(mask == k)
        boxes.append((columns.min(), rows.min(), columns.max() + 1, rows.max() + 1))
    return only_boxes(np.array(boxes, np.float32).reshape(-1, 4))
