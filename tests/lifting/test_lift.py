"""A recording lifted by a lifter that knows the truth: metres, gravity, ground, missing joints, angles."""

from pathlib import Path

import numpy as np
import pytest

from marey.core.cameras import Camera
from marey.core.errors import SettingsError
from marey.core.history import History, Source
from marey.core.recording import Recording
from marey.core.rows import Rows, blank
from marey.core.skeletons import skeleton
from marey.finishing.angles import ANGLES, angles, angles_table
from marey.lifting.body import bones, roots, with_bones
from marey.lifting.lens import lens
from marey.lifting.lift import Lift, lift, unseen
from marey.lifting.windows import H36M, to_h36m
from marey.lifting.world import given, turn
from marey.pipeline.plan import heights

SIZE = (1280, 720)
OWN = skeleton("marey19")
STANDING = {
    "left_hip": (0.1, 0.9, 0), "left_knee": (0.1, 0.5, 0.03), "left_ankle": (0.1, 0.07, 0),
    "left_shoulder": (0.18, 1.4, 0), "left_elbow": (0.2, 1.1, -0.02), "left_wrist": (0.2, 0.85, 0.05),
    "left_eye": (0.03, 1.62, 0.1), "left_ear": (0.07, 1.6, 0), "nose": (0, 1.58, 0.12),
    "neck": (0, 1.45, 0), "head_top": (0, 1.7, 0),
}  # fmt: skip
"""A person of 1.70 m who looks towards +Z, metres, Y up."""


def person() -> np.ndarray:
    """(19, 3)."""
    mirrored = {k.replace("left", "right"): (-x, y, z) for k, (x, y, z) in STANDING.items() if "left" in k}
    return np.array([{**STANDING, **mirrored}[joint] for joint in OWN.joints], np.float64)


