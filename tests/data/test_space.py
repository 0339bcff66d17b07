"""Sets that measured space: cameras project the truth where the labels say, real cameras where there are."""

import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import scipy.io

import data_trees_space as trees
from marey.core.cameras import Camera
from marey.core.errors import DataError
from marey.core.skeletons import H36M17, HUMANEVA15, MPI_INF_3DHP17, PANOPTIC19, WHOLEBODY133
from marey.data import open_kind
from marey.data.acclaim import read_acclaim
from marey.data.cdf import read_cdf
from marey.data.files import Samples
from marey.data.h36m import _camera
from marey.data.objects import read_objects
from marey.data.sample import Sample, State


def _projected(sample: Sample) -> np.ndarray:
    assert sample.camera is not None
    assert sample.xyz_m is not None
    return sample.camera.project(sample.xyz_m.astype(np.float64))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_cdf_round_trip(packed: bool, order: str, tmp_path: Path):
    values = np.random.default_rng(0).normal(size=(1, 5, 6))
    file = trees.cdf(tmp_path / "a.cdf", values, packed, order=order)
    np.testing.assert_array_equal(read_cdf(file, "Pose")[0], values)
    with pytest.raises(DataError, match=r"a\.cdf: .*no variable `Pos`"):
        read_cdf(file, "Pos")


@pytest.mark.parametrize("packed", [False, True])
def test_a_cut_cdf_is_refused(packed: bool, tmp_path: Path):
    whole = trees.cdf(tmp_path / "a.cdf", np.ones((1, 5, 6)), packed).read_bytes()
    for length in (0, 4, 20, 200, 500, len(whole) - 30):
        (tmp_path / "a.cdf").write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"a\.cdf: not a CDF file"):
            read_cdf(tmp_path / "a.cdf", "Pose")


def test_h36m(tmp_path: Path):
    samples = open_kind("h36m", trees.h36m(tmp_path), "test")
    assert len(samples) == 2 * 4
    sample = samples[1]
    assert (sample.clip, sample.action) == ("S9/Eating 1.54138969", "Eating")
    assert sample.time_s == pytest.approx(0.02)
    assert sample.xyz_m is not None
    assert sample.camera is not None
    mm = trees.body(2, 32)[1]
    np.testing.assert_allclose(sample.xyz_m[0, H36M17.index("left_hip")], mm[6] / 1000, atol=1e-6)
    np.testing.assert_allclose(sample.xyz_m[0, H36M17.index("right_wrist")], mm[27] / 1000, atol=1e-6)
    # The camera stands where the file says, and looks at the people about the origin.
    np.testing.assert_allclose(sample.camera.to_world(np.zeros((1, 3)))[0], np.array(trees.PLACE_MM) / 1000)
    assert sample.truth.state[0].tolist() == [State.VISIBLE] * 17
    assert open_kind("h36m", tmp_path, "train")[0].action == "WalkDog"
    assert {s.clip.split("/")[0] for s in open_kind("h36m", tmp_path, "all")} == {"S1", "S8", "S9"}


@pytest.mark.data
def test_h36m_camera_on_real_numbers(shared_data: Path):
    """The camera of the parameter list is the published one, and projects published 3D onto published 2D."""
    folder = shared_data / "samples" / "h36m"
    with (folder / "cameras.pkl").open("rb") as file:
        given = pickle.load(file)[("S1", "54138969")]
    made = _camera(np.array([*trees.ANGLES, *trees.PLACE_MM]), np.array(trees.LENS))
    np.testing.assert_allclose(made.rotation, given["R"].T, atol=1e-8)
    held = np.load(folder / "test_h36m_body3d.npz")
    xyz, xy = held["S"][0, :, :3], held["part"][0, :, :2]
    seen = made.project(made.to_world(xyz)) - 0.5
    assert np.abs(seen - xy).max() < 0.2


