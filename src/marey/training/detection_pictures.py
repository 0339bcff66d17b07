"""Training canvases of the detector: pictures cut, mixed, and pasted onto, with their people.

Conventions: boxes x0 y0 x1 y1 in canvas px. A canvas is square, one picture or a mosaic of four (YOLOv4,
Bochkovskiy et al. 2020), so that people of every size come up. A person cut down to a corner is an ignore
region, neither person nor background. Everything random comes from the generator given.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

Rng = np.random.Generator
GREY = 114
SEEN = 0.25
"""Share of a person's box that must be left for it to count (our choice)."""
SMALLEST_PX = 8
"""People less high than this on the canvas are ignore regions: one cell of the finest level."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, its people, the regions where somebody may be, and how often it is drawn (relative)."""

    rgb: UInt8[np.ndarray, "H W 3"]
    boxes: Float32[np.ndarray, "N 4"]
    ignore: Float32[np.ndarray, "I 4"]
    share: float


@dataclass(frozen=True, slots=True)
class Cutout:
    """A person cut out along a mask."""

    rgb: UInt8[np.ndarray, "H W 3"]
    mask: UInt8[np.ndarray, "H W"]


@dataclass(frozen=True)
class Mix:
    """How canvases are made; chances in [0, 1], scales relative to fitting the picture into its place."""

    mosaic: float = 0.45
    scale: tuple[float, float] = (0.7, 2.2)
    mosaic_scale: tuple[float, float] = (0.9, 2.4)
    turn: float = 0.06
    grey: float = 0.08
    blur: float = 0.12
    paste: float = 0.12
    paste_empty: float = 0.4
    sides: tuple[int, ...] = (256, 288, 320, 352, 384)


Labels = tuple[Float32[np.ndarray, "N 4"], Float32[np.ndarray, "I 4"]]
Canvas = tuple[UInt8[np.ndarray, "S S 3"], Float32[np.ndarray, "N 4"], Float32[np.ndarray, "I 4"]]


class Canvases:
    """Makes canvases from pictures, each drawn in proportion to its share."""

    def __init__(self, pictures: Sequence[Picture], cutouts: Sequence[Cutout], mix: Mix):
        self.pictures, self.cutouts, self.mix = pictures, cutouts, mix
        shares = np.array([picture.share for picture in pictures], np.float64)
        self.chances = (shares / shares.sum()).cumsum()

    def draw(self, side: int, rng: Rng) -> Canvas:
        """One canvas of `side` × `side`."""
        if rng.random() < self.mix.mosaic:
            rgb, boxes, ignore = self._mosaic(side, rng)
        else:
            rgb, boxes, ignore = self._place((0, 0, side, side), self.mix.scale, rng)
        chance = self.mix.paste if len(boxes) else self.mix.paste_empty
        if self.cutouts and rng.random() < chance:
            for _ in range(rng.integers(1, 4)):
                rgb, boxes = self._paste(rgb, boxes, rng)
        return self._colour(rgb, rng), boxes, ignore

    def _picture(self, rng: Rng) -> Picture:
        return self.pictures[int(np.searchsorted(self.chances, rng.random()))]

    def _mosaic(self, side: int, rng: Rng) -> Canvas:
        x, y = (int(v) for v in rng.integers(round(0.3 * side), round(0.7 * side), 2))
        canvas = np.empty((side, side, 3), np.uint8)
        people, regions = [], []
        for place in ((0, 0, x, y), (x, 0, side, y), (0, y, x, side), (x, y, side, side)):
            rgb, boxes, ignore = self._place(place, self.mix.mosaic_scale, rng)
            canvas[place[1] : place[3], place[0] : place[2]] = rgb
            shift = np.array([place[0], place[1]] * 2, np.float32)
            people.append(boxes + shift)
            regions.append(ignore + shift)
        return canvas, np.concatenate(people), np.concatenate(regions)

    def _place(self, place: tuple[int, int, int, int], scales: tuple[float, float], rng: Rng) -> Canvas:
        """A picture, flipped and turned at random, scaled and shifted into a place of the canvas."""
        picture = self._picture(rng)
        rgb, labels = picture.rgb, (picture.boxes, picture.ignore)
        if rng.random() < self.mix.turn:
            rgb, labels = quarter_turns(rgb, labels, int(rng.integers(1, 4)))
        size = np.array([place[2] - place[0], place[3] - place[1]])
        have = np.array(rgb.shape[1::-1])
        scale = (size / have).min() * np.exp(rng.uniform(*np.log(scales)))
        spare = size - scale * have
        shift = spare * np.where(spare < 0, rng.random(2), np.clip(rng.normal(0.5, 0.3, 2), 0, 1))
        flip = rng.random() < 0.5
        ax, bx = (-scale, shift[0] + scale * have[0]) if flip else (scale, shift[0])
        # OpenCV puts pixel centres at whole numbers, we put them at halves
        matrix = np.array([[ax, 0, bx + 0.5 * ax - 0.5], [0, scale, shift[1] + 0.5 * scale - 0.5]])
        if scale < 0.5:
            rgb, matrix = _halved(rgb, matrix)
        out = cv2.warpAffine(
            rgb, matrix, (int(size[0]), int(size[1])), flags=cv2.INTER_LINEAR, borderValue=(GREY,) * 3
        )
        moved = tuple(_moved(boxes, ax, bx, scale, shift[1]) for boxes in labels)
        people, lost = cut(moved[0], (int(size[0]), int(size[1])))
        regions, _ = cut(moved[1], (int(size[0]), int(size[1])), seen=0.0, smallest=1)
        return out, people, np.concatenate([regions, lost])  # pyright: ignore[reportReturnType]

    def _paste(self, rgb: np.ndarray, boxes: np.ndarray, rng: Rng) -> tuple[np.ndarray, np.ndarray]:
        """A cut-out person laid over the canvas where it hides nobody by more than a third."""
        cutout = self.cutouts[int(rng.integers(len(self.cutouts)))]
        side, have = rgb.shape[0], np.array(cutout.mask.shape[::-1])
        height = np.exp(rng.uniform(np.log(20), np.log(0.9 * side)))
        size = np.maximum(np.round(have * height / have[1]).astype(int), 4)
        if (size > side).any() or height > 2.0 * have[1]:
            return rgb, boxes
        x, y = (int(rng.integers(0, side - s + 1)) for s in size)
        box = np.array([[x, y, x + size[0], y + size[1]]], np.float32)
        shared = np.clip(np.minimum(box[:, 2:], boxes[:, 2:]) - np.maximum(box[:, :2], boxes[:, :2]), 0, None)
        if (shared.prod(1) > 0.33 * np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(1), 1)).any():
            return rgb, boxes
        person = cv2.resize(cutout.rgb, size.tolist(), interpolation=cv2.INTER_AREA)
        mask = cv2.GaussianBlur(
            cv2.resize(cutout.mask, size.tolist(), interpolation=cv2.INTER_AREA), (3, 3), 0
        )
        if rng.random() < 0.5:
            person, mask = person[:, ::-1], mask[:, ::-1]
        rgb = rgb.copy()
        under = rgb[y : y + size[1], x : x + size[0]]
        share = mask[..., None].astype(np.float32) / 255
        under[:] = (person * share + under * (1 - share)).astype(np.uint8)
        return rgb, np.concatenate([boxes, box])

    def _colour(self, rgb: np.ndarray, rng: Rng) -> UInt8[np.ndarray, "S S 3"]:
        """Brightness, contrast, colour cast, grey, blur: one table a channel, the rest now and then."""
        gain, shift = rng.uniform(0.6, 1.4) * rng.uniform(0.88, 1.12, 3), rng.uniform(-24, 24)
        power = np.exp(rng.uniform(-0.3, 0.3))
        levels = 255 * (np.arange(256) / 255)[:, None] ** power * gain + shift
        rgb = cv2.LUT(np.ascontiguousarray(rgb), np.clip(levels, 0, 255).astype(np.uint8)[:, None])
        if rng.random() < self.mix.grey:
            rgb = np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
        if rng.random() < self.mix.blur:
            rgb = cv2.GaussianBlur(rgb, (0, 0), rng.uniform(0.4, 1.4))
        return rgb


