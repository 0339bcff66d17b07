"""Take hidden channels out of an inverted residual, so that its output changes least.

Backward elimination by least squares (the surgeon of Hassibi and Stork, NIPS 1992, on one layer): with the
second moments of the hidden activations over some pictures, the projection that best rebuilds the old
output from the channels left is a linear regression; the channel whose loss costs least goes first, and the
projection is fitted anew.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from marey.trunks.mobilenet import Inverted

RIDGE = 1e-6
EVERY = 7
"""Every so many cells are looked at: neighbours say the same."""


@torch.no_grad()
def slim(old: Inverted, new: Inverted, x: Float[Tensor, "B C H W"]) -> float:
    """Fill `new`, which has fewer hidden channels, from `old` on the block's inputs `x`.

    Returns
    -------
    The error of the new block's output on `x`, as a share of the old output's standard deviation.
    """
    if old.expand is None or new.expand is None:
        raise ValueError("only a block that expands has channels to take out")
    hidden = old.depthwise(old.expand(x))
    held = hidden.permute(1, 0, 2, 3).flatten(1)[:, ::EVERY].double().numpy()
    wanted = old.project(hidden).permute(1, 0, 2, 3).flatten(1)[:, ::EVERY].double().numpy()
    held = np.concatenate([held, np.ones((1, held.shape[1]))])
    moments, products = held @ held.T / held.shape[1], held @ wanted.T / held.shape[1]
    kept, fit = _eliminate(moments, products, len(new.depthwise.weight))
    for before, after in ((old.expand, new.expand), (old.depthwise, new.depthwise)):
        weight = before.weight * before.scale[:, None, None, None]
        after.fill(weight[kept], None if before.bias is None else before.bias[kept])
    weight, bias = torch.from_numpy(fit[:-1].T[:, :, None, None]), torch.from_numpy(fit[-1])
    new.project.fill(weight.float(), bias.float())
    left = wanted - fit.T @ held[[*kept, -1]]
    return float(np.sqrt(left.var(1).sum() / wanted.var(1).sum()))


def _eliminate(
    moments: Float[np.ndarray, "h h"], products: Float[np.ndarray, "h o"], count: int
) -> tuple[list[int], Float[np.ndarray, "k o"]]:
    """The channels left and the regression on them; the last row of `moments` is the constant."""
    kept = list(range(len(moments) - 1))
    while True:
        index = [*kept, len(moments) - 1]
        inverse = np.linalg.inv(moments[np.ix_(index, index)] + RIDGE * np.eye(len(index)))
        fit = inverse @ products[index]
        if len(kept) <= count:
            return kept, fit
        cost = (fit**2).sum(1) / inverse.diagonal()
        kept.pop(int(cost[:-1].argmin()))
