"""The trainable twin of `methods/detector.py`: MoveNet Lightning's trunk, a light pyramid, one shared head.

Conventions: `rgb` uint8 (B, H, W, 3), H and W multiples of 32 and otherwise free; cells as
`methods.detector.cells` lists them; `score` before the sigmoid, `reach` before the exponential.
Ours: blocks 1 and 2 of the trunk, a quarter of the time at this size, keep 48 of 96 and 96 of 144 hidden
channels (`trunks/slim.py` chooses them), and the last block projects straight into the pyramid.
The loss: cells are assigned by task alignment (TOOD, Feng et al., ICCV 2021; constants as in its code and
YOLOv8): the ten cells inside a box whose score^½·IoU⁶ is highest answer for it. Their score should be their
IoU relative to the best of the box, by plain cross-entropy (varifocal loss, Zhang et al., CVPR 2021, left
empty cells at scores of 0.2 for hundreds of steps); their box is judged by generalised IoU (Rezatofighi et
al., CVPR 2019). Cells inside an ignore region that answer for nobody count neither way.
"""

import copy
import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from marey.core.errors import WeightsError
from marey.methods.detector import FURTHEST, STRIDES, cells
from marey.methods.detector import Detector as Settings
from marey.trunks import starts
from marey.trunks.mobilenet import LIGHTNING, Inverted, MobileNetV2, ScaledConv
from marey.trunks.movenet import MoveNetTrunk
from marey.trunks.slim import slim

SLIM = {1: 48, 2: 96}
"""Hidden channels kept, by block."""
TAPS = (5, 12, 16)
CHANNELS = 64
PRIOR = 0.01
"""Score of every cell before training: nearly all are empty (RetinaNet, Lin et al., ICCV 2017)."""
BEST, SCORE_POWER, IOU_POWER = 10, 0.5, 6.0
BOX_WEIGHT = 2.5
"""PP-YOLOE's (Xu et al. 2022)."""


