"""Boxes against slow loops, and the crop map against pictures whose centre of mass is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marey.core.geometry import Crop, box_centres, box_iou, box_sizes, crop_boxes, joints_box


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes, spelt out."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    total = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return shared / total if total > 0 else 0.0


def _boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    low = rng.uniform(0, 10, (count, 2))
    return np.concatenate([low, low + rng.uniform(0, 6, (count, 2))], 1)


@given(st.integers(0, 2**32 - 1), st.integers(0, 6), st.integers(0, 6))
def test_iou_equals_the_slow_loop(seed: int, n: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = _boxes(rng, n), _boxes(rng, m)
    expected = np.array([[_iou(x, y) for y in b] for x in a]).reshape(n, m)
    np.testing.assert_allclose(box_iou(a, b), expected, atol=1e-12)
    np.testing.assert_allclose(box_iou(a, b), box_iou(b, a).T, atol=1e-12)


def test_iou_of_empty_boxes_is_zero() -> None:
    point = np.array([[3.0, 3, 3, 3]])
    assert box_iou(point, point) == 0


@given(st.integers(0, 2**32 - 1), st.floats(0.3, 3), st.floats(1, 2))
def test_crop_boxes_have_the_aspect_hold_the_box_and_keep_the_centre(
    seed: int, aspect: float, padding: float
) -> None:
    boxes = _boxes(np.random.default_rng(seed), 5) + np.array([0, 0, 0.1, 0.1])
    grown = crop_boxes(boxes, aspect, padding)
    sizes = box_sizes(grown)
    np.testing.assert_allclose(sizes[:, 0] / sizes[:, 1], aspect)
    np.testing.assert_allclose(box_centres(grown), box_centres(boxes), atol=1e-12)
    assert (sizes >= padding * box_sizes(boxes) - 1e-9).all()
    tight = np.isclose(sizes, padding * box_sizes(boxes)).any(1)
    assert tight.all()


def test_joints_box_leaves_missing_joints_out() -> None:
    xy = np.array([[[1.0, 5], [np.nan, np.nan], [3, 2]], [[np.nan] * 2] * 3])
    box = joints_box(xy)
    np.testing.assert_array_equal(box[0], [1, 2, 3, 5])
    assert np.isnan(box[1]).all()


def _crop(rng: np.random.Generator) -> Crop:
    low, size = rng.uniform(-50, 400, 2), rng.uniform(5, 600, 2)
    return Crop(np.concatenate([low, low + size]), (int(rng.integers(8, 300)), int(rng.integers(8, 300))))


@given(st.integers(0, 2**32 - 1))
def test_crop_map_there_and_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    crop, xy = _crop(rng), rng.uniform(-100, 900, (3, 4, 2))
    np.testing.assert_allclose(crop.to_image(crop.to_crop(xy)), xy, atol=1e-8)
    corners = crop.to_crop(crop.box_px.reshape(2, 2))
    np.testing.assert_allclose(corners, [[0, 0], crop.size], atol=1e-8)


def _blob(centre: np.ndarray, sigma: float, side: int) -> np.ndarray:
    """A bright spot whose true centre is at edge-based pixels `centre`."""
    along = np.exp(-((np.arange(side) + 0.5 - centre[:, None]) ** 2) / (2 * sigma**2))
    return np.repeat(np.rint(255 * np.outer(along[1], along[0])).astype(np.uint8)[..., None], 3, 2)


def _mass_centre(rgb: np.ndarray) -> np.ndarray:
    weight = rgb[..., 0].astype(float)
    x, y = np.arange(rgb.shape[1]) + 0.5, np.arange(rgb.shape[0]) + 0.5
    return np.array([(weight.sum(0) * x).sum(), (weight.sum(1) * y).sum()]) / weight.sum()


@pytest.mark.parametrize("scale", [0.07, 0.13, 0.26, 0.34, 0.5, 0.77, 1.0, 1.4, 3.1])
@pytest.mark.parametrize("seed", range(4))
def test_cut_puts_pixels_where_the_map_says(scale: float, seed: int) -> None:
    """The centre of mass of a spot moves as `to_crop` says: no half pixel lost at any scale."""
    rng = np.random.default_rng(seed)
    sigma = 5 / min(scale, 1)
    side = int(12 * sigma)
    centre = side / 2 + rng.uniform(-0.5, 0.5, 2) * sigma
    low = centre - 5 * sigma * rng.uniform(1.0, 1.4, 2)
    cells = int(np.ceil(12 * sigma * scale))
    crop = Crop(np.concatenate([low, low + cells / scale]), (cells, cells))
    seen = _mass_centre(crop.cut(_blob(centre, sigma, side)))
    np.testing.assert_allclose(seen, crop.to_crop(centre[None])[0], atol=0.05)


def test_cut_of_whole_pixels_is_a_slice() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    crop = Crop(np.array([7.0, 3, 27, 33]), (20, 30))
    np.testing.assert_array_equal(crop.cut(rgb), rgb[3:33, 7:27])


def test_cut_fills_what_lies_outside() -> None:
    rgb = np.full((10, 10, 3), 200, np.uint8)
    part = Crop(np.array([-10.0, -10, 10, 10]), (20, 20)).cut(rgb, fill=7)
    assert (part[:9, :9] == 7).all()
    assert (part[11:, 11:] == 200).all()
    for box in ([100.0, 100, 120, 120], [-900.0, -900, -100, -100]):
        assert (Crop(np.array(box), (20, 20)).cut(rgb, fill=7) == 7).all()


def test_reduction_does_not_alias() -> None:
    """A fine chequerboard becomes grey, not stripes."""
    board = (np.indices((512, 512)).sum(0) % 2 * 255).astype(np.uint8)
    part = Crop(np.array([3.3, 5.1, 503.3, 505.1]), (64, 64)).cut(np.repeat(board[..., None], 3, 2))
    assert abs(part[2:-2, 2:-2].astype(float) - 127.5).max() < 8
