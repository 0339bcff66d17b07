"""Errors in space: closed forms, and what each protocol may not see."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import TypeCheckError
from scipy.spatial.transform import Rotation

from marey.core.errors import DataError
from marey.metrics import mpjpe

OFF = np.array([30.0, 0, 40])
SEEDS = st.integers(0, 2**31)


def body(seed: int, frames: int = 6, joints: int = 17) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 300, (frames, joints, 3))


def error(predicted: np.ndarray, truth: np.ndarray) -> float:
    return mpjpe.mean(mpjpe.errors(predicted, truth))


def test_a_shift_is_its_length():
    truth = body(0)
    assert error(truth, truth) == 0
    assert error(truth + OFF, truth) == pytest.approx(50)
    assert error(mpjpe.relative(truth + OFF), mpjpe.relative(truth)) == pytest.approx(0, abs=1e-9)


@given(SEEDS, st.floats(0.1, 10))
def test_p2_does_not_see_a_similarity(seed: int, scale: float):
    rng = np.random.default_rng(seed)
    truth = body(seed)
    turns = Rotation.random(len(truth), rng=rng).as_matrix()
    moved = scale * np.einsum("tik,tjk->tji", turns, truth) + rng.normal(0, 1000, (len(truth), 1, 3))
    np.testing.assert_allclose(mpjpe.aligned(moved, truth), truth, atol=1e-6)


@given(SEEDS)
def test_p2_does_see_a_reflection(seed: int):
    truth = body(seed)
    assert error(mpjpe.aligned(truth * [1, 1, -1], truth), truth) > 10


@given(SEEDS, st.floats(0.1, 10))
def test_p3_does_not_see_a_scale_but_sees_a_shift(seed: int, scale: float):
    truth = body(seed)
    np.testing.assert_allclose(mpjpe.scaled(truth * scale, truth), truth, atol=1e-6)
    assert error(mpjpe.scaled(truth + 500, truth), truth) > 10


@given(SEEDS)
def test_no_similarity_is_nearer_than_p2(seed: int):
    """In squares, which is what it minimises: neither turned, scaled nor shifted a little is it better."""
    rng = np.random.default_rng(seed)
    truth, guess = body(seed), body(seed) + rng.normal(0, 100, (6, 17, 3))
    best = mpjpe.aligned(guess, truth)
    least = ((best - truth) ** 2).sum((1, 2))
    turn = Rotation.from_rotvec(rng.normal(0, 0.05, 3)).as_matrix()
    other = best @ turn.T * (1 + rng.normal(0, 0.02)) + rng.normal(0, 2, 3)
    assert (((other - truth) ** 2).sum((1, 2)) >= least - 1e-6).all()


def test_degenerate_poses_are_no_trouble():
    truth = body(1, frames=1)
    point = np.zeros_like(truth)
    np.testing.assert_allclose(mpjpe.aligned(point, truth)[0, 0], truth[0].mean(0))
    one = truth.copy()
    one[0, 1:] = np.nan
    np.testing.assert_allclose(mpjpe.aligned(one, truth)[0, 0], truth[0, 0])
    line = truth * [1, 0, 0]
    assert np.isfinite(mpjpe.aligned(line, line)).all()
    assert error(mpjpe.aligned(line, line), line) == pytest.approx(0, abs=1e-9)
    assert np.isnan(mpjpe.aligned(np.full_like(truth, np.nan), truth)).all()


def test_missing_is_never_dropped_silently():
    truth, guess = body(2), body(2) + OFF
    guess[0, 0] = np.nan
    held = mpjpe.errors(guess, truth)
    assert np.isinf(mpjpe.mean(held))
    assert mpjpe.mean(mpjpe.found(held)) == pytest.approx(50)
    assert mpjpe.coverage(held) == pytest.approx(101 / 102)
    assert mpjpe.pck(held) == pytest.approx(101 / 102)
    truth[0, 0] = np.nan
    held = mpjpe.errors(guess, truth)
    assert mpjpe.mean(held) == pytest.approx(50)
    assert mpjpe.coverage(held) == mpjpe.pck(held) == 1


def test_nothing_to_count():
    nothing = mpjpe.errors(body(0), np.full((6, 17, 3), np.nan))
    assert np.isnan(
        [mpjpe.mean(nothing), mpjpe.pck(nothing), mpjpe.area(nothing), mpjpe.coverage(nothing)]
    ).all()
    assert np.isnan(mpjpe.per_joint(nothing)).all()
    assert np.isnan(mpjpe.by_action([], []))


def test_thresholds_are_strict_and_start_at_0():
    truth = body(0)
    assert mpjpe.pck(np.array([[150.0, 149.99]])) == 0.5
    assert mpjpe.area(mpjpe.errors(truth, truth)) == pytest.approx(30 / 31)
    # Off by exactly 75 mm: right at 80, 85, … 150, which is 15 of 31.
    assert mpjpe.area(np.full((2, 3), 75.0)) == pytest.approx(15 / 31)
    assert len(mpjpe.THRESHOLDS_MM) == 31


def test_motion_of_each_order():
    time = np.arange(8.0)[:, None, None]
    still = np.zeros((8, 1, 3))
    for order, motion in ((1, time), (2, time**2 / 2), (3, time**3 / 6)):
        held = mpjpe.motion_errors(motion * [3.0, 0, 4], still, order, rate_hz=10)
        assert held.shape == (8 - order, 1)
        np.testing.assert_allclose(held, 5 * 10**order)
        np.testing.assert_allclose(mpjpe.motion_errors(still + 7, still, order), 0)


def test_an_unseen_frame_takes_three_accelerations():
    truth, guess = body(3), body(4)
    truth[3] = np.nan
    held = mpjpe.motion_errors(guess, truth, 2)
    assert np.isnan(held).all(1).tolist() == [False, True, True, True]
    guess[0] = np.nan
    assert np.isinf(mpjpe.motion_errors(guess, truth, 2)[0]).all()


def test_actions_weigh_alike():
    errors = [np.full((9, 2), 10.0), np.full((1, 2), 20.0), np.full((2, 2), 40.0)]
    assert mpjpe.mean(np.concatenate(errors)) == pytest.approx((90 + 20 + 80) / 12)
    assert mpjpe.by_action(errors, ["Walking", "Walking", "Sitting"]) == pytest.approx((11 + 40) / 2)


@given(SEEDS, st.permutations(range(17)))
def test_order_of_joints_does_not_matter(seed: int, order: list[int]):
    truth, guess = body(seed), body(seed + 1)
    for change in (mpjpe.aligned, mpjpe.scaled, lambda p, _: p):
        plain = mpjpe.errors(change(guess, truth), truth)
        other = mpjpe.errors(change(guess[:, order], truth[:, order]), truth[:, order])
        np.testing.assert_allclose(other, plain[:, order], atol=1e-6)


def test_other_joints_are_refused():
    with pytest.raises((DataError, TypeCheckError), match=r"convert joints by name|Type-check"):
        mpjpe.errors(body(0), body(0)[:, :14])
