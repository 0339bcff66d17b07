"""The people who came out worst, as pictures: the truth beside the estimate it was compared with."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from marey.core.geometry import Crop, crop_boxes, joints_box
from marey.data.preview import OPACITY
from marey.evaluation import Evaluated
from marey.evaluation.judged import assigned
from marey.video.draw import draw_poses

SIDE = 288
PADDING = 1.4
"""Of the person's box: an estimate a fifth of a person off is still on the picture (our choice)."""
QUALITY = 82
"""JPEG's; a page of twenty-four such pictures is about half a megabyte."""
GREY = 96


@dataclass(frozen=True, slots=True)
class Pair:
    """One person: the name of the picture, who it is there, how alike, and two pictures as data addresses.

    `estimate` is empty where nobody was found.
    """

    name: str
    person: int
    alike: float
    truth: str
    estimate: str


def worst_pairs(rows: Sequence[Mapping[str, Any]], done: Evaluated) -> Iterator[Pair]:
    """The pictures of the rows of a result's table `worst`, in their order.

    Raises
    ------
    DataError
        If a picture cannot be decoded.
    """
    wanted = {row["picture"] for row in rows}
    places = {sample.name: k for k, sample in enumerate(done.samples) if sample.name in wanted}
    for row in rows:
        yield _pair(done, places[row["picture"]], row)


def _pair(done: Evaluated, place: int, row: Mapping[str, Any]) -> Pair:
    sample, posed, person = done.samples[place], done.posed[place], row["person"]
    truth = sample.truth
    xy, scores = assigned(sample, posed, posed.skeleton.converter(truth.skeleton))
    found = np.isfinite(xy[person]).any()
    box = truth.boxes_px[person]
    whole = box if np.isfinite(box).all() else joints_box(truth.xy_px[person])
    crop = Crop(crop_boxes(whole[None], 1.0, PADDING)[0], (SIDE, SIDE))
    rgb = crop.cut(sample.rgb(), GREY)

    def drawn(joints: Float[np.ndarray, "J 2"], opacity: Float[np.ndarray, " J"]) -> str:
        on = crop.to_crop(joints)[None].astype(np.float32)
        seen = np.clip(np.nan_to_num(opacity), 0, 1)[None].astype(np.float32)
        return data_address(draw_poses(rgb, on, seen, np.array([-1]), truth.skeleton, threshold=0.0))

    return Pair(
        sample.name,
        person,
        row["alike"],
        drawn(truth.xy_px[person], OPACITY[truth.state[person]]),
        drawn(xy[person], scores[person]) if found else "",
    )


def data_address(rgb: UInt8[np.ndarray, "H W 3"]) -> str:
    """A picture as JPEG inside the page."""
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    return "data:image/jpeg;base64," + base64.b64encode(encoded.tobytes()).decode("ascii")
