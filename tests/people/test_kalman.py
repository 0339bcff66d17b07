import numpy as np
import pytest

from marey.people import kalman

BOXES = np.array([[10.0, 20, 50, 120], [200, 50, 230, 130]])


def moving():
    mean, covariance = kalman.begin(BOXES)
    mean[:, :, 1] = [[30, 0, 30, 0], [-20, 5, -20, 5]]
    return mean, covariance


def textbook(mean, covariance, elapsed, box):
    """The same filter with one matrix of eight by eight, written out after Kalman (1960)."""
    height = max(mean[3, 0] - mean[1, 0], 1)
    blocks = np.kron(np.eye(4), covariance)
    step = np.kron(np.eye(4), [[1, elapsed], [0, 1]])
    push = [[elapsed**3 / 3, elapsed**2 / 2], [elapsed**2 / 2, elapsed]]
    noise = kalman.PUSH * np.array(push) + [[kalman.DRIFT * elapsed, 0], [0, 0]]
    state = step @ mean.ravel()
    blocks = step @ blocks @ step.T + np.kron(np.eye(4), noise * height**2)
    expected = state.reshape(4, 2)
    see = np.kron(np.eye(4), [[1, 0]])
    seen_height = max(expected[3, 0] - expected[1, 0], 1)
    gain = (
        blocks
        @ see.T
        @ np.linalg.inv(see @ blocks @ see.T + np.eye(4) * (kalman.MEASURED * seen_height) ** 2)
    )
    after = state + gain @ (box - see @ state)
    return expected, after.reshape(4, 2), ((np.eye(8) - gain @ see) @ blocks)[:2, :2]


@pytest.mark.parametrize("elapsed", [0.0, 0.02, 0.4])
def test_equals_the_textbook(elapsed):
    mean, covariance = moving()
    box = BOXES + np.array([3, -2, 4, 1])
    expected, spread = kalman.predict(mean, covariance, np.full(2, elapsed))
    after, certain = kalman.update(expected, spread, box)
    for k in range(2):
        want = textbook(mean[k], covariance[k], elapsed, box[k])
        for got, value in zip((expected[k], after[k], certain[k]), want, strict=True):
            np.testing.assert_allclose(got, value, rtol=1e-9, atol=1e-9)


def test_time_may_be_cut_anywhere():
    """Two steps of prediction equal one: frame rate and skipped frames change nothing."""
    mean, covariance = moving()
    once = kalman.predict(mean, covariance, np.full(2, 0.5))
    twice = kalman.predict(*kalman.predict(mean, covariance, np.full(2, 0.1)), np.full(2, 0.4))
    for a, b in zip(once, twice, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_velocity_is_learnt_in_pixels_a_second_at_any_rate():
    rng = np.random.default_rng(0)
    for steps in (np.full(40, 1 / 30), rng.uniform(0.01, 0.2, 40)):
        now, mean, covariance = 0.0, *kalman.begin(BOXES)
        for step in steps:
            now += step
            mean, covariance = kalman.predict(mean, covariance, np.full(2, step))
            mean, covariance = kalman.update(mean, covariance, BOXES + 40 * now)
        np.testing.assert_allclose(mean[:, :, 1], 40, atol=0.5)


def test_steady_keeps_the_way_and_stops_the_growth():
    mean, _ = moving()
    mean[:, 3, 1] += 50
    mean[:, 1, 1] -= 50
    np.testing.assert_allclose(kalman.steady(mean), moving()[0])
    np.testing.assert_array_equal(mean[:, 3, 1], [50, 55])
