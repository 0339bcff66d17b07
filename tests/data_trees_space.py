"""Miniature sets that measured space, in their official layout and binary format."""

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import scipy.io
from scipy.spatial.transform import Rotation

from data_trees import picture
from data_trees_video import cells, footage

H36M_CAMERAS = ("54138969", "55011271", "58860488", "60457274")
ANGLES, PLACE_MM = (1.7577648931336534, 0.025750390311786706, -2.7279563454251723), (1841.1, 4955.3, 1563.4)
"""A real camera's: Human3.6M, S1, 54138969."""
LENS = (1145.04940459, 1143.78109572, 512.54150496, 515.45148698,
        -0.20709891, 0.24777518, -0.00307515, -0.00142447, -0.0009757)  # fmt: skip


def cdf(path: Path, values: np.ndarray, packed: bool = False, name: str = "Pose", order: str = ">") -> Path:
    """A CDF file of version 3 with one zVariable of one record, its numbers in rows."""
    numbers = values.astype(f"{order}f8").tobytes()

    def record(kind: int, body: bytes) -> bytes:
        return struct.pack(">qi", 12 + len(body), kind) + body

    cdr_size, gdr_size = 12 + 8 + 36 + 256, 84
    gdr = 8 + cdr_size
    vdr = gdr + gdr_size
    dims = values.shape
    vdr_body = struct.pack(">qiiqqiiiiiiiqi", 0, 45, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, -1, 0)
    vdr_size = 12 + len(vdr_body) + 256 + 4 + 8 * len(dims)
    vxr = vdr + vdr_size
    vxr_size = 12 + 16 + 16
    vdr_body = struct.pack(">qiiqqiiiiiiiqi", 0, 45, 0, vxr, vxr, 1, 0, 0, 0, 0, 1, 0, -1, 0)
    vdr_body += name.encode().ljust(256, b"\0") + struct.pack(">i", len(dims))
    vdr_body += struct.pack(f">{len(dims)}i", *dims) + struct.pack(f">{len(dims)}i", *[-1] * len(dims))
    encoding = 6 if order == "<" else 1
    data = record(1, struct.pack(">qiiiiiiiii", gdr, 3, 3, encoding, 3, 0, 0, 0, 0, 0) + b"\0" * 256)
    data += record(2, struct.pack(">qqqqiiiiiqiii", 0, vdr, 0, 0, 0, 0, -1, 0, 1, 0, 0, 0, -1))
    data += record(8, vdr_body)
    data += record(6, struct.pack(">qiiiiq", 0, 1, 1, 0, 0, vxr + vxr_size))
    gzip = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    small = gzip.compress(numbers) + gzip.flush()
    data += record(13, struct.pack(">iq", 0, len(small)) + small) if packed else record(7, numbers)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\xcd\xf3\x00\x01\x00\x00\xff\xff" + data)
    return path


def body(frames: int, joints: int = 17) -> np.ndarray:
    """People standing about the world's origin, in mm: T × J × 3, Z up."""
    rng = np.random.default_rng(joints)
    still = rng.uniform((-300, -300, 0), (300, 300, 1700), (joints, 3))
    return still + np.arange(frames)[:, None, None] * (10.0, 0, 0)


def h36m(path: Path) -> Path:
    """Two frames of S1, S8 and S9, and of S11's broken take."""
    w0 = np.zeros(300)
    for c in range(4):
        for s in range(11):
            w0[6 * (c * 11 + s) :][:6] = (*ANGLES, *PLACE_MM)
        w0[264 + 9 * c :][:9] = LENS
    (path / "metadata.xml").parent.mkdir(parents=True, exist_ok=True)
    text = " ".join(repr(float(v)) for v in w0)
    (path / "metadata.xml").write_text(f"<metadata><w0>[{text}]</w0></metadata>")
    for subject, name in (
        ("S1", "WalkingDog 1"),
        ("S8", "Eating"),
        ("S9", "Eating 1"),
        ("S11", "Directions"),
    ):
        pose = body(2, 32).reshape(1, 2, 96)
        cdf(path / subject / "MyPoseFeatures" / "D3_Positions" / f"{name}.cdf", pose, packed=subject == "S9")
        for camera in H36M_CAMERAS:
            tall = 1002 if camera in ("54138969", "60457274") else 1000
            footage(path / subject / "Videos" / f"{name}.{camera}.mp4", 2, (1000, tall), 50)
    return path


