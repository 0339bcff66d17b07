"""How well `marey run` uses the processor, where its time goes, and whether its memory stays flat.

    python tools/bench_run.py [--clip PATH] [--rounds 3] [--minutes 10]     writes results/bench-run.json

The stages are run on one thread first, and the processor seconds of each are counted. The bound is the
larger of their sum ÷ cores and the slowest stage that cannot be split; `bound ÷ wall` says how near the
whole comes to it (1: nothing is wasted). Stages and whole take turns, and the median of the ratios counts, so
that what else the machine does falls on both. Memory is the peak of a process that measures the clip looped
to 10 s and to `--minutes`; with `--minutes 0` what was measured before stays in the result.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av

from marey.core.errors import MareyError
from marey.core.folders import cache_dir, sample_clip
from marey.core.nouns import Frame
from marey.core.recording import collect
from marey.finishing import finish
from marey.pipeline.flow import Meter
from marey.pipeline.measure import Job, Measurer
from marey.pipeline.overlay import drawn, keep, sheet, wanted
from marey.pipeline.plan import Plan
from marey.pipeline.run import run
from marey.video.read import read
from marey.video.write import Writer

RESULT = Path("results/bench-run.json")
SERIAL = ("finish", "overlay draw")
"""Stages of one thread; decoder, networks and encoder spread over the cores."""
QUALITIES = ("fast", "balanced", "best")


def alone(clip: Path, quality: str, folder: Path) -> tuple[dict[str, float], int]:
    """Processor seconds of each stage, all on one thread, pictures let go as in a run; people estimated."""
    meter = Meter(time.process_time)
    begin = time.process_time()
    measurer = Measurer(Job(clip, folder, Plan(quality=quality), threads=1))
    meter.add("load", time.process_time() - begin)
    video, (found, estimated) = measurer.video, measurer.networks
    finder, estimator, last = measurer.finder, measurer.estimator, len(video)
    frames = meter.source("decode", video.frames(0, last))
    people = meter.stage("find", finder.method.stage, frames, finder.settings, found)
    poses = meter.stage("estimate", estimator.method.stage, people, estimator.settings, estimated)
    measured = collect(poses, measurer.history)
    begin = time.process_time()
    recording = finish(measured)
    meter.add("finish", time.process_time() - begin)
    again = meter.source("overlay decode", video.frames(0, last))
    noted = meter.stage("sheet", _kept, again, wanted(video.span), folder)
    pictures = meter.stage("overlay draw", drawn, noted, recording)
    begin, before = time.process_time(), sum(meter.seconds.values())
    with Writer(folder / "alone.mp4", video.info.size, video) as writer:
        for frame in pictures:
            writer.write(frame.rgb, frame.time_s)
    meter.add("overlay encode", time.process_time() - begin - (sum(meter.seconds.values()) - before))
    begin = time.process_time()
    sheet(recording, folder, folder / "sheet.png")
    meter.add("sheet", time.process_time() - begin)
    return meter.seconds, len(measured.rows)


def _kept(frames: Iterator[Frame], moments: frozenset[int], folder: Path) -> Iterator[Frame]:
    """Keep what the sheet shows, as a run does while it measures."""
    for frame in frames:
        if frame.index in moments:
            keep(frame, folder)
        yield frame


def whole(clip: Path, quality: str, folder: Path, overlay: bool) -> float:
    """Seconds that `marey run` takes."""
    begin = time.perf_counter()
    run(clip, folder, progress=False, quality=quality, overlay=overlay, overwrite=True)
    return time.perf_counter() - begin


def compared(clip: Path, quality: str, rounds: int) -> dict[str, Any]:
    """Stages and whole in turns; medians."""
    cores = len(os.sched_getaffinity(0))
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        for _ in range(rounds):
            stages, people = alone(clip, quality, Path(name))
            row: dict[str, Any] = {"stages": stages, "people": people}
            for overlay in (True, False):
                used = {k: v for k, v in stages.items() if overlay or not k.startswith("overlay")}
                bound = max(sum(used.values()) / cores, *(used.get(name, 0.0) for name in SERIAL))
                wall = whole(clip, quality, Path(name), overlay)
                row["overlay" if overlay else "no overlay"] = {"bound_s": bound, "wall_s": wall}
            found.append(row)
            print(f"{quality}: {json.dumps(row)}", flush=True)
    middle = {k: statistics.median(row["stages"][k] for row in found) for k in found[0]["stages"]}
    total, people = sum(middle.values()), found[0]["people"]
    result: dict[str, Any] = {
        "cpu_seconds": {k: round(v, 3) for k, v in middle.items()},
        "shares": {k: round(v / total, 3) for k, v in middle.items()},
        "milliseconds_a_person": round(1000 * middle["estimate"] / max(people, 1), 2),
        "people": people,
    }
    for kind in ("overlay", "no overlay"):
        ratios = [row[kind]["bound_s"] / row[kind]["wall_s"] for row in found]
        walls = [row[kind]["wall_s"] for row in found]
        result[kind] = {
            "bound_over_wall": round(statistics.median(ratios), 3),
            "wall_s": round(statistics.median(walls), 3),
            "frames_a_second": round(len(read(clip)) / statistics.median(walls), 1),
        }
    return result


def memory(clip: Path, minutes: float) -> dict[str, float]:
    """Peak memory of a run on the clip looped to 10 s and to `minutes`, MiB.

    From Linux's own book: getrusage in a child also counts what this process held before it became the child.
    """
    peaks = {}
    code = "import sys, marey\n"
    code += "marey.run(sys.argv[1], quality='fast', progress=False, overwrite=True)\n"
    code += "print(*[line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')])"
    with tempfile.TemporaryDirectory() as name:
        for seconds in (10.0, 60 * minutes):
            path = Path(name) / f"{seconds:g}.mp4"
            looped(clip, path, seconds)
            done = subprocess.run(
                [sys.executable, "-c", code, path], capture_output=True, text=True, check=True
            )
            peaks[f"{seconds:g} s"] = round(int(done.stdout) / 1024, 1)
            print(f"memory: {peaks}", flush=True)
    return peaks


def measured_before() -> dict[str, float]:
    """The memory that the result file holds, if there is one."""
    return json.loads(RESULT.read_text())["peak_memory_mib"] if RESULT.is_file() else {}


def looped(clip: Path, path: Path, seconds: float) -> None:
    """Repeat a clip's packets, without decoding, until it lasts `seconds`."""
    with av.open(path, "w") as out:
        stream, shift = None, 0
        while True:
            with av.open(clip) as container:
                video = container.streams.video[0]
                stream = stream or out.add_stream_from_template(video)
                length = 0
                for packet in container.demux(video):
                    if packet.pts is None or packet.dts is None:
                        continue
                    length = max(length, packet.pts + (packet.duration or 0))
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = stream
                    if packet.pts * packet.time_base >= seconds and packet.is_keyframe:
                        return
                    out.mux(packet)
                shift += length
                if shift * video.time_base >= seconds:
                    return


def main() -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(description="how well marey run uses the processor")
    parser.add_argument("--clip", type=Path, help="default: the demo clip where it is there, else the sample")
    parser.add_argument("--rounds", type=int, default=3, help="turns of stages and whole")
    parser.add_argument("--minutes", type=float, default=10.0, help="of the long clip (0: no memory test)")
    parser.add_argument("--quality", nargs="*", default=list(QUALITIES), choices=QUALITIES)
    args = parser.parse_args()
    demo = cache_dir() / "demo.mp4"
    clip = args.clip or (demo if demo.is_file() else sample_clip())
    if not clip.is_file():
        raise MareyError(f"{clip}: there is no such clip; give another --clip")
    begin = time.perf_counter()
    result = {
        "command": " ".join(["python", *sys.argv]),
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": len(os.sched_getaffinity(0)),
        },
        "clip": {"name": clip.name, "size": read(clip).info.size, "frames": len(read(clip))},
        "runs": {quality: compared(clip, quality, args.rounds) for quality in args.quality},
        "peak_memory_mib": memory(clip, args.minutes) if args.minutes else measured_before(),
        "seconds": round(time.perf_counter() - begin),
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(RESULT)


if __name__ == "__main__":
    main()
