"""The trainable twin of `methods/baseline.py`.

Heads: on MoveNet's trunk MoveNet's own, else SimpleBaseline's three deconvolutions (Xiao et al., §2).
Outputs are logits (B, J, h, w) at stride 4 and one logit "not here" per joint; `loss` is the cross-entropy
of their joint softmax with a Gaussian about the truth. An hourglass gives such logits after every stack, and
all learn (Newell et al. 2016, §3.2). Networks that regress points have no maps: `PointHeads`.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from marey.core.errors import SettingsError
from marey.core.geometry import Side, size_of
from marey.methods.baseline import SKELETONS, Baseline
from marey.trunks import starts
from marey.trunks.hourglass import StackedHourglass
from marey.trunks.mobilenet import LIGHTNING, THUNDER, MobileNetV2, ScaledConv
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
        centre = _log_sigmoid(middles[:, 0]) - torch.log(middle + REACH)
        share = torch.softmax(8.0 * centre.flatten(1), 1).reshape(-1, 1, rows, columns)
        there = torch.cat([(place * share).sum((2, 3)) for place in (across, down)], 1)
        away = (regress * share).sum((2, 3)).reshape(-1, heat.shape[1], 2)  # y, x
        anchor = there[:, None] + away.flip(2)
        x_, y = (anchor[..., k, None, None].detach() for k in (0, 1))
        far = torch.sqrt((down - y) ** 2 + (across - x_) ** 2 + 1e-6)
        logits = self.sharpness * (_log_sigmoid(heat) - torch.log(far + REACH))
        return {"logits": logits, "nowhere": self.nowhere.expand(logits.shape[0], -1), "anchor": anchor}


class WideHeads(nn.Module):
    """Logits to add to MoveNet's, by a way from coarse to fine wider than its 24 channels (our choice).

    Strides 32, 16 and 8, each doubled from the one before and added to what the trunk has there; four logits
    a cell of stride 8 are one for each of stride 4. They begin as zeros.
    """

    def __init__(self, inputs: tuple[int, int, int], width: int, joints: int):
        super().__init__()
        self.inlets = nn.ModuleList(ScaledConv(count, width) for count in inputs)
        self.mixes = nn.ModuleList(ScaledConv(width, width, 3, act="relu") for _ in inputs[1:])
        self.last = nn.Conv2d(width, 4 * joints, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, maps: list[Float[Tensor, "B C h w"]]) -> Float[Tensor, "B J h w"]:
        """`maps` at strides 32, 16 and 8 to logits at stride 4."""
        x = self.inlets[0](maps[0])
        for map_, inlet, mix in zip(maps[1:], self.inlets[1:], self.mixes, strict=True):
            x = mix(
                F.relu(F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False) + inlet(map_))
            )
        return F.pixel_shuffle(self.last(x).float(), 2)


def _log_sigmoid(x: Tensor) -> Tensor:
    """As torch's, in a form that engines run faster than the logarithm of a sigmoid."""
    return -F.softplus(-x)


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


class StackHeads(nn.Module):
    """An hourglass has its last layers within: names for what it gives."""

    def __init__(self, joints: int):
        super().__init__()
        self.nowhere = nn.Parameter(torch.zeros(joints))

    def forward(self, maps: Float[Tensor, "B S J h w"]) -> dict[str, Tensor]:
        """Logits of the last stack, those before it, and the class "not here"."""
        maps = maps.float()
        nowhere = self.nowhere.expand(maps.shape[0], -1)
        return {"logits": maps[:, -1], "earlier": maps[:, :-1], "nowhere": nowhere}


