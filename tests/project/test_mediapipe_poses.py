"""MediaPipe's poses come back in the picture's pixels; a stub stands for it, for it is not installed here."""

import sys
from pathlib import Path

import mediapipe_poses
import numpy as np
import pytest

from evaluation.test_protocols import sample
from marey.core.skeletons import LSP14, MEDIAPIPE33
from marey.data.sample import Sample
from marey.evaluation.filed import filed_poses, write_poses
from marey.evaluation.measure import pose_all, true_boxes

STUB = """
class solutions:
    class pose:
        class Pose:
            def __init__(self, **asked): assert asked == {"static_image_mode": True, "model_complexity": 1}
            def __enter__(self): return self
            def __exit__(self, *_): pass
            def process(self, rgb):
                bright = rgb.max(2) > 128
                class found: pose_landmarks = None
                if bright.any():
                    ys, xs = bright.nonzero()
                    class Point:
                        x, y = (xs.mean() + .5) / rgb.shape[1], (ys.mean() + .5) / rgb.shape[0]
                        visibility = .75
                    class found:
                        class pose_landmarks: landmark = [Point] * 33
                return found
"""


def bright(name: str, x: int, y: int) -> Sample:
    """One person; a bright spot of 9 px about the middle of pixel (x, y)."""
    made = sample(LSP14, name)
    rgb = np.zeros((200, 200, 3), np.uint8)
    rgb[y - 4 : y + 5, x - 4 : x + 5] = 255
    return Sample("made", name, name, (200, 200), made.truth, lambda: rgb)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> mediapipe_poses.MediaPipe:
    (tmp_path / "mediapipe.py").write_text(STUB)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return mediapipe_poses.MediaPipe(Path(sys.executable))


def test_joints_lie_where_mediapipe_saw_them(stage: mediapipe_poses.MediaPipe, tmp_path: Path):
    """Two pictures with a spot, one without: the spots' middles, in pixels; nobody on the third."""
    samples = [bright("1", 60, 90), bright("2", 101, 40), sample(LSP14, "3")]
    with stage:
        posed = [mediapipe_poses.found(one) for one in pose_all(samples, true_boxes, stage)]
    assert [len(one.xy_px) for one in posed] == [1, 1, 0]
    assert posed[0].skeleton == MEDIAPIPE33
    for one, spot in zip(posed[:2], ((60.5, 90.5), (101.5, 40.5)), strict=True):
        np.testing.assert_allclose(one.xy_px[0], np.tile(spot, (33, 1)), atol=0.2)
        np.testing.assert_array_equal(one.scores, np.float32(0.75))
    write_poses(tmp_path / "m.json", samples, posed)
    again = filed_poses(tmp_path / "m.json", samples)
    assert again[0].skeleton.joints == MEDIAPIPE33.joints
    np.testing.assert_allclose(again[1].xy_px, posed[1].xy_px, atol=1e-3)


def test_a_process_that_ends_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "mediapipe.py").write_text("raise ImportError('no')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    stage = mediapipe_poses.MediaPipe(Path(sys.executable))
    with pytest.raises(SystemExit, match="process ended"), stage:
        pose_all([bright("1", 60, 90)], true_boxes, stage)
