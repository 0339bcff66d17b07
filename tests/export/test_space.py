"""TRC, MOT, C3D and BVH, read by readers that are not ours: what they hold is what was lifted."""

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from lifted_recordings import JOINTS, NTSC, jointed, lifted, source, wandering
from marey.core import bvh
from marey.core.errors import RecordingError, SettingsError
from marey.core.skeletons import MAREY19, Skeleton
from marey.export import export
from marey.finishing.angles import ANGLES, angles

PLACED = [k for k, joint in enumerate(JOINTS) if "eye" not in joint and "ear" not in joint]
NAMES = [JOINTS[k] for k in PLACED]
SEEDS = st.integers(0, 2**16)


def times(count: int, rate: Fraction = NTSC) -> np.ndarray:
    return np.arange(count) / float(rate)


def read_trc(path: Path) -> tuple[dict[str, str], list[str], np.ndarray, np.ndarray]:
    """Header, markers, times, places (T, K, 3), by the rules that OpenSim's reader enforces.

    Tokens end with a tab, so what follows the last tab counts only if it is not empty.
    """

    def cells(line: str) -> list[str]:
        parts = line.split("\t")
        return parts if parts[-1] else parts[:-1]

    first, keys, values, labels, axes, *rows = path.read_text("utf-8").split("\n")
    assert first.split() == ["PathFileType", "4", "(X/Y/Z)", path.name]
    header = dict(zip(cells(keys), cells(values), strict=True))
    frame, time, *names = [cell for cell in cells(labels) if cell]
    count = int(header["NumMarkers"])
    assert (frame, time, len(names)) == ("Frame#", "Time", count)
    assert [cell for cell in cells(axes) if cell] == [f"{a}{k}" for k in range(1, count + 1) for a in "XYZ"]
    assert labels.index(names[0]) == len("Frame#\tTime\t")
    table = [cells(row) for row in rows if row]
    assert {len(row) for row in table} == {2 + 3 * count}
    assert [int(row[0]) for row in table] == list(range(1, int(header["NumFrames"]) + 1))
    numbers = np.array([[float(cell) if cell else np.nan for cell in row] for row in table])
    return header, names, numbers[:, 1], numbers[:, 2:].reshape(len(table), count, 3)


@settings(max_examples=15)
@given(SEEDS, st.sampled_from([0.0, 0.3]), st.sampled_from([NTSC, Fraction(25), Fraction(24000, 1001)]))
def test_trc(tmp_path_factory, seed, missing, rate):
    xyz = wandering(12, seed, missing)
    recording = lifted({1: xyz}, times(12, rate), source(rate))
    (path,) = export(recording, tmp_path_factory.mktemp("out") / "walk.trc")
    header, names, time_s, read = read_trc(path)
    assert header["Units"] == "m"
    assert Fraction(float(header["DataRate"])).limit_denominator(1001) == rate
    assert header["CameraRate"] == header["OrigDataRate"] == header["DataRate"]
    assert names == NAMES
    np.testing.assert_allclose(np.diff(time_s), float(1 / rate), atol=2e-9)
    np.testing.assert_allclose(read, xyz[:, PLACED], atol=1e-6)


def test_trc_without_gaps(tmp_path: Path):
    xyz = wandering(20, missing=0.2)
    xyz[15:, MAREY19.index("left_wrist")] = np.nan
    (path,) = export(lifted({1: xyz}, times(20)), tmp_path, "trc-filled")
    assert path.name == "walk-filled.trc"
    read, want = read_trc(path)[3], xyz[:, PLACED]
    known = ~np.isnan(want)
    np.testing.assert_allclose(read[known], want[known], atol=1e-6)
    assert not np.isnan(read).any()


def test_opensim_itself_reads_them(tmp_path: Path):
    opensim = pytest.importorskip("opensim", reason="OpenSim is not installed here: pip install opensim")
    xyz = wandering(6)
    xyz[2, -1] = xyz[4, :] = np.nan
    recording = lifted({1: xyz}, times(6))
    (path,) = export(recording, tmp_path / "walk.trc")
    table = opensim.TimeSeriesTableVec3(str(path))
    assert list(table.getColumnLabels()) == NAMES
    read = [[[table.getRowAtIndex(t)[k][i] for i in range(3)] for k in range(len(NAMES))] for t in range(6)]
    np.testing.assert_allclose(read, xyz[:, PLACED], atol=1e-6)
    assert float(table.getTableMetaDataString("DataRate")) == float(NTSC)
    (path,) = export(recording, tmp_path / "walk.mot")
    table, storage = opensim.TimeSeriesTable(str(path)), opensim.Storage(str(path))
    assert (table.getNumRows(), storage.getSize(), storage.isInDegrees()) == (6, 6, True)
    column = opensim.ArrayDouble()
    storage.getDataColumn(0, column)
    knee = [table.getRowAtIndex(t)[0] for t in range(6)]
    assert [column.get(t) for t in range(6)] == knee
    np.testing.assert_allclose(table.getIndependentColumn(), times(6), atol=1e-8)


