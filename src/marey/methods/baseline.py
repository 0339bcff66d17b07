"""SimpleBaseline (Xiao, Wu and Wei, ECCV 2018, arXiv:1804.06208): one crop a person, one heat map a joint.

Conventions: People in, Poses out; crops (`estimation/crops.py`) are rgb uint8; joints of the network's own
skeleton; scores are probabilities (`estimation/codecs.py`).
What differs from the paper: MobileNetV2 with MoveNet's feature pyramid beside ResNet with deconvolutions;
maps are trained as distributions (per-joint cross-entropy with a class "not here") instead of by MSE, which
plateaus on little data; joints are read where most probability lies nearby (`subpixel = "quarter"` is the
paper's way). For comparison the same file holds two more ways of its time: stacked hourglasses (Newell et
al., ECCV 2016) and joints regressed without maps (`head = "points"`; Toshev and Szegedy, CVPR 2014).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from marey.core.geometry import Side, size_of
from marey.core.nouns import Origin, People, Poses
from marey.core.skeletons import COCO17, MAREY19, Skeleton, mirrored
from marey.core.stages import Arrays, Method, Network
from marey.estimation.codecs import HeatCodec, PointCodec, Subpixel
from marey.estimation.crops import Cut, cut_people

Backbone = Literal["movenet-thunder", "movenet-lightning", "mobilenet", "r18", "r50", "r50v2", "hourglass"]
SKELETONS = {"marey19": MAREY19, "coco17": COCO17}


@dataclass(frozen=True, slots=True)
class Baseline:
    """Settings. The first block belongs to the weights, the second to a run."""

    backbone: Backbone = "movenet-thunder"
    side: Side = 256  # pixels of a square crop, or width and height of another
    skeleton: Literal["marey19", "coco17"] = "marey19"
    padding: float = 1.25  # of the box (MoveNet's, and SimpleBaseline's)
    sigma: float = 2.0  # cells of the target's Gaussian (the paper's, §3.1)
    loss: Literal["cross-entropy", "mse"] = "cross-entropy"
    subpixel: Subpixel = "mass"  # how maps are read (`estimation/codecs.py`)
    head: Literal["maps", "points"] = "maps"
    width: int = 256  # channels of the deconvolutions (the paper's, §2) and of an hourglass
    stacks: int = 1  # of an hourglass
    wide: int = 0  # channels of a second way from coarse to fine beside MoveNet's of 24; 0: none

    batch: int = 16  # people in one call of the network
    flip: bool = False  # average with the mirrored crop


PRESETS = {
    "small": Baseline("mobilenet", 192, width=128),
    "lightning": Baseline("movenet-lightning", 192, sigma=1.5),
    "thunder": Baseline("movenet-thunder", 256),
    "r18": Baseline("r18", 256),
    "r50v2": Baseline("r50v2", 256),
    "r50": Baseline("r50", 256),
    "hourglass": Baseline("hourglass", 128, width=128, stacks=2),
    "hourglass8": Baseline("hourglass", 256, stacks=8),
}


def codec(settings: Baseline) -> HeatCodec | PointCodec:
    """The codec that training and running share."""
    size = size_of(settings.side)
    if settings.head == "points":
        return PointCodec(size)
    return HeatCodec(size, sigma=settings.sigma, subpixel=settings.subpixel)


def stage(people: Iterator[People], settings: Baseline, network: Network) -> Iterator[Poses]:
    """Estimate the poses of each frame's people; people of several frames share a batch."""
    skeleton = SKELETONS[settings.skeleton]
    for cut in cut_people(people, settings.side, settings.padding, settings.batch):
        yield from _measure(cut, settings, skeleton, network)


def _measure(cut: Cut, settings: Baseline, skeleton: Skeleton, network: Network) -> Iterator[Poses]:
    """Poses of the frames of one batch of crops."""
    xy = np.zeros((len(cut.rgb), len(skeleton), 2), np.float32)
    scores = np.zeros((len(cut.rgb), len(skeleton)), np.float32)
    reader = codec(settings)
    for first in range(0, len(cut.rgb), settings.batch):
        part = slice(first, first + settings.batch)
        found = network({"rgb": cut.rgb[part]})
        if settings.flip:
            other = _unmirror(network({"rgb": cut.rgb[part, :, ::-1]}), settings, skeleton)
            found = {name: (found[name] + values) / 2 for name, values in other.items()}
        xy[part], scores[part] = reader.decode(found)
    for frame_people, rows in cut.frames:
        yield Poses(
            people=frame_people,
            skeleton=skeleton,
            xy_px=cut.to_image(xy, rows),
            scores=scores[rows],
            origin=np.full(scores[rows].shape, Origin.MEASURED, np.uint8),
            xyz_m=np.full((*scores[rows].shape, 3), np.nan, np.float32),
        )


def unflip(heat: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Heat maps (B, J, h, w) of mirrored crops, mirrored back with sides swapped."""
    return heat[:, list(mirrored(skeleton)), :, ::-1]


def _unmirror(outputs: Arrays, settings: Baseline, skeleton: Skeleton) -> Arrays:
    """Outputs for mirrored crops as those for the crops."""
    if settings.head == "maps":
        return {"heat": unflip(outputs["heat"], skeleton)}
    order = list(mirrored(skeleton))
    left = np.array([size_of(settings.side)[0], 0], np.float32)
    xy = left + outputs["xy"][:, order] * np.array([-1, 1], np.float32)
    return {"xy": xy, "score": outputs["score"][:, order]}


METHOD = Method(
    name="baseline",
    paper="Xiao, Wu, Wei: Simple Baselines for Human Pose Estimation and Tracking (ECCV 2018)",
    kinds=("estimate",),
    settings=Baseline,
    ahead=lambda settings: 0,
    stage=stage,
    codec=codec,
    framewise=True,
)
