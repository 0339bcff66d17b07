"""Threads keep order, pass errors on, end when told, and never run further ahead than allowed."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marey.pipeline.flow import Meter, ahead_of, in_turns, waiting


@given(st.lists(st.integers()), st.integers(1, 5))
def test_order_and_content_are_kept(items: list[int], n: int) -> None:
    assert list(ahead_of(iter(items), n)) == items


def test_upstream_runs_on_its_own_thread_and_at_most_n_ahead() -> None:
    made, threads = [], set()

    def numbers():
        for k in range(50):
            made.append(k)
            threads.add(threading.get_ident())
            yield k

    for k in ahead_of(numbers(), 3):
        time.sleep(0.001)
        assert len(made) <= k + 1 + 3
    assert threads.isdisjoint({threading.get_ident()})
    assert len(threads) == 1


def test_error_arrives_at_the_item_that_failed() -> None:
    def numbers():
        yield from range(3)
        raise ValueError("torn")

    got = []
    with pytest.raises(ValueError, match="torn"):
        got.extend(ahead_of(numbers(), 2))
    assert got == [0, 1, 2]


def test_stopping_early_closes_the_upstream_and_ends_the_thread() -> None:
    closed = []

    def numbers():
        try:
            k = 0
            while True:
                yield k
                k += 1
        finally:
            closed.append(True)

    before = threading.active_count()
    running = ahead_of(ahead_of(numbers(), 2), 2)
    assert next(running) == 0
    running.close()
    assert closed == [True]
    assert threading.active_count() == before


@given(st.lists(st.integers()), st.integers(1, 5), st.integers(1, 3))
def test_turns_keep_order_and_content(items: list[int], n: int, threads: int) -> None:
    assert list(in_turns(lambda run: (2 * k for k in run), iter(items), n, threads)) == [2 * k for k in items]


def test_runs_take_turns_on_several_threads_and_few_wait() -> None:
    made, together = [], threading.Barrier(2, timeout=10)  # broken unless two runs are at work at once

    def numbers():
        for k in range(24):
            made.append(k)
            yield k

    def stage(run):
        together.wait()
        yield from run

    for k in in_turns(stage, numbers(), 3, 2):
        assert len(made) <= k + 1 + (2 + 1) * 3


@pytest.mark.parametrize("upstream_fails", [True, False])
def test_errors_of_a_turn_are_raised_and_the_upstream_is_closed(upstream_fails: bool) -> None:
    closed = []

    def numbers():
        try:
            yield from range(10)
            if upstream_fails:
                raise ValueError("torn")
            yield from range(10)
        finally:
            closed.append(True)

    def stage(run):
        for k in run:
            if not upstream_fails and k == 7:
                raise ValueError("torn")
            yield k

    before = threading.active_count()
    with pytest.raises(ValueError, match="torn"):
        list(in_turns(stage, numbers(), 2))
    assert closed == [True]
    assert threading.active_count() == before


@pytest.mark.parametrize(("size", "frames"), [((16, 16), 16), ((1920, 1080), 8), ((7680, 4320), 2)])
def test_few_large_pictures_wait_and_many_small_ones(size: tuple[int, int], frames: int) -> None:
    assert waiting(size) == frames


def test_meter_counts_a_stage_without_what_it_waits_for() -> None:
    now = 0.0

    def slow(items, seconds):
        nonlocal now
        for item in items:
            now += seconds
            yield item

    meter = Meter(lambda: now)
    first = meter.stage("first", slow, range(10), 4.0)
    assert list(meter.stage("second", slow, first, 1.0)) == list(range(10))
    assert meter.seconds == {"first": 40.0, "second": 10.0}
