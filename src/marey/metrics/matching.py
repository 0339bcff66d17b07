"""Matching of estimates to truths and average precision; boxes, poses and frames of video share them.

COCO's conventions (Lin et al., ECCV 2014, as their evaluation code does it): in each image estimates are
taken by falling score (ties in the order given) and each takes the free truth it is most similar to, if at
least as much as the threshold; truths that count come before ignored ones, and of equals the last wins. An
estimate matched to an ignored truth counts neither way, nor does an unmatched one marked `outside` (wrong
size for the range asked). A crowd may be matched any number of times. Precision is made non-increasing and
read at 101 recalls.
Arrays: D estimates and G truths of one image, T thresholds. `Matches` are the counts of one image;
`average_precision` combines those of many, and takes a weight an image for resampling.

DeepCut's (Pishchulin et al., CVPR 2016; PoseTrack and HiEve follow it): scores play no part in the matching.
Each estimate may only have the truth it is most like, and each truth takes the estimate most like it
(`mutual`); precision is made non-increasing and integrated over recall (`area_under`), as in PASCAL VOC 2010.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

Assign = Callable[[Float[np.ndarray, "N M"]], tuple[Int[np.ndarray, " K"], Int[np.ndarray, " K"]]]
"""A solver of assignment (`marey.people.assign.assign`): the pairs (rows, columns) whose gains add up to the
most, without those that gain nothing. Rooms on one floor do not know each other, so it is handed in."""
THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)


@dataclass(frozen=True, slots=True)
class Matches:
    """One image: each estimate's score, whether it is right and whether it counts; how many truths count."""

    scores: Float[np.ndarray, " D"]
    right: Bool[np.ndarray, "T D"]
    counts: Bool[np.ndarray, "T D"]
    truths: int


NOTHING = Matches(np.zeros(0), *(np.zeros((len(THRESHOLDS), 0), bool) for _ in range(2)), truths=0)
"""An image that is left out, in its place."""


@dataclass(frozen=True, slots=True)
class Sides:
    """What the truths of one image are besides their place: ignored, crowd; and estimates out of range."""

    ignore: Bool[np.ndarray, " G"]
    crowd: Bool[np.ndarray, " G"]
    outside: Bool[np.ndarray, " D"]


def match(
    similarity: Float[np.ndarray, "D G"],
    scores: Float[np.ndarray, " D"],
    sides: Sides,
    thresholds: Float[np.ndarray, " T"] = THRESHOLDS,
    most: int = 100,
) -> Matches:
    """Match the `most` best estimates of one image."""
    order = np.argsort(-scores, kind="stable")[:most]
    thresholds = np.minimum(thresholds, 1 - 1e-10)[:, None]
    free = np.ones((len(thresholds), len(sides.ignore)), bool)
    right = np.zeros((len(thresholds), len(order)), bool)
    counts = np.repeat(~sides.outside[order][None], len(thresholds), 0)
    rows = np.arange(len(thresholds))
    for column, estimate in enumerate(order if len(sides.ignore) else ()):
        alike = similarity[estimate]
        fits = (free | sides.crowd) & (alike >= thresholds)
        better = fits & ~sides.ignore
        fits = np.where(better.any(1, keepdims=True), better, fits)
        taken = fits.shape[1] - 1 - np.argmax(np.where(fits, alike, -1.0)[:, ::-1], 1)
        some = fits.any(1)
        right[some, column] = ~sides.ignore[taken[some]]
        counts[some, column] = ~sides.ignore[taken[some]]
        free[rows[some], taken[some]] = False
    return Matches(scores[order], right, counts, int((~sides.ignore).sum()))


@dataclass(frozen=True, slots=True)
class Ranked:
    """The estimates of all images by falling score, ready to be counted under any weights of images."""

    scores: Float[np.ndarray, " D"]
    right: Bool[np.ndarray, "T D"]
    counts: Bool[np.ndarray, "T D"]
    image: np.ndarray
    truths: np.ndarray

    def total(self, weights: Float[np.ndarray, " I"] | None = None) -> float:
        """Truths there are to find; `weights` repeats images (resampling)."""
        return float(self.truths.sum() if weights is None else weights @ self.truths)

    def curves(
        self, weights: Float[np.ndarray, " I"] | None = None
    ) -> tuple[Float[np.ndarray, "T D"], Float[np.ndarray, "T D"]]:
        """Recall and precision after each estimate; `weights` repeats images (resampling)."""
        share = np.ones(len(self.truths)) if weights is None else weights
        each = share[self.image]
        hits = np.cumsum(self.right * each, 1)
        shown = np.cumsum(self.counts * each, 1)
        total = self.total(weights)
        recall = hits / total if total else np.full(hits.shape, np.nan)
        return recall, hits / (shown + np.spacing(1))


