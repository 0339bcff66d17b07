"""How a person looks: build and age, skin, hair, clothes; drawn from a seed so that no two are alike.

Heights are those of MakeHuman's base person at rest, in metres from its middle: sole −0.82, ankle −0.74, knee
−0.30, crotch −0.03, waist 0.22, shoulders 0.56, chin 0.62, eyes 0.73, crown 0.85. Along the arm 0 is the
shoulder, 1 the wrist. Colours are linear. All distributions are our choice: wide, not those of a population.
"""

from dataclasses import dataclass

import numpy as np

Rgb = tuple[float, float, float]
SKINS = np.array(
    [[0.78, 0.50, 0.37], [0.66, 0.39, 0.27], [0.50, 0.28, 0.17], [0.30, 0.15, 0.085], [0.13, 0.06, 0.035]]
)
"""From light to dark, linear; a person's skin lies between two neighbours."""
HAIRS = np.array(
    [
        [0.012, 0.009, 0.008],
        [0.035, 0.018, 0.010],
        [0.11, 0.05, 0.02],
        [0.35, 0.22, 0.09],
        [0.26, 0.07, 0.02],
        [0.24, 0.235, 0.225],
    ]
)
PLAIN = ("plain", "stripes", "upright stripes", "checks", "dots", "fade", "camouflage", "logo")
"""Patterns by number."""
NEVER = 9.0
"""A hairline or hem that is nowhere."""


@dataclass(frozen=True, slots=True)
class Look:
    """What shaders are told (names as there), the traits of the body, and how far clothes stand off it."""

    traits: dict[str, float]
    uniforms: dict[str, tuple[float, ...]]
    ease_m: float
    hair_m: float
    skirt: bool
    long_hair: bool


def look(rng: np.random.Generator, children: bool = True) -> Look:
    """Draw a person."""
    child = children and rng.random() < 0.08
    male = float(rng.random() < 0.5)
    skin_at = rng.uniform(0, len(SKINS) - 1)
    traits = _traits(rng, child, male, skin_at)
    skirt = male == 0 and rng.random() < 0.35
    long_hair = rng.random() < (0.55 if male == 0 else 0.07)
    bald = male == 1 and rng.random() < 0.12
    grey = traits["age"] > 0.85
    hair = HAIRS[5] if grey else HAIRS[rng.choice(5, p=_hair_shares(skin_at))]
    skin = _between(SKINS, skin_at) * rng.uniform(0.92, 1.08, 3)
    uniforms: dict[str, tuple[float, ...]] = {
        "skin_rgb": _rgb(skin),
        "hair_rgb": _rgb(hair * rng.uniform(0.7, 1.3)),
        "eye_rgb": _rgb(
            np.array([[0.03, 0.015, 0.008], [0.06, 0.13, 0.25], [0.08, 0.14, 0.05]])[
                rng.choice(3, p=[0.7, 0.18, 0.12])
            ]
        ),
        "lip_rgb": _rgb(skin * np.array([0.95, 0.55, 0.52])),
        "hair_cut": _hair_cut(rng, bald, long_hair, male),
        **_clothes(rng, skirt, male),
    }
    short = 0.004 if bald else float(rng.choice([0.006, 0.012, 0.02, 0.045], p=[0.3, 0.35, 0.25, 0.1]))
    short = min(short, 0.012) if long_hair else short  # both together would be a helmet
    return Look(traits, uniforms, float(rng.uniform(0.002, 0.012)), short, skirt, long_hair and not bald)


