"""Poses by MediaPipe Pose on the pictures of a data set, as a file for `marey eval --poses`.

    python tools/mediapipe_poses.py --data lsp:../shared/data/lsp --split val --write build/mediapipe-lsp.json

MediaPipe (Pose full, `mediapipe==0.10.21`, in an environment of its own: see tools/bench_mediapipe.py) knows
one person a picture, so it gets each person alone, as marey's networks do: the square of PADDING × the longer
side of the true box, resized to 320², in static mode, so that nothing is carried from one to the next. Within
it MediaPipe looks for the person itself; whom it does not find is left out of the file. It gives no score for
a pose: a joint's score is its visibility, a pose's their mean.
"""

import argparse
import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
from bench_mediapipe import rival

from marey.core.nouns import Origin, People, Poses
from marey.core.skeletons import MEDIAPIPE33
from marey.estimation.crops import cut_people
from marey.evaluation.evaluate import open_data
from marey.evaluation.filed import write_poses
from marey.evaluation.measure import Posed, pose_all, true_boxes

SIDE = 320
"""People of 100 px are found more often enlarged; MediaPipe's own networks see 224² and 256²."""
PADDING = 2.0
"""MediaPipe's detector wants room about a person. Chosen for its sake: on every eighth picture of LSP's
training part PCK@0.2 is best here, of 1.25 (marey's own), 1.6, 1.8, 2.0, 2.5 and 3.0. On COCO 1.25 is better
for it: among many people a wider square holds others, too."""
WORKER = """
import json, sys
import mediapipe, numpy
side = int(sys.argv[1])
with mediapipe.solutions.pose.Pose(static_image_mode=True, model_complexity=1) as pose:
    while data := sys.stdin.buffer.read(3 * side * side):
        rgb = numpy.frombuffer(data, numpy.uint8).reshape(side, side, 3)
        found = pose.process(rgb).pose_landmarks
        rows = [[p.x * side, p.y * side, p.visibility] for p in found.landmark] if found else []
        print(json.dumps(rows), flush=True)
"""


class MediaPipe:
    """MediaPipe Pose in its own process: a stage, like ours."""

    def __init__(self, python: Path, padding: float = PADDING):
        self.padding = padding
        command = [str(python), "-c", WORKER, str(SIDE)]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=quiet, bufsize=0
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def __call__(self, people: Iterator[People]) -> Iterator[Poses]:
        for cut in cut_people(people, SIDE, self.padding, 8):
            joints = np.array([self._pose(rgb) for rgb in cut.rgb], np.float32)
            joints = joints.reshape(-1, len(MEDIAPIPE33), 3)
            for own, rows in cut.frames:
                xy, scores = cut.to_image(joints[..., :2], rows), np.nan_to_num(joints[rows, :, 2])
                origin = np.full(scores.shape, Origin.MEASURED, np.uint8)
                nowhere = np.full((*scores.shape, 3), np.nan, np.float32)
                yield Poses(own, MEDIAPIPE33, xy, scores, origin, nowhere)

    def _pose(self, rgb: np.ndarray) -> np.ndarray:
        """Joints x, y, score of a crop; NaN where nobody was found."""
        self._process.stdin.write(np.ascontiguousarray(rgb).tobytes())
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("mediapipe: its process ended; run bench_mediapipe.WORKER by hand to see why")
        return np.array(json.loads(line) or np.full((len(MEDIAPIPE33), 3), np.nan), np.float32)


def found(posed: Posed) -> Posed:
    """Without those whom MediaPipe did not find."""
    there = np.isfinite(posed.xy_px).all((1, 2))
    fields = ("boxes_px", "box_scores", "xy_px", "scores")
    return replace(posed, **{name: getattr(posed, name)[there] for name in fields})


def main() -> None:
    """Estimate and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, metavar="KIND:PATH")
    parser.add_argument("--split", default="val")
    parser.add_argument("--write", required=True, type=Path, metavar="FILE")
    parser.add_argument("--padding", type=float, default=PADDING, help="(default: %(default)s)")
    args = parser.parse_args()
    samples = open_data(args.data, args.split)[1]
    with MediaPipe(rival(), args.padding) as stage:
        every = pose_all(samples, true_boxes, stage)
    posed = [found(one) for one in every]
    args.write.parent.mkdir(parents=True, exist_ok=True)
    write_poses(args.write, samples, posed)
    counts = [sum(len(one.xy_px) for one in held) for held in (posed, every)]
    print(f"{args.write}: MediaPipe found {counts[0]} of {counts[1]} people")


if __name__ == "__main__":
    main()
