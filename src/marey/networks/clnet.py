"""The trainable twin of `methods/clnet.py`.

Trunk, deconvolutions down to the stride asked for, neck, two heads; or an hourglass whose last layer gives
all three maps a joint. The sizes of neck and heads are read in `pytorch-ChetPose` (commit 6725601), the first
author's own precursor of the paper; its batch norm after the last layer is a bias here, which starts at the
prior of one cell in all of them. Last layers stay float32: offsets need more digits than bfloat16 has.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from marey.core.errors import SettingsError
from marey.core.geometry import size_of
from marey.estimation.cells import NEIGHBOUR
from marey.methods.clnet import SKELETONS, CLNet, codec
from marey.trunks import starts
from marey.trunks.hourglass import StackedHourglass
from marey.trunks.mobilenet import LIGHTNING, THUNDER, MobileNetV2
from marey.trunks.movenet import MoveNetTrunk
from marey.trunks.resnet import ResNet

ABSENT = 0.1
"""Weight of a joint that a set which labels such joints left out: the baseline's, so both learn alike."""

ALPHA, GAMMA = 0.9, 2
"""Of the focal squared error (`pytorch-ChetPose`, losses.py)."""

FOCAL = 1000 / 49
"""The precursor's weight 1000 of a mean over 7² cells, as the weight of a sum over any number of them."""


