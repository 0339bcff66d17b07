"""Pictures without people, such as the negatives of INRIA Person (Dalal and Triggs, CVPR 2005).

Layout: one flat folder of JPEG or PNG. No truth but that nobody is there, so `boxed_all` is True.
Splits, by the number at the end of the name: train up to 1425, val from 1427 (false alarms are counted
there); all takes every picture whatever its name.
"""

import re
from functools import partial
from pathlib import Path

import numpy as np

from marey.data.files import Samples, chosen, need, picture_size, read_picture
from marey.data.sample import Sample, only_boxes

LAST_TRAIN = 1425
"""The last number of the training part; what follows is held back."""


def open(path: Path, split: str) -> Samples:
    """The pictures in the order of their names."""
    pictures = sorted(p for p in need(path, "the folder").iterdir() if p.suffix.lower() in (".jpg", ".png"))
    keys = [p for p in pictures if split == "all" or _split(p.stem) == split]
    return Samples(chosen(keys, path, "negatives", split), _sample)


def _split(name: str) -> str:
    number = re.search(r"(\d+)$", name)
    return "" if number is None else "train" if int(number[1]) <= LAST_TRAIN else "val"


def _sample(picture: Path) -> Sample:
    nobody = only_boxes(np.zeros((0, 4), np.float32))
    return Sample(
        "negatives",
        picture.stem,
        picture.stem,
        picture_size(picture),
        nobody,
        partial(read_picture, picture),
        True,
    )
