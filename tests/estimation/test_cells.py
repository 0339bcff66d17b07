"""The cell codec: what is encoded comes back exactly; mirrors, shifts and votes do what they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marey.core.skeletons import MAREY19, mirrored
from marey.estimation.cells import CellCodec, mirror

SIZE = (192, 256)
SUPPORTS = ("cell", "linear", "wide")
ALL = np.ones((1, 1), bool)


def random_joints(count: int, joints: int = 1) -> np.ndarray:
    """Places all over the crop; every fifth on an edge of a cell, every seventh just in the far corner."""
    xy = np.random.default_rng(5).uniform(0, 1, (count, joints, 2)) * SIZE
    xy[::5] = np.floor(xy[::5] / 32) * 32
    xy[::7] = np.array(SIZE) - 1e-3
    return xy.astype(np.float32)


@pytest.mark.parametrize("stride", [4, 8, 16, 32])
@pytest.mark.parametrize("offsets", SUPPORTS)
def test_joints_come_back_to_a_thousandth_of_a_pixel(stride: int, offsets: str) -> None:
    codec = CellCodec(SIZE, stride, offsets=offsets)
    xy = random_joints(300)
    found, scores = codec.decode(codec.encode(xy, np.ones(xy.shape[:2], bool)))
    np.testing.assert_allclose(found, xy, atol=1e-3)
    np.testing.assert_array_equal(scores, 1)


@pytest.mark.parametrize("sigma", [0.5, 1.0])
def test_a_gaussian_target_has_its_peak_in_the_joints_cell(sigma: float) -> None:
    codec = CellCodec(SIZE, 16, sigma)
    xy = random_joints(200)
    target = codec.encode(xy, np.ones(xy.shape[:2], bool))
    np.testing.assert_allclose(target["heat"].sum((2, 3)), 1, atol=1e-5)
    inner = (xy % 16 > 0.1).all(-1)  # on an edge two cells are equally high
    found, _ = codec.decode(target)
    np.testing.assert_allclose(found[inner], xy[inner], atol=1e-3)


def test_by_hand() -> None:
    """Stride 16: (40, 21) lies half across column 2, and 5/16 down row 1."""
    target = CellCodec((64, 64)).encode(np.array([[[40.0, 21.0]]]), ALL)
    assert target["heat"][0, 0].sum() == target["heat"][0, 0, 1, 2] == target["near"][0, 0, 1, 2] == 1
    assert target["near"].sum() == 1
    np.testing.assert_array_equal(target["offset"][0, 0, :, 1, 2], [0.5, 0.3125])
    wide = CellCodec((64, 64), offsets="wide").encode(np.array([[[40.0, 21.0]]]), ALL)
    assert wide["near"].sum() == 1 + 8 * 0.5
    np.testing.assert_array_equal(wide["offset"][0, 0, :, 0, 3], [-0.5, 1.3125])
    assert CellCodec((64, 64), offsets="none").encode(np.array([[[40.0, 21.0]]]), ALL)["near"].sum() == 0


def test_a_joint_on_an_edge_belongs_to_the_cell_it_opens_and_the_far_edge_is_out() -> None:
    target = CellCodec((64, 64)).encode(
        np.array([[[32.0, 0.0], [64.0, 3.0], [-0.1, 3.0]]]), np.ones((1, 3), bool)
    )
    assert target["heat"][0, 0, 0, 2] == 1
    np.testing.assert_array_equal(target["offset"][0, 0, :, 0, 2], 0)
    np.testing.assert_array_equal(target["nowhere"], [[0, 1, 1]])
    np.testing.assert_array_equal(target["weight"], 1)
    assert target["heat"][0, 1:].sum() == target["near"][0, 1:].sum() == 0


places = st.floats(72, 119, width=32)


@given(places, places, st.integers(-2, 2), st.integers(-2, 2), st.sampled_from(SUPPORTS))
def test_a_shift_by_whole_cells_shifts_the_maps(
    x: float, y: float, right: int, down: int, offsets: str
) -> None:
    codec = CellCodec((192, 192), offsets=offsets)
    here = codec.encode(np.array([[[x, y]]]), ALL)
    there = codec.encode(np.array([[[x + 16 * right, y + 16 * down]]]), ALL)
    for name in ("heat", "offset", "near"):
        moved = np.roll(here[name], (down, right), (-2, -1))
        inside = there["near"][:, :, None] > 0 if name == "offset" else True
        np.testing.assert_allclose(there[name] * inside, moved * inside, atol=1e-6)


@given(st.permutations(range(7)))
def test_joints_in_another_order_give_maps_in_that_order(order: list[int]) -> None:
    codec, xy = CellCodec(SIZE), random_joints(3, 7)
    labelled = np.random.default_rng(0).random((3, 7)) < 0.7
    one, other = codec.encode(xy, labelled), codec.encode(xy[:, order], labelled[:, order])
    for name, maps in one.items():
        np.testing.assert_array_equal(maps[:, order], other[name])


@pytest.mark.parametrize("offsets", SUPPORTS)
def test_mirrored_outputs_decode_to_mirrored_joints(offsets: str) -> None:
    codec, order = CellCodec(SIZE, offsets=offsets), mirrored(MAREY19)
    xy = random_joints(40, len(MAREY19))
    target = codec.encode(xy, np.ones(xy.shape[:2], bool))
    found, _ = codec.decode(mirror(target, order))
    wanted = np.stack([SIZE[0] - xy[..., 0], xy[..., 1]], -1)[:, list(order)]
    np.testing.assert_allclose(found, wanted, atol=1e-3)
    twice = mirror(mirror(target, order), order)
    for name in twice:
        np.testing.assert_allclose(twice[name], target[name], atol=1e-6)


def test_a_vote_on_perfect_maps_is_the_argmax() -> None:
    xy = random_joints(300)
    target = CellCodec(SIZE, offsets="wide").encode(xy, np.ones(xy.shape[:2], bool))
    found, _ = CellCodec(SIZE, offsets="wide", vote=True).decode(target)
    np.testing.assert_allclose(found, xy, atol=1e-3)


def test_a_vote_forgives_a_peak_in_the_wrong_cell() -> None:
    """Offsets perfect in every cell, heat smeared, the peak moved to a neighbour."""
    codec = CellCodec((128, 128), offsets="wide", vote=True)
    xy = np.array([[[57.3, 70.1]]])
    down, across = np.mgrid[:8, :8]
    offset = np.stack([xy[0, 0, 0] / 16 - across, xy[0, 0, 1] / 16 - down])[None, None]
    heat = np.random.default_rng(1).uniform(0, 0.2, (1, 1, 8, 8))
    heat[0, 0, 4, 2] = 0.6  # the joint lies in column 3
    found, scores = codec.decode({"heat": heat.astype(np.float32), "offset": offset.astype(np.float32)})
    np.testing.assert_allclose(found, xy, atol=0.05)
    assert scores[0, 0] == 1


def test_an_empty_map_scores_nothing_and_is_no_nan() -> None:
    outputs = {
        "heat": np.zeros((1, 2, 4, 4), np.float32),
        "offset": np.full((1, 2, 2, 4, 4), 0.5, np.float32),
    }
    for vote in (False, True):
        xy, scores = CellCodec((64, 64), offsets="wide", vote=vote).decode(outputs)
        np.testing.assert_array_equal(scores, 0)
        np.testing.assert_allclose(xy, 8)


def test_without_offsets_joints_are_cells_centres() -> None:
    codec = CellCodec(SIZE, offsets="none")
    xy = random_joints(400)
    found, _ = codec.decode(codec.encode(xy, np.ones(xy.shape[:2], bool)))
    np.testing.assert_allclose(found, (np.floor(xy / 16) + 0.5) * 16)


@pytest.mark.parametrize(("stride", "wanted"), [(32, 12.2), (16, 6.1), (8, 3.1)])
def test_cells_centres_miss_by_what_geometry_says(stride: int, wanted: float) -> None:
    """The mean distance of a square's points from its centre is 0.3826 of its side."""
    xy = np.random.default_rng(2).uniform(0, 192, (3000, 1, 2))
    codec = CellCodec((192, 192), stride, offsets="none")
    found, _ = codec.decode(codec.encode(xy, np.ones(xy.shape[:2], bool)))
    assert np.linalg.norm(found - xy, axis=-1).mean() == pytest.approx(wanted, abs=0.1)
    assert wanted == pytest.approx(0.3826 * stride, abs=0.1)


def test_half_precision_costs_less_than_a_twentieth_of_a_pixel() -> None:
    codec, xy = CellCodec(SIZE, 32), random_joints(300)
    target = codec.encode(xy, np.ones(xy.shape[:2], bool))
    rounded = {name: target[name].astype(np.float16).astype(np.float32) for name in ("heat", "offset")}
    assert np.abs(codec.decode(rounded)[0] - xy).max() < 0.05


def test_heat_is_a_map_about_the_joint() -> None:
    codec = CellCodec((128, 128))
    heat = codec.heat(codec.encode(np.array([[[50.0, 70.0], [-5.0, 3.0]]]), np.ones((1, 2), bool)))
    assert heat.shape == (1, 2, 32, 32)
    np.testing.assert_allclose(heat.sum((2, 3)), [[1, 0]], atol=1e-5)
    centres = (np.arange(32) + 0.5) * 4
    np.testing.assert_allclose(
        [heat[0, 0].sum(0) @ centres, heat[0, 0].sum(1) @ centres], [50, 70], atol=1e-3
    )