class PointHeads(nn.Module):
    """The trunk's mean over the crop, and one linear layer to x, y and "is it here" of each joint.

    DeepPose (Toshev and Szegedy, CVPR 2014) has two layers of 4096 before; on a ResNet one after the mean is
    usual (our choice).
    """

    def __init__(self, inputs: int, joints: int, side: Side):
        super().__init__()
        self.joints, self.size = joints, size_of(side)
        self.last = nn.Linear(inputs, 3 * joints)
        nn.init.normal_(self.last.weight, std=0.001)
        nn.init.zeros_(self.last.bias)

    def forward(self, x: Float[Tensor, "B C h w"]) -> dict[str, Tensor]:
        """`xy` (B, J, 2) crop pixels and `here` (B, J), a logit."""
        mean = x.mean((2, 3))
        with torch.autocast("cuda" if x.is_cuda else "cpu", enabled=False):  # bfloat16 would round pixels
            made = self.last(mean.float())
        shares = 0.5 + made[:, : 2 * self.joints].unflatten(1, (self.joints, 2))
        xy = shares * torch.tensor(self.size, device=x.device)
        return {"xy": xy, "here": made[:, 2 * self.joints :]}


class BaselineNet(nn.Module):
    """rgb 0–255 (B, 3, H, W) to logits, or to points."""

    def __init__(self, settings: Baseline):
        super().__init__()
        joints = len(SKELETONS[settings.skeleton])
        if settings.backbone == "hourglass":
            self.trunk: nn.Module = StackedHourglass(joints, settings.stacks, settings.width)
        elif settings.backbone.startswith("movenet"):
            self.trunk = MoveNetTrunk(THUNDER if settings.backbone == "movenet-thunder" else LIGHTNING)
        elif settings.backbone == "mobilenet":
            self.trunk = _LastMap(MobileNetV2(taps=(16,)))
        else:
            self.trunk = ResNet(settings.backbone)
        self.heads = _heads(settings, self.trunk, joints)
        self.wide = _wide(settings, self.trunk, joints)

    def forward(self, rgb: Float[Tensor, "B 3 H W"]) -> dict[str, Tensor]:
        """`logits` (B, J, h, w) and `nowhere` (B, J), or `xy` and `here`."""
        if self.wide is None:
            return self.heads(self.trunk(rgb))
        maps, top = self.trunk.levels(rgb)
        found = self.heads(self.trunk.pyramid(maps, top))
        return {**found, "logits": found["logits"] + self.wide([top, *maps[:0:-1]])}


def _heads(settings: Baseline, trunk: Any, joints: int) -> nn.Module:
    if settings.head == "points":
        if settings.backbone == "hourglass":
            raise SettingsError("head 'points': an hourglass has no features but maps; take another backbone")
        return PointHeads(trunk.channels, joints, settings.side)
    if settings.backbone == "hourglass":
        return StackHeads(joints)
    if settings.backbone.startswith("movenet"):
        return PriorHeads(joints)
    return DeconvHeads(trunk.channels, trunk.stride, joints, settings.width)


def _wide(settings: Baseline, trunk: nn.Module, joints: int) -> WideHeads | None:
    if not settings.wide:
        return None
    if not isinstance(trunk, MoveNetTrunk):
        raise SettingsError(
            f"wide: backbone {settings.backbone!r} has no narrow way to widen; take MoveNet's"
        )
    return WideHeads(trunk.inputs, settings.wide, joints)