def read_mot(path: Path) -> tuple[dict[str, str], list[str], np.ndarray]:
    head, body = path.read_text("utf-8").split("endheader\n")
    header = dict(line.split("=") for line in head.splitlines() if "=" in line)
    labels, *rows = body.splitlines()
    return header, labels.split("\t"), np.array([[float(cell) for cell in row.split("\t")] for row in rows])


@settings(max_examples=10)
@given(SEEDS)
def test_mot(tmp_path_factory, seed):
    xyz = wandering(10, seed)
    (path,) = export(lifted({1: xyz}, times(10)), tmp_path_factory.mktemp("out") / "walk.mot")
    header, labels, table = read_mot(path)
    assert path.read_text("utf-8").splitlines()[0] == "walk"
    assert (header["version"], header["inDegrees"]) == ("1", "yes")
    assert (int(header["nRows"]), int(header["nColumns"])) == table.shape == (10, len(labels))
    assert labels == ["time", *(name for name in ANGLES if "ankle" not in name)]
    want = angles(xyz, Skeleton("all", JOINTS, (), ()))
    for name, column in zip(labels[1:], table[:, 1:].T, strict=True):
        np.testing.assert_allclose(np.sin(np.deg2rad(column - want[name])), 0, atol=1e-4)
    np.testing.assert_allclose(table[:, 0], times(10), atol=1e-9)


