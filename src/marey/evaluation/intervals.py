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
    groups = {clip: k for k, clip in enumerate(dict.fromkeys(clips))}
    member = np.array([groups[clip] for clip in clips])
    rng = np.random.default_rng(seed)
    even = np.full(len(groups), 1 / len(groups))
    drawn = [figures(rng.multinomial(len(groups), even).astype(float)[member]) for _ in range(RESAMPLES)]
    return {name: _interval([one[name] for one in drawn]) for name in drawn[0]}


def _interval(values: Sequence[float]) -> tuple[float, float]:
    known = np.array(values)[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, (2.5, 97.5))
    return float(low), float(high)
