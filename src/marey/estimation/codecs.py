"""Heat maps and plain points: joints to targets, and outputs back to joints and scores, by one object.

Conventions: crop pixels, edge-based; cell (row i, column k) of a map at stride s covers [s·k, s·k + s) and
has its centre at s·(k + ½). A map is a probability: its cells and the class "not here" sum to 1 per joint.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float32

from marey.core.stages import Arrays

Subpixel = Literal["dark", "quarter"]

STRIDE = 4
SMOOTHING = 1.5
"""Cells; deviation of the Gaussian (5 taps) that calms a map before its logarithm is differentiated. DARK
takes the target's (§3.2); 1.5 was best of 0, 0.7, 1, 1.5 and 2 and of centroids on the validation parts."""


@dataclass(frozen=True, slots=True)
class HeatCodec:
    """Gaussian maps for crops of `size` = (width, height) pixels; `sigma` in cells.

    Encoding does not round the joint to a cell (as Zhang et al. 2020, DARK, arXiv:1910.06278, §3.3).
    Decoding: the cell of the smoothed map's maximum, then one Newton step on the logarithm of the map, which
    is a parabola where the map is a Gaussian (the same, §3.1). The score is the probability mass of the
    cells within `reach` of the peak: the network's belief that the joint is there, in [0, 1]; a joint that
    is out of the crop or not visible anywhere puts its mass on "not here" or spreads it, and scores low (our
    choice).

    `subpixel` "quarter" is what was usual before: the target's centre is rounded to the cell that holds the
    joint, and the joint read is the peak's cell, moved a quarter of a cell towards the higher neighbour in x
    and in y (Newell et al., ECCV 2016; Xiao et al., ECCV 2018, code). Both are kept free of the half-pixel
    shift that the published code has.
    """

    size: tuple[int, int]
    sigma: float = 2.0
    stride: int = STRIDE
    subpixel: Subpixel = "dark"

    @property
    def reach(self) -> int:
        """Cells about the peak whose mass is the score: two deviations, where a perfect map has 0.9 of it."""
        return max(3, round(2 * self.sigma))

    @property
    def cells(self) -> tuple[int, int]:
        """Columns and rows of a map."""
        return self.size[0] // self.stride, self.size[1] // self.stride

    def encode(
        self, xy: Float[np.ndarray, "B J 2"], labelled: Bool[np.ndarray, "B J"]
    ) -> dict[str, np.ndarray]:
        """Targets: `heat` (B, J, h, w), `nowhere` (B, J), `weight` (B, J).

        A labelled joint outside the crop has its whole mass in `nowhere`; one that is not labelled has
        weight 0.
        """
        columns, rows = self.cells
        inside = labelled & ((xy >= 0) & (xy < np.asarray(self.size))).all(-1)
        cells = np.where(inside[..., None], xy, 0.0).astype(np.float64) / self.stride - 0.5
        cells = np.floor(cells + 0.5) if self.subpixel == "quarter" else cells
        across = _bell(np.arange(columns) - cells[..., :1], self.sigma)
        down = _bell(np.arange(rows) - cells[..., 1:], self.sigma)
        heat = down[..., :, None] * across[..., None, :] * inside[..., None, None]
        return {
            "heat": heat.astype(np.float32),
            "nowhere": (labelled & ~inside).astype(np.float32),
            "weight": labelled.astype(np.float32),
        }

    def decode(self, outputs: Arrays) -> tuple[Float32[np.ndarray, "B J 2"], Float32[np.ndarray, "B J"]]:
        """Joints in crop pixels and scores, from `heat` (B, J, h, w)."""
        heat = outputs["heat"]
        batch, joints, rows, columns = heat.shape
        if batch == 0:
            return np.zeros((0, joints, 2), np.float32), np.zeros((0, joints), np.float32)
        flat = heat.reshape(batch * joints, rows, columns)
        peak = flat.reshape(len(flat), -1).argmax(1)
        row, column = peak // columns, peak % columns
        window = _windows(flat, row, column, self.reach)
        scores = np.minimum(window.sum((1, 2)), 1.0)
        exact = self.subpixel == "dark"
        step = _newton(_smooth(window, row, column, (rows, columns))) if exact else _quarter(window)
        xy = (np.stack([column, row], 1) + 0.5 + step) * self.stride
        return xy.reshape(batch, joints, 2).astype(np.float32), scores.reshape(batch, joints).astype(
            np.float32
        )

    def heat(self, outputs: Arrays) -> Float[np.ndarray, "B J h w"]:
        """The maps themselves: they are at stride 4 already."""
        return outputs["heat"]


