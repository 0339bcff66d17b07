"""People found by something else: boxes read from a file instead of by a network.

Conventions: boxes x0 y0 x1 y1 in pixels of the displayed image. Read are

- MOTChallenge text: `frame, id, left, top, width, height, score, …`, frames and pixels from 1; of its ground
  truth (nine columns) the pedestrians that count;
- CSV with the columns of the table `people`: `frame, person, x0_px, y0_px, x1_px, y1_px`, `score` if there is
  one, frames from 0;
- COCO JSON: results (`image_id` is the frame, from 0) or annotations (frames are the pictures in order of
  `file_name`); people only; `person` or `track_id` is the id;
- marey's own recordings.

Ids are kept. Where any box has none (−1, or no such column), all are followed by marey's tracker; if they lie
on every N-th frame only, as from a detector that looked there, boxes between are interpolated.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from jaxtyping import Float32, Int64

from marey.core.errors import DataError
from marey.core.files import natural
from marey.core.nouns import Frame, People
from marey.core.recording import Recording
from marey.people.detect import Found
from marey.people.look import looks
from marey.people.track import Tracking, track

_CORNERS = ("x0_px", "y0_px", "x1_px", "y1_px")
_NO_ID = -1
_BELIEVED = Tracking(high=0.0, low=0.0, start=0.0, twice=False)
"""Whatever its score, a box that a person hands in is a person."""
_Row = list[float]
"""Frame, id, four corners, score; what is no person's box gives no row."""


@dataclass(frozen=True, slots=True)
class Given:
    """Settings: where the boxes lie."""

    path: str = ""


@dataclass(frozen=True, slots=True)
class Boxes:
    """Boxes of a whole video, sorted by frame."""

    frame: Int64[np.ndarray, " N"]
    ids: Int64[np.ndarray, " N"]
    boxes_px: Float32[np.ndarray, "N 4"]
    scores: Float32[np.ndarray, " N"]

    @property
    def every(self) -> int:
        """Frames between those that hold boxes: their greatest common step."""
        return int(np.gcd.reduce(np.diff(np.unique(self.frame)))) or 1

    def at(self, frame: int) -> slice:
        """The rows of a frame."""
        first, last = np.searchsorted(self.frame, (frame, frame + 1))
        return slice(int(first), int(last))


def ahead(settings: Given) -> int:
    """Frames of the future that are needed: none where ids are given, else the tracker's."""
    boxes = read_boxes(settings.path)
    return _BELIEVED.ahead(boxes.every) if (boxes.ids < 0).any() else 0


def stage(frames: Iterator[Frame], settings: Given, network: None = None) -> Iterator[People]:
    """People on each frame, as the file has them.

    Raises
    ------
    DataError
        If the file cannot be read or a line is not what its format says.
    """
    boxes = read_boxes(settings.path)
    if (boxes.ids < 0).any():
        yield from track(_looked(frames, boxes), _BELIEVED, boxes.every)
        return
    for frame in frames:
        rows = boxes.at(frame.index)
        own = boxes.boxes_px[rows]
        yield People(frame, own, boxes.scores[rows], boxes.ids[rows], looks(frame.rgb, own))


def _looked(frames: Iterator[Frame], boxes: Boxes) -> Iterator[tuple[Frame, Found | None]]:
    first = int(boxes.frame[0])
    for frame in frames:
        rows = boxes.at(frame.index)
        looked = (frame.index - first) % boxes.every == 0
        yield frame, (boxes.boxes_px[rows], boxes.scores[rows]) if looked else None