class Exported(nn.Module):
    """What the network file computes: rgb uint8 (B, H, W, 3) to `heat`, probabilities (B, J, h, w).

    A network of points gives `xy` (B, J, 2) in crop pixels and `score` (B, J). Where nothing in the network
    knows the crop's side, crops of others go as well.
    """

    outputs: tuple[str, ...] = ("heat",)
    free: dict[int, str] | None = None

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net
        if isinstance(getattr(net, "heads", None), PointHeads):
            self.outputs = ("xy", "score")
        elif isinstance(getattr(net, "heads", None), PriorHeads | DeconvHeads):
            self.free = {2: "rows", 3: "columns"}

    def forward(self, rgb: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Probabilities of cells; what is missing to 1 is the class "not here"."""
        found = self.net(rgb.permute(0, 3, 1, 2).to(torch.float32))
        if "xy" in found:
            return found["xy"], torch.sigmoid(found["here"])
        logits, nowhere = found["logits"], found["nowhere"]
        shares = torch.softmax(torch.cat([logits.flatten(2), nowhere[..., None]], 2), 2)
        return shares[..., :-1].reshape(logits.shape)


class _LastMap(nn.Module):
    channels = 320
    stride = 32

    def __init__(self, body: MobileNetV2):
        super().__init__()
        self.body = body

    def forward(self, rgb: Tensor) -> Tensor:
        return self.body(rgb / 127.5 - 1)[-1]


def build(settings: Baseline) -> BaselineNet:
    """An untrained network."""
    return BaselineNet(settings)


def start(net: BaselineNet, settings: Baseline, arrays: starts.Arrays) -> None:
    """Fill a network from what its backbone starts from."""
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
    `absent` (B, J) 1 where the set looked for the joint and did not label it; with a teacher its maps
    `taught` (B, J, h, w) and their share of the maps' loss, `teaching` (B,).
    """
    if "xy" in outputs:
        return _point_loss(outputs, batch, settings)
    if "earlier" in outputs:
        stacks = [*outputs["earlier"].unbind(1), outputs["logits"]]
        each = [_map_loss({**outputs, "logits": logits}, batch, settings) for logits in stacks]
        return {key: torch.stack([parts[key] for parts in each]).mean() for key in each[0]}
    return _map_loss(outputs, batch, settings)


def _point_loss(
    outputs: dict[str, Tensor], batch: dict[str, Tensor], settings: Baseline
) -> dict[str, Tensor]:
    """Smooth L1 in cells of four pixels for joints in the crop, and whether they are there."""
    xy, weight, absent = batch["xy"], batch["weight"], batch["absent"]
    inside = _inside(xy, size_of(settings.side)) * (1 - absent)
    off = F.smooth_l1_loss(outputs["xy"] / 4, xy / 4, reduction="none").sum(-1)
    points = (off * weight * inside).sum() / weight.sum().clamp_min(1)
    says = weight + ABSENT * absent
    here = F.binary_cross_entropy_with_logits(outputs["here"], inside, reduction="none")
    here = (here * says).sum() / says.sum().clamp_min(1)
    return {"loss": points + here, "points": points, "here": here}


def _map_loss(outputs: dict[str, Tensor], batch: dict[str, Tensor], settings: Baseline) -> dict[str, Tensor]:
    rows, columns = outputs["logits"].shape[-2:]
    settings = replace(settings, side=(4 * columns, 4 * rows))  # crops may be of several sides
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
    maps = parts["maps"]
    if "taught" in batch:
        taught, share = batch["taught"], batch["teaching"].mean()
        elsewhere = 1 - taught.sum((2, 3))
        parts["taught"] = -((taught * cells).sum((2, 3)) + elsewhere * not_here).mean()
        maps = (1 - share) * maps + share * parts["taught"]
    return {"loss": maps + ANCHOR * parts.get("anchor", 0.0), **parts}


def log_share(outputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Log probabilities of the cells (B, J, h, w) and of "not here" (B, J)."""
    logits, nowhere = outputs["logits"], outputs["nowhere"]
    shares = torch.log_softmax(torch.cat([logits.flatten(2), nowhere[..., None]], 2), 2)
    return shares[..., :-1].reshape(logits.shape), shares[..., -1]


def render(xy: Float[Tensor, "B J 2"], settings: Baseline) -> tuple[Tensor, Tensor]:
    """The codec's `heat` and `nowhere` on the device, every joint taken as labelled."""
    size, stride = size_of(settings.side), 4
    inside = _inside(xy, size)
    place = torch.where(inside[..., None], xy, torch.zeros_like(xy)) / stride - 0.5
    place = torch.floor(place + 0.5) if settings.subpixel == "quarter" else place
    cells = (torch.arange(pixels // stride, dtype=xy.dtype, device=xy.device) for pixels in size)
    across, down = (
        torch.softmax(-0.5 * ((centres - place[..., k, None]) / settings.sigma) ** 2, -1)
        for k, centres in enumerate(cells)
    )
    heat = down[..., :, None] * across[..., None, :] * inside[..., None, None]
    return heat, (~inside).to(xy.dtype)


def _inside(xy: Float[Tensor, "B J 2"], size: tuple[int, int]) -> Tensor:
    """Whether joints lie in a crop of `size` = (width, height)."""
    return ((xy >= 0) & (xy < xy.new_tensor(size))).all(-1)
