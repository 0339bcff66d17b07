"""Leeds Sports Pose Extended: 10,000 stills, one person each (Johnson and Everingham, CVPR 2011).

Layout: `images/im00001.jpg …`, `joints.mat` with `joints` 14×3×10000 (x, y, 1 = **labelled and visible**).
Conventions: sides are the person's; where the flag is 0 the coordinates mean nothing (NaN here); MATLAB
counts pixels from 1 at their centres, so 0.5 is subtracted. The labels are crowd-sourced: 10–20 % of the
joints are wrong. Splits: train = everything; no val, no test. NaN entries are people left out on purpose.
"""

from functools import partial
from pathlib import Path

import numpy as np

from marey.core.geometry import joints_box
from marey.core.skeletons import LSP14
from marey.data.files import Samples, chosen, need, picture_size, read_picture
from marey.data.matlab import read_mat
from marey.data.sample import Sample, State, one_person


def open(path: Path, split: str) -> Samples:
    """The people with at least one labelled joint, in the order of their numbers."""
    joints = read_mat(path / "joints.mat", "joints", (14, 3, None)).astype(np.float32)
    there = (joints[:, 2] > 0).any(0) & ~np.isnan(joints).any((0, 1))
    keys = [int(k) for k in np.flatnonzero(there)] if split in ("all", "train") else []
    return Samples(chosen(keys, path, "lspet", split), partial(_sample, path / "images", joints))


def _sample(images: Path, joints: np.ndarray, k: int) -> Sample:
    name = f"im{k + 1:05d}"
    picture = need(images / f"{name}.jpg", f"the picture of entry {k + 1} of joints.mat")
    labelled = joints[:, 2, k] > 0
    xy = np.where(labelled[:, None], joints[:, :2, k] - np.float32(0.5), np.float32(np.nan))
    state = np.where(labelled, State.VISIBLE, State.UNLABELLED).astype(np.uint8)
    truth = one_person(LSP14, xy, state, joints_box(xy))
    return Sample("lspet", name, name, picture_size(picture), truth, partial(read_picture, picture))
