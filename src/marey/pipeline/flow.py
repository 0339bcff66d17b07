"""How stages run beside each other and how long each takes; no other room knows threads.

A chain of generators runs on one thread, the consumer's. `ahead_of` moves everything upstream of it to a
thread of its own, a bounded number of items ahead, so memory stays flat whichever side is slower.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")

_END = object()


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
    waiting = deque(thread.submit(next, upstream, _END) for _ in range(n))
    try:
        while (item := waiting.popleft().result()) is not _END:
            waiting.append(thread.submit(next, upstream, _END))
            yield item  # pyright: ignore[reportReturnType]
    finally:
        thread.shutdown(wait=True, cancel_futures=True)
        _close(upstream)


def _close(items: Iterator[Any]) -> None:
    close = getattr(items, "close", None)
    if close is not None:
        close()


@dataclass(slots=True)
class Meter:
    """Seconds that each stage was busy, its wait for the stage before it not counted."""

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
        waited = _Waited(items)
        results = iter(stage(waited, *rest))
        try:
            while True:
                begin, before = time.perf_counter(), waited.seconds
                item = next(results, _END)
                self.add(name, time.perf_counter() - begin - (waited.seconds - before))
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

    def __init__(self, items: Iterable[Any]) -> None:
        self._items = iter(items)
        self.seconds = 0.0

    def __iter__(self) -> "_Waited":
        return self

    def __next__(self) -> Any:
        begin = time.perf_counter()
        try:
            return next(self._items)
        finally:
            self.seconds += time.perf_counter() - begin

    def close(self) -> None:
        _close(self._items)
