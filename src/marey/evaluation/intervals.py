"""Bootstrap intervals: how far a figure would move with other pictures of the same kind.

Pictures of one clip belong together and are drawn together (Efron and Tibshirani 1993, ch. 8 and 13:
percentile interval of a cluster bootstrap). Weights stand for how often a picture was drawn.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

RESAMPLES = 300
"""Enough for two digits of a 95 % interval (our choice)."""


def bootstrap(
    clips: Sequence[str], figures: Callable[[Float[np.ndarray, " I"]], dict[str, float]], seed: int = 1
) -> dict[str, tuple[float, float]]:
    """95 % intervals of `figures(weights)`, weights one a picture; `clips` names each picture's group."""
    drawn = _drawn(clips, figures, seed)
    return {name: _interval([one[name] for one in drawn]) for name in drawn[0]}


def paired(
    clips: Sequence[str], differences: Callable[[Float[np.ndarray, " I"]], dict[str, float]], seed: int = 1
) -> dict[str, dict[str, float]]:
    """The same for differences of two results on the same pictures, drawn together.

    For each: `difference` on all pictures, `low` and `high` of its 95 % interval, and `better`, the share of
    draws above 0.
    """
    whole, drawn = differences(np.ones(len(clips))), _drawn(clips, differences, seed)
    table = {}
    for name, difference in whole.items():
        values = [one[name] for one in drawn]
        low, high = _interval(values)
        better = float(np.mean(np.array(values) > 0))
        table[name] = {"difference": difference, "low": low, "high": high, "better": better}
    return table


def _drawn(
    clips: Sequence[str], figures: Callable[[Float[np.ndarray, " I"]], dict[str, float]], seed: int
) -> list[dict[str, float]]:
    groups = {clip: k for k, clip in enumerate(dict.fromkeys(clips))}
    member = np.array([groups[clip] for clip in clips])
    rng = np.random.default_rng(seed)
    even = np.full(len(groups), 1 / len(groups))
    return [figures(rng.multinomial(len(groups), even).astype(float)[member]) for _ in range(RESAMPLES)]


def _interval(values: Sequence[float]) -> tuple[float, float]:
    known = np.array(values)[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, (2.5, 97.5))
    return float(low), float(high)
