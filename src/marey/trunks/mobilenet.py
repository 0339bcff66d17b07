"""MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381), as TensorFlow runs it, without batch norm.

Conventions: rgb float (B, 3, H, W), normalised x/127.5 − 1; taps by stride. At stride 2 the picture is
padded by one on the right and below (TensorFlow's SAME), not symmetrically. Batch norm is folded into the
convolutions of every start we have. Instead of putting it back, each convolution keeps rows of He's norm, a
scale per output channel that starts at 1, and the constant `size` that makes up the difference: the function
is the folded one exactly, an optimiser sees weights and scales of one size as with batch norm, and nothing
depends on the batch (our choice: no statistics to keep, and any batch size).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class Widths:
    """Channels of the stem, of the seven stages, of each expansion's input rule, and of the last 1×1."""

    stem: int
    stages: tuple[int, int, int, int, int, int, int]
    out: int = 1280


IMAGENET = Widths(32, (16, 24, 32, 64, 96, 160, 320))
LIGHTNING = IMAGENET
THUNDER = Widths(56, (32, 40, 56, 112, 168, 280, 560))

ACTS: dict[str, Callable[[Tensor], Tensor]] = {
    "": lambda x: x, "relu": F.relu, "relu6": F.relu6, "silu": F.silu,
}  # fmt: skip
_REPEATS = (1, 2, 3, 4, 3, 3, 1)
_STRIDES = (1, 2, 2, 2, 1, 2, 1)


class ScaledConv(nn.Module):
    """A convolution whose rows of weights have a scale of their own; `act` names a function of `torch.nn`.

    At stride 2 it pads like TensorFlow unless it is made `symmetric`.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 1, *, stride: int = 1, groups: int = 1, act: str = ""
    ):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs // groups, kernel, kernel))
        self.scale = nn.Parameter(torch.ones(outputs))
        self.size = nn.Buffer(torch.ones(outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.stride, self.groups, self.act, self.kernel = stride, groups, act, kernel
        self.folded, self.even = False, stride == 1
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")

    def unbiased(self) -> "ScaledConv":
        """Return itself, its bias taken away."""
        self.bias = None
        return self

    def forward(self, x: Float[Tensor, "B I H W"]) -> Float[Tensor, "B O h w"]:
        """Convolve, then apply `act`."""
        weight = self.weight if self.folded else self.weight * (self.scale * self.size)[:, None, None, None]
        pad = (self.kernel - 1) // 2
        if not self.even and self.kernel == 3:
            x, pad = F.pad(x, (0, 1, 0, 1)), 0
        x = F.conv2d(x, weight, self.bias, self.stride, pad, 1, self.groups)
        return ACTS[self.act](x)

    def symmetric(self) -> "ScaledConv":
        """Return itself, padding alike on all sides also at stride 2."""
        self.even = True
        return self

    @torch.no_grad()
    def fill(self, weight: Tensor, bias: Tensor | None) -> None:
        """Take a folded convolution over: rows to He's norm √2, what is left to `size`, scales 1."""
        if self.weight.shape != weight.shape:
            raise ValueError(f"weights of shape {tuple(weight.shape)} do not fit {tuple(self.weight.shape)}")
        size = weight.flatten(1).norm(dim=1).clamp_min(1e-4) / (2.0**0.5)
        self.weight.copy_(weight / size[:, None, None, None])
        self.size.copy_(size)
        self.scale.fill_(1)
        if self.bias is not None and bias is not None:
            self.bias.copy_(bias)

    @torch.no_grad()
    def fold(self) -> None:
        """Multiply the scale into the weight for good: the plain convolution that is exported."""
        self.weight.mul_((self.scale * self.size)[:, None, None, None])
        self.scale.fill_(1)
        self.size.fill_(1)
        self.folded = True


class Inverted(nn.Module):
    """Inverted residual: 1×1 expand, 3×3 depthwise, 1×1 linear projection."""

    def __init__(self, inputs: int, outputs: int, hidden: int, stride: int):
        super().__init__()
        self.expand = ScaledConv(inputs, hidden, act="relu6") if hidden != inputs else None
        self.depthwise = ScaledConv(hidden, hidden, 3, stride=stride, groups=hidden, act="relu6")
        self.project = ScaledConv(hidden, outputs)
        self.add = stride == 1 and inputs == outputs

    def forward(self, x: Float[Tensor, "B I H W"]) -> Float[Tensor, "B O h w"]:
        """Apply the block."""
        y = x if self.expand is None else self.expand(x)
        y = self.project(self.depthwise(y))
        return x + y if self.add else y


class MobileNetV2(nn.Module):
    """Stem and 17 blocks; `forward` gives the maps after the blocks named in `taps`.

    `taps` are block numbers: 2 = stride 4, 5 = stride 8, 9 and 12 = stride 16, 16 = stride 32.
    """

    def __init__(self, widths: Widths = IMAGENET, taps: tuple[int, ...] = (2, 5, 12, 16)):
        super().__init__()
        self.taps = taps
        self.stem = ScaledConv(3, widths.stem, 3, stride=2, act="relu6")
        blocks, inputs = [], widths.stem
        for outputs, repeats, stride, number in zip(widths.stages, _REPEATS, _STRIDES, range(7), strict=True):
            for k in range(repeats):
                hidden = inputs * (6 if number else 1)
                blocks.append(Inverted(inputs, outputs, hidden, stride if k == 0 else 1))
                inputs = outputs
        self.blocks = nn.ModuleList(blocks)

    def forward(self, rgb: Float[Tensor, "B 3 H W"]) -> list[Float[Tensor, "B C h w"]]:
        """Maps at the taps, finest first."""
        x, found = self.stem(rgb), []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in self.taps:
                found.append(x)
        return found
