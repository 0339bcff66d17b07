"""Times on numbers done by hand."""

import numpy as np
import pytest

from marey.core.errors import DataError
from marey.metrics import timing


def test_times_against_the_truth():
    truth = np.array([0.0, 0.04, 0.09])
    assert timing.timestamp_error_ms(truth, truth) == 0
    assert timing.timestamp_error_ms(truth + np.array([0, -0.002, 0.001]), truth) == pytest.approx(2)
    assert timing.timestamp_error_ms(np.zeros(0), np.zeros(0)) == 0
    with pytest.raises(DataError, match="2 times for 3 frames"):
        timing.timestamp_error_ms(truth[:2], truth)


def test_duration():
    source = np.array([5.0, 5.5, 7.0])
    assert timing.duration_error_ms(np.array([0.0, 2.1]), source) == pytest.approx(100)
    assert np.isnan(timing.duration_error_ms(np.zeros(0), source))


def test_drops():
    assert timing.drop_rate(75, 100) == 0.25
    assert np.isnan(timing.drop_rate(0, 0))


def test_latency():
    held = timing.latency_ms(np.arange(101) * 0.001 + 5, np.full(101, 5.0))
    assert held == pytest.approx({"p50": 50, "p95": 95})
    assert np.isnan(timing.latency_ms(np.zeros(0), np.zeros(0))["p95"])


def test_rate_is_of_intervals():
    assert timing.frames_per_s(np.array([0.0, 0.1, 0.2])) == pytest.approx(10)
    assert np.isnan(timing.frames_per_s(np.zeros(1)))
