"""People in space, seen from the side: a panel with the ground as a grid, for beside the overlay.

Conventions: metres, Y up, the ground at 0 (`core/space.py`). The panel's camera stands still for the whole
video, turned and raised against the one that filmed, so that what was depth there can be seen. Colours,
strokes and ids are those of `draw.py`.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Int64, UInt8

from marey.core.cameras import Camera
from marey.core.skeletons import Skeleton
from marey.video.draw import draw_poses

Picture = UInt8[np.ndarray, "H W 3"]

TURNED_DEG, RAISED_DEG, VIEW_DEG = 40.0, 14.0, 32.0
"""Where the panel's camera stands, against the filming one, and its angle of view (our choice, by eye)."""
WALL, LINE, SHADE, WORDS = (30, 32, 37), (66, 71, 80), (17, 18, 21), (150, 156, 166)
MOST_LINES = 30
STEPS_M = (1.0, 5.0, 25.0, 125.0)


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """A camera that holds everybody, and the empty room that it sees."""

    camera: Camera
    empty: Picture


def room(size: tuple[int, int], xyz_m: Float[np.ndarray, "R J 3"]) -> Room:
    """The room in which people at `xyz_m` fit, as a panel of `size` (width, height).

    Hundredths of the places at either end of an axis may lie outside: one wild frame makes nobody small.
    """
    places = xyz_m.reshape(-1, 3)
    places = places[np.isfinite(places).all(1)]
    if not len(places):
        places = np.array([[-1.0, 0, -1], [1, 2, 1]])
    low, high = np.percentile(places, 1, axis=0), np.percentile(places, 99, axis=0)
    low[1], high[1] = min(low[1], 0.0), max(high[1], 1.8)
    camera = _camera(size, low, high)
    return Room(camera, _empty(size, camera, low, high))


def draw_room(
    seen: Room, xyz_m: Float[np.ndarray, "N J 3"], ids: Int64[np.ndarray, " N"], skeleton: Skeleton
) -> Picture:
    """Everybody in the room, with a shadow straight below; joints that are missing are left out."""
    out = seen.empty.copy()
    flat = xyz_m * np.array([1, 0, 1], xyz_m.dtype)
    below = seen.camera.project(flat.astype(np.float64))
    width = max(2, out.shape[0] // 200)
    for person in below:
        for a, b in skeleton.limbs:
            if np.isfinite(person[[a, b]]).all():
                cv2.line(out, _pixel(person[a]), _pixel(person[b]), SHADE, width, cv2.LINE_AA)
    xy = seen.camera.project(xyz_m.astype(np.float64))
    scores = np.where(np.isnan(xy).any(-1), np.float32(0), np.float32(1))
    return draw_poses(out, xy.astype(np.float32), scores, ids, skeleton)


def _camera(size: tuple[int, int], low: Float[np.ndarray, " 3"], high: Float[np.ndarray, " 3"]) -> Camera:
    """A camera turned about the middle of a box, as near as the box allows."""
    turned, raised = np.deg2rad([TURNED_DEG, RAISED_DEG])
    back = np.array([np.sin(turned) * np.cos(raised), np.sin(raised), np.cos(turned) * np.cos(raised)])
    right = np.array([np.cos(turned), 0.0, -np.sin(turned)])
    rotation = np.stack([right, np.cross(right, back), -back])
    lens = Camera.from_view(size, VIEW_DEG)
    corners = np.stack(np.meshgrid(*zip(low, high, strict=True), indexing="ij"), -1).reshape(-1, 3)
    middle = (low + high) / 2
    own = (corners - middle) @ rotation.T
    reach = np.array(size) / 2 / np.array([lens.matrix[0, 0], lens.matrix[1, 1]]) * 0.9
    away = float((np.abs(own[:, :2]) / reach - own[:, 2:]).max())
    return Camera(lens.matrix, rotation, -rotation @ (middle + back * max(away, 1.0)))


def _empty(
    size: tuple[int, int], camera: Camera, low: Float[np.ndarray, " 3"], high: Float[np.ndarray, " 3"]
) -> Picture:
    """The ground as a grid, and how wide its squares are."""
    out = np.full((size[1], size[0], 3), WALL, np.uint8)
    widest = float(max(high[0] - low[0], high[2] - low[2])) + 2
    step = next((step for step in STEPS_M if widest / step <= MOST_LINES), STEPS_M[-1])
    first, last = np.floor(low / step - 0.5) * step, np.ceil(high / step + 0.5) * step
    for axis, other in ((0, 2), (2, 0)):
        for at in np.arange(first[axis], last[axis] + step / 2, step):
            ends = np.zeros((2, 3))
            ends[:, axis], ends[:, other] = at, (first[other], last[other])
            a, b = camera.project(ends)
            if np.isfinite([*a, *b]).all():
                cv2.line(out, _pixel(a), _pixel(b), LINE, 1, cv2.LINE_AA)
    scale = max(size[1] / 900, 0.35)
    text, place = f"squares {step:g} m", (round(12 * scale + 4), size[1] - round(14 * scale + 4))
    cv2.putText(out, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.8 * scale, WORDS, 1, cv2.LINE_AA)
    return out


def _pixel(point: Float[np.ndarray, " 2"]) -> tuple[int, int]:
    x, y = np.clip(np.rint(point - 0.5), -30000, 30000).astype(int)
    return int(x), int(y)
