"""MoveNet's trunk (Google, 2021): MobileNetV2 and a feature pyramid, 24 channels at stride 4.

The heads belong to networks (joint maps: `networks/baseline.py`; centres: `networks/detector.py`); `Head` is
their common form. Layer names in the start files are TensorFlow's; `starts.movenet` maps them.
"""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from marey.trunks.mobilenet import MobileNetV2, ScaledConv, Widths

PYRAMID = (64, 32, 24)
"""Channels of the pyramid at strides 16, 8 and 4."""


class Pyramid(nn.Module):
    """Coarse to fine: double by bilinear interpolation, add the lateral map, separable convolution."""

    def __init__(self, widths: Widths):
        super().__init__()
        self.top = ScaledConv(widths.out, PYRAMID[0])
        laterals = (widths.stages[3], widths.stages[2], widths.stages[1])
        self.laterals = nn.ModuleList(ScaledConv(i, o) for i, o in zip(laterals, PYRAMID, strict=True))
        after = (*PYRAMID[1:], PYRAMID[-1])
        self.depthwise = nn.ModuleList(ScaledConv(c, c, 3, groups=c).unbiased() for c in PYRAMID)
        self.pointwise = nn.ModuleList(
            ScaledConv(i, o, act="relu") for i, o in zip(PYRAMID, after, strict=True)
        )

    def forward(self, maps: list[Float[Tensor, "B C h w"]], top: Float[Tensor, "B C h w"]) -> Tensor:
        """`maps` at strides 4, 8, 16 and `top` at stride 32 to (B, 24, H/4, W/4)."""
        x = self.top(top)
        for k, lateral in enumerate(self.laterals):
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False) + lateral(maps[2 - k])
            x = self.pointwise[k](self.depthwise[k](x))
        return x


class MoveNetTrunk(nn.Module):
    """rgb 0–255 (B, 3, H, W), H and W multiples of 32, to features (B, 24, H/4, W/4)."""

    channels = PYRAMID[-1]
    stride = 4

    def __init__(self, widths: Widths):
        super().__init__()
        self.body = MobileNetV2(widths, taps=(2, 5, 9, 16))
        self.out = ScaledConv(widths.stages[-1], widths.out, act="relu6")
        self.pyramid = Pyramid(widths)

    def forward(self, rgb: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 24 h w"]:
        """Features at stride 4."""
        *maps, last = self.body(rgb / 127.5 - 1)
        return self.pyramid(maps, self.out(last))


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
