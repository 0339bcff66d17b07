"""The trainable twin of `methods/baseline.py`.

Heads: on MoveNet's trunk MoveNet's own, else SimpleBaseline's three deconvolutions (Xiao et al., §2).
Outputs are logits (B, J, h, w) at stride 4 and one logit "not here" per joint; `loss` is the cross-entropy
of their joint softmax with a Gaussian about the truth.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from marey.methods.baseline import SKELETONS, Baseline
from marey.trunks import starts
from marey.trunks.mobilenet import LIGHTNING, THUNDER, MobileNetV2
from marey.trunks.movenet import Head, MoveNetTrunk
from marey.trunks.resnet import ResNet

REACH = 1.8
"""MoveNet's own constant, in cells, in its weighting by distance (read in the graph)."""

ABSENT = 0.1
"""Weight of a joint that a set which labels such joints left out: often out of sight, at times only
skipped."""

ANCHOR = 0.1
"""Weight of the regression's loss (cells) beside the maps' (nats): it is to hold its place, not to lead."""


class PriorHeads(nn.Module):
    """MoveNet's decoding made differentiable, for people in the middle of the crop.

    MoveNet multiplies the sigmoid of its heat by 1 / (distance to the joint that the person's centre
    regresses to + 1.8) and takes the maximum. Here the logarithm of that product is the logit of a softmax,
    and the centre is read softly; untouched it decodes as MoveNet does. The place regressed to (`anchor`,
    cells) has a loss of its own and no gradient from the maps: through them it drifted off the ankles within
    a hundred steps. New joints mix MoveNet's.
    """

    def __init__(self, joints: int):
        super().__init__()
        self.heat = Head(joints)
        self.regress = Head(2 * joints)
        self.centre = Head(1)
        self.sharpness = nn.Parameter(torch.tensor(2.0))
        self.nowhere = nn.Parameter(torch.full((joints,), -6.0))

    def forward(self, x: Float[Tensor, "B C h w"]) -> dict[str, Tensor]:
        """Logits and the class "not here"."""
        rows, columns = x.shape[-2:]
        down = torch.arange(rows, dtype=torch.float32, device=x.device)[:, None]
        across = torch.arange(columns, dtype=torch.float32, device=x.device)
        # bfloat16 counts whole cells only up to 256 and fractions of them hardly at all
        heat, regress, middles = (head(x).float() for head in (self.heat, self.regress, self.centre))
        middle = torch.sqrt((down - rows / 2) ** 2 + (across - columns / 2) ** 2)
        centre = F.logsigmoid(middles[:, 0]) - torch.log(middle + REACH)
        share = torch.softmax(8.0 * centre.flatten(1), 1).reshape(-1, 1, rows, columns)
        y = ((regress[:, 0::2] + down) * share).sum((2, 3))[..., None, None]
        x_ = ((regress[:, 1::2] + across) * share).sum((2, 3))[..., None, None]
        anchor = torch.cat([x_, y], -1)[..., 0, :]
        far = torch.sqrt((down - y.detach()) ** 2 + (across - x_.detach()) ** 2 + 1e-6)
        logits = self.sharpness * (F.logsigmoid(heat) - torch.log(far + REACH))
        return {"logits": logits, "nowhere": self.nowhere.expand(logits.shape[0], -1), "anchor": anchor}


class DeconvHeads(nn.Module):
    """Three deconvolutions (fewer for a trunk of stride 16) and a 1×1 convolution (Xiao et al., §2)."""

    def __init__(self, inputs: int, stride: int, joints: int, width: int):
        super().__init__()
        layers: list[nn.Module] = []
        while stride > 4:
            layers += [
                nn.ConvTranspose2d(inputs, width, 4, 2, 1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(inplace=True),
            ]
            inputs, stride = width, stride // 2
        self.layers = nn.Sequential(*layers)
        self.last = nn.Conv2d(inputs, joints, 1)
        self.nowhere = nn.Parameter(torch.zeros(joints))
        nn.init.normal_(self.last.weight, std=0.001)
        nn.init.zeros_(self.last.bias)

    def forward(self, x: Float[Tensor, "B C h w"]) -> dict[str, Tensor]:
        """Logits and the class "not here"."""
        logits = self.last(self.layers(x))
        return {"logits": logits, "nowhere": self.nowhere.expand(logits.shape[0], -1)}


class BaselineNet(nn.Module):
    """rgb 0–255 (B, 3, side, side) to logits."""

    def __init__(self, settings: Baseline):
        super().__init__()
        joints = len(SKELETONS[settings.skeleton])
        if settings.backbone.startswith("movenet"):
            self.trunk = MoveNetTrunk(THUNDER if settings.backbone == "movenet-thunder" else LIGHTNING)
            self.heads: nn.Module = PriorHeads(joints)
        elif settings.backbone == "mobilenet":
            self.trunk = _LastMap(MobileNetV2(taps=(16,)))
            self.heads = DeconvHeads(320, 32, joints, 128)
        else:
            self.trunk = ResNet(settings.backbone)
            self.heads = DeconvHeads(self.trunk.channels, self.trunk.stride, joints, 256)

    def forward(self, rgb: Float[Tensor, "B 3 H W"]) -> dict[str, Tensor]:
        """Logits (B, J, h, w) and `nowhere` (B, J)."""
        return self.heads(self.trunk(rgb))


class Exported(nn.Module):
    """What the network file computes: rgb uint8 (B, H, W, 3) to `heat`, probabilities (B, J, h, w)."""

    outputs = ("heat",)

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, rgb: Tensor) -> Tensor:
        """Probabilities of cells; what is missing to 1 is the class "not here"."""
        found = self.net(rgb.permute(0, 3, 1, 2).to(torch.float32))
        logits, nowhere = found["logits"], found["nowhere"]
        shares = torch.softmax(torch.cat([logits.flatten(2), nowhere[..., None]], 2), 2)
        return shares[..., :-1].reshape(logits.shape)