def test_mot_has_no_gaps(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    xyz = wandering(30)
    xyz[10:20, JOINTS.index("left_knee")] = np.nan
    caplog.set_level("INFO")
    table = read_mot(export(lifted({1: xyz}, times(30)), tmp_path / "walk.mot")[0])[2]
    assert np.isfinite(table).all()
    assert re.search(r"longest 0\.33 s \(left_knee from 0\.33 s\) \(filled\)", caplog.text)


@pytest.mark.filterwarnings("ignore:No analog data")
@settings(max_examples=10)
@given(SEEDS, st.sampled_from([0.0, 0.3]))
def test_c3d(tmp_path_factory, seed, missing):
    import c3d
    import ezc3d

    xyz = wandering(9, seed, missing)
    (path,) = export(lifted({1: xyz}, times(9)), tmp_path_factory.mktemp("out") / "walk.c3d")
    want, gone = 1000 * xyz[:, PLACED], np.isnan(xyz[:, PLACED, 0])
    read = ezc3d.c3d(str(path))
    point = read["parameters"]["POINT"]
    assert point["LABELS"]["value"] == NAMES
    assert [point[name]["value"][0] for name in ("UNITS", "X_SCREEN", "Y_SCREEN")] == ["mm", "+X", "+Y"]
    assert point["RATE"]["value"][0] == pytest.approx(30000 / 1001, abs=1e-5)
    assert read["parameters"]["ANALOG"]["USED"]["value"][0] == 0
    assert read["parameters"]["MAREY"]["SCALE"]["value"] == ["height"]
    np.testing.assert_allclose(read["data"]["points"][:3].transpose(2, 1, 0), want, atol=1e-3)
    np.testing.assert_array_equal(read["data"]["meta_points"]["residuals"][0].T, np.where(gone, -1, 0))
    with path.open("rb") as file:
        other = c3d.Reader(file)
        assert [label.strip() for label in other.point_labels] == NAMES
        assert other.point_rate == pytest.approx(30000 / 1001, abs=1e-5)
        points = np.array([points for _, points, _ in other.read_frames()])
    np.testing.assert_allclose(np.where(gone[..., None], np.nan, points[..., :3]), want, atol=1e-3)
    np.testing.assert_array_equal(points[..., 3] < 0, gone)


@pytest.mark.filterwarnings("ignore:No analog data")
@pytest.mark.parametrize("count", [65_534, 65_535])
def test_c3d_holds_what_its_header_counts(count: int, tmp_path: Path):
    import c3d

    xyz = np.full((count, 22, 3), np.nan)
    xyz[:, 0] = np.arange(count)[:, None] * [1e-4, 2e-4, 0]
    recording = lifted({1: xyz}, times(count))
    if count > 65_534:
        with pytest.raises(RecordingError, match="65535 frames, C3D counts to 65534"):
            export(recording, tmp_path / "long.c3d")
        return
    (path,) = export(recording, tmp_path / "long.c3d")
    assert list(tmp_path.iterdir()) == [path]
    with path.open("rb") as file:
        frames = [points[0, :3] for _, points, _ in c3d.Reader(file).read_frames()]
    assert len(frames) == count
    np.testing.assert_allclose(frames[-1], 1000 * xyz[-1, 0], atol=1e-2)


def bvh_joints(words: Iterator[str]) -> list[tuple[str, str, np.ndarray, list[str]]]:
    """Name (an end's is its parent's and `*`), parent, offset and channels, in the file's order."""
    joints, stack = [], [""]
    while (word := next(words)) != "MOTION":
        if word in ("ROOT", "JOINT", "End"):
            name = next(words)
            name, brace, _ = f"{stack[-1]}*" if word == "End" else name, next(words), next(words)
            assert brace == "{"
            joints.append((name, stack[-1], np.array([float(next(words)) for _ in range(3)]), []))
            stack.append(name)
        elif word == "CHANNELS":
            joints[-1][3].extend(next(words) for _ in range(int(next(words))))
        elif word == "}":
            stack.pop()
    return joints


def read_bvh(path: Path) -> tuple[dict[str, np.ndarray], float]:
    """Positions by joint and seconds per frame: offsets and turns multiplied as the format says, by SciPy."""
    words = iter(path.read_text("utf-8").split())
    joints = bvh_joints(words)
    _, count, _, _, step_s = (next(words) for _ in range(5))
    columns = iter(np.array([float(word) for word in words]).reshape(int(count), -1).T)
    world = {"": (Rotation.identity(int(count)), np.zeros((int(count), 3)))}
    for name, parent, offset, channels in joints:
        turn, place = Rotation.identity(int(count)), np.tile(offset, (int(count), 1))
        for channel in channels:
            if channel.endswith("position"):
                place[:, "XYZ".index(channel[0])] += next(columns)
            else:
                turn = turn * Rotation.from_euler(channel[0], next(columns)[:, None], degrees=True)
        above, at = world[parent]
        world[name] = above * turn, at + above.apply(place)
    assert next(columns, None) is None
    return {name: place for name, (_, place) in world.items() if name}, float(step_s)


def seen_in(places: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Places by joint: ends bear their parent's name in the file."""
    ends = {"nose": "head_top", "left_elbow": "left_wrist", "right_elbow": "right_wrist",
            "left_knee": "left_ankle", "right_knee": "right_ankle"}  # fmt: skip
    return {ends[name[:-1]] if name.endswith("*") else name: place for name, place in places.items()}


@settings(max_examples=15)
@given(SEEDS)
def test_bvh_puts_every_joint_where_it_was(tmp_path_factory, seed):
    xyz = jointed(7, seed)
    (path,) = export(lifted({1: xyz}, times(7)), tmp_path_factory.mktemp("out") / "walk.bvh")
    places, step_s = read_bvh(path)
    assert step_s == pytest.approx(1001 / 30000, abs=1e-12)
    found = seen_in(places)
    for k, joint in enumerate(JOINTS):
        if not np.isnan(xyz[:, k]).any():
            np.testing.assert_allclose(found[joint] / 100, xyz[:, k], atol=2e-6, err_msg=joint)
    ours = bvh.parse(path.read_text("utf-8"))
    for k, name in enumerate(ours.joints):
        theirs = places[name.removesuffix("_end") + "*" if name.endswith("_end") else name]
        np.testing.assert_allclose(ours.positions()[:, k], theirs, atol=1e-6)


def test_bvh_through_bvhio(tmp_path: Path):
    bvhio = pytest.importorskip("bvhio")
    xyz = jointed(4)
    (path,) = export(lifted({1: xyz}, times(4)), tmp_path / "walk.bvh")
    root = bvhio.readAsHierarchy(str(path))
    for t in range(4):
        root.loadPose(t)
        found = {joint.Name: np.array(joint.PositionWorld) for joint, _, _ in root.layout()}
        for joint in ("root", "thorax", "left_elbow", "right_knee", "left_shoulder", "nose"):
            np.testing.assert_allclose(found[joint] / 100, xyz[t, JOINTS.index(joint)], atol=1e-4)


def test_bvh_of_one_who_stands_in_a_t_is_at_rest(tmp_path: Path):
    """The person looks towards the viewer, arms out: nothing is turned but the head's rough middle."""
    stand = {
        "root": (0, 1, 0), "spine": (0, 1.2, 0), "thorax": (0, 1.4, 0), "nose": (0, 1.48, 0.06),
        "head_top": (0, 1.64, -0.06), "left_shoulder": (0.2, 1.4, 0), "left_elbow": (0.5, 1.4, 0),
        "left_wrist": (0.7, 1.4, 0), "left_hip": (0.1, 1, 0), "left_knee": (0.1, 0.5, 0),
        "left_ankle": (0.1, 0.1, 0),
    }  # fmt: skip
    stand |= {k.replace("left", "right"): (-x, y, z) for k, (x, y, z) in stand.items() if "left" in k}
    xyz = np.array([[stand.get(joint, (np.nan,) * 3) for joint in JOINTS]] * 2)
    motion = bvh.parse(export(lifted({1: xyz}, times(2)), tmp_path / "t.bvh")[0].read_text("utf-8"))
    np.testing.assert_allclose(motion.motion[:, 3:], 0, atol=1e-4)
    np.testing.assert_allclose(motion.root(), [[0, 100, 0]] * 2)


def test_bvh_limbs_have_no_twist_of_their_own(tmp_path: Path):
    """A local rotation leaves no turn about the bone: its axis is at right angles to the bone at rest."""
    motion = bvh.parse(export(lifted({1: jointed(5)}, times(5)), tmp_path / "a.bvh")[0].read_text("utf-8"))
    turns = motion.rotations()
    for k, parent in enumerate(motion.parents):
        if parent >= 0 and motion.parents.count(parent) == 1 and np.linalg.norm(motion.offsets[k]) > 0:
            rest = motion.offsets[k] / np.linalg.norm(motion.offsets[k])
            vectors = Rotation.from_matrix(turns[:, parent]).as_rotvec()
            np.testing.assert_allclose(vectors @ rest, 0, atol=1e-5)


def test_bvh_without_a_head_hangs_on_what_is_there(tmp_path: Path):
    xyz = jointed(3)
    for joint in ("nose", "head_top", "left_elbow"):
        xyz[:, JOINTS.index(joint)] = np.nan
    places = read_bvh(export(lifted({1: xyz}, times(3)), tmp_path / "walk.bvh")[0])[0]
    assert {"nose", "left_elbow"}.isdisjoint(places)
    np.testing.assert_allclose(places["right_elbow"] / 100, xyz[:, JOINTS.index("right_elbow")], atol=2e-6)


def test_bvh_needs_hips(tmp_path: Path):
    xyz = np.full((3, 22, 3), np.nan)
    xyz[:, 0] = 1.0
    with pytest.raises(RecordingError, match="hips of this person"):
        export(lifted({1: xyz}, times(3)), tmp_path / "walk.bvh")


@pytest.mark.parametrize("name", ["trc", "mot", "c3d", "bvh"])
def test_a_file_for_everyone(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    late = wandering(8, 3)
    late[:3] = np.nan
    recording = lifted({1: wandering(8), 4: late}, times(8))
    files = export(recording, tmp_path / "out", name)
    assert [file.name for file in files] == [f"walk_person-1.{name}", f"walk_person-4.{name}"]
    assert [file.name for file in export(recording, tmp_path / f"a.{name}")] == [
        f"a_person-1.{name}", f"a_person-4.{name}"
    ]  # fmt: skip
    if name == "trc":
        assert read_trc(files[1])[2][0] == pytest.approx(3 / float(NTSC), abs=1e-9)
    assert export(recording.only([]), tmp_path / "none", name) == ()
    assert "nobody to write" in caplog.text


@pytest.mark.parametrize("name", ["trc", "mot", "c3d", "bvh"])
def test_who_was_never_placed_does_not_stop_the_others(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    recording = lifted({1: wandering(8), 4: wandering(8, 3)}, times(8))
    other = recording.rows.person == 4
    recording.space.xyz_m[other], recording.space.more_m[other] = np.nan, np.nan
    (path,) = export(recording, tmp_path, name)
    assert path.name == f"walk_person-1.{name}"
    assert "person 4 was never placed in space" in caplog.text
    with pytest.raises(RecordingError, match="person 4 was never placed"):
        export(recording.only([4]), tmp_path, name)


@pytest.mark.parametrize("name", ["trc", "trc-filled", "mot", "c3d", "bvh", "movement-3d"])
def test_metres_are_not_made_of_pixels(name: str, tmp_path: Path):
    recording = lifted({1: wandering(3)}, times(3))
    flat = recording.with_rows(recording.rows)
    with pytest.raises(SettingsError, match=f"{name}: holds metres; lift"):
        export(flat, tmp_path, name)
