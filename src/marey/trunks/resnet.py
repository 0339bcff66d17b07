"""ResNet (He et al. 2016): 18 and 50 from scratch (v1), 50 v2 (pre-activation) from ImageNet to stride 16.

Conventions: rgb 0–255 (B, 3, H, W); normalised by ImageNet's mean and deviation; padding symmetric; the
stride is on the 3×3 convolution.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


class Basic(nn.Module):
    """Two 3×3 convolutions (He et al., CVPR 2016, fig. 5 left)."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.body = nn.Sequential(
            _conv(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True),
            _conv(outputs, outputs, 3), nn.BatchNorm2d(outputs),
        )  # fmt: skip
        self.short = _short(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        return torch.relu(self.body(x) + self.short(x))


class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 (He et al., CVPR 2016, fig. 5 right; stride on the 3×3 as torchvision)."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        inner = outputs // 4
        self.body = nn.Sequential(
            _conv(inputs, inner, 1), nn.BatchNorm2d(inner), nn.ReLU(inplace=True),
            _conv(inner, inner, 3, stride), nn.BatchNorm2d(inner), nn.ReLU(inplace=True),
            _conv(inner, outputs, 1), nn.BatchNorm2d(outputs),
        )  # fmt: skip
        self.short = _short(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        return torch.relu(self.body(x) + self.short(x))


class PreBottleneck(nn.Module):
    """Bottleneck with norm and ReLU before each convolution (He et al., ECCV 2016, arXiv:1603.05027)."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        inner = outputs // 4
        self.norms = nn.ModuleList(nn.BatchNorm2d(c) for c in (inputs, inner, inner))
        self.convs = nn.ModuleList(
            (_conv(inputs, inner, 1), _conv(inner, inner, 3, stride), _conv(inner, outputs, 1))
        )
        self.short = _conv(inputs, outputs, 1, stride) if stride > 1 or inputs != outputs else None

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        y = torch.relu(self.norms[0](x))
        short = x if self.short is None else self.short(y)
        y = self.convs[0](y)
        y = self.convs[1](torch.relu(self.norms[1](y)))
        return self.convs[2](torch.relu(self.norms[2](y))) + short


def _short(inputs: int, outputs: int, stride: int) -> nn.Module:
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    return nn.Sequential(_conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))


_FORMS = {
    "r18": (Basic, (2, 2, 2, 2), (64, 128, 256, 512)),
    "r50": (Bottleneck, (3, 4, 6, 3), (256, 512, 1024, 2048)),
    "r50v2": (PreBottleneck, (3, 4, 6), (256, 512, 1024)),
}


class ResNet(nn.Module):
    """`form` is r18, r50 (stride 32) or r50v2 (stride 16, 1024 channels)."""

    def __init__(self, form: str):
        super().__init__()
        block, repeats, widths = _FORMS[form]
        self.register_buffer("mean", 255 * torch.tensor(MEAN).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", 255 * torch.tensor(DEVIATION).reshape(1, 3, 1, 1), persistent=False)
        self.first = nn.BatchNorm2d(3) if form == "r50v2" else None
        self.stem = _conv(3, 64, 7, 2)
        self.stem_norm = nn.BatchNorm2d(64)
        self.pool = nn.MaxPool2d(3, 2, 1)
        stages, inputs = [], 64
        for number, (count, outputs) in enumerate(zip(repeats, widths, strict=True)):
            blocks = []
            for k in range(count):
                blocks.append(block(inputs, outputs, 2 if k == 0 and number else 1))
                inputs = outputs
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.after = nn.BatchNorm2d(inputs) if form == "r50v2" else None
        self.channels, self.stride = inputs, 4 * 2 ** (len(widths) - 1)

    def forward(self, rgb: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C h w"]:
        """Features of the last stage."""
        x = (rgb - self.mean) / self.deviation
        if self.first is not None:
            x = self.first(x)
        x = self.pool(torch.relu(self.stem_norm(self.stem(x))))
        for stage in self.stages:
            x = stage(x)
        return x if self.after is None else torch.relu(self.after(x))
