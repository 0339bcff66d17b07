"""What is behind and beneath people, and in front of them: ground, a wall all round, occluders, light.

Pictures are drawn from a seed, or taken from a folder of photographs (yours: none comes with marey).
"""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from marey.core.errors import DataError
from marey.synth.gpu import Light, Thing

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
WIDE_PX, HIGH_PX, TILE_PX = 2048, 512, 512
LIGHTS = (((1.0, 0.95, 0.85), 2.1, 0.40), ((1.0, 0.72, 0.48), 1.8, 0.32), ((1.0, 1.0, 1.0), 0.7, 0.75),
          ((1.0, 0.9, 0.75), 1.3, 0.45))  # fmt: skip
"""Day, evening, overcast, indoors: the sun's colour and strength, and the sky's strength (our choice)."""
EVENING = 1
Picture = UInt8[np.ndarray, "h w 3"]


def surroundings(rng: np.random.Generator, photographs: tuple[Path, ...] = ()) -> list[Thing]:
    """Ground and a round wall at 14 to 30 m."""
    radius = float(rng.uniform(14, 30))
    picture = _photograph(photographs, rng) if photographs else _panorama(rng)
    rounds = 3 if photographs else 2
    wall = _cylinder(radius, radius * 0.55, rounds)
    return [Thing(*_disc(radius + 2), _floor(rng)), Thing(*wall, picture, glow=0.75, casts=False)]


def box(
    low: Float64[np.ndarray, " 3"],
    high: Float64[np.ndarray, " 3"],
    rng: np.random.Generator,
    round_: bool = False,
) -> Thing:
    """An upright block or column of some cloth, wood, stone or leaves."""
    middle, half = (low + high) / 2, (high - low) / 2
    outline = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]
    if round_:
        outline = [(np.cos(a), np.sin(a)) for a in np.linspace(0, 2 * np.pi, 14)[:-1]]
    corners, outwards = [], []
    for a, b in zip(outline, outline[1:] + outline[:1], strict=True):
        corners.append([(a[0], -1, a[1]), (b[0], -1, b[1]), (b[0], 1, b[1]), (a[0], 1, a[1])])
        corners.append([(0, 1, 0), (a[0], 1, a[1]), (b[0], 1, b[1]), (0, 1, 0)])
        outwards += [(a[0] + b[0], 0, a[1] + b[1]), (0, 1, 0)]
    at = np.array(corners, np.float64) * half + middle
    normals = np.array(outwards, np.float64)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    count = len(at)
    uv = (
        np.tile(np.array([(0, 0), (1, 0), (1, 1), (0, 1)]), (count, 1))
        + np.repeat(np.arange(count), 4)[:, None]
    )
    faces = np.concatenate([4 * k + np.array([(0, 1, 2), (0, 2, 3)]) for k in range(count)])
    return Thing(
        at.reshape(-1, 3).astype(np.float32),
        np.repeat(normals, 4, 0).astype(np.float32),
        uv.astype(np.float32),
        faces.astype(np.int32),
        _stuff(rng),
    )


def sunshine(rng: np.random.Generator, centre: Float64[np.ndarray, " 3"], reach_m: float) -> Light:
    """One of `LIGHTS`, from anywhere above."""
    kind = rng.choice(len(LIGHTS))
    colour, sun, sky = LIGHTS[kind]
    turn, height = rng.uniform(0, 2 * np.pi), rng.uniform(0.55, 1.4) * (0.5 if kind == EVENING else 1.0)
    way = (float(np.cos(turn)), -float(height), float(np.sin(turn)))
    level = float(rng.uniform(0.75, 1.15))
    blue = np.array((0.85, 0.95, 1.1)) * sky * level
    tone = np.array(colour) * sun * level
    return Light(
        _three(np.array(way) / np.linalg.norm(way)),
        _three(tone),
        _three(blue),
        _three(blue * 0.45),
        _three(centre),
        reach_m,
    )


@lru_cache(maxsize=8)
def photographs_in(folder: Path) -> tuple[Path, ...]:
    """The pictures of a folder, by name. Raises `DataError` where there are none."""
    found = tuple(sorted(file for file in folder.glob("*") if file.suffix.lower() in SUFFIXES))
    if not found:
        raise DataError(f"{folder}: no photographs ({', '.join(SUFFIXES)}); name another folder, or none")
    return found


def _three(values: np.ndarray) -> tuple[float, float, float]:
    first, second, third = (float(value) for value in values)
    return first, second, third


