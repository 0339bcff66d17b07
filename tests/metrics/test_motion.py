"""Smoothness without a truth, on motion whose derivatives are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marey.core.errors import DataError
from marey.metrics import motion

TIME = np.arange(50)[:, None, None] / 25


def test_jitter_of_a_cubic_is_its_third_derivative():
    assert motion.jitter(TIME**3 / 6 * [3.0, 0, 4], 25) == pytest.approx(5)
    assert motion.jitter(TIME**2 * [3.0, 0, 4], 25) == pytest.approx(0, abs=1e-6)


def test_jitter_2d_is_in_heights():
    xy = TIME**2 / 2 * [30.0, 40]
    assert motion.jitter_2d(xy, np.full(50, 100.0), 25) == pytest.approx(0.5)
    heights = np.full(50, 100.0)
    heights[10] = np.nan
    assert motion.jitter_2d(xy, heights, 25) == pytest.approx(0.5)
    assert np.isnan(motion.jitter_2d(xy, np.zeros(50), 25))


@given(st.floats(0.1, 20), st.floats(-1000, 1000), st.integers(0, 2**31))
def test_place_and_size_in_the_picture_do_not_matter(scale: float, shift: float, seed: int):
    xy = np.random.default_rng(seed).normal(0, 10, (20, 4, 2))
    heights = np.full(20, 100.0)
    plain = motion.jitter_2d(xy, heights, 25)
    assert motion.jitter_2d(xy * scale + shift, heights * scale, 25) == pytest.approx(plain, rel=1e-6)


def test_still():
    xy = np.zeros((4, 2, 2))
    xy[:, 0, 0] = 0, 2, 0, 2
    assert motion.still_rms(xy) == pytest.approx(np.sqrt(0.5))
    xy[0, 1] = np.nan
    assert motion.still_rms(xy) == pytest.approx(np.sqrt(4 / 7))
    assert np.isnan(motion.still_rms(np.full((4, 2, 2), np.nan)))


@given(st.integers(0, 2**31))
def test_a_rigid_body_has_no_bone_variation(seed: int):
    from scipy.spatial.transform import Rotation

    rng = np.random.default_rng(seed)
    turns = Rotation.random(20, rng=rng).as_matrix()
    moved = np.einsum("tik,jk->tji", turns, rng.normal(0, 300, (4, 3))) + rng.normal(0, 100, (20, 1, 3))
    np.testing.assert_allclose(motion.bone_variation(moved, [(0, 1), (2, 3)]), 0, atol=1e-9)


def test_bone_variation_by_hand():
    bone = np.zeros((4, 2, 3))
    bone[:, 1, 0] = 1, 3, 1, 3
    assert motion.bone_variation(bone, [(0, 1)]) == pytest.approx([0.5])
    bone[:] = np.nan
    assert np.isnan(motion.bone_variation(bone, [(0, 1)])).all()


def test_feet_that_slide_and_feet_that_fly():
    foot = np.zeros((10, 2, 3))
    foot[:, 0, 0] = np.arange(10) * 4.0
    foot[:, 1, 1] = 100
    foot[:, 1, 2] = np.arange(10) * 50.0
    assert motion.foot_skate(foot, 25) == pytest.approx(100)
    foot[:, :, 1] += 60
    assert np.isnan(motion.foot_skate(foot, 25))
    assert motion.foot_skate(foot, 25, ground_mm=60) == pytest.approx(100)


def test_depth_below_the_ground():
    xyz = np.zeros((2, 2, 3))
    xyz[0, 0, 1], xyz[1, 1, 1] = -8, 5
    assert motion.penetration(xyz) == pytest.approx(2)


@pytest.mark.parametrize("shift", [-7, 0, 3])
def test_lag_of_a_shifted_copy(shift: int):
    held = np.random.default_rng(0).normal(0, 1, (140, 3)).cumsum(0)
    later, earlier = held[20 - shift : 120 - shift], held[20:120]
    assert motion.lag_s(later, earlier, 25) == pytest.approx(shift / 25, abs=0.01)


def test_lag_between_frames_with_gaps():
    time = np.arange(200) / 25
    later, earlier = np.sin(5 * (time - 0.1)), np.sin(5 * time)
    later[50:60] = np.nan
    assert motion.lag_s(later, earlier, 25, most_s=0.5) == pytest.approx(0.1, abs=0.002)


def test_lag_that_cannot_be_told():
    assert np.isnan(motion.lag_s(np.zeros(100), np.zeros(100), 25))
    with pytest.raises(DataError, match="give 53 or more frames"):
        motion.lag_s(np.zeros(50), np.zeros(50), 25)
