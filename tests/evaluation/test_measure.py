"""Boxes from the truth, from files and from a detector; one estimate a picture, in order."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import data_trees as trees
from marey.core.errors import DataError
from marey.core.nouns import Origin, People, Poses
from marey.core.skeletons import COCO17
from marey.data import open_kind
from marey.evaluation.measure import filed_boxes, found_boxes, pose_all, true_boxes


def in_the_middle(people: Iterator[People]) -> Iterator[Poses]:
    """Every joint in the middle of its box."""
    for own in people:
        middle = (own.boxes_px[:, None, :2] + own.boxes_px[:, None, 2:]) / 2
        xy = np.repeat(middle, 17, 1)
        shape = xy.shape[:2]
        origin = np.full(shape, Origin.MEASURED, np.uint8)
        nowhere = np.full((*shape, 3), np.nan, np.float32)
        yield Poses(own, COCO17, xy, np.ones(shape, np.float32), origin, nowhere)


@pytest.fixture
def samples(tmp_path: Path):
    notes = [
        trees.note(1, 7, [1, 2, 30, 30]),
        trees.note(2, 7, [20, 2, 30, 30], False),
        trees.note(3, 21, [4, 2, 20, 30], iscrowd=1),
    ]
    return open_kind("coco", trees.coco(tmp_path, "val2017", notes))


def test_true_boxes_are_those_of_people_with_joints(samples):
    posed = pose_all(samples, true_boxes, in_the_middle)
    assert [len(one.boxes_px) for one in posed] == [1, 0]
    np.testing.assert_allclose(posed[0].xy_px[0, 0], [16, 17])
    assert posed[0].box_scores.tolist() == [1]


def test_boxes_from_a_file(samples, tmp_path: Path):
    held = [
        {"image_id": 21, "bbox": [1, 2, 10, 10], "score": 0.25},
        {"image_id": "val2017/000000000007", "bbox": [0, 0, 4, 4]},
    ]
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps(held))
    posed = pose_all(samples, filed_boxes(path), in_the_middle)
    np.testing.assert_allclose(posed[0].boxes_px, [[0, 0, 4, 4]])
    np.testing.assert_allclose(posed[1].boxes_px, [[1, 2, 11, 12]])
    assert posed[1].box_scores.tolist() == [0.25]


@pytest.mark.parametrize("text", ["{", "[1]", '[{"bbox": [1, 2, 3, 4]}]', '[{"image_id": 1, "bbox": [1]}]'])
def test_other_files_are_refused(text: str, tmp_path: Path):
    path = tmp_path / "boxes.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"boxes\.json: not a list"):
        filed_boxes(path)


def test_boxes_from_a_detector(samples):
    box = np.array([[0, 0, 8, 8]], np.float32)
    seen = []

    def detect(images):
        seen.extend(image.shape for image in images)
        return [(box, np.array([0.5], np.float32)) for _ in images]

    posed = pose_all(samples, found_boxes(detect), in_the_middle)
    assert seen == [(40, 60, 3)] * 2
    assert [one.box_scores.tolist() for one in posed] == [[0.5], [0.5]]
