"""MoveNet's trunk (Google, 2021): MobileNetV2 and a feature pyramid, 24 channels at stride 4.

The heads belong to networks (joint maps: `networks/baseline.py`; centres: `networks/detector.py`); `Head` is
their common form. Layer names in the start files are TensorFlow's; `starts.movenet` maps them.
"""

import math

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from marey.trunks.mobilenet import MobileNetV2, ScaledConv, Widths

PYRAMID = (64, 32, 24)
"""Channels of the pyramid at strides 16, 8 and 4."""


class Pyramid(nn.Module):
    """Coarse to fine: double by bilinear interpolation, add the lateral map, separable convolution.

    `levels` doublings: 3 reach stride 4 as in MoveNet, fewer stop at 8, 16 or (none) 32.
    """

    def __init__(self, widths: Widths, levels: int = 3):
        super().__init__()
        self.top = ScaledConv(widths.out, PYRAMID[0])
        laterals = (widths.stages[3], widths.stages[2], widths.stages[1])[:levels]
        own = PYRAMID[:levels]
        self.laterals = nn.ModuleList(ScaledConv(i, o) for i, o in zip(laterals, own, strict=True))
        after = (*PYRAMID[1:], PYRAMID[-1])[:levels]
        self.depthwise = nn.ModuleList(ScaledConv(c, c, 3, groups=c).unbiased() for c in own)
        self.pointwise = nn.ModuleList(ScaledConv(i, o, act="relu") for i, o in zip(own, after, strict=True))
        self.channels = after[-1] if levels else PYRAMID[0]

    def forward(self, maps: list[Float[Tensor, "B C h w"]], top: Float[Tensor, "B C h w"]) -> Tensor:
        """`maps` at strides 4, 8, 16 and `top` at stride 32 to the last level's features."""
        x = self.top(top)
        for k, lateral in enumerate(self.laterals):
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False) + lateral(maps[2 - k])
            x = self.pointwise[k](self.depthwise[k](x))
        return x


class MoveNetTrunk(nn.Module):
    """rgb 0–255 (B, 3, H, W), H and W multiples of 32, to features at `stride` (MoveNet's: 24 at 4)."""

    def __init__(self, widths: Widths, stride: int = 4):
        super().__init__()
        self.body = MobileNetV2(widths, taps=(2, 5, 9, 16))
        self.out = ScaledConv(widths.stages[-1], widths.out, act="relu6")
        self.pyramid = Pyramid(widths, 5 - int(math.log2(stride)))
        self.channels, self.stride = self.pyramid.channels, stride
        self.inputs = (widths.out, widths.stages[3], widths.stages[2])

    def forward(self, rgb: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C h w"]:
        """Features at the stride asked for."""
        return self.pyramid(*self.levels(rgb))

    def levels(self, rgb: Float[Tensor, "B 3 H W"]) -> tuple[list[Tensor], Tensor]:
        """What the pyramid is given: maps at strides 4, 8 and 16, and at 32 (`inputs`: channels, 32 to 8)."""
        *maps, last = self.body(rgb / 127.5 - 1)
        return maps, self.out(last)


class Head(nn.Module):
    """MoveNet's head: separable convolution to `hidden`, ReLU, 1×1 to `outputs`."""

    def __init__(self, outputs: int, inputs: int = PYRAMID[-1], hidden: int = 96):
        super().__init__()
        self.depthwise = ScaledConv(inputs, inputs, 3, groups=inputs).unbiased()
        self.pointwise = ScaledConv(inputs, hidden, act="relu")
        self.last = ScaledConv(hidden, outputs)

    def forward(self, x: Float[Tensor, "B C h w"]) -> Float[Tensor, "B O h w"]:
        """Raw (linear) maps."""
        return self.last(self.pointwise(self.depthwise(x)))
