"""Short gaps are filled on true time and marked; long ones stay."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marey.core.nouns import Origin
from marey.finishing.gaps import Gaps, gaps, short_gaps


def line(time_s, joints=17):
    """Every joint on a straight line of its own."""
    return np.stack(
        [100 + np.outer(time_s, np.arange(1, joints + 1)), np.tile(np.arange(joints), (len(time_s), 1))], -1
    )


def without(rows, frames):
    return rows.take(~np.isin(rows.frame, frames))


@pytest.mark.parametrize("rate", [10, 25, 30, 60, 240])
def test_two_tenths_of_a_second_at_any_rate(record, rows_of, rate):
    time_s = np.arange(2 * rate) / rate
    most = round(0.2 * rate)
    for missing in (most, most + 1):
        hole = np.arange(rate // 2, rate // 2 + missing)
        result = gaps(record(time_s, without(rows_of(line(time_s), time_s), hole)))
        there = np.isin(hole, result.rows.frame)
        assert there.all() if missing == most else not there.any()


def test_filled_values_lie_on_the_line_in_time(record, rows_of):
    time_s = np.cumsum([0, 0.03, 0.05, 0.02, 0.06, 0.01, 0.04])
    xy = line(time_s)
    result = gaps(record(time_s, without(rows_of(xy, time_s), [2, 3, 4]))).rows
    np.testing.assert_allclose(result.xy_px, xy, rtol=1e-6)
    filled = np.isin(result.frame, [2, 3, 4])
    assert (result.origin[filled] == Origin.FILLED).all()
    assert (result.origin[~filled] == Origin.MEASURED).all()
    assert np.isnan(result.raw_xy_px[filled]).all()
    assert np.isnan(result.box_scores[filled]).all()
    assert np.isfinite(result.boxes_px).all()


def test_a_single_joint_is_filled_with_the_worse_score_of_its_ends(record, rows_of):
    time_s = np.arange(10) / 30
    xy = line(time_s)
    rows = rows_of(xy, time_s)
    rows.xy_px[4:6, 3] = np.nan
    rows.scores[3, 3], rows.scores[6, 3] = 0.4, 0.7
    result = gaps(record(time_s, rows)).rows
    np.testing.assert_allclose(result.xy_px, xy, rtol=1e-6)
    assert (result.origin == Origin.FILLED).sum() == 2
    np.testing.assert_allclose(result.scores[4:6, 3], 0.4)
    assert np.isnan(result.raw_xy_px[4:6, 3]).sum() == 0


def test_before_the_first_and_after_the_last_nothing_is_invented(record, rows_of):
    time_s = np.arange(10) / 30
    rows = rows_of(line(time_s), time_s)
    rows.xy_px[:2, 3] = rows.xy_px[8:, 4] = rows.xy_px[:, 5] = np.nan
    result = gaps(record(time_s, rows.take(slice(1, 9)))).rows
    assert result.frame.tolist() == list(range(1, 9))
    assert np.isnan(result.xy_px[0, 3]).all()
    assert np.isnan(result.xy_px[-1, 4]).all()
    assert np.isnan(result.xy_px[:, 5]).all()


def test_people_whom_nobody_tracked_stay(record, rows_of):
    time_s = np.arange(5) / 30
    rows = without(rows_of(line(time_s), time_s, person=-1), [2])
    assert gaps(record(time_s, rows)).rows.equals(record(time_s, rows).rows)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.floats(0.005, 0.15)), min_size=1, max_size=30), st.floats(0.05, 0.5)
)
def test_filling_is_what_its_definition_says_and_once_is_enough(samples, longest_s):
    known = np.array([there for there, _ in samples])
    time_s = np.cumsum([step for _, step in samples])
    found = short_gaps(known[:, None], time_s, longest_s)[:, 0]
    places = np.flatnonzero(known)
    for t in range(len(known)):
        before, after = places[places < t], places[places > t]
        inside = not known[t] and len(before) and len(after)
        want = inside and time_s[after[0]] - time_s[before[-1] + 1] <= longest_s + 1e-6
        assert found[t] == bool(want)
    assert not short_gaps((known | found)[:, None], time_s, longest_s).any()


def test_filling_twice_is_filling_once(record, rows_of, walk):
    time_s = np.arange(60) / 30
    once = gaps(
        record(time_s, without(rows_of(walk(time_s), time_s), [5, 6, 20, 21, 22, 23, 24, 25, 26, 27]))
    )
    assert len(once.rows) == 52
    assert gaps(once).rows.equals(once.rows)
    assert once.history.steps[-1].settings == {"longest_s": 0.2}
    assert len(gaps(once, Gaps(longest_s=0.3)).rows) == 60
