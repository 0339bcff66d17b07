"""Draw what calibrated cameras say of a person beside what a lifter says from one of them alone.

    python tools/draw_views.py POSES [--data pose2sim:FOLDER] [--lift dgnet] [--out docs/views.png]

POSES is a file or folder that `marey eval --poses` reads (poses in all cameras, with ids). A row is a camera,
a pair a moment: left the triangulation, right the lift, first as the camera sees them, then from the side.
Only the twelve limb joints that `marey eval` compares are drawn, about the mid-hips, at one scale; no picture
of the data is.
"""

import argparse
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from marey.evaluation.by_space import Take, lifted
from marey.evaluation.by_views import scene, view_takes
from marey.evaluation.filed import filed_poses
from marey.evaluation.made import open_data
from marey.evaluation.motion import RULE
from marey.lifting.windows import H36M
from marey.pipeline.plan import stage

MOMENTS = (0.1, 0.5, 0.9)
"""Shares of the take."""
PX_PER_M, CELL, FINE = 82, (150, 190), 3
"""Pixels of a metre and of a figure's cell (width, height), and how much finer it is drawn."""
INK, LEFT, RIGHT, TRUNK = (40, 40, 40), (180, 110, 30), (40, 110, 220), (120, 120, 120)
"""Blue-green-red: the person's left is blue, the right orange."""
SIDES = np.array([[0.0, 0, -1], [0, 1, 0], [1, 0, 0]])
"""Camera axes as seen from the camera's right."""


def bones() -> list[tuple[int, int, tuple[int, int, int]]]:
    """Pairs of joints and their colour."""
    made = []
    for side, colour in (("left", LEFT), ("right", RIGHT)):
        for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "foot")):
            made.append((H36M.index(f"{side}_{a}"), H36M.index(f"{side}_{b}"), colour))
        made.append((H36M.index(f"{side}_shoulder"), H36M.index(f"{side}_hip"), TRUNK))
    for joint in ("shoulder", "hip"):
        made.append((H36M.index(f"left_{joint}"), H36M.index(f"right_{joint}"), TRUNK))
    return made


def figure(xyz: np.ndarray) -> np.ndarray:
    """One figure on white, from (17, 3) metres about the mid-hips: X to the right, Y down."""
    size = np.array(CELL) * FINE
    picture = np.full((size[1], size[0], 3), 255, np.uint8)
    xy = xyz[:, :2] * PX_PER_M * FINE + size * (0.5, 0.52)
    for a, b, colour in sorted(bones(), key=lambda bone: -(xyz[bone[0], 2] + xyz[bone[1], 2])):
        if np.isfinite(xy[[a, b]]).all():
            ends = [tuple(np.rint(xy[k]).astype(int).tolist()) for k in (a, b)]
            cv2.line(picture, ends[0], ends[1], colour, 4 * FINE, cv2.LINE_AA)
    return cv2.resize(picture, CELL, interpolation=cv2.INTER_AREA)


def row(take: Take, moments: list[int]) -> np.ndarray:
    """A camera's row: for each moment four figures."""
    cells = []
    for k in moments:
        bodies = [take.truth_m[k], take.body_m[k]]
        views = [body @ turn.T for turn in (np.eye(3), SIDES) for body in bodies]
        group = np.concatenate([figure(view) for view in views], 1)
        group[:, -1] = (225, 225, 225)
        cells.append(group)
    line = np.concatenate(cells, 1)
    line[-1] = (225, 225, 225)
    return line


def heading(names: list[str], width: int) -> np.ndarray:
    """A line of words above the figures."""
    strip = np.full((26, width * len(names), 3), 255, np.uint8)
    for k, name in enumerate(names):
        cv2.putText(strip, name, (k * width + 6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.42, INK, 1, cv2.LINE_AA)
    return strip


def main() -> None:
    """Draw and write the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("poses", type=Path)
    parser.add_argument("--data", default="pose2sim:../shared/data/pose2sim")
    parser.add_argument("--lift", default="dgnet")
    parser.add_argument("--subject", default=RULE)
    parser.add_argument("--out", type=Path, default=Path("docs/views.png"))
    args = parser.parse_args()
    _, samples = open_data(args.data, "all")
    made, _ = view_takes(scene(samples, filed_poses(args.poses, samples), args.subject))
    chosen = stage("lift", args.lift)
    run = partial(chosen.method.stage, settings=chosen.settings, network=chosen.load())
    moments = [round(share * (len(made[0].track) - 1)) for share in MOMENTS]
    rows = []
    for take in lifted(made, run, 1.70):
        line = row(take, moments)
        cv2.putText(line, take.name, (6, CELL[1] - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.42, INK, 1, cv2.LINE_AA)
        rows.append(line)
    words = ["all cameras", "one camera", "all, from the side", "one, from the side"] * len(moments)
    picture = np.concatenate([heading(words, CELL[0]), *rows], 0)
    args.out.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(args.out), picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    print(f"{args.out}: {picture.shape[1]} × {picture.shape[0]}, {args.out.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
