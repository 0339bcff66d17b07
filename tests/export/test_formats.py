"""Each format is read back by a reader that is not ours."""

import contextlib
import csv
import io
import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lifted_recordings import JOINTS, lifted, wandering
from marey.core.errors import RecordingError, SettingsError
from marey.core.history import History, Source
from marey.core.recording import Recording
from marey.core.rows import blank, concat
from marey.core.skeletons import BODY25, COCO17, MAREY19, POSETRACK18
from marey.data import posetrack
from marey.export import FORMATS, export

ROOT = Path(__file__).parents[2]
NAME = 'a "walk", slow.mp4'


@pytest.fixture
def recording():
    """Frames 0 to 4 with 2 people on 0, nobody on 1 and 4, one on 2 and 3; a filled box; missing joints."""
    rng = np.random.default_rng(0)
    people = []
    for person, frames in ((1, [0, 2, 3]), (2, [0])):
        frame = np.array(frames)
        rows = blank(frame, frame / 30, 19, person)
        rows.xy_px[:] = rng.uniform(0, 500, rows.xy_px.shape)
        rows.scores[:] = rng.random(rows.scores.shape)
        rows.boxes_px[:] = [10, 20, 110, 220]
        rows.box_scores[:] = 0.5
        rows.raw_xy_px[:] = rows.xy_px + 1
        rows.xy_px[0, 5] = rows.xy_px[0, 17] = np.nan
        people.append(rows)
    people[0].box_scores[2], people[0].origin[2] = np.nan, 3
    frame = np.arange(5)
    return Recording.of(concat(people, 19), frame, frame / 30, History(source=Source(NAME)))


