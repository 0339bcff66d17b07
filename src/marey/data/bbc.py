"""BBC Pose and Extended BBC Pose: sign-language interpreters, upper bodies (Charles et al., IJCV 2013).

Layout: `bbcpose.mat` here or in `code/`, a struct array, one item a video, with `type` (train, val, test),
`train_frames`, `train_joints` 2×7×n (by the authors' tracker), `test_frames`, `test_joints` (clicked by hand,
in val and test videos); pictures `NUMBER/FRAME.jpg`, where NUMBER is the item counted from 1.
Conventions: the order of joints is that of the authors' network (head, wrists, elbows, shoulders, right
before left); sides as named there, not checked on pictures here. MATLAB counts pixels from 1 at their
centres, so 0.5 is subtracted; what is not above 0 is not labelled.
Splits: train, val and test as `type` says; val and test give their frames clicked by hand.
"""

from functools import partial
from pathlib import Path

import numpy as np

from marey.core.skeletons import BBC7
from marey.data.files import Samples, chosen, need, picture_size, read_picture
from marey.data.matlab import read_struct
from marey.data.sample import Sample, State, people


def open(path: Path, split: str) -> Samples:
    """The labelled frames of a split, video by video."""
    file = path / "code" / "bbcpose.mat"
    videos = read_struct(file if file.exists() else need(path / "bbcpose.mat", "the label file"), "bbcpose")
    keys = []
    for number, video in enumerate(videos, 1):
        kind = video["type"].text()
        if split in ("all", kind):
            which = "train" if kind == "train" else "test"
            frames = video[f"{which}_frames"].array((None,))
            joints = video[f"{which}_joints"].array((2, 7, len(frames)), nan=True)
            keys += [(number, int(frame), joints[:, :, k].T) for k, frame in enumerate(frames)]
    return Samples(chosen(keys, path, "bbc", split), partial(_sample, path))


def _sample(path: Path, key: tuple[int, int, np.ndarray]) -> Sample:
    number, frame, joints = key
    picture = need(
        path / str(number) / f"{frame}.jpg", f"the picture of bbcpose[{number - 1}], frame {frame},"
    )
    state = np.where((joints > 0).all(1), State.VISIBLE, State.UNLABELLED)
    truth = people(BBC7, joints[None] - 0.5, state[None])
    load = partial(read_picture, picture)
    return Sample("bbc", f"{number}/{frame:06d}", str(number), picture_size(picture), truth, load)
