"""The trainable twin of `methods/detector.py`: YOLOX-nano's layers, one class, any size of picture.

Conventions: `rgb` uint8 (B, H, W, 3), H and W multiples of 32 and otherwise free; cells as
`methods.detector.cells` lists them; `score` before the sigmoid, `box` as `methods.detector.decode` reads it.
YOLOX (Ge et al. 2021, arXiv:2107.08430) says apart how sure it is that a cell has something and what it is;
the score is the chance of both, in one number: starting from its weights, ours sees what it sees.
The loss: cells are assigned by task alignment (TOOD, Feng et al., ICCV 2021; constants as in its code and
YOLOv8): the ten cells inside a box whose score^½·IoU⁶ is highest answer for it. Their score should be their
IoU relative to the best of the box, by plain cross-entropy (varifocal loss, Zhang et al., CVPR 2021, left
empty cells at scores of 0.2 for hundreds of steps); their box is judged by generalised IoU (Rezatofighi et
al., CVPR 2019). Cells inside an ignore region that answer for nobody count neither way.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from marey.methods.detector import FURTHEST, cells
from marey.methods.detector import Detector as Settings
from marey.trunks import starts
from marey.trunks.csp import CHANNELS, CSPDarknet, Pyramid, conv, separable
from marey.trunks.mobilenet import ScaledConv

WIDTH = 64
"""Channels of the heads."""
PERSON = 0
"""Person's number among COCO's 80 classes."""
PRIOR = 0.1
"""Score of every cell before training, of having something and of that being a person each: 0.01 together,
as nearly all are empty (RetinaNet, Lin et al., ICCV 2017)."""
BEST, SCORE_POWER, IOU_POWER = 10, 0.5, 6.0
BOX_WEIGHT = 2.5
"""PP-YOLOE's (Xu et al. 2022)."""


class Head(nn.Module):
    """What the cells of one level say: whether there is something, whether a person, and its box."""

    def __init__(self, channels: int):
        super().__init__()
        self.stem = conv(channels, WIDTH)
        self.kind = nn.Sequential(separable(WIDTH, WIDTH), separable(WIDTH, WIDTH))
        self.place = nn.Sequential(separable(WIDTH, WIDTH), separable(WIDTH, WIDTH))
        self.person, self.thing, self.box = last(1), last(1), last(4)
        with torch.no_grad():
            for part in (self.person, self.thing):
                part.bias.fill_(math.log(PRIOR / (1 - PRIOR)))

    def forward(self, x: Float[Tensor, "B C h w"]) -> tuple[Float[Tensor, "B A"], Float[Tensor, "B A 4"]]:
        """`score` and `box` of the level's cells."""
        x = self.stem(x)
        place = self.place(x)
        score = both(self.thing(place), self.person(self.kind(x)))
        return score.flatten(1), self.box(place).flatten(2).transpose(1, 2)


class Detector(nn.Module):
    """Score and box of every cell."""

    def __init__(self):
        super().__init__()
        self.trunk = CSPDarknet()
        self.pyramid = Pyramid()
        self.heads = nn.ModuleList(Head(channels) for channels in CHANNELS)

    def forward(self, rgb: UInt8[Tensor, "B H W 3"]) -> tuple[Float[Tensor, "B A"], Float[Tensor, "B A 4"]]:
        """`score` and `box` of all cells, finest level first."""
        maps = self.pyramid(self.trunk(rgb.permute(0, 3, 1, 2).to(torch.float32)))
        found = [head(x) for head, x in zip(self.heads, maps, strict=True)]
        return torch.cat([score for score, _ in found], 1), torch.cat([box for _, box in found], 1)


def last(outputs: int) -> ScaledConv:
    """A 1×1 without an activation that says little at first."""
    made = ScaledConv(WIDTH, outputs)
    nn.init.constant_(made.scale, 0.1)
    return made


def both(a: Tensor, b: Tensor) -> Tensor:
    """The log-odds of two things at once whose chances are sigmoid(a) and sigmoid(b).

    They are −ln(e^−a + e^−b + e^(−a−b)), here with the largest term taken out.
    """
    terms = [term.float() for term in (-a, -b, -a - b)]
    most = torch.maximum(torch.maximum(terms[0], terms[1]), terms[2]).detach()
    return -most - sum((term - most).exp() for term in terms).log()


class Exported(nn.Module):
    """What the network file computes: `score` and `box`."""

    outputs = ("score", "box")
    free: ClassVar = {1: "cells"}

    def __init__(self, net: Detector):
        super().__init__()
        self.net = net

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        """`score` and `box` of all cells."""
        return self.net(rgb)


def build(settings: Settings) -> Detector:
    """An untrained network; the settings are those of a run and change nothing in it."""
    return Detector()


@torch.no_grad()
def start(net: Detector, settings: Settings, arrays: starts.Arrays) -> None:
    """Take over YOLOX-nano, of its 80 classes the people."""
    ends = [end for head in net.heads for end in (head.person, head.thing, head.box)]
    convolutions = [m for m in net.modules() if isinstance(m, ScaledConv) and m not in ends]
    starts.yolox(convolutions, arrays)
    for level, head in enumerate(net.heads):
        for end, name in ((head.person, "cls"), (head.thing, "obj"), (head.box, "reg")):
            weight, bias = (
                torch.from_numpy(arrays[f"head.{name}_preds.{level}.{part}"]) for part in ("weight", "bias")
            )
            rows = slice(PERSON, PERSON + 1) if name == "cls" else slice(None)
            end.fill(weight[rows], bias[rows])
        head.box.bias[:2] -= 0.5  # YOLOX counts from a cell's corner, we from its middle


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
    score, box = outputs
    height, width = batch["rgb"].shape[1:3]
    points = torch.from_numpy(cells((width, height))).to(score.device)
    targets = Targets(batch["boxes"], batch["real"], batch["ignore"])
    boxes = cell_boxes(box, points)
    with torch.no_grad():
        wanted, owner = assign(score.sigmoid(), boxes, points, targets)
        counted = (wanted > 0) | ~_inside(points, targets.ignore).any(1)
    total = wanted.sum().clamp_min(1.0)
    by_score = F.binary_cross_entropy_with_logits(score[counted], wanted[counted], reduction="sum") / total
    mine = wanted > 0
    truth = targets.boxes.gather(1, owner[..., None].expand(-1, -1, 4))[mine]
    by_box = ((1 - giou(boxes[mine], truth)) * wanted[mine]).sum() / total
    return {"loss": by_score + BOX_WEIGHT * by_box, "score": by_score.detach(), "box": by_box.detach()}


def cell_boxes(box: Float[Tensor, "B A 4"], points: Float[Tensor, "A 3"]) -> Float[Tensor, "B A 4"]:
    """Boxes in input px (`methods.detector.decode`)."""
    middle = points[:, :2] + box[..., :2] * points[:, 2:]
    half = box[..., 2:].clamp(-FURTHEST, FURTHEST).exp() * points[:, 2:] / 2
    return torch.cat([middle - half, middle + half], -1)


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
