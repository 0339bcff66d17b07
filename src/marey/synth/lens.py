"""What cameras do to pictures: shallow focus, exposure that drifts, noise, compression."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from marey.synth.gpu import Seen

TRAIL = (-0.5, -0.25, 0.0, 0.25, 0.5)
"""Where along the exposure pictures are taken for motion blur, as shares of it."""


@dataclass(frozen=True, slots=True)
class Lens:
    """Drawn once for a clip; strengths are our choice, of what telephones and webcams do."""

    noise: float
    drift: float
    period_s: float
    phase: float
    blurred: float
    focus_m: float
    quality: int
    shutter: float = 0.0
    """Share of a frame's time that it is open; pictures are blurred along the flow."""


def lens(rng: np.random.Generator, focus_m: float) -> Lens:
    """Draw a lens; a third of all have a shallow focus."""
    shallow = float(rng.uniform(0.6, 1.6)) if rng.random() < 0.33 else 0.0
    return Lens(
        float(rng.uniform(0.5, 5)), float(rng.uniform(0, 0.12)), float(rng.uniform(2, 8)),
        float(rng.uniform(0, 6)),
        shallow, focus_m, int(rng.choice([0, 55, 75, 90])), float(rng.uniform(0, 0.5)),
    )  # fmt: skip


def exposed(
    rgb: UInt8[np.ndarray, "H W 3"], seen: Seen, held: Lens, time_s: float, rng: np.random.Generator
) -> UInt8[np.ndarray, "H W 3"]:
    """The picture as the camera hands it on."""
    height, depth_m = rgb.shape[0], seen.depths_m[..., 0]
    if held.shutter:
        rgb = _trailed(rgb, seen.flow_px, held.shutter)
    if held.blurred:
        off = np.abs(1 / np.nan_to_num(depth_m, nan=100.0) - 1 / held.focus_m) * held.focus_m * held.blurred
        soft = cv2.GaussianBlur(rgb, (0, 0), 1.6 * height / 360)
        share = cv2.GaussianBlur(np.clip(off * 1.6 - 0.25, 0, 1).astype(np.float32), (0, 0), 1.0)[..., None]
        rgb = (rgb * (1 - share) + soft * share).astype(np.uint8)
    gain = 1 + held.drift * np.sin(2 * np.pi * time_s / held.period_s + held.phase)
    grain = rng.standard_normal(rgb.shape, np.float32) * held.noise
    out = np.clip(rgb * np.float32(gain) + grain, 0, 255).astype(np.uint8)
    if held.quality:
        done = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, held.quality])[1]
        out = np.ascontiguousarray(cv2.imdecode(done, cv2.IMREAD_COLOR))
    return out


def _trailed(
    rgb: UInt8[np.ndarray, "H W 3"], flow_px: Float32[np.ndarray, "H W 4"], shutter: float
) -> UInt8[np.ndarray, "H W 3"]:
    """The mean of the picture's pixels along the way that each goes while the shutter is open."""
    way = np.nan_to_num((flow_px[..., :2] - flow_px[..., 2:]) / 2) * np.float32(shutter)
    if np.abs(way).max() < 0.5:
        return rgb
    way = cv2.blur(way, (5, 5))  # so that edges trail too
    height, width = rgb.shape[:2]
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    total = np.zeros(rgb.shape, np.float32)
    for share in TRAIL:
        at = columns + np.float32(share) * way[..., 0], rows + np.float32(share) * way[..., 1]
        total += cv2.remap(rgb, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return (total / len(TRAIL)).round().astype(np.uint8)
