"""Smoothing has no lag, the response that its file states, and leaves fast motion alone."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marey.core.nouns import Origin
from marey.core.rows import Edit
from marey.finishing.smooth import Smooth, smooth
from marey.finishing.spline import smoothing_spline


def response(rate, frequency, cutoff, score=1.0):
    """Gain and phase (radians) of the spline for a sine, far from the ends."""
    time_s = np.arange(int(12 * rate)) / rate
    x = np.sin(2 * np.pi * frequency * time_s)[:, None, None]
    z = smoothing_spline(time_s, x, np.full((len(time_s), 1), score**2), cutoff)[:, 0, 0]
    middle = slice(int(4 * rate), int(8 * rate))
    waves = np.exp(-2j * np.pi * frequency * time_s[middle])
    ratio = (z[middle] * waves).sum() / (x[middle, 0, 0] * waves).sum()
    return abs(ratio), np.angle(ratio)


@pytest.mark.parametrize("rate", [60, 120, 240])
@pytest.mark.parametrize("frequency", [0.5, 1, 2, 3, 6, 10])
def test_response_is_that_of_its_formula_without_lag(rate, frequency):
    gain, phase = response(rate, frequency, 6.0)
    assert gain == pytest.approx(1 / (1 + (frequency / 6) ** 4), abs=0.03)
    assert abs(phase) < 1e-9


@pytest.mark.parametrize("rate", [24, 25, 30])
def test_at_video_rates_motion_passes_and_jitter_does_not(rate):
    for frequency, least in ((1, 0.999), (2, 0.985), (3, 0.94), (4, 0.83)):
        gain, phase = response(rate, frequency, 6.0)
        assert gain > least
        assert abs(phase) < 1e-9
    assert response(rate, 11, 6.0)[0] < 0.3


def test_a_low_score_lowers_the_cutoff_by_its_square_root():
    assert response(120, 6 * 0.5, 6.0, score=0.25)[0] == pytest.approx(0.5, abs=0.02)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0.002, 0.2), min_size=3, max_size=40), st.integers(0, 2**32 - 1))
def test_the_spline_solves_its_own_equations_on_any_times(steps, seed):
    rng = np.random.default_rng(seed)
    time_s = np.cumsum([0, *steps])
    weights = rng.uniform(0.1, 1, (len(time_s), 2)) * (rng.random((len(time_s), 2)) < 0.8)
    weights[:2] = 1
    x = rng.normal(0, 100, (len(time_s), 2, 2))
    z = smoothing_spline(time_s, x, weights, 6.0)
    step = np.diff(time_s)
    bend = np.zeros((len(step) - 1, len(time_s)))
    for k, (left, right) in enumerate(pairwise(step)):
        bend[k, k : k + 3] = np.array([1 / left, -1 / left - 1 / right, 1 / right]) * 2 / (left + right)
    roughness = bend.T @ np.diag((step[1:] + step[:-1]) / 2) @ bend / (2 * np.pi * 6) ** 4
    span = np.convolve(step, (0.5, 0.5))
    for k in range(2):
        matrix = np.diag(weights[:, k] * span) + roughness
        np.testing.assert_allclose(matrix @ z[:, k], (weights[:, k] * span)[:, None] * x[:, k], atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0.005, 0.1), min_size=4, max_size=40), st.floats(-50, 50), st.floats(-50, 50))
def test_straight_motion_is_left_alone_whatever_the_times(steps, speed, start):
    time_s = np.cumsum(steps)
    x = (start + speed * time_s)[:, None, None]
    np.testing.assert_allclose(smoothing_spline(time_s, x, np.ones((len(x), 1)), 6.0), x, atol=1e-6)


def test_seconds_count_and_not_frames():
    """The same motion at 30 and 120 Hz and on uneven times gives the same curve."""
    rng = np.random.default_rng(0)

    def curve(time_s):
        x = np.sin(2 * np.pi * 3 * time_s) + 0.5 * np.cos(2 * np.pi * 1.3 * time_s)
        z = smoothing_spline(time_s, x[:, None, None], np.ones((len(time_s), 1)), 6.0)[:, 0, 0]
        return np.interp(np.arange(1, 5, 0.01), time_s, z)

    fine = curve(np.arange(720) / 120)
    uneven = np.sort(np.concatenate([[0, 6], rng.uniform(0, 6, 900)]))
    assert abs(curve(uneven) - fine).max() < 0.08
    assert abs(curve(np.arange(180) / 30) - fine).max() < 0.07


def test_too_few_samples_are_left_as_they_are():
    x = np.array([[[1.0]], [[5.0]], [[2.0]]])
    np.testing.assert_array_equal(smoothing_spline(np.arange(2.0), x[:2], np.ones((2, 1)), 6.0), x[:2])
    weights = np.array([[1.0], [0.0], [0.0]])
    np.testing.assert_array_equal(smoothing_spline(np.arange(3.0), x, weights, 6.0), x)


def test_jitter_falls_and_truth_is_nearer(record, rows_of, walk):
    time_s = np.arange(300) / 30
    true = walk(time_s)
    noisy = walk(time_s, noise=4.0, seed=1)
    before = record(time_s, rows_of(noisy, time_s))
    result = smooth(before)
    rows = result.rows

    def jitter(xy):
        return np.linalg.norm(np.diff(xy, 2, axis=0), axis=-1).mean()

    def error(xy):
        return np.linalg.norm(xy - true, axis=-1).mean()

    assert jitter(rows.xy_px) < 0.35 * jitter(noisy)
    assert error(rows.xy_px) < 0.75 * error(noisy)
    np.testing.assert_array_equal(rows.raw_xy_px, before.rows.xy_px)
    assert (rows.edits == Edit.SMOOTHED).all()
    assert result.history.steps[-1].name == "smooth"


def test_fast_motion_keeps_its_size_and_time(record, rows_of, walk):
    """A wrist that swings at 3 Hz, and a kick: nothing is taken for a jump, peaks stay where they are."""
    time_s = np.arange(150) / 30
    xy = walk(time_s, noise=0.5)
    xy[:, 9, 1] += 120 * np.sin(2 * np.pi * 3 * time_s)
    kick = np.exp(-(((time_s - 2.5) / 0.12) ** 2))
    xy[:, 15, 0] += 150 * kick
    rows = smooth(record(time_s, rows_of(xy, time_s, score=1.0))).rows
    assert (rows.origin == Origin.MEASURED).all()
    # The ankle's own course taken off, what is left is the kick.
    kicked = rows.xy_px[:, 15, 0] - walk(time_s)[:, 15, 0]
    assert abs(kicked.argmax() - kick.argmax()) <= 1
    assert kicked.max() > 0.9 * 150
    swing = rows.xy_px[20:130, 9, 1] - walk(time_s)[20:130, 9, 1]
    assert np.ptp(swing) > 0.93 * np.ptp(xy[20:130, 9, 1] - walk(time_s)[20:130, 9, 1])


def test_a_single_jump_goes_and_is_marked(record, rows_of, walk):
    time_s = np.arange(90) / 30
    true = walk(time_s)
    xy = walk(time_s, noise=1.0)
    for t, joint in ((30, 9), (31, 10), (60, 15), (1, 3)):
        xy[t, joint] += (80, -60)
    rows = smooth(record(time_s, rows_of(xy, time_s))).rows
    filled = np.argwhere(rows.origin == Origin.FILLED).tolist()
    assert filled == [[30, 9], [31, 10], [60, 15]]
    for t, joint in filled:
        assert np.linalg.norm(rows.xy_px[t, joint] - true[t, joint]) < 10
    np.testing.assert_array_equal(rows.raw_xy_px[30, 9], xy[30, 9].astype(np.float32))


def test_no_jump_is_seen_where_nothing_says_what_is_usual(record, rows_of, walk):
    for count in (2, 4, 5, 6):
        time_s = np.arange(count) / 30
        xy = walk(time_s)
        xy[count // 2, 9] += 200
        rows = smooth(record(time_s, rows_of(xy, time_s))).rows
        assert (rows.origin == Origin.MEASURED).all()


def test_the_curve_ends_where_the_person_is_absent(record, rows_of, walk):
    time_s = np.arange(90) / 30
    rows = rows_of(walk(time_s, noise=3), time_s)
    rows.xy_px[:, 4] = np.nan
    hole = (rows.frame < 30) | (rows.frame >= 60)
    whole = smooth(record(time_s, rows.take(hole)))
    alone = smooth(record(time_s, rows.take(rows.frame < 30)))
    np.testing.assert_array_equal(whole.rows.xy_px[:30], alone.rows.xy_px)
    assert np.isnan(whole.rows.xy_px[:, 4]).all()
    assert (whole.rows.edits[:, 4] == 0).all()


def test_filled_joints_follow_the_measured_ones(record, rows_of, walk):
    time_s = np.arange(60) / 30
    rows = rows_of(walk(time_s), time_s)
    rows.origin[20:24, 15] = Origin.FILLED
    rows.xy_px[20:24, 15] += 50
    result = smooth(record(time_s, rows), Smooth(cutoff_hz=12)).rows
    assert np.linalg.norm(result.xy_px[20:24, 15] - walk(time_s)[20:24, 15], axis=-1).max() < 8
    assert (result.origin[20:24, 15] == Origin.FILLED).all()
