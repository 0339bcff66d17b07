"""Augmentation: warps drawn as 2×3 matrices on the processor, pixels changed in batches on the device.

Geometry is drawn in NumPy, where the joints are, and the crop is warped by OpenCV in the thread that decodes
it, whose size differs from crop to crop (our choice). Everything else is done for the whole batch on the
device, with a generator seeded by the step.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor
from torch.nn import functional as F

from marey.core.geometry import Side
from marey.core.skeletons import MAREY19


@dataclass(frozen=True, slots=True)
class Augment:
    """Shares are probabilities; sizes are shares of the crop's height unless said."""

    rotation: float = 40.0  # degrees either way, normal of half this deviation
    turns: float = 0.1  # share with any angle at all
    zoom: tuple[float, float] = (0.75, 1.3)  # of the crop
    shift: float = 0.06  # of the person's size, deviation
    flip: float = 0.5
    half: float = 0.12  # share of upper or lower bodies
    colour: float = 0.6
    patches: float = 0.3
    coarse: float = 0.2  # share reduced by 2 to 4 and enlarged again
    motion: float = 0.1  # share blurred along a line
    sides: tuple[
        tuple[Side, ...], ...
    ] = ()  # of the crop, px, one drawn a step; a row a cycle (none: its own)


_UPPER = np.array([not any(part in joint for part in ("hip", "knee", "ankle")) for joint in MAREY19.joints])


def draw_warp(
    rng: np.random.Generator,
    box: Float[np.ndarray, " 4"],
    xy: Float[np.ndarray, "J 2"],
    crop: tuple[int, int],
    settings: Augment,
    padding: float,
) -> tuple[Float[np.ndarray, "2 3"], bool]:
    """A matrix from source to pixels of a `crop` = (width, height), edge-based, and whether it mirrors."""
    box = _half_body(rng, box, xy, settings)
    centre, wide, high = (box[:2] + box[2:]) / 2, *(float(v) for v in box[2:] - box[:2])
    size = max(wide, high)
    centre = centre + rng.normal(0, settings.shift, 2) * size
    reach = max(high, wide * crop[1] / crop[0]) * padding * math.exp(rng.uniform(*np.log(settings.zoom)))
    angle = np.clip(rng.normal(0, settings.rotation / 2), -settings.rotation, settings.rotation)
    if rng.random() < settings.turns:
        angle = rng.uniform(-180, 180)
    mirror = bool(rng.random() < settings.flip)
    return warp_matrix(centre, reach, float(angle), mirror, crop), mirror


def warp_matrix(
    centre: Float[np.ndarray, " 2"], reach: float, angle: float, mirror: bool, crop: tuple[int, int]
) -> Float[np.ndarray, "2 3"]:
    """What lies about `centre`, turned by `angle` degrees, on a `crop` as high as `reach` source pixels."""
    turn, scale = math.radians(angle), crop[1] / max(reach, 1e-6)
    linear = scale * np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    if mirror:
        linear[0] *= -1
    return np.column_stack([linear, np.array(crop) / 2 - linear @ centre])


def warp(
    rgb: UInt8[np.ndarray, "h w 3"], matrix: Float[np.ndarray, "2 3"], crop: tuple[int, int]
) -> UInt8[np.ndarray, "H W 3"]:
    """Draw a `crop` = (width, height); black outside.

    OpenCV counts pixel centres, so the half pixel is taken off here.
    """
    shrink = 1 / max(float(np.sqrt(abs(np.linalg.det(matrix[:, :2])))), 1e-6)
    if shrink > 1.5:  # average before sampling, or fine patterns alias
        factor = 1 / shrink
        rgb = cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        matrix = matrix * np.array([shrink, shrink, 1.0])
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5
    return cv2.warpAffine(rgb, moved, crop, flags=cv2.INTER_LINEAR)  # pyright: ignore[reportReturnType]


