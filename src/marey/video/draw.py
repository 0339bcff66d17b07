"""Poses, boxes and ids drawn on a picture.

Conventions: pixels are edge-based (`core.nouns`); a joint whose score is below `threshold`, or whose place
is NaN, is not drawn, nor are its limbs. The person's left is blue, the right orange, the middle white: a
pair that stays apart for every common kind of colour blindness (Okabe & Ito, *Color Universal Design*,
2008; lightened here so that it stands out on video). Opacity grows with the score; strokes grow with the
person. The input picture is never changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from jaxtyping import Float, Int64, UInt8

from marey.core.skeletons import Skeleton

Picture = UInt8[np.ndarray, "H W 3"]
Colour = tuple[int, int, int]

LEFT: Colour = (64, 176, 255)
RIGHT: Colour = (255, 148, 40)
MIDDLE: Colour = (245, 245, 245)
SHADE: Colour = (16, 16, 20)
ID_COLOURS: tuple[Colour, ...] = (
    (240, 228, 66), (0, 158, 115), (204, 121, 167), (86, 180, 233), (213, 94, 0), (160, 130, 240),
    (150, 205, 90), (240, 240, 240),
)  # fmt: skip
"""One colour a person, repeated after eight; Okabe & Ito's with three of ours."""

FAINTEST = 0.4
"""Opacity at the threshold; 1 at score 1 (our choice: below it a limb is lost on busy pictures)."""
STROKE = 0.016
"""Limb width per extent of a person (our choice, by eye on clips of 240 to 1000 lines)."""
SUBPIXEL = 4
"""OpenCV's fixed-point bits: sixteenths of a pixel."""
FAR = 1e5
"""Joints further out than this are left out: beyond it OpenCV's fixed-point coordinates could overflow."""
_FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
_NECKLESS = {frozenset((f"{side}_ear", f"{side}_shoulder")) for side in ("left", "right")}


def draw_poses(
    rgb: Picture,
    xy_px: Float[np.ndarray, "N J 2"],
    scores: Float[np.ndarray, "N J"],
    ids: Int64[np.ndarray, " N"],
    skeleton: Skeleton,
    threshold: float = 0.3,
) -> Picture:
    """Draw everybody's limbs, joints and id on a copy of `rgb`; ids below 0 are not written."""
    out = np.array(rgb, copy=True, order="C")
    looks = _looks(skeleton)
    seen = (scores >= threshold) & np.isfinite(xy_px).all(-1) & (np.abs(np.nan_to_num(xy_px)) < FAR).all(-1)
    opacity = np.clip(FAINTEST + (1 - FAINTEST) * (scores - threshold) / max(1 - threshold, 1e-6), 0, 1)
    far_to_near = np.argsort([_extent(xy_px[n][seen[n]]) for n in range(len(ids))], kind="stable")
    for n in far_to_near:
        _draw_person(out, xy_px[n], np.where(seen[n], opacity[n], 0.0), looks)
    for n in far_to_near:
        if ids[n] >= 0 and seen[n].any():
            _draw_id(out, xy_px[n][seen[n]], int(ids[n]))
    return out


def draw_boxes(
    rgb: Picture, boxes_px: Float[np.ndarray, "N 4"], ids: Int64[np.ndarray, " N"], names: Sequence[str] = ()
) -> Picture:
    """Draw boxes (x0 y0 x1 y1) on a copy of `rgb`, coloured by id; `names` replaces the ids' text."""
    out = np.array(rgb, copy=True, order="C")
    for n, box in enumerate(boxes_px):
        if not (np.isfinite(box).all() and (np.abs(box) < FAR).all()):
            continue
        width = _stroke(float(max(box[2] - box[0], box[3] - box[1])), 0.6)
        corners = [_fixed(box[:2]), _fixed(box[2:])]
        colour = id_colour(int(ids[n]))
        for line, paint in ((width + 2, SHADE), (width, colour)):
            cv2.rectangle(out, corners[0], corners[1], paint, line, cv2.LINE_AA, SUBPIXEL)
        text = names[n] if n < len(names) else (str(ids[n]) if ids[n] >= 0 else "")
        if text:
            _label(out, text, (float(box[:3:2].mean()), float(box[1]) - width), colour, _text_height(out))
    return out


