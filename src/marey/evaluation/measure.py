"""Runs a method over the pictures of a data set; the pictures are not kept.

Boxes come from the truth (people with joints), from a detector, or from a file. Nothing is carried from
picture to picture.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from marey.core.errors import DataError
from marey.core.nouns import Frame, People, Poses, no_looks
from marey.core.skeletons import Skeleton
from marey.data.sample import Sample

BoxesOf = Callable[[Sample, UInt8[np.ndarray, "H W 3"]], tuple[np.ndarray, np.ndarray]]
"""Boxes (N, 4) and scores (N,) for a sample and its picture."""
Estimate = Callable[[Iterator[People]], Iterator[Poses]]
Detect = Callable[[list[UInt8[np.ndarray, "H W 3"]]], list[tuple[np.ndarray, np.ndarray]]]


@dataclass(frozen=True, slots=True)
class Posed:
    """The poses estimated on one picture.

    `worth` is each pose's own score where its maker gave one; else it is box score × mean joint score. `ids`
    say who is who from picture to picture (below 0: nobody knows); None where nothing was followed. `xyz_m`
    are places in space, in gravity's axes, where a recording has them.
    """

    skeleton: Skeleton
    boxes_px: Float32[np.ndarray, "N 4"]
    box_scores: Float32[np.ndarray, " N"]
    xy_px: Float32[np.ndarray, "N J 2"]
    scores: Float32[np.ndarray, "N J"]
    worth: Float32[np.ndarray, " N"] | None = None
    ids: Int64[np.ndarray, " N"] | None = None
    xyz_m: Float32[np.ndarray, "N J 3"] | None = None

    @property
    def ranks(self) -> Float32[np.ndarray, " N"]:
        """What poses are ordered by."""
        return self.box_scores * self.scores.mean(1) if self.worth is None else self.worth


def pose_all(samples: Sequence[Sample], boxes_of: BoxesOf, estimate: Estimate) -> list[Posed]:
    """Estimate the poses of every picture's people, in the order of the samples."""
    return [_keep(poses) for poses in estimate(_people(samples, boxes_of))]


def detect_all(samples: Sequence[Sample], detect: Detect) -> list[tuple[np.ndarray, np.ndarray]]:
    """Boxes and scores on every picture, one picture at a time (sizes differ)."""
    return [detect([sample.rgb()])[0] for sample in samples]


def true_boxes(sample: Sample, rgb: UInt8[np.ndarray, "H W 3"]) -> tuple[np.ndarray, np.ndarray]:
    """The boxes of people who have joints and are no crowd; scores 1."""
    truth = sample.truth
    wanted = truth.labelled.any(1) & ~truth.ignore & np.isfinite(truth.boxes_px).all(1)
    return truth.boxes_px[wanted], np.ones(int(wanted.sum()), np.float32)


def found_boxes(detect: Detect) -> BoxesOf:
    """Boxes from a detector."""
    return lambda sample, rgb: detect([rgb])[0]


def filed_boxes(path: Path) -> BoxesOf:
    """Boxes from a COCO result file: a list of {image_id, bbox [x, y, width, height], score}.

    `image_id` is COCO's number, or the sample's name.

    Raises
    ------
    DataError
        If the file is no such list.
    """
    held: dict[str, list[list[float]]] = {}
    try:
        for note in json.loads(path.read_text(encoding="utf-8")):
            x, y, width, height = (float(value) for value in note["bbox"])
            row = [x, y, x + width, y + height, float(note.get("score", 1.0))]
            held.setdefault(str(note["image_id"]), []).append(row)
    except OSError as error:
        raise DataError(
            f"{path}: unreadable ({error.strerror}); give --boxes truth, find or a file"
        ) from error
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(
            f"{path}: not a list of {{image_id, bbox: [x, y, width, height], score}} ({error!r})"
        ) from error

    def boxes_of(sample: Sample, rgb: UInt8[np.ndarray, "H W 3"]) -> tuple[np.ndarray, np.ndarray]:
        stem = sample.name.rpartition("/")[2]
        names = (sample.name, stem, str(int(stem)) if stem.isdecimal() else stem)
        rows = next((held[name] for name in names if name in held), [])
        table = np.array(rows, np.float32).reshape(-1, 5)
        return table[:, :4], table[:, 4]

    return boxes_of


def _people(samples: Sequence[Sample], boxes_of: BoxesOf) -> Iterator[People]:
    for k, sample in enumerate(samples):
        rgb = sample.rgb()
        boxes, scores = boxes_of(sample, rgb)
        ids = np.full(len(boxes), -1, np.int64)
        yield People(Frame(k, 0.0, rgb), _f32(boxes), _f32(scores), ids, no_looks(len(boxes)))


def _keep(poses: Poses) -> Posed:
    people = poses.people
    return Posed(poses.skeleton, people.boxes_px, people.scores, poses.xy_px, poses.scores)


def _f32(values: Any) -> np.ndarray:
    return np.asarray(values, np.float32)
