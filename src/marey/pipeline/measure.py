"""Clips of a video, measured into part files: here, or by several processes at once.

Decoding and finding have a thread each, estimating two that take turns; networks bring threads of their own.
"""

import contextlib
import ctypes
import functools
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import cv2

from marey.core.errors import MareyError
from marey.core.history import History, Source, Step
from marey.core.nouns import People, Poses
from marey.core.parts import write_part
from marey.core.recording import collect
from marey.pipeline.clips import Clip
from marey.pipeline.flow import Meter, ahead_of, in_turns, waiting
from marey.pipeline.overlay import keep, wanted
from marey.pipeline.plan import Plan, stages
from marey.pipeline.resume import PARTS_FOLDER, write_note
from marey.video.read import Video, read

TOGETHER = 4
"""People for whom the estimator is compiled; eight are hardly faster, and more is filled up in vain."""


@dataclass(frozen=True, slots=True)
class Job:
    """One video to measure: where it lies, where its parts go, how, with how many processor threads."""

    source: Path
    folder: Path
    plan: Plan
    threads: int | None = None


class Measurer:
    """A video and the networks that measure it, opened once for all its clips."""

    def __init__(self, job: Job, video: Video | None = None):
        self.job = job
        self.video = video or read(job.source, job.plan.from_s, job.plan.to_s, threads=job.threads or 0)
        self.moments = wanted(self.video.span)
        self.finder, self.estimator = both = stages(job.plan, self.video.info.rate)
        with ThreadPoolExecutor(len(both)) as pool:  # compiling a network keeps one core busy
            told = {"device": job.plan.device, "threads": job.threads, "together": TOGETHER}
            self.networks = list(pool.map(lambda stage: stage.load(**told), both))
        providers = [network.provider for network in self.networks if network is not None]
        self.history = replace(history(self.video, job.plan), device=", ".join(dict.fromkeys(providers)))

    def poses(self, first: int, last: int, meter: Meter) -> Generator[Poses, None, None]:
        """Measure frames [first, last)."""
        found, estimated = self.networks
        room = waiting(self.video.info.size)
        frames = ahead_of(meter.source("decode", self.video.frames(first, last)), room)
        finder, estimator = self.finder, self.estimator
        people = ahead_of(meter.stage("find", finder.method.stage, frames, finder.settings, found), room)

        def estimate(some: Iterator[People]) -> Generator[Poses, None, None]:
            return meter.stage("estimate", estimator.method.stage, some, estimator.settings, estimated)

        return in_turns(estimate, people, room // 2) if estimator.method.framewise else estimate(people)

    def clip(self, clip: Clip, advance: Callable[[int], object]) -> None:
        """Measure a clip, halo included, into its part file; `advance(n)` hears of n frames of the core done.

        Beside the part a note keeps the stages' seconds and what was wrong with the video, and pictures keep
        the moments that the sheet shows.
        """
        meter = Meter()
        with contextlib.closing(self.poses(clip.start, clip.stop, meter)) as poses:
            part = collect(self._noted(poses, clip, advance), self.history)
        note = {"seconds": meter.seconds, "problem": self.video.problem}
        write_note(self.job.folder, clip.number, note)
        write_part(self.job.folder, clip.number, part)
        _give_memory_back()

    def _noted(self, poses: Iterator[Poses], clip: Clip, advance: Callable[[int], object]) -> Iterator[Poses]:
        for item in poses:
            if clip.first <= item.frame.index < clip.last:
                if item.frame.index in self.moments:
                    keep(item.frame, self.job.folder / PARTS_FOLDER)
                advance(1)
            yield item


def _give_memory_back() -> None:
    """Let glibc return what its heaps hold unused: each clip brings new threads, and each of those a heap."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform.startswith("linux") else None
    if trim is not None:  # musl has none
        trim(0)


def history(video: Video, plan: Plan) -> History:
    """Where a recording of this video, measured by this plan, comes from."""
    info = video.info
    source = Source(
        name=info.name,
        size=info.size,
        rotation=info.rotation,
        rate=info.rate,
        variable=info.variable,
        duration_s=info.duration_s,
        start_s=info.start_s,
    )
    finder, estimator = stages(plan, info.rate)
    steps = tuple(Step(kind, s.described()) for kind, s in (("find", finder), ("estimate", estimator)))
    return History(source=source, steps=steps, weights=(*finder.weights, *estimator.weights))


def measure(
    job: Job, video: Video, clips: Sequence[Clip], workers: int, advance: Callable[[int], object]
) -> None:
    """Measure clips into part files, `workers` of them at a time; every part is whole as soon as it is there.

    Parameters
    ----------
    job
        The video and how to measure it; its threads are shared among the workers.
    video
        The same, opened; workers open it for themselves.
    clips
        What is still to be measured.
    workers
        Processes; 1 measures here.
    advance
        Hears how many frames more are done.

    Raises
    ------
    MareyError
        If a clip cannot be measured or a worker died; parts that are written stay.
    """
    if not clips:
        return
    workers = min(workers, len(clips))
    if workers <= 1:
        measurer = Measurer(job, video)
        for clip in clips:
            measurer.clip(clip, advance)
    else:
        share = max(1, (job.threads or os.cpu_count() or 1) // workers)
        _by_processes(replace(job, threads=share), clips, workers, advance)


def _by_processes(job: Job, clips: Sequence[Clip], workers: int, advance: Callable[[int], object]) -> None:
    context = multiprocessing.get_context("spawn")
    done, stop = context.Value(ctypes.c_longlong, 0), context.Event()
    heard = 0
    pool = ProcessPoolExecutor(workers, context, _start_worker, (done, stop))
    try:
        pending = {pool.submit(_work, job, clip) for clip in clips}
        while pending:
            finished, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
            advance(done.value - heard)
            heard = done.value
            for future in finished:
                future.result()
    except BrokenProcessPool as error:
        raise MareyError(
            f"{job.source}: a worker process died (out of memory?); finished clips are kept: "
            "continue with --resume and fewer --workers"
        ) from error
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


# A worker process


class _StoppedError(Exception):
    """The run ends; what this worker was measuring is dropped."""


class _Shared:
    """What a worker process shares with the run that started it."""

    done: "Synchronized[int]"
    stop: Event


def _start_worker(done: Any, stop: Any) -> None:
    """Prepare a worker: Ctrl-C is the run's business, and no worker outlives its run."""
    _Shared.done, _Shared.stop = done, stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.getLogger("marey").addHandler(logging.NullHandler())  # the run itself reports what is wrong
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@functools.lru_cache(maxsize=1)
def _measurer(job: Job) -> Measurer:
    cv2.setNumThreads(job.threads or 0)
    return Measurer(job)


def _work(job: Job, clip: Clip) -> None:
    def advance(frames: int) -> None:
        with _Shared.done.get_lock():
            _Shared.done.value += frames
        if _Shared.stop.is_set():
            raise _StoppedError

    _measurer(job).clip(clip, advance)
