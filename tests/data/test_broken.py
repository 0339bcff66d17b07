"""Broken trees: for every kind what is missing, misshapen, cut off or NaN is one line with file and field."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import scipy.io

import data_trees as trees
import data_trees_space as space
import data_trees_video as video
from data_miniatures import MAKE
from marey.core.errors import DataError
from marey.data import open_kind
from marey.data.preview import problems


def _delete(name: str) -> Callable[[Path], None]:
    return lambda path: (path / name).unlink()


def _cut(name: str, share: float = 0.5) -> Callable[[Path], None]:
    def cut(path: Path) -> None:
        whole = (path / name).read_bytes()
        (path / name).write_bytes(whole[: int(len(whole) * share)])

    return cut


def _replace(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        text = (path / name).read_text()
        assert old in text
        (path / name).write_text(text.replace(old, new))

    return change


def _json(name: str, *places: str | int, to: Any) -> Callable[[Path], None]:
    """Put a value at a place of a JSON file."""

    def change(path: Path) -> None:
        whole = held = json.loads((path / name).read_text())
        for place in places[:-1]:
            held = held[place]
        held[places[-1]] = to
        (path / name).write_text(json.dumps(whole))

    return change


def _mat(name: str, **fields: Any) -> Callable[[Path], None]:
    """Write a .mat file with some fields changed (None: left out)."""

    def change(path: Path) -> None:
        held = scipy.io.loadmat(path / name)
        held = {k: v for k, v in {**held, **fields}.items() if not k.startswith("__") and v is not None}
        scipy.io.savemat(path / name, held)

    return change


def _nan(name: str, field: str) -> Callable[[Path], None]:
    """NaN in the first number of a .mat file's array."""

    def change(path: Path) -> None:
        held = scipy.io.loadmat(path / name)[field].astype(float)
        held.flat[0] = np.nan
        _mat(name, **{field: held})(path)

    return change


def _struct(name: str, root: str, field: str, value: Any) -> Callable[[Path], None]:
    """Put a value into a field of the first struct of a .mat file."""

    def change(path: Path) -> None:
        held = scipy.io.loadmat(path / name)[root]
        held[field][0, 0] = value
        scipy.io.savemat(path / name, {root: held})

    return change


def _point(**fields: Any) -> Callable[[Path], None]:
    """Change the first point of MPII's first person."""

    def change(path: Path) -> None:
        file = path / "mpii_human_pose_v1_u12_1.mat"
        release = scipy.io.loadmat(file)["RELEASE"]
        points = release["annolist"][0, 0]["annorect"][0, 0]["annopoints"][0, 0]["point"][0, 0]
        for name, value in fields.items():
            points[name][0, 0] = value
        scipy.io.savemat(file, {"RELEASE": release})

    return change


POSETRACK, CROWD, HIE = (
    "annotations/val/002_mpii.json",
    "json/crowdpose_train.json",
    "labels/train/track2&3/1.json",
)
NOTE = ("annotations", 0)
JHMDB = "joint_positions/" + "/".join(trees.JHMDB_CLIPS[0]) + "/joint_positions.mat"
POSE = "S1/MyPoseFeatures/D3_Positions/WalkingDog 1.cdf"
EVA, TS, TRAIN = "converted_15j/Validate/S3/Box_1.mat", "TS1/annot_data.mat", "S1/Seq1/annot.mat"
CALIBRATION = "160906_pizza1/calibration_160906_pizza1.json"
SCENE = "160906_pizza1/hdPose3d_stage1_coco19/body3DScene_00000007.json"
WALK, CHALEARN = "cmu_walks/08_01.bvh", "trainingdata/Sample00001/Sample00001_data.mat"
OLD, WILD = "mpii_human_pose_v1_u12_1.mat", "poses_in_the_wild_data.mat"
ACTOR = ("annolist", 0, "annorect", 0)

