"""Cells with offsets: a joint is a cell of a coarse grid and its place within that cell.

Conventions: crop pixels, edge-based; cell (row r, column i) at stride s covers [s·i, s·i + s) across and
[s·r, s·r + s) down. `heat` (B, J, h, w) is a probability per cell; `offset` (B, J, 2, h, w) is x/s − i and
y/s − r, in cells. Both stay float32: bfloat16's eight digits alone cost 0.1 px at stride 32.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float32

from marey.core.stages import Arrays
from marey.estimation.codecs import HeatCodec

Offsets = Literal["cell", "linear", "wide", "none"]
"""Where offsets are learnt and how they are bounded: `cell` in the joint's own cell through a sigmoid,
`linear` the same without it, `wide` linear and in the 3×3 cells about it, `none` not at all: joints are
cells' centres."""

NEIGHBOUR = 0.5
"""Weight of a neighbour's offset beside the joint's own cell (our choice)."""


@dataclass(frozen=True, slots=True)
class CellCodec:
    """The sparse heat map and the two short-distance offset maps of CLNet (arXiv:2105.07245, abstract).

    `size` = (width, height) of the crop. How the paper makes its targets could not be read; ours are one cell
    a joint, or with `sigma` > 0 (cells) a Gaussian of sum 1. Decoding takes the cell of the maximum and its
    offset; with `vote` every cell of the 3×3 about it says where the joint is, weighed by its heat, which
    needs offsets that are learnt there (`wide`). The score is the mass of the cells within `reach` of the
    peak: a joint near an edge of its cell divides its probability between two, and is no less certain for it
    (our choice).
    """

    size: tuple[int, int]
    stride: int = 16
    sigma: float = 0.0
    offsets: Offsets = "cell"
    vote: bool = False

    @property
    def cells(self) -> tuple[int, int]:
        """Columns and rows of a map."""
        return self.size[0] // self.stride, self.size[1] // self.stride

    @property
    def reach(self) -> int:
        """Cells about the peak whose mass is the score."""
        return max(1, round(2 * self.sigma))

    def encode(
        self, xy: Float[np.ndarray, "B J 2"], labelled: Bool[np.ndarray, "B J"]
    ) -> dict[str, np.ndarray]:
        """Targets: `heat`, `offset`, `near` (B, J, h, w), `nowhere` and `weight` (B, J).

        `near` weighs the offset of each cell; where it is 0, `offset` means nothing and holds 0. A labelled
        joint outside the crop has no heat and no offset but `nowhere` = 1; one not labelled has weight 0.
        """
        inside = labelled & ((xy >= 0) & (xy < np.asarray(self.size))).all(-1)
        place = np.where(inside[..., None], xy, 0.0).astype(np.float64) / self.stride
        across, down = (place[..., k, None] - np.arange(count) for k, count in enumerate(self.cells))
        here, wide = inside[..., None, None], self.offsets == "wide"
        own = _within(down)[..., :, None] & _within(across)[..., None, :] & here
        beside = _within(down, wide)[..., :, None] & _within(across, wide)[..., None, :] & here
        near = np.where(own, 1.0, NEIGHBOUR * beside) * (self.offsets != "none")
        heat = _share(down, self.sigma)[..., :, None] * _share(across, self.sigma)[..., None, :] * here
        grid = np.broadcast_arrays(across[..., None, :], down[..., :, None])
        return {
            "heat": heat.astype(np.float32),
            "offset": (np.stack(grid, 2) * beside[:, :, None]).astype(np.float32),
            "near": near.astype(np.float32),
            "nowhere": (labelled & ~inside).astype(np.float32),
            "weight": labelled.astype(np.float32),
        }

    def decode(self, outputs: Arrays) -> tuple[Float32[np.ndarray, "B J 2"], Float32[np.ndarray, "B J"]]:
        """Joints in crop pixels and scores, from `heat` (B, J, h, w) and `offset` (B, J, 2, h, w)."""
        heat = outputs["heat"]
        batch, joints, rows, columns = heat.shape
        flat = heat.reshape(batch * joints, rows * columns).astype(np.float64)
        if not len(flat):
            return np.zeros((batch, joints, 2), np.float32), np.zeros((batch, joints), np.float32)
        cell, index, known = _about(flat.argmax(1), (rows, columns), self.reach)
        mass = np.take_along_axis(flat, index, 1) * known
        middle = mass.shape[1] // 2
        say = mass * (np.abs(cell - cell[:, middle, None]).max(-1) <= 1) if self.vote else np.zeros_like(mass)
        say[:, middle] += 1e-9  # alone without a vote; with one it decides only where the map is 0 everywhere
        places = cell + self._offsets(outputs["offset"], index)
        xy = self.stride * (places * say[..., None]).sum(1) / say.sum(1)[:, None]
        scores = np.minimum(mass.sum(1), 1.0)
        shape = (batch, joints)
        return xy.reshape(*shape, 2).astype(np.float32), scores.reshape(shape).astype(np.float32)

    def _offsets(self, offset: np.ndarray, index: np.ndarray) -> Float[np.ndarray, "M K 2"]:
        """Offsets (B, J, 2, h, w) of the cells of an index (M, K)."""
        if self.offsets == "none":
            return np.full((*index.shape, 2), 0.5)
        flat = offset.reshape(len(index), 2, -1).astype(np.float64)
        return np.take_along_axis(flat, index[:, None], 2).transpose(0, 2, 1)

    def heat(self, outputs: Arrays) -> Float[np.ndarray, "B J h w"]:
        """Gaussian maps at stride 4 about the joints decoded, each with its score as mass (our choice)."""
        xy, scores = self.decode(outputs)
        maps = HeatCodec(self.size).encode(xy, np.ones(scores.shape, bool))["heat"]
        return maps * scores[..., None, None]


def mirror(outputs: Arrays, order: tuple[int, ...]) -> Arrays:
    """Outputs of mirrored crops, mirrored back: columns reversed, sides swapped by `order`, u ← 1 − u."""
    heat, offset = (outputs[name][:, list(order)][..., ::-1] for name in ("heat", "offset"))
    return {"heat": heat, "offset": np.stack([1 - offset[:, :, 0], offset[:, :, 1]], 2)}


def _within(distance: np.ndarray, wide: bool = False) -> np.ndarray:
    """Whether `distance` = x/s − i lies in cell i, or in one beside it."""
    return (distance >= -int(wide)) & (distance < 1 + int(wide))


def _share(distance: np.ndarray, sigma: float) -> np.ndarray:
    """The share of each cell along one axis: one cell, or a Gaussian about the joint that sums to 1."""
    if sigma == 0:
        return _within(distance).astype(np.float64)
    bell = np.exp(-0.5 * ((distance - 0.5) / sigma) ** 2)
    return bell / bell.sum(-1, keepdims=True)


def _about(
    peak: np.ndarray, shape: tuple[int, int], reach: int
) -> tuple[Float[np.ndarray, "M K 2"], np.ndarray, Bool[np.ndarray, "M K"]]:
    """The cells about a peak: column and row, flat index, and whether they are on the map."""
    rows, columns = shape
    down, across = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    column, row = (peak % columns)[:, None] + across.ravel(), (peak // columns)[:, None] + down.ravel()
    known = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    index = np.where(known, row * columns + column, peak[:, None])
    return np.stack([column, row], -1).astype(np.float64), index, known
