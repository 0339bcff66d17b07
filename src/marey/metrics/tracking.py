"""Tracking of people: CLEAR MOT, IDF1 and HOTA, on any similarity of people in [0, 1] (OKS, box overlap).

Conventions (as TrackEval counts, without MOTChallenge's preprocessing):
- CLEAR (Bernardin and Stiefelhagen 2008): pairs need similarity ≥ 0.5; in each frame those of the frame
  before go on if they can, the rest is paired for the largest sum. MOTA = 1 − (FN + FP + switches) ÷ truths;
  a switch is an id other than that truth's last; MOTP = mean similarity of pairs. Mostly tracked: on more
  than 0.8 of the frames; mostly lost: on less than 0.2.
- IDF1 (Ristani et al. 2016): one predicted id for each true one through the whole sequence, so that most
  pairs at similarity ≥ 0.5 count; IDF1 = 2·IDTP ÷ (truths + predictions).
- HOTA (Luiten et al. 2020): α = 0.05 … 0.95; pairs of each frame by the largest sum of similarity × how well
  the two ids fit over the sequence; DetA = TP ÷ (TP + FN + FP); AssA = mean over TP of the Jaccard index of
  the two ids' pairs; HOTA = mean over α of √(DetA·AssA). LocA = mean similarity of pairs.
Sequences are combined by their counts, never by averaging (`combine`, `scores`).
Traps: OKS of a true person without labelled joints says nothing, so leave the person out; a frame without
predictions, or without truths, does not end the pairs of the frame before; py-motmetrics keeps pairs over any
gap, so its MOTA may differ (PoseTrack uses that one, see there).
Arrays of one frame: G truths, D predictions.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from marey.core.errors import DataError
from marey.metrics.matching import Assign

Sizes = tuple[Float[np.ndarray, " T"], Float[np.ndarray, " P"]]
"""On how many frames each true and each predicted id is there."""
WITHIN = 0.5
ALPHAS = np.arange(0.05, 0.99, 0.05)
_EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class Frame:
    """Ids of the true and of the predicted people of one frame, and how alike they are, in [0, 1]."""

    truths: Int[np.ndarray, " G"]
    found: Int[np.ndarray, " D"]
    similarity: Float[np.ndarray, "G D"]


@dataclass(frozen=True, slots=True)
class Counts:
    """What the scores of one or more sequences stand on; arrays are over HOTA's α."""

    truths: float
    found: float
    pairs: float
    switches: float
    similarity: float
    mostly_tracked: float
    mostly_lost: float
    fragments: float
    id_pairs: float
    hota_pairs: Float[np.ndarray, " A"]
    hota_similarity: Float[np.ndarray, " A"]
    hota_jaccard: Float[np.ndarray, " A"]
    hota_recall: Float[np.ndarray, " A"]
    hota_precision: Float[np.ndarray, " A"]


def validate(frames: Sequence[Frame]) -> None:
    """Refuse repeated ids and similarities that are none."""
    for number, frame in enumerate(frames):
        for name, ids in (("true", frame.truths), ("predicted", frame.found)):
            if len(np.unique(ids)) != len(ids):
                raise DataError(f"tracking: frame {number}: a {name} id is there twice; ids must differ")
        if not ((frame.similarity >= 0) & (frame.similarity <= 1 + 1e-9)).all():
            raise DataError(f"tracking: frame {number}: a similarity lies outside [0, 1]; NaN is none, use 0")


def count(frames: Sequence[Frame], assign: Assign) -> Counts:
    """Counts of one sequence; its frames in order of time."""
    validate(frames)
    truths, rows = _sizes(frame.truths for frame in frames)
    found, columns = _sizes(frame.found for frame in frames)
    # From here on ids are positions among those that occur; frames without a side pair nothing.
    held = [
        Frame(np.searchsorted(truths, f.truths), np.searchsorted(found, f.found), f.similarity)
        for f in frames
        if f.similarity.size
    ]
    return Counts(
        truths=float(rows.sum()),
        found=float(columns.sum()),
        id_pairs=_identity(held, (rows, columns), assign),
        **_clear(held, rows, assign),
        **_hota(held, (rows, columns), assign),
    )


def _sizes(ids: Iterable[Int[np.ndarray, " _"]]) -> tuple[Int[np.ndarray, " T"], Float[np.ndarray, " T"]]:
    """The ids that occur, rising, and on how many frames each does."""
    each, sizes = np.unique(np.concatenate([np.zeros(0, np.int64), *ids]), return_counts=True)
    return each, sizes.astype(np.float64)


