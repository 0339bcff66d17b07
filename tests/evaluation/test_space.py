"""Poses in space through `marey eval`: takes, scales, axes and misses, with figures told by hand."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import data_trees_space as trees
import data_trees_video as video
from marey.cli import main
from marey.core.cameras import Camera
from marey.core.errors import DataError, SettingsError
from marey.core.kinematics import euler_rotations
from marey.core.recording import Recording
from marey.core.skeletons import H36M17
from marey.core.space import Space
from marey.data import open_kind
from marey.data.sample import Sample, seen_from
from marey.evaluation.by_space import Take, judge_space, lifted, takes
from marey.evaluation.customs import CUSTOMS
from marey.evaluation.evaluate import evaluate, evaluate_poses
from marey.evaluation.measure import Posed
from marey.lifting.windows import ROOT, Track, to_h36m

HEIGHT = 1.7
CAMERA = Camera.from_view((640, 480), 60.0)
TILTED = replace(
    CAMERA,
    rotation=euler_rotations("xyz", np.array([1.4, 0.3, 0.2])),
    translation=np.array([0.1, 0.2, 4.0]),
)


def motion(frames: int = 12, seed: int = 0) -> np.ndarray:
    """A cloud of joints about the root, each on a way of its own."""
    rng = np.random.default_rng(seed)
    start, speed = rng.normal(0, 0.3, (17, 3)), rng.normal(0, 0.01, (17, 3))
    swing = 0.02 * np.sin(np.arange(frames)[:, None, None] + np.arange(17)[:, None])
    return start + speed * np.arange(frames)[:, None, None] + swing


def samples(xyz: np.ndarray, clip: str = "a", camera: Camera | None = TILTED, **more: object) -> list[Sample]:
    """The motion before a camera, 50 a second."""
    made = []
    for k, body in enumerate(xyz):
        truth = seen_from(camera or CAMERA, H36M17, body[None].astype(np.float32), (640, 480))
        one = Sample(
            "made", f"{clip}/{k:06d}", clip, (640, 480), truth, lambda: np.zeros((480, 640, 3), np.uint8),
            False, k / 50, camera, body[None].astype(np.float32),
        )  # fmt: skip
        made.append(replace(one, **more))
    return made


def answers(made: Sequence[Take], change=lambda body: body) -> list[Take]:
    """Takes with the truth itself, changed, as a lifter would say it in statures."""

    def lifter(tracks: Iterator[Track]) -> Iterator[np.ndarray]:
        for take, _ in zip(made, tracks, strict=True):
            yield change(take.truth_m) / HEIGHT

    return lifted(made, lifter, HEIGHT)


def figures(made: Sequence[Take]) -> dict[str, float]:
    return judge_space(made, "camera", {}).result.metrics


def test_the_truth_is_perfect_in_its_cameras_axes() -> None:
    xyz = motion()
    made = takes(samples(xyz))
    wanted = TILTED.to_camera(xyz)
    np.testing.assert_allclose(made[0].truth_m, wanted - wanted[:, ROOT, None], atol=1e-6)
    np.testing.assert_allclose(made[0].track.rays, wanted[..., :2] / wanted[..., 2:], atol=1e-5)
    np.testing.assert_allclose(made[0].track.time_s, np.arange(12) / 50)
    held = figures(answers(made))
    for name in ("P1_mm", "P2_mm", "P3_mm", "P1_own_size_mm", "MPJVE_mm_s", "acceleration_mm_s2"):
        assert held[name] == pytest.approx(0, abs=1e-3)
    assert held["3DPCK@150mm"] == held["coverage"] == 1
    assert held["3DAUC@0:5:150mm"] == pytest.approx(30 / 31)  # nothing is below 0


def test_figures_against_plain_loops() -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.06, (12, 17, 3))
    noise[:, ROOT] = 0
    made = answers(takes(samples(motion())), lambda body: body + noise)
    held = figures(made)
    off = [float(np.sqrt(sum(v * v for v in noise[t, j]))) * 1000 for t in range(12) for j in range(17)]
    assert held["P1_mm"] == pytest.approx(sum(off) / len(off), rel=1e-4)
    assert held["3DPCK@150mm"] == pytest.approx(sum(d < 150 for d in off) / len(off))
    area = [sum(d < limit for d in off) / len(off) for limit in range(0, 151, 5)]
    assert held["3DAUC@0:5:150mm"] == pytest.approx(sum(area) / 31)
    bend = [
        float(np.linalg.norm(noise[t - 1, j] - 2 * noise[t, j] + noise[t + 1, j])) * 1000 * 50**2
        for t in range(1, 11)
        for j in range(17)
    ]
    assert held["acceleration_mm_s2"] == pytest.approx(np.mean(bend), rel=1e-3)
    step = [
        float(np.linalg.norm(noise[t, j] - noise[t - 1, j])) * 1000 * 50
        for t in range(1, 12)
        for j in range(17)
    ]
    assert held["MPJVE_mm_s"] == pytest.approx(np.mean(step), rel=1e-3)


def test_a_wrong_height_is_a_wrong_size_and_nothing_else() -> None:
    held = figures(answers(takes(samples(motion())), lambda body: 0.8 * body))
    assert held["P1_mm"] > 50
    for name in ("P1_own_size_mm", "P2_mm", "P3_mm"):
        assert held[name] == pytest.approx(0, abs=1e-3)


def test_size_is_one_for_a_take_not_for_a_frame() -> None:
    grows = np.linspace(0.8, 1.2, 12)[:, None, None]
    held = figures(answers(takes(samples(motion())), lambda body: grows * body))
    assert held["P3_mm"] == pytest.approx(0, abs=1e-3)
    assert held["P1_own_size_mm"] > 20


def test_a_joint_that_is_not_predicted_is_said_and_a_miss() -> None:
    def change(body: np.ndarray) -> np.ndarray:
        out = body.copy()
        out[:, 3] = np.nan
        return out

    held = figures(answers(takes(samples(motion())), change))
    assert held["P1_mm"] == pytest.approx(0, abs=1e-3)
    assert held["coverage"] == held["3DPCK@150mm"] == pytest.approx(16 / 17)


def test_frames_that_a_set_left_out_are_missing() -> None:
    """Without frames 5 and 6 no difference is taken over the hole."""
    every = samples(motion())
    made = takes([*every[:5], *every[7:]])
    assert len(made[0].track) == 12
    assert np.isnan(made[0].truth_m[5:7]).all()
    assert np.isnan(made[0].track.rays[5:7]).all()
    shift = np.where(np.arange(12) < 6, 0.0, 0.5)[:, None, None] * np.ones((1, 17, 1))
    jump = answers(made, lambda body: body + shift * np.array([1.0, 0, 0]))
    assert figures(jump)["MPJVE_mm_s"] == pytest.approx(0, abs=1e-3)
    assert figures(jump)["P1_mm"] == pytest.approx(500 * 5 / 10)


def test_estimated_2d_is_that_of_the_pose_on_the_person() -> None:
    held = samples(motion(4))
    posed = []
    for one in held:
        box, xy = one.truth.boxes_px, one.truth.xy_px
        both = np.concatenate([xy + 999, xy + 1]), np.concatenate([box + 999, box + 1])
        posed.append(Posed(H36M17, both[1], np.ones(2, np.float32), both[0], np.ones((2, 17), np.float32)))
    rays = [takes(held, p)[0].track.rays for p in (None, posed)]
    np.testing.assert_allclose((rays[1] - rays[0]) * CAMERA.matrix[0, 0], 1, atol=1e-3)
    nobody = [replace(p, boxes_px=p.boxes_px + 2000) for p in posed]
    assert np.isnan(takes(held, nobody)[0].track.rays).all()


def test_people_are_takes_of_their_own() -> None:
    one, other = motion(seed=0), motion(seed=1)
    both = []
    for k, sample in enumerate(samples(one)):
        xyz = np.stack([one[k], other[k]]).astype(np.float32)
        truth = replace(seen_from(TILTED, H36M17, xyz, (640, 480)), ids=np.array([7, 4]))
        both.append(replace(sample, truth=truth, xyz_m=xyz))
    made = takes(both)
    assert [take.name for take in made] == ["a#4", "a#7"]
    np.testing.assert_allclose(made[1].truth_m, takes(samples(one))[0].truth_m, atol=1e-6)


def test_actions_are_averaged_first() -> None:
    long = samples(motion(30), "a", action="Eating")
    short = samples(motion(10, 1), "b", action="Walking")
    made = takes([*long, *short])
    by = {"a": 0.02, "b": 0.06}
    off = [replace(take, body_m=take.truth_m + np.array([by[take.clip], 0, 0])) for take in made]
    held = judge_space(off, "camera", {}).result
    assert held.metrics["P1_mm_by_action"] == pytest.approx(40, rel=1e-4)
    assert held.metrics["P1_mm"] == pytest.approx(30, rel=1e-4)
    assert next(iter(held.metrics)) == "P1_mm_by_action"
    assert held.tables["by_action"]["Walking"]["P1_mm"] == pytest.approx(60, rel=1e-4)


def test_humaneva_is_judged_by_subjects_and_actions_over_its_own_joints() -> None:
    """The mean of the means of subject × action, three here; the spine is none of the set's 15 joints."""
    clips = {"S1/Box_1.C1": ("Box", 0.01), "S1/Box_1.C2": ("Box", 0.03), "S2/Box_1.C1": ("Box", 0.05),
             "S2/Jog_1.C1": ("Jog", 0.09)}  # fmt: skip
    made = []
    for clip, (action, metres) in clips.items():
        (one,) = takes(samples(motion(8), f"Validate/{clip}", action=action))
        far = one.truth_m + np.where(np.arange(17) == ROOT, 0, metres)[:, None] * np.array([1.0, 0, 0])
        far[:, H36M17.index("spine")] += 5
        made.append(replace(one, body_m=far))
    held = judge_space(made, "camera", {}, CUSTOMS["humaneva"]).result
    assert set(held.tables["by_action"]) == {"S1 Box", "S2 Box", "S2 Jog"}
    assert held.metrics["P1_mm_by_action"] == pytest.approx((20 + 50 + 90) / 3 * 13 / 14, rel=1e-4)
    assert next(iter(held.metrics)) == "P2_mm_by_action"
    assert set(held.per_joint) == set(H36M17.joints) - {"spine", "neck_base", "head"}