def h3wb(path: Path) -> Path:
    train: dict[str, Any] = {}
    cameras: dict[str, Any] = {}
    for subject in ("S5", "S7"):
        xyz = np.random.default_rng(0).uniform((-500, -500, 4000), (500, 500, 5000), (2, 133, 3))
        xy = xyz[..., :2] / xyz[..., 2:] * 1145 + 512
        take = {"global_3d": xyz, "frame_id": np.array([0, 2])}
        train[subject] = {
            "Directions 1": {**take, "60457274": {"camera_3d": xyz, "pose_2d": xy, "sample_id": 0}}
        }
        matrix = np.array([[[1.145, 0, 0.512], [0, 1.145, 0.512], [0, 0, 1]]], np.float32)
        lens = np.zeros((1, 5), np.float32)
        cameras[subject] = {
            "60457274": {"K": matrix, "R": np.eye(3)[None], "T": np.zeros((1, 1, 3)), "Distortion": lens}
        }
        footage(path / subject / "Videos" / "Directions 1.60457274.mp4", 3, (1000, 1002), 50)
    np.savez(path / "h3wb_train.npz", train_data=np.array(train), metadata=np.array(cameras))
    return path


EVA_PLACES = (
    ((0.424207, -0.4983646, -0.5802981, 0.4847012), (4062.2271, 663.2477, 1528.3970)),
    ((0.6503354, -0.7481602, -0.0919284, 0.0941766), (844.8131, -3805.2092, 1504.9929)),
    ((0.0664734, -0.0690535, 0.7416416, -0.6639132), (-797.6738, 3916.3174, 1433.6602)),
)
EVA_LENS = (760.0, 750.0, 305.0, 241.0)


def humaneva(
    path: Path, parts: tuple[str, ...] = ("Validate",), takes: tuple[str, ...] = ("Box",), frames: int = 3
) -> Path:
    """Takes of S3, the second frame lost; the videos are long enough for three frames of Validate."""
    fx, fy, cx, cy = EVA_LENS
    for part in parts:
        xyz = body(frames, 15)
        xyz[1] = np.nan
        xy = np.empty((3, frames, 15, 2))
        for c, ((w, *v), place) in enumerate(EVA_PLACES):
            ahead = Rotation.from_quat((*v, w)).inv().apply((xyz - place).reshape(-1, 3)).reshape(xyz.shape)
            xy[c] = ahead[..., :2] / ahead[..., 2:] * (fx, fy) + (cx, cy)
        for name in takes:
            file = path / "converted_15j" / part / "S3" / f"{name}_1.mat"
            file.parent.mkdir(parents=True, exist_ok=True)
            scipy.io.savemat(file, {"poses_3d": xyz, "poses_2d": xy})
    for c in (1, 2, 3):
        footage(path / "S3" / "Image_Data" / f"Box_1_(C{c}).avi", 8, (640, 480), 60)
    return path


CALIBRATION = """Skeletool Camera Calibration File V1.0
name          {number}
  sensor      10 10
  size        2048 2048
  animated    0
  intrinsic   1497.693 0 1024.704 0 0 1497.103 1051.394 0 0 0 1 0 0 0 0 1
  extrinsic   0 0 -1 100 0 -1 0 200 -1 0 0 3000 0 0 0 1
  radial      0
"""


