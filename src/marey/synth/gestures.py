"""Motions of our own: standing, walking, reaching, turning, sitting, signing; no motion capture is needed.

Each is made of smooth sums of sines and of poses between which it goes; amplitudes are our choice, by eye.
Conventions: `motion.py`; about X a positive turn brings a hanging limb's lower end to the back.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

from marey.synth.motion import SEGMENTS, Motion
from marey.synth.turns import STILL, about, product

RATE_HZ = 30.0
X, Y, Z = np.eye(3)
LEG = ("thigh", "shin", "foot")
Series = Float64[np.ndarray, " T"]


class _Figure:
    """Turns of segments, built up by turning parts about the world's axes; parts hang on what is above."""

    def __init__(self, seconds: float, rng: np.random.Generator):
        self.time_s = np.arange(round(seconds * RATE_HZ) + 1) / RATE_HZ
        self.rng = rng
        self.turns = np.tile(STILL, (len(self.time_s), len(SEGMENTS), 1))
        self.root = np.zeros((len(self.time_s), 3))
        self.root[:, 1] = 1.0
        self.curl = np.full((len(self.time_s), 2), 0.25)

    def turn(self, segments: str, axis: np.ndarray, angle: Series | float) -> None:
        """Turn segments, named with spaces between, about an axis of the world, after all else."""
        angles = np.broadcast_to(np.asarray(angle, np.float64), self.time_s.shape)
        for name in segments.split():
            k = SEGMENTS.index(name)
            self.turns[:, k] = product(about(axis, angles), self.turns[:, k])

    def wave(self, amplitude: float, period_s: float) -> Series:
        """A slow, smooth, aimless series."""
        rng, time_s = self.rng, self.time_s
        parts = [
            np.sin(2 * np.pi * (time_s / (period_s * rng.uniform(0.7, 1.3) * scale) + rng.random())) / scale
            for scale in (1.0, 0.53, 1.7)
        ]
        return amplitude * np.sum(parts, 0) / 1.6

    def motion(self, name: str) -> Motion:
        """What was built."""
        return Motion(name, "gestures", RATE_HZ, self.turns, self.root, self.curl)


def _arm(side: str, parts: str = "upper_arm forearm hand") -> str:
    return " ".join(f"{side}_{part}" for part in parts.split())


def _leg(side: str, parts: str = "thigh shin foot") -> str:
    return " ".join(f"{side}_{part}" for part in parts.split())


def _trunk() -> str:
    return "pelvis chest neck head left_clavicle right_clavicle"


def _standing(figure: _Figure) -> None:
    """Arms hanging, weight shifting, looking about, breathing."""
    rng = figure.rng
    for side, way in (("left", -1.0), ("right", 1.0)):
        figure.turn(_arm(side, "forearm hand"), Y, way * (0.25 + figure.wave(0.1, 4)))
        figure.turn(_arm(side), Z, way * (1.38 + figure.wave(0.04, 5)))
        figure.turn(_arm(side), X, figure.wave(0.06, 4) + rng.uniform(-0.1, 0.05))
        figure.turn(_leg(side, "thigh shin foot"), Y, -way * rng.uniform(0.05, 0.3))
        figure.turn(_leg(side, "thigh shin"), Z, -way * rng.uniform(0.02, 0.1))
    sway = figure.wave(0.03, 4)
    figure.turn("chest neck head", Z, sway)
    figure.turn("head", Y, figure.wave(0.4, 3.5))
    figure.turn("head", X, figure.wave(0.1, 4))


def idle(seconds: float, rng: np.random.Generator) -> Motion:
    """Standing about."""
    figure = _Figure(seconds, rng)
    _standing(figure)
    return figure.motion("idle")


def walk(seconds: float, rng: np.random.Generator) -> Motion:
    """Walking straight on; where the body goes follows from its feet (`ground.planted`)."""
    figure = _Figure(seconds, rng)
    step = 2 * np.pi * (figure.time_s / rng.uniform(1.0, 1.25) + rng.random())
    reach = rng.uniform(0.32, 0.48)
    for side, way in (("left", 1.0), ("right", -1.0)):
        phase = step + (0 if way > 0 else np.pi)
        thigh = -reach * np.sin(phase) - 0.05
        bend = 0.12 + 0.95 * np.clip(np.sin(phase - 4.3), 0, 1) ** 2
        figure.turn(_leg(side, "shin foot"), X, bend)
        figure.turn(_leg(side), X, thigh)
        figure.turn(_leg(side, "foot"), X, -thigh - bend + 0.35 * np.clip(np.sin(phase - 3.3), 0, 1) ** 2)
        figure.turn(_arm(side, "forearm hand"), Y, -way * (0.35 + 0.2 * np.sin(phase)))
        figure.turn(_arm(side), Z, -way * 1.42)
        figure.turn(_arm(side), X, 0.85 * reach * np.sin(phase))
    figure.turn(f"chest {_arm('left')} {_arm('right')}", Y, 0.12 * np.sin(step))
    figure.turn("pelvis", Y, -0.1 * np.sin(step))
    figure.turn("head", Y, figure.wave(0.25, 4))
    return figure.motion("walk")


