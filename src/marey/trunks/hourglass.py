"""Stacked hourglass (Newell, Yang and Deng, ECCV 2016, arXiv:1603.06937), from scratch.

Conventions: rgb 0–255 (B, 3, H, W), normalised x/127.5 − 1. Residuals are pre-activation bottlenecks with
biases. At stride 4 it is the paper's; each doubling of the stride adds a pooling and a residual to the stem
and takes one level off the hourglass, so that the coarsest map stays 1/64 of the picture (our choice).
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

ORDER = 4
"""Levels of an hourglass at stride 4 (Newell et al., fig. 3)."""


class Residual(nn.Module):
    """1×1, 3×3, 1×1 with norm and ReLU before each (Newell et al., fig. 4 left)."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        inner = outputs // 2
        layers: list[nn.Module] = []
        for given, made, kernel in ((inputs, inner, 1), (inner, inner, 3), (inner, outputs, 1)):
            convolution = nn.Conv2d(given, made, kernel, padding=kernel // 2)
            layers += [nn.BatchNorm2d(given), nn.ReLU(inplace=False), convolution]
        self.body = nn.Sequential(*layers)
        self.short = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Float[Tensor, "B I H W"]) -> Float[Tensor, "B O H W"]:
        """Apply the block."""
        return self.body(x) + self.short(x)


class Hourglass(nn.Module):
    """Down by pooling, up by repetition, a residual across at every level (Newell et al., fig. 3)."""

    def __init__(self, order: int, width: int):
        super().__init__()
        self.across, self.down, self.up = (
            nn.ModuleList(Residual(width, width) for _ in range(order)) for _ in range(3)
        )
        self.middle = Residual(width, width)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Apply it."""
        kept = []
        for across, down in zip(self.across, self.down, strict=True):
            kept.append(across(x))
            x = down(F.max_pool2d(x, 2))
        x = self.middle(x)
        for up, beside in zip(reversed(self.up), reversed(kept), strict=True):
            x = beside + F.interpolate(up(x), scale_factor=2, mode="nearest")
        return x


class StackedHourglass(nn.Module):
    """`stacks` hourglasses of `width` channels; every one gives `outputs` maps, which the next one sees."""

    def __init__(self, outputs: int, stacks: int = 2, width: int = 256, stride: int = 4):
        super().__init__()
        extra = int(math.log2(stride // 4))
        self.channels, self.stride = width, stride
        self.stem = nn.Sequential(
            nn.Conv2d(3, width // 4, 7, 2, 3), nn.BatchNorm2d(width // 4), nn.ReLU(inplace=True),
            Residual(width // 4, width // 2), nn.MaxPool2d(2), Residual(width // 2, width // 2),
            Residual(width // 2, width),
            *(part for _ in range(extra) for part in (nn.MaxPool2d(2), Residual(width, width))),
        )  # fmt: skip
        self.glasses = nn.ModuleList(
            nn.Sequential(
                Hourglass(ORDER - extra, width), Residual(width, width), nn.Conv2d(width, width, 1),
                nn.BatchNorm2d(width), nn.ReLU(inplace=True),
            ) for _ in range(stacks)
        )  # fmt: skip
        self.lasts = nn.ModuleList(nn.Conv2d(width, outputs, 1) for _ in range(stacks))
        self.back = nn.ModuleList(nn.Conv2d(outputs, width, 1) for _ in range(stacks - 1))
        self.on = nn.ModuleList(nn.Conv2d(width, width, 1) for _ in range(stacks - 1))

    def forward(self, rgb: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B S O h w"]:
        """Raw maps of every stack, the last one's last."""
        x = self.stem(rgb / 127.5 - 1)
        found = []
        for k, (glass, last) in enumerate(zip(self.glasses, self.lasts, strict=True)):
            features = glass(x)
            found.append(last(features))
            if k < len(self.back):
                x = x + self.on[k](features) + self.back[k](found[-1])
        return torch.stack(found, 1)
