from dataclasses import replace

import numpy as np
import pytest

from marey.core.nouns import Frame
from marey.methods.detector import METHOD, STRIDES, Detector, Finder, ahead, cells, decode, encode, stage
from marey.people.detect import fitted

SETTINGS = Detector(side=320, every=3)


class Bright:
    """A stand-in network that sees white rectangles: the cell in the middle of each answers for its box.

    The rectangles are found exactly, from the picture itself, so that whatever moves in between shows.
    """

    def __init__(self):
        self.calls = []

    def __call__(self, inputs):
        rgb = inputs["rgb"]
        self.calls.append(rgb.shape)
        size = rgb.shape[2], rgb.shape[1]
        points = cells(size)
        score = np.full((len(rgb), len(points)), -9, np.float32)
        said = np.zeros((len(rgb), len(points), 4), np.float32)
        for k, one in enumerate(rgb):
            rows, columns = np.nonzero(one[..., 0] > 200)
            if len(rows):
                box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], np.float32)
                cell = int(np.abs(points[:, :2] - (box[:2] + box[2:]) / 2).sum(1).argmin())
                score[k, cell] = 3
                said[k, cell] = encode(box[None], points[[cell]])[0]
        return {"score": score, "box": said}


def clip(count, size=(640, 360), first=0):
    """A white person who walks to the right on grey ground."""
    for k in range(first, first + count):
        rgb = np.full((size[1], size[0], 3), 90, np.uint8)
        rgb[100:260, 40 + 8 * k : 110 + 8 * k] = 255
        yield Frame(k, k / 30, rgb)


