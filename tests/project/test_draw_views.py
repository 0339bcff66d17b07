"""The drawing of two skeletons: sides keep their colours, a missing joint leaves no line."""

import draw_views
import numpy as np

from marey.evaluation.by_space import Take
from marey.lifting.windows import H36M, Track


def body() -> np.ndarray:
    """Somebody standing, seen from the front: their left on the picture's right."""
    xyz = np.full((17, 3), np.nan)
    for side, x in (("left", 0.2), ("right", -0.2)):
        for joint, y in (
            ("shoulder", -0.5),
            ("elbow", -0.25),
            ("wrist", 0.0),
            ("hip", 0.0),
            ("knee", 0.4),
            ("foot", 0.8),
        ):
            xyz[H36M.index(f"{side}_{joint}")] = (x, y, 0)
    return xyz


def has(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (np.abs(picture.astype(int) - colour) < 30).all(-1)


def test_left_is_blue_and_right_orange() -> None:
    picture = draw_views.figure(body())
    middle = picture.shape[1] // 2
    left, right = has(picture, draw_views.LEFT), has(picture, draw_views.RIGHT)
    assert left[:, middle:].any()
    assert not left[:, :middle].any()
    assert right[:, :middle].any()
    assert not right[:, middle:].any()


def test_a_missing_joint_leaves_no_line() -> None:
    xyz = body()
    for joint in ("knee", "elbow"):
        xyz[H36M.index(f"left_{joint}")] = np.nan
    assert not has(draw_views.figure(xyz), draw_views.LEFT).any()


def test_a_row_has_four_figures_a_moment() -> None:
    xyz = np.stack([body()] * 5)
    track = Track(np.arange(5) / 30, np.zeros((5, 17, 2)))
    take = Take("cam", "scene", "", track, xyz, 30.0, "camera", "", xyz)
    line = draw_views.row(take, [0, 4])
    width, height = draw_views.CELL
    assert line.shape == (height, 8 * width, 3)
    np.testing.assert_array_equal(line[:-1, : width - 1], line[:-1, width : 2 * width - 1])
