import cv2
import numpy as np
import pytest

from marey.people.look import looks

RED, BLUE, GREY = (200, 40, 40), (40, 40, 200), (120, 120, 120)


def dressed(shirt, trousers, size=(200, 100), light=1.0):
    """A person who fills the picture: shirt above, trousers below, some texture, some light."""
    rgb = np.zeros((*size, 3))
    rgb[: size[0] // 2], rgb[size[0] // 2 :] = shirt, trousers
    rgb += np.random.default_rng(0).normal(0, 6, rgb.shape)
    return np.clip(rgb * light, 0, 255).astype(np.uint8)


def look(rgb):
    height, width = rgb.shape[:2]
    return looks(rgb, np.array([[0, 0, width, height]], np.float32))[0].astype(np.float64)


@pytest.mark.parametrize("colours", [(RED, BLUE), (GREY, GREY), (BLUE, GREY)])
def test_the_same_clothes_look_alike_at_any_size_and_light(colours):
    first = look(dressed(*colours))
    assert np.linalg.norm(first) == pytest.approx(1, abs=2e-3)
    for other in (dressed(*colours, (37, 19)), dressed(*colours, light=0.85), dressed(*colours, (800, 300))):
        assert first @ look(other) > 0.9


def test_other_clothes_look_different():
    first = look(dressed(RED, BLUE))
    for other in ((BLUE, RED), (RED, GREY), (GREY, GREY)):
        assert first @ look(dressed(*other)) < 0.75


def test_black_white_and_colour_are_told_apart():
    black, white = look(np.zeros((80, 40, 3), np.uint8)), look(np.full((80, 40, 3), 255, np.uint8))
    assert black @ white == 0
    assert black @ look(dressed(RED, RED)) < 0.5


def test_the_background_beside_a_person_does_not_count():
    person = dressed(RED, BLUE)
    wide = cv2.copyMakeBorder(person, 0, 0, 25, 25, cv2.BORDER_CONSTANT, value=(0, 255, 0))
    assert look(person) @ look(wide) > 0.98


def test_boxes_beyond_the_picture_and_empty_ones():
    rgb = dressed(RED, BLUE)
    boxes = np.array(
        [[-50, -50, 150, 260], [200, 0, 250, 90], [10, 10, 10, 40], [5, 5, 5.3, 5.3]], np.float32
    )
    found = looks(rgb, boxes)
    assert np.isnan(found).any(1).tolist() == [False, True, True, True]
    assert not np.isnan(found[0]).any()
    assert looks(rgb, np.zeros((0, 4), np.float32)).shape == (0, 64)
