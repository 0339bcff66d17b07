"""How fast synthetic video is drawn, and what the tier `small` of marey-bench takes.

    python tools/bench_synth.py [--frames 6]      writes results/bench-synth.json

Seconds are those of the processor over all threads, not of the clock, so that whatever else the machine does
counts little; frames a second are of one core. One clip of each track is planned at its full length, a few of
its frames are drawn, measured, blurred and encoded, and the tier is reckoned from these. Bodies are in the
cache when the clock starts. Without anny or OpenGL it says so and writes nothing.
"""

import argparse
import json
import os
import platform
import resource
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from marey.core.errors import MareyError
from marey.synth.bench import SEED, TIERS, TRACKS
from marey.synth.clip import figures, frames, make_clip, staged
from marey.synth.scene import Film, scene

RESULT = Path("results/bench-synth.json")


def processor_s() -> float:
    """Seconds of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(track: str, count: int) -> dict[str, float]:
    """A clip of a track at the size of the tier `small`, moved by our own motions."""
    tier = TIERS["small"]
    seconds = tier.long_s if track == "identity" else tier.seconds
    film = replace(TRACKS[track], size=tier.size, seconds=seconds)
    scene(film, SEED + 7)  # makes the bodies
    begin = processor_s()
    plan = scene(film, SEED + 7)
    planned = processor_s() - begin
    few, more = (_clip_s(replace(film, seconds=frames / tier.rate_hz)) for frames in (2, 2 + count))
    frame = (more - few) / count
    clip = planned + few + (seconds * tier.rate_hz - 2) * frame
    with staged(plan) as stage:
        next(frames(plan, stage))  # shaders are compiled on the first
        cameras = (plan.shots[0][0], plan.shots[0][1], plan.shots[0][2])
        parts = {
            "shadows": _of(lambda: (stage.light(plan.light), stage.gl.finish())),
            "picture": _of(lambda: stage.picture(cameras, (0.0,))),
            "truth": _of(lambda: stage.truth(cameras)),
        }
    return {
        "people": len(plan.actors),
        "triangles": int(np.sum([len(one.faces) for one in figures(plan)])),
        "processor_ms_a_frame": round(1000 * frame / film.views, 1),
        "frames_a_second_a_core": round(film.views / frame, 1),
        **{f"{name}_ms": value for name, value in parts.items()},
        "processor_s_a_clip": round(clip, 1),
    }


def _clip_s(film: Film) -> float:
    """What making a clip takes, files and all."""
    with TemporaryDirectory() as folder:
        begin = processor_s()
        make_clip(film, SEED + 7, Path(folder), "clip")
        return processor_s() - begin


def _of(run: Callable[[], object], rounds: int = 3) -> float:
    begin = processor_s()
    for _ in range(rounds):
        run()
    return round(1000 * (processor_s() - begin) / rounds, 1)


def main() -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(description="speed of synthetic video")
    parser.add_argument("--frames", type=int, default=6, help="of each track (default: %(default)s)")
    count = parser.parse_args().frames
    os.environ.setdefault("LP_NUM_THREADS", "1")  # as in the benchmark's worker processes
    try:
        _clip_s(Film(size=(64, 64), seconds=0.04))  # what is loaded and compiled once
        tracks = {track: measure(track, count) for track in TRACKS}
    except MareyError as error:
        print(f"bench_synth: nothing measured: {error}")
        return
    for track, figures_of in tracks.items():
        print(track, figures_of)
    machine = {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    whole = TIERS["small"].clips * sum(held["processor_s_a_clip"] for held in tracks.values())
    small = {"processor_s": round(whole), "minutes_on_two_cores": round(whole / 120, 1)}
    result = {"command": "python tools/bench_synth.py", "machine": machine, "tracks": tracks, "small": small}
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(RESULT)


if __name__ == "__main__":
    main()
