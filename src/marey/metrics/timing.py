"""Time: are the moments right, was anything dropped, how late is an answer.

Conventions: seconds in, milliseconds out where the name says so. All definitions are ours. Memory is not
here: it is measured by what runs (`tools/bench_run.py`), not computed from arrays.
- `timestamp_error_ms`: largest |difference| from the container's presentation times; must be 0.
- `duration_error_ms`: of an overlay against its source, first to last frame; positive where it is longer.
- `drop_rate`: share of the frames offered that were not measured; in [0, 1].
- `latency_ms`: median and 95th percentile, linear between ranks; state size, people and device beside it.
- `frames_per_s`: frames ÷ (last − first answer), of n − 1 intervals.
"""

import numpy as np
from jaxtyping import Float

from marey.core.errors import DataError

_QUANTILES = (("p50", 0.5), ("p95", 0.95))


def timestamp_error_ms(time_s: Float[np.ndarray, " T"], truth_s: Float[np.ndarray, " T2"]) -> float:
    """Largest difference from the true times of the same frames.

    Raises
    ------
    DataError
        If the frames differ in number: a frame was lost, and no times can be compared.
    """
    if len(time_s) != len(truth_s):
        raise DataError(f"timing: {len(time_s)} times for {len(truth_s)} frames; compare them frame by frame")
    return 1000 * float(np.abs(time_s - truth_s).max(initial=0.0))


def duration_error_ms(time_s: Float[np.ndarray, " T"], source_s: Float[np.ndarray, " T2"]) -> float:
    """How much longer the one is, first to last frame; NaN where either is empty."""
    if not len(time_s) or not len(source_s):
        return float("nan")
    return 1000 * float((time_s[-1] - time_s[0]) - (source_s[-1] - source_s[0]))


def drop_rate(measured: int, offered: int) -> float:
    """Share of the frames offered that were not measured; NaN if none was offered."""
    return 1 - measured / offered if offered else float("nan")


def latency_ms(shown_s: Float[np.ndarray, " T"], seen_s: Float[np.ndarray, " T"]) -> dict[str, float]:
    """Median and 95th percentile of the time from a frame's arrival to its answer; NaN without frames."""
    late = 1000 * (shown_s - seen_s)
    return {name: float(np.quantile(late, q)) if len(late) else float("nan") for name, q in _QUANTILES}


def frames_per_s(shown_s: Float[np.ndarray, " T"]) -> float:
    """Answers a second; NaN for fewer than two."""
    span = float(shown_s[-1] - shown_s[0]) if len(shown_s) > 1 else 0.0
    return (len(shown_s) - 1) / span if span > 0 else float("nan")