def reach(seconds: float, rng: np.random.Generator) -> Motion:
    """Reaching out with one arm, somewhere else each time."""
    figure = _Figure(seconds, rng)
    _standing(figure)
    side, way = ("left", -1.0) if rng.random() < 0.5 else ("right", 1.0)
    out = _bumps(figure, 2.2)
    figure.turn(_arm(side), X, -out * (1.3 + figure.wave(0.7, 3)))
    figure.turn(_arm(side), Y, -way * out * figure.wave(0.6, 3))
    figure.turn(f"chest neck head {_arm('left')} {_arm('right')}", X, 0.3 * out)
    return figure.motion("reach")


def turn(seconds: float, rng: np.random.Generator) -> Motion:
    """Standing and turning about, on the spot."""
    figure = _Figure(seconds, rng)
    _standing(figure)
    angle = np.cumsum(figure.wave(0.06, 5)) + rng.uniform(-0.01, 0.01) * np.arange(len(figure.time_s))
    figure.turn(" ".join(SEGMENTS), Y, angle)
    figure.turn("head", Y, 0.4 * np.gradient(angle) * RATE_HZ / 2)
    lift = np.abs(np.gradient(angle)) * 5
    for k, side in enumerate(("left", "right")):
        up = np.clip(lift, 0, 0.5) * np.clip(np.sin(2 * np.pi * figure.time_s * 1.6 + np.pi * k), 0, 1)
        axis = np.stack([np.cos(angle), np.zeros_like(angle), -np.sin(angle)], -1)
        for part, share in (("thigh", -1.0), ("shin", 1.0)):
            j = SEGMENTS.index(f"{side}_{part}")
            figure.turns[:, j] = product(about(axis, share * up), figure.turns[:, j])
    return figure.motion("turn")


def sit(seconds: float, rng: np.random.Generator) -> Motion:
    """Sitting down on something as high as the knees, and standing up again."""
    figure = _Figure(seconds, rng)
    _standing(figure)
    down = _bumps(figure, 4.0)
    for side in ("left", "right"):
        figure.turn(_leg(side, "thigh"), X, -1.5 * down)
        figure.turn(_arm(side), X, -0.5 * down)
    figure.turn(f"chest neck {_arm('left')} {_arm('right')}", X, 0.9 * np.sin(np.pi * down) * 0.7)
    return figure.motion("sit")


def sign(seconds: float, rng: np.random.Generator) -> Motion:
    """Both hands moving quickly before the chest, as signers' do; no sign of any language is meant."""
    figure = _Figure(seconds, rng)
    for side, way in (("left", 1.0), ("right", -1.0)):
        figure.turn(_arm(side, "hand"), X, figure.wave(0.7, 0.9))
        figure.turn(_arm(side, "hand"), Z, way * figure.wave(0.3, 0.7))
        figure.turn(_arm(side, "forearm hand"), Y, -way * (1.75 + figure.wave(0.35, 0.9)))
        figure.turn(_arm(side), Z, -way * (1.15 + figure.wave(0.12, 1.1)))
        figure.turn(_arm(side), X, -(0.55 + figure.wave(0.3, 1.2)))
    figure.curl[:] = np.clip(0.5 + np.stack([figure.wave(0.7, 0.8), figure.wave(0.7, 0.8)], -1), 0, 1.2)
    figure.turn("head", Y, figure.wave(0.2, 2))
    figure.turn("head", X, figure.wave(0.12, 1.5))
    return figure.motion("sign")


GESTURES: dict[str, Callable[[float, np.random.Generator], Motion]] = {
    "idle": idle, "walk": walk, "reach": reach, "turn": turn, "sit": sit, "sign": sign,
}  # fmt: skip
"""Every motion of our own, by name."""


def _bumps(figure: _Figure, period_s: float) -> Series:
    """From 0 to 1 and back, smoothly, again and again."""
    phase = figure.time_s / (period_s * figure.rng.uniform(0.9, 1.2)) + figure.rng.uniform(0, 0.4)
    rise = np.clip(1.6 * (0.5 - 0.5 * np.cos(2 * np.pi * phase)) - 0.3, 0, 1)
    return rise * rise * (3 - 2 * rise)
