"""Where a box goes next: constant velocity on true time.

Every corner coordinate has a position and a velocity; all four share one 2×2 covariance, because their noise
is the same. Noise is relative to the box's height h, as in ByteTrack (Zhang et al. 2022, code: h/20 for
positions, h/160 a frame for velocities). ByteTrack counts frames; its figures are turned into noise per
second at 30 frames a second, so that variable rates and skipped frames are right.
K boxes at once: mean (K, 4, 2), covariance (K, 2, 2), pixels and pixels per second.
"""

import numpy as np
from jaxtyping import Float, Float64

MEASURED = 1 / 20
"""Standard deviation of a measured coordinate, in heights."""
DRIFT = 30 / 20**2
"""Variance that a position gains a second, in heights²."""
PUSH = 30 * (30 / 160) ** 2 / 8
"""Variance that a velocity (heights a second) gains a second.

An eighth of ByteTrack's, which is made for a look at every frame: over the 0.1 to 0.4 s between ours it lets
people change their speed by more than they do (ours: drawn walkers who stop, turn and cross keep ids best
so, among the whole, a quarter, an eighth and a sixteenth).
"""
UNKNOWN = 10 * 30 / 160
"""Standard deviation of the velocity of a box seen once, in heights a second."""

Mean = Float64[np.ndarray, "K 4 2"]
Covariance = Float64[np.ndarray, "K 2 2"]


def heights(mean: Mean) -> Float64[np.ndarray, " K"]:
    """Heights of the boxes, at least one pixel."""
    return np.maximum(mean[:, 3, 0] - mean[:, 1, 0], 1.0)


def begin(boxes: Float[np.ndarray, "K 4"]) -> tuple[Mean, Covariance]:
    """State of boxes seen once: at rest, but not known to be."""
    mean = np.stack([boxes, np.zeros_like(boxes)], -1).astype(np.float64)
    deviations = np.array([MEASURED, UNKNOWN])
    return mean, np.diag(deviations**2) * heights(mean)[:, None, None] ** 2


def predict(
    mean: Mean, covariance: Covariance, elapsed_s: Float64[np.ndarray, " K"]
) -> tuple[Mean, Covariance]:
    """State after a while without being seen."""
    step = np.broadcast_to(np.eye(2), covariance.shape).copy()
    step[:, 0, 1] = elapsed_s
    noise = np.empty_like(covariance)
    noise[:, 0, 0] = DRIFT * elapsed_s + PUSH * elapsed_s**3 / 3
    noise[:, 0, 1] = noise[:, 1, 0] = PUSH * elapsed_s**2 / 2
    noise[:, 1, 1] = PUSH * elapsed_s
    noise *= heights(mean)[:, None, None] ** 2
    return mean @ step.swapaxes(1, 2), step @ covariance @ step.swapaxes(1, 2) + noise


def update(mean: Mean, covariance: Covariance, boxes: Float[np.ndarray, "K 4"]) -> tuple[Mean, Covariance]:
    """State after the boxes were seen."""
    spread = covariance[:, 0, 0] + (MEASURED * heights(mean)) ** 2
    weight = covariance[:, :, 0] / spread[:, None]
    surprise = boxes - mean[:, :, 0]
    return (
        mean + surprise[:, :, None] * weight[:, None, :],
        covariance - weight[:, :, None] * covariance[:, None, 0, :],
    )


def steady(mean: Mean) -> Mean:
    """The same boxes moving without growing: a size that changed just before an occlusion tells nothing."""
    velocity = mean[:, :, 1].reshape(-1, 2, 2).mean(1)
    return np.stack([mean[:, :, 0], np.tile(velocity, (1, 2))], -1)