def read_boxes(path: str | Path) -> Boxes:
    """Read boxes from MOTChallenge text, CSV, COCO JSON or a recording, told apart by their names.

    Raises
    ------
    DataError
        If the file cannot be read, or a line or value is not what its format says.
    """
    path = Path(path)
    if path.is_dir():
        rows = Recording.open(path).rows
        rows = rows.take(rows.seen)
        scores = np.nan_to_num(rows.box_scores)  # a box that finishing filled has none
        return Boxes(rows.frame, np.maximum(rows.person, _NO_ID), rows.boxes_px, scores)
    try:
        text = path.read_text("utf-8")
        told = json.loads(text) if path.suffix == ".json" else None
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: boxes cannot be read ({error}); check the path after boxes:") from error
    read: Callable[[Any], list[_Row]]
    if told is not None:
        numbered, read = enumerate(_coco_boxes(told, path), start=1), _coco_row
    elif path.suffix == ".csv":
        numbered, read = enumerate(csv.DictReader(text.splitlines()), start=2), _csv_row
    else:
        numbered, read = enumerate((line.split(",") for line in text.splitlines() if line), start=1), _mot_row
    values = []
    for number, row in cast(Iterable[tuple[int, Any]], numbered):
        try:
            values += read(row)
        except (KeyError, ValueError, IndexError, TypeError) as error:
            raise DataError(f"{path}: line {number} is not a box ({error}); correct that line") from error
    return _sorted(np.array(values, np.float64).reshape(-1, 7), path)


def _csv_row(row: dict[str, str]) -> list[_Row]:
    person, score = row.get("person") or _NO_ID, row.get("score") or 1
    return [[float(row["frame"]), float(person), *(float(row[name]) for name in _CORNERS), float(score)]]


def _mot_row(row: list[str]) -> list[_Row]:
    frame, person, left, top, width, height, *rest = map(float, row)
    if len(row) == 9 and (rest[0] == 0 or rest[1] != 1):  # ground truth that is ignored, or no pedestrian
        return []
    corners = [left - 1, top - 1, left - 1 + width, top - 1 + height]
    return [[frame - 1, person, *corners, rest[0] if rest else 1.0]]


def _coco_boxes(told: Any, path: Path) -> Iterator[dict[str, Any]]:
    """The boxes of COCO results or annotations, `image_id` turned into the frame."""
    if isinstance(told, list):
        order, boxes = None, told
    elif isinstance(told, dict) and {"images", "annotations"} <= told.keys():
        pictures = sorted(told["images"], key=lambda picture: natural(str(picture.get("file_name"))))
        order, boxes = {picture.get("id"): k for k, picture in enumerate(pictures)}, told["annotations"]
    else:
        raise DataError(f"{path}: neither COCO results (a list) nor annotations; see `marey run --help`")
    if not isinstance(boxes, list) or not all(isinstance(box, dict) for box in boxes):
        raise DataError(f"{path}: its boxes are not a list of objects with image_id and bbox")
    for box in boxes:
        yield box if order is None else {**box, "image_id": order.get(box.get("image_id"))}


def _coco_row(box: dict[str, Any]) -> list[_Row]:
    if box.get("category_id", 1) != 1:
        return []
    x, y, width, height = map(float, box["bbox"])
    person = box.get("person", box.get("track_id", _NO_ID))
    return [[float(box["image_id"]), float(person), x, y, x + width, y + height, float(box.get("score", 1))]]


def _sorted(values: np.ndarray, path: Path) -> Boxes:
    if not np.isfinite(values).all():
        raise DataError(f"{path}: a box has a value that is no finite number; leave that line out")
    values = values[np.lexsort((values[:, 1], values[:, 0]))]
    frame, ids = values[:, 0].astype(np.int64), values[:, 1].astype(np.int64)
    twice = (np.diff(frame) == 0) & (np.diff(ids) == 0) & (ids[1:] >= 0)
    if twice.any():
        at = int(np.flatnonzero(twice)[0])
        raise DataError(f"{path}: person {ids[at]} has two boxes on frame {frame[at]}; ids must differ")
    scores = np.clip(values[:, 6], 0, 1).astype(np.float32)
    if (ids == 0).any():
        ids = np.where(ids >= 0, ids + 1, ids)  # a file that counts people from 0
    return Boxes(frame, ids, values[:, 2:6].astype(np.float32), scores)