def _half_body(
    rng: np.random.Generator, box: Float[np.ndarray, " 4"], xy: Float[np.ndarray, "J 2"], settings: Augment
) -> Float[np.ndarray, " 4"]:
    """At times the box of the upper or lower joints alone (Wang et al. 2018, half-body transform)."""
    if rng.random() >= settings.half:
        return box
    chosen = _UPPER if rng.random() < 0.6 else ~_UPPER
    own = xy[chosen[: len(xy)]]
    own = own[np.isfinite(own).all(1)]
    if len(own) < 4:
        return box
    low, high = own.min(0), own.max(0)
    grow = 0.15 * float((high - low).max())
    return np.concatenate([low - grow, high + grow])


def change_pixels(rgb: Float32[Tensor, "B 3 H W"], settings: Augment, generator: torch.Generator) -> Tensor:
    """Colour, coarseness, motion blur and patches; rgb 0–255 in and out."""
    rgb = _colour(rgb, settings.colour, generator)
    rgb = _coarse(rgb, settings.coarse, generator)
    rgb = _motion(rgb, settings.motion, generator)
    return _patches(rgb, settings.patches, generator)


def _uniform(count: int, low: float, high: float, like: Tensor, generator: torch.Generator) -> Tensor:
    drawn = torch.rand(count, generator=generator) * (high - low) + low
    return drawn.to(like.device, like.dtype).reshape(-1, 1, 1, 1)


def _chosen(count: int, share: float, generator: torch.Generator) -> Tensor:
    return torch.nonzero(torch.rand(count, generator=generator) < share)[:, 0]


def _colour(rgb: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Brightness, contrast, saturation and the balance of channels."""
    rows = _chosen(len(rgb), share, generator).to(rgb.device)
    if not len(rows):
        return rgb
    own = rgb[rows]
    grey = own.mean(1, keepdim=True)
    own = grey + (own - grey) * _uniform(len(own), 0.3, 1.5, own, generator)
    middle = own.mean((1, 2, 3), keepdim=True)
    own = middle + (own - middle) * _uniform(len(own), 0.6, 1.4, own, generator)
    tint = torch.cat([_uniform(len(own), 0.85, 1.15, own, generator) for _ in range(3)], 1)
    own = own * tint * _uniform(len(own), 0.6, 1.4, own, generator)
    return rgb.index_copy(0, rows, own.clamp(0, 255))


def _coarse(rgb: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """A picture of few pixels, enlarged."""
    for row in _chosen(len(rgb), share, generator).tolist():
        factor = 1 / float(torch.rand(1, generator=generator) * 2.5 + 1.5)
        small = F.interpolate(rgb[row : row + 1], scale_factor=factor, mode="area")
        rgb[row : row + 1] = F.interpolate(small, rgb.shape[-2:], mode="bilinear", align_corners=False)
    return rgb


def _motion(rgb: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """The mean along a short line of any direction."""
    for row in _chosen(len(rgb), share, generator).tolist():
        angle, length = (torch.rand(2, generator=generator) * torch.tensor([math.pi, 10.0])).tolist()
        kernel = np.zeros((13, 13), np.float32)
        step = np.array([math.cos(angle), math.sin(angle)]) * (length + 2) / 2
        ends = [(int(v[0]), int(v[1])) for v in (np.round(6 - step), np.round(6 + step))]
        cv2.line(kernel, ends[0], ends[1], 1.0)
        line = torch.from_numpy(kernel / kernel.sum()).to(rgb.device, rgb.dtype)
        rgb[row] = F.conv2d(rgb[row][:, None], line[None, None], padding=6)[:, 0]
    return rgb


def _patches(rgb: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """One to three rectangles of one colour: what people are hidden by."""
    height, width = rgb.shape[-2:]
    for row in _chosen(len(rgb), share, generator).tolist():
        for _ in range(int(torch.randint(1, 4, (1,), generator=generator))):
            x, y, w, h, r, g, b = torch.rand(7, generator=generator).tolist()
            left, top = int(x * width), int(y * height)
            right, low = left + int((0.06 + 0.18 * w) * width), top + int((0.06 + 0.18 * h) * height)
            colour = torch.tensor([r, g, b], device=rgb.device, dtype=rgb.dtype) * 255
            rgb[row, :, top:low, left:right] = colour[:, None, None]
    return rgb
