"""Feet and the ground: the floor under a moving body, and no skating where the motion is our own.

Conventions: the ground is the plane Y = 0. Motion capture keeps its horizontal ways (its people did not
skate; ours have other legs, so what remains is the difference in proportions); heights are made anew.
"""

import numpy as np
from jaxtyping import Float64

from marey.synth.body import Body, Pose, lowest, moved

AIR_S = 0.7
"""Nobody is longer in the air than this (our choice: a high jump lasts 0.6 s)."""


def on_ground(body: Body, pose: Pose, rate_hz: float, jumps: bool = True) -> Pose:
    """The pose moved up or down so that its lowest part touches the ground whenever it can.

    The lowest height within half of `AIR_S` on either side, smoothed, is taken off: jumps shorter than that
    stay jumps. What is then still below the ground is lifted out of it. Without `jumps` the
    lowest part touches the ground on every frame.
    """
    low = lowest(body, pose)
    if not jumps:
        return moved(pose, -low[:, None] * np.array([0.0, 1.0, 0.0]))
    half = max(1, round(AIR_S / 2 * rate_hz))
    floor = _smoothed(np.array([low[max(0, k - half) : k + half + 1].min() for k in range(len(low))]), half)
    rest = low - floor
    up = _smoothed(np.maximum(0, -np.array([rest[max(0, k - 2) : k + 3].min() for k in range(len(rest))])), 2)
    lift = np.maximum(up, np.maximum(0, -rest)) - floor
    return moved(pose, np.stack([np.zeros_like(lift), lift, np.zeros_like(lift)], -1))


def planted(body: Body, pose: Pose) -> Pose:
    """The pose moved about so that whichever sole is lower stands still: walking without skating."""
    soles = _soles(body, pose)
    centre = soles.mean(2)
    standing = soles[..., 1].min(2).argmin(1)
    steps = np.diff(centre[..., [0, 2]], axis=0)
    moved_by = -np.take_along_axis(steps, standing[1:, None, None], 1)[:, 0]
    way = np.concatenate([np.zeros((1, 2)), np.cumsum(moved_by, 0)])
    return moved(pose, np.stack([way[:, 0], np.zeros(len(way)), way[:, 1]], -1))


def skating(body: Body, pose: Pose, rate_hz: float) -> float:
    """Mean speed over the ground, in metres a second, of soles less than 2 cm above it."""
    soles = _soles(body, pose)
    down = soles[..., 1].min(2) < 0.02
    speed = np.linalg.norm(np.diff(soles.mean(2)[..., [0, 2]], axis=0), axis=-1) * rate_hz
    both = down[1:] & down[:-1]
    return float(speed[both].mean()) if both.any() else 0.0


def _soles(body: Body, pose: Pose) -> Float64[np.ndarray, "T 2 K 3"]:
    feet = [body.base.bones.index(f"foot.{side}") for side in "LR"]
    return np.einsum("tfij,fkj->tfki", pose.turns[:, feet], body.soles) + pose.shifts[:, feet, None]


def _smoothed(values: Float64[np.ndarray, " T"], half: int) -> Float64[np.ndarray, " T"]:
    kernel = np.hanning(2 * half + 3)[1:-1]
    return np.convolve(np.pad(values, half, mode="edge"), kernel / kernel.sum(), "valid")