@dataclass(frozen=True, slots=True)
class PointCodec:
    """Joints regressed as they are: `xy` (B, J, 2) in crop pixels and `score` (B, J), the network's belief.

    The way of Toshev and Szegedy (DeepPose, CVPR 2014, §3.1); the belief that a joint is in the crop is our
    addition, because a point alone does not say how sure it is.
    """

    size: tuple[int, int]

    def encode(
        self, xy: Float[np.ndarray, "B J 2"], labelled: Bool[np.ndarray, "B J"]
    ) -> dict[str, np.ndarray]:
        """Targets: `xy` (B, J, 2), `score` (B, J) 1 inside the crop, `weight` (B, J) 1 where labelled."""
        inside = labelled & ((xy >= 0) & (xy < np.asarray(self.size))).all(-1)
        return {
            "xy": np.where(inside[..., None], xy, 0.0).astype(np.float32),
            "score": inside.astype(np.float32),
            "weight": labelled.astype(np.float32),
        }

    def decode(self, outputs: Arrays) -> tuple[Float32[np.ndarray, "B J 2"], Float32[np.ndarray, "B J"]]:
        """Joints in crop pixels and scores: what the network says."""
        return outputs["xy"].astype(np.float32), outputs["score"].astype(np.float32)

    def heat(self, outputs: Arrays) -> Float[np.ndarray, "B J h w"]:
        """Gaussian maps at stride 4 about the joints, each with its score as mass (our choice)."""
        xy, scores = self.decode(outputs)
        return HeatCodec(self.size).encode(xy, np.ones(scores.shape, bool))["heat"] * scores[..., None, None]


def _bell(distance: np.ndarray, sigma: float) -> np.ndarray:
    """A Gaussian over cells that sums to 1 along the last axis, also where the edge cuts it."""
    bell = np.exp(-0.5 * (distance / sigma) ** 2)
    return bell / bell.sum(-1, keepdims=True)


def _windows(maps: np.ndarray, row: np.ndarray, column: np.ndarray, reach: int) -> np.ndarray:
    """The (2·reach + 1)² cells about a cell of each map; 0 beyond the edge."""
    padded = np.pad(maps, ((0, 0), (reach, reach), (reach, reach)))
    span = np.arange(2 * reach + 1)
    number = np.arange(len(maps))
    return padded[
        number[:, None, None], (row[:, None] + span)[:, :, None], (column[:, None] + span)[:, None, :]
    ]


def _smooth(window: np.ndarray, row: np.ndarray, column: np.ndarray, cells: tuple[int, int]) -> np.ndarray:
    """The 3×3 cells at the middle of each window, smoothed; cells beyond the map's edge do not count."""
    reach: int = window.shape[1] // 2
    span = np.arange(-reach, reach + 1)
    bells = np.exp(-0.5 * ((span - np.arange(-1, 2)[:, None]) / SMOOTHING) ** 2)
    bells = np.where(np.abs(span - np.arange(-1, 2)[:, None]) <= 2, bells, 0)
    down = bells * _inside(row, span, cells[0])[:, None]
    across = bells * _inside(column, span, cells[1])[:, None]
    down /= np.maximum(down.sum(2, keepdims=True), 1e-9)
    across /= np.maximum(across.sum(2, keepdims=True), 1e-9)
    return down @ window @ across.transpose(0, 2, 1)


def _inside(place: np.ndarray, span: np.ndarray, count: int) -> np.ndarray:
    return (place[:, None] + span >= 0) & (place[:, None] + span < count)


def _quarter(window: np.ndarray) -> Float[np.ndarray, "M 2"]:
    """A quarter of a cell (x, y) towards the higher neighbour of each window's middle."""
    middle = window.shape[1] // 2
    right = window[:, middle, middle + 1] - window[:, middle, middle - 1]
    below = window[:, middle + 1, middle] - window[:, middle - 1, middle]
    return np.sign(np.stack([right, below], 1)) / 4


def _newton(heat: np.ndarray) -> Float[np.ndarray, "M 2"]:
    """Offset (x, y) in cells of the maximum of the logarithm of 3×3 cells, at most one cell."""
    near = np.log(np.maximum(heat, 1e-10))
    dx, dy = (near[:, 1, 2] - near[:, 1, 0]) / 2, (near[:, 2, 1] - near[:, 0, 1]) / 2
    xx = near[:, 1, 2] - 2 * near[:, 1, 1] + near[:, 1, 0]
    yy = near[:, 2, 1] - 2 * near[:, 1, 1] + near[:, 0, 1]
    xy = (near[:, 2, 2] - near[:, 2, 0] - near[:, 0, 2] + near[:, 0, 0]) / 4
    determinant = xx * yy - xy * xy
    convex = (determinant > 1e-6) & (xx < 0)
    determinant = np.where(convex, determinant, 1.0)
    step = np.stack([-(yy * dx - xy * dy), -(xx * dy - xy * dx)], 1) / determinant[:, None]
    return np.where(convex[:, None], np.clip(step, -1, 1), 0.0)