def walk(count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Times at 25 Hz and joints (T, 19, 3) of someone who crosses the room 5 m away, turning."""
    time_s = np.arange(count) / 25
    angle = 0.5 * time_s
    turned = np.stack(
        [np.stack([np.cos(angle), 0 * angle, np.sin(angle)], -1), np.tile([0.0, 1, 0], (count, 1)),
         np.stack([-np.sin(angle), 0 * angle, np.cos(angle)], -1)], 1,
    )  # fmt: skip
    place = np.stack([0.5 * time_s - 0.6, 0 * time_s, -5 + 0.3 * time_s], -1)
    return time_s, person() @ turned.transpose(0, 2, 1) + place[:, None]


def camera(pitch: float = 0.0, roll: float = 0.0, high: float = 1.2) -> Camera:
    """A camera `high` above the ground; world axes are the recording's (Y up, Z towards the viewer)."""
    ideal = Camera.from_view(SIZE, 70)
    rotation = turn(pitch, roll).T
    return Camera(ideal.matrix, rotation, -rotation @ np.array([0, high, 0]))


def recording(time_s: np.ndarray, world: np.ndarray, seen_by: Camera) -> Recording:
    count = len(time_s)
    xy = seen_by.project(world).astype(np.float32)
    rows = blank(np.arange(count), time_s, 19, 1)
    box = np.concatenate([xy.min(1), xy.max(1)], -1)
    rows = Rows(
        rows.frame, rows.time_s, rows.person, box, np.ones(count, np.float32), rows.looks, xy,
        np.full((count, 19), 0.9, np.float32), rows.origin, rows.edits, xy,
    )  # fmt: skip
    return Recording.of(rows, np.arange(count), time_s, History(OWN, Source("walk", SIZE)))


def knowing(world: np.ndarray, seen_by: Camera, stature: float = 1.7):
    """A lifter that knows the truth: camera axes, statures, root at 0."""
    truth = to_h36m(seen_by.to_camera(world), OWN)

    def lifter(tracks):
        for track in tracks:
            body = (truth - truth[:, :1]) / stature
            yield np.where(np.isnan(track.rays[..., :1]), np.nan, body)

    return lifter


LENS = (Camera.from_view(SIZE, 70), "as made")


def test_a_known_body_is_put_where_it_was_filmed() -> None:
    time_s, truth = walk()
    seen_by = camera(pitch=-15, roll=7)
    world = given(-15, 7)
    made = lift(recording(time_s, truth, seen_by), knowing(truth, seen_by), LENS, world, Lift(height_m=1.7))
    assert made.space is not None
    names = ["left_hip", "right_ankle", "left_wrist", "nose", "head_top"]
    columns = [OWN.index(name) for name in names]
    found = made.space.xyz_m[:, columns]
    np.testing.assert_allclose(found, truth[:, columns], atol=0.02)
    assert made.history.lift is not None
    assert made.history.lift["scale_source"] == {"1": "height"}
    assert made.history.lift["bone_variation"]["1"] < 1e-3
    assert made.history.lift["reprojection"]["1"] < 2e-3
    for name in ("left_eye", "neck"):  # the lifter has none
        assert np.isnan(made.space.xyz_m[:, OWN.index(name)]).all()
    assert made.space.joints == ("root", "spine", "thorax")


def test_what_is_assumed_is_said() -> None:
    time_s, truth = walk()
    seen_by = camera()
    made = lift(recording(time_s, truth, seen_by), knowing(truth, seen_by), LENS)
    assert made.history.lift is not None
    assert made.history.lift["scale_source"] == {"1": "assumed 1.70 m"}
    assert "level camera is assumed" in made.history.lift["camera_source"]
    assert "lowest ankles" in made.history.lift["ground_source"]  # someone who glides does not stand
    taller = lift(
        recording(time_s, truth, seen_by), knowing(truth, seen_by), LENS, None, Lift(heights_m={"1": 2.0})
    )
    assert made.space is not None
    assert taller.space is not None
    hip, knee = OWN.index("left_hip"), OWN.index("left_knee")

    def thigh(held: np.ndarray) -> np.ndarray:
        return np.linalg.norm(held[:, hip] - held[:, knee], axis=-1)

    np.testing.assert_allclose(thigh(taller.space.xyz_m) / thigh(made.space.xyz_m), 2.0 / 1.7, rtol=1e-4)


def test_legs_that_nobody_saw_are_not_invented() -> None:
    time_s, truth = walk()
    seen_by = camera()
    whole = recording(time_s, truth, seen_by)
    legs = [OWN.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("knee", "ankle")]
    scores = whole.rows.scores.copy()
    scores[:, legs] = 0.05
    scores[10:15, OWN.index("left_wrist")] = 0.05  # 0.2 s are no reason to drop a joint
    rows = whole.rows.take(slice(None))
    object.__setattr__(rows, "scores", scores)
    poor = Recording.of(rows, whole.frame, whole.time_s, whole.history)
    made = lift(poor, knowing(truth, seen_by), LENS)
    assert made.space is not None
    assert np.isnan(made.space.xyz_m[:, legs]).all()
    assert np.isfinite(made.space.xyz_m[:, OWN.index("left_wrist")]).all()


def test_unseen_counts_time_and_not_frames() -> None:
    time_s = np.array([0, 0.1, 0.2, 0.3, 0.8, 0.9, 1.0])
    seen = np.array([1, 0, 1, 0, 0, 1, 0], bool)[:, None]
    gone = unseen(time_s, seen, 0.5)[:, 0]
    assert gone.tolist() == [False, False, False, True, True, False, True]


def test_space_is_kept_in_the_folder(tmp_path: Path) -> None:
    time_s, truth = walk(10)
    made = lift(recording(time_s, truth, camera()), knowing(truth, camera()), LENS)
    made.save(tmp_path / "walk.marey")
    back = Recording.open(tmp_path / "walk.marey")
    assert back.equals(made)
    assert back.history.lift == made.history.lift
    assert {"x_m", "y_m", "z_m", "score_3d"} <= set(back.poses.column_names)
    assert back.with_rows(back.rows).space is None  # other rows are other places
    assert not back.equals(back.with_rows(back.rows))


def test_bones_get_one_length_and_keep_their_directions() -> None:
    rng = np.random.default_rng(0)
    body = rng.normal(0, 0.4, (30, 17, 3))
    body[:, 0] = 0
    lengths, variation = bones(body)
    assert variation > 0.1
    fixed = with_bones(body, lengths)
    again, still = bones(fixed)
    assert still < 1e-9
    np.testing.assert_allclose(again[1:], lengths[1:])
    for k, above in list(enumerate(H36M.parents or ()))[1:]:
        a, b = body[:, k] - body[:, above], fixed[:, k] - fixed[:, above]
        cosine = (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)
        np.testing.assert_allclose(cosine, 1)


def test_roots_are_where_reprojection_is_best() -> None:
    """Against scipy on noisy rays, and exact on clean ones."""
    from scipy.optimize import lsq_linear

    rng = np.random.default_rng(0)
    body, root = rng.normal(0, 0.4, (4, 17, 3)), np.array([0.3, -0.2, 4.0])
    xyz = body + root
    rays = xyz[..., :2] / xyz[..., 2:]
    weights = rng.uniform(0.2, 1, (4, 17))
    np.testing.assert_allclose(roots(body, rays, weights), np.tile(root, (4, 1)), atol=1e-9)
    noisy = rays + rng.normal(0, 0.01, rays.shape)
    found = roots(body, noisy, weights)
    for t in range(4):
        w = np.sqrt(weights[t])[:, None]
        one, zero = np.ones((17, 1)), np.zeros((17, 1))
        left = np.concatenate(
            [np.hstack([one, zero, -noisy[t, :, :1]]) * w, np.hstack([zero, one, -noisy[t, :, 1:]]) * w]
        )
        right = np.concatenate([(noisy[t, :, k] * body[t, :, 2] - body[t, :, k]) * w[:, 0] for k in (0, 1)])
        np.testing.assert_allclose(found[t], lsq_linear(left, right).x, atol=1e-6)
    assert np.isnan(roots(body, rays, np.zeros((4, 17)))).all()


def test_angles_of_a_person_who_sits_with_one_arm_up() -> None:
    xyz = person()[None].copy()
    place = dict(zip(OWN.joints, range(19), strict=True))
    for side, x in (("left", 0.1), ("right", -0.1)):
        xyz[0, place[f"{side}_hip"]] = (x, 0.5, 0)
        xyz[0, place[f"{side}_shoulder"]] = (x, 1.0, 0)
        xyz[0, place[f"{side}_knee"]] = (x, 0.5, 0.4)
        xyz[0, place[f"{side}_ankle"]] = (x, 0.1, 0.4)
    xyz[0, place["left_elbow"]], xyz[0, place["left_wrist"]] = (0.1, 1.3, 0), (0.1, 1.6, 0)
    xyz[0, place["right_elbow"]], xyz[0, place["right_wrist"]] = (-0.1, 0.7, 0), (-0.1, 0.7, 0.3)
    found = {name: float(value[0]) for name, value in angles(xyz, OWN).items()}
    assert set(found) == set(ANGLES)
    wanted = {
        "left_hip": 90, "right_hip": 90, "left_knee": 90, "left_shoulder": 180, "left_elbow": 0,
        "right_shoulder": 0, "right_elbow": 90, "trunk": 0,
    }  # fmt: skip
    assert {name: found[name] for name in wanted} == pytest.approx(wanted, abs=1e-6)
    assert np.isnan(found["left_ankle"])
    behind = xyz.copy()
    behind[0, place["left_knee"]] = (0.1, 0.15, -0.2)
    assert float(angles(behind, OWN)["left_hip"][0]) == pytest.approx(-np.rad2deg(np.arctan2(0.2, 0.35)))
    spun = xyz[..., [2, 1, 0]] * [1, 1, -1]  # a quarter turn about the vertical changes nothing
    for name, value in angles(spun, OWN).items():
        np.testing.assert_allclose(value, angles(xyz, OWN)[name], atol=1e-6)
    leaning = xyz[..., [1, 0, 2]] * [1, -1, 1]
    assert float(angles(leaning, OWN)["trunk"][0]) == pytest.approx(90)


def test_ankles_need_feet() -> None:
    feet = skeleton("body25")
    xyz = np.full((1, 25, 3), np.nan)
    for joint, at in (
        ("knee", (0, 0.5, 0)),
        ("ankle", (0, 0.1, 0)),
        ("heel", (0, 0.05, -0.05)),
        ("big_toe", (0, 0.05, 0.2)),
    ):
        xyz[0, feet.index(f"left_{joint}")] = at
    assert float(angles(xyz, feet)["left_ankle"][0]) == pytest.approx(0)
    xyz[0, feet.index("left_big_toe")] = (0, 0.3, 0.2)  # toes up
    assert float(angles(xyz, feet)["left_ankle"][0]) == pytest.approx(45)


def test_the_table_of_angles_is_tidy() -> None:
    time_s, truth = walk(4)
    held = recording(time_s, truth, camera())
    with pytest.raises(Exception, match="--lift"):
        angles_table(held)
    made = lift(held, knowing(truth, camera()), LENS)
    table = angles_table(made)
    assert table.num_rows == 4 * len(ANGLES)
    assert table.column_names == ["frame", "time_s", "person", "angle", "degrees"]


def test_lenses(tmp_path: Path) -> None:
    assumed, source = lens((1920, 1080))
    assert "assumed" in source
    assert assumed.matrix[0, 0] == pytest.approx(960 / np.tan(np.deg2rad(30)))
    upright, _ = lens((1080, 1920))
    assert upright.matrix[0, 0] == pytest.approx(assumed.matrix[0, 0])  # the same lens, held the other way
    assert lens((1000, 500), 90)[0].matrix[0, 0] == pytest.approx(500)
    file = tmp_path / "calib.toml"
    file.write_text(
        '[cam01]\nname = "cam01"\nsize = [640, 360]\ndistortions = [0.1, 0, 0, 0]\n'
        "matrix = [[500, 0, 319.5], [0, 500, 179.5], [0, 0, 1]]\n[metadata]\nadjusted = false\n"
    )
    read, source = lens((1280, 720), None, str(file))
    assert source == "intrinsics of calib.toml"
    np.testing.assert_allclose(read.matrix, [[1000, 0, 640], [0, 1000, 360], [0, 0, 1]])
    assert read.distortion.tolist() == [0.1, 0, 0, 0, 0]
    for fov, path, size, said in (
        (0.0, None, (10, 10), "between 0 and 180"),
        (60.0, str(file), (1280, 720), "give one"),
        (None, str(file), (720, 1280), "640×360"),
        (None, str(tmp_path / "none.toml"), (1280, 720), "cannot be read"),
    ):
        with pytest.raises(SettingsError, match=said):
            lens(size, fov, path)


def test_heights() -> None:
    told = heights(["1.82", "3=1.65"])
    assert told.height(3) == (1.65, "height")
    assert told.height(1) == (1.82, "height")
    assert heights(["3=1.65"]).height(1) == (1.7, "assumed 1.70 m")
    for wrong in ("182", "x", "=1.8", "a=1.8", "1.8="):
        with pytest.raises(SettingsError, match="--height"):
            heights([wrong])