def mpi_inf_3dhp(path: Path) -> Path:
    """Two frames of S1 and S8 seen by camera 0, and of TS1, whose first frame is not valid."""
    rng = np.random.default_rng(5)
    xyz = rng.uniform((-800, -800, 2900), (800, 800, 3500), (2, 28, 3))
    xy = xyz[..., :2] / xyz[..., 2:] * (1497.693, 1497.103) + (1024.704, 1051.394)
    for subject in ("S1", "S8"):
        folder = path / subject / "Seq1"
        (folder / "imageSequence").mkdir(parents=True)
        labels = {"annot2": cells([xy.reshape(2, 56)] * 14), "annot3": cells([xyz.reshape(2, 84)] * 14)}
        scipy.io.savemat(folder / "annot.mat", {**labels, "univ_annot3": labels["annot3"]})
        text = "".join(CALIBRATION.format(number=k) for k in range(14))
        (folder / "camera.calibration").write_text(text)
        footage(folder / "imageSequence" / "video_0.avi", 2, (2048, 2048))
    seen, placed = xy[:, :17], xyz[:, :17]
    test = {
        "annot2": seen.transpose(2, 1, 0)[:, :, None], "annot3": placed.transpose(2, 1, 0)[:, :, None],
        "valid_frame": np.array([[0], [1]]), "activity_annotation": np.array([[1], [6]]),
    }  # fmt: skip
    (path / "TS1").mkdir()
    scipy.io.savemat(path / "TS1" / "annot_data.mat", test)
    for k in (1, 2):
        file = path / "TS1" / "imageSequence" / f"img_{k:06d}.jpg"
        file.parent.mkdir(exist_ok=True)
        assert cv2.imwrite(str(file), np.full((2048, 2048, 3), 90, np.uint8))
    return path


def panoptic(path: Path) -> Path:
    """One frame of a training and of a validation sequence with two people, a joint missing; one empty."""
    for name in ("170307_dance5", "160906_pizza1"):
        folder = path / name
        poses = folder / "hdPose3d_stage1_coco19"
        poses.mkdir(parents=True)
        camera = {
            "name": "00_03", "type": "hd", "resolution": [192, 108], "panel": 0, "node": 3,
            "K": [[100, 0, 95.5], [0, 100, 53.5], [0, 0, 1]], "distCoef": [0, 0, 0, 0, 0],
            "R": [[1, 0, 0], [0, 1, 0], [0, 0, 1]], "t": [[0], [0], [400]],
        }  # fmt: skip
        (folder / f"calibration_{name}.json").write_text(json.dumps({"cameras": [camera]}))
        bodies = []
        for k in range(2):
            joints = np.column_stack(
                [np.arange(19) * 2.0 + k, -np.arange(19.0), np.zeros(19), np.full(19, 0.5)]
            )
            joints[8] = (0, 0, 0, -1)
            bodies.append({"id": 4 + k, "joints19": joints.ravel().tolist()})
        for frame, people in ((7, bodies), (8, [])):
            held = {"version": 0.7, "univTime": 1.0, "fpsType": "hd_29_97", "bodies": people}
            (poses / f"body3DScene_{frame:08d}.json").write_text(json.dumps(held))
        picture(folder / "hdImgs" / "00_03" / "00_03_00000007.jpg", (192, 108))
    return path


WALKER = """HIERARCHY
ROOT Hips
{{
OFFSET 0 0 0
CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
{joints}}}
MOTION
Frames: 3
Frame Time: 0.0333333
{motion}
"""


def _bvh() -> str:
    """The rig of `cmu_walks`, standing with its arms down; left is +X; it walks along X."""
    chains = [
        [("LeftHip", 2, 0, 0), ("LeftKnee", 0, -7, 0), ("LeftAnkle", 0, -7, 0)],
        [("RightHip", -2, 0, 0), ("RightKnee", 0, -7, 0), ("RightAnkle", 0, -7, 0)],
        [("Neck", 0, 8, 0), ("Head", 0, 2, 0)],
        [("LeftShoulder", 3, 8, 0), ("LeftElbow", 0, -5, 0), ("LeftWrist", 0, -4, 0)],
        [("RightShoulder", -3, 8, 0), ("RightElbow", 0, -5, 0), ("RightWrist", 0, -4, 0)],
    ]
    text = ""
    for chain in chains:
        for name, *offset in chain:
            place = " ".join(map(str, offset))
            text += f"JOINT {name}\n{{\nOFFSET {place}\nCHANNELS 3 Zrotation Yrotation Xrotation\n"
        text += "End Site\n{\nOFFSET 0 2 0\n}\n" + "}\n" * len(chain)
    joints = sum(map(len, chains))
    motion = "\n".join(f"{k} 15 0 0 0 0" + " 0 0 0" * joints for k in range(3))
    return WALKER.format(joints=text, motion=motion)


