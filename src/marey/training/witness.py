"""Which labels of LSPET to trust: two witnesses who never saw them.

LSPET was labelled by a crowd; 10–20 % of its joints are wrong. MoveNet Thunder (run here) and BlazePose (the
set's `blazepose.npz`) look at the same pictures. A label is masked where the two agree with each other and
not with it, and weighs less where it is far from both although they differ: unusual poses, which both may
miss, are what the set is good for, so disagreement alone never masks. Joints neither witness knows (neck,
head top) are masked with both shoulders. Distances are shares of the longer side of the person's box.
"""

import logging
from pathlib import Path

import numpy as np
import openvino
from jaxtyping import Float

from marey.core.geometry import Crop, crop_boxes
from marey.core.skeletons import COCO17, MAREY19
from marey.data.sample import State
from marey.training.cache import People

_log = logging.getLogger(__name__)
AGREE, FAR, VERY_FAR, DOUBT = 0.10, 0.15, 0.25, 0.3
"""The witnesses agree within; a label is off beyond; far from both beyond; what it then weighs (our
choice: they mask 4.7 % of the labels of every second picture and doubt 4.9 %)."""

BLAZE = {
    "nose": 0, "left_eye": 2, "right_eye": 5, "left_ear": 7, "right_ear": 8, "left_shoulder": 11,
    "right_shoulder": 12, "left_elbow": 13, "right_elbow": 14, "left_wrist": 15, "right_wrist": 16,
    "left_hip": 23, "right_hip": 24, "left_knee": 25, "right_knee": 26, "left_ankle": 27, "right_ankle": 28,
}  # fmt: skip
"""MediaPipe's landmarks of COCO's joints."""


def trust(people: People, lspet: np.ndarray, folder: Path, starts: Path) -> Float[np.ndarray, "N 19"]:
    """Weights in [0, 1] of every label; `lspet` marks the people of that set, which lies in `folder`."""
    weights = np.ones((len(people), len(MAREY19)), np.float32)
    rows = np.flatnonzero(lspet)
    if not len(rows):
        return weights
    thunder = _thunder(people, rows, starts)
    blaze = _blaze(people, rows, folder)
    box = people.boxes[rows]
    size = (box[:, 2:] - box[:, :2]).max(1)[:, None]
    weights[rows] = judge(people.xy[rows], thunder, blaze, size)
    labelled = people.state[rows] > State.UNLABELLED
    _log.info(
        "LSPET: %.1f %% of %d labels masked, %.1f %% doubted",
        100 * (weights[rows] == 0)[labelled].mean(),
        labelled.sum(),
        100 * (weights[rows] == DOUBT)[labelled].mean(),
    )
    return weights


def judge(
    xy: Float[np.ndarray, "N 19 2"],
    first: Float[np.ndarray, "N 17 2"],
    second: Float[np.ndarray, "N 17 2"],
    size: Float[np.ndarray, "N 1"],
) -> Float[np.ndarray, "N 19"]:
    """Weights of labels from what two witnesses say; NaN witnesses say nothing."""
    own = xy[:, : len(COCO17)]
    to_first = np.linalg.norm(own - first, axis=-1) / size
    to_second = np.linalg.norm(own - second, axis=-1) / size
    between = np.linalg.norm(first - second, axis=-1) / size
    nearest = np.fmin(to_first, to_second)
    weights = np.ones(xy.shape[:2], np.float32)
    weights[:, : len(COCO17)][nearest > VERY_FAR] = DOUBT
    weights[:, : len(COCO17)][(between < AGREE) & (nearest > FAR)] = 0
    shoulders = [COCO17.index("left_shoulder"), COCO17.index("right_shoulder")]
    weights[:, len(COCO17) :] = weights[:, shoulders].max(1, keepdims=True)
    return weights


def _blaze(people: People, rows: np.ndarray, folder: Path) -> Float[np.ndarray, "N 17 2"]:
    """BlazePose's joints in crop pixels; NaN where it found nobody or the file is not there."""
    found = np.full((len(rows), len(COCO17), 2), np.nan, np.float32)
    file = folder / "blazepose.npz"
    if not file.is_file():
        _log.warning("%s is not there: LSPET has one witness only, and no label is masked", file)
        return found
    with np.load(file) as held:
        landmarks, rotation = held["landmarks"], held["rotation"]
    order = [BLAZE[joint] for joint in COCO17.joints]
    for k, row in enumerate(rows):
        number = int(str(people.names[row]).partition("#")[0].removeprefix("im")) - 1
        if number < len(landmarks) and rotation[number] >= 0:
            found[k] = (landmarks[number, order, :2] + 0.5 - people.origin[row]) * people.scale[row]
    return found


def _thunder(people: People, rows: np.ndarray, starts: Path) -> Float[np.ndarray, "N 17 2"]:
    """MoveNet Thunder's joints in crop pixels, cached beside the crops."""
    file = people.folder / "thunder.npz"
    if file.is_file():
        with np.load(file) as held:
            return held["xy"]
    network = openvino.Core().compile_model(
        starts / "movenet-thunder.onnx", "CPU", {"INFERENCE_NUM_THREADS": 1}
    )
    found = np.zeros((len(rows), len(COCO17), 2), np.float32)
    for k, row in enumerate(rows):
        crop = Crop(crop_boxes(people.boxes[row].astype(np.float32), 1.0, 1.25), (256, 256))
        rgb = crop.cut(people.rgb(row)).astype(np.float32).transpose(2, 0, 1)[None]
        found[k] = crop.to_image(np.ascontiguousarray(network({"rgb": rgb})["poses"][0, :, :2]))
    draft = file.with_suffix(".tmp.npz")
    np.savez(draft, xy=found)
    draft.replace(file)
    return found
