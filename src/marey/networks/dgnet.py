"""The trainable twin of `methods/dgnet.py`: `trunks/graph.py` with the affinities that the settings name.

Our reconstruction (the paper's body was not to be had): four blocks of a spatial and a temporal graph step,
residual, batch norm; 495,627 parameters at T = 9, 128 channels and two inputs, and 17 × 128 of joints' names.
The loss is the mean distance of the joints (MPJPE) in statures, as in Martinez et al. and everyone since,
and with the setting `bones` a share of their lengths' error.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from marey.lifting.windows import H36M
from marey.methods.dgnet import DGNet
from marey.trunks.graph import (
    Attention,
    Distance,
    Fixed,
    GraphNet,
    Movement,
    adjacency,
    drawn,
    joints_loss,
)


class Exported(nn.Module):
    """What the network file computes: windows `xy` (B, T, 17, inputs) to joints and the graphs used."""

    inputs = ("xy",)
    outputs = ("xyz", "spatial", "temporal")

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, xy: Tensor) -> tuple[Tensor, ...]:
        """Joints (B, 17, 3) in statures; graphs (B, blocks, 17, 17)."""
        made = self.net(xy)
        return tuple(made[name] for name in self.outputs)


def build(settings: DGNet) -> GraphNet:
    """An untrained network."""
    bones = adjacency(H36M)

    def spatial(frames: int) -> nn.Module:
        if settings.affinity == "attention":
            return Attention(settings.width)
        if settings.affinity not in ("dynamic-spatial", "both"):
            return Fixed(bones)
        among = drawn(len(H36M), settings.nearest) if settings.neighbours == "drawn" else None
        return Distance(settings.width, settings.nearest, among)

    def temporal(frames: int) -> nn.Module:
        if settings.affinity not in ("dynamic-temporal", "both"):
            return Fixed(torch.eye(len(H36M)))
        # one frame has no movement: there the graph is what a still joint's would be
        if frames == 1:
            return Fixed(bones)
        return Movement(settings.width, settings.alike, bones, relative=settings.relative)

    shape = (settings.frames, 2 + settings.confidence, settings.width)
    return GraphNet(H36M, shape, spatial, temporal, settings.dropout)


def example(settings: DGNet) -> Float[Tensor, "2 T 17 I"]:
    """Two windows to trace and compare with."""
    return torch.randn(2, settings.frames, len(H36M), 2 + settings.confidence)


def loss(outputs: dict[str, Tensor], batch: dict[str, Tensor], settings: DGNet) -> dict[str, Tensor]:
    """`joints_loss`; `batch["xyz"]` (B, 17, 3) in statures, root at 0."""
    return joints_loss(outputs["xyz"], batch["xyz"], H36M.parents or (), settings.bones)