class _LastMap(nn.Module):
    def __init__(self, body: MobileNetV2):
        super().__init__()
        self.body = body

    def forward(self, rgb: Tensor) -> Tensor:
        return self.body(rgb / 127.5 - 1)[-1]


def build(settings: Baseline) -> BaselineNet:
    """An untrained network."""
    return BaselineNet(settings)


def start(net: BaselineNet, settings: Baseline, arrays: starts.Arrays, rgb: np.ndarray | None = None) -> None:
    """Fill a network from what its backbone starts from; `rgb`, training pictures, is not needed for it."""
    if isinstance(net.trunk, MoveNetTrunk) and isinstance(net.heads, PriorHeads):
        mix = mixture(SKELETONS[settings.skeleton].joints)
        starts.movenet_trunk(net.trunk, arrays)
        starts.movenet_head(net.heads.heat, arrays, "heat", mix)
        starts.movenet_head(net.heads.regress, arrays, "regress", np.kron(mix, np.eye(2)))
        starts.movenet_head(net.heads.centre, arrays, "centre")
    elif isinstance(net.trunk, _LastMap):
        starts.mobilenet(net.trunk.body, arrays)
    elif isinstance(net.trunk, ResNet):
        starts.resnet(net.trunk, arrays)


def mixture(joints: tuple[str, ...]) -> np.ndarray:
    """Rows that make `joints` of MoveNet's 17 (COCO's): LSP's neck and head top are on the line through both.

    The neck lies 0.2 of the way from the shoulders' middle to the ears', the head top as far above the ears
    as they are above 0.15 of that way (our guess, off by less than 0.2 of a torso on LSP; training corrects
    it).
    """
    names = SKELETONS["coco17"].joints
    rows = np.zeros((len(joints), len(names)))
    shoulders, ears = np.zeros(len(names)), np.zeros(len(names))
    shoulders[[names.index("left_shoulder"), names.index("right_shoulder")]] = 0.5
    ears[[names.index("left_ear"), names.index("right_ear")]] = 0.5
    for k, joint in enumerate(joints):
        if joint in names:
            rows[k, names.index(joint)] = 1
        else:
            rows[k] = 0.8 * shoulders + 0.2 * ears if joint == "neck" else 1.75 * ears - 0.75 * shoulders
    return rows


def loss(outputs: dict[str, Tensor], batch: dict[str, Tensor], settings: Baseline) -> dict[str, Tensor]:
    """`loss` (to minimise) and what it is made of.

    `batch`: `xy` (B, J, 2) crop pixels (any value where not labelled), `weight` (B, J) ≥ 0, 0 = not labelled,
    `absent` (B, J) 1 where the set looked for the joint and did not label it.
    """
    target, nowhere = render(batch["xy"], settings)
    weight, absent = batch["weight"], batch["absent"]
    if settings.loss == "mse":  # the paper's loss on maps of peak 1, for comparison
        peak = target / target.amax((2, 3), keepdim=True).clamp_min(1e-6)
        each = F.mse_loss(torch.sigmoid(outputs["logits"]), peak, reduction="none").sum((2, 3))
        return {"loss": (each * weight).sum() / weight.sum().clamp_min(1)}
    cells, not_here = log_share(outputs)
    each = -(target * cells).sum((2, 3)) - nowhere * not_here
    total = (each * weight).sum() - ABSENT * (not_here * absent).sum()
    parts = {"maps": total / (weight.sum() + ABSENT * absent.sum()).clamp_min(1)}
    if "anchor" in outputs:
        off = F.smooth_l1_loss(outputs["anchor"], batch["xy"] / 4 - 0.5, reduction="none", beta=2.0).sum(-1)
        parts["anchor"] = (off * weight).sum() / weight.sum().clamp_min(1)
    return {"loss": parts["maps"] + ANCHOR * parts.get("anchor", 0.0), **parts}


def log_share(outputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Log probabilities of the cells (B, J, h, w) and of "not here" (B, J)."""
    logits, nowhere = outputs["logits"], outputs["nowhere"]
    shares = torch.log_softmax(torch.cat([logits.flatten(2), nowhere[..., None]], 2), 2)
    return shares[..., :-1].reshape(logits.shape), shares[..., -1]


def render(xy: Float[Tensor, "B J 2"], settings: Baseline) -> tuple[Tensor, Tensor]:
    """The codec's `heat` and `nowhere` on the device, every joint taken as labelled."""
    count, stride = settings.side // 4, 4
    inside = ((xy >= 0) & (xy < settings.side)).all(-1)
    place = torch.where(inside[..., None], xy, torch.zeros_like(xy)) / stride - 0.5
    cells = torch.arange(count, dtype=xy.dtype, device=xy.device)
    bell = torch.softmax(-0.5 * ((cells - place[..., None]) / settings.sigma) ** 2, -1)
    heat = bell[:, :, 1, :, None] * bell[:, :, 0, None, :] * inside[..., None, None]
    return heat, (~inside).to(xy.dtype)
