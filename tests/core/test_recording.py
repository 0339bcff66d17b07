"""A recording keeps what was measured exactly, on disk and in memory."""

import itertools
import json
import time
import weakref
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marey.core import recording as module
from marey.core.errors import RecordingError
from marey.core.history import History, NetworkFile, Source
from marey.core.nouns import Frame, People, Poses, no_looks
from marey.core.parquet import write_table
from marey.core.parts import join, parts, read_part, write_part
from marey.core.recording import Collector, Recording, collect
from marey.core.rows import Rows, concat, from_tracks, in_order_of_appearance
from marey.core.skeletons import COCO17, MAREY19

RGB = np.zeros((1, 1, 3), np.uint8)
HISTORY = History(
    source=Source("walk.mp4", (1920, 1080), 90, Fraction(30000, 1001), True, 12.5, 0.04),
    weights=(NetworkFile("pose", "ab" * 32),),
    device="cpu",
).then("find", {"every": 3, "name": "detector"})


def poses(index, ids, seed=0, skeleton=MAREY19, looks=False):
    rng = np.random.default_rng((seed, index))
    count, joints = len(ids), len(skeleton)
    xy = rng.uniform(0, 1000, (count, joints, 2)).astype(np.float32)
    xy[rng.random((count, joints)) < 0.2] = np.nan
    people = People(
        Frame(index, index / 30, RGB),
        rng.uniform(0, 1000, (count, 4)).astype(np.float32),
        rng.random(count, np.float32),
        np.array(ids, np.int64),
        rng.random((count, 64)).astype(np.float16) if looks else no_looks(count),
    )
    return Poses(
        people,
        skeleton,
        xy,
        rng.random((count, joints), np.float32),
        rng.integers(0, 4, (count, joints)).astype(np.uint8),
        np.full((count, joints, 3), np.nan, np.float32),
    )


def recorded(crowd, history=HISTORY, **how):
    return collect((poses(k, ids, **how) for k, ids in crowd.items()), history)


# Who is on which frame: tracked people, and some whom nobody tracked; some frames empty, some not looked at.
people_ids = st.tuples(st.sets(st.integers(0, 5)), st.integers(0, 2)).map(lambda p: [*p[0], *[-1] * p[1]])
crowds = st.dictionaries(st.integers(0, 20), people_ids, max_size=6)
WALK = {0: [1], 1: [1, 2], 2: [], 3: [2, 1], 5: [2]}


@settings(max_examples=15, deadline=None)
@given(crowds, st.booleans())
def test_save_and_open_return_the_same_recording(tmp_path_factory, crowd, looks):
    recording = recorded(crowd, looks=looks)
    folder = tmp_path_factory.mktemp("r") / "walk.marey"
    recording.save(folder)
    again = Recording.open(folder)
    assert again.equals(recording)
    for name in ("poses", "people", "frames"):
        assert getattr(again, name).schema == getattr(recording, name).schema
    again.save(folder.with_name("twice.marey"))
    files = sorted(path.name for path in folder.iterdir())
    assert files == ["frames.parquet", "people.parquet", "poses.parquet", "run.json"]
    for name in files:
        assert (folder / name).read_bytes() == (folder.with_name("twice.marey") / name).read_bytes()


def test_tables_are_what_was_collected():
    crowd = [poses(0, [7, 3], looks=True), poses(1, []), poses(2, [3])]
    recording = collect(crowd)
    assert recording.frames.to_pydict() == {"frame": [0, 1, 2], "time_s": [0.0, 1 / 30, 2 / 30]}
    people = recording.people.to_pydict()
    assert people["frame"] == [0, 0, 2]
    assert people["person"] == [3, 7, 3]
    assert people["x0_px"][0] == crowd[0].people.boxes_px[1, 0]
    assert people["look"][1] == crowd[0].people.looks[0].tolist()
    assert people["look"][2] is None
    table = recording.poses
    assert table.column_names == [
        "frame", "time_s", "person", "joint", "x_px", "y_px", "score", "origin", "edits",
        "raw_x_px", "raw_y_px",
    ]  # fmt: skip
    assert sum(column.null_count for column in table.columns) == 0
    assert table["joint"].to_pylist() == list(MAREY19.joints) * 3
    row = table.slice(19 + 13, 1).to_pylist()[0]
    xy = crowd[0].xy_px[0, 13]
    assert (row["person"], row["joint"]) == (7, "left_knee")
    np.testing.assert_array_equal([row["x_px"], row["y_px"], row["raw_x_px"], row["raw_y_px"]], [*xy, *xy])
    assert row["origin"] == ("measured", "carried", "recovered", "filled")[crowd[0].origin[0, 13]]