class Separable(nn.Module):
    """Depthwise 5×5 (a cell must see more than a limb), then 1×1 and ReLU6."""

    def __init__(self, channels: int):
        super().__init__()
        self.depthwise = ScaledConv(channels, channels, 5, groups=channels).unbiased()
        self.pointwise = ScaledConv(channels, channels, act="relu6")
        nn.init.normal_(self.depthwise.weight, std=0.1)
        with torch.no_grad():
            self.depthwise.weight[:, :, 2, 2] += 1.0

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Apply both."""
        # float32 always: oneDNN's gradient of this convolution takes 4.7 times as long in bf16
        with torch.autocast(x.device.type, enabled=False):
            x = self.depthwise(x.float())
        return self.pointwise(x)


class Detector(nn.Module):
    """Score and reach of every cell."""

    def __init__(self):
        super().__init__()
        self.body = MobileNetV2(LIGHTNING, taps=TAPS)
        for number, hidden in SLIM.items():
            wide = self.body.blocks[number]
            inputs, outputs = wide.expand.weight.shape[1], wide.project.weight.shape[0]
            self.body.blocks[number] = Inverted(inputs, outputs, hidden, wide.depthwise.stride)
        self.body.blocks[16].project = ScaledConv(LIGHTNING.stages[5] * 6, CHANNELS)
        self.laterals = nn.ModuleList(ScaledConv(LIGHTNING.stages[k], CHANNELS) for k in (2, 4))
        self.smooth = nn.ModuleList(Separable(CHANNELS) for _ in STRIDES)
        self.score = nn.Sequential(Separable(CHANNELS), Separable(CHANNELS))
        self.reach = nn.Sequential(Separable(CHANNELS), Separable(CHANNELS))
        self.score_last = ScaledConv(CHANNELS, 1)
        self.reach_last = ScaledConv(CHANNELS, 4)
        self.gain = nn.Parameter(torch.ones(len(STRIDES)))
        with torch.no_grad():
            for last, bias in ((self.score_last, math.log(PRIOR / (1 - PRIOR))), (self.reach_last, 1.0)):
                last.scale.fill_(0.1)
                last.bias.fill_(bias)

    def forward(self, rgb: UInt8[Tensor, "B H W 3"]) -> tuple[Float[Tensor, "B A"], Float[Tensor, "B A 4"]]:
        """`score` and `reach` of all cells."""
        return self.heads(self.pyramid(rgb.permute(0, 3, 1, 2).to(torch.float32) / 127.5 - 1))

    def heads(
        self, maps: list[Float[Tensor, "B C h w"]]
    ) -> tuple[Float[Tensor, "B A"], Float[Tensor, "B A 4"]]:
        """`score` and `reach` of the cells of all levels, finest first."""
        scores, reaches = [], []
        for level, coarse in enumerate(maps):
            x = self.smooth[level](coarse)
            scores.append(self.score_last(self.score(x)).flatten(1))
            reach = self.reach_last(self.reach(x)) * self.gain[level]
            reaches.append(reach.flatten(2).transpose(1, 2))
        return torch.cat(scores, 1), torch.cat(reaches, 1)

    def pyramid(self, x: Float[Tensor, "B 3 H W"]) -> list[Float[Tensor, "B C h w"]]:
        """Maps at strides 8, 16 and 32; each takes in the coarser one."""
        fine, middle, coarse = self.body(x)
        middle = self.laterals[1](middle) + F.interpolate(coarse, scale_factor=2.0, mode="nearest")
        fine = self.laterals[0](fine) + F.interpolate(middle, scale_factor=2.0, mode="nearest")
        return [fine, middle, coarse]


class RawStem(nn.Module):
    """A trunk's stem that takes 0–255 as they are: the normalisation lies in its weights.

    On processors an elementwise pass over the picture costs as much as the stem itself. What is padded is the
    value that normalises to zero.
    """

    MIDDLE = 127.5

    def __init__(self, stem: ScaledConv):
        super().__init__()
        with torch.no_grad():
            weight = stem.weight * (stem.scale * stem.size)[:, None, None, None]
            self.weight = nn.Parameter((weight / self.MIDDLE).half().float())  # as the file stores it
            self.bias = nn.Parameter((stem.bias - self.MIDDLE * self.weight.sum((1, 2, 3))).half().float())

    def forward(self, x: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C h w"]:
        """Convolve with stride 2, ReLU6."""
        return F.relu6(F.conv2d(F.pad(x, (0, 1, 0, 1), value=self.MIDDLE), self.weight, self.bias, 2))


class Exported(nn.Module):
    """What the network file computes: `score` and `reach`."""

    outputs = ("score", "reach")

    def __init__(self, net: Detector):
        super().__init__()
        self.net = copy.deepcopy(net)
        self.net.body.stem = RawStem(self.net.body.stem)

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        """`score` and `reach` of all cells."""
        return self.net.heads(self.net.pyramid(rgb.permute(0, 3, 1, 2).to(torch.float32)))


def build(settings: Settings) -> Detector:
    """An untrained network; the settings are those of a run and change nothing in it."""
    return Detector()


def start(net: Detector, settings: Settings, arrays: starts.Arrays, rgb: np.ndarray | None = None) -> None:
    """Take over MoveNet's trunk; `rgb` uint8 (B, H, W, 3) are pictures on which channels are chosen.

    Raises
    ------
    WeightsError
        Without pictures.
    """
    if rgb is None:
        raise WeightsError(
            "the detector's start chooses channels on training pictures: set train.steps above 0"
        )
    whole = MoveNetTrunk(LIGHTNING)
    starts.movenet_trunk(whole, arrays)
    net.body.stem.load_state_dict(whole.body.stem.state_dict())
    x = whole.body.stem(torch.from_numpy(rgb).permute(0, 3, 1, 2).float() / 127.5 - 1).detach()
    for number, (old, new) in enumerate(zip(whole.body.blocks, net.body.blocks, strict=True)):
        if number in SLIM:
            slim(old, new, x)
            x = new(x).detach()
        elif number < max(SLIM):
            new.load_state_dict(old.state_dict())
            x = new(x).detach()
        else:
            kept = {
                name: value
                for name, value in old.state_dict().items()
                if number < 16 or "project" not in name
            }
            new.load_state_dict(kept, strict=number < 16)
    even_out(net, rgb)


@torch.no_grad()
def even_out(net: Detector, rgb: UInt8[np.ndarray, "B H W 3"]) -> None:
    """Scale every layer that starts at random to outputs of standard deviation 1.

    This is LSUV (Mishkin and Matas 2016). The trunk's maps have deviations of 2 to 30: without this the
    pyramid's ReLU6 is at 0 or 6 nearly everywhere and nothing behind it learns.
    """
    done: set[nn.Module] = set()

    def scale(layer: ScaledConv, given: tuple[Tensor]) -> None:
        if layer not in done:
            done.add(layer)
            act, layer.act = layer.act, ""
            layer.size.div_(layer.forward(given[0]).std().clamp_min(1e-6))
            layer.act = act

    fresh = [net.body.blocks[16].project, *net.laterals, *net.smooth, *net.score, *net.reach]
    layers = [layer for part in fresh for layer in part.modules() if isinstance(layer, ScaledConv)]
    hooks = [layer.register_forward_pre_hook(scale) for layer in layers]
    net(torch.from_numpy(rgb))
    for hook in hooks:
        hook.remove()


@dataclass(frozen=True, slots=True)
class Targets:
    """People (padding where `real` is False) and ignore regions (padded with zeros), input px."""

    boxes: Float[Tensor, "B G 4"]
    real: Bool[Tensor, "B G"]
    ignore: Float[Tensor, "B I 4"]


def loss(outputs: tuple[Tensor, Tensor], batch: dict[str, Tensor], settings: Settings) -> dict[str, Tensor]:
    """`loss` (to minimise) and its parts, relative to the sum of the target scores.

    `batch`: `rgb` and the fields of `Targets`.
    """
    score, reach = outputs
    height, width = batch["rgb"].shape[1:3]
    points = torch.from_numpy(cells((width, height))).to(score.device)
    targets = Targets(batch["boxes"], batch["real"], batch["ignore"])
    boxes = cell_boxes(reach, points)
    with torch.no_grad():
        wanted, owner = assign(score.sigmoid(), boxes, points, targets)
        counted = (wanted > 0) | ~_inside(points, targets.ignore).any(1)
    total = wanted.sum().clamp_min(1.0)
    by_score = F.binary_cross_entropy_with_logits(score[counted], wanted[counted], reduction="sum") / total
    mine = wanted > 0
    truth = targets.boxes.gather(1, owner[..., None].expand(-1, -1, 4))[mine]
    by_box = ((1 - giou(boxes[mine], truth)) * wanted[mine]).sum() / total
    return {"loss": by_score + BOX_WEIGHT * by_box, "score": by_score.detach(), "box": by_box.detach()}


def cell_boxes(reach: Float[Tensor, "B A 4"], points: Float[Tensor, "A 3"]) -> Float[Tensor, "B A 4"]:
    """Boxes in input px."""
    far = reach.clamp(-FURTHEST, FURTHEST).exp() * points[:, 2:]
    return torch.cat([points[:, :2] - far[..., :2], points[:, :2] + far[..., 2:]], -1)


def assign(
    score: Float[Tensor, "B A"], boxes: Float[Tensor, "B A 4"], points: Float[Tensor, "A 3"], targets: Targets
) -> tuple[Float[Tensor, "B A"], Tensor]:
    """Wanted score of every cell (0: answers for nobody) and the person it answers for."""
    iou = _iou(targets.boxes, boxes)
    align = score[:, None].pow(SCORE_POWER) * iou.pow(IOU_POWER)
    align = align * _inside(points, targets.boxes) * targets.real[..., None]
    least = align.topk(min(BEST, align.shape[2]), dim=2).values[..., -1:]
    chosen = (align >= least) & (align > 0)
    owner = torch.where(chosen, iou, -torch.ones_like(iou)).argmax(1)
    chosen &= F.one_hot(owner, targets.boxes.shape[1]).transpose(1, 2).bool()
    align, iou = align * chosen, iou * chosen
    scaled = align / align.amax(2, keepdim=True).clamp_min(1e-30) * iou.amax(2, keepdim=True)
    return scaled.amax(1), owner


def giou(a: Float[Tensor, "N 4"], b: Float[Tensor, "N 4"]) -> Float[Tensor, " N"]:
    """Generalised IoU of pairs."""
    shared = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp_min(0).prod(1)
    union = (a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - shared
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(1)
    return shared / union.clamp_min(1e-6) - (hull - union) / hull.clamp_min(1e-6)


def _iou(a: Float[Tensor, "B G 4"], b: Float[Tensor, "B A 4"]) -> Float[Tensor, "B G A"]:
    low = torch.maximum(a[:, :, None, :2], b[:, None, :, :2])
    high = torch.minimum(a[:, :, None, 2:], b[:, None, :, 2:])
    shared = (high - low).clamp_min(0).prod(-1)
    sizes = (a[..., 2:] - a[..., :2]).prod(-1)[:, :, None] + (b[..., 2:] - b[..., :2]).prod(-1)[:, None]
    return shared / (sizes - shared).clamp_min(1e-6)


def _inside(points: Float[Tensor, "A 3"], boxes: Float[Tensor, "B G 4"]) -> Bool[Tensor, "B G A"]:
    x, y = points[:, 0], points[:, 1]
    left, top, right, bottom = (boxes[..., k, None] for k in range(4))
    return (x > left) & (x < right) & (y > top) & (y < bottom)
