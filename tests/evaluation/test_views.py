"""Agreement of calibrated cameras: true places agree, what is off is found, lifting is held to it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import data_trees_space as trees
from marey.core.cameras import Camera
from marey.core.errors import DataError, SettingsError
from marey.core.geometry import joints_box
from marey.core.kinematics import euler_rotations
from marey.core.skeletons import MAREY19
from marey.data.sample import Sample, only_boxes
from marey.evaluation.by_space import judge_space
from marey.evaluation.by_views import LIMBS, judge_views, scene, view_takes
from marey.evaluation.customs import Custom
from marey.evaluation.evaluate import evaluate
from marey.evaluation.measure import Posed
from marey.evaluation.motion import aim

MATRIX = np.array([[1680.0, 0.0, 540.0], [0.0, 1680.0, 960.0], [0.0, 0.0, 1.0]])
FRAMES = 20
LIMB = [MAREY19.index(name) for name in LIMBS]


def ring(count: int = 4) -> list[Camera]:
    """Cameras 4 m from a person at the origin, at uneven heights and angles."""
    cameras = []
    for k, angle in enumerate(np.linspace(0.3, 5.0, count)):
        place = np.array([4 * np.cos(angle), 4 * np.sin(angle), 1.2 + 0.4 * k])
        ahead = np.array([0, 0, 0.9]) - place
        ahead /= np.linalg.norm(ahead)
        right = np.cross(ahead, [0, 0, 1.0])
        right /= np.linalg.norm(right)
        rotation = np.stack([right, np.cross(ahead, right), ahead])
        cameras.append(Camera(MATRIX, rotation, -rotation @ place))
    return cameras


def walker(seed: int = 0) -> np.ndarray:
    """Joints of somebody about 1.7 m tall who walks 1.5 m."""
    rng = np.random.default_rng(seed)
    body = rng.uniform((-0.25, -0.25, 0), (0.25, 0.25, 1.7), (19, 3))
    way = np.arange(FRAMES)[:, None, None] * np.array([0.075, 0.0, 0.0])
    return body + way - np.array([0.75, 0, 0])


def seen(cameras: list[Camera], xyz: np.ndarray, noise: float = 0.0) -> tuple[list[Sample], list[Posed]]:
    """Each camera's pictures; beside the walker (id 2) a larger bystander (id 1) who trembles."""
    rng = np.random.default_rng(3)
    samples, posed = [], []
    for c, camera in enumerate(cameras):
        for k in range(FRAMES):
            nobody = only_boxes(np.zeros((0, 4), np.float32))
            samples.append(
                Sample("pose2sim", f"cam{c}/{k:06d}", f"cam{c}", (1080, 1920), nobody, lambda: np.zeros(0),
                       False, k / 10, camera)
            )  # fmt: skip
            own = camera.project(xyz[k]) + rng.normal(0, noise, (19, 2))
            other = np.stack([np.arange(19) * 30.0, np.arange(19) * 100.0], 1) + rng.normal(0, 1, (19, 2))
            xy = np.stack([other, own]).astype(np.float32)
            boxes, ones = joints_box(xy), np.ones(2, np.float32)
            scores = np.full((2, 19), 0.8, np.float32)
            posed.append(Posed(MAREY19, boxes, ones, xy, scores, ids=np.array([1, 2])))
    return samples, posed


def test_true_places_agree_and_the_walker_is_the_subject() -> None:
    samples, posed = seen(ring(), walker())
    held = judge_views(scene(samples, posed, "most-moving"), "most-moving")
    assert held.metrics["left_out_px"] < 0.01
    assert held.metrics["reprojection_px_95"] < 0.01
    assert held.metrics["triangulated"] == 1
    assert held.metrics["views_used"] == 4
    assert held.items == FRAMES
    assert set(held.tables["by_camera"]) == {"cam0", "cam1", "cam2", "cam3"}
    assert max(row["turned_deg"] for row in held.tables["by_camera"].values()) < 0.01
    assert next(iter(held.metrics)) == "left_out_px"


def test_errors_are_those_that_were_made() -> None:
    """Gaussian errors of 3 px: the median distance is 3·√(2 ln 2) = 3.5, more with the others' own."""
    samples, posed = seen(ring(), walker(), noise=3.0)
    held = judge_views(scene(samples, posed, "most-moving"), "most-moving").metrics
    assert 3.5 < held["left_out_px"] < 7
    assert held["reprojection_px"] < held["left_out_px"] < held["left_out_px_95"]


def test_a_view_that_is_wrong_is_left_out_and_told() -> None:
    samples, posed = seen(ring(), walker(), noise=0.5)
    wrist = MAREY19.index("left_wrist")
    for k, sample in enumerate(samples):
        if sample.clip == "cam1":
            xy = posed[k].xy_px.copy()
            xy[1, wrist] += 300
            posed[k] = replace(posed[k], xy_px=xy)
    held = judge_views(scene(samples, posed, "most-moving"), "most-moving")
    assert held.metrics["triangulated"] == 1
    assert held.metrics["views_used"] == pytest.approx(4 - 1 / 12)
    assert held.tables["by_camera"]["cam1"]["used"] == pytest.approx(11 / 12)
    assert held.per_joint["left_wrist"] < 3