def test_history_is_readable_without_marey(tmp_path):
    recorded(WALK).save(tmp_path / "a.marey")
    for name in ("poses", "people", "frames"):
        told = json.loads(pq.read_schema(tmp_path / "a.marey" / f"{name}.parquet").metadata[b"marey"])
        assert told == json.loads((tmp_path / "a.marey" / "run.json").read_text())
    assert told["source"] == {
        "name": "walk.mp4", "size": [1920, 1080], "rotation": 90, "rate": "30000/1001", "variable": True,
        "duration_s": 12.5, "start_s": 0.04,
    }  # fmt: skip
    assert told["skeleton"]["joints"] == list(MAREY19.joints)
    assert told["steps"] == [{"name": "find", "settings": {"every": 3, "name": "detector"}}]
    assert told["weights"] == [{"name": "pose", "sha256": "ab" * 32}]
    assert told["versions"]["numpy"] == np.__version__


def test_nobody_and_nothing():
    empty = recorded({0: [], 1: []})
    assert (len(empty.rows), empty.ids, len(empty.frame), empty.tracks()) == (0, (), 2, {})
    assert empty.dense()[0].shape == (2, 0, 19, 2)
    assert len(collect([]).frame) == 0
    one = recorded({0: [1]})
    assert one.tracks()[1].xy_px.shape == (1, 19, 2)


def test_a_frame_by_its_number():
    recording = recorded(WALK)
    for frame, ids in WALK.items():
        assert recording.at(frame).person.tolist() == sorted(ids)
    assert len(recording.at(4)) == 0
    np.testing.assert_array_equal(recording.at(3).xy_px, poses(3, [2, 1]).xy_px[::-1])


def test_tracks_cover_every_frame_between_first_and_last():
    recording = recorded(WALK)
    track = recording.tracks()[2]
    assert track.frame.tolist() == [1, 2, 3, 5]
    assert track.seen.tolist() == [True, False, True, True]
    assert np.isnan(track.xy_px[1]).all()
    assert np.isnan(track.scores[1]).all()


@settings(max_examples=15, deadline=None)
@given(crowds)
def test_tracks_there_and_back(crowd):
    recording = recorded(crowd)
    tracked = recording.rows.take(recording.rows.person >= 0)
    assert from_tracks(list(recording.tracks().values()), 19).equals(tracked)


@settings(max_examples=15, deadline=None)
@given(crowds)
def test_ids_from_one_in_order_of_appearance(crowd):
    rows = recorded(crowd).rows
    named = in_order_of_appearance(rows)
    _, first = np.unique(named.person, return_index=True)
    assert np.unique(named.person).tolist() == list(range(1, len(first) + 1))
    assert (np.diff(named.frame[first]) >= 0).all()
    assert in_order_of_appearance(named).equals(named)
    # The same person where it was the same person, a person of its own where nobody tracked.
    old, new = (some.person[np.argsort(some.boxes_px[:, 0])].tolist() for some in (rows, named))
    pairs = set(zip(old, new, strict=True))
    tracked = {old for old in rows.person.tolist() if old >= 0}
    assert len(first) == len(tracked) + (rows.person < 0).sum()
    assert len(pairs & {(a, b) for a, b in pairs if a >= 0}) == len(tracked)


