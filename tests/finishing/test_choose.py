import numpy as np
import pytest

from marey.core.errors import SettingsError
from marey.finishing.choose import choose


def scene():
    """1 stands near, trembling; 2 walks, far away; 3 stands nearest of all, for a moment only."""
    rng = np.random.default_rng(0)
    times = np.arange(90) / 30
    near = np.array([100, 50, 200, 350]) + rng.normal(0, 3, (90, 4))
    walker = np.array([300, 100, 320, 160]) + np.outer(times, [40, 0, 40, 0])
    passer = np.tile([0.0, 0, 300, 480], (6, 1))
    boxes = np.concatenate([near, walker, passer]).astype(np.float32)
    ids = np.repeat([1, 2, 3], [90, 90, 6])
    return ids, boxes, np.concatenate([times, times, times[:6]])


@pytest.mark.parametrize(
    ("rule", "want"), [("all", (1, 2, 3)), ("largest", (1,)), ("most-moving", (2,)), ("3", (3,))]
)
def test_rules(rule, want):
    ids, boxes, times = scene()
    assert choose(rule, ids, boxes, times) == want
    order = np.random.default_rng(1).permutation(len(ids))
    assert choose(rule, ids[order], boxes[order], times[order]) == want


@pytest.mark.parametrize("rule", ["all", "largest", "most-moving"])
def test_nobody(rule):
    assert choose(rule, np.zeros(0, np.int64), np.zeros((0, 4), np.float32), np.zeros(0)) == ()


def test_untracked_people_are_never_the_subject():
    ids, boxes, times = scene()
    ids[ids == 1] = -1
    assert choose("largest", ids, boxes, times) == (3,)
    assert choose("all", ids, boxes, times) == (-1, 2, 3)


def test_missing_boxes_do_not_count():
    ids, boxes, times = scene()
    boxes[:80] = np.nan
    assert choose("largest", ids, boxes, times) == (3,)


@pytest.mark.parametrize(("rule", "words"), [("7", "no such person; found: 1, 2, 3"), ("biggest", "unknown")])
def test_errors_say_what_there_is(rule, words):
    with pytest.raises(SettingsError, match=words):
        choose(rule, *scene())
