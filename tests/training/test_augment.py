"""Augmentation: joints go where their pixels go, and nothing leaves the range of pixels."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from marey.estimation.crops import person_crops
from marey.training.augment import Augment, change_pixels, draw_warp, warp, warp_matrix

PLAIN = Augment(rotation=0, turns=0, zoom=(1, 1), shift=0, flip=0, half=0)


def spot(x: float, y: float, side: int = 160) -> np.ndarray:
    """A soft white spot centred on (x, y), edge-based."""
    rows, columns = np.mgrid[:side, :side] + 0.5
    bell = np.exp(-0.5 * ((columns - x) ** 2 + (rows - y) ** 2) / 3.0**2)
    return np.repeat((255 * bell)[..., None], 3, 2).astype(np.uint8)


def middle(rgb: np.ndarray) -> np.ndarray:
    weight = rgb[..., 0].astype(np.float64)
    rows, columns = np.mgrid[: rgb.shape[0], : rgb.shape[1]] + 0.5
    return np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum()


@given(st.floats(72, 88), st.floats(65, 95), st.floats(-180, 180), st.floats(60, 300), st.booleans())
def test_a_warped_spot_lies_where_the_matrix_puts_it(
    x: float, y: float, angle: float, reach: float, mirror: bool
) -> None:
    matrix = warp_matrix(np.array([80.0, 80.0]), reach, angle, mirror, (112, 128))
    moved = warp(spot(x, y), matrix, (112, 128))
    np.testing.assert_allclose(middle(moved), matrix @ [x, y, 1], atol=0.35)


def test_the_middle_of_the_box_comes_to_the_middle_of_the_crop() -> None:
    matrix, mirror = draw_warp(
        np.random.default_rng(0), np.array([10.0, 20, 50, 100]), np.zeros((19, 2)), (128, 128), PLAIN, 1.25
    )
    assert not mirror
    np.testing.assert_allclose(matrix @ [30, 60, 1], [64, 64], atol=1e-9)
    np.testing.assert_allclose(matrix[:, :2], np.eye(2) * 128 / 100)


@pytest.mark.parametrize("size", [(128, 128), (96, 128), (192, 128)])
@pytest.mark.parametrize("box", [[10.0, 20, 50, 100], [10.0, 20, 150, 60]])
def test_training_crops_show_what_running_ones_do(box: list[float], size: tuple[int, int]) -> None:
    matrix, _ = draw_warp(np.random.default_rng(0), np.array(box), np.zeros((19, 2)), size, PLAIN, 1.1)
    (crop,) = person_crops(np.array([box], np.float32), size, 1.1)
    places = np.random.default_rng(1).uniform(0, 120, (20, 2))
    np.testing.assert_allclose(places @ matrix[:, :2].T + matrix[:, 2], crop.to_crop(places), atol=1e-4)


def test_mirroring_swaps_left_and_right_only() -> None:
    a = warp_matrix(np.array([10.0, 20]), 50, 0, False, (100, 100))
    b = warp_matrix(np.array([10.0, 20]), 50, 0, True, (100, 100))
    left, right = a @ [5, 13, 1], b @ [5, 13, 1]
    np.testing.assert_allclose([100 - left[0], left[1]], right)


def test_full_turns_come_in_their_share_and_others_stay_within_the_limit() -> None:
    settings = Augment(rotation=40, turns=0.2, zoom=(1, 1), shift=0, flip=0, half=0)
    angles = []
    for seed in range(400):
        matrix, _ = draw_warp(
            np.random.default_rng(seed),
            np.array([0.0, 0, 10, 10]),
            np.zeros((19, 2)),
            (64, 64),
            settings,
            1.0,
        )
        angles.append(np.degrees(np.arctan2(matrix[0, 1], matrix[0, 0])))
    far = np.mean(np.abs(angles) > 40.001)
    assert 0.08 < far < 0.25  # 0.2 of them turn anywhere, of which 7/9 end beyond 40 degrees


@pytest.mark.parametrize("name", ["colour", "patches", "coarse", "motion"])
def test_each_change_is_seeded_and_stays_within_pixels(name: str) -> None:
    none = {"colour": 0.0, "patches": 0.0, "coarse": 0.0, "motion": 0.0}
    settings = Augment(**{**none, name: 1.0})
    rgb = torch.rand(4, 3, 48, 32, generator=torch.Generator().manual_seed(0)) * 255

    def changed(seed: int) -> torch.Tensor:
        return change_pixels(rgb.clone(), settings, torch.Generator().manual_seed(seed))

    assert torch.equal(changed(1), changed(1))
    assert not torch.equal(changed(1), changed(2))
    assert (changed(1) != rgb).flatten(1).any(1).all()
    assert changed(1).min() >= 0
    assert changed(1).max() <= 255.01


def test_no_share_changes_nothing() -> None:
    rgb = torch.rand(2, 3, 16, 16) * 255
    settings = Augment(colour=0, patches=0, coarse=0, motion=0)
    assert torch.equal(change_pixels(rgb.clone(), settings, torch.Generator()), rgb)


def test_reduction_averages_fine_patterns() -> None:
    board = (np.indices((256, 256)).sum(0) % 2 * 255).astype(np.uint8)
    rgb = cv2.merge([board] * 3)
    matrix = warp_matrix(np.array([128.0, 128.0]), 256, 0, False, (64, 64))
    inner = warp(rgb, matrix, (64, 64))[8:-8, 8:-8]
    assert abs(int(inner.min()) - 127) < 8
    assert abs(int(inner.max()) - 127) < 8
