"""HiEve's pose track: AP and w-AP, frames weighted by how crowded and how unusual they are, in four readings.

Conventions (Lin et al., IJCV 2023, §4.2; the server's code is not public): AP "as in DeepCut": a prediction
belongs to the truth it is most like, a truth takes its best prediction, and the rest is false; AP at α = 0.5,
0.75, 0.9, and their mean, AP@avg. In the paper's tables AP falls as α grows, so we read α as a strictness: a
pair is right if its similarity is ≥ α. What similarity and what "weighted" mean is not said, so both readings
of each are given, always by name, and none stands beside the paper's numbers:
- `pckh_share`: share of the true person's labelled joints within 0.5 (≤) of the head size; `oks`: OKS with
  `SIGMAS` (of COCO; the chest as CrowdPose's neck, our choice);
- `pooled`: predictions of all frames by score, each worth its frame's weight; `frame_mean`: AP of each frame
  with people, averaged by weight.
Head size: the 14 joints have no head box; 0.6 × 2 × |nose − chest| (our choice). A person without labelled
joints, or for `pckh_share` without nose or chest, is not counted, and the caller says how many.
Weight of a frame: c1·exp(CI) + c2·N with c1 = 2, c2 = 1; CI is the crowd index (`crowding`), N the number of
kinds of unusual action in the frame (fighting, falling over, crouching or bowing). c1, c2, CI and N are the
paper's; the form of the sum is missing from the two copies that could be read and is from memory: confirm it
before quoting. AP itself is w-AP with all weights 1.
Traps: visibility 0 is visible, 1 hidden, −1 not labelled; test labels are hidden, so name the split.
Arrays of one frame: D predictions, G truths. Metrics in [0, 1].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from marey.core.errors import DataError
from marey.core.skeletons import HIE14
from marey.metrics.matching import area_under, mutual

Pooling = Literal["pooled", "frame_mean"]
ALPHAS = (0.5, 0.75, 0.9)
WITHIN = 0.5
HEAD_SHARE = 1.2
UNUSUAL = ("fighting", "fall-over", "crouching-bowing")
SIGMAS = np.array((0.026, 0.079, *(0.079, 0.072, 0.062) * 2, *(0.107, 0.087, 0.089) * 2))


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: similarity of predictions with the truths that count, scores of poses, and its weight."""

    similarity: Float[np.ndarray, "D G"]
    scores: Float[np.ndarray, " D"]
    weight: float = 1.0


def head_px(truth: Float[np.ndarray, "G J 2"]) -> Float[np.ndarray, " G"]:
    """Head size from nose and chest, px; NaN without them."""
    nose, chest = HIE14.index("nose"), HIE14.index("chest")
    return HEAD_SHARE * np.linalg.norm(truth[:, nose].astype(np.float64) - truth[:, chest], axis=-1)


def countable(labelled: Bool[np.ndarray, "G J"], head: Float[np.ndarray, " G"]) -> Bool[np.ndarray, " G"]:
    """Truths that `pckh_share` can tell of: take the others out before. OKS needs a labelled joint only."""
    return np.any(labelled, axis=-1) & (head > 0)


def pckh_share(
    xy: Float[np.ndarray, "D J 2"],
    truth: Float[np.ndarray, "G J 2"],
    labelled: Bool[np.ndarray, "G J"],
    head: Float[np.ndarray, " G"],
) -> Float[np.ndarray, "D G"]:
    """Share of each truth's labelled joints that each prediction hits.

    Raises
    ------
    DataError
        If a truth has no labelled joint or no head size.
    """
    if not countable(labelled, head).all():
        raise DataError("HiEve: a person has no labelled joint or no head size; leave the person out")
    distance = np.linalg.norm(xy[:, None].astype(np.float64) - truth[None], axis=-1)
    hits = (distance <= WITHIN * head[None, :, None]) & labelled[None]
    return hits.sum(-1) / labelled.sum(-1)


def frame_weight(crowd_index: float, unusual: int, c1: float = 2.0, c2: float = 1.0) -> float:
    """The weight of a frame; `unusual` is the number of kinds of unusual action in it."""
    return float(c1 * np.exp(crowd_index) + c2 * unusual)


def average_precision(frames: Sequence[Frame], alpha: float, pooling: Pooling) -> float:
    """Weighted AP at one strictness; NaN without truths."""
    right: list[Bool[np.ndarray, " D"]] = []
    for one in frames:
        truth = mutual(one.similarity)
        alike = one.similarity[np.arange(len(truth)), truth] if one.similarity.size else np.zeros(len(truth))
        right.append((truth >= 0) & (alike >= alpha))
    truths = np.array([one.similarity.shape[1] for one in frames], np.float64)
    weights = np.array([one.weight for one in frames], np.float64)
    if pooling == "frame_mean":
        each = [area_under(one.scores, ok, n) for one, ok, n in zip(frames, right, truths, strict=True)]
        total = float(weights[truths > 0].sum())
        return float(np.nansum(weights * each)) / total if total else float("nan")
    scores = np.concatenate([one.scores for one in frames] or [np.zeros(0)])
    shown = np.repeat(weights, [len(one.scores) for one in frames])
    return area_under(scores, np.concatenate(right or [np.zeros(0, bool)]), float(weights @ truths), shown)


def evaluate(frames: Sequence[Frame], similarity: str, pooling: Pooling) -> dict[str, float]:
    """One reading: `w-AP@avg (pckh_share, pooled)` and so on; `similarity` names what the frames hold."""
    values = {f"{alpha:g}": average_precision(frames, alpha, pooling) for alpha in ALPHAS}
    values = {"avg": float(np.mean(list(values.values()))), **values}
    return {f"w-AP@{at} ({similarity}, {pooling})": value for at, value in values.items()}
