"""People to crops: batches hold whole frames, and joints find their way back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marey.core.geometry import Side, size_of
from marey.core.nouns import Frame, People, no_looks
from marey.estimation.crops import cut_people, person_crops


def people(index: int, count: int) -> People:
    rng = np.random.default_rng(index)
    low = rng.uniform(0, 60, (count, 2))
    boxes = np.concatenate([low, low + rng.uniform(5, 40, (count, 2))], 1).astype(np.float32)
    frame = Frame(index, index / 25, rng.integers(0, 255, (90, 120, 3), dtype=np.uint8))
    return People(frame, boxes, np.ones(count, np.float32), np.arange(count), no_looks(count))


def test_every_frame_comes_once_and_in_order() -> None:
    counts = [0, 3, 1, 0, 0, 7, 2]
    cuts = list(cut_people((people(k, n) for k, n in enumerate(counts)), 32, 1.25, 4))
    frames = [item for cut in cuts for item in cut.frames]
    assert [own.frame.index for own, _ in frames] == list(range(7))
    assert [rows.stop - rows.start for _, rows in frames] == counts
    assert all(len(cut.rgb) == len(cut.crops) == cut.frames[-1][1].stop for cut in cuts)


def test_what_waits_is_bounded_even_if_nobody_is_there() -> None:
    taken = 0

    def counted():
        nonlocal taken
        for k in range(100):
            taken += 1
            yield people(k, 0)

    next(cut_people(counted(), 32, 1.25, 8))
    assert taken == 8


def test_a_crop_is_square_about_the_box_and_padded() -> None:
    (crop,) = person_crops(np.array([[10, 20, 30, 60]], np.float32), 64, 1.25)
    np.testing.assert_allclose(crop.box_px, [20 - 25, 40 - 25, 20 + 25, 40 + 25])


@given(st.floats(1, 300), st.floats(1, 300), st.sampled_from([(192, 256), (256, 192), (128, 192)]))
def test_a_crop_of_another_shape_just_holds_the_box_and_distorts_nothing(
    wide: float, high: float, size: tuple[int, int]
) -> None:
    box = np.array([[10, 20, 10 + wide, 20 + high]], np.float32)
    (crop,) = person_crops(box, size, 1.1)
    assert crop.size == size
    np.testing.assert_allclose(crop.scale[0], crop.scale[1], rtol=1e-4)
    shares = (crop.to_crop(box.reshape(2, 2)) / np.array(size, np.float32)).T
    np.testing.assert_allclose(shares.sum(1), 1, atol=1e-3)  # in the middle
    np.testing.assert_allclose((shares[:, 1] - shares[:, 0]).max(), 1 / 1.1, rtol=1e-3)


@pytest.mark.parametrize("side", [48, (32, 64)])
def test_joints_return_to_the_picture(side: Side) -> None:
    (cut,) = cut_people(iter([people(1, 3)]), side, 1.25, 8)
    assert cut.rgb.shape[1:3] == size_of(side)[::-1]
    xy = np.random.default_rng(0).uniform(0, 48, (3, 5, 2)).astype(np.float32)
    back = cut.to_image(xy, slice(0, 3))
    for k, crop in enumerate(cut.crops):
        np.testing.assert_allclose(crop.to_crop(back[k]), xy[k], atol=1e-3)
