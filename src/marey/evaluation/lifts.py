"""Figures of lifting on takes with truth, and whether one lifter beats another.

Conventions: poses (T, 17, 3) in statures, root at 0, h36m17; figures in mm of a person of 1.70 m. Joints
whose 2D was missing have no prediction and are left out, of every lifter alike; `coverage` is the share that
counts. Comparisons are paired: the same takes, cameras and noise; takes are resampled, for frames of one hang
together.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from marey.lifting.body import bones
from marey.metrics import mpjpe

MM = 1700.0
RESAMPLES = 2000
RATE_HZ = 30.0

Pose = Float[np.ndarray, "T 17 3"]
Sums = dict[str, tuple[float, float]]
"""Sum and count of each figure over a take."""


def take_errors(given: Pose, wanted: Pose, rate_hz: float) -> dict[str, np.ndarray]:
    """Errors of one take by figure, arrays over frames and joints; poses in mm, root at 0.

    P1, P2, P3 and `MPJVE_mm_s` as in `metrics/mpjpe.py`; `depth` and `plane` are P1's parts along the
    camera's axis and across it; `slow`, `middle`, `fast` are P1 by the joint's true speed: below 0.25 m/s, up
    to 1 m/s, above.
    """
    found = {
        "P1": mpjpe.errors(given, wanted),
        "P2": mpjpe.errors(mpjpe.aligned(given, wanted), wanted),
        "P3": mpjpe.errors(mpjpe.scaled(given, wanted), wanted),
        "MPJVE_mm_s": mpjpe.motion_errors(given, wanted, 1, rate_hz),
        "depth": np.abs(given[..., 2] - wanted[..., 2]),
        "plane": np.linalg.norm(given[..., :2] - wanted[..., :2], axis=-1),
    }
    moved = np.gradient(wanted, axis=0) if len(wanted) > 1 else np.full(wanted.shape, np.nan)
    speed = np.linalg.norm(moved, axis=-1) * rate_hz
    for name, low, high in (("slow", -1.0, 250.0), ("middle", 250.0, 1000.0), ("fast", 1000.0, np.inf)):
        found[name] = np.where((speed > low) & (speed <= high), found["P1"], np.nan)
    return found


def take_sums(predicted: Pose, truth: Pose) -> Sums:
    """Sums and counts of the figures of one take (`take_errors`), in statures.

    `bones` is how much their lengths vary in the take, a share (`lifting/body.py`).
    """
    found = take_errors(predicted * MM, truth * MM, RATE_HZ)
    sums = {name: summed(values) for name, values in found.items()}
    varies = bones(predicted)[1]
    sums["bones"] = (varies, 1.0) if np.isfinite(varies) else (0.0, 0.0)
    sums["coverage"] = (sums["P1"][1], float(truth[..., 0].size))
    return sums


def summed(values: np.ndarray) -> tuple[float, float]:
    """Sum and count of what is there."""
    there = np.isfinite(values)
    return float(values[there].sum()), float(there.sum())


def figures(takes: Sequence[Sums]) -> dict[str, float]:
    """Means over all takes: sums divided by counts."""
    return {name: _ratio([take[name] for take in takes]) for name in takes[0]}


def gain(
    one: Mapping[int, Sequence[Sums]], other: Mapping[int, Sequence[Sums]], name: str
) -> dict[str, float]:
    """How much lower a figure of `one` is than of `other`: the mean over seeds, and its 95 % interval.

    Both hold takes by seed, the same takes in the same order; an interval above 0 means that `one` is better.
    """
    rng = np.random.default_rng(1)
    count = len(next(iter(one.values())))
    a, b = (np.array([[take[name] for take in takes] for takes in held.values()]) for held in (one, other))
    drawn = []
    for weights in [np.ones(count), *rng.multinomial(count, np.full(count, 1 / count), RESAMPLES)]:
        means = [
            (w * held[..., 0]).sum(1) / (w * held[..., 1]).sum(1) for w, held in ((weights, a), (weights, b))
        ]
        drawn.append(float(means[1].mean() - means[0].mean()))
    low, high = np.percentile(drawn[1:], (2.5, 97.5))
    return {"gain": drawn[0], "low": float(low), "high": float(high)}


def _ratio(pairs: Sequence[tuple[float, float]]) -> float:
    total, count = np.sum(pairs, 0)
    return float(total / count) if count else float("nan")
