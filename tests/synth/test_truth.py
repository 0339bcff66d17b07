"""What counts as seen, where flow holds, what a box holds; cases small enough to do by hand."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from marey.core.cameras import Camera
from marey.core.skeletons import MAREY19
from marey.synth import truth
from marey.synth.gpu import Seen
from marey.synth.shots import MOVES, camera_at, shot
from marey.synth.truth import UNDER_M, Sight

SIZE = (40, 30)
CAMERA = Camera.from_view(SIZE, 60)


def seen(who: np.ndarray, depth: np.ndarray | float, flow: tuple[float, ...] = (0, 0, 0, 0)) -> Seen:
    depths = np.broadcast_to(np.asarray(depth, np.float32)[..., None], (*who.shape, 3)).copy()
    return Seen(who.astype(np.int16), depths, np.tile(np.array(flow, np.float32), (*who.shape, 1)))


def test_a_joint_is_seen_occluded_by_another_by_its_own_body_or_outside():
    who, depth = np.ones((30, 40)), np.full((30, 40), 4.9)
    who[:, :10] = 2  # somebody else
    depth[:, 30:] = 4.0  # the person's own arm, a metre before the joint
    xyz = CAMERA.unproject(np.array([[20.0, 15], [5, 15], [35, 15], [60, 15]]), np.full(4, 5.0))
    points = np.tile(xyz[:1], (19, 1))
    points[:4] = xyz
    xy, state, depths = truth.sight(CAMERA, points, 1, seen(who, depth), 1.75)
    np.testing.assert_allclose(xy[3], [60, 15])
    assert UNDER_M[4] > 0.0
    assert state[[1, 2, 3]].tolist() == [Sight.OCCLUDED, Sight.OCCLUDED, Sight.OUTSIDE]
    shoulder = MAREY19.index("left_shoulder")
    assert state[shoulder] == Sight.VISIBLE  # 10 cm under the surface
    assert state[MAREY19.index("nose")] == Sight.OCCLUDED  # a nose is never that deep
    np.testing.assert_allclose(depths, 5.0)


def test_boxes_hold_the_whole_body_within_the_picture():
    corners = CAMERA.unproject(np.array([[-5.0, 3], [12, 20]]), np.array([4.0, 4.0]))
    np.testing.assert_allclose(truth.extent(CAMERA, corners, SIZE), [0, 3, 12, 20], atol=1e-5)
    assert truth.extent(CAMERA, corners * [1, 1, -1], SIZE) is None  # behind the camera
    assert truth.extent(CAMERA, CAMERA.unproject(np.array([[50.0, 3], [70, 9]]), 4.0), SIZE) is None


def test_flow_holds_only_where_the_same_surface_is_met_again():
    now = seen(np.ones((30, 40)), 5.0, (2, 0, -2, 0))
    then = seen(np.ones((30, 40)), 5.0)
    then.who[:, 20:] = 3
    then.depths_m[10, :, 0] = 4.0
    holds = truth.flow_holds(now, then, True)
    assert holds[0, :18].all()
    assert not holds[0, 18:].any()  # somebody else, then out of the picture
    assert not holds[10].any()  # something nearer
    back = truth.flow_holds(now, seen(np.ones((30, 40)), 5.0), False)
    assert back[0].tolist() == [False, False] + [True] * 38


def test_motion_at_joints_is_that_of_the_surface_where_it_is_seen_and_holds():
    now, other = seen(np.ones((30, 40)), 5.0, (1, 2, 3, 4)), seen(np.ones((30, 40)), 5.0)
    elsewhere = seen(np.full((30, 40), 2), 5.0)
    xy, state = np.array([[3.9, 7.1], [3.9, 7.1], [99, 7]]), np.array([2, 1, 0])
    found = truth.at_joints(now, elsewhere, other, xy, state)
    np.testing.assert_array_equal(found[0], [1, 2, np.nan, np.nan])
    assert np.isnan(found[1:]).all()
    assert np.isnan(truth.at_joints(now, None, None, xy, state)).all()


def test_flow_at_pixels_is_that_of_the_whole_picture():
    rng = np.random.default_rng(0)

    def drawn() -> Seen:
        depths_m, flow_px = rng.uniform(4, 4.2, (30, 40, 3)), rng.normal(0, 3, (30, 40, 4))
        who = rng.integers(0, 3, (30, 40)).astype(np.int16)
        return Seen(who, depths_m.astype(np.float32), flow_px.astype(np.float32))

    now, then = drawn(), drawn()
    rows, columns = rng.integers(0, 30, 50), rng.integers(0, 40, 50)
    for ahead in (True, False):
        whole = truth.flow_holds(now, then, ahead)
        assert 0 < whole.mean() < 1
        np.testing.assert_array_equal(
            truth.flow_holds(now, then, ahead, (rows, columns)), whole[rows, columns]
        )


def test_the_hash_knows_people_and_cameras_but_not_noise():
    xyz = [np.ones((3, 19, 3))]
    found = truth.truth_hash(xyz, [CAMERA])
    assert found == truth.truth_hash([xyz[0] + 1e-7], [CAMERA])
    assert found != truth.truth_hash([xyz[0] + 2e-3], [CAMERA])
    assert found != truth.truth_hash(xyz, [Camera.from_view(SIZE, 61)])


def test_a_camera_looks_at_its_target_level_and_from_where_it_stands():
    eye, target = np.array([1.0, 2, 6]), np.array([0.0, 1, 0])
    camera = camera_at(eye, target, SIZE, 50)
    np.testing.assert_allclose(camera.project(target[None])[0], [20, 15], atol=1e-9)
    np.testing.assert_allclose(camera.to_camera(eye[None]), 0, atol=1e-12)
    above = camera.project(target[None] + [0, 0.1, 0])[0]
    assert above[0] == pytest.approx(20)
    assert above[1] < 15
    assert np.linalg.det(camera.rotation) == pytest.approx(1)


def test_a_sweep_turns_everybody_out_of_sight_for_seconds_and_back():
    times = np.arange(300) / 25
    eye, target = np.array([0.0, 1.5, 5]), np.array([0.0, 0.9, 0])
    for seed in range(8):
        cameras = shot((eye, target, 50.0), ("sweep",), SIZE, times, np.random.default_rng(seed))
        across = np.array([camera.project(target[None])[0, 0] for camera in cameras])
        gone = ~((across > 0) & (across < SIZE[0]))
        assert not gone[0]
        turns = np.flatnonzero(np.diff(gone.astype(int)))
        away_s = (turns[1::2] - turns[: len(turns) // 2 * 2 : 2]) / 25
        assert len(away_s) >= 2
        assert (away_s > 1).all()
        assert (away_s < 4).all()


@pytest.mark.parametrize("move", [move for move in MOVES if move != "sweep"])
def test_moves_move_the_camera_and_keep_the_target_in_view(move: str):
    times = np.arange(100) / 25
    eye, target = np.array([0.0, 1.5, 5]), np.array([0.0, 0.9, 0])
    cameras = shot((eye, target, 50.0), (move,), SIZE, times, np.random.default_rng(2))
    places = np.array([camera.project(target[None])[0] for camera in cameras])
    assert ((places > 0) & (places < SIZE)).all()
    same = all(
        np.array_equal(c.rotation, cameras[0].rotation) and c.matrix[0, 0] == cameras[0].matrix[0, 0]
        for c in cameras
    )
    assert same == (move == "still")


def test_tables_of_a_clip_are_plain_parquet(tmp_path):
    import data_trees_video as trees

    trees.synth(tmp_path)
    table = pq.read_table(tmp_path / "walk.marey" / "truth.parquet").to_pandas()
    assert set(table["sight"]) == {"outside", "occluded", "visible"}
    cameras = pq.read_table(tmp_path / "walk.marey" / "cameras.parquet")
    assert cameras.num_rows == 3
    assert cameras.column_names[:3] == ["frame", "k0", "k1"]