def test_dense_arrays_pandas_and_xarray_agree():
    recording = recorded(WALK)
    xy, _ = recording.dense()
    assert xy.shape == (5, 2, 19, 2)
    frame = recording.to_pandas()
    hip = frame[(frame.person == 2) & (frame.joint == "left_hip")]
    joint = MAREY19.index("left_hip")
    np.testing.assert_array_equal(hip.x_px, xy[[1, 3, 4], 1, joint, 0])
    dataset = recording.to_xarray()
    assert dataset.position.dims == ("time", "space", "keypoint", "individual")
    assert dataset.confidence.dims == ("time", "keypoint", "individual")
    assert dataset.attrs == {
        "ds_type": "poses", "time_unit": "seconds", "source_software": "marey", "source_file": "walk.mp4",
        "fps": 30000 / 1001,
    }  # fmt: skip
    np.testing.assert_array_equal(dataset.time, recording.time_s)
    picked = dataset.position.sel(keypoint="left_hip", individual="person_2", space="x")
    np.testing.assert_array_equal(picked, xy[:, 1, joint, 0])
    assert np.isnan(dataset.confidence.sel(individual="person_2")[0]).all()
    assert "fps" not in collect([poses(0, [1])]).to_xarray().attrs


def test_the_extra_is_asked_for_by_name(monkeypatch):
    import builtins

    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] in ("pandas", "xarray"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    recording = recorded(WALK)
    monkeypatch.setattr(builtins, "__import__", without)
    for ask in (recording.to_pandas, recording.to_xarray):
        with pytest.raises(RecordingError, match=r"marey\[tables\]"):
            ask()


def test_ten_thousand_frames_take_well_under_a_second():
    many = [poses(k, [1, 2, 3], skeleton=COCO17) for k in range(500)]
    many = [
        replace(item, people=replace(item.people, frame=Frame(500 * n + k, 0.0, RGB)))
        for n in range(20)
        for k, item in enumerate(many)
    ]
    begin = time.process_time()
    recording = collect(many)
    assert time.process_time() - begin < 1
    assert recording.poses.num_rows == 10_000 * 3 * 17


@pytest.mark.parametrize(
    "damage", ["gone", "cut", "foreign", "column", "type", "rows", "order", "joint", "history"]
)
def test_damage_is_named_with_the_file(tmp_path, damage):
    folder = tmp_path / "walk.marey"
    recording = recorded(WALK)
    recording.save(folder)
    file = folder / "poses.parquet"
    table, meta = recording.poses, pq.read_schema(file).metadata
    match damage:
        case "gone":
            file.unlink()
        case "cut":
            file.write_bytes(file.read_bytes()[:500])
        case "foreign":
            pq.write_table(pa.table({"a": [1]}), file)
        case "history":
            pq.write_table(table.replace_schema_metadata({b"marey": b"{}"}), file)
        case _:
            changed = {
                "column": lambda: table.drop_columns("edits"),
                "type": lambda: table.set_column(0, "frame", pa.array(["a"] * table.num_rows)),
                "rows": lambda: table.slice(1),
                "order": lambda: table.take(np.roll(np.arange(table.num_rows), 1)),
                "joint": lambda: table.set_column(3, "joint", pa.array(["tail"] * table.num_rows)),
            }[damage]()
            pq.write_table(changed.replace_schema_metadata(meta), file)
    with pytest.raises(RecordingError, match=r"walk\.marey") as error:
        Recording.open(folder)
    assert "\n" not in str(error.value)


def test_what_cannot_be_is_refused():
    with pytest.raises(RecordingError, match="twice"):
        collect([poses(0, [1]), poses(0, [2])])
    with pytest.raises(RecordingError, match="person 4 is on one frame twice"):
        collect([poses(0, [4, 4])])
    item = poses(0, [1])
    with pytest.raises(RecordingError, match="without a box"):
        collect([replace(item, people=replace(item.people, boxes_px=np.full((1, 4), np.nan, np.float32)))])
    recording = recorded(WALK)
    with pytest.raises(RecordingError, match="not among the frames"):
        Recording.of(recording.rows, recording.frame[1:], recording.time_s[1:], HISTORY)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="cannot make this folder"):
        recorded(WALK).save(tmp_path / "file" / "walk.marey")


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    folder = tmp_path / "walk.marey"
    recorded(WALK).save(folder)
    before = (folder / "poses.parquet").read_bytes()

    def full(table, draft, **_):
        Path(draft).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(
        RecordingError, match=r"poses\.parquet: cannot be written \(No space left on device\)"
    ):
        recorded({0: [1]}).save(folder)
    assert (folder / "poses.parquet").read_bytes() == before
    assert not list(folder.glob(".*"))