class MobileTrunk(nn.Module):
    """MobileNetV2 up to its last block: 320 channels at stride 32."""

    channels = 320
    stride = 32

    def __init__(self):
        super().__init__()
        self.body = MobileNetV2(taps=(16,))

    def forward(self, rgb: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 320 h w"]:
        """Features of rgb 0–255."""
        return self.body(rgb / 127.5 - 1)[-1]


class Dilated(nn.Module):
    """DetNet's bottleneck: 1×1, 3×3 of dilation 2, 1×1 (Li et al. 2018, arXiv:1804.06215, fig. 2).

    `project` puts a 1×1 on the shortcut (the paper's block B; without it, block A).
    """

    def __init__(self, inputs: int, width: int, *, project: bool = False):
        super().__init__()
        self.body = nn.Sequential(
            *_unit(inputs, width, 1), *_unit(width, width, 3, dilation=2), *_unit(width, width, 1)[:2]
        )
        self.short = nn.Sequential(*_unit(inputs, width, 1)[:2]) if project else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        return torch.relu(self.body(x) + self.short(x))


class Heads(nn.Module):
    """One hidden layer a head, or one for both; maps (B, 1, 3·J, h, w): heat, then x and y of each joint."""

    def __init__(self, inputs: int, joints: int, settings: CLNet):
        super().__init__()
        hidden = 2 * settings.width
        self.heat_hidden = nn.Sequential(*_unit(inputs, hidden, 1))
        self.offset_hidden = nn.Sequential(*_unit(inputs, hidden, 1)) if settings.split else None
        self.heat = nn.Conv2d(hidden, joints, 1)
        self.offset = nn.Conv2d(hidden, 2 * joints, 1)
        for last in (self.heat, self.offset):
            nn.init.normal_(last.weight, std=0.001)
            nn.init.zeros_(last.bias)

    def forward(self, x: Float[Tensor, "B C h w"]) -> Float[Tensor, "B 1 M h w"]:
        """Raw maps."""
        heat = self.heat_hidden(x)
        offset = heat if self.offset_hidden is None else self.offset_hidden(x)
        with torch.autocast("cuda" if x.is_cuda else "cpu", enabled=False):
            return torch.cat([self.heat(heat.float()), self.offset(offset.float())], 1)[:, None]


class CompositeNet(nn.Module):
    """rgb 0–255 (B, 3, H, W) to heat logits and offsets of every stack (one unless an hourglass)."""

    def __init__(self, settings: CLNet):
        super().__init__()
        codec(settings)  # refuses what does not fit
        self.settings, self.joints = settings, len(SKELETONS[settings.skeleton])
        self.nowhere = nn.Parameter(torch.zeros(self.joints))
        if settings.backbone == "hourglass":
            if settings.neck:
                raise SettingsError("neck: an hourglass has none; leave it out")
            self.trunk = StackedHourglass(3 * self.joints, settings.stacks, settings.width, settings.stride)
            self.heads: nn.Module = nn.Identity()
            lasts = list(self.trunk.lasts)
        else:
            self.trunk = _trunk(settings)
            up, inputs = _up(self.trunk.channels, self.trunk.stride, settings)
            neck = _neck(inputs, settings.width) if settings.neck else []
            heads = Heads(settings.width if settings.neck else inputs, self.joints, settings)
            self.heads, lasts = nn.Sequential(*up, *neck, heads), [heads.heat]
        if settings.loss != "cross-entropy":
            cells = math.prod(codec(settings).cells)
            for last in lasts:
                nn.init.constant_(last.bias[: self.joints], -math.log(cells - 1))

    def forward(self, rgb: Float[Tensor, "B 3 H W"]) -> dict[str, Tensor]:
        """`heat` (B, S, J, h, w) logits, `offset` (B, S, J, 2, h, w) in cells, `nowhere` (B, J) logits."""
        maps = self.heads(self.trunk(rgb)).float()
        offset = maps[:, :, self.joints :].unflatten(2, (self.joints, 2))
        bounded = torch.sigmoid(offset) if self.settings.offsets == "cell" else offset + 0.5
        nowhere = self.nowhere.expand(maps.shape[0], -1)
        return {"heat": maps[:, :, : self.joints], "offset": bounded, "nowhere": nowhere}


class Exported(nn.Module):
    """What the network file computes: rgb uint8 (B, H, W, 3) to the last stack's maps."""

    outputs = ("heat", "offset")

    def __init__(self, net: CompositeNet):
        super().__init__()
        self.net = net

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        """`heat` (B, J, h, w), probabilities, and `offset` (B, J, 2, h, w), cells."""
        found = self.net(rgb.permute(0, 3, 1, 2).to(torch.float32))
        return probability(found["heat"][:, -1], found["nowhere"], self.net.settings), found["offset"][:, -1]


def build(settings: CLNet) -> CompositeNet:
    """An untrained network.

    Raises
    ------
    SettingsError
        If the trunk has no map as coarse as the stride asked for, or the crop does not fit.
    """
    return CompositeNet(settings)


def start(net: CompositeNet, settings: CLNet, arrays: starts.Arrays) -> None:
    """Fill the trunk from what it starts from; heads start anew."""
    if isinstance(net.trunk, MoveNetTrunk):
        starts.movenet_trunk(net.trunk, arrays)
    elif isinstance(net.trunk, MobileTrunk):
        starts.mobilenet(net.trunk.body, arrays)
    elif isinstance(net.trunk, ResNet):
        starts.resnet(net.trunk, arrays)
    else:
        raise SettingsError(f"start: {settings.backbone} has none; leave it out of the recipe")


def loss(outputs: dict[str, Tensor], batch: dict[str, Tensor], settings: CLNet) -> dict[str, Tensor]:
    """`loss` (to minimise) and what it is made of, means over labelled joints; of stacks, the mean.

    Heat: `binary` is a quarter of the cells' summed cross-entropy, `mse` their summed squared error (the
    quarter brings both to one size at the start), `cross-entropy` one choice among cells and "not here" as in
    `networks/baseline.py`, `focal` the precursor's. Sums, not means, so that a finer grid weighs the one cell
    that matters as much as a coarse one. Offsets: smooth L1 where `near` says, in cells, times `pull`.
    `batch` is that of `networks/baseline.py`: `xy` (B, J, 2) crop pixels, `weight`, `absent` (B, J).
    """
    target = render(batch["xy"], settings)
    absent, weight = batch["absent"], batch["weight"]
    target["heat"] = target["heat"] * (1 - absent)[..., None, None]
    target["nowhere"] = torch.maximum(target["nowhere"], absent)
    says = weight + ABSENT * absent
    heats, offsets = [], []
    for k in range(outputs["heat"].shape[1]):
        each = _heat_loss(outputs["heat"][:, k], outputs["nowhere"], target, says, settings)
        heats.append((each * says).sum() / says.sum().clamp_min(1))
        off = F.smooth_l1_loss(
            outputs["offset"][:, k], target["offset"], reduction="none", beta=settings.knee
        )
        off = (off.sum(2) * target["near"]).sum((2, 3))
        offsets.append((off * weight).sum() / weight.sum().clamp_min(1))
    heat, offset = torch.stack(heats).mean(), torch.stack(offsets).mean()
    return {"loss": heat + settings.pull * offset, "heat": heat, "offset": offset}


def render(xy: Float[Tensor, "B J 2"], settings: CLNet) -> dict[str, Tensor]:
    """The codec's `heat`, `offset`, `near` and `nowhere` on the device, every joint taken as labelled."""
    inside = ((xy >= 0) & (xy < xy.new_tensor(size_of(settings.side)))).all(-1)
    place = torch.where(inside[..., None], xy, torch.zeros_like(xy)) / settings.stride
    cells = (torch.arange(count, dtype=xy.dtype, device=xy.device) for count in codec(settings).cells)
    across, down = (place[..., k, None] - centres for k, centres in enumerate(cells))
    here, wide = inside[..., None, None], int(settings.offsets == "wide")

    def square(reach: int) -> Tensor:
        rows, columns = ((d >= -reach) & (d < 1 + reach) for d in (down, across))
        return rows[..., :, None] & columns[..., None, :] & here

    own, beside = square(0).to(xy.dtype), square(wide).to(xy.dtype)
    heat = own
    if settings.sigma:
        bells = [torch.softmax(-0.5 * ((d - 0.5) / settings.sigma) ** 2, -1) for d in (down, across)]
        heat = bells[0][..., :, None] * bells[1][..., None, :] * here
    grid = torch.stack(torch.broadcast_tensors(across[..., None, :], down[..., :, None]), 2)
    near = torch.zeros_like(own) if settings.offsets == "none" else own + NEIGHBOUR * (beside - own)
    return {
        "heat": heat,
        "offset": grid * beside[:, :, None],
        "near": near,
        "nowhere": (~inside).to(xy.dtype),
    }


def probability(heat: Tensor, nowhere: Tensor, settings: CLNet) -> Tensor:
    """Probabilities of cells (B, J, h, w) from logits."""
    if settings.loss != "cross-entropy":
        return torch.sigmoid(heat)
    shares = torch.softmax(torch.cat([heat.flatten(2), nowhere[..., None]], 2), 2)
    return shares[..., :-1].reshape(heat.shape)


def _heat_loss(
    logits: Tensor, nowhere: Tensor, target: dict[str, Tensor], says: Tensor, settings: CLNet
) -> Float[Tensor, "B J"]:
    """The heat's loss of each joint."""
    wanted = target["heat"]
    if settings.loss == "binary":
        return F.binary_cross_entropy_with_logits(logits, wanted, reduction="none").sum((2, 3)) / 4
    if settings.loss == "mse":
        return (torch.sigmoid(logits) - wanted).square().sum((2, 3))
    if settings.loss == "focal":
        return _focal(torch.sigmoid(logits), wanted, says)
    shares = torch.log_softmax(torch.cat([logits.flatten(2), nowhere[..., None]], 2), 2)
    return -(wanted.flatten(2) * shares[..., :-1]).sum(2) - target["nowhere"] * shares[..., -1]


def _focal(heat: Tensor, wanted: Tensor, says: Tensor) -> Float[Tensor, "B J"]:
    """Squared errors of right and wrong cells, each weighed by how wrong the batch is there (detached)."""
    weight = says[..., None, None]
    missed = (weight * wanted * (1 - heat)).sum() / (weight * wanted).sum().clamp_min(1e-6)
    raised = (weight * heat * (1 - wanted)).sum() / (weight * (1 - wanted)).sum().clamp_min(1e-6)
    right = missed.detach() ** GAMMA * (heat * wanted - wanted).square()
    wrong = raised.detach() ** GAMMA * (heat * (1 - wanted)).square()
    return FOCAL * (ALPHA * right + (1 - ALPHA) * wrong).sum((2, 3))


def _unit(inputs: int, outputs: int, kernel: int, dilation: int = 1) -> list[nn.Module]:
    pad = dilation * (kernel // 2)
    convolution = nn.Conv2d(inputs, outputs, kernel, padding=pad, dilation=dilation, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def _neck(inputs: int, width: int) -> list[nn.Module]:
    """Three DetNet blocks and four 3×3 convolutions (the precursor's)."""
    first = Dilated(inputs, width, project=True)
    blocks: list[nn.Module] = [first, Dilated(width, width), Dilated(width, width)]
    return blocks + [part for _ in range(4) for part in _unit(width, width, 3)]


def _up(inputs: int, stride: int, settings: CLNet) -> tuple[list[nn.Module], int]:
    """SimpleBaseline's deconvolutions from the trunk's stride to the one asked for, and what they give."""
    layers: list[nn.Module] = []
    while stride > settings.stride:
        layers += [
            nn.ConvTranspose2d(inputs, settings.width, 4, 2, 1, bias=False),
            nn.BatchNorm2d(settings.width),
            nn.ReLU(inplace=True),
        ]
        inputs, stride = settings.width, stride // 2
    if stride < settings.stride:
        raise SettingsError(
            f"stride {settings.stride}: {settings.backbone} ends at stride {stride}; take that or a finer one"
        )
    return layers, inputs


def _trunk(settings: CLNet) -> nn.Module:
    if settings.backbone.startswith("movenet"):
        widths = THUNDER if settings.backbone == "movenet-thunder" else LIGHTNING
        return MoveNetTrunk(widths, settings.stride)
    return MobileTrunk() if settings.backbone == "mobilenet" else ResNet(settings.backbone)
