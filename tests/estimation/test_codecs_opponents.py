"""The paper's rounded targets with a quarter shift, and points without maps."""

import numpy as np
import pytest

from marey.estimation.codecs import HeatCodec, PointCodec

LABELLED = np.ones((500, 1), bool)
XY = np.random.default_rng(3).uniform(24, 100, (500, 1, 2)).astype(np.float32)


def test_rounded_targets_are_cells_and_come_back_as_their_centres() -> None:
    codec = HeatCodec((128, 128), 2.0, subpixel="quarter")
    target = codec.encode(XY, LABELLED)
    centre = (np.floor(XY / 4) + 0.5) * 4
    np.testing.assert_array_equal(target["heat"], HeatCodec((128, 128)).encode(centre, LABELLED)["heat"])
    found, scores = codec.decode(target)
    np.testing.assert_array_equal(found, centre)  # both neighbours are equal: no quarter
    assert (scores > 0.7).all()


def test_a_quarter_of_a_cell_towards_the_higher_neighbour() -> None:
    exact = HeatCodec((128, 128), 2.0).encode(XY, LABELLED)
    found, _ = HeatCodec((128, 128), 2.0, subpixel="quarter").decode(exact)
    off = np.abs(found - XY)
    assert off.max() <= 1 + 1e-3  # uniform in ±½ cell less a quarter: at most a quarter of four pixels
    assert np.linalg.norm(off, axis=-1).mean() == pytest.approx(0.77, abs=0.03)  # ¼ of 0.7652 × 4 px


def test_points_are_read_as_they_are() -> None:
    codec = PointCodec((128, 128))
    xy = np.array([[[5.0, 7.0], [-1.0, 3.0], [128.0, 3.0], [9.0, 9.0]]], np.float32)
    target = codec.encode(xy, np.array([[True, True, True, False]]))
    np.testing.assert_array_equal(target["score"], [[1, 0, 0, 0]])
    np.testing.assert_array_equal(target["weight"], [[1, 1, 1, 0]])
    found, scores = codec.decode(target)
    np.testing.assert_array_equal(found[0, 0], [5, 7])
    np.testing.assert_array_equal(scores, target["score"])
    np.testing.assert_allclose(codec.heat(target).sum((2, 3)), [[1, 0, 0, 0]], atol=1e-5)
