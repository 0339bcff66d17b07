"""OKS and COCO keypoint AP: how well the poses of all people in a picture are found.

Conventions: OKS = mean over labelled joints of exp(−d² / (2·area·(2σ)²)) (Lin et al.; Ronchi and Perona,
ICCV 2017); area is the truth's area in px², σ the skeleton's. A predicted NaN joint adds 0. A truth without
labelled joints is ignored; estimates near it are excused through its box grown to three times its sides. AP
over thresholds .50:.05:.95, the 20 best estimates an image, ranges all, medium (32²–96²) and large (> 96²)
by area.
Metrics (in [0, 1]): AP, AP50, AP75, AP_medium, AP_large, AR. Nothing is suppressed here.

CrowdPose (Li et al., CVPR 2019): the same over 14 joints with their own σ; the area is always 0.53·w·h
(`box_areas`); no ranges of area, but easy, medium and hard pictures by their crowd index (< 0.2, < 0.8, the
rest), each scored as a set of its own (`crowded`). The original takes the mean over every entry of the
precision table, so that a band without people is −1 there and NaN here.
Traps: AP with true boxes compares with nothing; top-down papers rescore a pose by box score × mean of joint
scores above 0.2 and suppress at OKS 0.9; of more than 20 people in a picture the rest is cut, so raise `most`
for crowds and say so; areas of results are those of their joints, not of their boxes; Ultralytics' "pose
mAP" is another measure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from marey.core.errors import DataError
from marey.core.geometry import box_sizes
from marey.metrics.crowding import BANDS
from marey.metrics.matching import NOTHING, Matches, Ranked, Sides, figures, match, rank

MOST = 20
AREA_SHARE = 0.53
"""Of a box is person: COCO's stand-in where there is no outline."""
RANGES = {"all": (0.0, 1e10), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}


@dataclass(frozen=True, slots=True)
class People:
    """The true people of one image: joints, which are labelled, boxes, areas, and which are crowds."""

    xy: Float[np.ndarray, "G J 2"]
    labelled: Bool[np.ndarray, "G J"]
    boxes: Float[np.ndarray, "G 4"]
    areas: Float[np.ndarray, " G"]
    crowd: Bool[np.ndarray, " G"]


def validate(xy: Float[np.ndarray, "D J 2"], people: People, sigmas: Float[np.ndarray, " J"]) -> None:
    """Refuse arrays whose joints do not belong together."""
    if xy.shape[1:] != people.xy.shape[1:] or len(sigmas) != xy.shape[1]:
        found = f"{xy.shape}, {people.xy.shape} and {len(sigmas)} sigmas"
        raise DataError(f"OKS: joints of {found} do not fit; convert both to one skeleton by name")


def oks(
    xy: Float[np.ndarray, "D J 2"], people: People, sigmas: Float[np.ndarray, " J"]
) -> Float[np.ndarray, "D G"]:
    """Object keypoint similarity of every estimate with every truth."""
    validate(xy, people, sigmas)
    xy, truth = xy.astype(np.float64), people.xy.astype(np.float64)
    off = xy[:, None] - truth[None]
    boxes = people.boxes.astype(np.float64)
    size = boxes[:, 2:] - boxes[:, :2]
    low, high = (boxes[:, :2] - size)[None, :, None], (boxes[:, 2:] + size)[None, :, None]
    beyond = np.maximum(0, low - xy[:, None]) + np.maximum(0, xy[:, None] - high)
    posed = np.any(people.labelled, axis=1)
    squares = np.where(posed[None, :, None, None], off, beyond) ** 2
    spread = (
        (2 * sigmas.astype(np.float64)) ** 2 * 2 * (people.areas.astype(np.float64)[:, None] + np.spacing(1))
    )
    near = np.exp(-squares.sum(-1) / spread[None])
    near = np.where(np.any(np.isnan(xy), axis=-1)[:, None], 0.0, near)
    used = people.labelled | ~posed[:, None]
    return np.where(used[None], near, 0.0).sum(-1) / used.sum(-1)[None]


def joints(
    xy: Float[np.ndarray, "G J 2"], people: People, sigmas: Float[np.ndarray, " J"]
) -> Float[np.ndarray, "G J"]:
    """Similarity of each joint of paired estimates and truths: NaN where not labelled, 0 where missing."""
    validate(xy, people, sigmas)
    squares = ((xy.astype(np.float64) - people.xy) ** 2).sum(-1)
    areas = people.areas.astype(np.float64)[:, None] + np.spacing(1)
    spread = (2 * sigmas.astype(np.float64)) ** 2 * 2 * areas
    near = np.where(np.isnan(xy).any(-1), 0.0, np.exp(-squares / spread))
    return np.where(people.labelled, near, np.nan)


def image(
    xy: Float[np.ndarray, "D J 2"],
    scores: Float[np.ndarray, " D"],
    people: People,
    sigmas: Float[np.ndarray, " J"],
    most: int = MOST,
) -> dict[str, Matches]:
    """Match one image in every range of area."""
    alike = oks(xy, people, sigmas)
    with np.errstate(invalid="ignore"):
        spans = np.where(np.isnan(xy), -np.inf, xy).max(1) - np.where(np.isnan(xy), np.inf, xy).min(1)
    areas = np.where(np.isfinite(spans).all(1), spans.prod(1), 0.0)
    matches: dict[str, Matches] = {}
    for name, (low, high) in RANGES.items():
        ignore = ~people.labelled.any(1) | people.crowd | (people.areas < low) | (people.areas > high)
        outside = (areas < low) | (areas > high)
        matches[name] = match(alike, scores, Sides(ignore, people.crowd, outside), most=most)
    return matches


def by_area(images: Sequence[dict[str, Matches]]) -> dict[str, Ranked]:
    """The estimates of a set in each of `RANGES`, ready for `matching.figures`."""
    return {name: rank([one[name] for one in images]) for name in RANGES}


def by_crowding(images: Sequence[dict[str, Matches]], index: Float[np.ndarray, " I"]) -> dict[str, Ranked]:
    """The estimates of a set, all and in each band of crowding, ready for `matching.figures`."""
    every = [one["all"] for one in images]
    ranks = {"all": rank(every)}
    for name, (low, high) in BANDS.items():
        inside = (index >= low) & (index < high)
        ranks[name] = rank([one if held else NOTHING for one, held in zip(every, inside, strict=True)])
    return ranks


def evaluate(images: Sequence[dict[str, Matches]]) -> dict[str, float]:
    """AP, AP50, AP75, AR, AP_medium, AP_large of a set."""
    return figures(by_area(images))


def box_areas(boxes: Float[np.ndarray, "G 4"]) -> Float[np.ndarray, " G"]:
    """Areas where there is no outline, px²."""
    return AREA_SHARE * box_sizes(boxes.astype(np.float64)).prod(-1)


def crowded(images: Sequence[dict[str, Matches]], index: Float[np.ndarray, " I"]) -> dict[str, float]:
    """CrowdPose's AP, AP50, AP75, AR, AP_easy, AP_medium, AP_hard; `index` is the crowd index."""
    return figures(by_crowding(images, index))
