"""Graph networks over joints and frames: blocks that are the same whatever the graph, and the graphs.

Conventions: features are (N, T, J, C): windows, frames, joints, channels. An affinity is a module from
features to row-stochastic matrices (N, T or 1, J, J): row i says how much joint i takes from each joint.
Formulae after Zhang et al. (arXiv:2109.07353), of which only the abstract could be read: layers and constants
are our reconstruction.
"""

import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from marey.core.skeletons import Skeleton

DILATIONS = {1: (0, 0, 0, 0), 3: (1, 0, 0, 0), 9: (1, 1, 1, 1), 27: (1, 3, 8, 1)}
"""Of the four blocks, by frames of a window: T − 2·Σr = 1; 0 is a kernel of one frame."""
FLOOR_QUANTILE = 0.05
"""A movement of this quantile of training is half noise (our choice)."""


def adjacency(skeleton: Skeleton) -> Float[Tensor, "J J"]:
    """The skeleton's limbs with self loops, rows normalised."""
    matrix = torch.eye(len(skeleton))
    for a, b in skeleton.limbs:
        matrix[a, b] = matrix[b, a] = 1
    return matrix / matrix.sum(1, keepdim=True)


def joints_loss(
    xyz: Float[Tensor, "N J 3"], truth: Float[Tensor, "N J 3"], parents: Sequence[int], bones: float
) -> dict[str, Tensor]:
    """Mean joint distance (MPJPE), and `bones` times the mean relative error of the bones' lengths.

    Where a direction is unsure the mean of what is possible is nearest, and it is short: distances alone
    teach bones that shrink with doubt, frame by frame. The second part forbids that (our choice). Joints
    that a set does not label (NaN in `truth`) count in neither.
    """
    known = ~truth[..., 0].isnan()
    truth = truth.nan_to_num()
    far = _mean((xyz - truth).norm(dim=-1), known)
    child = [k for k, above in enumerate(parents) if above >= 0]
    above = [parents[k] for k in child]
    made, wanted = ((held[:, child] - held[:, above]).square().sum(-1) for held in (xyz, truth))
    off = ((made + 1e-8).sqrt() / (wanted + 1e-8).sqrt() - 1).abs()  # 1e-8: no slope at 0
    short = _mean(off, known[:, child] & known[:, above])
    return {"loss": far + bones * short, "P1": far, "bones": short}


def _mean(values: Tensor, counted: Tensor) -> Tensor:
    return torch.where(counted, values, 0).sum() / counted.sum().clamp_min(1)


class Fixed(nn.Module):
    """Always the same graph."""

    def __init__(self, matrix: Float[Tensor, "J J"]):
        super().__init__()
        self.matrix = nn.Buffer(matrix, persistent=False)

    def forward(self, x: Float[Tensor, "N T J C"]) -> Float[Tensor, "N 1 J J"]:
        """The graph for each window."""
        return self.matrix.expand(x.shape[0], 1, -1, -1)


class Learned(nn.Module):
    """A graph that training finds, the same for every input; it starts near `matrix`."""

    def __init__(self, matrix: Float[Tensor, "J J"]):
        super().__init__()
        self.logits = nn.Parameter(torch.log(0.9 * matrix + 0.1 / len(matrix)))

    def forward(self, x: Float[Tensor, "N T J C"]) -> Float[Tensor, "N 1 J J"]:
        """The graph for each window."""
        return torch.softmax(self.logits, -1).expand(x.shape[0], 1, -1, -1)


