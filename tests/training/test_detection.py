from dataclasses import replace

import numpy as np
import pytest

from marey.data.sample import Sample, only_boxes
from marey.training.detection import DetectionBatches, labels
from marey.training.detection_pictures import Canvases, Mix, Picture

PICTURE = np.full((100, 200, 3), 50, np.uint8)
MINE, FAR = [10, 10, 50, 90], [120, 10, 160, 90]


class Opinion:
    """A second opinion that always says the same."""

    def __init__(self, *found):
        self.boxes = np.array([box for box, _ in found], np.float32).reshape(-1, 4)
        self.scores = np.array([score for _, score in found], np.float32)

    def detect(self, images):
        return [(self.boxes, self.scores)]


def sample(boxed_all, kind="pennfudan"):
    truth = only_boxes(np.array([MINE], np.float32))
    return Sample(kind, "one", "one", (200, 100), truth, lambda: PICTURE, boxed_all)


def test_where_everybody_is_boxed_nobody_else_is_asked():
    people, regions = labels(sample(True), PICTURE, Opinion((FAR, 0.9)))
    assert people.tolist() == [MINE]
    assert len(regions) == 0


@pytest.mark.parametrize(("score", "people", "regions"), [(0.9, 2, 0), (0.4, 1, 1), (0.2, 1, 0)])
def test_where_some_are_boxed_the_second_opinion_counts(score, people, regions):
    found = labels(sample(False), PICTURE, Opinion((FAR, score)))
    assert [len(rows) for rows in found] == [people, regions]


def test_the_second_opinion_on_a_labelled_person_adds_nobody():
    people, regions = labels(sample(False), PICTURE, Opinion(([12, 12, 52, 88], 0.9), ([11, 9, 50, 85], 0.4)))
    assert people.tolist() == [MINE]
    assert len(regions) == 0


def test_a_box_of_joints_grows_or_gives_way():
    alone, _ = labels(sample(False, "lsp"), PICTURE, Opinion())
    np.testing.assert_allclose(alone, [[4.4, 4.4, 55.6, 95.6]], atol=1e-4)
    seen, _ = labels(sample(False, "lsp"), PICTURE, Opinion(([6, 2, 58, 98], 0.8)))
    assert seen.tolist() == [[6, 2, 58, 98]]


def test_of_synthetic_people_who_are_mostly_hidden_the_box_is_ignored():
    """Their boxes hold hidden parts too; 3,200 px of box, of which a seventh shows half of somebody."""
    truth = only_boxes(np.array([MINE, FAR], np.float32))
    truth = replace(truth, areas_px=np.array([0.14, 0.4], np.float32) * 3200)
    one = replace(sample(True, "bench"), truth=truth)
    people, regions = labels(one, PICTURE, Opinion())
    assert people.tolist() == [FAR]
    assert regions.tolist() == [MINE]
    people, regions = labels(replace(one, kind="coco"), PICTURE, Opinion())
    assert len(people) == 2


def test_a_batch_is_a_function_of_seed_and_step():
    nobody = np.zeros((0, 4), np.float32)
    pictures = [
        Picture(PICTURE, np.array([MINE, FAR], np.float32), nobody, 1.0),
        Picture(PICTURE, nobody, nobody, 1.0),
    ]
    batches = DetectionBatches(Canvases(pictures, [], Mix(sides=(64, 96))), 6, 1)
    first, again, other = batches.make(3), batches.make(3), batches.make(4)
    for key, array in first.items():
        np.testing.assert_array_equal(array, again[key])
    assert not np.array_equal(first["rgb"], other["rgb"])
    assert first["rgb"].shape[0] == 6
    assert first["rgb"].shape[1] in (64, 96)
    assert first["boxes"].shape == (6, first["real"].shape[1], 4)
    assert (first["boxes"][~first["real"]] == 0).all()
