"""One id per person: what is broken is joined, what is double is one, ghosts go, and nobody else."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marey.finishing.stitch import Stitch, stitch

TIME = np.arange(300) / 30
RED, BLUE = np.eye(64)[0], np.eye(64)[1]


def ids(recording):
    return {person: len(track.take(track.seen)) for person, track in recording.tracks().items()}


def part(rows, first, last, person):
    chosen = rows.take((rows.frame >= first) & (rows.frame < last))
    return replace(chosen, person=np.full(len(chosen), person, np.int64))


@pytest.mark.parametrize("gap", [0, 1, 10, 30, 59])
def test_a_broken_track_is_joined_by_motion(record, rows_of, walk, gap):
    rows = rows_of(walk(TIME, noise=2), TIME)
    broken = record(TIME, part(rows, 0, 100, 7), part(rows, 100 + gap, 300, 9))
    assert ids(stitch(broken)) == {1: 300 - gap}


def test_longer_breaks_stay_without_looks(record, rows_of, walk):
    rows = rows_of(walk(TIME, noise=2), TIME)
    broken = record(TIME, part(rows, 0, 100, 7), part(rows, 170, 300, 9))
    assert ids(stitch(broken)) == {1: 100, 2: 130}
    assert ids(stitch(broken, Stitch(within_s=3))) == {1: 230}


def test_two_who_cross_while_lost_keep_apart(record, rows_of, walk):
    """Both walk on as they did; the one who stood still elsewhere is nobody's continuation."""
    right = rows_of(walk(TIME, speed=100), TIME)
    left = rows_of(walk(TIME, start=(1100, 500), speed=-100), TIME)
    still = rows_of(walk(TIME, start=(3000, 500), speed=0), TIME)
    result = stitch(
        record(
            TIME,
            part(right, 0, 130, 1), part(left, 0, 130, 2), part(still, 0, 130, 5),
            part(right, 140, 300, 4), part(left, 140, 300, 3), part(still, 131, 300, 6),
        )
    )  # fmt: skip
    assert ids(result) == {1: 290, 2: 290, 3: 299}
    for track in result.tracks().values():
        assert abs(np.nanmean(np.diff(track.xy_px[:, 0, 0], axis=0))) == pytest.approx(100 / 30, abs=3.4)
    speeds = [np.nanmean(np.diff(track.xy_px[:120, 0, 0])) * 30 for track in result.tracks().values()]
    np.testing.assert_allclose(speeds, [100, -100, 0], atol=2)


def test_looks_that_contradict_keep_two_people_two(record, rows_of, walk):
    xy = walk(TIME)
    before, after = rows_of(xy, TIME, look=RED), rows_of(xy, TIME, look=BLUE)
    assert len(ids(stitch(record(TIME, part(before, 0, 100, 1), part(after, 110, 300, 2))))) == 2


def test_who_comes_back_is_known_by_look_and_size(record, rows_of, walk):
    here, there = walk(TIME), walk(TIME, start=(3000, 500))
    leaves = part(rows_of(here, TIME, look=RED), 0, 100, 1)
    comes = part(rows_of(there, TIME, look=RED), 220, 300, 2)
    assert ids(stitch(record(TIME, leaves, comes))) == {1: 180}
    stranger = part(rows_of(there, TIME, look=BLUE), 220, 300, 2)
    assert len(ids(stitch(record(TIME, leaves, stranger)))) == 2
    small = part(rows_of(there * 0.4, TIME, look=RED), 220, 300, 2)
    assert len(ids(stitch(record(TIME, leaves, small)))) == 2
    assert len(ids(stitch(record(TIME, leaves, comes), Stitch(reentry_s=3)))) == 2


