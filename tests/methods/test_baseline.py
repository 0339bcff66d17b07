"""The stage: frames in, frames out, whatever the batches; flip test; MoveNet's joints under our decoding."""

from dataclasses import replace

import numpy as np
import pytest

from marey.core.geometry import Side
from marey.core.nouns import Frame, People, no_looks
from marey.core.skeletons import MAREY19, mirrored
from marey.core.stages import Arrays
from marey.methods.baseline import METHOD, Baseline, codec, stage, unflip

SETTINGS = Baseline(side=64, batch=4)


def brightest(inputs: Arrays) -> Arrays:
    """A network that puts joint j on the pixels whose red channel is j + 1."""
    red = inputs["rgb"][..., 0]
    batch, height, width = red.shape
    maps = [(red == j + 1).reshape(batch, height // 4, 4, width // 4, 4).mean((2, 4)) for j in range(19)]
    heat = np.stack(maps, 1).astype(np.float32)
    return {"heat": heat / np.maximum(heat.sum((2, 3), keepdims=True), 1)}


def people(index: int, count: int) -> People:
    rng = np.random.default_rng(index)
    low = rng.uniform(0, 40, (count, 2))
    boxes = np.concatenate([low, low + rng.uniform(30, 60, (count, 2))], 1).astype(np.float32)
    frame = Frame(index, index / 25, rng.integers(0, 255, (100, 110, 3), dtype=np.uint8))
    return People(frame, boxes, np.ones(count, np.float32), np.arange(count), no_looks(count))


def test_one_out_per_one_in_in_order() -> None:
    given = [people(k, n) for k, n in enumerate([0, 2, 0, 5, 1])]
    found = list(stage(iter(given), SETTINGS, brightest))
    assert [poses.people for poses in found] == given
    assert [poses.xy_px.shape for poses in found] == [(len(item), 19, 2) for item in given]


def test_nobody_needs_no_network() -> None:
    def never(inputs: Arrays) -> Arrays:
        raise AssertionError("the network was called for nobody")

    (poses,) = stage(iter([people(0, 0)]), SETTINGS, never)
    assert len(poses) == 0


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_results_do_not_depend_on_batches(batch: int) -> None:
    given = [people(k, n) for k, n in enumerate([3, 0, 4, 1, 2])]
    whole = list(stage(iter(given), SETTINGS, brightest))
    parts = list(stage(iter(given), replace(SETTINGS, batch=batch), brightest))
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(a.xy_px, b.xy_px)
        np.testing.assert_array_equal(a.scores, b.scores)


@pytest.mark.parametrize("side", [64, (48, 64), (64, 32)])
def test_joints_land_on_the_pixels_that_show_them(side: Side) -> None:
    rgb = np.zeros((100, 100, 3), np.uint8)
    rgb[40:48, 60:68, 0] = 8  # joint 7, middle at (64, 44)
    box = np.array([[20, 20, 84, 84]], np.float32)
    item = People(Frame(0, 0.0, rgb), box, np.ones(1, np.float32), np.zeros(1, np.int64), no_looks(1))
    (poses,) = stage(iter([item]), replace(SETTINGS, side=side, padding=1.0), brightest)
    np.testing.assert_allclose(poses.xy_px[0, 7], [64, 44], atol=0.25)


@pytest.mark.parametrize("side", [64, (48, 64)])
def test_flip_averages_the_mirrored_crop_with_sides_swapped(side: Side) -> None:
    heat = np.random.default_rng(0).random((2, 19, 16, 16)).astype(np.float32)
    twice = unflip(unflip(heat, MAREY19), MAREY19)
    np.testing.assert_array_equal(twice, heat)
    left, right = MAREY19.index("left_knee"), MAREY19.index("right_knee")
    np.testing.assert_array_equal(unflip(heat, MAREY19)[:, left], heat[:, right, :, ::-1])

    def fair(inputs: Arrays) -> Arrays:  # sees no difference between the picture and its mirror image
        maps = brightest(inputs)["heat"]
        mirror = brightest({"rgb": inputs["rgb"][:, :, ::-1]})["heat"]
        return {"heat": (maps + unflip(mirror, MAREY19)) / 2}

    given = [people(5, 3)]
    settings = replace(SETTINGS, side=side)
    plain = list(stage(iter(given), settings, fair))
    flipped = list(stage(iter(given), replace(settings, flip=True), fair))
    np.testing.assert_allclose(plain[0].xy_px, flipped[0].xy_px, atol=1e-4)
    assert mirrored(MAREY19)[left] == right


def test_the_method_says_what_it_is() -> None:
    assert METHOD.ahead(SETTINGS) == 0
    assert METHOD.codec is codec
    assert codec(SETTINGS).cells == (16, 16)