def test_mpi_inf_3dhp_is_judged_by_3dpck_over_its_own_joints() -> None:
    """13 joints count: one of them 149 mm off, two 151 mm, the nose a metre."""
    (one,) = takes(samples(motion(8), "TS1", action="Sports"))
    off = np.zeros(17)
    for joint, metres in (("head", 0.149), ("left_foot", 0.151), ("right_wrist", 0.151), ("neck_base", 1.0)):
        off[H36M17.index(joint)] = metres
    far = replace(one, body_m=one.truth_m + off[:, None] * np.array([0, 0, 1.0]))
    held = judge_space([far], "camera", {}, CUSTOMS["mpi_inf_3dhp"]).result
    assert list(held.metrics)[:3] == ["3DPCK@150mm", "3DAUC@0:5:150mm", "P1_mm"]
    assert held.value == pytest.approx(11 / 13)
    assert held.metrics["3DAUC@0:5:150mm"] == pytest.approx((10 * 30 + 1) / (13 * 31))
    assert held.metrics["P1_mm"] == pytest.approx((149 + 2 * 151) / 13, rel=1e-5)
    assert held.tables["by_action"]["Sports"]["3DPCK@150mm"] == pytest.approx(11 / 13)


def test_axes_that_differ_are_turned_by_one_rotation() -> None:
    """A recording in gravity's axes against a camera's truth: turned once, not frame by frame."""
    made = takes(samples(motion()))
    turn = euler_rotations("xyz", np.array([0.4, -1.2, 0.3]))
    gravity = [replace(take, body_m=take.truth_m @ turn.T) for take in made]
    held = judge_space(gravity, "gravity", {}).result
    assert held.metrics["P1_mm"] == pytest.approx(0, abs=1e-3)
    assert held.protocol["axes"] == "one rotation a take"
    spins = euler_rotations("z", np.linspace(0, 1.5, 12)[:, None])
    spun = [replace(take, body_m=np.einsum("tij,tkj->tki", spins, take.truth_m)) for take in made]
    assert judge_space(spun, "gravity", {}).result.metrics["P1_mm"] > 30
    assert judge_space(spun, "gravity", {}).result.metrics["P2_mm"] == pytest.approx(0, abs=1e-3)


