"""Poses in the Wild: 830 frames of 30 film sequences, upper bodies (Cherian et al., CVPR 2014).

Layout: `poses_in_the_wild_data.mat` with a struct array `piw_data`: `im` (the picture's path, such as
`selected_seqs/seq20/Film-00035.png`), `point` 8×2, `visible` 8.
Conventions: the slots are neck (nearer the chin), left shoulder, elbow, wrist, right shoulder, elbow, wrist,
torso; here the six joints of the arms, in the order of BBC Pose, its head not labelled. Sides as the set
names them, not checked on pictures here. MATLAB counts pixels from 1 at their centres, so 0.5 is subtracted.
Joints that are not visible have no place.
Splits: everything is test; there is no other.
Traps: the labels drift; two sequences (20, 73) hold a jump of time.
"""

from functools import partial
from pathlib import Path

import numpy as np

from marey.core.skeletons import BBC7
from marey.data.files import Samples, chosen, need, picture_size, read_picture
from marey.data.matlab import read_struct
from marey.data.nodes import Node
from marey.data.sample import Sample, State, people

SLOTS = ("", "left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow", "right_wrist", "")


def open(path: Path, split: str) -> Samples:
    """The labelled frames in the file's order."""
    labels = read_struct(path / "poses_in_the_wild_data.mat", "piw_data")
    keys = range(len(labels)) if split in ("all", "test") else []
    return Samples(chosen(keys, path, "poses_in_the_wild", split), partial(_sample, path, labels))


def _sample(path: Path, labels: Node, k: int) -> Sample:
    label = labels[k]
    file = label["im"].text().lstrip("/")
    picture = need(path / file, f"the picture of piw_data[{k}]")
    points, seen = label["point"].array((8, 2), nan=True), label["visible"].array((8,)) > 0
    xy, state = np.full((7, 2), np.nan), np.full(7, State.UNLABELLED)
    for slot, joint in enumerate(SLOTS):
        if joint and seen[slot] and (points[slot] > 0).all():
            xy[BBC7.index(joint)] = points[slot] - 0.5
            state[BBC7.index(joint)] = State.VISIBLE
    truth = people(BBC7, xy[None], state[None])
    name, clip = str(Path(file).with_suffix("")), Path(file).parent.name
    return Sample(
        "poses_in_the_wild", name, clip, picture_size(picture), truth, partial(read_picture, picture)
    )
