"""CMU Panoptic Studio: groups of people under a dome of cameras (Joo et al., ICCV 2015).

Layout: for each sequence `SEQ/calibration_SEQ.json`, `SEQ/hdPose3d_stage1_coco19/body3DScene_00000168.json`,
`SEQ/hdImgs/00_03/00_03_00000168.jpg`.
Conventions: 19 joints (neck and body centre are the middles of shoulders and hips), the person's sides; cm in
a world with Y down, here metres. A joint whose score is not above 0 is not labelled. `xy_px` is the
projection; pixels are taken as counted from 0 at their centres. Who hides whom is not said: joints inside the
picture count as visible. `ids` are the people of the sequence. Frames without anybody are left out.
Splits: val = the four sequences on which VoxelPose and its followers report, train = the others; no test.
Views: the cameras whose pictures lie here, or VoxelPose's five HD cameras where there are none.
"""

from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from marey.core.cameras import Camera
from marey.core.skeletons import PANOPTIC19
from marey.data.files import Samples, chosen, need, read_picture
from marey.data.nodes import Node, read_json
from marey.data.sample import Sample, seen_from

HELD = ("160906_pizza1", "160422_haggling1", "160906_ian5", "160906_band4")
VIEWS = ("00_03", "00_06", "00_12", "00_13", "00_23")
RATE_HZ = 29.97


def open(path: Path, split: str) -> Samples:
    """The frames of a split: sequence by sequence, frame by frame, camera by camera."""
    folders = sorted(file.parent for file in path.glob("*/calibration_*.json"))
    if not folders:
        need(path / "SEQUENCE" / "calibration_SEQUENCE.json", "the folder of a sequence")
    wanted = [f for f in folders if split == "all" or split == ("val" if f.name in HELD else "train")]
    keys = [(scene, view) for folder in wanted for scene in _scenes(folder) for view in _views(folder)]
    return Samples(chosen(keys, path, "panoptic", split), _sample)


def _scenes(folder: Path) -> list[Path]:
    poses = need(folder / "hdPose3d_stage1_coco19", "the folder of poses")
    return [scene for scene in sorted(poses.glob("body3DScene_*.json")) if read_json(scene)["bodies"].value]


def _views(folder: Path) -> list[str]:
    return sorted(f.name for f in (folder / "hdImgs").glob("*_*") if f.is_dir()) or list(VIEWS)


@lru_cache(maxsize=8)
def _cameras(folder: Path) -> dict[str, Node]:
    given = read_json(folder / f"calibration_{folder.name}.json", "the cameras' file")["cameras"]
    return {camera["name"].text(): camera for camera in given}


def _sample(key: tuple[Path, str]) -> Sample:
    scene, view = key
    folder, frame = scene.parents[1], scene.stem.removeprefix("body3DScene_")
    cameras = _cameras(folder)
    if view not in cameras:
        where = folder / f"calibration_{folder.name}.json"
        raise Node(None, str(where)).error(f"camera {view} is missing")
    given = cameras[view]
    camera = Camera.opencv(
        given["K"].array((3, 3)), given["R"].array((3, 3)), given["t"].array((3,)) / 100,
        given["distCoef"].array((5,)),
    )  # fmt: skip
    width, height = given["resolution"].array((2,)).astype(int).tolist()
    bodies = list(read_json(scene)["bodies"])
    joints = np.stack([body["joints19"].array((76,)).reshape(19, 4) for body in bodies])
    xyz = np.where(joints[..., 3:] > 0, joints[..., :3] / 100, np.nan).astype(np.float32)
    truth = seen_from(camera, PANOPTIC19, xyz, (width, height))
    truth = replace(truth, ids=np.array([body["id"].whole() for body in bodies], np.int64))
    clip = f"{folder.name}/{view}"
    load = partial(read_picture, folder / "hdImgs" / view / f"{view}_{frame}.jpg")
    return Sample(
        "panoptic",
        f"{clip}/{frame}",
        clip,
        (width, height),
        truth,
        load,
        False,
        int(frame) / RATE_HZ,
        camera,
        xyz,
    )
