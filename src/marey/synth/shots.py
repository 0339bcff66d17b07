"""Where the camera is and what it does: still, panning, tilting, on a dolly, in a hand, zooming.

Conventions: the world is metres, Y up; the shot's first camera looks along −Z at the middle of what happens.
Amplitudes are our choice, of what people do with telephones and tripods.
"""

from typing import Literal, get_args

import numpy as np
from jaxtyping import Float64

from marey.core.cameras import Camera
from marey.core.kinematics import axis_rotations

Move = Literal["still", "pan", "tilt", "dolly", "hand", "zoom", "sweep"]
MOVES: tuple[Move, ...] = get_args(Move)
AWAY = 0.8
"""How far a sweep turns to either side, as a share of what is seen: the middle is gone for two seconds."""


def camera_at(
    eye: Float64[np.ndarray, " 3"],
    target: Float64[np.ndarray, " 3"],
    size: tuple[int, int],
    angle_deg: float,
    roll: float = 0.0,
) -> Camera:
    """A camera at `eye` that has `target` in the middle and sees `angle_deg` from left to right."""
    ahead = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(ahead, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right)
    down = np.cross(ahead, right)
    cos, sin = np.cos(roll), np.sin(roll)
    rotation = np.stack([cos * right + sin * down, cos * down - sin * right, ahead])
    return Camera(Camera.from_view(size, angle_deg).matrix, rotation, -rotation @ eye)


def shot(
    first: tuple[Float64[np.ndarray, " 3"], Float64[np.ndarray, " 3"], float],
    moves: tuple[Move, ...],
    size: tuple[int, int],
    times_s: Float64[np.ndarray, " T"],
    rng: np.random.Generator,
) -> list[Camera]:
    """The cameras of a shot that starts about `first` (eye, target, angle in degrees), one for each time."""
    eye, target, angle = first
    away = float(np.linalg.norm(target - eye))
    count = len(times_s)
    eyes, targets = np.tile(eye, (count, 1)), np.tile(target, (count, 1))
    rolls, angles = np.full(count, rng.normal(0, 0.01)), np.full(count, angle)
    if "pan" in moves:
        targets[:, 0] += away * _wave(times_s, 0.12, 6.0, rng)
    if "tilt" in moves:
        targets[:, 1] += away * _wave(times_s, 0.06, 6.0, rng)
    if "dolly" in moves:
        eyes[:, 0] += away * _wave(times_s, 0.18, 8.0, rng)
        eyes[:, 2] += away * _wave(times_s, 0.08, 8.0, rng)
    if "zoom" in moves:
        angles = angles * np.exp(_wave(times_s, 0.15, 5.0, rng))
    if "hand" in moves:
        for axis in range(3):
            eyes[:, axis] += _wave(times_s, 0.02, 1.1, rng)
            targets[:, axis] += away * (_wave(times_s, 0.008, 0.9, rng) + _wave(times_s, 0.0012, 0.17, rng))
        rolls = rolls + _wave(times_s, 0.012, 1.3, rng)
    if "sweep" in moves:
        turns = AWAY * np.deg2rad(angle) * rng.choice([-1, 1]) * np.sin(
            2 * np.pi * times_s / rng.uniform(6.0, 9.0)
        )  # fmt: skip
        targets = eyes + (axis_rotations("y", turns) @ (targets - eyes)[..., None])[..., 0]
    return [camera_at(*held[:2], size, float(held[2]), float(held[3]))
            for held in zip(eyes, targets, angles, rolls, strict=True)]  # fmt: skip


def _wave(
    times_s: Float64[np.ndarray, " T"], amplitude: float, period_s: float, rng: np.random.Generator
) -> Float64[np.ndarray, " T"]:
    """A smooth aimless series."""
    waves = [
        np.sin(2 * np.pi * (times_s / (period_s * scale * rng.uniform(0.8, 1.25)) + rng.random()))
        * scale
        / 1.5
        for scale in (1.0, 0.6)
    ]
    return amplitude * np.sum(waves, 0)