def test_cells_cover_the_input_level_by_level():
    points = cells((320, 192))
    assert len(points) == sum((320 // s) * (192 // s) for s in STRIDES)
    assert points[0].tolist() == [4, 4, 8]
    assert points[1].tolist() == [12, 4, 8]
    assert points[-1].tolist() == [304, 176, 32]


def test_decode_undoes_encode():
    rng = np.random.default_rng(0)
    points = cells((320, 192))
    boxes = np.concatenate(
        [
            points[:, :2] - rng.uniform(1, 90, (len(points), 2)),
            points[:, :2] + rng.uniform(1, 90, (len(points), 2)),
        ],
        1,
    ).astype(np.float32)
    score = rng.normal(0, 2, len(points)).astype(np.float32)
    found, scores = decode(score, encode(boxes, points), (320, 192), 0.0)
    np.testing.assert_allclose(found, boxes, atol=1e-3)
    np.testing.assert_allclose(scores, 1 / (1 + np.exp(-score)), rtol=1e-5)


def test_decode_keeps_what_scores_enough():
    score = np.array([-2, 0, 2], np.float32)
    padded = np.full(len(cells((32, 32))), -9, np.float32)
    padded[:3] = score
    _, scores = decode(padded, np.zeros((len(padded), 4), np.float32), (32, 32), 0.5)
    np.testing.assert_allclose(scores, 1 / (1 + np.exp(-score[1:])), rtol=1e-6)


@pytest.mark.parametrize("size", [(640, 360), (360, 640), (321, 243), (5000, 3000), (48, 36)])
def test_boxes_are_in_pixels_of_the_picture(size):
    rgb = np.full((size[1], size[0], 3), 90, np.uint8)
    box = (np.array([*size, *size]) * [0.3, 0.2, 0.6, 0.9]).astype(int)
    rgb[box[1] : box[3], box[0] : box[2]] = 255
    boxes, scores = Finder(SETTINGS, Bright()).detect([rgb])[0]
    scale = max(size) / 320
    np.testing.assert_allclose(boxes, box[None], atol=1.5 * scale + 1)
    assert scores[0] == pytest.approx(1 / (1 + np.exp(-3)))


def test_an_empty_picture_has_nobody():
    boxes, scores = Finder(SETTINGS, Bright()).detect([np.zeros((40, 60, 3), np.uint8)])[0]
    assert boxes.shape == (0, 4)
    assert scores.shape == (0,)
    assert boxes.dtype == scores.dtype == np.float32
    assert Finder(SETTINGS, Bright()).detect([]) == []


def test_pictures_of_one_shape_share_a_call_and_come_back_in_order():
    network = Bright()
    wide, tall = next(clip(1)).rgb, np.full((300, 100, 3), 255, np.uint8)
    found = Finder(replace(SETTINGS, batch=4), network).detect([wide, tall, wide, wide])
    assert sorted(shape[0] for shape in network.calls) == [1, 3]
    np.testing.assert_array_equal(found[0][0], found[3][0])
    np.testing.assert_allclose(found[1][0], [[0, 0, 100, 300]], atol=2)


def test_a_person_is_on_every_frame_at_the_right_place():
    people = list(stage(clip(20), SETTINGS, Bright()))
    assert [one.frame.index for one in people] == list(range(20))
    for k, one in enumerate(people):
        assert one.ids.tolist() == [1]
        np.testing.assert_allclose(one.boxes_px, [[40 + 8 * k, 100, 110 + 8 * k, 260]], atol=4)


def test_nobody_gives_empty_people():
    frames = (Frame(k, k / 30, np.full((90, 160, 3), 90, np.uint8)) for k in range(5))
    assert [len(one) for one in stage(frames, SETTINGS, Bright())] == [0] * 5


def test_one_frame_suffices():
    people = list(stage(clip(1), SETTINGS, Bright()))
    assert len(people) == 1
    assert len(people[0]) == 1


def test_no_frame_gives_none():
    assert list(stage(iter(()), SETTINGS, Bright())) == []


def test_looks_fall_on_the_same_frames_wherever_reading_began():
    whole, part = (
        {one.frame.index: one.boxes_px for one in stage(clip(count, first=first), SETTINGS, Bright())}
        for count, first in ((30, 0), (20, 10))
    )
    for index in range(12, 27):  # between the first common look and the last
        np.testing.assert_allclose(part[index], whole[index], atol=0.01)


def test_batches_change_nothing():
    one, four = (
        [people.boxes_px for people in stage(clip(23), replace(SETTINGS, batch=batch), Bright())]
        for batch in (1, 4)
    )
    for a, b in zip(one, four, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_the_network_sees_every_third_frame_only():
    network = Bright()
    list(stage(clip(10), SETTINGS, network))
    assert sum(shape[0] for shape in network.calls) == 4


def test_it_says_how_far_it_looks_ahead():
    live = replace(SETTINGS, tracking=replace(SETTINGS.tracking, live=True))
    assert METHOD.ahead(live) == 0
    assert ahead(SETTINGS) >= SETTINGS.every - 1
    assert ahead(replace(SETTINGS, batch=3)) == ahead(SETTINGS) + 2 * SETTINGS.every


@pytest.mark.parametrize("batch", [1, 3])
def test_it_reads_no_further_than_it_says(batch):
    settings = replace(SETTINGS, batch=batch)
    read = []

    def watched():
        for frame in clip(40):
            read.append(frame.index)
            yield frame

    for people in stage(watched(), settings, Bright()):
        assert read[-1] - people.frame.index <= ahead(settings)


def test_a_wide_picture_costs_less_than_a_square_one():
    assert fitted((1920, 1080), 384).size == (384, 224)
    assert fitted((500, 500), 384).size == (384, 384)


class Shortsighted(Bright):
    """Sees what is at least 60 px tall on its input."""

    def __call__(self, inputs):
        small = [(one[..., 0] > 200).any(1).sum() < 60 for one in inputs["rgb"]]
        outputs = super().__call__(inputs)
        outputs["score"][np.array(small)] = -9
        return outputs


def test_who_is_lost_is_looked_for_from_near():
    """A person walks away: on the network's input 80 px of height at first, 40 at last."""

    def height(k):
        return max(120, 240 - 6 * k)

    def walk(count=45):
        for k in range(count):
            rgb = np.full((1248, 1248, 3), 90, np.uint8)
            rgb[600 - height(k) // 2 : 600 + height(k) // 2, 450:550] = 255
            yield Frame(k, k / 30, rgb)

    settings = replace(SETTINGS, side=416)
    alone = list(stage(walk(), replace(settings, again=0), Shortsighted()))
    helped = list(stage(walk(), settings, Shortsighted()))
    assert not any(len(each) for each in alone[15:])
    for k, each in enumerate(helped):
        assert each.ids.tolist() == [1]
        true = [450, 600 - height(k) / 2, 550, 600 + height(k) / 2]
        np.testing.assert_allclose(each.boxes_px[0], true, atol=5)


def test_a_view_from_near_answers_in_pixels_of_the_picture():
    (frame,) = clip(1)
    finder = Finder(SETTINGS, Bright())
    boxes, scores = finder.again(frame.rgb, np.array([[45, 105, 105, 235], [900, 0, 950, 90]], np.float32))
    np.testing.assert_allclose(boxes, [[40, 100, 110, 260]], atol=2)
    assert len(scores) == 1
    assert len(finder.network.calls) == 1  # where the second is expected is no picture