def quarter_turns(rgb: np.ndarray, labels: Labels, turns: int) -> tuple[np.ndarray, Labels]:
    """Turn a picture and its boxes anticlockwise by quarter turns."""
    for _ in range(turns):
        width = rgb.shape[1]
        rgb = np.rot90(rgb)
        labels = tuple(  # pyright: ignore[reportAssignmentType]
            np.stack([b[:, 1], width - b[:, 2], b[:, 3], width - b[:, 0]], 1) for b in labels
        )
    return np.ascontiguousarray(rgb), labels


def cut(
    boxes: np.ndarray, size: tuple[int, int], seen: float = SEEN, smallest: float = SMALLEST_PX
) -> tuple[Float32[np.ndarray, "N 4"], Float32[np.ndarray, "I 4"]]:
    """Boxes clipped to the canvas: those still large enough, and the rest of those that touch it."""
    clipped = np.clip(boxes, 0, np.array([*size, *size], np.float32)).astype(np.float32)
    left = (clipped[:, 2:] - clipped[:, :2]).prod(1)
    whole = np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(1), 1e-6)
    good = (left / whole >= seen) & (clipped[:, 3] - clipped[:, 1] >= smallest)
    return clipped[good & (left > 0)], clipped[~good & (left > 0)]


def _moved(boxes: np.ndarray, ax: float, bx: float, ay: float, by: float) -> np.ndarray:
    x = np.sort(boxes[:, 0::2] * ax + bx, axis=1)
    y = boxes[:, 1::2] * ay + by
    return np.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], 1).astype(np.float32)


def _halved(rgb: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A picture of half the size and the map from it, so that a strong reduction does not alias."""
    small = cv2.resize(rgb, (rgb.shape[1] // 2, rgb.shape[0] // 2), interpolation=cv2.INTER_AREA)
    ratio = np.array([rgb.shape[1] / small.shape[1], rgb.shape[0] / small.shape[0]])
    shift = matrix[:, 2] + matrix[:, :2] @ (0.5 * ratio - 0.5)
    return small, np.concatenate([matrix[:, :2] * ratio, shift[:, None]], 1)
