"""Cameras against OpenCV, which puts pixel centres at whole numbers, and there and back."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marey.core.cameras import Camera
from marey.core.errors import MareyError

MATRIX = np.array([[1100.0, 2.0, 640.0], [0.0, 1080.0, 355.0], [0.0, 0.0, 1.0]])
LENSES = [np.zeros(5), np.array([-0.28, 0.09, 1e-3, -8e-4, -0.01]), np.array([0.1, 0.05, 0.0, 0.0, 0.02])]


def _camera(distortion: np.ndarray, seed: int) -> tuple[Camera, np.ndarray]:
    rng = np.random.default_rng(seed)
    turn = rng.normal(0, 0.5, 3)
    rotation, shift = cv2.Rodrigues(turn)[0], rng.normal((0, 0, 6), 0.3)
    return Camera.opencv(MATRIX, rotation, shift, distortion), turn


@pytest.mark.parametrize("distortion", LENSES)
@pytest.mark.parametrize("seed", range(3))
def test_project_agrees_with_opencv(distortion: np.ndarray, seed: int) -> None:
    camera, turn = _camera(distortion, seed)
    world = np.random.default_rng(seed).uniform(-1.5, 1.5, (50, 3))
    # OpenCV leaves the skew out: both columns are compared with a matrix that has none.
    square = Camera(
        camera.matrix * (np.arange(9).reshape(3, 3) != 1), camera.rotation, camera.translation, distortion
    )
    matrix = MATRIX * (np.arange(9).reshape(3, 3) != 1)
    theirs = cv2.projectPoints(world, turn, camera.translation, matrix, distortion)[0][:, 0]
    np.testing.assert_allclose(square.project(world), theirs + 0.5, atol=1e-6)


@given(st.integers(0, 1000), st.sampled_from(range(3)))
def test_unproject_undoes_project(seed: int, lens: int) -> None:
    camera, _ = _camera(LENSES[lens], seed)
    rng = np.random.default_rng(seed)
    depth = rng.uniform(2, 9, (4, 7))
    xy = rng.uniform((200, 100), (1080, 620), (4, 7, 2))
    world = camera.unproject(xy, depth)
    np.testing.assert_allclose(camera.project(world), xy, atol=1e-3)
    np.testing.assert_allclose(camera.to_camera(world)[..., 2], depth, atol=1e-9)
    np.testing.assert_allclose(camera.to_world(camera.to_camera(world)), world, atol=1e-9)


def test_what_is_behind_is_missing() -> None:
    camera = Camera.from_view((640, 480), 60)
    assert np.isnan(camera.project(np.array([[0, 0, -1.0], [0, 0, 0]]))).all()


def test_view_angle_meets_the_edges() -> None:
    camera = Camera.from_view((640, 480), 90)
    edge = camera.project(np.array([[1.0, 0, 1], [-1, 0, 1]]))
    np.testing.assert_allclose(edge, [[640, 240], [0, 240]], atol=1e-9)


def test_a_lens_is_fitted_to_what_it_saw() -> None:
    """Exactly where 2D is a projection; refused where it cannot be one."""
    camera = Camera(np.array([[1100.0, 0, 640], [0, 1080.0, 355], [0, 0, 1]]))
    xyz = np.random.default_rng(0).uniform((-1, -1, 2), (1, 1, 6), (4, 17, 3))
    xy = camera.project(xyz)
    np.testing.assert_allclose(Camera.fitted(xy, xyz).matrix, camera.matrix, atol=1e-9)
    rough = Camera.fitted(xy + np.random.default_rng(1).normal(0, 1, xy.shape), xyz)
    np.testing.assert_allclose(rough.matrix, camera.matrix, atol=3)
    with pytest.raises(MareyError, match="before the camera"):
        Camera.fitted(xy, xyz * [1, 1, -1])
    with pytest.raises(MareyError, match="no lens"):
        Camera.fitted(xy * [1, -1], xyz)
