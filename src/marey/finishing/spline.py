"""A smoothing spline on uneven times: no lag, any weights, any gaps.

It minimises ∫ w (x − z)² dt + ω_c⁻⁴ ∫ z″² dt over z (Reinsch 1967; Whittaker 1923 for the discrete form), the
integrals taken by the trapezium rule and z″ by divided differences. On dense even samples of weight 1 its
response is 1 / (1 + (f / f_c)⁴): amplitude one half at the cut-off, the square of a second-order Butterworth
filter, as running one forward and backward gives. It depends on seconds, not on the frame rate. Ends are
straight, so nothing bends there.
"""

import numpy as np
from jaxtyping import Float


def smoothing_spline(
    time_s: Float[np.ndarray, " T"],
    values: Float[np.ndarray, "T K D"],
    weights: Float[np.ndarray, "T K"],
    cutoff_hz: float,
) -> Float[np.ndarray, "T K D"]:
    """Smooth K signals of D coordinates; samples of weight 0 are predicted and may hold anything finite.

    Fewer than two samples with a weight leave a signal as it is; times must rise.
    """
    if len(time_s) < 3:
        return values
    step = np.diff(time_s)
    mean = np.convolve(step, (0.5, 0.5))
    bands = _bending(step) / (2 * np.pi * cutoff_hz) ** 4
    weights = weights * mean[:, None]
    enough = (weights > 0).sum(0) >= 2
    diagonal = weights + bands[0][:, None]
    smooth = _solve(diagonal[:, enough], bands[1], bands[2], (weights[..., None] * values)[:, enough])
    out = values.copy()
    out[:, enough] = smooth
    return out


def _bending(step: Float[np.ndarray, " S"]) -> Float[np.ndarray, "3 T"]:
    """∫ z″² dt as a quadratic form in z: its diagonal and its two upper diagonals (padded by zeros)."""
    left, right = step[:-1], step[1:]
    # z″ at each inner sample is a·z₋ + b·z + c·z₊; it stands for `span` seconds.
    span = (left + right) / 2
    a, c = 1 / (left * span), 1 / (right * span)
    b = -(a + c)
    bands = np.zeros((3, len(step) + 1))
    for row, first in enumerate((a, b, c)):
        for distance, second in enumerate((a, b, c)[row:]):
            bands[distance, row : row + len(span)] += span * first * second
    return bands


def _solve(
    diagonal: Float[np.ndarray, "T K"],
    first: Float[np.ndarray, " T"],
    second: Float[np.ndarray, " T"],
    right: Float[np.ndarray, "T K D"],
) -> Float[np.ndarray, "T K D"]:
    """Solve K symmetric systems of five diagonals that differ in the main one only (L D Lᵀ)."""
    count = len(diagonal)
    pivot, one, two = np.zeros_like(diagonal), np.zeros_like(diagonal), np.zeros_like(diagonal)
    z = right.copy()
    for t in range(count):
        pivot[t], carry = diagonal[t], first[t]
        if t:
            pivot[t] -= one[t - 1] ** 2 * pivot[t - 1]
            carry = carry - one[t - 1] * two[t - 1] * pivot[t - 1]
            z[t] -= one[t - 1][:, None] * z[t - 1]
        if t > 1:
            pivot[t] -= two[t - 2] ** 2 * pivot[t - 2]
            z[t] -= two[t - 2][:, None] * z[t - 2]
        one[t], two[t] = carry / pivot[t], second[t] / pivot[t]
    z /= pivot[..., None]
    for t in range(count - 2, -1, -1):
        z[t] -= one[t][:, None] * z[t + 1]
        if t < count - 2:
            z[t] -= two[t][:, None] * z[t + 2]
    return z
