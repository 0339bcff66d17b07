"""Miniature sets of people in pictures and video, in their official layout and binary format."""

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import scipy.io

from data_trees import SIZE, picture
from marey.core.cameras import Camera
from marey.core.history import History, Source
from marey.core.nouns import no_looks
from marey.core.recording import Recording
from marey.core.rows import Rows
from marey.core.skeletons import MAREY19
from marey.synth.record import EXACT, Shown, nobody, write_truth


def structs(items: list[dict[str, Any]]) -> np.ndarray:
    """A MATLAB struct array; a field that an item lacks is empty there."""
    names = list(dict.fromkeys(name for item in items for name in item))
    made = np.zeros((1, len(items)), [(name, object) for name in names])
    for k, item in enumerate(items):
        for name in names:
            made[name][0, k] = item.get(name, np.zeros((0, 0)))
    return made


def cells(items: list[Any]) -> np.ndarray:
    """A MATLAB cell array, n × 1."""
    made = np.empty((len(items), 1), object)
    made[:, 0] = items
    return made


def footage(path: Path, frames: int = 3, size: tuple[int, int] = (64, 48), rate: int = 25) -> Path:
    """A video whose frame k has the grey 40 + 20·(k mod 10)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_encoded(frames, size, rate, path.suffix))
    return path


@cache
def _encoded(frames: int, size: tuple[int, int], rate: int, suffix: str) -> bytes:
    """A video file's bytes; large pictures take a moment, so each is made once."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"a{suffix}"
        _encode(file, frames, size, rate)
        return file.read_bytes()


