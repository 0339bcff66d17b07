"""CSPDarknet with a path-aggregation pyramid in YOLOX-nano's size (Ge et al. 2021, arXiv:2107.08430).

Conventions: rgb float (B, 3, H, W), 0–255 as they are, H and W multiples of 32; maps at strides 8, 16 and 32
of 64, 128 and 256 channels. Every convolution but the stem and the 1×1 is depthwise and followed by a 1×1;
SiLU throughout. Batch norm is folded in, `trunks/mobilenet.py` says what stands for it. Modules are declared
in the order in which they run: a start is filled in by it (`trunks/starts.py`).
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from marey.trunks.mobilenet import ScaledConv

CHANNELS = (64, 128, 256)
"""Of the maps, finest first."""


def conv(inputs: int, outputs: int) -> ScaledConv:
    """1×1 and SiLU."""
    return ScaledConv(inputs, outputs, act="silu")


def separable(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Depthwise 3×3, 1×1, SiLU after each."""
    wide = ScaledConv(inputs, inputs, 3, stride=stride, groups=inputs, act="silu").symmetric()
    return nn.Sequential(wide, conv(inputs, outputs))


class Bottleneck(nn.Module):
    """1×1, then separable; added to what came in if `add`."""

    def __init__(self, channels: int, add: bool):
        super().__init__()
        self.first = conv(channels, channels)
        self.second = separable(channels, channels)
        self.add = add

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Apply the block."""
        y = self.second(self.first(x))
        return x + y if self.add else y


class CrossStage(nn.Module):
    """Half of the channels go through `count` bottlenecks, half go by (CSPNet, Wang et al. 2020)."""

    def __init__(self, inputs: int, outputs: int, count: int = 1, *, add: bool = False):
        super().__init__()
        half = outputs // 2
        self.through, self.by = conv(inputs, half), conv(inputs, half)
        self.blocks = nn.Sequential(*(Bottleneck(half, add) for _ in range(count)))
        self.join = conv(2 * half, outputs)

    def forward(self, x: Float[Tensor, "B I H W"]) -> Float[Tensor, "B O H W"]:
        """Apply the stage."""
        return self.join(torch.cat([self.blocks(self.through(x)), self.by(x)], 1))


class Pooled(nn.Module):
    """Largest values of 5, 9 and 13 cells around beside the cell's own (SPP, He et al. 2014).

    Two and three poolings of 5 one after the other are those of 9 and 13.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.reduce = conv(channels, channels // 2)
        self.join = conv(2 * channels, channels)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Apply the block."""
        found = [self.reduce(x)]
        for _ in range(3):
            found.append(F.max_pool2d(found[-1], 5, 1, 2))
        return self.join(torch.cat(found, 1))


class CSPDarknet(nn.Module):
    """Maps at strides 8, 16 and 32, before the pyramid.

    The stem's 6×6 at stride 2 is YOLOX's `Focus`: a 3×3 over four pixels laid in channels. Its start at
    random is scaled for values up to 255.
    """

    def __init__(self):
        super().__init__()
        self.stem = ScaledConv(3, 16, 6, stride=2, act="silu").symmetric()
        nn.init.constant_(self.stem.scale, 1 / 255)
        self.fine = nn.Sequential(
            separable(16, 32, 2), CrossStage(32, 32, 1, add=True),
            separable(32, 64, 2), CrossStage(64, 64, 3, add=True),
        )  # fmt: skip
        self.middle = nn.Sequential(separable(64, 128, 2), CrossStage(128, 128, 3, add=True))
        self.coarse = nn.Sequential(separable(128, 256, 2), Pooled(256), CrossStage(256, 256))

    def forward(self, rgb: Float[Tensor, "B 3 H W"]) -> list[Float[Tensor, "B C h w"]]:
        """The three maps, finest first."""
        fine = self.fine(self.stem(rgb))
        middle = self.middle(fine)
        return [fine, middle, self.coarse(middle)]


class Pyramid(nn.Module):
    """Down to the finest map and up again (PAN, Liu et al. 2018)."""

    def __init__(self):
        super().__init__()
        self.coarse_down, self.middle = conv(256, 128), CrossStage(256, 128)
        self.middle_down, self.fine = conv(128, 64), CrossStage(128, 64)
        self.fine_up, self.middle_up = separable(64, 64, 2), CrossStage(128, 128)
        self.middle_up_on, self.coarse_up = separable(128, 128, 2), CrossStage(256, 256)

    def forward(self, maps: list[Float[Tensor, "B C h w"]]) -> list[Float[Tensor, "B C h w"]]:
        """Three maps of the same sizes, finest first."""
        fine, middle, coarse = maps
        above = self.coarse_down(coarse)
        middle = self.middle_down(self.middle(torch.cat([doubled(above), middle], 1)))
        fine = self.fine(torch.cat([doubled(middle), fine], 1))
        middle = self.middle_up(torch.cat([self.fine_up(fine), middle], 1))
        coarse = self.coarse_up(torch.cat([self.middle_up_on(middle), above], 1))
        return [fine, middle, coarse]


def doubled(x: Float[Tensor, "B C h w"]) -> Float[Tensor, "B C H W"]:
    """Every cell twice in both directions."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