def _clear(frames: Sequence[Frame], sizes: Float[np.ndarray, " T"], assign: Assign) -> dict[str, float]:
    """CLEAR MOT's part of the counts."""
    last, before = np.full(len(sizes), -1), np.full(len(sizes), -1)
    hits, starts = np.zeros(len(sizes)), np.zeros(len(sizes))
    switches, similarity = 0, 0.0
    for frame in frames:
        # A thousand for a pair that goes on: more than any sum of similarities.
        gain = 1000.0 * (frame.found[None] == before[frame.truths][:, None]) + frame.similarity
        rows, columns = assign(np.where(frame.similarity < WITHIN - _EPSILON, 0.0, gain))
        truths, found = frame.truths[rows], frame.found[columns]
        switches += int(((last[truths] >= 0) & (last[truths] != found)).sum())
        similarity += float(frame.similarity[rows, columns].sum())
        hits[truths] += 1
        now = np.full(len(sizes), -1)
        now[truths] = last[truths] = found
        starts += (before < 0) & (now >= 0)
        before = now
    share = hits / sizes
    return {
        "pairs": float(hits.sum()),
        "switches": float(switches),
        "similarity": similarity,
        "mostly_tracked": float((share > 0.8).sum()),
        "mostly_lost": float((share < 0.2).sum()),
        "fragments": float((starts[starts > 0] - 1).sum()),
    }


def _identity(frames: Sequence[Frame], sizes: Sizes, assign: Assign) -> float:
    """Most pairs that one predicted id for each true one can have."""
    together = np.zeros((len(sizes[0]), len(sizes[1])))
    for frame in frames:
        together[np.ix_(frame.truths, frame.found)] += frame.similarity >= WITHIN
    rows, columns = assign(together)
    return float(together[rows, columns].sum())


def _hota(frames: Sequence[Frame], sizes: Sizes, assign: Assign) -> dict[str, Any]:
    """HOTA's part of the counts."""
    both = sizes[0][:, None] + sizes[1][None]
    fit = np.zeros(both.shape)
    for frame in frames:
        alike = frame.similarity
        total = alike.sum(0)[None] + alike.sum(1)[:, None] - alike
        some = total > _EPSILON
        fit[np.ix_(frame.truths, frame.found)] += np.divide(
            alike, total, out=np.zeros(alike.shape), where=some
        )
    fit /= both - fit
    codes, alike = [np.zeros(0, np.int64)], [np.zeros(0)]
    for frame in frames:
        rows, columns = assign(fit[np.ix_(frame.truths, frame.found)] * frame.similarity)
        codes.append(frame.truths[rows] * both.shape[1] + frame.found[columns])
        alike.append(frame.similarity[rows, columns])
    # Few pairs of ids ever meet: count those, at each α.
    each, which = np.unique(np.concatenate(codes), return_inverse=True)
    similarity = np.concatenate(alike)
    within = similarity[None] >= ALPHAS[:, None] - _EPSILON
    pairs = np.array([np.bincount(which, row, len(each)) for row in within], np.float64)
    truths, found = sizes[0][each // both.shape[1]], sizes[1][each % both.shape[1]]
    return {
        "hota_pairs": pairs.sum(1),
        "hota_similarity": within @ similarity,
        "hota_jaccard": (pairs**2 / (truths + found - pairs)).sum(1),
        "hota_recall": (pairs**2 / truths).sum(1),
        "hota_precision": (pairs**2 / found).sum(1),
    }


def combine(sequences: Sequence[Counts]) -> Counts:
    """Counts of several sequences together."""
    if not sequences:
        raise DataError("tracking: no sequence to combine; give at least one")
    return Counts(*(np.sum([getattr(one, name) for one in sequences], 0) for name in Counts.__slots__))


def scores(counts: Counts) -> dict[str, float]:
    """Scores in [0, 1] (MOTA may be negative) and counts; NaN where there is nothing to find."""
    c = counts
    truths, found = c.truths or np.nan, c.found or np.nan
    tp = np.where(c.hota_pairs > 0, c.hota_pairs, 1)
    detected = c.hota_pairs / (c.truths + c.found - c.hota_pairs if c.truths + c.found else np.nan)
    associated = c.hota_jaccard / tp
    return {
        "HOTA": float(np.sqrt(detected * associated).mean()), "DetA": float(detected.mean()),
        "AssA": float(associated.mean()), "AssRe": float((c.hota_recall / tp).mean()),
        "AssPr": float((c.hota_precision / tp).mean()), "DetRe": float((c.hota_pairs / truths).mean()),
        "DetPr": float((c.hota_pairs / found).mean()),
        "LocA": float(np.where(c.hota_pairs > 0, c.hota_similarity / tp, 1.0).mean()),
        "MOTA": float((2 * c.pairs - c.found - c.switches) / truths),
        "MOTP": float(c.similarity / c.pairs) if c.pairs else float("nan"),
        "IDF1": float(2 * c.id_pairs / (c.truths + c.found)) if c.truths + c.found else float("nan"),
        "IDR": float(c.id_pairs / truths), "IDP": float(c.id_pairs / found),
        "switches": float(c.switches), "fragments": float(c.fragments),
        "mostly_tracked": float(c.mostly_tracked), "mostly_lost": float(c.mostly_lost),
    }  # fmt: skip
