"""YOLOX-nano (Ge et al. 2021; Apache-2.0) as a second opinion on where people are, and as a rival.

Conventions: class person of 80, 416² filled with grey below and right, BGR 0–255, duplicates dropped at IoU
0.65: all its own. The file lies among the starts and is never shipped.
"""

from pathlib import Path

import numpy as np
import openvino
from jaxtyping import UInt8

from marey.core.errors import WeightsError
from marey.core.geometry import Crop
from marey.methods.detector import cells
from marey.people.detect import GREY, Found, suppress

SIDE, OVERLAP, MOST = 416, 0.65, 100


class YoloxNano:
    """Finds people on single pictures (`people.detect.Detector`)."""

    def __init__(self, path: Path, least: float):
        if not path.is_file():
            raise WeightsError(
                f"{path}: the second opinion is not there; set `starts` to the folder that has it"
            )
        config = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
        self._request = openvino.Core().compile_model(path, "CPU", config).create_infer_request()
        self._points, self._least = cells((SIDE, SIDE)), least

    def detect(self, images: list[UInt8[np.ndarray, "H W 3"]]) -> list[Found]:
        """Boxes in px and scores of each picture, best first."""
        return [self._one(image) for image in images]

    def _one(self, rgb: UInt8[np.ndarray, "H W 3"]) -> Found:
        height, width = rgb.shape[:2]
        span = max(height, width)
        crop = Crop(np.array([0, 0, span, span], np.float32), (SIDE, SIDE))
        bgr = crop.cut(rgb, GREY)[:, :, ::-1].transpose(2, 0, 1)[None]
        out = self._request.infer({"images": bgr.astype(np.float32)})["output"][0]
        strides = self._points[:, 2:]
        centre, half = self._points[:, :2] + (out[:, :2] - 0.5) * strides, np.exp(out[:, 2:4]) * strides / 2
        scores = out[:, 4] * out[:, 5]
        chosen = scores > self._least
        boxes = np.concatenate([centre - half, centre + half], 1)[chosen]
        boxes = crop.to_image(boxes.reshape(-1, 2)).reshape(-1, 4)
        boxes = np.clip(boxes, 0, np.array([width, height, width, height])).astype(np.float32)
        kept = suppress(boxes, scores[chosen], OVERLAP, MOST)
        return boxes[kept], scores[chosen][kept].astype(np.float32)
