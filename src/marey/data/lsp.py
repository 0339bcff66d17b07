"""Leeds Sports Pose: 2,000 stills, one person each (Johnson and Everingham, BMVC 2010).

Layout: `images/im0001.jpg …`, `joints.mat` with `joints` 3×14×2000 (x, y, 1 = **occluded**).
Conventions: sides are the person's; MATLAB counts pixels from 1 at their centres, so 0.5 is subtracted.
Splits: train 1–800, val 801–1000 (ours, out of the official training half 1–1000), test 1001–2000 (official).
Columns that are NaN are people left out on purpose. Torso: left shoulder to right hip.
"""

from functools import partial
from pathlib import Path

import numpy as np

from marey.core.geometry import joints_box
from marey.core.skeletons import LSP14
from marey.data.files import Samples, chosen, need, picture_size, read_picture
from marey.data.matlab import read_mat
from marey.data.sample import Sample, State, one_person

SPLITS = {"all": (1, 2000), "train": (1, 800), "val": (801, 1000), "test": (1001, 2000)}
"""First and last image number of each split."""


def open(path: Path, split: str) -> Samples:
    """The people of a split in the order of their numbers."""
    joints = read_mat(path / "joints.mat", "joints", (3, 14, None)).astype(np.float32)
    first, last = SPLITS[split]
    there = ~np.any(np.isnan(joints), axis=(0, 1))
    keys = [k for k in range(first - 1, min(last, joints.shape[2])) if there[k]]
    return Samples(chosen(keys, path, "lsp", split), partial(_sample, path / "images", joints))


def _sample(images: Path, joints: np.ndarray, k: int) -> Sample:
    name = f"im{k + 1:04d}"
    picture = need(images / f"{name}.jpg", f"the picture of column {k + 1} of joints.mat")
    xy = joints[:2, :, k].T - np.float32(0.5)
    state = np.where(joints[2, :, k] > 0, State.OCCLUDED, State.VISIBLE).astype(np.uint8)
    truth = one_person(LSP14, xy, state, joints_box(xy))
    return Sample("lsp", name, name, picture_size(picture), truth, partial(read_picture, picture))