def test_joints_seen_by_one_camera_are_not_triangulated() -> None:
    samples, posed = seen(ring(), walker())
    knee = MAREY19.index("right_knee")
    for k, sample in enumerate(samples):
        if sample.clip != "cam1":
            scores = posed[k].scores.copy()
            scores[:, knee] = 0.1
            posed[k] = replace(posed[k], scores=scores)
    held = judge_views(scene(samples, posed, "most-moving"), "most-moving")
    assert held.metrics["triangulated"] == pytest.approx(11 / 12)
    assert np.isnan(held.per_joint["right_knee"])


def test_a_calibration_that_is_off_is_mended_and_shown() -> None:
    cameras = ring()
    samples, posed = seen(cameras, walker(), noise=0.5)
    turn = euler_rotations("xyz", np.deg2rad([0.0, 1.0, 0.0]))
    bent = replace(cameras[2], rotation=turn @ cameras[2].rotation, translation=turn @ cameras[2].translation)
    samples = [replace(s, camera=bent) if s.clip == "cam2" else s for s in samples]
    held = judge_views(scene(samples, posed, "most-moving"), "most-moving")
    assert held.metrics["left_out_px_as_calibrated"] > 5
    assert held.metrics["left_out_px"] < 2
    turned = [row["turned_deg"] for row in held.tables["by_camera"].values()]
    assert turned[2] == pytest.approx(1, abs=0.2)


def test_the_rule_decides_and_must_find_somebody() -> None:
    samples, posed = seen(ring(), walker())
    with pytest.raises(SettingsError, match="no such person"):
        scene(samples, posed, "7")
    assert np.nanmedian(scene(samples, posed, "largest").heights_px) > 1500  # the bystander
    empty = [replace(p, **{n: getattr(p, n)[:0] for n in NAMES}) for p in posed]
    with pytest.raises(DataError, match="finds nobody"):
        scene(samples, empty, "most-moving")
    with pytest.raises(DataError, match="who is who"):
        scene(samples, [replace(p, ids=None) for p in posed], "largest")
    with pytest.raises(DataError, match="two"):
        scene(samples[:FRAMES], posed[:FRAMES], "most-moving")


NAMES = ("boxes_px", "box_scores", "xy_px", "scores", "ids")


def test_a_camera_that_begins_later_is_laid_by_its_numbers() -> None:
    samples, posed = seen(ring(), walker())
    keep = [k for k, s in enumerate(samples) if not (s.clip == "cam0" and s.name < "cam0/000005")]
    held = scene([samples[k] for k in keep], [posed[k] for k in keep], "most-moving")
    assert len(held.times_s) == FRAMES - 5
    assert judge_views(held, "most-moving").metrics["left_out_px"] < 0.01


def test_lifting_is_held_against_what_the_cameras_say() -> None:
    cameras, xyz = ring(), walker()
    made, joints = view_takes(scene(*seen(cameras, xyz), "most-moving"))
    assert [take.name for take in made] == ["cam0", "cam1", "cam2", "cam3"]
    assert len(joints) == 12
    hips = [MAREY19.index("left_hip"), MAREY19.index("right_hip")]
    for take, camera in zip(made, cameras, strict=True):
        wanted = camera.to_camera(xyz)
        wanted = wanted[:, LIMB] - wanted[:, hips].mean(1, keepdims=True)
        np.testing.assert_allclose(take.truth_m[:, joints], wanted, atol=1e-3)
    held = judge_space(
        [replace(t, body_m=t.truth_m * 1.1) for t in made], "camera", {}, Custom(joints=tuple(joints))
    ).result
    assert held.metrics["P1_own_size_mm"] == pytest.approx(0, abs=1e-3)
    assert held.metrics["P1_mm"] > 30
    assert set(held.per_joint) == {n.replace("ankle", "foot") for n in LIMBS}
    assert set(held.tables["by_clip"]) == {"cam0", "cam1", "cam2", "cam3"}


def test_grey_pictures_show_nobody(tmp_path: Path) -> None:
    trees.pose2sim(tmp_path)
    with pytest.raises(DataError, match=r"cam01: --subject most-moving finds nobody"):
        evaluate("fast", f"pose2sim:{tmp_path}")
    with pytest.raises(SettingsError, match="no true 2D"):
        evaluate("dgnet", f"pose2sim:{tmp_path}")
    with pytest.raises(SettingsError, match="go together"):
        evaluate("fast", f"pose2sim:{tmp_path}", protocol="tracks")


def test_other_sets_are_no_single_scene() -> None:
    with pytest.raises(SettingsError, match="go together"):
        aim("panoptic", "views", "fast", None)
    assert aim("pose2sim", None, "fast", None) == aim("pose2sim", "views", None, "dgnet") == "views"
    assert aim("h36m", None, "dgnet", None) == aim("h36m", None, "fast", "dgnet") == "space"
    assert aim("posetrack18", "tracks", "fast", None) == "tracks"
    assert aim("posetrack18", None, "fast", None) == ""


@pytest.mark.data
def test_real_cameras_are_read_as_they_stand(shared_data: Path) -> None:
    """Every camera of the demonstration sees the place where the others look."""
    from marey.data import open_kind

    samples = open_kind("pose2sim", shared_data / "pose2sim")
    cameras = {s.clip: s.camera for s in samples}
    assert len(cameras) == 4
    middle = np.array([0.0, 0.0, 1.0])
    for camera in cameras.values():
        assert camera is not None
        place = -camera.rotation.T @ camera.translation
        assert 1.5 < place[2] < 2.3  # metres above the floor, Z up
        x, y = camera.project(middle)
        assert 0 < x < 1100
        assert 0 < y < 1950