def _encode(path: Path, frames: int, size: tuple[int, int], rate: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.bit_rate = 2_000_000
        for k in range(frames):
            grey = np.full((size[1], size[0], 3), 40 + 20 * (k % 10), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(stream.encode())


def parse(path: Path) -> Path:
    points = np.full((14, 2, 305), np.nan)
    for number in (1, 100, 101):
        points[:, :, number - 1] = np.arange(28).reshape(14, 2) + 1
        picture(path / "images" / f"im{number:04d}.jpg")
    scipy.io.savemat(path / "labels.mat", {"ptsAll": points})
    return path


def keypoints(count: int, hidden: int = 1, missing: int = 2) -> list[float]:
    """Joint j at whole pixel (2 + j, 3 + j), one occluded, one not labelled."""
    rows = np.stack([np.arange(count) + 2, np.arange(count) + 3, np.full(count, 2)], 1)
    rows[hidden, 2] = 1
    rows[missing] = 0
    return rows.reshape(-1).astype(float).tolist()


def crowdpose(path: Path) -> Path:
    (path / "json").mkdir(parents=True)
    for number, (part, index) in enumerate((("train", 0.1), ("val", 0.5), ("test", 0.9)), 1):
        image = {"file_name": f"10{number}.jpg", "id": number, "width": SIZE[0], "height": SIZE[1]}
        note = {
            "id": 7, "image_id": number, "iscrowd": 0, "bbox": [2.0, 3, 20, 10], "category_id": 1,
            "num_keypoints": 13, "keypoints": keypoints(14),
        }  # fmt: skip
        whole = {"images": [{**image, "crowdIndex": index}], "annotations": [note], "categories": []}
        (path / "json" / f"crowdpose_{part}.json").write_text(json.dumps(whole))
        picture(path / "images" / f"10{number}.jpg")
    return path


def posetrack(path: Path, folder: str = "annotations") -> Path:
    """One training and one validation video of two frames; the second frame was not labelled."""
    for part, number in (("train", 1), ("val", 2)):
        name = f"00{number}_mpii"
        images = [
            {
                "file_name": f"images/{part}/{name}/{k:06d}.jpg", "id": 100 * number + k, "frame_id": k,
                "width": SIZE[0], "height": SIZE[1], "is_labeled": k == 0, "vid_id": str(number),
                "ignore_regions_x": [[0, 9, 9], [50, 59, 59, 50]],
                "ignore_regions_y": [[0, 0, 9], [1, 1, 5, 5]],
            }
            for k in range(2)
        ]  # fmt: skip
        note = {
            "bbox_head": [4, 4, 3, 4], "keypoints": keypoints(17), "track_id": 3, "image_id": 100 * number,
            "bbox": [2.0, 3, 20, 20], "scores": [], "category_id": 1, "id": 1,
        }  # fmt: skip
        file = path / folder / part / f"{name}.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps({"images": images, "annotations": [note], "categories": []}))
        for image in images:
            picture(path / str(image["file_name"]))
    return path


def mpii(path: Path) -> Path:
    """Three training images of two videos, one test image; in the first one alone and one of a pair."""

    def person(x: float, **more: Any) -> dict[str, Any]:
        points = structs(
            [
                {"x": x, "y": 11.0, "id": 0, "is_visible": 1},
                {"x": x + 1, "y": 12.0, "id": 13, "is_visible": "0"},
                {"x": x + 2, "y": 13.0, "id": 9},
            ]
        )
        place = {"objpos": structs([{"x": 20.0, "y": 15.0}]), "scale": 0.1}
        head = {"x1": 5.0, "y1": 5.0, "x2": 8.0, "y2": 9.0}
        return {**head, "annopoints": structs([{"point": points}]), **place, **more}

    def image(number: int, people: list[dict[str, Any]], video: int) -> dict[str, Any]:
        name = f"{number:09d}.jpg"
        picture(path / "images" / name)
        return {
            "image": structs([{"name": name}]),
            "annorect": structs(people),
            "frame_sec": 1,
            "vididx": video,
        }

    walker = {"objpos": structs([{"x": 5.0, "y": 5.0}]), "scale": 0.1}
    ghost = {"annopoints": structs([{"nothing": 1}]), **walker}
    found = [
        image(1, [person(10), person(30), walker, ghost], 1), image(2, [person(10)], 2),
        image(3, [person(12)], 3),
        image(4, [walker], 2),
    ]  # fmt: skip
    release = {
        "annolist": structs(found),
        "img_train": np.array([[1, 1, 1, 0]]),
        "version": "12",
        "single_person": cells([np.array([[1]]), np.array([[1]]), np.array([[1]]), np.zeros((0, 0))]),
        "act": structs([{"act_name": "running", "act_id": k} for k in range(4)]),
        "video_list": cells(["a", "b", "c"]),
    }
    scipy.io.savemat(path / "mpii_human_pose_v1_u12_1.mat", {"RELEASE": release})
    return path


def flic(path: Path) -> Path:
    films = ("ten_things", "oceans", "titanic", "goldeneye", "collateral")
    items = []
    for k in range(6):
        coords = np.full((2, 29), np.nan)
        coords[:, [0, 1, 2, 3, 4, 5, 6, 9, 12, 13, 16]] = np.arange(11) + np.array([[1.0], [21.0]])
        name = f"film-{k:04d}.jpg"
        picture(path / "images" / name)
        items.append(
            {
                "filepath": name, "moviename": films[k % 5], "coords": coords,
                "imgdims": np.array([40, 60, 3]),
                "torsobox": np.array([2.0, 3, 30, 33]), "istrain": k < 5, "istest": k == 5, "currframe": k,
            }
        )  # fmt: skip
    scipy.io.savemat(path / "examples.mat", {"examples": structs(items)})
    return path


def penn(path: Path, boxes: int = 3) -> Path:
    """Clips of three frames: 1 and 3 for training, 2 for test; joint 0 nowhere, joint 1 hidden."""
    (path / "labels").mkdir(parents=True)
    for number, train in ((1, 1), (2, -1), (3, 1)):
        x = np.arange(13) + np.arange(3)[:, None] + 2.0
        y, seen = x + 10, np.ones((3, 13), np.uint8)
        seen[:, :2] = 0
        x[:, 0] = y[:, 0] = 1
        labels = {
            "action": "bowl", "pose": "front", "x": x, "y": y, "visibility": seen, "train": train,
            "bbox": np.tile([2.0, 3, 30, 33], (boxes, 1)), "dimensions": np.array([[SIZE[1], SIZE[0], 3]]),
            "nframes": 3,
        }  # fmt: skip
        scipy.io.savemat(path / "labels" / f"{number:04d}.mat", labels)
        for k in range(3):
            picture(path / "frames" / f"{number:04d}" / f"{k + 1:06d}.jpg")
    return path


def hie(path: Path) -> Path:
    """Videos 1 (val) and 2 (train), two frames each; in the second frame nobody."""
    folder = path / "labels" / "train" / "track2&3"
    folder.mkdir(parents=True)
    for number in (1, 2):
        points = [{"id": [j], "x": [10 + j], "y": [20 + j]} for j in range(13)]
        person = {
            "x1": [8], "y1": [9], "x2": [30], "y2": [40], "track_id": [5], "score": [1],
            "annopoints": [{"point": [*points, {"id": [13], "x": [0], "y": [0]}]}],
        }  # fmt: skip
        frames = [
            {"image": [{"name": f"{k:06d}.jpg"}], "annorect": people, "ignore_regions": []}
            for k, people in enumerate(([person], []))
        ]
        (folder / f"{number}.json").write_text(json.dumps({"annolist": frames}))
        footage(path / "videos" / "train" / f"{number}.mp4", 2)
    return path


def bbc(path: Path) -> Path:
    joints = np.arange(14.0).reshape(2, 7, 1) + 1
    videos = []
    for number, kind in enumerate(("train", "val", "test"), 1):
        frames = {"train_frames": np.array([[7]]), "train_joints": joints}
        clicked = {"test_frames": np.array([[9, 11]]), "test_joints": np.concatenate([joints, joints + 1], 2)}
        more = clicked if kind != "train" else {}
        videos.append({"videoName": "x", "type": kind, "source": "auto", **frames, **more})
        for frame in (7, 9, 11):
            picture(path / str(number) / f"{frame}.jpg")
    scipy.io.savemat(path / "bbcpose.mat", {"bbcpose": structs(videos)})
    return path


def poses_in_the_wild(path: Path) -> Path:
    points = np.stack([np.arange(8) + 5.0, np.arange(8) + 9.0], 1)
    points[2] = -1
    items = []
    for k in range(2):
        name = f"selected_seqs/seq2{k}/Film-3768-{k:05d}.png"
        picture(path / name)
        items.append(
            {"im": f"/{name}", "point": points, "visible": np.array([[1], [1], [0], [1], [1], [1], [1], [1]])}
        )
    scipy.io.savemat(path / "poses_in_the_wild_data.mat", {"piw_data": structs(items)})
    return path


def chalearn(path: Path) -> Path:
    """A sample of each part, two frames: first without a skeleton, then with joint j at (10 + j, 20 + j)."""
    for folder, number in (
        ("trainingdata", 1),
        ("validationdata", 410),
        ("testdata", 701),
        ("trainingdata", 223),
    ):
        name = f"Sample{number:05d}"
        places = [np.zeros((20, 2)), np.stack([np.arange(20) + 10, np.arange(20) + 20], 1)]
        frames = structs([{"Skeleton": structs([{"PixelPosition": place}])} for place in places])
        video = {
            "NumFrames": 2,
            "FrameRate": 20,
            "MaxDepth": 3000,
            "Frames": frames,
            "Labels": np.zeros((0, 0)),
        }
        footage(path / folder / name / f"{name}_color.mp4", 2, rate=20)
        scipy.io.savemat(path / folder / name / f"{name}_data.mat", {"Video": structs([video])})
    return path


def videos(path: Path) -> Path:
    footage(path / "a.mp4", 2)
    return path


def recordings(path: Path) -> Path:
    """A recording of three frames: person 1 with its joint 0 missing, nobody on the last."""
    count = len(MAREY19)
    xy = np.stack([np.arange(count) + 10.0, np.arange(count) + 5.0], 1).astype(np.float32)
    xy[0] = np.nan
    both = np.stack([xy, xy + 1])
    rows = Rows(
        frame=np.array([0, 1]), time_s=np.array([0.0, 0.04]), person=np.array([1, 1]),
        boxes_px=np.array([[8, 3, 40, 30]] * 2, np.float32), box_scores=np.ones(2, np.float32),
        looks=no_looks(2), xy_px=both, scores=np.where(np.isnan(both[..., 0]), np.nan, 1).astype(np.float32),
        origin=np.zeros((2, count), np.uint8), edits=np.zeros((2, count), np.uint8), raw_xy_px=both,
    )  # fmt: skip
    source = Source("walk.mp4", (64, 48), duration_s=0.12)
    times = np.arange(3) * 0.04
    Recording.of(rows, np.arange(3), times, History(MAREY19, source)).save(path / "walk.marey")
    footage(path / "walk.mp4", 3)
    return path


def synth(path: Path) -> Path:
    """A clip of `marey synth`: person 2 on two of three frames, joints seen, occluded, outside."""
    count = len(MAREY19)
    camera = Camera.from_view((64, 48), 60)
    xy = np.stack([np.linspace(2, 70, count), np.linspace(3, 40, count)], -1)[None]
    xyz = camera.unproject(xy, np.full((1, count), 4.0))
    sight = np.where(xy[..., 0] > 64, 0, 1 + np.arange(count) % 2).astype(np.uint8)
    one = Shown(
        np.array([2]), np.array([[2, 3, 64, 40]], np.float32), xyz, xy, sight, np.full((1, count), 4.0),
        np.array([700], np.int32), np.full((1, count, 4), 0.5, np.float32),
    )  # fmt: skip
    history = History(MAREY19, Source("walk.mp4", (64, 48), duration_s=0.12), lift=EXACT)
    write_truth(path / "walk.marey", [one, one, nobody()], [camera] * 3, history, 25.0)
    footage(path / "walk.mp4", 3)
    return path