def rank(matches: Sequence[Matches]) -> Ranked:
    """Put the estimates of all images in one order."""
    matches = matches or [NOTHING]
    scores = np.concatenate([m.scores for m in matches])
    order = np.argsort(-scores, kind="stable")
    right = np.concatenate([m.right for m in matches], 1)[:, order]
    counts = np.concatenate([m.counts for m in matches], 1)[:, order]
    image = np.repeat(np.arange(len(matches)), [len(m.scores) for m in matches])[order]
    return Ranked(scores[order], right, counts, image, np.array([m.truths for m in matches]))


def average_precision(
    ranked: Ranked, weights: Float[np.ndarray, " I"] | None = None
) -> Float[np.ndarray, " T"]:
    """AP at each threshold; NaN where there is no truth to find."""
    recall, precision = ranked.curves(weights)
    total = ranked.total(weights)
    if not total or not recall.size:
        return np.full(len(recall), 0.0 if total else np.nan)
    envelope = np.maximum.accumulate(precision[:, ::-1], 1)[:, ::-1]
    padded = np.concatenate([envelope, np.zeros((len(envelope), 1))], 1)
    return np.array([p[np.searchsorted(r, RECALLS)].mean() for r, p in zip(recall, padded, strict=True)])


def last_recall(ranked: Ranked, weights: Float[np.ndarray, " I"] | None = None) -> Float[np.ndarray, " T"]:
    """Recall with every estimate taken, at each threshold; its mean is COCO's AR."""
    recall, _ = ranked.curves(weights)
    return recall[:, -1] if recall.size else np.full(len(recall), 0.0 if ranked.total(weights) else np.nan)


def figures(ranks: Mapping[str, Ranked], weights: Float[np.ndarray, " I"] | None = None) -> dict[str, float]:
    """COCO's figures: AP, AP50, AP75 and AR of the part `all` of a set, AP_NAME of every other part.

    Parts (ranges of size, bands of crowding) are ranked once, however often images are drawn (`weights`).
    """
    values: dict[str, float] = {}
    for name, ranked in ranks.items():
        precision = average_precision(ranked, weights)
        if name == "all":
            values |= {"AP": precision.mean(), "AP50": precision[0], "AP75": precision[5]}
            values["AR"] = last_recall(ranked, weights).mean()
        else:
            values[f"AP_{name}"] = precision.mean()
    return {name: float(value) for name, value in values.items()}


def at_score(ranked: Ranked, score: float, row: int = 0) -> tuple[float, float]:
    """Recall and precision of the estimates with at least this score; precision NaN where there is none."""
    shown = ranked.scores >= score
    hits = float(ranked.right[row, shown].sum())
    named = float(ranked.counts[row, shown].sum())
    truths = float(ranked.truths.sum())
    return (hits / truths if truths else float("nan")), (hits / named if named else float("nan"))


def score_at_recall(ranked: Ranked, recall: float, row: int = 0) -> float:
    """The highest score whose estimates reach a recall; NaN where none does."""
    reached = np.flatnonzero(ranked.curves()[0][row] >= recall)
    return float(ranked.scores[reached[0]]) if len(reached) else float("nan")


def mutual(similarity: Float[np.ndarray, "D G"]) -> Int[np.ndarray, " D"]:
    """The truth of each estimate, −1 for none: pairs that are each other's best, with similarity above 0.

    Of equals the first is taken, on both sides.
    """
    found = np.full(len(similarity), -1)
    if similarity.size:
        rows, best = np.arange(len(similarity)), similarity.argmax(1)
        kept = np.zeros(similarity.shape)
        kept[rows, best] = similarity[rows, best]
        taken = np.flatnonzero(kept.max(0) > 0)
        found[kept.argmax(0)[taken]] = taken
    return found


def area_under(
    scores: Float[np.ndarray, " D"],
    right: Bool[np.ndarray, " D"],
    truths: float,
    weights: Float[np.ndarray, " D"] | None = None,
) -> float:
    """Area under the monotone precision over recall, in [0, 1]; NaN without truths.

    `weights` let an estimate count for more than one; `truths` is then the weight of all truths. Equal scores
    are taken in the reverse of the order given, as PoseTrack's evaluation does.
    """
    if not truths:
        return float("nan")
    order = np.argsort(scores, kind="stable")[::-1]
    each = (np.ones(len(scores)) if weights is None else weights)[order]
    hits = np.cumsum(each * right[order])
    shown = np.cumsum(each)
    precision = np.maximum.accumulate((hits / np.where(shown > 0, shown, 1))[::-1])[::-1]
    return float(np.diff(hits / truths, prepend=0.0) @ precision)
