"""What each kind makes of its label files: places, states, ids, sizes, splits; all known by construction."""

import contextlib
from pathlib import Path

import numpy as np
import pytest

import data_trees as trees
import data_trees_video as video_trees
from marey.core.errors import DataError
from marey.core.skeletons import BBC7, FLIC11, HIE14, PENN13
from marey.data import open_kind, penn
from marey.data.sample import State


def _parts(kind: str, path: Path) -> dict[str, set[str]]:
    """Clips by split; a split that is empty is left out."""
    found = {}
    for split in ("train", "val", "test"):
        with contextlib.suppress(DataError):
            found[split] = {sample.clip for sample in open_kind(kind, path, split)}
    return found


def test_parse_names_the_observers_sides(tmp_path: Path):
    truth = open_kind("parse", video_trees.parse(tmp_path), "train")[0].truth
    assert truth.skeleton.joints[0] == "observer_right_ankle"
    assert not any(joint.startswith(("left", "right")) for joint in truth.skeleton.joints)
    np.testing.assert_allclose(truth.xy_px[0, 0], [0.5, 1.5])
    assert _parts("parse", tmp_path) == {"train": {"im0001", "im0100"}, "test": {"im0101"}}


def test_crowdpose(tmp_path: Path):
    sample = open_kind("crowdpose", video_trees.crowdpose(tmp_path), "test")[0]
    assert sample.crowd_index == 0.9
    np.testing.assert_allclose(sample.truth.xy_px[0, 0], [2.5, 3.5])
    assert sample.truth.state[0, :3].tolist() == [State.VISIBLE, State.OCCLUDED, State.UNLABELLED]
    np.testing.assert_allclose(sample.truth.boxes_px, [[2, 3, 22, 13]])
    np.testing.assert_allclose(sample.truth.areas_px, [0.53 * 20 * 10])
    trainval = tmp_path / "json" / "crowdpose_trainval.json"
    (tmp_path / "json" / "crowdpose_train.json").rename(trainval)
    assert [s.name for s in open_kind("crowdpose", tmp_path, "train")] == ["101"]


def test_mpii(tmp_path: Path):
    sample = open_kind("mpii", video_trees.mpii(tmp_path), "val")[0]
    truth = sample.truth
    assert (sample.name, sample.clip, sample.action) == ("000000001", "video1", "running")
    assert len(truth) == 2
    np.testing.assert_allclose(truth.xy_px[0, [0, 13]], [[9.5, 10.5], [10.5, 11.5]])
    assert truth.state[0, [0, 13, 9, 1]].tolist() == [
        State.VISIBLE, State.OCCLUDED, State.VISIBLE, State.UNLABELLED,
    ]  # fmt: skip
    # The head box is 3 × 4: 0.6 of its diagonal of 5. The square of 200 · 0.1 pixels is about (19.5, 14.5).
    np.testing.assert_allclose(truth.head_px, 3.0)
    np.testing.assert_allclose(truth.boxes_px[0], [9.5, 4.5, 29.5, 24.5])
    assert truth.ids.tolist() == [0, 1]
    assert truth.ignore.tolist() == [False, True]
    assert _parts("mpii", tmp_path) == {"train": {"video2", "video3"}, "val": {"video1"}}


def test_flic(tmp_path: Path):
    truth = open_kind("flic", video_trees.flic(tmp_path), "test")[0].truth
    # Slot 0 is the left shoulder at MATLAB's (1, 21), slot 9 the right hip, the eighth that is filled.
    np.testing.assert_allclose(truth.xy_px[0, FLIC11.index("left_shoulder")], [0.5, 20.5])
    np.testing.assert_allclose(truth.xy_px[0, FLIC11.index("right_hip")], [7.5, 27.5])
    np.testing.assert_allclose(truth.xy_px[0, FLIC11.index("nose")], [10.5, 30.5])
    np.testing.assert_allclose(truth.torso_px, np.hypot(3, 3))
    np.testing.assert_allclose(truth.boxes_px, [[1.5, 2.5, 29.5, 32.5]])
    films = _parts("flic", tmp_path)
    assert not films.get("train", set()) & films.get("val", set())


