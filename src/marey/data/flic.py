"""FLIC: 5,003 stills of Hollywood films, upper bodies (Sapp and Taskar, CVPR 2013).

Layout: `examples.mat`, a struct array with `filepath`, `coords` 2×29, `imgdims`, `torsobox`, `moviename`,
`istrain`, `istest`; `images/FILEPATH`.
Conventions: the sides are taken as the person's, as the labels name them; shoulders, elbows, wrists, hips,
eyes and nose are labelled, and given here in eval_pose's order of eleven. MATLAB counts pixels from 1 at
their centres, so 0.5 is subtracted. One person is labelled, though others may be in the picture; the torso
box tells which, and is the box given here. `torso_px` is right shoulder to left hip (eval_pose).
Splits: `istest` is test; val = films of the training part whose crc32 % 5 is 1 (ours), train = the others.
Traps: observer-centric label files go about and score higher; FLIC-full and FLIC-plus hold test images.
"""

import zlib
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from marey.core.skeletons import FLIC11, FLIC29
from marey.data.files import Samples, chosen, need, read_picture
from marey.data.matlab import read_struct
from marey.data.nodes import Node
from marey.data.sample import Sample, State, people

ORDER = [FLIC29.index(joint) for joint in FLIC11.joints]
"""Where the eleven joints stand among the 29 slots."""


def open(path: Path, split: str) -> Samples:
    """The people of a split in the file's order."""
    examples = read_struct(path / "examples.mat", "examples")
    keys = [k for k, one in enumerate(examples) if split == "all" or _split(one) == split]
    return Samples(chosen(keys, path, "flic", split), partial(_sample, path / "images", examples))


def _split(example: Node) -> str:
    if example["istest"].number():
        return "test"
    return "val" if zlib.crc32(example["moviename"].text().encode()) % 5 == 1 else "train"


def _sample(folder: Path, examples: Node, k: int) -> Sample:
    example = examples[k]
    file = example["filepath"].text()
    picture = need(folder / file, f"the picture of examples[{k}]")
    height, width = example["imgdims"].array((None,))[:2].astype(int).tolist()
    xy = example["coords"].array((2, 29), nan=True).T[ORDER] - 0.5
    state = np.where(np.isnan(xy).any(1), State.UNLABELLED, State.VISIBLE)
    box = example["torsobox"].array((4,)) - 0.5
    truth = people(FLIC11, xy[None], state[None], box[None])
    torso = np.hypot(*(xy[FLIC11.index("right_shoulder")] - xy[FLIC11.index("left_hip")]))
    truth = replace(truth, torso_px=np.array([torso], np.float32))
    load, film = partial(read_picture, picture), example["moviename"].text()
    return Sample("flic", Path(file).stem, film, (width, height), truth, load)
