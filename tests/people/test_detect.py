import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marey.core.geometry import box_iou
from marey.people.detect import MULTIPLE, NEARER, fitted, near, suppress, uncut


def slowly(boxes, scores, most_iou, most):
    """Greedy suppression as its definition reads."""
    left, kept = list(range(len(boxes))), []
    while left and len(kept) < most:
        best = max(left, key=lambda k: (scores[k], -k))
        kept.append(best)
        near = {k for k in left if box_iou(boxes[best : best + 1], boxes[k : k + 1])[0, 0] > most_iou}
        left = [k for k in left if k not in near and k != best]
    return kept


@given(st.integers(0, 40), st.integers(0, 10_000), st.floats(0.1, 0.9), st.integers(1, 50))
def test_suppression_is_the_literal_one(count, seed, most_iou, most):
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 60, (count, 2))
    boxes = np.concatenate([low, low + rng.uniform(5, 60, (count, 2))], 1).astype(np.float32)
    scores = rng.integers(0, 8, count).astype(np.float32) / 8  # with ties
    assert suppress(boxes, scores, most_iou, most).tolist() == slowly(boxes, scores, most_iou, most)


@given(st.integers(1, 8000), st.integers(1, 8000), st.sampled_from((256, 320, 384, 416)))
def test_a_fitted_picture_is_whole_and_keeps_its_aspect(width, height, side):
    crop = fitted((width, height), side)
    assert all(length % MULTIPLE == 0 for length in crop.size)
    assert max(crop.size) == side
    assert crop.scale[0] == pytest.approx(crop.scale[1], rel=1e-4)
    corner = crop.to_crop(np.array([[width, height]], np.float32))[0]
    assert (corner <= np.array(crop.size) + 0.51).all()
    assert (np.array(crop.size) - corner < MULTIPLE + 0.51).all() or min(corner) < MULTIPLE


@given(st.integers(2, 4000), st.integers(2, 4000), st.integers(0, 1000))
def test_boxes_come_back_from_the_input_to_the_picture(width, height, seed):
    crop = fitted((width, height), 320)
    xy = np.random.default_rng(seed).uniform(0, [width, height], (5, 2)).astype(np.float32)
    np.testing.assert_allclose(crop.to_image(crop.to_crop(xy)), xy, atol=1e-3 * max(width, height) / 320)


def test_what_the_picture_does_not_cover_is_grey():
    picture = np.full((90, 160, 3), 255, np.uint8)
    out = fitted((160, 90), 320).cut(picture, 114)
    assert out.shape == (192, 320, 3)
    assert (out[1:176, 1:-1] == 255).all()  # enlarged: the outermost pixels are half beyond the edge
    assert (out[184:] == 114).all()


@given(st.integers(100, 4000), st.integers(100, 4000), st.integers(0, 1000))
def test_a_view_from_near_holds_the_person_and_shows_it_larger(width, height, seed):
    rng = np.random.default_rng(seed)
    low = rng.uniform(-50, [width, height], (20, 2))
    boxes = np.concatenate([low, low + rng.uniform(1, max(width, height), (20, 2))], 1).astype(np.float32)
    for box, square in zip(boxes, near(boxes, (width, height)), strict=True):
        middle, sides = (box[:2] + box[2:]) / 2, square[2:] - square[:2]
        assert (square >= 0).all()
        assert (square[2:] <= (width, height)).all()
        if not square.any():
            out = (middle < 0).any() or (middle >= (width, height)).any()
            assert out or 2.6 * (box[2:] - box[:2]).max() * NEARER > 0.5 * max(width, height)
            continue
        assert (sides > 0).all()
        assert sides.max() * NEARER <= max(width, height)
        seen = np.clip(box, 0, [width, height, width, height])  # all of the person that the picture shows
        assert (seen[:2] >= square[:2] - 0.5).all()
        assert (seen[2:] <= square[2:] + 0.5).all()


def test_who_is_cut_off_by_a_view_is_told_from_who_is_cut_off_by_the_picture():
    square = np.array([0, 100, 300, 400])
    boxes = np.array(
        [
            [0, 150, 90, 350],
            [100, 100, 200, 300],
            [200, 150, 300, 350],
            [50, 150, 200, 399],
            [50, 150, 200, 350],
        ],
        np.float32,
    )
    assert uncut(boxes, square, (900, 900)).tolist() == [True, False, False, False, True]
    assert uncut(boxes, square, (300, 400)).tolist() == [True, False, True, True, True]
