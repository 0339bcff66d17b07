"""Figures of lifting by hand, and what counts as better."""

import numpy as np
import pytest

from marey.evaluation.lifts import figures, gain, take_sums


def truth(count: int = 10) -> np.ndarray:
    """Someone whose left wrist (13) moves at 0.05 statures a frame, 2.55 m/s at 1.70 m."""
    xyz = np.random.default_rng(0).normal(0, 0.3, (1, 17, 3)).repeat(count, 0)
    xyz[:, 0] = 0
    xyz[:, 13, 0] += 0.05 * np.arange(count)
    return xyz


def test_errors_are_in_millimetres_of_a_person_of_170_cm() -> None:
    right = truth()
    off = right.copy()
    off[:, 5, 2] += 0.01  # 17 mm deeper
    off[:, 13, 0] += 0.02  # 34 mm across
    found = figures([take_sums(off, right)])
    assert found["P1"] == pytest.approx((17 + 34) / 17)
    assert found["depth"] == pytest.approx(1.0)
    assert found["plane"] == pytest.approx(2.0)
    assert found["fast"] == pytest.approx(34)
    assert found["slow"] == pytest.approx(17 / 16)
    assert found["MPJVE_mm_s"] == pytest.approx(0, abs=1e-6)
    assert found["coverage"] == 1
    scaled = figures([take_sums(0.8 * right, right)])
    assert scaled["P3"] == pytest.approx(0, abs=1e-6)
    assert scaled["P2"] == pytest.approx(0, abs=1e-6)
    assert scaled["P1"] > 50


def test_joints_without_a_prediction_are_left_out_and_said() -> None:
    right = truth()
    missing = right + np.array([0.01, 0, 0])
    missing[:, :2] = np.nan
    found = figures([take_sums(missing, right)])
    assert found["P1"] == pytest.approx(17)
    assert found["coverage"] == pytest.approx(15 / 17)


def test_takes_weigh_by_their_joints() -> None:
    short, long = ({"P1": (100.0, 10.0)}, {"P1": (300.0, 10.0)})
    assert figures([short, long])["P1"] == pytest.approx(20)


def test_a_gain_is_paired_and_its_interval_says_when_it_is_chance() -> None:
    rng = np.random.default_rng(0)
    hard = rng.uniform(20, 200, 60)  # takes differ much more than lifters do
    worse = {seed: [{"P1": (h * 10, 10.0)} for h in hard] for seed in (1, 2)}
    better = {seed: [{"P1": ((h - 5) * 10, 10.0)} for h in hard] for seed in (1, 2)}
    sure = gain(better, worse, "P1")
    assert sure["gain"] == pytest.approx(5)
    assert sure["low"] == pytest.approx(5)
    mixed = {1: [{"P1": ((h + e) * 10, 10.0)} for h, e in zip(hard, rng.normal(0, 10, 60), strict=True)]}
    unsure = gain(mixed, {1: worse[1]}, "P1")
    assert unsure["low"] < 0 < unsure["high"]
    assert unsure["low"] < unsure["gain"] < unsure["high"]
