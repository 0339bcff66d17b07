"""How alike two poses, and two looks, are."""

import numpy as np
from jaxtyping import Float

from marey.core.nouns import LOOK_SIZE
from marey.core.rows import Rows
from marey.core.skeletons import Skeleton

SIGMA = 0.08
"""OKS sigma of joints whose skeleton states none: about that of a COCO limb joint."""


def oks(
    xy: Float[np.ndarray, "T J 2"],
    other: Float[np.ndarray, "#T J 2"],
    area: Float[np.ndarray, " T"],
    skeleton: Skeleton,
) -> Float[np.ndarray, " T"]:
    """COCO's object keypoint similarity over the joints that both poses have; NaN where they share none.

    `area` in px² is the box's; COCO takes the smaller segment's, which is a little stricter.
    """
    sigmas = np.full(len(skeleton), SIGMA) if skeleton.sigmas is None else np.array(skeleton.sigmas)
    apart = ((xy - other).astype(np.float64) ** 2).sum(-1)
    likeness = np.exp(-apart / (2 * area[:, None] * (2 * sigmas) ** 2))
    shared = ~np.isnan(likeness)
    count = shared.sum(-1)
    total = np.where(shared, likeness, 0).sum(-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def box_area(rows: Rows) -> Float[np.ndarray, " R"]:
    """Area of the boxes in px², at least 1."""
    sides = rows.boxes_px[:, 2:] - rows.boxes_px[:, :2]
    return np.maximum(sides.prod(1), 1).astype(np.float64)


def mean_look(rows: Rows) -> Float[np.ndarray, " 64"]:
    """Mean appearance of the rows, of unit length; NaN where none has one."""
    looks = rows.looks[~np.isnan(rows.looks).any(1)].astype(np.float64)
    if not len(looks):
        return np.full(LOOK_SIZE, np.nan)
    mean: np.ndarray = looks.mean(0)
    return mean / max(float(np.linalg.norm(mean)), 1e-9)