# Parts


@settings(max_examples=15, deadline=None)
@given(crowds, st.lists(st.integers(1, 20), max_size=3), st.randoms(use_true_random=False))
def test_parts_join_to_the_whole_in_any_order(tmp_path_factory, crowd, cuts, random):
    folder = tmp_path_factory.mktemp("r") / "walk.marey"
    edges = [0, *sorted(set(cuts)), 21]
    clips = list(enumerate(itertools.pairwise(edges)))
    random.shuffle(clips)
    for k, (first, last) in clips:
        piece = {f: ids for f, ids in crowd.items() if first <= f < last}
        write_part(folder, k, recorded(piece))
    there = parts(folder)
    assert list(there) == sorted(k for k, _ in clips)
    pieces = [read_part(path) for path in there.values()]
    whole = join(pieces)
    random.shuffle(pieces)
    assert join(pieces).equals(whole)
    assert [*whole.frame] == sorted(crowd)
    for frame, ids in crowd.items():
        np.testing.assert_array_equal(
            np.sort(whole.at(frame).scores, None), np.sort(poses(frame, ids).scores, None)
        )


def test_a_part_is_read_as_it_was_written(tmp_path):
    recording = recorded(WALK, looks=True)
    path = write_part(tmp_path, 3, recording)
    assert path == tmp_path / "parts" / "clip-00003.parquet"
    assert read_part(path).equals(recording)
    (tmp_path / "parts" / "clip-x.parquet").write_text("")
    (tmp_path / "parts" / ".clip-00004.parquet.abc").write_text("")
    assert parts(tmp_path) == {3: path}
    assert parts(tmp_path / "elsewhere") == {}


def test_parts_that_do_not_belong_together_are_refused(tmp_path):
    with pytest.raises(RecordingError, match="no parts"):
        join([])
    with pytest.raises(RecordingError, match="overlap"):
        join([recorded({0: [], 1: []}), recorded({1: []})])
    with pytest.raises(RecordingError, match="different runs"):
        join([recorded({0: []}), recorded({1: []}, HISTORY.then("estimate", {}))])
    whole = join([recorded({1: []}, replace(HISTORY, device="cuda")), recorded({0: []})])
    assert whole.history.device == "cpu, cuda"
    write_table(recorded(WALK).poses, HISTORY, tmp_path / "clip.parquet")
    with pytest.raises(RecordingError, match="not a part"):
        read_part(tmp_path / "clip.parquet")


def test_rows_say_what_they_are():
    rows = recorded({0: [1], 1: [1]}).rows
    assert rows.equals(rows.take(np.array([1, 0])).in_order())
    assert not rows.equals(rows.take(slice(0, 1)))
    assert isinstance(concat([], 19), Rows)
    blank = replace(rows, scores=np.full_like(rows.scores, np.nan))
    assert np.isnan(blank.pose_scores).all()
    np.testing.assert_allclose(rows.pose_scores, rows.scores.mean(1), rtol=1e-6)
    assert module.Recording.of(rows, np.arange(2), np.arange(2.0), HISTORY).skeleton is MAREY19


def test_what_was_collected_does_not_keep_the_arrays_it_came_in() -> None:
    """Small arrays among pictures leave holes that no picture fits in; memory grew by one a frame."""
    collector, given_arrays = Collector(), []
    for k in range(3 * Collector.BLOCK + 5):
        one = poses(k, [1, 2])
        given_arrays.append(weakref.ref(one.xy_px))
        collector.add(one)
    assert sum(ref() is not None for ref in given_arrays) <= Collector.BLOCK
    rows = collector.recording(replace(HISTORY, skeleton=MAREY19)).rows
    wanted = np.concatenate([poses(k, [1, 2]).xy_px for k in range(len(given_arrays))])
    np.testing.assert_array_equal(rows.xy_px, wanted)
    assert rows.frame.tolist() == [k for k in range(len(given_arrays)) for _ in range(2)]