def test_tidy_csv(recording, tmp_path):
    (path,) = export(recording, tmp_path / "walk.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * 19
    assert list(rows[0])[:2] == ["video", "frame"]
    assert list(rows[0])[1:] == recording.poses.column_names
    gone = next(row for row in rows if row["joint"] == "left_shoulder" and row["frame"] == "0")
    assert (gone["video"], gone["x_px"], gone["y_px"]) == (NAME, "", "")
    assert gone["raw_x_px"] != ""
    table = pd.read_csv(path)
    want = recording.to_pandas()
    for column in ("x_px", "y_px", "score", "raw_x_px", "time_s"):
        np.testing.assert_array_equal(table[column].to_numpy(want[column].dtype), want[column])
    for column in ("person", "joint", "origin", "edits"):
        assert table[column].tolist() == want[column].tolist()


def test_wide_csv(recording, tmp_path):
    table = pd.read_csv(export(recording, tmp_path, "csv-wide")[0])
    assert list(table.columns[:7]) == [
        "video",
        "frame",
        "time_s",
        "person",
        "nose_x_px",
        "nose_y_px",
        "nose_score",
    ]
    assert table.shape == (4, 4 + 19 * 3)
    values = table.iloc[:, 4:].to_numpy(np.float32).reshape(4, 19, 3)
    np.testing.assert_array_equal(values[..., :2], recording.rows.xy_px)
    np.testing.assert_array_equal(values[..., 2], recording.rows.scores)


def test_coco_results(recording, tmp_path):
    from pycocotools.coco import COCO

    (path,) = export(recording, tmp_path / "walk.json")
    results = json.loads(path.read_text())
    about = json.loads((tmp_path / "walk.about.json").read_text())
    assert about["joints"] == list(COCO17.joints)
    assert about["sigmas"] == list(COCO17.sigmas)
    assert about["missing"] == about["derived"] == []
    assert [image["id"] for image in about["images"]] == [0, 1, 2, 3, 4]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {"images": about["images"], "annotations": [], "categories": [{"id": 1}]}
        truth.createIndex()
        read = truth.loadRes(str(path))
    assert sorted(read.getAnnIds(imgIds=[0])) == [1, 2]
    assert read.getAnnIds(imgIds=[1]) == []
    rows = recording.rows
    for k, result in enumerate(results):
        triples = np.array(result["keypoints"]).reshape(17, 3)
        known = ~np.isnan(rows.xy_px[k, :17, 0])
        np.testing.assert_allclose(triples[known, :2], rows.xy_px[k, :17][known] - 0.5, atol=1e-3)
        np.testing.assert_allclose(triples[known, 2], rows.scores[k, :17][known], atol=1e-4)
        assert not triples[~known].any()
    box = np.where(np.isnan(rows.box_scores), 1, rows.box_scores)
    np.testing.assert_allclose([result["score"] for result in results], box * rows.scores.mean(1), atol=1e-5)


def test_openpose_folder(recording, tmp_path):
    (folder,) = export(recording, tmp_path / "out", "openpose")
    files = sorted(folder.iterdir())
    stem = NAME.removesuffix(".mp4")
    assert [file.name for file in files] == [f"{stem}_{k:012d}_keypoints.json" for k in range(5)]
    frames = [json.loads(file.read_text())["people"] for file in files]
    assert [len(people) for people in frames] == [2, 0, 1, 1, 0]
    joints = {name: k for k, name in enumerate(BODY25.joints)}
    triples = np.array(frames[2][0]["pose_keypoints_2d"]).reshape(25, 3)
    xy = recording.at(2).xy_px[0] - 0.5
    ours = {name: xy[MAREY19.index(name)] for name in MAREY19.joints}
    np.testing.assert_allclose(triples[joints["right_knee"], :2], ours["right_knee"], atol=1e-3)
    middle = (ours["left_hip"] + ours["right_hip"]) / 2
    np.testing.assert_allclose(triples[joints["mid_hip"], :2], middle, atol=1e-3)
    between = (ours["left_shoulder"] + ours["right_shoulder"]) / 2
    np.testing.assert_allclose(triples[1, :2], between, atol=1e-3)
    assert not triples[joints["left_heel"]].any()
    # The left shoulder is missing on frame 0, and so is what is derived from it.
    first = np.array(frames[0][0]["pose_keypoints_2d"]).reshape(25, 3)
    assert not first[[1, joints["left_shoulder"]]].any()
    assert frames[0][1]["person_id"] == [2]


def test_mot_challenge(recording, tmp_path):
    table = np.loadtxt(export(recording, tmp_path / "walk.txt")[0], delimiter=",", ndmin=2)
    assert table[:, :2].tolist() == [[1, 1], [1, 2], [3, 1], [4, 1]]
    np.testing.assert_allclose(table[:, 2:6], np.tile([11, 21, 100, 200], (4, 1)))
    np.testing.assert_allclose(table[:, 6], [0.5, 0.5, 0.5, recording.rows.scores[3].mean()], atol=1e-4)
    assert (table[:, 7:] == -1).all()


def test_wide_csv_of_a_lifted_recording(tmp_path):
    xyz = wandering(4, missing=0.3)
    recording = lifted({1: xyz}, np.arange(4) / 30)
    table = pd.read_csv(export(recording, tmp_path, "csv-wide")[0])
    read = np.stack([table[[f"{joint}_{axis}_m" for axis in "xyz"]] for joint in JOINTS], 1)
    np.testing.assert_array_equal(read.astype(np.float32), xyz.astype(np.float32))
    assert set(table["left_hip_score_3d"].dropna()) <= {0.75}
    assert "root_score_3d" not in table
    tidy = pd.read_csv(export(recording, tmp_path, "csv")[0])
    np.testing.assert_array_equal(tidy["y_m"].to_numpy(np.float32), recording.space.xyz_m[..., 1].ravel())


def test_posetrack_by_our_reader_of_its_data(recording, tmp_path):
    source = Source("000001_mpii_test.mp4", (640, 480))
    recording = Recording.of(recording.rows, recording.frame, recording.time_s, History(source=source))
    (tmp_path / "annotations" / "val").mkdir(parents=True)
    (path,) = export(recording, tmp_path / "annotations" / "val" / "000001_mpii_test.json", "posetrack")
    samples = posetrack.open("posetrack18", tmp_path, "val")
    assert [sample.size for sample in samples] == [(640, 480)] * 5
    assert [len(sample.truth.ids) for sample in samples] == [2, 0, 1, 1, 0]
    convert = MAREY19.converter(POSETRACK18)
    for sample, frame in zip(samples, range(5), strict=True):
        rows = recording.at(frame)
        want = convert(rows.xy_px)
        want[:, 3:5] = np.nan  # ears stay empty, as in the official files
        np.testing.assert_allclose(sample.truth.xy_px, want, atol=1e-3)
        np.testing.assert_allclose(sample.truth.boxes_px, rows.boxes_px)
        np.testing.assert_array_equal(sample.truth.ids, rows.person)
    content = json.loads(path.read_text())
    assert [image["file_name"] for image in content["images"]][3] == "images/000001_mpii_test/000003.jpg"
    assert {image["nframes"] for image in content["images"]} == {5}
    scores = np.array([note["scores"] for note in content["annotations"]])
    want = np.nan_to_num(convert.scores(recording.rows.scores))
    want[:, 3:5], want[np.isnan(convert(recording.rows.xy_px)).any(-1)] = 0, 0
    np.testing.assert_allclose(scores, want, atol=1e-6)


def test_posetrack_keys_are_those_of_the_official_files(recording, tmp_path, shared_data):
    files = sorted((shared_data / "samples" / "posetrack18").rglob("*.json"))
    if not files:
        pytest.skip("no PoseTrack annotation file in the samples")
    theirs = next(
        content for content in map(json.loads, (f.read_text() for f in files)) if "images" in content
    )
    (path,) = export(recording, tmp_path, "posetrack")
    ours = json.loads(path.read_text())
    assert ours.keys() <= theirs.keys()
    labelled = next(note for note in theirs["annotations"] if "keypoints" in note)
    assert len(labelled["keypoints"]) == len(ours["annotations"][0]["keypoints"]) == 51
    assert {"image_id", "track_id", "keypoints", "bbox", "category_id"} <= ours["annotations"][0].keys()
    if theirs.get("categories"):
        assert theirs["categories"][0]["keypoints"] == ours["categories"][0]["keypoints"]


def test_posetrack_refuses_ids_that_do_not_fit(tmp_path):
    frame = np.zeros(1, np.int64)
    rows = blank(frame, frame / 1.0, 19, 1000)
    rows.boxes_px[:] = 1
    with pytest.raises(RecordingError, match="ids up to 999, here is person 1000"):
        export(Recording.of(rows, frame, frame / 1.0, History()), tmp_path, "posetrack")


def test_people_whom_nobody_tracked_are_left_out_aloud(recording, tmp_path, caplog):
    rows = replace(recording.rows, person=np.where(recording.rows.person == 2, -1, 1))
    recording = Recording.of(rows, recording.frame, recording.time_s, recording.history)
    (path,) = export(recording, tmp_path, "posetrack")
    assert {note["track_id"] for note in json.loads(path.read_text())["annotations"]} == {1}
    assert "left out 1 people on single frames whom nobody tracked" in caplog.text


def test_an_extra_that_is_not_installed_is_asked_for_by_name(recording, tmp_path, monkeypatch):
    monkeypatch.setattr("marey.export.find_spec", lambda name: None)
    asked = {}
    for name, form in FORMATS.items():
        if form.needs:
            with pytest.raises(
                SettingsError, match=rf"^{name}: needs .*pip install 'marey\[\w+\]'$"
            ) as caught:
                export(recording, tmp_path, name)
            asked[name] = re.findall(r"\[(\w+)\]", str(caught.value))[0]
        elif not form.metres:
            export(recording, tmp_path, name)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for name, extra in asked.items():
        modules = {re.split(r"[>=]", line)[0].replace("-", "_") for line in extras[extra]}
        assert modules >= set(FORMATS[name].needs)
        assert extra in extras["export"][0]


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if not form.needs])
def test_nobody(name, tmp_path):
    frame = np.arange(2)
    empty = Recording.of(blank(frame[:0], frame[:0] / 1.0, 19), frame, frame / 30, History())
    if FORMATS[name].metres:
        assert export(lifted({1: wandering(2)}, frame / 30).only([]), tmp_path, name) == ()
        return
    (path,) = export(empty, tmp_path, name)
    assert path.name == f"recording{FORMATS[name].ending}"
    assert path.exists()
    if name == "openpose":
        assert all(json.loads(file.read_text())["people"] == [] for file in path.iterdir())
    elif name == "coco":
        assert json.loads(path.read_text()) == []
    elif name == "posetrack":
        assert len(json.loads(path.read_text())["images"]) == 2
    elif name.startswith("csv"):
        assert len(path.read_text().splitlines()) == 1


def test_where_things_go(recording, tmp_path):
    stem = NAME.removesuffix(".mp4")
    assert export(recording, tmp_path / "new", "csv") == (tmp_path / "new" / f"{stem}.csv",)
    (tmp_path / "walk.marey").mkdir()
    assert export(recording, tmp_path / "walk.marey", "coco")[0].parent == tmp_path / "walk.marey"
    assert export(recording, tmp_path / "b.TXT") == (tmp_path / "b.TXT",)
    assert export(recording, tmp_path / "named.csv", "csv-wide") == (tmp_path / "named.csv",)


def test_unknown_formats_are_answered_with_those_there_are(recording, tmp_path):
    for path, to in (("walk.doc", None), ("walk", None), ("walk.csv", "fbx")):
        with pytest.raises(SettingsError, match="csv, csv-wide, coco, openpose, mot-challenge"):
            export(recording, tmp_path / path, to)


def test_what_cannot_be_written_is_named(recording, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="file"):
        export(recording, tmp_path / "file" / "walk.csv")