def _disc(radius: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    count = 48
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    rim = np.stack([np.cos(angle), 0 * angle, np.sin(angle)], -1) * radius
    at = np.concatenate([np.zeros((1, 3)), rim]).astype(np.float32)
    around = np.arange(count)
    faces = np.stack([0 * around, 1 + around, 1 + (around + 1) % count], -1).astype(np.int32)
    return at, np.tile(np.array([0, 1, 0], np.float32), (count + 1, 1)), at[:, [0, 2]] / 2.5, faces


def _cylinder(
    radius: float, height: float, rounds: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    count = 96
    angle = np.linspace(0, 2 * np.pi, count + 1)
    ring = np.stack([np.cos(angle), 0 * angle, np.sin(angle)], -1)
    up = np.array([0, 1, 0])
    at = np.concatenate([ring * radius, ring * radius + up * height]).astype(np.float32)
    across = angle / (2 * np.pi) * rounds
    uv = np.concatenate([np.stack([across, 0 * across + 1], -1), np.stack([across, 0 * across], -1)]).astype(
        np.float32
    )
    k = np.arange(count)
    faces = np.concatenate(
        [np.stack([k, k + 1, k + count + 1], -1), np.stack([k + 1, k + count + 2, k + count + 1], -1)]
    )
    return at, np.concatenate([-ring, -ring]).astype(np.float32), uv, faces.astype(np.int32)


def _photograph(files: tuple[Path, ...], rng: np.random.Generator) -> Picture:
    file = files[int(rng.integers(len(files)))]
    picture = cv2.imread(str(file))
    if picture is None:
        raise DataError(f"{file}: not a picture that can be decoded; take it out of the folder")
    half = cv2.resize(picture, (WIDE_PX // 2, HIGH_PX), interpolation=cv2.INTER_AREA)[..., ::-1]
    return np.ascontiguousarray(np.concatenate([half, half[:, ::-1]], 1))  # mirrored, so that the ends meet


def _clouds(shape: tuple[int, int], rng: np.random.Generator, first: int = 4) -> Float64[np.ndarray, "h w"]:
    """Noise of all sizes between 0 and 1, the same at its left and right ends."""
    total, weight = np.zeros(shape), 0.0
    cells = first
    while cells <= min(shape) // 2:
        grid = rng.random((cells, max(1, cells * shape[1] // shape[0])))
        grid = np.concatenate([grid, grid[:, :1]], 1)
        total += cv2.resize(grid, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC) / cells**0.7
        weight += 1 / cells**0.7
        cells *= 2
    return np.clip(total / weight, 0, 1)


def _panorama(rng: np.random.Generator) -> Picture:
    """Sky with houses and trees, or the walls of a hall; top row first."""
    out = np.empty((HIGH_PX, WIDE_PX, 3))
    indoors = rng.random() < 0.4
    light, dark = rng.uniform(150, 235, 3), rng.uniform(60, 190, 3)
    shade = np.linspace(0, 1, HIGH_PX)[:, None, None]
    out[:] = light * (1 - shade) + (dark if indoors else np.array([225, 228, 232])) * shade
    out += (_clouds((HIGH_PX, WIDE_PX), rng)[..., None] - 0.5) * (25 if indoors else 90)
    for _ in range(rng.integers(14, 40)):
        wide, high = (
            (rng.integers(40, 260), rng.integers(40, 330))
            if not indoors
            else (rng.integers(20, 180), rng.integers(20, 300))
        )
        left = int(rng.integers(0, WIDE_PX - wide))
        top = (
            HIGH_PX - high if not indoors or rng.random() < 0.5 else int(rng.integers(0, HIGH_PX - high + 1))
        )
        colour = rng.uniform(30, 225) * rng.uniform(0.75, 1.1, 3)
        block = out[top : top + high, left : left + wide]
        block[:] = colour
        _windows(block, colour, rng)
    if not indoors:
        _trees(out, rng)
    out += rng.normal(0, 5, out.shape)
    return np.clip(cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.8, 2.5))), 0, 255).astype(np.uint8)


def _windows(block: np.ndarray, colour: np.ndarray, rng: np.random.Generator) -> None:
    across, down = rng.integers(9, 30, 2)
    glass = np.clip(colour * rng.uniform(0.3, 1.5), 0, 255)
    for y in range(4, block.shape[0] - 6, int(down)):
        for x in range(4, block.shape[1] - 6, int(across)):
            block[y : y + down // 2, x : x + across // 2] = glass * rng.uniform(0.8, 1.15)


def _trees(out: np.ndarray, rng: np.random.Generator) -> None:
    for _ in range(rng.integers(0, 26)):
        x, high = int(rng.integers(0, WIDE_PX)), int(rng.integers(60, 230))
        colour = np.array([rng.uniform(20, 90), rng.uniform(50, 130), rng.uniform(15, 60)])
        cv2.rectangle(out, (x - 4, HIGH_PX - high), (x + 4, HIGH_PX), (60, 45, 30), -1)
        for _ in range(26):
            spot = (int(x + rng.normal(0, high / 5)), int(HIGH_PX - high + rng.normal(0, high / 6)))
            cv2.circle(out, spot, int(rng.uniform(8, 22)), (colour * rng.uniform(0.7, 1.3)).tolist(), -1)


def _floor(rng: np.random.Generator) -> Picture:
    """Grass, tarmac, tiles, boards or carpet."""
    kind = rng.choice(5)
    base = np.array(
        [(70, 105, 45), (105, 105, 108), (165, 155, 145), (135, 100, 65), rng.uniform(50, 170, 3)][kind]
    )
    fine = rng.normal(0, 1, (TILE_PX, TILE_PX, 1)) * (14 if kind < 2 else 5)
    out = base * (0.7 + 0.6 * _clouds((TILE_PX, TILE_PX), rng)[..., None]) + fine
    if kind in (2, 3):
        step = int(rng.choice([64, 128]))
        out[::step] *= 0.6
        out[1::step] *= 0.75
        if kind == 2:
            out[:, ::step] *= 0.6
    return np.clip(out, 0, 255).astype(np.uint8)


def _stuff(rng: np.random.Generator) -> Picture:
    """What occluders are made of."""
    base = rng.uniform(25, 215) * rng.uniform(0.6, 1.2, 3)
    out = base * (0.6 + 0.8 * _clouds((128, 128), rng)[..., None])
    if rng.random() < 0.5:
        out[:: int(rng.choice([8, 16, 32]))] *= 0.6
    return np.clip(out + rng.normal(0, 6, out.shape), 0, 255).astype(np.uint8)
