"""Boxes and the one map between an image and a crop of it.

Conventions: boxes are x0 y0 x1 y1 in pixels of the displayed image; pixel k covers [k, k+1). A crop is an
axis-aligned region resized to a fixed size: x → s·(x − x0), no half-pixel terms. OpenCV puts pixel centres
at whole numbers; the half pixel is converted here, at the border, and nowhere else.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from beartype import beartype
from jaxtyping import Float, UInt8, jaxtyped  # pyright: ignore[reportUnknownVariableType]

Boxes = Float[np.ndarray, "*N 4"]
Side = int | tuple[int, int]
"""Pixels of a square picture's side, or width and height of any other."""


def size_of(side: Side) -> tuple[int, int]:
    """Width and height."""
    return (side, side) if isinstance(side, int) else side


def box_sizes(boxes: Boxes) -> Float[np.ndarray, "*N 2"]:
    """Widths and heights."""
    return boxes[..., 2:] - boxes[..., :2]


def box_centres(boxes: Boxes) -> Float[np.ndarray, "*N 2"]:
    """Centres."""
    return (boxes[..., :2] + boxes[..., 2:]) / 2


def box_iou(a: Float[np.ndarray, "A 4"], b: Float[np.ndarray, "B 4"]) -> Float[np.ndarray, "A B"]:
    """Intersection over union of every pair; 0 where both boxes are empty."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(-1)
    total = box_sizes(a).prod(-1)[:, None] + box_sizes(b).prod(-1)[None] - shared
    return np.divide(shared, total, out=np.zeros_like(shared), where=total > 0)


def crop_boxes(boxes: Boxes, aspect: float, padding: float) -> Boxes:
    """Grow boxes about their centres to width/height = `aspect`, then by the factor `padding`."""
    centre, size = box_centres(boxes), box_sizes(boxes)
    height = np.maximum(size[..., 1], size[..., 0] / aspect) * padding
    half = np.stack([height * aspect, height], -1) / 2
    return np.concatenate([centre - half, centre + half], -1).astype(boxes.dtype)


def joints_box(xy: Float[np.ndarray, "*N J 2"]) -> Boxes:
    """Tight boxes of joints; NaN joints are left out, all NaN gives NaN."""
    missing = np.isnan(xy)
    low = np.where(missing, np.inf, xy).min(-2)
    high = np.where(missing, -np.inf, xy).max(-2)
    box = np.concatenate([low, high], -1).astype(xy.dtype)
    return np.where(np.isinf(box), np.nan, box).astype(xy.dtype)


@jaxtyped(typechecker=beartype)
@dataclass(frozen=True, slots=True)
class Crop:
    """The region `box_px` of an image, resized to `size` = (width, height)."""

    box_px: Float[np.ndarray, " 4"]
    size: tuple[int, int]

    @property
    def scale(self) -> Float[np.ndarray, " 2"]:
        """Crop pixels per image pixel, in x and y."""
        return np.asarray(self.size, np.float64) / np.maximum(box_sizes(self.box_px.astype(np.float64)), 1e-6)

    def to_crop(self, xy: Float[np.ndarray, "*N 2"]) -> Float[np.ndarray, "*N 2"]:
        """Image pixels to crop pixels."""
        return ((xy - self.box_px[:2]) * self.scale).astype(xy.dtype)

    def to_image(self, xy: Float[np.ndarray, "*N 2"]) -> Float[np.ndarray, "*N 2"]:
        """Crop pixels to image pixels."""
        return (xy / self.scale + self.box_px[:2]).astype(xy.dtype)

    def cut(self, rgb: UInt8[np.ndarray, "H W 3"], fill: int = 0) -> UInt8[np.ndarray, "h w 3"]:
        """Cut the region out; what lies outside the image is `fill`.

        A reduction by two or more first averages whole blocks of pixels, so that nothing aliases.
        """
        shrink = int(max(1.0, 1.0 / self.scale.max()))
        origin = np.zeros(2)
        if shrink > 1:
            rgb, origin = _shrunk(rgb, self.box_px, shrink)
            if rgb.size == 0:
                return np.full((self.size[1], self.size[0], 3), fill, np.uint8)
        scale = self.scale * shrink
        shift = scale * (0.5 - (self.box_px[:2] - origin) / shrink) - 0.5
        matrix = np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]]])
        return cv2.warpAffine(
            rgb,
            matrix,
            self.size,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(fill,) * 3,
        )  # pyright: ignore[reportReturnType]


def _shrunk(
    rgb: UInt8[np.ndarray, "H W 3"], box: Float[np.ndarray, " 4"], shrink: int
) -> tuple[UInt8[np.ndarray, "h w 3"], Float[np.ndarray, " 2"]]:
    """The part of an image that a crop needs, averaged over blocks of `shrink` pixels, and its origin."""
    height, width = rgb.shape[:2]
    low = np.clip(np.floor(box[:2]).astype(int) - 2 * shrink, 0, (width, height))
    high = np.clip(np.ceil(box[2:]).astype(int) + 2 * shrink, low, (width, height))
    blocks = (high - low) // shrink
    part = rgb[low[1] : low[1] + blocks[1] * shrink, low[0] : low[0] + blocks[0] * shrink]
    if part.size == 0:
        return np.zeros((0, 0, 3), np.uint8), low.astype(np.float64)
    small = cv2.resize(part, (int(blocks[0]), int(blocks[1])), interpolation=cv2.INTER_AREA)
    return small, low.astype(np.float64)  # pyright: ignore[reportReturnType]