CASES: list[tuple[str, Callable[[Path], Any], list[str]]] = [
    ("parse", _delete("labels.mat"), ["labels.mat", "missing"]),
    ("parse", _cut("labels.mat"), ["labels.mat", "not a MATLAB file"]),
    ("parse", _mat("labels.mat", ptsAll=np.zeros((2, 14, 5))), ["`ptsAll`", "14 × 2 × any"]),
    ("parse", _delete("images/im0001.jpg"), ["im0001.jpg", "entry 1"]),
    ("lspet", _cut("joints.mat", 0.3), ["joints.mat", "not a MATLAB file"]),
    ("lspet", _mat("joints.mat", joints=np.zeros((3, 14, 5))), ["`joints`", "14 × 3 × any"]),
    ("jhmdb", _cut(JHMDB), ["joint_positions.mat", "not a MATLAB file"]),
    ("jhmdb", _mat(JHMDB, pos_img=np.zeros((2, 13, 3))), ["`pos_img`", "2 × 15 × any"]),
    ("jhmdb_sub", _delete(JHMDB.replace("joint_positions", "puppet_mask")), ["puppet_mask.mat", "missing"]),
    ("jhmdb", _mat(JHMDB, pos_img=None), ["joint_positions.mat", "`pos_img` is missing"]),
    ("crowdpose", _cut(CROWD), ["crowdpose_train.json", "not JSON"]),
    ("crowdpose", _json(CROWD, *NOTE, "keypoints", to=[1, 2, 2]), ["annotations[0].keypoints", "42"]),
    ("crowdpose", _json(CROWD, "images", 0, "crowdIndex", to=None), ["images[0]", "`crowdIndex`"]),
    ("crowdpose", _json(CROWD, *NOTE, "bbox", to=[1, 2, float("nan"), 4]), ["bbox", "NaN"]),
    ("crowdpose", _delete("images/101.jpg"), ["101.jpg", "missing"]),
    ("mpii", _delete(OLD), [OLD, "missing"]),
    ("mpii", _cut(OLD), [OLD, "not a MATLAB file"]),
    ("mpii", _point(id=16), ["annolist[0].annorect[0].annopoints.point[0].id", "joint 16 is not known"]),
    ("mpii", _point(x=np.nan), ["annolist[0].annorect[0].annopoints.point[0].x", "NaN"]),
    ("mpii", _delete("images/000000001.jpg"), ["000000001.jpg", "annolist[0]"]),
    ("flic", _struct("examples.mat", "examples", "coords", np.ones((2, 28))),
     ["examples[0].coords", "2 × 29"]),
    ("flic", _struct("examples.mat", "examples", "torsobox", np.zeros((0, 0))), ["[0]", "`torsobox`"]),
    ("flic", _delete("images/film-0000.jpg"), ["film-0000.jpg", "examples[0]"]),
    ("penn", _cut("labels/0001.mat", 0.3), ["0001.mat", "`nframes` is missing"]),
    ("penn", _mat("labels/0001.mat", x=np.ones((3, 14))), ["0001.mat", "`x`", "3 × 13"]),
    ("penn", _mat("labels/0001.mat", bbox=np.ones((1, 4))), ["`bbox` has 1 rows, 3 expected"]),
    ("penn", _nan("labels/0001.mat", "y"), ["0001.mat", "`y` hold NaN"]),
    ("penn", _delete("frames/0001/000003.jpg"), ["000003.jpg", "missing"]),
    ("bbc", _struct("bbcpose.mat", "bbcpose", "train_joints", np.ones((2, 6))),
     ["[0].train_joints", "2 × 7"]),
    ("bbc", _delete("1/7.jpg"), ["7.jpg", "bbcpose[0]"]),
    ("chalearn", _cut(CHALEARN), ["Sample00001_data.mat", "not a MATLAB file"]),
    ("chalearn", _delete("trainingdata/Sample00001/Sample00001_color.mp4"), ["color.mp4", "missing"]),
    ("poses_in_the_wild", _struct(WILD, "piw_data", "point", np.ones((7, 2))),
     ["piw_data[0].point", "8 × 2"]),
    ("poses_in_the_wild", _mat(WILD, piw_data=None, other=1), [WILD, "`piw_data` is missing"]),
    ("posetrack18", _json(POSETRACK, *NOTE, "track_id", to=None),
     ["002_mpii.json", "annotations[0]", "`track_id`"]),
    ("posetrack18", _json(POSETRACK, *NOTE, "bbox_head", to=[1]), ["annotations[0].bbox_head", "4"]),
    ("posetrack18", _json(POSETRACK, "images", 0, "ignore_regions_y", to=[[1]]),
     ["ignore_regions_y", "2 regions"]),
    ("hie", _json(HIE, *ACTOR, "annopoints", 0, "point", 0, "id", to=[14]),
     ["1.json", "joint 14 is not known"]),
    ("hie", _json(HIE, *ACTOR, "x1", to=["left"]), ["annorect[0].x1", "numbers expected"]),
    ("hie", _cut("videos/train/1.mp4", 0.01), ["1.mp4", "not a video"]),
    ("h36m", _cut(POSE), ["WalkingDog 1.cdf", "not a CDF file"]),
    ("h36m", lambda path: space.cdf(path / POSE, np.ones((1, 2, 64))), ["WalkingDog 1.cdf", "`Pose`", "96"]),
    ("h36m", lambda path: space.cdf(path / POSE, np.full((1, 2, 96), np.nan)), ["`Pose` holds NaN"]),
    ("h36m", _delete("metadata.xml"), ["metadata.xml", "missing"]),
    ("h36m", _replace("metadata.xml", "<w0>[", "<w0>[1 "), ["metadata.xml: w0", "300 expected"]),
    ("h3wb", _cut("h3wb_train.npz"), ["h3wb_train.npz", "cannot be read"]),
    ("humaneva", _mat(EVA, poses_2d=np.ones((3, 2, 15, 2))), ["Box_1.mat", "`poses_2d`", "3 × 3 × 15 × 2"]),
    ("humaneva", lambda path: (path / EVA).rename((path / EVA).with_name("Box_9.mat")),
     ["Box_9.mat", "not known"]),
    ("mpi_inf_3dhp", _mat(TS, annot3=np.ones((3, 16, 1, 2))), ["annot_data.mat", "`annot3`", "3 × 17"]),
    ("mpi_inf_3dhp", _mat(TRAIN, annot2=video.cells([np.ones((2, 55))] * 14)),
     ["annot.mat: annot2[0]", "56"]),
    ("mpi_inf_3dhp", _replace("S1/Seq1/camera.calibration", "extrinsic", "nothing"),
     ["camera.calibration", "`extrinsic`"]),
    ("panoptic", _json(SCENE, "bodies", 0, "joints19", to=[1.0] * 75), ["bodies[0].joints19", "76"]),
    ("panoptic", _json(CALIBRATION, "cameras", 0, "name", to="00_04"),
     ["calibration_160906_pizza1.json", "camera 00_03"]),
    ("panoptic", _json(CALIBRATION, "cameras", 0, "K", to=[[1]]), ["cameras[0].K", "3 × 3"]),
    ("mocap", _cut(WALK), ["08_01.bvh"]),
    ("mocap", _replace(WALK, "LeftKnee", "Patella"), ["08_01.bvh", "no joint `LeftKnee`"]),
    ("mocap", _replace(WALK, "1 15 0", "1 nan 0"), ["08_01.bvh", "frame 1 holds NaN"]),
    ("mocap", _replace("subjects/02/02_01.amc", "ltibia 90", "patella 90"),
     ["02_01.amc: line", "`patella` is not known"]),
    ("mocap", _delete("subjects/02/02.asf"), ["02.asf", "missing"]),
    ("pose2sim", _replace("Calib.qca.txt", 'r11="1"', 'r11="one"'), ["cam01", "`transform`"]),
    ("pose2sim", _delete("cam02.mp4"), ["cam02.mp4", "missing"]),
    ("recordings", _cut("walk.marey/poses.parquet"), ["walk.marey"]),
    ("synth", _delete("walk.marey/cameras.parquet"), ["cameras.parquet", "missing"]),
    ("synth", _delete("walk.mp4"), ["walk.mp4", "missing"]),
    ("bench", _cut("test/walk.marey/people.parquet"), ["walk.marey"]),
    ("videos", _cut("a.mp4", 0.01), ["a.mp4"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "spoil", "words"), CASES, ids=[f"{k}-{i}" for i, (k, *_) in enumerate(CASES)]
)
def test_a_broken_tree_says_file_and_field(
    kind: str, spoil: Callable[[Path], Any], words: list[str], tmp_path: Path
):
    MAKE[kind](tmp_path)
    spoil(tmp_path)
    with pytest.raises(DataError) as caught:
        [sample.rgb() for sample in open_kind(kind, tmp_path)]
    text = str(caught.value)
    assert "\n" not in text
    missing = [word for word in words if word not in text]
    assert not missing, text


def test_every_kind_is_broken_at_least_once():
    from marey.data import KINDS

    elsewhere = {"lsp", "coco", "pennfudan", "negatives", "posetrack21"}
    aliases = {"jhmdb_sub2", "jhmdb_sub3"}
    assert {kind for kind, *_ in CASES} | elsewhere | aliases == set(KINDS)


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("crowdpose", "images/101.jpg"),
        ("posetrack18", "images/val/002_mpii/000000.jpg"),
        ("flic", "images/film-0000.jpg"),
        ("penn", "frames/0001/000002.jpg"),
        ("panoptic", "160906_pizza1/hdImgs/00_03/00_03_00000007.jpg"),
    ],
)
def test_a_picture_of_another_size_is_reported(kind: str, file: str, tmp_path: Path):
    MAKE[kind](tmp_path)
    assert cv2.imwrite(str(tmp_path / file), np.zeros((30, 30, 3), np.uint8))
    assert any("the picture is (30, 30)" in line for line in problems(open_kind(kind, tmp_path)))


def test_without_scipy_the_error_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import sys

    video.parse(tmp_path)
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    monkeypatch.delattr("scipy.io", raising=False)
    with pytest.raises(DataError, match=r'labels\.mat: .*pip install "marey\[data\]"'):
        open_kind("parse", tmp_path)