def test_lifted_recordings_are_compared_in_their_own_axes(tmp_path: Path) -> None:
    """A recording as truth, and another of the same frames whose left wrist lies 34 mm higher."""
    video.recordings(tmp_path)
    recording = Recording.open(tmp_path / "walk.marey")
    shape = (len(recording.rows), len(recording.skeleton), 3)
    xyz = np.random.default_rng(0).normal(0, 0.3, shape).astype(np.float32)
    ones, none = np.ones(shape[:2], np.float32), np.zeros((shape[0], 0, 3), np.float32)
    how = {"method": "none", "skeleton": "h36m17"}
    recording.with_space(Space(xyz, ones, (), none), how).save(tmp_path / "walk.marey")
    wrist = recording.skeleton.index("left_wrist")
    off = xyz.copy()
    off[:, wrist, 1] += 0.034
    (tmp_path / "other").mkdir()
    recording.with_space(Space(off, ones, (), none), how).save(tmp_path / "other" / "walk.marey")
    done = evaluate_poses(tmp_path / "other", f"recordings:{tmp_path}", protocol="space").result
    assert done.metrics["P1_mm"] == pytest.approx(34 / 17, rel=1e-3)
    assert done.protocol["axes"] == "gravity"
    (tmp_path / "flat").mkdir()
    recording.save(tmp_path / "flat" / "walk.marey")
    with pytest.raises(SettingsError, match="no places in space"):
        evaluate_poses(tmp_path / "flat", f"recordings:{tmp_path}", protocol="space")


