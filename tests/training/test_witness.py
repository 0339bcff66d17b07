"""Labels against two witnesses: masked only where both agree against them."""

import numpy as np
import pytest

from marey.core.skeletons import COCO17, MAREY19
from marey.training.witness import DOUBT, judge

SIZE = np.array([[100.0]])


def people() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    xy = rng.uniform(0, 100, (1, 19, 2))
    return xy, xy[:, :17].copy(), xy[:, :17].copy()


def test_agreement_is_trusted() -> None:
    xy, first, second = people()
    assert (judge(xy, first + 4, second - 4, SIZE) == 1).all()


def test_two_witnesses_against_a_label_mask_it() -> None:
    xy, first, second = people()
    knee = COCO17.index("left_knee")
    xy[0, knee] += 40
    weights = judge(xy, first, second, SIZE)
    assert weights[0, knee] == 0
    assert np.delete(weights[0], knee).min() == 1


@pytest.mark.parametrize(("apart", "weight"), [(15, 1.0), (60, DOUBT)])
def test_witnesses_who_differ_never_mask(apart: float, weight: float) -> None:
    xy, first, second = people()
    wrist = COCO17.index("right_wrist")
    first[0, wrist] += [apart, 0]
    second[0, wrist] -= [0, apart]
    assert judge(xy, first, second, SIZE)[0, wrist] == np.float32(weight)


def test_one_witness_alone_never_masks() -> None:
    xy, first, second = people()
    second[:] = np.nan
    first[0, 3] += 80
    weights = judge(xy, first, second, SIZE)
    assert weights[0, 3] == np.float32(DOUBT)
    assert (np.delete(weights[0], 3) == 1).all()


def test_neck_and_head_fall_with_both_shoulders() -> None:
    xy, first, second = people()
    shoulders = [COCO17.index("left_shoulder"), COCO17.index("right_shoulder")]
    xy[0, shoulders] += 50
    assert (judge(xy, first, second, SIZE)[0, [MAREY19.index("neck"), MAREY19.index("head_top")]] == 0).all()
