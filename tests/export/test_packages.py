"""What other people's packages read of the formats they own: SLEAP, DeepLabCut, movement, NWB."""

import importlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifted_recordings import JOINTS, lifted, source, wandering
from marey.core.recording import Recording
from marey.core.skeletons import MAREY19
from marey.export import export

TIMES = np.array([0.0, 0.033, 0.1, 0.15, 0.2])  # a variable rate


def recording(seed: int = 0) -> Recording:
    """Two people, one of them late; some joints missing in the picture too."""
    late = wandering(5, seed + 1)
    late[:2] = np.nan
    made = lifted({1: wandering(5, seed, 0.2), 3: late}, TIMES, source(Fraction(25), True))
    rng = np.random.default_rng(seed)
    gone = rng.random(made.rows.scores.shape) < 0.2
    made.rows.xy_px[gone], made.rows.scores[gone] = np.nan, np.nan
    return Recording.of(made.rows, made.frame, made.time_s, made.history, made.space)


@pytest.fixture(scope="module")
def sio():
    return importlib.import_module("sleap_io")


@pytest.mark.parametrize("seed", [0, 7])
def test_slp(seed: int, sio, tmp_path: Path):
    ours = recording(seed)
    (path,) = export(ours, tmp_path / "walk.slp")
    labels = sio.load_slp(str(path), open_videos=False)
    assert [node.name for node in labels.skeleton.nodes] == list(MAREY19.joints)
    assert labels.skeleton.edge_inds == [tuple(limb) for limb in MAREY19.limbs]
    assert {frozenset(pair) for pair in labels.skeleton.symmetry_inds} == set(map(frozenset, MAREY19.flips))
    assert [track.name for track in labels.tracks] == ["person_1", "person_3"]
    assert Path(labels.video.filename).name == "walk.mp4"
    found = {(frame.frame_idx, one.track.name): one for frame in labels for one in frame.instances}
    assert len(found) == len(ours.rows)
    for k, (frame, person) in enumerate(zip(ours.rows.frame, ours.rows.person, strict=True)):
        one = found[frame, f"person_{person}"]
        np.testing.assert_allclose(one.numpy(), ours.rows.xy_px[k] - 0.5, atol=1e-4)
        known = ~np.isnan(ours.rows.scores[k])
        np.testing.assert_allclose(one.points["score"][known], ours.rows.scores[k][known], atol=1e-6)


def test_slp_of_one_whom_nobody_tracked(sio, tmp_path: Path):
    ours = recording()
    rows = ours.rows.take(ours.rows.person == 3)
    rows.person[:] = -1
    (path,) = export(Recording.of(rows, ours.frame, ours.time_s, ours.history), tmp_path / "walk.slp")
    labels = sio.load_slp(str(path), open_videos=False)
    assert labels.tracks == []
    assert [one.track for frame in labels for one in frame.instances] == [None] * 3


def test_dlc_by_sleap_io_and_pandas(sio, tmp_path: Path):
    ours = recording()
    (path,) = export(ours, tmp_path, "dlc")
    table = pd.read_csv(path, header=[0, 1, 2, 3], index_col=0)
    assert table.columns.names == ["scorer", "individuals", "bodyparts", "coords"]
    assert table.index.tolist() == ours.frame.tolist()
    xy, scores = ours.dense()
    for n, person in enumerate(("person_1", "person_3")):
        for j, joint in enumerate(MAREY19.joints):
            read = table["marey"][person][joint][["x", "y", "likelihood"]].to_numpy()
            want = np.concatenate([xy[:, n, j] - 0.5, scores[:, n, j, None]], -1)
            np.testing.assert_allclose(read, want, atol=1e-4)
    # sleap-io makes frames of rows that are named after pictures which lie there; the header it reads anyway
    labels = sio.load_file(str(path), format="dlc")
    assert {track.name for track in labels.tracks} == {"person_1", "person_3"}
    assert {node.name for node in labels.skeleton.nodes} == set(MAREY19.joints)


def test_dlc_of_one_person_has_no_individuals(tmp_path: Path):
    (path,) = export(recording().only([3]), tmp_path, "dlc")
    table = pd.read_csv(path, header=[0, 1, 2], index_col=0)
    assert table.columns.names == ["scorer", "bodyparts", "coords"]
    assert table.index.tolist() == [0, 1, 2, 3, 4]  # pandas loses a first row of empty cells
    assert table.iloc[:2].isna().all(axis=None)