ASF = """# a comment
:version 1.10
:name two
:units
  mass 1.0
  length 0.45
  angle deg
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 0 0
  orientation 0 0 0
:bonedata
{bones}:hierarchy
  begin
{tree}  end
"""
_BONES = {
    "lhipjoint": ("root", 2, 0, 0), "lfemur": ("lhipjoint", 0, -7, 0), "ltibia": ("lfemur", 0, -7, 0),
    "lfoot": ("ltibia", 0, 0, 2), "rhipjoint": ("root", -2, 0, 0), "rfemur": ("rhipjoint", 0, -7, 0),
    "rtibia": ("rfemur", 0, -7, 0), "rfoot": ("rtibia", 0, 0, 2), "lowerback": ("root", 0, 8, 0),
    "lclavicle": ("lowerback", 3, 0, 0), "lhumerus": ("lclavicle", 5, 0, 0), "lradius": ("lhumerus", 4, 0, 0),
    "lwrist": ("lradius", 1, 0, 0), "rclavicle": ("lowerback", -3, 0, 0), "rhumerus": ("rclavicle", -5, 0, 0),
    "rradius": ("rhumerus", -4, 0, 0), "rwrist": ("rradius", -1, 0, 0), "upperneck": ("lowerback", 0, 1, 0),
    "head": ("upperneck", 0, 2, 0),
}  # fmt: skip


def acclaim(path: Path) -> Path:
    """CMU's own files: subject 02 in a T-pose; then the left knee and the left elbow bend by 90°."""
    bones, tree = "", ""
    for name, (parent, *vector) in _BONES.items():
        length = float(np.linalg.norm(vector))
        along = " ".join(f"{v / length:.9f}" for v in vector)
        moving = {"ltibia": "dof rx", "lradius": "dof ry"}.get(name, "")
        bones += f"  begin\n    id 1\n    name {name}\n    direction {along}\n    length {length}\n"
        bones += f"    axis 0 0 {90 if name == 'lradius' else 0} XYZ\n    {moving}\n  end\n"
        tree += f"    {parent} {name}\n"
    path.mkdir(parents=True, exist_ok=True)
    (path / "02.asf").write_text(ASF.format(bones=bones, tree=tree))
    still, bent = "root 1 15 3 0 0 0\nltibia 0\nlradius 0\n", "root 1 15 3 0 90 0\nltibia 90\nlradius 90\n"
    (path / "02_01.amc").write_text(f"#!OML:ASF\n:FULLY-SPECIFIED\n:DEGREES\n1\n{still}2\n{bent}")
    return path


def mocap(path: Path) -> Path:
    """One walk of a training and of a validation group, and a take in CMU's own format."""
    (path / "cmu_walks").mkdir(parents=True)
    for name in ("35_01", "08_01"):
        (path / "cmu_walks" / f"{name}.bvh").write_text(_bvh())
    acclaim(path / "subjects" / "02")
    return path


QUALISYS = """<?xml version='1.0' encoding='ASCII'?>
<calibration><cameras>{cameras}</cameras></calibration>
"""
CAMERA = """<camera serial="{serial}">
<fov_video bottom="95" left="0" right="63" top="0"/>
<transform r11="1" r12="0" r13="0" r21="0" r22="0" r23="1" r31="0" r32="-1" r33="0"
 x="500" y="-3000" z="1000"/>
<intrinsic centerPointU="2048" centerPointV="3072" focalLengthU="6400" focalLengthV="6400"
 radialDistortion1="0" radialDistortion2="0" radialDistortion3="0"
 tangentalDistortion1="0" tangentalDistortion2="0"/></camera>"""


def pose2sim(path: Path) -> Path:
    """Two cameras 3 m before the origin that look along Y; the second video is half as large, with bars."""
    path.mkdir(parents=True, exist_ok=True)
    cameras = "".join(CAMERA.format(serial=serial) for serial in ("cam01", "cam02"))
    (path / "Calib.qca.txt").write_text(QUALISYS.format(cameras=cameras))
    footage(path / "cam01.mp4", 2, (64, 96))
    footage(path / "cam02.mp4", 2, (32, 64))
    return path
