"""ChaLearn 2013: Italian gestures before a Kinect, upper bodies (Escalera et al., ICMI 2013).

Layout: `trainingdata`, `validationdata`, `testdata`, each with `Sample00001/Sample00001_color.mp4` and
`Sample00001_data.mat`, whose struct `Video` has `NumFrames`, `FrameRate` and
`Frames(k).Skeleton.PixelPosition` (20 joints × x, y).
Conventions: the truth is what the **Kinect** said, not a person. Its skeleton is hip centre, spine, shoulder
centre, head, then shoulder, elbow, wrist, hand of the left and of the right arm, then the legs; the seven
joints of BBC Pose are given here. Its pixels are counted from 0 at their centres, so 0.5 is added. A frame
without a skeleton (all zeros) holds nobody, as far as is known.
Splits: train, val, test are the three folders (the last has skeletons only where they were published).
Left out, as the set's page asks: training 223, 225, 228 and validation 629–639 (skeletons missing).
"""

from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from marey.core.skeletons import BBC7
from marey.data.files import Samples, chosen
from marey.data.frames import footage, frame_of
from marey.data.matlab import read_struct
from marey.data.nodes import Node
from marey.data.sample import Sample, State, people

FOLDERS = {"train": "trainingdata", "val": "validationdata", "test": "testdata"}
WITHOUT = {223, 225, 228, *range(629, 640)}
KINECT = {
    "head": 3, "right_wrist": 10, "left_wrist": 6, "right_elbow": 9, "left_elbow": 5, "right_shoulder": 8,
    "left_shoulder": 4,
}  # fmt: skip
"""Where the joints of BBC Pose stand in the Kinect's skeleton."""


def open(path: Path, split: str) -> Samples:
    """The frames of a split, clip by clip."""
    folders = [path / folder for name, folder in FOLDERS.items() if split in ("all", name)]
    labels = [label for folder in folders for label in sorted(folder.glob("Sample*/Sample*_data.mat"))]
    labels = [label for label in labels if int(label.parent.name.removeprefix("Sample")) not in WITHOUT]
    keys = [(label, k) for label in labels for k in range(_video(label)["NumFrames"].whole())]
    return Samples(chosen(keys, path, "chalearn", split), _sample)


@lru_cache(maxsize=8)
def _video(label: Path) -> Node:
    return read_struct(label, "Video")


def _sample(key: tuple[Path, int]) -> Sample:
    label, k = key
    video, clip = _video(label), label.parent.name
    places = video["Frames"][k]["Skeleton"]["PixelPosition"].array((None, 2))
    seen = len(places) == 20 and bool((places > 0).any())
    joints = places[None, [KINECT[joint] for joint in BBC7.joints]] if seen else np.zeros((0, 7, 2))
    state = np.where((joints > 0).all(-1), State.VISIBLE, State.UNLABELLED)
    truth = people(BBC7, joints + 0.5, state)
    color = label.with_name(f"{clip}_color.mp4")
    time_s = k / video["FrameRate"].number()
    name, load = f"{clip}/{k:06d}", partial(frame_of, color, k)
    return Sample("chalearn", name, clip, footage(color).size, truth, load, False, time_s)
