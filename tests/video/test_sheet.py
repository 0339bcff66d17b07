import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marey.core.errors import VideoError
from marey.core.nouns import Frame
from marey.video.sheet import moments, png, sheet, tile


@given(st.integers(1, 5000), st.integers(1, 40))
def test_moments_are_spread_evenly(count: int, tiles: int) -> None:
    places = moments(count, tiles)
    assert len(places) == min(count, tiles)
    assert places[0] >= 0
    assert places[-1] < count
    gaps = np.diff(places)
    assert (gaps > 0).all()
    if len(gaps):
        assert gaps.max() - gaps.min() <= 1
        assert abs(places[0] - (count - 1 - places[-1])) <= 1


def test_a_tile_is_small_and_carries_its_time() -> None:
    rgb = np.full((540, 960, 3), 200, np.uint8)
    small = tile(Frame(7, 1.25, rgb))
    other = tile(Frame(8, 1.5, rgb))
    assert small.shape == (270, 480, 3)
    assert (rgb == 200).all()
    changed = np.flatnonzero((small != other).any(-1).any(1))
    assert len(changed)
    assert changed.min() > 240
    assert (small[:240] == 200).all()
    assert tile(Frame(0, 0.0, np.zeros((1, 1, 3), np.uint8))).shape == (1, 1, 3)


@pytest.mark.parametrize(
    ("count", "size", "columns"), [(12, (480, 270), 3), (12, (270, 480), 6), (1, (480, 270), 1)]
)
def test_tiles_stand_in_reading_order(count: int, size: tuple[int, int], columns: int) -> None:
    tiles = [np.full((size[1], size[0], 3), 10 + 20 * k, np.uint8) for k in range(count)]
    page = sheet(tiles)
    for k in range(count):
        y, x = (k // columns) * (size[1] + 6) + size[1] // 2, (k % columns) * (size[0] + 6) + size[0] // 2
        assert (page[y, x] == 10 + 20 * k).all()
    assert page.shape[1] == columns * (size[0] + 6) - 6


def test_the_number_of_columns_can_be_chosen_and_sizes_may_differ() -> None:
    tiles = [
        np.zeros((20, 40, 3), np.uint8),
        np.zeros((40, 20, 3), np.uint8),
        np.zeros((10, 10, 3), np.uint8),
    ]
    page = sheet(tiles, columns=2)
    assert page.shape == (86, 86, 3)
    assert sum((page == 0).all(-1).ravel()) == 800 + 800 + 100


def test_a_page_comes_back_from_its_png() -> None:
    page = sheet([np.random.default_rng(0).integers(0, 255, (30, 50, 3), np.uint8)])
    back = cv2.imdecode(np.frombuffer(png(page), np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(back[..., ::-1], page)


def test_nothing_to_show_is_told() -> None:
    with pytest.raises(VideoError, match="no frame to show"):
        sheet([])
