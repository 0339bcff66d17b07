"""H3WB: whole bodies (133 joints) on Human3.6M, in 2D and 3D (Zhu, Samet and Picard, ICCV 2023).

Layout: `h3wb_train.npz` (or the only `h3wb_train*.npz`) with the objects `train_data`
(subject → action → `frame_id`, and camera → `pose_2d` n×133×2 in pixels, `camera_3d` n×133×3 in mm) and
`metadata` (subject → camera → `K` per 1000 pixels, `Distortion`); pictures from Human3.6M's videos, if
`S5/Videos/Directions 1.60457274.mp4` lies here.
Conventions: COCO-WholeBody's joints, the person's sides. `xyz_m` and `camera` are in the camera's own axes.
Pixels are taken as counted from 0 at their centres, so 0.5 is added; `frame_id` as counted from 0: neither is
said by the source. Everything is filled in, so joints inside the picture count as visible.
Splits: val = S7 (ours), train = the others; test (S8) is not published with its labels in this file.
"""

from functools import partial
from pathlib import Path

import numpy as np

from marey.core.cameras import Camera
from marey.core.skeletons import WHOLEBODY133
from marey.data.files import Samples, chosen, need
from marey.data.frames import frame_of
from marey.data.nodes import Node
from marey.data.objects import read_objects
from marey.data.sample import Sample, State, people

SIZES = {
    "54138969": (1000, 1002),
    "55011271": (1000, 1000),
    "58860488": (1000, 1000),
    "60457274": (1000, 1002),
}
HELD = ("S7",)
RATE_HZ = 50.0

Key = tuple[str, str, str, int]
"""Subject, action, camera, and the row of its arrays."""


def open(path: Path, split: str) -> Samples:
    """The labelled frames of a split: subject by subject, action by action, camera by camera."""
    found = sorted(path.glob("h3wb_train*.npz"))
    file = found[0] if found else need(path / "h3wb_train.npz", "the label file")
    data, cameras = read_objects(file, "train_data"), read_objects(file, "metadata")
    keys: list[Key] = []
    for subject in data.value:
        if split == "all" or split == ("val" if subject in HELD else "train"):
            for action in data[subject].value:
                take = data[subject][action]
                count = len(take["frame_id"].array((None,)))
                names = [name for name in SIZES if take.has(name)]
                keys += [(subject, action, name, k) for name in names for k in range(count)]
    return Samples(chosen(keys, path, "h3wb", split), partial(_sample, path, data, cameras))


def _sample(path: Path, data: Node, cameras: Node, key: Key) -> Sample:
    subject, action, name, k = key
    take, size = data[subject][action], SIZES[name]
    frame = int(take["frame_id"].array((None,))[k])
    xy = take[name]["pose_2d"].array((None, 133, 2))[k : k + 1] + 0.5
    xyz = take[name]["camera_3d"].array((None, 133, 3))[k : k + 1] / 1000
    inside = ((xy >= 0) & (xy < size)).all(-1)
    truth = people(WHOLEBODY133, xy, np.where(inside, State.VISIBLE, State.OCCLUDED))
    clip = f"{subject}/{action}.{name}"
    load = partial(frame_of, path / subject / "Videos" / f"{action}.{name}.mp4", frame)
    return Sample(
        "h3wb", f"{clip}/{frame:06d}", clip, size, truth, load, False, frame / RATE_HZ,
        _camera(cameras[subject][name]), xyz.astype(np.float32), action=action.split(" ")[0],
    )  # fmt: skip


def _camera(given: Node) -> Camera:
    matrix = given["K"].array((3, 3)) * [[1000], [1000], [1]]
    lens = given["Distortion"].array((5,))
    return Camera.opencv(matrix, np.eye(3), np.zeros(3), lens)
