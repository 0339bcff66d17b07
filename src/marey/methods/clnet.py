"""CLNet (Chen, Qin, Yang and Zhang 2021, arXiv:2105.07245): a coarse cell, and where in it the joint is.

Conventions: People in, Poses out; crops are square, `padding` × the longer side of the box about its centre,
rgb uint8; joints of the network's own skeleton; scores are probabilities (`estimation/cells.py`).
Only the paper's abstract could be read, and no code of it is public: what the abstract does not say is read
in the first author's earlier `pytorch-ChetPose` or chosen by us (docs/methods/clnet.md). What differs from
that on purpose: losses do not depend on the number of cells, a joint that is not labelled is masked instead
of taught to be absent, and the last layer has a bias in place of a batch norm.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from marey.core.errors import SettingsError
from marey.core.geometry import Side, size_of
from marey.core.nouns import Origin, People, Poses
from marey.core.skeletons import COCO17, MAREY19, Skeleton, mirrored
from marey.core.stages import Arrays, Method, Network
from marey.estimation.cells import CellCodec, Offsets, mirror
from marey.estimation.crops import Cut, cut_people

Backbone = Literal["mobilenet", "movenet-lightning", "movenet-thunder", "r18", "r50", "r50v2", "hourglass"]
Loss = Literal["binary", "mse", "cross-entropy", "focal"]
SKELETONS = {"marey19": MAREY19, "coco17": COCO17}


@dataclass(frozen=True, slots=True)
class CLNet:
    """Settings. The first block belongs to the weights, the second to a run."""

    backbone: Backbone = "mobilenet"
    side: Side = 128  # pixels of a square crop, or width and height of another
    skeleton: Literal["marey19", "coco17"] = "marey19"
    padding: float = 1.25  # of the box's longer side (SimpleBaseline's, for a fair comparison)
    stride: Literal[4, 8, 16, 32] = 16  # pixels a cell
    stacks: int = 1  # of an hourglass
    width: int = 256  # channels of deconvolutions, neck and hourglass; heads have twice as many within
    neck: bool = False  # DetNet blocks and four 3×3 convolutions before the heads (the precursor's)
    split: bool = True  # a hidden layer for each head; False: one for both
    offsets: Offsets = "wide"  # "cell" is the precursor's; 7 points of PCK worse (RESULTS.md)
    sigma: float = 0.0  # cells of the heat target's Gaussian; 0: one cell
    loss: Loss = "binary"
    pull: float = 2.0  # λ, weight of the offsets (the precursor's 100/7² for 7² cells)
    knee: float = 0.1  # cells from which an offset's loss is linear; 1 is the precursor's

    batch: int = 16  # people in one call of the network
    vote: bool = False  # the 3×3 cells about the peak say together where the joint is
    flip: bool = False  # average with the mirrored crop
    flip_by: Literal["maps", "points"] = "maps"  # what is averaged


PRESETS = {
    "mobilenet": CLNet(),
    "r18": CLNet("r18"),
    "r50v2": CLNet("r50v2"),
    "r50": CLNet("r50", 256, stride=32, neck=True),
    "hourglass-a": CLNet("hourglass", stride=4, width=128, stacks=2),
    "hourglass-b": CLNet("hourglass", stride=8, width=128, stacks=2),
    "hourglass8": CLNet("hourglass", 256, stride=8, stacks=8),
}


def codec(settings: CLNet) -> CellCodec:
    """The codec that training and running share.

    Raises
    ------
    SettingsError
        If the crop is no whole number of cells, or a vote is asked of offsets that neighbours do not learn.
    """
    size = size_of(settings.side)
    if any(pixels % settings.stride for pixels in size):
        raise SettingsError(f"side {settings.side}: no multiple of stride {settings.stride}; change one")
    if settings.vote and settings.offsets != "wide":
        raise SettingsError(f"vote: offsets {settings.offsets!r} are not learnt beside the joint; use 'wide'")
    return CellCodec(size, settings.stride, settings.sigma, settings.offsets, settings.vote)


def stage(people: Iterator[People], settings: CLNet, network: Network) -> Iterator[Poses]:
    """Estimate the poses of each frame's people; people of several frames share a batch."""
    skeleton = SKELETONS[settings.skeleton]
    for cut in cut_people(people, settings.side, settings.padding, settings.batch):
        yield from _measure(cut, settings, skeleton, network)


def _measure(cut: Cut, settings: CLNet, skeleton: Skeleton, network: Network) -> Iterator[Poses]:
    """Poses of the frames of one batch of crops."""
    xy = np.zeros((len(cut.rgb), len(skeleton), 2), np.float32)
    scores = np.zeros((len(cut.rgb), len(skeleton)), np.float32)
    for first in range(0, len(cut.rgb), settings.batch):
        part = slice(first, first + settings.batch)
        xy[part], scores[part] = read(cut.rgb[part], settings, network)
    for frame_people, rows in cut.frames:
        yield Poses(
            people=frame_people,
            skeleton=skeleton,
            xy_px=cut.to_image(xy, rows),
            scores=scores[rows],
            origin=np.full(scores[rows].shape, Origin.MEASURED, np.uint8),
            xyz_m=np.full((*scores[rows].shape, 3), np.nan, np.float32),
        )


def read(rgb: np.ndarray, settings: CLNet, network: Network) -> tuple[np.ndarray, np.ndarray]:
    """Joints (B, J, 2) in crop pixels and scores (B, J) of crops (B, h, w, 3).

    The flip test averages maps, so that both views agree on one cell before its offset is read; averaging
    `points` is the plainer variant, and wrong where the views disagree about the cell.
    """
    reader = codec(settings)
    found = network({"rgb": rgb})
    if not settings.flip:
        return reader.decode(found)
    other = mirror(network({"rgb": rgb[:, :, ::-1]}), mirrored(SKELETONS[settings.skeleton]))
    if settings.flip_by == "maps":
        return reader.decode(_mean(found, other))
    (xy, scores), (other_xy, other_scores) = reader.decode(found), reader.decode(other)
    return (xy + other_xy) / 2, (scores + other_scores) / 2


def _mean(one: Arrays, other: Arrays) -> Arrays:
    return {name: (one[name] + other[name]) / 2 for name in ("heat", "offset")}


METHOD = Method(
    name="clnet",
    paper="Chen, Qin, Yang, Zhang: CLNet: Composite Localization for Human Pose Estimation (2021)",
    kinds=("estimate",),
    settings=CLNet,
    ahead=lambda settings: 0,
    stage=stage,
    codec=codec,
    framewise=True,
)
