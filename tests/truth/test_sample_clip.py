"""The whole of marey on the drawn walker, whose joints are known."""

from pathlib import Path

import numpy as np
import pytest

import marey
from marey.core.folders import sample_clip
from marey.core.skeletons import MAREY19, mirrored


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    """Joints (T, 19, 2) as drawn."""
    return np.load(sample_clip().with_suffix(".npz"))["xy_px"]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> marey.Recording:
    """The clip measured by the shipped networks, as a user does it."""
    return marey.run(sample_clip(), tmp_path_factory.mktemp("out"), overlay=False, progress=False)


@pytest.mark.slow
def test_one_walker_on_every_frame(measured: marey.Recording) -> None:
    assert len(measured.frame) == 75
    assert len(measured.ids) == 1
    assert len(np.unique(measured.rows.frame)) >= 73
    np.testing.assert_allclose(measured.time_s, np.arange(75) / 25, atol=1e-6)


@pytest.mark.slow
def test_the_skeleton_sits_on_the_walker(measured: marey.Recording, truth: np.ndarray) -> None:
    """Limb joints within a twentieth of the walker's height, nearly all of them; sides as drawn."""
    xy = np.stack([measured.at(frame).xy_px[0] for frame in np.unique(measured.rows.frame).tolist()])
    real = truth[np.unique(measured.rows.frame)]
    height = np.ptp(real[..., 1], axis=1)[:, None]
    limbs = [k for k, joint in enumerate(MAREY19.joints) if joint.startswith(("left_", "right_")) and k > 4]
    off = np.linalg.norm(xy - real, axis=-1) / height
    assert np.median(off[:, limbs]) < 0.03
    assert (off[:, limbs] < 0.05).mean() > 0.85
    knees = [MAREY19.index("left_knee"), MAREY19.index("right_knee")]
    swapped = [mirrored(MAREY19)[k] for k in knees]
    apart = np.linalg.norm(real[:, knees] - real[:, swapped], axis=-1).min(1) > 0.1 * height[:, 0]
    wrong = np.linalg.norm(xy[:, knees] - real[:, swapped], axis=-1) < np.linalg.norm(
        xy[:, knees] - real[:, knees], axis=-1
    )
    assert wrong[apart].mean() < 0.05


@pytest.mark.slow
def test_the_demo_runs(demo_clip: Path, tmp_path: Path) -> None:
    """Two seconds of the real clip: the walker on the grass is found and followed throughout."""
    recording = marey.run(demo_clip, tmp_path, overlay=False, progress=False, from_s=2.0, to_s=4.0)
    walker = max(recording.tracks().values(), key=lambda track: float(np.nanmean(track.boxes_px[:, 3])))
    assert len(walker.frame) > 0.9 * len(recording.frame)


@pytest.mark.slow
def test_the_athlete_before_dark_trees_is_not_lost(demo_clip: Path) -> None:
    """After 3.5 s the whole picture hardly shows him (below 0.1); from near the detector sees him plainly."""
    video = marey.read(demo_clip, from_s=2.0, to_s=4.5)
    ids = [set(people.ids.tolist()) for people in marey.find(video)]
    assert set().union(*ids) == {1, 2}
    assert np.mean([each == {1, 2} for each in ids]) > 0.9