@pytest.mark.parametrize("metres", [False, True])
def test_movement(metres: bool, tmp_path: Path):
    xarray = importlib.import_module("xarray")
    ours = recording()
    (path,) = export(ours, tmp_path, "movement-3d" if metres else "movement")
    with xarray.open_dataset(path) as data:
        assert data["position"].dims == ("time", "space", "keypoint", "individual")
        assert data["confidence"].dims == ("time", "keypoint", "individual")
        assert data["space"].values.tolist() == list("xyz" if metres else "xy")
        assert data["keypoint"].values.tolist() == list(JOINTS if metres else MAREY19.joints)
        assert data["individual"].values.tolist() == ["person_1", "person_3"]
        np.testing.assert_array_equal(data["time"], TIMES)
        about = {"ds_type": "poses", "fps": 25.0, "time_unit": "seconds", "source_software": "marey"}
        assert about.items() <= data.attrs.items()
        assert data.attrs["space_unit"] == ("meters" if metres else "pixels")
        places, scores = ours.dense(metres)
        want = places.transpose(0, 3, 2, 1) - (0 if metres else 0.5)
        np.testing.assert_allclose(data["position"], want, atol=1e-4)
        np.testing.assert_array_equal(data["confidence"], scores.transpose(0, 2, 1))


def test_movement_itself_takes_them(tmp_path: Path):
    reason = "movement is not installed here: it brings a hundred packages"
    datasets = pytest.importorskip("movement.validators.datasets", reason=reason)
    movement_io = importlib.import_module("movement.io")
    xarray = importlib.import_module("xarray")
    old = {"keypoint": "keypoints", "individual": "individuals"}
    known = datasets.ValidPosesInputs.DIM_NAMES
    ours = recording()
    (path,) = export(ours, tmp_path, "movement-3d")
    with xarray.open_dataset(path) as data:
        datasets.ValidPosesInputs.validate(data if "keypoint" in known else data.rename(old))
    (path,) = export(ours, tmp_path, "dlc")
    read = movement_io.load_dataset(path, source_software="DeepLabCut", fps=25)
    read = read.rename({name: now for now, name in old.items() if name in read.dims})
    want = ours.dense()[0].transpose(0, 3, 2, 1) - 0.5
    np.testing.assert_allclose(
        read["position"].transpose("time", "space", "keypoint", "individual"), want, atol=1e-4
    )


@pytest.mark.parametrize("flat", [False, True])
def test_nwb(flat: bool, tmp_path: Path):
    pynwb = importlib.import_module("pynwb")
    ours = recording()
    ours = ours.with_rows(ours.rows) if flat else ours
    files = export(ours, tmp_path / "walk.nwb")
    assert [file.name for file in files] == ["walk_person-1.nwb", "walk_person-3.nwb"]
    for n, (person, file) in enumerate(zip((1, 3), files, strict=True)):
        with pynwb.NWBHDF5IO(str(file), mode="r") as io:
            read = io.read()
            assert read.subject.subject_id == f"person_{person}"
            behavior = read.processing["behavior"]
            assert ("PoseEstimation3D" in behavior.data_interfaces) is not flat
            for name, metres in [("PoseEstimation", False)] + [("PoseEstimation3D", True)] * (not flat):
                places, scores = ours.dense(metres)
                pose = behavior[name]
                assert pose.source_software == "marey"
                nodes = list(pose.skeleton.nodes[:])
                assert nodes == list(JOINTS if metres else MAREY19.joints)
                np.testing.assert_array_equal(pose.skeleton.edges[:], MAREY19.limbs)
                for j, joint in enumerate(nodes):
                    series = pose[joint]
                    np.testing.assert_array_equal(series.data[:], places[:, n, j])
                    np.testing.assert_array_equal(series.confidence[:], scores[:, n, j])
                    np.testing.assert_array_equal(np.asarray(series.timestamps), TIMES)
                    assert series.unit == ("meters" if metres else "pixels")
    assert not pynwb.validate(path=str(files[0]))


@settings(max_examples=5)
@given(st.integers(0, 2**16))
def test_movement_keeps_every_bit_in_space(tmp_path_factory, seed):
    xarray = importlib.import_module("xarray")
    ours = recording(seed)
    (path,) = export(ours, tmp_path_factory.mktemp("out"), "movement-3d")
    with xarray.open_dataset(path) as data:
        np.testing.assert_array_equal(data["position"], ours.dense(True)[0].transpose(0, 3, 2, 1))