class Distance(nn.Module):
    """DSG's graph: softmax of −β·|z_i − z_j|²/d over the K nearest joints, one graph a frame.

    With `among` (1: may be listened to) the joints are those, whatever is near: an ablation's control.
    """

    def __init__(self, width: int, nearest: int, among: Float[Tensor, "J J"] | None = None):
        super().__init__()
        self.embed = nn.Linear(width, width // 4, bias=False)
        self.sharpness = nn.Parameter(torch.zeros(()))
        self.nearest = nearest
        self.among = None if among is None else nn.Buffer(among)

    def forward(self, x: Float[Tensor, "N T J C"]) -> Float[Tensor, "N T J J"]:
        """The graph of each frame."""
        z = self.embed(x)
        with torch.autocast(x.device.type, enabled=False):  # nearby joints would be one in bfloat16
            z = z.float()
            squares = (z * z).sum(-1)
            far = squares[..., :, None] + squares[..., None, :] - 2 * z @ z.transpose(-1, -2)
            far = far.clamp_min(0) * (1 - torch.eye(far.shape[-1], device=far.device))
            scores = -self.sharpness.exp() * far / z.shape[-1]
            if self.among is not None:
                scores = torch.where(self.among > 0, scores, scores.new_full((), -math.inf))
            return nearest_softmax(scores, self.nearest)


class Attention(nn.Module):
    """Softmax of q_i·k_j/√d over all joints (Vaswani et al. 2017), one graph a frame.

    As dynamic as `Distance`, but who listens to whom need not be mutual, nor near: an ablation's rival.
    """

    def __init__(self, width: int):
        super().__init__()
        self.asks = nn.Linear(width, width // 4, bias=False)
        self.tells = nn.Linear(width, width // 4, bias=False)

    def forward(self, x: Float[Tensor, "N T J C"]) -> Float[Tensor, "N T J J"]:
        """The graph of each frame."""
        asked = self.asks(x) @ self.tells(x).transpose(-1, -2)
        return torch.softmax(asked.float() / math.sqrt(self.asks.out_features), -1)


class Movement(nn.Module):
    """DTG's graph: softmax of γ·cos of two joints' movements over the K most alike, one graph a window.

    A joint that hardly moves has no direction but its noise's: its row goes over to the skeleton's by
    ε²/(|m|² + ε²), ε the fifth percentile of |m| in training (followed while training). `relative` movements
    are those beside the mean of all joints: who walks through the picture moves all joints alike.
    """

    def __init__(self, width: int, alike: int, matrix: Float[Tensor, "J J"], *, relative: bool = False):
        super().__init__()
        self.relative = relative
        self.embed = nn.Linear(width, width // 4, bias=False)
        self.sharpness = nn.Parameter(torch.tensor(5.0))
        self.floor = nn.Buffer(torch.zeros(()))
        self.skeleton = nn.Buffer(matrix, persistent=False)
        self.alike = alike

    def forward(self, x: Float[Tensor, "N T J C"]) -> Float[Tensor, "N 1 J J"]:
        """The graph of each window."""
        z = self.embed(x)
        with torch.autocast(x.device.type, enabled=False):
            moved = (z[:, 1:] - z[:, :-1]).float().transpose(1, 2).flatten(2)
            if self.relative:
                moved = moved - moved.mean(1, keepdim=True)
            size = (moved * moved).sum(-1, keepdim=True)
            if self.training:
                self._follow(size)
            floor = (self.floor * self.floor).clamp_min(1e-12)
            unit = moved * torch.rsqrt(size + floor)
            like = self.sharpness * unit @ unit.transpose(-1, -2)
            eye = torch.eye(like.shape[-1], device=like.device)
            drawn = nearest_softmax(like, self.alike, keep=eye)
            still = floor / (size + floor)
            return ((1 - still) * drawn + still * self.skeleton)[:, None]

    @torch.no_grad()
    def _follow(self, size: Tensor) -> None:
        small = torch.quantile(size.flatten().sqrt(), FLOOR_QUANTILE)
        self.floor.copy_(small if self.floor == 0 else torch.lerp(self.floor, small, 0.05))


class Block(nn.Module):
    """A spatial step (W0 on itself, W1 along the affinity, W2 along the skeleton), then a temporal one.

    The temporal step adds what joints of like movement say, then convolves three frames `dilation` apart
    without padding (one frame where it is 0). Without W2 a joint would not know what it hangs on.
    """

    def __init__(
        self,
        width: int,
        spatial: nn.Module,
        temporal: nn.Module,
        bones: Tensor,
        dilation: int,
        dropout: float,
    ):
        super().__init__()
        self.spatial, self.temporal, self.dilation = spatial, temporal, dilation
        self.bones = nn.Buffer(bones, persistent=False)
        self.own = nn.Linear(width, width)
        self.along = nn.Linear(width, width, bias=False)
        self.limbs = nn.Linear(width, width, bias=False)
        self.mix = nn.Linear(width, width, bias=False)
        self.frames = nn.Linear((3 if dilation else 1) * width, width)
        self.after_space = Norm(width, dropout)
        self.after_time = Norm(width, dropout)

    def forward(self, x: Float[Tensor, "N T J C"]) -> tuple[Tensor, Tensor, Tensor]:
        """Features (N, T − 2·dilation, J, C), the middle frame's spatial graph and the window's temporal."""
        near = self.spatial(x)
        x = x + self.after_space(self.own(x) + near @ self.along(x) + self.bones @ self.limbs(x))
        alike = self.temporal(x)
        h, r = x + alike @ self.mix(x), self.dilation
        if r:
            last = x.shape[1] - 2 * r
            h = torch.cat([h[:, :last], h[:, r : r + last], h[:, 2 * r :]], -1)
            x = x[:, r : r + last]
        return x + self.after_time(self.frames(h)), near[:, near.shape[1] // 2], alike[:, 0]


class Norm(nn.Module):
    """Batch norm over everything but channels, ReLU, dropout."""

    def __init__(self, width: int, dropout: float):
        super().__init__()
        self.norm = nn.BatchNorm1d(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Float[Tensor, "N T J C"]) -> Tensor:
        """The same shape."""
        return self.dropout(torch.relu(self.norm(x.flatten(0, 2))).reshape(x.shape))


class GraphNet(nn.Module):
    """Embedding, four blocks, head: windows (N, T, J, inputs) to joints (N, J, 3) of the middle frame.

    `spatial` and `temporal` make the affinity of a block from the number of frames that reach it. Each joint
    adds a learned name to what it sees (our choice). A skeleton is the same with left and right exchanged,
    so without names a person's front could not be told from the back, nor the sign of depth.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        shape: tuple[int, int, int],
        spatial: Callable[[int], nn.Module],
        temporal: Callable[[int], nn.Module],
        dropout: float,
    ):
        super().__init__()
        frames, inputs, width = shape
        bones = adjacency(skeleton)
        self.embed = nn.Linear(inputs, width)
        self.names = nn.Parameter(0.5 * torch.randn(len(skeleton), width))
        self.first = Norm(width, 0.0)
        blocks, left = [], frames
        for dilation in DILATIONS[frames]:
            blocks.append(Block(width, spatial(left), temporal(left), bones, dilation, dropout))
            left -= 2 * dilation
        self.blocks = nn.ModuleList(blocks)
        self.head = nn.Linear(width, 3)
        nn.init.normal_(self.head.weight, std=0.01)  # eight residuals add up: start with everyone at the root

    def forward(self, xy: Float[Tensor, "N T J I"]) -> dict[str, Tensor]:
        """`xyz` (N, J, 3), and the graphs of the B blocks, `spatial` and `temporal` (N, B, J, J)."""
        x = self.first(self.embed(xy) + self.names)
        graphs: list[tuple[Tensor, Tensor]] = []
        for block in self.blocks:
            x, near, alike = block(x)
            graphs.append((near, alike))
        spatial, temporal = (torch.stack(held, 1) for held in zip(*graphs, strict=True))
        return {"xyz": self.head(x)[:, 0], "spatial": spatial, "temporal": temporal}


def drawn(joints: int, count: int) -> Float[Tensor, "J J"]:
    """1 for each joint itself and `count` − 1 others, drawn at random."""
    order = torch.rand(joints, joints) + 2 * torch.eye(joints)
    return torch.zeros(joints, joints).scatter(1, torch.topk(order, count, dim=-1).indices, 1)


def nearest_softmax(scores: Tensor, count: int, keep: Tensor | None = None) -> Tensor:
    """Softmax over the `count` highest of each row; equals of the last count too, and `keep` (1: always).

    The threshold keeps ties together: no order of joints or devices is preferred.
    """
    if count < scores.shape[-1]:
        ranked = scores if keep is None else torch.where(keep > 0, scores.new_full((), math.inf), scores)
        least = torch.topk(ranked, count, dim=-1).values[..., -1:]
        scores = torch.where(ranked >= least, scores, scores.new_full((), -math.inf))
    return torch.softmax(scores, -1)