def test_a_mirror_image_is_not_a_rotation() -> None:
    made = [replace(take, body_m=take.truth_m * np.array([-1, 1, 1])) for take in takes(samples(motion()))]
    assert judge_space(made, "gravity", {}).result.metrics["P1_mm"] > 50


@pytest.mark.parametrize(
    ("kind", "lens"),
    [
        ("h36m", "the set's"),
        ("h3wb", "the set's"),
        ("humaneva", "the set's"),
        ("mpi_inf_3dhp", "the set's"),
        ("panoptic", "the set's"),
    ],
)
def test_every_set_in_space_gives_takes(tmp_path: Path, kind: str, lens: str) -> None:
    """Limbs are there, and where the lens is known 2D is their projection, to a pixel or two."""
    held = open_kind(kind, getattr(trees, kind)(tmp_path), "all")
    made = takes(held)
    limbs = [H36M17.index(f"{s}_{j}") for s in ("left", "right") for j in ("hip", "elbow", "wrist")]
    assert {take.lens for take in made} == {lens}
    for take in made:
        there = np.isfinite(take.truth_m[:, limbs]).all((1, 2))
        assert there.any()
        assert np.isfinite(take.track.rays[there][:, limbs]).all()
        np.testing.assert_allclose(take.truth_m[there, ROOT], 0, atol=1e-9)
    first = held[0]
    if lens == "the set's":
        camera = first.camera
        xyz = to_h36m(camera.to_camera(first.xyz_m[0].astype(np.float64)), first.truth.skeleton)
        off = made[0].track.rays[0] - xyz[..., :2] / xyz[..., 2:]
        assert np.nanmax(np.abs(off[limbs])) * camera.matrix[0, 0] < 2
    assert np.isfinite(figures(answers(made))["P1_mm"])


def test_without_truth_in_space_it_is_refused() -> None:
    flat = [replace(one, xyz_m=None) for one in samples(motion(2))]
    with pytest.raises(DataError, match="no truth in space"):
        takes(flat)


def test_a_lifter_on_the_command_line(tmp_path: Path, monkeypatch, capsys) -> None:
    trees.mocap(tmp_path / "mocap")
    monkeypatch.chdir(tmp_path)
    words = ["eval", "dgnet", "--data", f"mocap:{tmp_path / 'mocap'}", "--height", "1.8"]
    assert main([*words, "--save", "lift", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    kept = json.loads((tmp_path / "results" / "lift.json").read_text())
    assert printed["metrics"] == kept["metrics"]
    assert 0 < kept["metrics"]["P2_mm"] <= kept["metrics"]["P1_mm"]
    assert kept["protocol"]["2D"] == "true"
    assert kept["protocol"]["height_m"] == 1.8
    assert kept["protocol"]["lens"] == "the set's"
    assert kept["made"]["command"] == "marey " + " ".join([*words[:4], "--split all", *words[4:]])
    assert kept["made"]["lift"]["weights"]["name"] == "dgnet"
    assert kept["protocol"]["takes"] == 3


def test_wrong_words_are_refused(tmp_path: Path) -> None:
    trees.mocap(tmp_path)
    with pytest.raises(SettingsError, match="--lift dgnet"):
        evaluate("baseline-lightning", f"mocap:{tmp_path}")
    with pytest.raises(SettingsError, match="is about 2D"):
        evaluate("dgnet", f"mocap:{tmp_path}", protocol="tracks", boxes="truth")
