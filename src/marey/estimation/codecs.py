"""Heat maps and plain points: joints to targets, and outputs back to joints and scores, by one object.

Conventions: crop pixels, edge-based; cell (row i, column k) of a map at stride s covers [s·k, s·k + s) and
has its centre at s·(k + ½). A map is a probability: its cells and the class "not here" sum to 1 per joint.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float32

from marey.core.stages import Arrays

Subpixel = Literal["mass", "dark", "quarter"]

STRIDE = 4
SMOOTHING = 1.5
"""Cells; deviation of the Gaussian (5 taps) that calms a map before its logarithm is differentiated. DARK
takes the target's (§3.2); 1.5 was best of 0, 0.7, 1, 1.5 and 2 and of centroids on the validation parts."""
SPREAD, NEAR = 3 / 64, 1.5 / 64
"""Shares of the map; deviations of the gains by which "mass" reads the place and the score. Chosen on the
validation parts, among 1 to 4 and 0.7 to 3 cells of 64: flat about these values."""


@dataclass(frozen=True, slots=True)
class HeatCodec:
    """Gaussian maps for crops of `size` = (width, height) pixels; `sigma` in cells.

    Encoding does not round the joint to a cell (as Zhang et al. 2020, DARK, arXiv:1910.06278, §3.3), decoding
    ends with one Newton step on a map's logarithm, which is a parabola where the map is a Gaussian (the same,
    §3.1). How a joint is read is `subpixel`:

    "mass"     where most of the probability lies nearby: the maximum of the map smoothed by a wide Gaussian.
               That is Bayes' decision under a gain that forgives small errors and gives nothing for large
               ones, as OKS and PCK do; the peak of the map is the decision for exact hits only. The score is
               the expectation of a narrower gain there, as a share of a perfect map's: a joint that is out of
               the crop or could be anywhere scores low (our choice; it comes out near the share of joints
               that are right, `by_score` of `marey eval`).
    "dark"     at the peak of the map, as DARK does. The score is the mass within `reach` of it.
    "quarter"  what was usual before: the target's centre is rounded to the cell that holds the joint, and the
               joint read is the peak's cell, moved a quarter of a cell towards the higher neighbour in x and
               in y (Newell et al., ECCV 2016; Xiao et al., ECCV 2018, code), here without the half-pixel
               shift of the published code.
    """

    size: tuple[int, int]
    sigma: float = 2.0
    stride: int = STRIDE
    subpixel: Subpixel = "mass"

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
        place, scores = _most(flat, self.sigma) if self.subpixel == "mass" else self._peak(flat)
        xy = ((place + 0.5) * self.stride).reshape(batch, joints, 2)
        return xy.astype(np.float32), scores.reshape(batch, joints).astype(np.float32)

    def _peak(self, maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Places (M, 2) in cells at the maximum of each map, and the mass about them."""
        row, column = _highest(maps)
        window = _windows(maps, row, column, self.reach)
        exact = self.subpixel == "dark"
        step = _newton(_smooth(window, row, column, maps.shape[1:])) if exact else _quarter(window)
        return np.stack([column, row], 1) + step, np.minimum(window.sum((1, 2)), 1.0)

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


def _most(maps: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Places (M, 2) in cells where most of each map lies nearby, and how much of a perfect map's share."""
    rows, columns = maps.shape[1:]
    side = max(rows, columns)
    smooth = _blurring(rows, SPREAD * side) @ maps @ _blurring(columns, SPREAD * side)
    row, column = _highest(smooth)
    step = _newton(_windows(smooth, row, column, 1))
    near = NEAR * side
    reach = max(1, round(3 * near))
    off = np.arange(-reach, reach + 1) - step[..., None]
    gain = np.exp(-0.5 * (off / near) ** 2)
    scores = np.einsum("mij,mi,mj->m", _windows(maps, row, column, reach), gain[:, 1], gain[:, 0])
    perfect = near**2 / (near**2 + sigma**2)  # a Gaussian under a Gaussian gain, in two dimensions
    return np.stack([column, row], 1) + step, np.minimum(scores / perfect, 1.0)


@lru_cache
def _blurring(count: int, spread: float) -> Float32[np.ndarray, "c c"]:
    """A matrix that smooths an axis of `count` cells; what lies beyond the edge is no cell, so it is 0.

    Cut off at five deviations (0.000004 of the middle): further out float32 runs into numbers below its
    normal range, which processors multiply some twenty times more slowly.
    """
    cells = np.arange(count)
    far = np.abs(cells - cells[:, None]) / spread
    return np.where(far <= 5, np.exp(-0.5 * far**2), 0).astype(np.float32)


def _highest(maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the maxima."""
    peak = maps.reshape(len(maps), -1).argmax(1)
    return peak // maps.shape[2], peak % maps.shape[2]


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