def test_h3wb(tmp_path: Path):
    samples = open_kind("h3wb", trees.h3wb(tmp_path), "val")
    assert [sample.name for sample in samples] == [f"S7/Directions 1.60457274/00000{k}" for k in (0, 2)]
    truth = samples[1].truth
    assert truth.skeleton == WHOLEBODY133
    np.testing.assert_allclose(_projected(samples[1])[0], truth.xy_px[0], atol=1e-2)
    assert abs(int(samples[1].rgb()[0, 0, 0]) - 80) < 6


@pytest.mark.data
def test_h3wb_sample_opens(shared_data: Path):
    samples = open_kind("h3wb", shared_data / "samples" / "h3wb")
    assert samples[0].name == "S5/Directions 1.60457274/002190"
    assert samples[0].xyz_m is not None


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("called",)


def test_an_npz_cannot_call_anything(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    np.savez(tmp_path / "a.npz", train_data=np.array({"x": _Evil()}, dtype=object), plain=np.ones(3))
    with pytest.raises(DataError, match=r"a\.npz: field `train_data`.*builtins\.print"):
        read_objects(tmp_path / "a.npz", "train_data")
    assert capsys.readouterr().out == ""
    with pytest.raises(DataError, match=r"`plain` is float64"):
        read_objects(tmp_path / "a.npz", "plain")
    with pytest.raises(DataError, match=r"`other` is missing"):
        read_objects(tmp_path / "a.npz", "other")


def test_humaneva(tmp_path: Path):
    samples = open_kind("humaneva", trees.humaneva(tmp_path, ("Train", "Validate")), "test")
    # The middle frame was lost; Validate begins at frame 5 of the capture, which starts with the video.
    assert [sample.name for sample in samples] == [
        f"Validate/S3/Box_1.C{c}/{k:06d}" for c in (1, 2, 3) for k in (0, 2)
    ]
    assert abs(int(samples[1].rgb()[0, 0, 0]) - (40 + 20 * 7)) < 6
    assert samples[0].camera is not None
    for sample in samples:
        np.testing.assert_allclose(_projected(sample)[0], sample.truth.xy_px[0], atol=1e-3)
    fx, fy, cx, cy = trees.EVA_LENS
    lens = np.array([[fx, 0, cx + 0.5], [0, fy, cy + 0.5], [0, 0, 1]])
    np.testing.assert_allclose(samples[0].camera.matrix, lens, atol=1e-6)
    assert samples[0].truth.skeleton == HUMANEVA15
    np.testing.assert_allclose(
        samples[0].camera.to_world(np.zeros((1, 3)))[0], [4.062227, 0.6632477, 1.528397]
    )
    assert samples[0].camera.to_camera(np.array([[0, 0, 1.0]]))[0, 2] > 3
    train = open_kind("humaneva", tmp_path, "train")
    with pytest.raises(DataError, match=r"frame 512 could not be decoded \(it holds 8\)"):
        train[0].rgb()


def test_humaneva_is_judged_on_three_actions(tmp_path: Path):
    trees.humaneva(tmp_path, ("Train", "Validate"), ("Box", "Gestures", "Walking"))
    actions = {
        split: {s.action for s in open_kind("humaneva", tmp_path, split)}
        for split in ("all", "train", "test")
    }
    assert actions["train"] == actions["test"] == {"Box", "Walking"}
    assert actions["all"] == {"Box", "Gestures", "Walking"}


def test_humaneva_without_a_lens_is_refused(tmp_path: Path):
    """2D that is no picture of the 3D: upside down."""
    file = trees.humaneva(tmp_path) / "converted_15j" / "Validate" / "S3" / "Box_1.mat"
    held = scipy.io.loadmat(file)
    held["poses_2d"][..., 1] *= -1
    scipy.io.savemat(file, {name: held[name] for name in ("poses_2d", "poses_3d")})
    with pytest.raises(DataError, match=r"Box_1\.mat: .*`poses_2d`.*camera C1: no lens"):
        open_kind("humaneva", tmp_path)[0]


@pytest.mark.data
def test_a_lens_is_found_again_on_real_numbers(shared_data: Path):
    """MPI-INF-3DHP's test camera 1, from the 17 joints of one published frame."""
    folder = shared_data / "samples" / "mpi_inf_3dhp"
    held = np.load(folder / "test_3dhp_test.npz")
    with (folder / "cameras_test.pkl").open("rb") as file:
        given = pickle.load(file)["TS1"]
    made = Camera.fitted(held["part"][0, :, :2], held["S"][0, :, :3])
    np.testing.assert_allclose(np.diag(made.matrix)[:2], given["f"][:, 0], rtol=2e-3)
    np.testing.assert_allclose(made.matrix[:2, 2], given["c"][:, 0], atol=2)


def test_mpi_inf_3dhp(tmp_path: Path):
    path = trees.mpi_inf_3dhp(tmp_path)
    train, test = open_kind("mpi_inf_3dhp", path, "train"), open_kind("mpi_inf_3dhp", path, "test")
    assert [sample.name for sample in train] == ["S1/Seq1/0/000000", "S1/Seq1/0/000001"]
    assert [(sample.name, sample.action) for sample in test] == [("TS1/000001", "Sports")]
    for sample in (*train, *test):
        assert sample.truth.skeleton == MPI_INF_3DHP17
        np.testing.assert_allclose(_projected(sample)[0], sample.truth.xy_px[0], atol=1e-2)
    rng = np.random.default_rng(5).uniform((-800, -800, 2900), (800, 800, 3500), (2, 28, 3))[1] / 1000
    assert train[1].camera is not None
    assert train[1].xyz_m is not None
    inside = train[1].camera.to_camera(train[1].xyz_m[0].astype(np.float64))
    # Joint 9 of 28 is the left shoulder, joint 4 the pelvis (posepile's list).
    np.testing.assert_allclose(inside[MPI_INF_3DHP17.index("left_shoulder")], rng[9], atol=1e-5)
    np.testing.assert_allclose(inside[MPI_INF_3DHP17.index("pelvis")], rng[4], atol=1e-5)
    (path / "TS2").mkdir()
    (path / "TS2" / "annot_data.mat").write_bytes(b"MATLAB 7.3 MAT-file" + b" " * 493 + b"\x89HDF\r\n\x1a\n")
    with pytest.raises(DataError, match=r"annot_data\.mat: a MATLAB 7\.3 file; save it again"):
        open_kind("mpi_inf_3dhp", path, "test")


def test_panoptic(tmp_path: Path):
    samples = open_kind("panoptic", trees.panoptic(tmp_path), "val")
    assert [sample.name for sample in samples] == ["160906_pizza1/00_03/00000007"]
    truth = samples[0].truth
    assert truth.ids.tolist() == [4, 5]
    assert truth.state[0, PANOPTIC19.index("left_ankle")] == State.UNLABELLED
    # Joint 3 of body 0 at (6, −3, 0) cm, seen from 4 m before it with 100 px: 1.5 px right, 0.75 px up.
    np.testing.assert_allclose(truth.xy_px[0, 3], [96 + 1.5, 54 - 0.75], atol=1e-4)


@pytest.mark.data
def test_panoptic_people_stand_in_the_picture(shared_data: Path):
    samples = open_kind("panoptic", shared_data / "samples" / "panoptic_body3d")
    assert {sample.clip for sample in samples} >= {"160906_band1/00_03", "160906_band2/00_23"}
    joints = np.concatenate([sample.truth.xy_px for sample in samples])
    head, hips = joints[:, PANOPTIC19.index("nose"), 1], joints[:, PANOPTIC19.index("mid_hip"), 1]
    # One musician bends down to the instrument.
    assert np.mean(head < hips) > 0.8
    assert np.nanmean((joints >= 0) & (joints <= (1920, 1080))) > 0.9


def test_mocap_walks_to_the_left(tmp_path: Path):
    samples = open_kind("mocap", trees.mocap(tmp_path), "val")
    assert [sample.name for sample in samples] == [f"08_01/{k:06d}" for k in range(3)]
    xyz = samples[2].xyz_m
    assert xyz is not None
    unit = 0.0254 / 0.45
    np.testing.assert_allclose(xyz[0, H36M17.index("left_foot")], np.array([4, 1, 0]) * unit, atol=1e-6)
    np.testing.assert_allclose(_projected(samples[2])[0], samples[2].truth.xy_px[0], atol=1e-3)
    xy = samples[2].truth.xy_px[0]
    # The person looks at the camera: left is on the picture's right, up is up.
    assert xy[H36M17.index("left_hip"), 0] > xy[H36M17.index("right_hip"), 0]
    assert xy[H36M17.index("head"), 1] < xy[H36M17.index("left_foot"), 1]
    assert ((xy >= 0) & (xy <= 512)).all()


def test_acclaim_by_hand(tmp_path: Path):
    take = read_acclaim(trees.acclaim(tmp_path) / "02_01.amc")
    still, bent = take.positions()
    at = {joint: take.index(joint) for joint in take.joints}
    np.testing.assert_allclose(still[at["ltibia"]], [3, 8, 3], atol=1e-6)
    np.testing.assert_allclose(still[at["lfoot_end"]], [3, 1, 5], atol=1e-6)
    # The body turns by 90° about Y: +X goes to −Z, +Z to +X. The knee bends by 90° about X: the shank, which
    # hung down, points back (−Z) before the turn, so to −X after it.
    np.testing.assert_allclose(bent[at["ltibia"]], [1, 8, 1], atol=1e-6)
    np.testing.assert_allclose(bent[at["lfoot"]], [1 - 7, 8, 1], atol=1e-6)
    # The radius's own axes are turned by 90° about Z, so its bend about its Y is one about the world's −X,
    # along the bone itself: it does not move.
    np.testing.assert_allclose(bent[at["lwrist"]], [1, 23, 3 - (3 + 5 + 4)], atol=1e-6)


def test_pose2sim_cameras(tmp_path: Path):
    samples = open_kind("pose2sim", trees.pose2sim(tmp_path))
    assert [sample.name for sample in samples] == [f"cam0{c}/{k:06d}" for c in (1, 2) for k in range(2)]
    point = np.array([[0.7, 0.0, 1.3]])
    first, second = (sample.camera.project(point)[0] for sample in samples[::2] if sample.camera)
    # 0.2 m right and 0.3 m up of the axis at 3 m, with 100 px, about (32.5, 48.5).
    np.testing.assert_allclose(first, [32.5 + 100 * 0.2 / 3, 48.5 - 100 * 0.3 / 3])
    # Half the size; 96 rows become 48 of 64: bars of 8.
    np.testing.assert_allclose(second, first / 2 + [0, 8])


@pytest.mark.data
def test_pose2sim_cameras_look_at_one_place(shared_data: Path):
    samples: Samples = open_kind("pose2sim", shared_data / "pose2sim")
    cameras = {sample.clip: sample.camera for sample in samples[::100]}
    axes, places = [], []
    for camera in cameras.values():
        assert camera is not None
        places.append(camera.to_world(np.zeros((1, 3)))[0])
        axes.append(camera.rotation[2])
        assert camera.rotation[1, 2] < -0.8
    # The point nearest to all optical axes, which should all pass by it.
    crosses = [np.eye(3) - np.outer(axis, axis) for axis in axes]
    middle = np.linalg.solve(sum(crosses), sum(c @ p for c, p in zip(crosses, places, strict=True)))
    for cross, place, axis in zip(crosses, places, axes, strict=True):
        assert np.linalg.norm(cross @ (middle - place)) < 1.0
        assert axis @ (middle - place) > 1.0


def test_struct_sizes_of_the_cdf_writer_are_the_descriptions():
    """A zVDR has 84 bytes before its name: the reader looks for the name there."""
    assert 12 + struct.calcsize(">qiiqqiiiiiiiqi") == 84
