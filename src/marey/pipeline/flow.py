"""How stages run beside each other and how long each takes; no other room knows threads.

A chain of generators runs on one thread, the consumer's. `ahead_of` moves everything upstream of it to a
thread of its own, a bounded number of items ahead, so memory stays flat whichever side is slower. `in_turns`
gives a stage that treats items one by one several threads, so that its network never waits.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

T = TypeVar("T")

WAITING_BYTES = 48 << 20
"""Pictures that may wait between two threads (our choice: 8 of Full HD; 16 took a tenth longer, for pictures
that wait leave the cache and new ones fault their pages in; 4 were a little slower, too)."""
WAITING_FRAMES = range(2, 17)
"""No fewer and no more than these, however large a picture is (8K: 100 MB)."""

_END = object()


def waiting(size: tuple[int, int]) -> int:
    """How many frames of a (width, height) may wait between two threads."""
    fit = WAITING_BYTES // (3 * size[0] * size[1])
    return min(max(fit, WAITING_FRAMES[0]), WAITING_FRAMES[-1])


def ahead_of(items: Iterable[T], n: int) -> Generator[T, None, None]:
    """Yield the items in their order, computed on a thread of their own, at most `n` ahead.

    What the upstream raises is raised here, at the place of the item that failed. Closing this generator
    ends the thread and closes the upstream.

    Parameters
    ----------
    items
        What is to run ahead, such as a chain of stages.
    n
        How many finished items may wait.
    """
    upstream = iter(items)
    thread = ThreadPoolExecutor(1, thread_name_prefix="marey-ahead")
    ready = deque(thread.submit(next, upstream, _END) for _ in range(n))
    try:
        while (item := ready.popleft().result()) is not _END:
            ready.append(thread.submit(next, upstream, _END))
            yield item  # pyright: ignore[reportReturnType]
    finally:
        thread.shutdown(wait=True, cancel_futures=True)
        _close(upstream)


def in_turns(
    stage: Callable[[Iterator[Any]], Iterable[T]], items: Iterable[Any], n: int, threads: int = 2
) -> Generator[T, None, None]:
    """Yield what `stage` makes of the items, in their order; runs of `n` items take turns on threads.

    For stages whose answer to an item does not depend on others: while one run is in the network, another is
    cut out or read. What upstream or stage raise is raised here.

    Parameters
    ----------
    stage
        Turns an iterator of items into an iterator of as many results.
    items
        Read by the consumer's thread, at most (`threads` + 1) · `n` ahead.
    n
        Items a run.
    threads
        Runs at a time.
    """
    upstream = iter(items)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="marey-turn")
    running: deque[Future[list[T]]] = deque()
    try:
        while run := list(islice(upstream, n)):
            running.append(pool.submit(lambda run=run: list(stage(iter(run)))))
            if len(running) > threads:
                yield from running.popleft().result()
        while running:
            yield from running.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        _close(upstream)


def _close(items: Iterator[Any]) -> None:
    close = getattr(items, "close", None)
    if close is not None:
        close()


@dataclass(slots=True)
class Meter:
    """Seconds that each stage was busy, its wait for the stage before it not counted.

    By `time.process_time` as `clock`, and all on one thread, it counts the processor's seconds.
    """

    clock: Callable[[], float] = time.perf_counter
    seconds: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, name: str, seconds: float) -> None:
        """Add to a stage's seconds."""
        with self._lock:
            self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def stage(
        self, name: str, stage: Callable[..., Iterator[T]], items: Iterable[Any], *rest: Any
    ) -> Generator[T, None, None]:
        """Run `stage(items, *rest)` and count what it takes beyond what `items` takes."""
        waited = _Waited(items, self.clock)
        results = iter(stage(waited, *rest))
        try:
            while True:
                begin, before = self.clock(), waited.seconds
                item = next(results, _END)
                self.add(name, self.clock() - begin - (waited.seconds - before))
                if item is _END:
                    return
                yield item  # pyright: ignore[reportReturnType]
        finally:
            _close(results)

    def source(self, name: str, items: Iterable[T]) -> Generator[T, None, None]:
        """Pass items on and count what making them takes."""
        return self.stage(name, lambda _: iter(items), ())


class _Waited:
    """An iterator that sums the seconds its consumer waited for it."""

    def __init__(self, items: Iterable[Any], clock: Callable[[], float]) -> None:
        self._items, self._clock = iter(items), clock
        self.seconds = 0.0

    def __iter__(self) -> "_Waited":
        return self

    def __next__(self) -> Any:
        begin = self._clock()
        try:
            return next(self._items)
        finally:
            self.seconds += self._clock() - begin

    def close(self) -> None:
        _close(self._items)
