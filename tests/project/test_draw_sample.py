"""The drawn walker walks as it says, and the clip that ships is what the tool draws."""

from itertools import pairwise

import av
import draw_sample
import numpy as np
import pytest

from marey.core.folders import sample_clip
from marey.core.skeletons import MAREY19


def test_the_foot_on_the_ground_stands_still() -> None:
    """Over a step no point of a sole that bears slides by more than a centimetre a frame."""
    poses = draw_sample.walk()
    slides = []
    for before, after in pairwise(poses):
        soles = [f"{side}_{part}" for side in ("left", "right") for part in ("heel", "toe")]
        low = min(soles, key=lambda name: before[name][1])
        slides.append(np.linalg.norm((after[low] - before[low])[[0, 2]]))
    assert np.median(slides) < 0.01


def test_bones_keep_their_lengths() -> None:
    poses = draw_sample.walk()
    for side in ("left", "right"):
        for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist")):
            lengths = [np.linalg.norm(j[f"{side}_{a}"] - j[f"{side}_{b}"]) for j in poses]
            assert np.ptp(lengths) < 0.01 * np.mean(lengths)


def test_stored_truth_is_the_tool_s() -> None:
    stored = np.load(sample_clip().with_suffix(".npz"))
    drawn = draw_sample.project(np.stack([[j[name] for name in MAREY19.joints] for j in draw_sample.walk()]))
    np.testing.assert_allclose(stored["xy_px"], drawn, atol=0.01)
    np.testing.assert_allclose(stored["time_s"], np.arange(len(drawn)) / draw_sample.RATE)
    assert (drawn > 0).all()
    assert (drawn < draw_sample.SIZE).all()


@pytest.mark.slow
def test_a_frame_drawn_again_is_the_frame_that_ships() -> None:
    scene = draw_sample.street(np.random.default_rng(draw_sample.SEED))
    drawn = draw_sample.draw(draw_sample.walk()[0], scene).astype(float)
    with av.open(str(sample_clip())) as clip:
        shipped = next(clip.decode(video=0)).to_ndarray(format="rgb24")
    assert np.sqrt(np.mean((drawn - shipped) ** 2)) < 6  # of 255: what the encoder took away