def id_colour(person: int) -> Colour:
    """The colour of a person's label."""
    return ID_COLOURS[(person - 1) % len(ID_COLOURS)] if person >= 0 else MIDDLE


@dataclass(frozen=True, slots=True)
class _Looks:
    """How a skeleton is drawn: limbs (a, b, colour, share of the stroke) and joints (colour, share)."""

    limbs: tuple[tuple[int, int, Colour, float], ...]
    joints: tuple[tuple[Colour, float], ...]


@cache
def _looks(skeleton: Skeleton) -> _Looks:
    """Sides by name. The face gets half the stroke, or it would be a blot.

    COCO ties ears to shoulders for want of a neck; where there is one, those two limbs are left out.
    """
    names = skeleton.joints
    share = [0.5 if name in _FACE else 1.0 for name in names]
    limbs = []
    for a, b in skeleton.limbs:
        if "neck" in names and frozenset((names[a], names[b])) in _NECKLESS:
            continue
        sides = {_side(names[a]), _side(names[b])} - {MIDDLE}
        colour = sides.pop() if len(sides) == 1 else MIDDLE
        limbs.append((a, b, colour, min(share[a], share[b])))
    limbs.sort(key=lambda limb: limb[2] != MIDDLE)
    return _Looks(tuple(limbs), tuple((_side(name), share[j]) for j, name in enumerate(names)))


def _side(name: str) -> Colour:
    return LEFT if name.startswith("left_") else RIGHT if name.startswith("right_") else MIDDLE


def _draw_person(
    out: Picture, xy: Float[np.ndarray, "J 2"], opacity: Float[np.ndarray, " J"], looks: _Looks
) -> None:
    """Draw one person in place, touching only the pixels that change.

    Strokes go, anti-aliased and opaque, on a copy of the person's region; a mask of the same strokes, a
    little wider and not anti-aliased, says how much of that copy to take.
    """
    seen = opacity > 0
    if not seen.any():
        return
    stroke = _stroke(_extent(xy[seen]))
    region = _region(out, xy[seen], stroke)
    if region is None:
        return
    part, corner = region
    layer, mask = part.copy(), np.zeros(part.shape[:2], np.uint8)
    points = [_fixed(p) if s else (0, 0) for p, s in zip(xy - corner, seen, strict=True)]
    for shade in (True, False):
        for a, b, colour, share in looks.limbs:
            if seen[a] and seen[b]:
                width = max(1, round(stroke * share))
                paint, line = (SHADE, width + 2) if shade else (colour, width)
                cv2.line(layer, points[a], points[b], paint, line, cv2.LINE_AA, SUBPIXEL)
                weight = round(255 * min(opacity[a], opacity[b]))
                cv2.line(mask, points[a], points[b], weight, width + 4, cv2.LINE_8, SUBPIXEL)
    for j in np.flatnonzero(seen):
        colour, share = looks.joints[j]
        _joint(layer, mask, points[j], colour, (stroke * share, float(opacity[j])))
    _blend(part, layer, mask)


def _joint(
    layer: Picture, mask: np.ndarray, point: tuple[int, int], colour: Colour, look: tuple[float, float]
) -> None:
    """A disc of the side's colour with a dark rim and, where there is room, a light core."""
    stroke, opacity = look
    radius = max(1.0, 0.85 * stroke)
    unit = 1 << SUBPIXEL
    cv2.circle(mask, point, round((radius + 3) * unit), round(255 * opacity), -1, cv2.LINE_8, SUBPIXEL)
    cv2.circle(layer, point, round((radius + 1) * unit), SHADE, -1, cv2.LINE_AA, SUBPIXEL)
    cv2.circle(layer, point, round(radius * unit), colour, -1, cv2.LINE_AA, SUBPIXEL)
    if radius >= 2.5:
        cv2.circle(layer, point, round(0.45 * radius * unit), (255, 255, 255), -1, cv2.LINE_AA, SUBPIXEL)


