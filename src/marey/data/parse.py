"""PARSE: 305 stills, one person each (Ramanan, NIPS 2006).

Layout: `images/im0001.jpg …`, `labels.mat` with `ptsAll` 14×2×305 (x, y).
Conventions: LSP's order of joints, but left and right are the **observer's**: people seen from behind carry
"right" on the picture's left. The joints are therefore called `observer_…`, which no conversion takes for
the person's sides. MATLAB counts pixels from 1 at their centres, so 0.5 is subtracted. Nothing is marked
occluded.
Splits: train 1–100, test 101–305 (official); no val. NaN entries are people left out on purpose.
"""

from functools import partial
from pathlib import Path

import numpy as np

from marey.core.skeletons import PARSE14
from marey.data.files import Samples, chosen, need, picture_size, read_picture
from marey.data.matlab import read_mat
from marey.data.sample import Sample, State, people

SPLITS = {"all": (1, 305), "train": (1, 100), "val": (1, 0), "test": (101, 305)}
"""First and last image number of each split."""


def open(path: Path, split: str) -> Samples:
    """The people of a split in the order of their numbers."""
    joints = read_mat(path / "labels.mat", "ptsAll", (14, 2, None))
    first, last = SPLITS[split]
    there = ~np.any(np.isnan(joints), axis=(0, 1))
    keys = [k for k in range(first - 1, min(last, joints.shape[2])) if there[k]]
    return Samples(chosen(keys, path, "parse", split), partial(_sample, path / "images", joints))


def _sample(images: Path, joints: np.ndarray, k: int) -> Sample:
    name = f"im{k + 1:04d}"
    picture = need(images / f"{name}.jpg", f"the picture of entry {k + 1} of labels.mat")
    truth = people(PARSE14, joints[None, :, :, k] - 0.5, np.full((1, 14), State.VISIBLE))
    return Sample("parse", name, name, picture_size(picture), truth, partial(read_picture, picture))
