"""The shipped lifter on people: left is left, knees bend forward, nobody's legs are invented.

On a real clip by what every body obeys, and on motion capture before virtual cameras against its truth.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import marey
from marey.core.recording import Recording
from marey.data.mocap import read
from marey.evaluation.lifts import figures, take_sums
from marey.finishing.angles import angles
from marey.lifting.windows import H36M, MIRRORED
from marey.pipeline.plan import stage
from marey.training.bodies import Lifting
from marey.training.lifting import View, views

CLEAN = Lifting(noise=0.0, wild=0.0, swapped=0.0, dropped=0.0, cut=0.0, crownless=0.0)


@pytest.fixture(scope="module")
def walker(demo_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A second and a half of the real clip, in which someone walks; `fast`, for time."""
    folder = tmp_path_factory.mktemp("real")
    plan = {"quality": "fast", "overlay": False, "lift": "dgnet", "from_s": 2.5, "to_s": 4.0}
    return marey.run(demo_clip, folder, progress=False, **plan)


def on_the_ground(recording: Recording) -> np.ndarray:
    """Rows of the person who walks: the one whose feet are lowest in the picture."""
    ankle = recording.skeleton.index("left_ankle")
    low = {p: np.nanmedian(t.xy_px[:, ankle, 1]) for p, t in recording.tracks().items()}
    return recording.rows.person == max(low, key=low.__getitem__)


def test_a_real_walker_stands_upright_on_the_ground(walker: Recording) -> None:
    assert walker.space is not None
    mine = on_the_ground(walker)
    trunk = angles(walker.space.xyz_m, walker.skeleton)["trunk"][mine]
    assert np.nanmedian(trunk) < 10
    ankles = walker.space.xyz_m[mine][
        :, [walker.skeleton.index(f"{side}_ankle") for side in ("left", "right")]
    ]
    assert abs(np.nanpercentile(ankles[..., 1], 10)) < 0.15
    told = walker.history.lift or {}
    assert "stances of feet" in told["ground_source"]
    person = str(walker.rows.person[mine][0])
    assert told["reprojection"][person] < 0.02


def test_a_real_walkers_knees_bend_forward(walker: Recording) -> None:
    """Were left taken for right, or depth turned round, they would bend back and the face look back."""
    assert walker.space is not None
    mine = on_the_ground(walker)
    place = dict(zip(walker.skeleton.joints, walker.space.xyz_m[mine].transpose(1, 0, 2), strict=True))
    thorax = (place["left_shoulder"] + place["right_shoulder"]) / 2
    hips = (place["left_hip"] + place["right_hip"]) / 2
    ahead = np.cross(place["left_hip"] - place["right_hip"], thorax - hips)
    walked = hips[-5:].mean(0) - hips[:5].mean(0)
    assert ((ahead * walked).sum(-1) > 0).mean() > 0.9
    assert (((place["nose"] - thorax) * ahead).sum(-1) > 0).mean() > 0.9
    found = angles(walker.space.xyz_m[mine], walker.skeleton)
    for side in ("left", "right"):
        hip, knee, ankle = (place[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
        bent = found[f"{side}_knee"] > 30
        forward = ((knee - (hip + ankle) / 2) * ahead).sum(-1) > 0
        assert bent.sum() > 5
        assert forward[bent].mean() > 0.9


@pytest.fixture(scope="module")
def takes(shared_data: Path) -> list[tuple[View, np.ndarray]]:
    """Held-out takes before two kinds of cameras, as lifted."""
    names = (
        "cmu_walks/08_01",
        "cmu_walks/12_01",
        "cmu_walks/38_01",
        "cmu_general/005_07",
        "cmu_general/003_01",
    )
    files = [shared_data / "mocap" / f"{name}.bvh" for name in names]
    if not all(file.is_file() for file in files):
        pytest.skip("no motion capture here: put it at ../shared/data/mocap")
    held = [read(file) for file in files]
    chosen = stage("lift", "dgnet")
    network = chosen.load("cpu")
    made: list[tuple[View, np.ndarray]] = []
    for cameras in ("h36m", "phone"):
        seen = views(held, replace(CLEAN, cameras=cameras), 0.0, 60, seed=11)
        lifted = chosen.method.stage((view.track for view in seen), chosen.settings, network)
        made += list(zip(seen, lifted, strict=True))
    return made


def test_left_is_left_before_any_camera(takes: list[tuple[View, np.ndarray]]) -> None:
    """What is lifted is nearer to the truth than to the truth with its sides exchanged."""
    for view, out in takes:
        right = np.linalg.norm(out - view.truth, axis=-1).mean()
        wrong = np.linalg.norm(out - view.truth[:, MIRRORED], axis=-1).mean()
        assert right < wrong, view.name
    own, other = (
        np.mean(
            [
                np.linalg.norm(out - held, axis=-1).mean()
                for (view, out), held in zip(takes, truths, strict=True)
            ]
        )
        for truths in ([view.truth for view, _ in takes], [view.truth[:, MIRRORED] for view, _ in takes])
    )
    assert own < 0.6 * other


def test_knees_bend_forward_before_any_camera(takes: list[tuple[View, np.ndarray]]) -> None:
    good, bent = 0, 0
    for view, out in takes:
        for side in ("left", "right"):
            hip, knee, foot = (H36M.index(f"{side}_{joint}") for joint in ("hip", "knee", "foot"))
            across = view.truth[:, H36M.index("left_hip")] - view.truth[:, H36M.index("right_hip")]
            ahead = np.cross(across, view.truth[:, H36M.index("thorax")])
            true = view.truth[:, knee] - (view.truth[:, hip] + view.truth[:, foot]) / 2
            found = out[:, knee] - (out[:, hip] + out[:, foot]) / 2
            counted = (true * ahead).sum(-1) > 0.04 * np.linalg.norm(ahead, axis=-1)
            bent += int(counted.sum())
            good += int(((found * ahead).sum(-1) > 0)[counted].sum())
    assert bent > 100
    assert good > 0.95 * bent


def test_bones_hardly_vary_before_they_are_fixed(takes: list[tuple[View, np.ndarray]]) -> None:
    assert figures([take_sums(out, view.truth) for view, out in takes])["bones"] < 0.05


def test_a_signers_legs_are_not_invented(shared_data: Path, tmp_path: Path) -> None:
    """Upper body only: hips may be guessed at the picture's edge, knees and ankles are nowhere."""
    clip = shared_data / "videos" / "asl-help.mkv"
    if not clip.is_file():
        pytest.skip("no signers here: put the clips at ../shared/data/videos")
    made = marey.run(clip, tmp_path, progress=False, quality="fast", overlay=False, lift="dgnet", to_s=1.2)
    assert made.space is not None
    legs = [
        made.skeleton.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("knee", "ankle")
    ]
    assert len(made.rows) > 10
    assert np.isnan(made.space.xyz_m[:, legs]).all()
    assert np.isfinite(made.space.xyz_m[:, made.skeleton.index("left_shoulder")]).mean() > 0.9
    assert (made.history.lift or {})["ground_source"].startswith("no foot was seen")