def test_a_tie_is_left_open(record, rows_of, walk):
    """Two people of one look appear where one left: neither is taken for the one."""
    leaves = part(rows_of(walk(TIME), TIME, look=RED), 0, 100, 1)
    one = part(rows_of(walk(TIME, start=(3000, 500)), TIME, look=RED), 220, 300, 2)
    two = part(rows_of(walk(TIME, start=(5000, 500)), TIME, look=RED), 220, 300, 3)
    assert ids(stitch(record(TIME, leaves, one, two))) == {1: 100, 2: 80, 3: 80}


def test_duplicates_become_one_with_the_better_rows(record, rows_of, walk):
    xy = walk(TIME)
    good = part(rows_of(xy, TIME, score=0.9), 50, 300, 2)
    double = part(rows_of(xy + 3, TIME, score=0.5), 0, 200, 1)
    result = stitch(record(TIME, double, good))
    assert ids(result) == {1: 300}
    np.testing.assert_array_equal(result.rows.scores[:, 0] > 0.7, np.arange(300) >= 50)


def test_two_people_close_together_stay_two(record, rows_of, walk):
    one = rows_of(walk(TIME), TIME, person=1)
    other = rows_of(walk(TIME, start=(290, 500)), TIME, person=2)
    assert ids(stitch(record(TIME, one, other))) == {1: 300, 2: 300}
    # One hides the other for a second: they share a pose for a tenth of the time and are still two.
    other.xy_px[100:130] = one.xy_px[100:130]
    assert ids(stitch(record(TIME, one, other))) == {1: 300, 2: 300}


def test_ghosts_go_and_short_sure_people_stay(record, rows_of, walk):
    person = rows_of(walk(TIME), TIME, person=1)
    there = rows_of(walk(TIME, start=(3000, 500)), TIME, score=0.1)
    assert ids(stitch(record(TIME, person, part(there, 40, 46, 2)))) == {1: 300}
    assert ids(stitch(record(TIME, person, part(there, 40, 60, 2)))) == {1: 300, 2: 20}
    sure = rows_of(walk(TIME, start=(3000, 500)), TIME, score=0.6)
    assert ids(stitch(record(TIME, person, part(sure, 40, 41, 2)))) == {1: 300, 2: 1}
    blank = part(there, 40, 46, 2)
    blank.scores[:] = np.nan
    assert ids(stitch(record(TIME, person, blank))) == {1: 300}


def test_people_whom_nobody_tracked_become_tracks(record, rows_of, walk):
    rows = part(rows_of(walk(TIME), TIME), 0, 30, -1)
    assert ids(stitch(record(TIME, rows))) == {1: 30}


def test_a_single_picture(record, rows_of, walk):
    rows = rows_of(walk(TIME[:1]), TIME[:1], person=-1)
    assert ids(stitch(record(TIME[:1], rows))) == {1: 1}
    assert ids(stitch(record(TIME[:1]))) == {}


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 80),
            st.integers(1, 40),
            st.sampled_from([0, 150, 2000]),
            st.sampled_from([0.1, 0.8]),
        ),
        max_size=5,
    ),
    st.sampled_from([1.0, 3.0]),
)
def test_stitching_again_changes_nothing_and_time_is_in_seconds(record, rows_of, walk, pieces, slow):
    time_s = np.arange(120) / 30
    people = [
        part(
            rows_of(walk(time_s, start=(x, 500), noise=1, seed=k), time_s, score=score),
            first,
            first + count,
            k,
        )
        for k, (first, count, x, score) in enumerate(pieces)
    ]
    once = stitch(record(time_s, *people))
    assert stitch(once).rows.equals(once.rows)
    assert list(once.ids) == list(range(1, len(once.ids) + 1))
    # Slower, with all times allowed to be as much longer, is the same.
    held = Stitch(within_s=2 * slow, reentry_s=10 * slow, speed_s=0.3 * slow, ghost_s=0.25 * slow, join_oks=2)
    late = [replace(rows, time_s=rows.time_s * slow) for rows in people]
    same = stitch(record(time_s * slow, *late), held)
    np.testing.assert_array_equal(
        same.rows.person, stitch(record(time_s, *people), Stitch(join_oks=2)).rows.person
    )
