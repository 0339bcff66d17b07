"""marey beside MediaPipe Pose, on the demo clip, in alternation on one machine.

    python tools/bench_mediapipe.py [--rounds 3] [--clip PATH]      writes results/bench-mediapipe.json

MediaPipe (Pose full with its own tracking, one person, `mediapipe==0.10.21`) lives in an environment of its
own, `.venv-mediapipe`, made here when it is missing. Each round times whole commands, from start to exit: the
clip decoded and every frame measured by MediaPipe; `marey run --no-overlay`; `marey run` with its overlay.
marey does more in that time (all people, ids, finishing, files), MediaPipe writes nothing.
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
from pathlib import Path

REQUIREMENT = "mediapipe==0.10.21"
HOME = Path(".venv-mediapipe")
WORKER = """
import json, sys
import cv2, mediapipe
video, found, frames = cv2.VideoCapture(sys.argv[1]), 0, 0
with mediapipe.solutions.pose.Pose(model_complexity=1) as pose:
    while True:
        more, bgr = video.read()
        if not more:
            break
        frames += 1
        found += pose.process(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)).pose_landmarks is not None
print(json.dumps({"frames": frames, "found": found}))
"""


def rival() -> Path:
    """Return the Python of MediaPipe's own environment, made if it is missing.

    Raises
    ------
    SystemExit
        If it cannot be installed; the text says why.
    """
    python = HOME / "bin" / "python"
    if not (HOME / "ready").is_file():
        subprocess.run([sys.executable, "-m", "venv", str(HOME)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", REQUIREMENT]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
            raise SystemExit(f"bench: {REQUIREMENT} cannot be installed ({last}); nothing measured")
        (HOME / "ready").touch()
    return python


def timed(command: list[str], environment: dict[str, str] | None = None) -> tuple[float, str]:
    """Wall seconds of a whole command, and what it printed."""
    begin = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    seconds = time.perf_counter() - begin
    if done.returncode:
        raise SystemExit(f"bench: {' '.join(command[:5])} … failed: {done.stderr.strip()[-500:]}")
    return seconds, done.stdout


def measure(clip: Path, rounds: int) -> dict[str, object]:
    """Alternate the three commands; frames per second of each, and marey's share of MediaPipe's."""
    python = str(rival())
    seconds: dict[str, list[float]] = {"mediapipe": [], "marey": [], "marey with overlay": []}
    counts: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as out:
        run = [sys.executable, "-m", "marey.cli", "run", str(clip), "-o", out, "--overwrite"]
        for _ in range(rounds):
            # Its log goes to stderr and is not read; GLOG keeps it short.
            taken, printed = timed([python, "-c", WORKER, str(clip)], os.environ | {"GLOG_minloglevel": "2"})
            seconds["mediapipe"].append(taken)
            counts = json.loads(printed.strip().splitlines()[-1])
            seconds["marey"].append(timed([*run, "--no-overlay"])[0])
            seconds["marey with overlay"].append(timed(run)[0])
    middle = {name: statistics.median(values) for name, values in seconds.items()}
    frames = counts["frames"]
    return {
        "command": "python tools/bench_mediapipe.py",
        "clip": {"name": clip.name, "frames": frames, "found_by_mediapipe": counts["found"]},
        "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "seconds": {name: [round(v, 2) for v in values] for name, values in seconds.items()},
        "frames_per_s": {name: round(frames / value, 2) for name, value in middle.items()},
        "ratio": {
            name: round(middle["mediapipe"] / middle[name], 3) for name in ("marey", "marey with overlay")
        },
    }


def main() -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(description="marey beside MediaPipe Pose on the demo clip")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clip", type=Path, help="default: the clip of `make demo`")
    args = parser.parse_args()
    clip = args.clip
    if clip is None:
        sys.path.insert(0, str(Path(__file__).parent))
        from demo import fetch

        clip = fetch()
    if clip is None:
        raise SystemExit("bench: no clip to measure; give one with --clip")
    result = measure(clip, args.rounds)
    path = Path("results/bench-mediapipe.json")
    path.write_text(json.dumps(result, indent=2) + "\n")
    print(f"{path}: {result['frames_per_s']} frames/s, ratio {result['ratio']}")


if __name__ == "__main__":
    main()
