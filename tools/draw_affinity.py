"""Draw whom joints listen to: the affinities of DG-Net in a clap, a step and a throw.

    python tools/draw_affinity.py [--data FOLDER] [--network dgnet] [--out FILE]

Each moment is one of motion capture before a camera: hands come together fastest, an ankle swings, one hand
flies fastest. Left the graph of nearness, right that of likeness of movement
(the skeleton's own where the network has none), means over the blocks. A line leads from each joint to those
that it listens to but is not tied to, as thick as its share.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from marey.lifting.windows import H36M, STEP_S
from marey.methods.dgnet import affinities
from marey.pipeline.plan import stage
from marey.training.bodies import Lifting
from marey.training.lifting import View, remembered, views
from marey.video.draw import draw_poses

SIDE = 360
LEAST = 0.06
PAPER, INK = (250, 250, 248), (60, 60, 64)
COLOURS = {"spatial": (196, 78, 160), "temporal": (0, 140, 110)}
WRISTS = [H36M.index("left_wrist"), H36M.index("right_wrist")]
KNEES = [H36M.index("left_knee"), H36M.index("right_knee")]
THORAX = H36M.index("thorax")
FEET = [H36M.index("left_foot"), H36M.index("right_foot")]
CLEAN = Lifting(cameras="h36m", noise=0.0, wild=0.0, swapped=0.0, dropped=0.0, cut=0.0, crownless=0.0)


def clap(xyz: np.ndarray) -> np.ndarray:
    """How fast hands come together that meet within a seventh of a second."""
    apart = np.linalg.norm(xyz[:, WRISTS[0]] - xyz[:, WRISTS[1]], axis=-1)
    soon = np.array([apart[k : k + 5].min() for k in range(len(apart))])
    return np.where((soon < 0.12) & (_speed(xyz, FEET) < 0.02), -np.gradient(apart), -np.inf)


def step(xyz: np.ndarray) -> np.ndarray:
    """How fast the faster ankle is, of someone upright whose ankles and hands are low."""
    low = xyz[:, FEET, 1].min(1) > xyz[:, KNEES, 1].min(1)  # Y of a camera is down
    hands = xyz[:, WRISTS, 1].min(1) > xyz[:, THORAX, 1] + 0.1
    return np.where(low & hands, np.minimum(_speed(xyz, FEET), 0.09), -np.inf)


def throw(xyz: np.ndarray) -> np.ndarray:
    """How much faster one hand is than the other, above the shoulders, while feet are slow."""
    each = np.stack([_speed(xyz, [wrist]) for wrist in WRISTS], -1)
    high = xyz[:, WRISTS, 1].min(1) < xyz[:, THORAX, 1]
    return np.where(high & (_speed(xyz, FEET) < 0.03), each.max(-1) - 2 * each.min(-1), -np.inf)


MOMENTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"clap": clap, "step": step, "throw": throw}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data", type=Path, default=Path("../shared/data/mocap"))
    asked.add_argument("--network", default="dgnet")
    asked.add_argument("--out", type=Path, default=Path("docs/methods/dgnet-affinity.png"))
    args = asked.parse_args()
    chosen = stage("lift", args.network)
    network = chosen.load("cpu")
    takes = views(remembered(args.data, "val"), CLEAN, 0.0, 300, seed=3)
    rows = []
    for word, worth in MOMENTS.items():
        view, k = _moment(takes, worth)
        graphs = affinities(view.track, chosen.settings, network, [k])
        cells = [_cell(view.track.rays[k], graphs[name][0].mean(0), name, word) for name in COLOURS]
        print(f"{word}: {view.name} at {k * STEP_S:.1f} s")
        rows.append(np.hstack(cells))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(
        str(args.out), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 9]
    )
    print(f"wrote {args.out}, {args.out.stat().st_size // 1000} kB")


def _speed(xyz: np.ndarray, joints: list[int]) -> np.ndarray:
    return np.linalg.norm(np.gradient(xyz[:, joints], axis=0), axis=-1).max(1)


def _moment(takes: list[View], worth: Callable[[np.ndarray], np.ndarray]) -> tuple[View, int]:
    """The take and frame that are worth most."""
    found = [
        (float(values.max()), n, int(values.argmax()))
        for n, values in enumerate(map(worth, (t.truth for t in takes)))
    ]
    _, n, k = max(found)
    return takes[n], k


def _cell(rays: np.ndarray, graph: np.ndarray, name: str, word: str) -> np.ndarray:
    """One person with the links of one graph."""
    out = np.full((SIDE, SIDE, 3), PAPER, np.uint8)
    low, high = rays.min(0), rays.max(0)
    xy = (rays - (low + high) / 2) / (high - low).max() * 0.78 * SIDE + SIDE / 2 + np.array([0, 12])
    tied = {frozenset(limb) for limb in H36M.limbs}
    for share, i, j in sorted((graph[i, j], i, j) for i in range(17) for j in range(17)):
        if i == j or share < LEAST or frozenset((i, j)) in tied:
            continue
        a, b = (tuple(int(v) for v in xy[k]) for k in (i, j))
        faint = np.array(PAPER) + min(1.0, share / 0.3) * (np.array(COLOURS[name]) - PAPER)
        cv2.line(out, a, b, faint.tolist(), max(1, round(share * 14)), cv2.LINE_AA)
    ids = np.array([-1])
    out = draw_poses(out, xy[None].astype(np.float32), np.ones((1, 17), np.float32), ids, H36M)
    kind = {"spatial": "near", "temporal": "moves alike"}[name]
    cv2.putText(out, f"{word}: {kind}", (12, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.55, INK, 1, cv2.LINE_AA)
    return out


if __name__ == "__main__":
    main()