def _blend(part: Picture, layer: Picture, mask: UInt8[np.ndarray, "H W"]) -> None:
    """Blend in place, part ← part + mask/255 · (layer − part); where the mask is 0 nothing changes."""
    weight = cv2.merge([mask, mask, mask])
    above = cv2.multiply(layer, weight, scale=1 / 255)
    below = cv2.multiply(part, 255 - weight, scale=1 / 255)
    part[...] = cv2.add(above, below)


def _region(
    out: Picture, xy: Float[np.ndarray, "J 2"], stroke: int
) -> tuple[UInt8[np.ndarray, "h w 3"], Float[np.ndarray, " 2"]] | None:
    """The view of `out` that a person's strokes can touch, and its corner; None where they miss it."""
    limit = np.array(out.shape[1::-1])
    low = np.clip(np.floor(xy.min(0) - 2 * stroke - 4), 0, limit).astype(int)
    high = np.clip(np.ceil(xy.max(0) + 2 * stroke + 4), 0, limit).astype(int)
    if (high <= low).any():
        return None
    return out[low[1] : high[1], low[0] : high[0]], low.astype(xy.dtype)


def _extent(xy: Float[np.ndarray, "J 2"]) -> float:
    """The longer side of the joints' box; 0 without joints."""
    return float(np.ptp(xy, axis=0).max()) if len(xy) else 0.0


def _stroke(extent: float, share: float = 1.0) -> int:
    return round(min(max(extent * STROKE * share, 1.0), 16.0))


def _fixed(point: Float[np.ndarray, " 2"]) -> tuple[int, int]:
    """Edge-based pixels to OpenCV's centre-based fixed-point ones."""
    x, y = np.rint((np.asarray(point, np.float64) - 0.5) * (1 << SUBPIXEL)).astype(int)
    return int(x), int(y)


def _draw_id(out: Picture, xy: Float[np.ndarray, "J 2"], person: int) -> None:
    """Write the id above the person's highest joint, in letters that grow with the person."""
    top, extent = xy[xy[:, 1].argmin()], _extent(xy)
    height = min(max(0.06 * extent, 0.6 * _text_height(out)), _text_height(out))
    _label(out, str(person), (float(top[0]), float(top[1]) - 0.05 * extent - 4), id_colour(person), height)


def _text_height(out: Picture) -> float:
    """Height of the letters: readable at any size of picture (our choice: 1/45 of its shorter side)."""
    return min(max(min(out.shape[:2]) / 45, 8.0), 40.0)


def _label(out: Picture, text: str, bottom: tuple[float, float], colour: Colour, height: float) -> None:
    """Dark text on a rounded plate of `colour`, its bottom's middle at `bottom`, kept inside the picture."""
    scale, line = height / 21.0, max(1, round(height / 9))
    (wide, high), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, line)
    pad = round(0.45 * height)
    size = np.array([max(wide, high) + 2 * pad, high + 2 * pad])
    room = np.array(out.shape[1::-1]) - size
    if (room < 0).any():
        return
    low = np.clip(np.rint(np.array(bottom) - size * (0.5, 1.0)), 0, room).astype(int)
    plate = out[low[1] : low[1] + size[1], low[0] : low[0] + size[0]]
    layer, mask = plate.copy(), np.zeros(plate.shape[:2], np.uint8)
    _rounded(layer, colour)
    _rounded(mask, 235)
    origin = (int(size[0] - wide) // 2, int(size[1] + high) // 2)
    cv2.putText(layer, text, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, SHADE, line, cv2.LINE_AA)
    _blend(plate, layer, mask)


def _rounded(image: np.ndarray, paint: Colour | int) -> None:
    """Fill an image with a rectangle of round ends."""
    height, width = image.shape[:2]
    radius = height / 2
    ends = [_fixed(np.array([x, radius])) for x in (radius, width - radius)]
    cv2.line(image, ends[0], ends[1], paint, height - 1, cv2.LINE_AA, SUBPIXEL)  # pyright: ignore
