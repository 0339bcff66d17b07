import numpy as np
import pytest

from marey.training.detection_pictures import Canvases, Cutout, Mix, Picture, cut, quarter_turns


def white_person(width, height, box, share=1.0):
    rgb = np.full((height, width, 3), 20, np.uint8)
    rgb[box[1] : box[3], box[0] : box[2]] = 255
    return Picture(rgb, np.array([box], np.float32), np.zeros((0, 4), np.float32), share)


PLAIN = Mix(mosaic=0, turn=0, grey=0, blur=0, paste=0, paste_empty=0)


def seen(rgb):
    """The box of what is bright."""
    rows, columns = np.nonzero(rgb.min(2) > np.clip(rgb.max() * 0.8, 60, None))
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


@pytest.mark.parametrize("seed", range(20))
def test_the_box_stays_on_the_person(seed):
    canvases = Canvases(
        [white_person(300, 200, (120, 60, 180, 150))], [], Mix(**{**vars_of(PLAIN), "turn": 0.5})
    )
    rgb, boxes, ignore = canvases.draw(256, np.random.default_rng(seed))
    assert rgb.shape == (256, 256, 3)
    if len(boxes):
        bright = rgb[..., 1].astype(int)
        x0, y0, x1, y1 = np.round(boxes[0]).astype(int)
        inside = bright[y0 + 2 : y1 - 2, x0 + 2 : x1 - 2]
        assert inside.min() > bright[0:1].max() * 0.5
        assert inside.mean() > np.median(bright) + 40
    else:
        assert len(ignore)


def vars_of(mix):
    return {name: getattr(mix, name) for name in mix.__dataclass_fields__}


def test_a_mosaic_holds_four_pictures():
    pictures = [white_person(300, 200, (100, 20, 200, 180))]
    counts = []
    for seed in range(10):
        mix = Mix(**{**vars_of(PLAIN), "mosaic": 1.0, "mosaic_scale": (0.7, 0.9)})
        _, boxes, _ = Canvases(pictures, [], mix).draw(320, np.random.default_rng(seed))
        counts.append(len(boxes))
        assert (boxes >= 0).all()
        assert (boxes <= 320).all()
    assert max(counts) == 4


def test_shares_say_how_often_a_picture_comes():
    pictures = [white_person(90, 60, (5, 5, 50, 50), 3.0), white_person(60, 90, (5, 5, 50, 50), 1.0)]
    canvases, rng = Canvases(pictures, [], PLAIN), np.random.default_rng(0)
    drawn = [canvases._picture(rng) is pictures[0] for _ in range(2000)]
    assert np.mean(drawn) == pytest.approx(0.75, abs=0.04)


def test_the_same_seed_draws_the_same_canvas():
    cutouts = [Cutout(np.full((60, 20, 3), 250, np.uint8), np.full((60, 20), 255, np.uint8))]
    canvases = Canvases([white_person(300, 200, (120, 60, 180, 150))], cutouts, Mix(mosaic=0.5, paste=1.0))
    a, b = (canvases.draw(224, np.random.default_rng(5)) for _ in range(2))
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)


def test_people_are_pasted_where_nobody_is():
    nobody = Picture(np.full((200, 300, 3), 40, np.uint8), *(np.zeros((0, 4), np.float32),) * 2, 1.0)
    cutout = Cutout(np.full((120, 40, 3), 250, np.uint8), np.full((120, 40), 255, np.uint8))
    canvases = Canvases([nobody], [cutout], Mix(**{**vars_of(PLAIN), "paste_empty": 1.0}))
    found = [canvases.draw(256, np.random.default_rng(seed)) for seed in range(12)]
    assert sum(len(boxes) for _, boxes, _ in found) > 6
    for rgb, boxes, _ in found:
        for x0, y0, x1, y1 in boxes.astype(int):
            middle = rgb[(y0 + y1) // 2, (x0 + x1) // 2]
            assert middle.mean() > np.median(rgb) + 20


def test_a_person_cut_to_a_corner_is_ignored():
    boxes = np.array(
        [[-50, -50, 10, 10], [10, 10, 60, 60], [300, 300, 340, 340], [20, 20, 40, 24]], np.float32
    )
    people, regions = cut(boxes, (100, 100))
    np.testing.assert_array_equal(people, boxes[1:2])
    np.testing.assert_array_equal(regions, [[0, 0, 10, 10], [20, 20, 40, 24]])


@pytest.mark.parametrize("turns", [1, 2, 3, 4])
def test_quarter_turns_take_boxes_along(turns):
    box = np.array([[30, 10, 70, 40]], np.float32)
    rgb = np.zeros((80, 120, 3), np.uint8)
    rgb[10:40, 30:70] = 255
    turned, (boxes, regions) = quarter_turns(rgb, (box, box + 1), turns)
    np.testing.assert_array_equal(boxes[0], seen(turned))
    assert (regions != boxes).any()