def test_penn(tmp_path: Path):
    samples = open_kind("penn", video_trees.penn(tmp_path, boxes=2), "test")
    truth = samples[2].truth
    assert (samples[2].name, samples[2].size, samples[2].action) == ("0002/000002", trees.SIZE, "bowl")
    np.testing.assert_allclose(truth.xy_px[0, 3], [3 + 2 + 2 - 0.5, 3 + 2 + 2 + 10 - 0.5])
    assert truth.state[0, :3].tolist() == [State.UNLABELLED, State.OCCLUDED, State.VISIBLE]
    # The boxes are one row short: the last serves twice.
    np.testing.assert_allclose(truth.boxes_px, [[1.5, 2.5, 29.5, 32.5]])
    assert samples[2].truth.skeleton.joints[1] == "right_shoulder"


def test_penn_slots_the_other_way_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = video_trees.penn(tmp_path)
    right_first = open_kind("penn", path, "test")[0].truth.xy_px[0]
    monkeypatch.setattr(penn, "RIGHT_FIRST", False)
    left_first = open_kind("penn", path, "test")[0].truth.xy_px[0]
    np.testing.assert_allclose(left_first[PENN13.index("left_knee")], right_first[PENN13.index("right_knee")])
    np.testing.assert_allclose(left_first[PENN13.index("right_hip")], right_first[PENN13.index("left_hip")])


@pytest.mark.data
def test_penn_labels_say_right_first(shared_data: Path):
    """Seen from the front, the person's right is on the picture's left; from behind on its right."""
    import scipy.io

    pairs = ((1, 2), (7, 8))
    right_on_left: dict[str, list[bool]] = {"front": [], "back": []}
    for file in sorted((shared_data / "penn" / "labels").glob("*.mat"))[::4]:
        held = scipy.io.loadmat(file, variable_names=["pose", "x"])
        pose = held["pose"][0]
        if pose in right_on_left:
            x = held["x"]
            right_on_left[pose].append(sum(np.median(x[:, b] - x[:, a]) for a, b in pairs) > 0)
    assert np.mean(right_on_left["front"]) > 0.85
    assert np.mean(right_on_left["back"]) < 0.45


def test_jhmdb_sub_takes_the_official_lists(tmp_path: Path):
    path = trees.jhmdb_sub(tmp_path)
    (first, second) = ("/".join(clip) for clip in trees.JHMDB_CLIPS)
    for kind in ("jhmdb", "jhmdb_sub", "jhmdb_sub2", "jhmdb_sub3"):
        parts = _parts(kind, path)
        assert parts.pop("test") == {second}
        assert set.union(*parts.values()) == {first}
    np.testing.assert_allclose(open_kind("jhmdb_sub", path)[0].truth.boxes_px, [[90, 40, 260, 140]])
    (path / "sub_splits" / f"{trees.JHMDB_CLIPS[0][0]}_test_split2.txt").write_text("no number here\n")
    with pytest.raises(DataError, match=r"test_split2\.txt.*1 \(train\) or 2 \(test\)"):
        open_kind("jhmdb_sub2", path)


def test_bbc_gives_clicked_frames_where_there_are(tmp_path: Path):
    samples = open_kind("bbc", video_trees.bbc(tmp_path), "test")
    assert [sample.name for sample in samples] == ["3/000009", "3/000011"]
    np.testing.assert_allclose(samples[1].truth.xy_px[0, BBC7.index("right_wrist")], [2.5, 9.5])
    assert _parts("bbc", tmp_path) == {"train": {"1"}, "val": {"2"}, "test": {"3"}}


def test_poses_in_the_wild(tmp_path: Path):
    sample = open_kind("poses_in_the_wild", video_trees.poses_in_the_wild(tmp_path), "test")[1]
    truth = sample.truth
    assert (sample.clip, sample.name) == ("seq21", "selected_seqs/seq21/Film-3768-00001")
    np.testing.assert_allclose(truth.xy_px[0, BBC7.index("left_shoulder")], [5.5, 9.5])
    np.testing.assert_allclose(truth.xy_px[0, BBC7.index("right_wrist")], [10.5, 14.5])
    assert truth.state[0, BBC7.index("left_elbow")] == State.UNLABELLED
    assert truth.state[0, BBC7.index("head")] == State.UNLABELLED


