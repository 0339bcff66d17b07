"""Left and right: injected swaps are undone, true crossings are left alone."""

import numpy as np
import pytest

from marey.core.rows import Edit
from marey.core.skeletons import BODY25, COCO17, MAREY19
from marey.finishing.swaps import limb_groups, swaps

GROUPS = limb_groups(COCO17)


def exchanged(values, frames, groups=(0, 1, 2)):
    """The values with both sides of some groups in each other's place on some frames."""
    out = values.copy()
    for group in groups:
        for a, b in GROUPS[group]:
            out[frames, a], out[frames, b] = values[frames, b], values[frames, a]
    return out


def names(pairs, skeleton):
    return [skeleton.joints[left].removeprefix("left_") for left, _ in pairs]


def test_groups_by_name():
    trunk, arms, legs = limb_groups(MAREY19)
    assert names(trunk, MAREY19) == ["eye", "ear", "shoulder", "hip"]
    assert names(arms, MAREY19) == ["elbow", "wrist"]
    assert names(legs, MAREY19) == ["knee", "ankle"]
    assert sum(len(group) for group in limb_groups(BODY25)) == len(BODY25.flips)


@pytest.mark.parametrize("noise", [0, 2, 4])
@pytest.mark.parametrize("rate", [15, 30, 60])
def test_legs_that_truly_cross_are_left_alone(record, rows_of, walk, noise, rate):
    time_s = np.arange(6 * rate) / rate
    before = record(time_s, rows_of(walk(time_s, noise=noise, seed=rate), time_s))
    assert swaps(before).rows.equals(before.rows)


def test_limbs_that_meet_and_part_again_are_left_alone(record, rows_of, walk):
    """Clapping hands and jumping jacks: sides touch and turn back, which looks like a crossing."""
    time_s = np.arange(180) / 30
    xy = walk(time_s, speed=0.0, steps_hz=0.0, noise=1.0)
    for left, right, middle in ((9, 10, 250), (15, 16, 480)):
        apart = 3 + 60 * (1 - np.cos(2 * np.pi * 1.5 * time_s))
        xy[:, left], xy[:, right] = (
            np.stack([200 + apart, middle + 0 * apart], 1),
            np.stack([200 - apart, middle + 0 * apart], 1),
        )
    before = record(time_s, rows_of(xy, time_s))
    assert swaps(before).rows.equals(before.rows)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 10])
@pytest.mark.parametrize("groups", [(2,), (1, 2), (0, 1, 2)])
def test_injected_swaps_are_undone(record, rows_of, walk, count, groups):
    time_s = np.arange(150) / 30
    true = walk(time_s, noise=2.0, seed=count)
    # Legs are widest apart at heel strike, near 0.25 s of each second; that is where the swap begins.
    frames = np.arange(66, 66 + count)
    scores = np.full((150, 17), 0.8, np.float32)
    scores[:, [7, 9, 13, 15]] = 0.6
    rows = rows_of(exchanged(true, frames, groups), time_s)
    rows.scores[:] = exchanged(scores, frames, groups)
    result = swaps(record(time_s, rows)).rows
    wrong = np.linalg.norm(result.xy_px - true, axis=-1) > 15
    assert not wrong.any()
    clear = [j for pair in GROUPS[2] for j in pair]
    swapped = (result.edits & Edit.SWAPPED) > 0
    assert swapped[:, clear].all(1).sum() >= count - 1
    np.testing.assert_array_equal(result.raw_xy_px, rows.xy_px)
    # A joint's score goes where the joint goes.
    side = np.where(swapped, exchanged(rows.scores, np.arange(150)), rows.scores)
    np.testing.assert_array_equal(result.scores, side)


def test_of_two_stretches_the_longer_one_is_believed(record, rows_of, walk):
    time_s = np.arange(240) / 30
    true = walk(time_s, noise=1.0)
    late = np.arange(190, 240)
    result = swaps(record(time_s, rows_of(exchanged(true, late, (2,)), time_s))).rows
    assert (np.linalg.norm(result.xy_px - true, axis=-1) < 15).all()


def test_a_jump_of_one_joint_is_no_swap(record, rows_of, walk):
    time_s = np.arange(90) / 30
    xy = walk(time_s, noise=1.0)
    xy[40:43, 15] += 100
    before = record(time_s, rows_of(xy, time_s))
    assert swaps(before).rows.equals(before.rows)


def test_missing_joints_say_nothing(record, rows_of, walk):
    time_s = np.arange(90) / 30
    xy = exchanged(walk(time_s, noise=1.0), np.arange(40, 44), (2,))
    xy[:, 13:17] = np.nan
    before = record(time_s, rows_of(xy, time_s))
    assert swaps(before).rows.equals(before.rows)
    alone = np.full_like(xy, np.nan)
    alone[:, 0] = xy[:, 0]
    before = record(time_s, rows_of(alone, time_s))
    assert swaps(before).rows.equals(before.rows)


def test_short_tracks_and_absences(record, rows_of, walk):
    time_s = np.arange(60) / 30
    rows = rows_of(walk(time_s, noise=1.0), time_s)
    for frames in ([3], [3, 4], [3, 4, 50, 51, 52]):
        before = record(time_s, rows.take(np.isin(rows.frame, frames)))
        assert swaps(before).rows.equals(before.rows)


def test_repairing_twice_is_repairing_once(record, rows_of, walk):
    time_s = np.arange(150) / 30
    xy = exchanged(walk(time_s, noise=2.0), np.arange(66, 72))
    once = swaps(record(time_s, rows_of(xy, time_s)))
    assert not once.rows.equals(record(time_s, rows_of(xy, time_s)).rows)
    assert swaps(once).rows.equals(once.rows)
