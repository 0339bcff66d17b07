"""Triangulation against OpenCV and by hand: true places, outliers, directions that are off."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marey.core.cameras import Camera
from marey.core.kinematics import euler_rotations
from marey.core.views import agreed, errors_px, left_out_px, triangulated, turned

MATRIX = np.array([[1680.0, 0.0, 540.0], [0.0, 1680.0, 960.0], [0.0, 0.0, 1.0]])
LENS = np.array([-0.046, 0.14, 6e-4, 7e-4, 0.0])


def ring(count: int = 4, lens: np.ndarray = LENS) -> list[Camera]:
    """Cameras 4 m from the origin at equal angles, looking at it, Z up."""
    cameras = []
    for angle in 2 * np.pi * np.arange(count) / count + 0.3:
        place = np.array([4 * np.cos(angle), 4 * np.sin(angle), 1.5])
        ahead = -place / np.linalg.norm(place)
        right = np.cross(ahead, [0, 0, 1.0])
        right /= np.linalg.norm(right)
        rotation = np.stack([right, np.cross(ahead, right), ahead])
        cameras.append(Camera(MATRIX, rotation, -rotation @ place, lens))
    return cameras


def scene(seed: int, cameras: list[Camera], count: int = 60, noise: float = 0.0):
    rng = np.random.default_rng(seed)
    xyz = rng.uniform(-0.8, 0.8, (count, 3))
    xy = np.stack([camera.project(xyz) for camera in cameras])
    return xyz, xy + rng.normal(0, noise, xy.shape) if noise else xy


@settings(max_examples=15)
@given(st.integers(0, 1000), st.integers(2, 5))
def test_points_without_noise_come_back(seed: int, count: int) -> None:
    cameras = ring(count)
    xyz, xy = scene(seed, cameras)
    np.testing.assert_allclose(triangulated(cameras, xy, np.ones(xy.shape[:2])), xyz, atol=1e-5)


def test_two_views_agree_with_opencv() -> None:
    cameras = ring(3, np.zeros(5))[:2]
    _, xy = scene(1, cameras, noise=2.0)
    matrices = [c.matrix @ np.column_stack([c.rotation, c.translation]) for c in cameras]
    theirs = cv2.triangulatePoints(*matrices, xy[0].T, xy[1].T)
    ours = triangulated(cameras, xy, np.ones(xy.shape[:2]))
    # OpenCV stops at the linear solution: ours is as near or nearer in pixels, and within the noise.
    linear = (theirs[:3] / theirs[3]).T
    np.testing.assert_allclose(ours, linear, atol=4e-3)
    squares = [(errors_px(cameras, xy, points) ** 2).sum(0) for points in (ours, linear)]
    assert (squares[0] <= squares[1] + 1e-9).all()


def test_the_polish_reaches_the_least_squares() -> None:
    from scipy.optimize import least_squares

    cameras = ring()
    _, xy = scene(2, cameras, count=3, noise=5.0)
    weights = np.random.default_rng(0).uniform(0.2, 1, xy.shape[:2])
    ours = triangulated(cameras, xy, weights)
    for k in range(3):

        def off(point: np.ndarray, k: int = k) -> np.ndarray:
            shown = np.stack([camera.project(point) for camera in cameras])
            return (weights[:, k, None] * (shown - xy[:, k])).ravel()

        best = least_squares(off, ours[k], xtol=1e-12, ftol=1e-12)
        assert np.linalg.norm(best.x - ours[k]) < 2e-4
        assert (off(ours[k]) ** 2).sum() < 2 * best.cost * 1.001


def test_weights_count() -> None:
    cameras = ring()
    xyz, xy = scene(3, cameras)
    xy[0] += 30.0
    even, weak = np.ones(xy.shape[:2]), np.ones(xy.shape[:2])
    weak[0] = 0.01
    far = [np.linalg.norm(triangulated(cameras, xy, w) - xyz, axis=1).mean() for w in (even, weak)]
    assert far[1] < far[0] / 20


def test_missing_views_and_points() -> None:
    cameras = ring()
    xyz, xy = scene(4, cameras, count=4)
    xy[:2, 0], xy[:3, 1], xy[:, 2] = np.nan, np.nan, np.nan
    found = triangulated(cameras, xy, np.ones(xy.shape[:2]))
    np.testing.assert_allclose(found[[0, 3]], xyz[[0, 3]], atol=1e-5)
    assert np.isnan(found[1:3]).all()
    points = agreed(cameras, xy, np.ones(xy.shape[:2]), 5.0)
    np.testing.assert_array_equal(points.used.sum(0), [2, 0, 0, 4])


def test_a_view_that_is_off_is_left_out() -> None:
    cameras = ring()
    xyz, xy = scene(5, cameras, noise=1.0)
    wrong = np.random.default_rng(5).integers(0, 4, len(xyz))
    xy[wrong, np.arange(len(xyz))] += 120.0
    points = agreed(cameras, xy, np.ones(xy.shape[:2]), 10.0)
    assert (~points.used[wrong, np.arange(len(xyz))]).all()
    assert (points.used.sum(0) == 3).all()
    assert np.linalg.norm(points.xyz - xyz, axis=1).max() < 0.01
    assert np.isnan(points.errors_px[wrong, np.arange(len(xyz))]).all()


def test_nobody_is_left_out_where_all_agree() -> None:
    cameras = ring()
    _, xy = scene(6, cameras, noise=1.0)
    points = agreed(cameras, xy, np.ones(xy.shape[:2]), 10.0)
    assert points.used.all()
    assert np.nanmax(points.errors_px) < 10


def test_two_views_that_disagree_give_no_point() -> None:
    cameras = ring(3)[:2]
    _, xy = scene(7, cameras, count=1)
    xy[0, 0, 1] += 200.0  # off the line that the other camera sees
    points = agreed(cameras, xy, np.ones((2, 1)), 10.0)
    assert np.isnan(points.xyz).all()
    assert not points.used.any()


def test_left_out_is_what_the_others_say() -> None:
    cameras = ring()
    _, xy = scene(8, cameras)
    xy[2, :, 0] += 7.0
    off = left_out_px(cameras, xy, np.ones(xy.shape[:2]), np.ones(xy.shape[:2], bool))
    np.testing.assert_allclose(off[2], 7.0, atol=0.01)  # the other three have no noise
    fit = errors_px(cameras, xy, triangulated(cameras, xy, np.ones(xy.shape[:2])))
    assert (fit[2] < off[2]).all()
    two = np.ones(xy.shape[:2], bool)
    two[2:] = False
    assert np.isnan(left_out_px(cameras, xy, np.ones(xy.shape[:2]), two)).all()


@pytest.mark.parametrize(("noise", "within_m"), [(0.0, 1e-5), (0.5, 0.008)])
def test_directions_that_are_off_are_found(noise: float, within_m: float) -> None:
    cameras = ring()
    xyz, xy = scene(9, cameras, noise=noise)
    rng = np.random.default_rng(9)
    bent = []
    for camera in cameras:
        turn = euler_rotations("xyz", rng.normal(0, np.deg2rad(0.7), 3))
        bent.append(Camera(MATRIX, turn @ camera.rotation, turn @ camera.translation, LENS))
    weights = np.ones(xy.shape[:2])
    assert np.nanmedian(agreed(bent, xy, weights, 200.0).errors_px) > 10
    mended, degrees = turned(bent, xy, weights, 200.0)
    after = agreed(mended, xy, weights, 200.0)
    assert np.median(after.errors_px) < max(1.5 * noise, 1e-3)
    assert np.linalg.norm(after.xyz - xyz, axis=1).max() < within_m
    for one, true, old, angle in zip(mended, cameras, bent, degrees, strict=True):
        np.testing.assert_allclose(one.rotation, true.rotation, atol=within_m)
        place = [-c.rotation.T @ c.translation for c in (one, old)]
        np.testing.assert_allclose(place[0], place[1], atol=1e-9)  # turned about its own centre
        theirs = cv2.Rodrigues(one.rotation @ old.rotation.T)[0]
        assert angle == pytest.approx(np.rad2deg(np.linalg.norm(theirs)), abs=1e-6)


def test_true_directions_stay() -> None:
    cameras = ring()
    _, xy = scene(10, cameras)
    _, degrees = turned(cameras, xy, np.ones(xy.shape[:2]), 50.0)
    assert degrees.max() < 1e-4


def test_a_camera_that_sees_nothing_stays() -> None:
    cameras = ring()
    _, xy = scene(11, cameras, noise=1.0)
    xy[2] = np.nan
    mended, degrees = turned(cameras, xy, np.ones(xy.shape[:2]), 50.0)
    assert degrees[2] < 1e-12
    assert degrees[[0, 1, 3]].min() > 0
    assert all(np.isfinite(camera.rotation).all() for camera in mended)
