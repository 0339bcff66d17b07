"""HiEve's readings through the protocol: what is compared, who counts, and what the names say."""

from dataclasses import replace

import numpy as np
import pytest

from marey.core.errors import DataError
from marey.core.skeletons import COCO17, HIE14
from marey.data.sample import Sample, State, people
from marey.evaluation.measure import Posed
from marey.evaluation.poses import judge_poses
from marey.metrics.hie import frame_weight


def frame(number: int, count: int = 2, apart: float = 200.0) -> Sample:
    """People of 50 × 130 px, nose and chest 10 px apart: a joint is right within 6 px."""
    body = np.stack([np.arange(14) % 3 * 25.0, np.arange(14) * 10.0], 1)
    body[HIE14.index("chest")] = body[HIE14.index("nose")] + (0, 10)
    xy = np.array([body + np.array([10 + apart * n, 10]) for n in range(count)]).reshape(-1, 14, 2)
    truth = people(HIE14, xy, np.full(xy.shape[:2], State.VISIBLE))
    return Sample("hie", f"1/{number:06d}", "1", (640, 240), truth, lambda: np.zeros((240, 640, 3), np.uint8))


def found(sample: Sample, off: float = 0.0) -> Posed:
    xy = sample.truth.xy_px + np.float32([off, 0])
    ones = np.ones(len(xy), np.float32)
    return Posed(HIE14, sample.truth.boxes_px, ones, xy, np.full(xy.shape[:2], 0.9, np.float32))


def figures(samples: list[Sample], posed: list[Posed]) -> dict[str, float]:
    return judge_poses("hieve", samples, posed).metrics


def test_perfect_in_every_reading() -> None:
    samples = [frame(0), frame(1)]
    held = judge_poses("hieve", samples, [found(s) for s in samples])
    assert len(held.metrics) == 2 * 4 * 4
    assert list(held.metrics.values()) == pytest.approx([1] * 32)
    assert next(iter(held.metrics)) == "AP@avg (pckh_share, pooled)"
    assert "w-AP/CI@0.5 (oks, frame_mean)" in held.metrics
    assert held.items == 4
    assert held.protocol["people_not_counted"] == {"pckh_share": 0, "oks": 0}


def test_a_joint_is_right_within_half_a_head() -> None:
    samples = [frame(0)]
    near, far = (figures(samples, [found(samples[0], off)]) for off in (5.9, 6.1))
    assert near["AP@0.9 (pckh_share, pooled)"] == 1
    assert far["AP@0.5 (pckh_share, pooled)"] == 0


def test_crowded_frames_weigh_more() -> None:
    """One frame of two people on top of each other, found; one of two far apart, missed."""
    crowded, sparse = frame(0, apart=10.0), frame(1)
    held = figures([crowded, sparse], [found(crowded), found(sparse, 500.0)])
    # Two people 10 px apart: all but the joints of the column that sticks out lie in the other's box.
    heavy = held["w-AP/CI@0.5 (pckh_share, frame_mean)"]
    assert held["AP@0.5 (pckh_share, frame_mean)"] == pytest.approx(1 / 2)
    ratio = heavy / (1 - heavy)  # weight of the first ÷ weight of the second, which is frame_weight(0, 0)
    index = np.log(ratio)
    assert 0.5 < index <= 1
    assert frame_weight(float(index), 0) / frame_weight(0.0, 0) == pytest.approx(ratio)


def test_who_has_no_head_counts_for_oks_only() -> None:
    one = frame(0)
    state = one.truth.state.copy()
    state[0, HIE14.index("nose")] = State.UNLABELLED
    truth = people(HIE14, one.truth.xy_px.astype(np.float64), state)
    held = judge_poses("hieve", [replace(one, truth=truth)], [found(one)])
    assert held.protocol["people_not_counted"] == {"pckh_share": 1, "oks": 0}


def test_joints_that_the_estimator_lacks_are_not_missed() -> None:
    """COCO has no chest: thirteen joints are compared."""
    one = frame(0)
    xy = HIE14.converter(COCO17)(one.truth.xy_px)
    ones = np.ones(2, np.float32)
    posed = Posed(COCO17, one.truth.boxes_px, ones, xy, np.ones(xy.shape[:2], np.float32))
    held = judge_poses("hieve", [one], [posed])
    assert held.metrics["AP@0.9 (pckh_share, pooled)"] == 1
    assert held.metrics["AP@0.9 (oks, pooled)"] == 1
    assert "chest" not in held.protocol["joints"]
    assert len(held.protocol["joints"]) == 13


def test_other_skeletons_are_refused() -> None:
    xy = np.random.default_rng(0).uniform(0, 100, (1, 17, 2))
    one = replace(frame(0), truth=people(COCO17, xy, np.full((1, 17), State.VISIBLE)))
    with pytest.raises(DataError, match="is for hie14"):
        judge_poses("hieve", [one], [found(frame(0))])
