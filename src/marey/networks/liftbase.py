"""The trainable twin of `methods/liftbase.py`, written from the papers.

`mlp`: Martinez et al., §3.2: a linear layer to `width`, two residual blocks of two linear layers, each with
batch norm, ReLU and dropout; 4.29 M parameters at 1024. `temporal`: Pavllo et al., §3 and figure 2: an
expanding convolution of three frames, then blocks of a dilated convolution (3, 9, 27, …) and one of kernel 1
with a residual cut at both ends. `learned`: the graph network with affinities free to learn.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from marey.lifting.windows import H36M
from marey.methods.liftbase import LiftBase
from marey.trunks.graph import GraphNet, Learned, adjacency, joints_loss


class Exported(nn.Module):
    """What the network file computes: windows `xy` (B, T, 17, inputs) to joints (B, 17, 3) in statures."""

    inputs = ("xy",)
    outputs = ("xyz",)

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, xy: Tensor) -> Tensor:
        """The joints of the middle moment."""
        return self.net(xy)["xyz"]


class FrameNet(nn.Module):
    """One frame, all joints in one vector."""

    def __init__(self, settings: LiftBase):
        super().__init__()
        width, inputs = settings.width, (2 + settings.confidence) * len(H36M)
        self.first = _linear(inputs, width, settings.dropout)
        self.blocks = nn.ModuleList(
            nn.Sequential(_linear(width, width, settings.dropout), _linear(width, width, settings.dropout))
            for _ in range(2)
        )
        self.head = nn.Linear(width, 3 * len(H36M))

    def forward(self, xy: Float[Tensor, "N 1 J I"]) -> dict[str, Tensor]:
        """`xyz` (N, J, 3)."""
        x = self.first(xy.flatten(1))
        for block in self.blocks:
            x = x + block(x)
        return {"xyz": self.head(x).reshape(xy.shape[0], len(H36M), 3)}


class TemporalNet(nn.Module):
    """Convolutions over time, all joints in one vector."""

    def __init__(self, settings: LiftBase):
        super().__init__()
        width, inputs = settings.width, (2 + settings.confidence) * len(H36M)
        self.first = _convolution(inputs, width, 3, 1, settings.dropout)
        self.blocks = nn.ModuleList()
        dilation = 3
        while dilation < settings.frames:
            self.blocks.append(
                nn.Sequential(
                    _convolution(width, width, 3, dilation, settings.dropout),
                    _convolution(width, width, 1, 1, settings.dropout),
                )
            )
            dilation *= 3
        self.head = nn.Conv1d(width, 3 * len(H36M), 1)

    def forward(self, xy: Float[Tensor, "N T J I"]) -> dict[str, Tensor]:
        """`xyz` (N, J, 3)."""
        x = self.first(xy.flatten(2).transpose(1, 2))
        dilation = 3
        for block in self.blocks:
            x = x[:, :, dilation:-dilation] + block(x)
            dilation *= 3
        return {"xyz": self.head(x)[..., 0].reshape(xy.shape[0], len(H36M), 3)}


def build(settings: LiftBase) -> nn.Module:
    """An untrained network."""
    if settings.kind == "mlp":
        return FrameNet(settings)
    if settings.kind == "temporal":
        return TemporalNet(settings)
    bones = adjacency(H36M)
    shape = (settings.frames, 2 + settings.confidence, settings.width)
    return GraphNet(
        H36M, shape, lambda _: Learned(bones), lambda _: Learned(torch.eye(len(H36M))), settings.dropout
    )


def example(settings: LiftBase) -> Float[Tensor, "2 T 17 I"]:
    """Two windows to trace and compare with."""
    return torch.randn(2, settings.frames, len(H36M), 2 + settings.confidence)


def loss(outputs: dict[str, Tensor], batch: dict[str, Tensor], settings: LiftBase) -> dict[str, Tensor]:
    """`joints_loss`; `batch["xyz"]` (B, 17, 3) in statures, root at 0."""
    return joints_loss(outputs["xyz"], batch["xyz"], H36M.parents or (), settings.bones)


def _linear(inputs: int, width: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(dropout))


def _convolution(inputs: int, width: int, kernel: int, dilation: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(inputs, width, kernel, dilation=dilation, bias=False),
        nn.BatchNorm1d(width),
        nn.ReLU(),
        nn.Dropout(dropout),
    )
