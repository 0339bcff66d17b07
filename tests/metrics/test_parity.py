"""Every metric beside an independent one; what is compared, and how, stands in `metrics.parity`."""

import importlib.util

import numpy as np
import pytest

from metrics.parity import CHECKS, FETCHED, Check

CLOSE = 1e-6
"""Of fractions, of mm and of counts: far below what any table prints. Most agree to 1e-12."""


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.key)
def test_equals(check: Check, seed: int):
    assert check.difference(seed) < CLOSE


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.key)
def test_the_scenes_say_something(check: Check):
    values = np.array([check.values(seed)[0] for seed in range(3)])
    assert np.isfinite(values).any(0).mean() > 0.9
    assert len(np.unique(np.round(values[np.isfinite(values)], 6))) > min(values.size, 12) / 2


@pytest.mark.parametrize("check", FETCHED, ids=lambda check: check.key)
def test_equals_other_trackers_judges(check: Check):
    if any(importlib.util.find_spec(name) is None for name in ("trackeval", "motmetrics")):
        pytest.skip("no TrackEval here; `python tools/metric_parity.py` fetches and asks it")
    assert check.difference(0) < CLOSE
