"""The heat-map codec: what is encoded comes back, and scores behave as probabilities."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marey.estimation.codecs import NEAR, SPREAD, HeatCodec, Subpixel, _blurring

CODEC = HeatCodec((192, 256), sigma=2.0)
inner = st.tuples(st.floats(16, 176), st.floats(16, 240))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(inner, min_size=1, max_size=5),
    st.sampled_from([1.0, 1.5, 2.0]),
    st.sampled_from(["mass", "dark"]),
)
def test_joints_come_back(joints: list[tuple[float, float]], sigma: float, subpixel: Subpixel) -> None:
    codec = HeatCodec((192, 256), sigma, subpixel=subpixel)
    xy = np.array([joints], np.float32)
    found, scores = codec.decode(codec.encode(xy, np.ones(xy.shape[:2], bool)))
    np.testing.assert_allclose(found, xy, atol=0.5)  # four cells from the edge, which cuts wide maps
    assert (scores <= 1).all()


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0])
def test_the_score_is_a_share_of_a_perfect_maps(sigma: float) -> None:
    """For a Gaussian gain of deviation n and a Gaussian map of deviation s: n² / (n² + s²), in the plane."""
    codec, near = HeatCodec((256, 256), sigma), NEAR * 64
    xy, labelled = np.array([[[131.3, 120.9]]]), np.ones((1, 1), bool)
    _, scores = codec.decode(codec.encode(xy, labelled))
    assert scores[0, 0] == pytest.approx(1, abs=0.01)
    wide = 2 * sigma
    _, scores = codec.decode(HeatCodec((256, 256), wide).encode(xy, labelled))
    assert scores[0, 0] == pytest.approx((near**2 + sigma**2) / (near**2 + wide**2), abs=0.01)


def test_most_of_the_mass_decides_not_the_highest_peak() -> None:
    """A lone high cell against a hill of half its height and many times its mass."""
    heat = np.zeros((1, 1, 64, 48), np.float32)
    heat[0, 0, 10, 10] = 0.04
    rows, columns = np.mgrid[:64, :48]
    heat[0, 0] += 0.02 * np.exp(-((rows - 40) ** 2 + (columns - 30) ** 2) / 18).astype(np.float32)
    by_mass, _ = CODEC.decode({"heat": heat})
    at_peak, _ = HeatCodec(CODEC.size, subpixel="dark").decode({"heat": heat})
    np.testing.assert_allclose(by_mass[0, 0], (30.5 * 4, 40.5 * 4), atol=0.1)
    assert np.abs(at_peak[0, 0] - (10.5 * 4, 10.5 * 4)).max() < 4


def test_smoothing_is_round_on_oblong_crops() -> None:
    """A map mirrored along its diagonal is read at the mirrored place."""
    heat = np.random.default_rng(4).random((3, 5, 64, 48)).astype(np.float32) / 3000
    xy, scores = HeatCodec((192, 256)).decode({"heat": heat})
    turned, same = HeatCodec((256, 192)).decode({"heat": heat.transpose(0, 1, 3, 2).copy()})
    np.testing.assert_allclose(turned, xy[..., ::-1], atol=1e-3)
    np.testing.assert_allclose(same, scores, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 191.9), st.floats(0, 255.9))
def test_joints_at_the_edge_come_back_to_two_cells(x: float, y: float) -> None:
    xy = np.array([[[x, y]]], np.float32)
    found, _ = CODEC.decode(CODEC.encode(xy, np.ones((1, 1), bool)))
    assert np.abs(found - xy).max() < 2 * CODEC.stride


def test_maps_are_probabilities() -> None:
    xy = np.array([[[50.3, 60.1], [0.0, 255.9], [-5.0, 20.0], [30.0, 30.0]]])
    labelled = np.array([[True, True, True, False]])
    coded = CODEC.encode(xy, labelled)
    mass = coded["heat"].sum((2, 3)) + coded["nowhere"]
    np.testing.assert_allclose(mass, [[1, 1, 1, 0]], atol=1e-5)
    np.testing.assert_array_equal(coded["nowhere"], [[0, 0, 1, 0]])
    np.testing.assert_array_equal(coded["weight"], [[1, 1, 1, 0]])


def test_the_mean_of_a_map_is_the_joint_in_edge_based_pixels() -> None:
    xy = np.array([[[101.7, 83.2]]])
    heat = CODEC.encode(xy, np.ones((1, 1), bool))["heat"][0, 0].astype(np.float64)
    columns = (np.arange(heat.shape[1]) + 0.5) * CODEC.stride
    rows = (np.arange(heat.shape[0]) + 0.5) * CODEC.stride
    np.testing.assert_allclose([heat.sum(0) @ columns, heat.sum(1) @ rows], [101.7, 83.2], atol=1e-3)


def test_a_joint_that_is_nowhere_scores_low() -> None:
    flat = np.full((1, 1, 64, 48), 0.2 / (64 * 48), np.float32)  # the rest of the mass is "not here"
    _, scores = CODEC.decode({"heat": flat})
    assert scores.max() < 0.01


def test_each_crop_is_decoded_alone() -> None:
    rng = np.random.default_rng(1)
    heat = rng.random((7, 3, 64, 48)).astype(np.float32) / 3000
    together = CODEC.decode({"heat": heat})
    for k in range(7):
        alone = CODEC.decode({"heat": heat[k : k + 1]})
        np.testing.assert_array_equal(together[0][k], alone[0][0])
        np.testing.assert_array_equal(together[1][k], alone[1][0])


def test_nobody_gives_no_joints() -> None:
    xy, scores = CODEC.decode({"heat": np.zeros((0, 19, 64, 48), np.float32)})
    assert xy.shape == (0, 19, 2)
    assert scores.shape == (0, 19)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_flat_and_certain_maps_do_not_break(value: float) -> None:
    heat = np.zeros((1, 1, 64, 48), np.float32)
    heat[0, 0, 10, 10] = value
    xy, scores = CODEC.decode({"heat": heat})
    assert np.isfinite(xy).all()
    assert scores[0, 0] == value


@pytest.mark.parametrize("cells", [40, 48, 64])
def test_the_smoothing_holds_no_number_that_is_slow_to_multiply(cells: int) -> None:
    """Tails below the smallest normal float32 made reading a crop 20 times slower than it is."""
    matrix = _blurring(cells, SPREAD * cells)
    assert ((matrix == 0) | (matrix > 1e-7)).all()
    heat = np.random.default_rng(2).random((cells, cells)) / cells**2
    far = np.subtract.outer(np.arange(cells), np.arange(cells)) / (SPREAD * cells)
    exact = np.exp(-0.5 * far**2)
    smooth = matrix @ heat.astype(np.float32) @ matrix
    np.testing.assert_allclose(smooth, exact @ heat @ exact, rtol=1e-4)