def test_chalearn_takes_the_kinects_joints(tmp_path: Path):
    samples = open_kind("chalearn", video_trees.chalearn(tmp_path), "val")
    assert [len(sample.truth) for sample in samples] == [0, 1]
    assert samples[1].time_s == pytest.approx(0.05)
    # Joint j of the Kinect lies at (10 + j, 20 + j); its left wrist is joint 6, its right wrist joint 10.
    np.testing.assert_allclose(samples[1].truth.xy_px[0, BBC7.index("left_wrist")], [16.5, 26.5])
    np.testing.assert_allclose(samples[1].truth.xy_px[0, BBC7.index("right_wrist")], [20.5, 30.5])
    assert abs(int(samples[1].rgb()[0, 0, 0]) - 60) < 6
    assert "Sample00223" not in {sample.clip for sample in open_kind("chalearn", tmp_path, "train")}


@pytest.mark.parametrize(
    ("kind", "folder"), [("posetrack18", "annotations"), ("posetrack21", "posetrack_data")]
)
def test_posetrack(kind: str, folder: str, tmp_path: Path):
    samples = open_kind(kind, video_trees.posetrack(tmp_path, folder), "val")
    assert [sample.name for sample in samples] == ["002_mpii/000000"]
    truth = samples[0].truth
    assert truth.ids.tolist() == [3]
    np.testing.assert_allclose(truth.head_px, 0.6 * 5)
    np.testing.assert_allclose(truth.xy_px[0, 5], [7.5, 8.5])
    assert [len(region) for region in samples[0].regions_px] == [3, 4]
    np.testing.assert_allclose(samples[0].regions_px[1][1], [59, 1])


def test_hie(tmp_path: Path):
    samples = open_kind("hie", video_trees.hie(tmp_path), "val")
    assert [sample.name for sample in samples] == ["1/000000", "1/000001"]
    assert [len(sample.truth) for sample in samples] == [1, 0]
    truth = samples[0].truth
    assert truth.ids.tolist() == [5]
    np.testing.assert_allclose(truth.xy_px[0, HIE14.index("right_shoulder")], [12.5, 22.5])
    assert truth.state[0, 13] == State.UNLABELLED
    np.testing.assert_allclose(truth.head_px, 0.6 * 2 * np.hypot(1, 1), rtol=1e-6)
    np.testing.assert_allclose(truth.boxes_px, [[8, 9, 30, 40]])
    assert _parts("hie", tmp_path) == {"train": {"2"}, "val": {"1"}}


def test_synth(tmp_path: Path):
    samples = open_kind("synth", video_trees.synth(tmp_path))
    assert [len(sample.truth) for sample in samples] == [1, 1, 0]
    first = samples[0]
    assert first.truth.ids.tolist() == [2]
    assert first.truth.state[0, :2].tolist() == [State.OCCLUDED, State.VISIBLE]
    assert first.truth.state[0, -1] == State.UNLABELLED  # outside the picture
    assert first.camera is not None
    assert first.xyz_m is not None
    seen = first.truth.labelled
    assert seen.sum() > 12
    places = first.camera.project(first.xyz_m.astype(np.float64))
    np.testing.assert_allclose(places[seen], first.truth.xy_px[seen], atol=1e-3)
    assert first.truth.areas_px.tolist() == [700]
    assert not first.truth.ignore.any()
    assert not open_kind("bench", tmp_path)[0].truth.ignore.any()
    for part in ("single/train", "crowd/train", "crowd/val"):
        video_trees.synth(tmp_path / "bench" / part)
    assert len(open_kind("bench", tmp_path / "bench", "train")) == 2 * len(samples)
    assert len(open_kind("bench", tmp_path / "bench" / "crowd", "train")) == len(samples)
    with pytest.raises(DataError, match="nothing in split `test`"):
        open_kind("bench", tmp_path, "test")


def test_recordings(tmp_path: Path):
    samples = open_kind("recordings", video_trees.recordings(tmp_path))
    assert [len(sample.truth) for sample in samples] == [1, 1, 0]
    first = samples[0].truth
    assert first.ids.tolist() == [1]
    assert first.state[0, :2].tolist() == [State.UNLABELLED, State.VISIBLE]
    np.testing.assert_allclose(first.xy_px[0, 1], [11, 6])
    assert samples[1].time_s == pytest.approx(0.04)
    assert abs(int(samples[1].rgb()[0, 0, 0]) - 60) < 6
    (tmp_path / "walk.mp4").unlink()
    with pytest.raises(DataError, match=r"its video walk\.mp4 is not beside it"):
        open_kind("recordings", tmp_path / "walk.marey")[2].rgb()
