"""HiEve's w-AP on frames drawn by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marey.core.errors import DataError
from marey.core.skeletons import HIE14
from marey.metrics import hie
from metrics import scenes

READINGS = [(s, p) for s in ("pckh_share", "oks") for p in ("pooled", "frame_mean")]


def person(head: float = 10.0) -> np.ndarray:
    xy = np.random.default_rng(0).uniform(0, 100, (1, 14, 2))
    xy[0, HIE14.index("nose")], xy[0, HIE14.index("chest")] = (0, 0), (0, head)
    return xy


def labelled() -> np.ndarray:
    return np.ones((1, 14), bool)


def test_head_and_share():
    xy = person()
    head = hie.head_px(xy)
    assert head == pytest.approx([12])
    far = xy.copy()
    far[0, :7] += 6.01
    far[0, 7] = np.nan
    assert hie.pckh_share(xy, xy, labelled(), head) == pytest.approx(1)
    assert hie.pckh_share(xy + 5.99 / np.sqrt(2), xy, labelled(), head) == pytest.approx(1)
    assert hie.pckh_share(far, xy, labelled(), head) == pytest.approx(6 / 14)


def test_who_cannot_be_told_of_is_left_out():
    xy = person()
    xy[0, 0] = np.nan
    assert not hie.countable(labelled(), hie.head_px(xy)).any()
    with pytest.raises(DataError, match="no head size"):
        hie.pckh_share(person(), xy, labelled(), hie.head_px(xy))


def test_sigmas_go_by_name():
    named = dict(zip(HIE14.joints, hie.SIGMAS, strict=True))
    assert named["nose"] == 0.026
    assert named["left_hip"] == named["right_hip"] == 0.107
    assert named["left_wrist"] == named["right_wrist"] == 0.062
    assert named["left_ankle"] == 0.089


def test_alpha_is_a_strictness():
    one = hie.Frame(np.array([[0.8]]), np.ones(1))
    held = hie.evaluate([one], "oks", "pooled")
    assert held["w-AP@0.5 (oks, pooled)"] == held["w-AP@0.75 (oks, pooled)"] == 1
    assert held["w-AP@0.9 (oks, pooled)"] == 0
    assert held["w-AP@avg (oks, pooled)"] == pytest.approx(2 / 3)
    assert hie.average_precision([hie.Frame(np.array([[0.75]]), np.ones(1))], 0.75, "pooled") == 1


def test_the_two_ways_of_weighting():
    """A frame of weight 3 with its person found, one of weight 1 with hers missed, by a surer guess."""
    frames = [
        hie.Frame(np.array([[1.0]]), np.array([0.4]), 3.0),
        hie.Frame(np.array([[0.0]]), np.array([0.9])),
    ]
    # Pooled: the miss (weight 1) comes first, so precision is 3/4 up to recall 3/4.
    assert hie.average_precision(frames, 0.5, "pooled") == pytest.approx(9 / 16)
    assert hie.average_precision(frames, 0.5, "frame_mean") == pytest.approx(3 / 4)


def test_frames_without_people():
    ghost = hie.Frame(np.zeros((1, 0)), np.array([0.9]), 5.0)
    found = hie.Frame(np.ones((1, 1)), np.array([0.5]))
    assert hie.average_precision([ghost, found], 0.5, "frame_mean") == 1
    assert hie.average_precision([ghost, found], 0.5, "pooled") == pytest.approx(1 / 6)
    for pooling in ("pooled", "frame_mean"):
        assert np.isnan(hie.average_precision([ghost], 0.5, pooling))
        assert np.isnan(hie.average_precision([], 0.5, pooling))


def test_one_person_found_twice():
    twice = hie.Frame(np.array([[0.9], [1.0]]), np.array([0.9, 0.1]))
    assert hie.average_precision([twice], 0.5, "pooled") == pytest.approx(0.5)


def test_weight_of_a_frame():
    assert hie.frame_weight(0.0, 0) == pytest.approx(2)
    assert hie.frame_weight(1.0, 2) == pytest.approx(2 * np.e + 2)


@pytest.mark.parametrize(("similarity", "pooling"), READINGS)
def test_equal_weights_are_no_weights(similarity: str, pooling: hie.Pooling):
    frames = [scenes.hie_frame(f, similarity) for f in scenes.hie_frames(np.random.default_rng(5))]
    plain, tripled = ([hie.Frame(f.similarity, f.scores, w) for f in frames] for w in (1.0, 3.0))
    assert hie.evaluate(plain, similarity, pooling) == pytest.approx(
        hie.evaluate(tripled, similarity, pooling)
    )
    assert next(iter(hie.evaluate(plain, similarity, pooling))) == f"w-AP@avg ({similarity}, {pooling})"


@given(st.integers(0, 2**31))
def test_order_of_frames_does_not_matter(seed: int):
    frames = [scenes.hie_frame(f, "pckh_share") for f in scenes.hie_frames(np.random.default_rng(seed), 4)]
    for pooling in ("pooled", "frame_mean"):
        plain = hie.evaluate(frames, "pckh_share", pooling)
        assert hie.evaluate(frames[::-1], "pckh_share", pooling) == pytest.approx(plain, nan_ok=True)