def _traits(rng: np.random.Generator, child: bool, male: float, skin_at: float) -> dict[str, float]:
    african = float(np.clip(skin_at / 4 + rng.normal(0, 0.15), 0.02, 0.98))
    asian = float((1 - african) * rng.uniform(0, 1))
    values = {
        "age": rng.uniform(0.36, 0.5)
        if child
        else rng.choice([0.66, 0.66, 0.8, 0.95]) + rng.uniform(-0.05, 0.05),
        "male": male,
        "muscle": rng.uniform(0.25, 0.8),
        "weight": rng.uniform(0.2, 0.85),
        "height": float(np.clip(rng.normal(0.42, 0.12), 0.1, 0.75)),
        "proportions": rng.uniform(0.1, 0.7),
        "cup": rng.uniform(0.2, 0.7),
        "african": african,
        "asian": asian,
        "caucasian": 1 - african - asian + 1e-3,
    }
    return {name: round(float(value), 2) for name, value in values.items()}


def _hair_cut(rng: np.random.Generator, bald: bool, long_hair: bool, male: float) -> tuple[float, ...]:
    line = NEVER if bald else rng.uniform(0.785, 0.815)
    nape = rng.uniform(0.62, 0.68)
    beard = float(rng.uniform(0.4, 1.0)) if male and rng.random() < 0.35 else 0.0
    return (line, nape, beard, float(rng.uniform(0.3, 0.62)) if long_hair and not bald else 0.0)


def _clothes(rng: np.random.Generator, skirt: bool, male: float) -> dict[str, tuple[float, ...]]:
    sleeve = float(rng.choice([0.12, 0.36, 0.42, 0.75, 0.97, 0.97]))
    hem = rng.uniform(0.0, 0.12)
    cuff = float(rng.choice([-0.7, -0.73, -0.45, -0.25, -0.12], p=[0.45, 0.25, 0.06, 0.16, 0.08]))
    top, legs = _cloth_colour(rng), _cloth_colour(rng) * rng.uniform(0.25, 0.9)
    pattern = int(rng.choice(8, p=[0.36, 0.13, 0.06, 0.1, 0.06, 0.05, 0.05, 0.19]))
    below = int(rng.choice([0, 0, 0, 0, 0, 2, 3, 6]))
    low = rng.uniform(-0.5, -0.18)
    return {
        "cut_top": (hem, rng.uniform(0.545, 0.60), sleeve, float(rng.choice([0.0, 0.02, 0.07]))),
        "cut_legs": (
            rng.uniform(0.12, 0.2),
            -0.1 if skirt else cuff,
            low if skirt else -NEVER,
            rng.uniform(-0.765, -0.70),
        ),
        "style": (float(pattern), float(below), float(rng.uniform(8, 26)), float(rng.random())),
        "top_rgb": _rgb(top),
        "top2_rgb": _rgb(_cloth_colour(rng)),
        "legs_rgb": _rgb(legs),
        "legs2_rgb": _rgb(legs * rng.uniform(0.3, 0.8)),
        "shoes_rgb": _rgb(np.array([rng.choice([0.02, 0.05, 0.6, 0.15])] * 3) * rng.uniform(0.6, 1.2, 3)),
    }


def _cloth_colour(rng: np.random.Generator) -> np.ndarray:
    """A quarter near grey, the others of any hue."""
    hue, value = rng.random(), rng.uniform(0.03, 0.75)
    full = np.clip(np.abs((hue * 6 + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1)
    return value * (1 - (rng.uniform(0, 0.12) if rng.random() < 0.3 else rng.uniform(0.3, 0.95)) * (1 - full))


def _hair_shares(skin_at: float) -> np.ndarray:
    light = max(0.0, 1 - skin_at / 2)
    shares = np.array([0.45, 0.3, 0.2 * light + 0.02, 0.25 * light + 0.005, 0.07 * light + 0.003])
    return shares / shares.sum()


def _between(table: np.ndarray, at: float) -> np.ndarray:
    first = min(int(at), len(table) - 2)
    return table[first] * (1 - at + first) + table[first + 1] * (at - first)


def _rgb(colour: np.ndarray) -> Rgb:
    red, green, blue = np.clip(colour, 0.004, 0.95).tolist()
    return red, green, blue
