import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_np

from marey.core.skeletons import COCO17, LSP14, MAREY19, Skeleton
from marey.video.draw import LEFT, RIGHT, draw_boxes, draw_poses, id_colour

NONE = np.full(1, -1, np.int64)
PLACES = {
    "nose": (0, -0.42), "left_eye": (0.02, -0.44), "right_eye": (-0.02, -0.44), "left_ear": (0.04, -0.43),
    "right_ear": (-0.04, -0.43), "left_shoulder": (0.1, -0.32), "right_shoulder": (-0.1, -0.32),
    "left_elbow": (0.16, -0.17), "right_elbow": (-0.16, -0.17), "left_wrist": (0.2, -0.02),
    "right_wrist": (-0.2, -0.02), "left_hip": (0.06, 0), "right_hip": (-0.06, 0), "left_knee": (0.08, 0.24),
    "right_knee": (-0.08, 0.24), "left_ankle": (0.08, 0.46), "right_ankle": (-0.08, 0.46), "neck": (0, -0.33),
    "head_top": (0, -0.52),
}  # fmt: skip


def person(centre: tuple[float, float], height: float, skeleton: Skeleton = MAREY19) -> np.ndarray:
    places = np.array([PLACES[joint] for joint in skeleton.joints])
    return (np.array(centre) + height * places).astype(np.float32)[None]


def grey(size: tuple[int, int] = (400, 300)) -> np.ndarray:
    return np.full((size[1], size[0], 3), 120, np.uint8)


def drawn(
    xy: np.ndarray, score: float | np.ndarray = 1.0, ids: np.ndarray = NONE, rgb: np.ndarray | None = None
) -> np.ndarray:
    scores = np.broadcast_to(np.asarray(score, np.float32), xy.shape[:2]).copy()
    return draw_poses(grey() if rgb is None else rgb, xy, scores, ids, MAREY19)


def at(rgb: np.ndarray, xy: np.ndarray) -> np.ndarray:
    return rgb[int(xy[1]), int(xy[0])].astype(int)


def test_sides_have_their_colours() -> None:
    xy = person((200, 150), 250)
    out = drawn(xy)
    for side, colour in (("left", LEFT), ("right", RIGHT)):
        for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("shoulder", "hip")):
            middle = (xy[0, MAREY19.index(f"{side}_{a}")] + xy[0, MAREY19.index(f"{side}_{b}")]) / 2
            assert np.abs(at(out, middle) - colour).max() < 40


def test_the_picture_given_is_left_alone_and_only_the_people_change() -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8)
    before = rgb.copy()
    xy = person((200, 150), 200)
    out = drawn(xy, rgb=rgb)
    np.testing.assert_array_equal(rgb, before)
    changed = np.argwhere((out != rgb).any(-1))[:, ::-1]
    assert len(changed) > 500
    assert (changed >= xy[0].min(0) - 12).all()
    assert (changed <= xy[0].max(0) + 12).all()


def test_half_a_pixel_is_where_it_should_be() -> None:
    skeleton = Skeleton("dot", ("nose",), (), ())
    for x, y in ((50.5, 40.5), (50.0, 41.0), (50.25, 40.75)):
        out = draw_poses(
            grey((100, 80)), np.array([[[x, y]]], np.float32), np.ones((1, 1), np.float32), NONE, skeleton
        )
        weight = np.abs(out.astype(int) - 120).sum(-1)
        ys, xs = np.mgrid[:80, :100] + 0.5  # edge-based: the centre of pixel k is k + ½
        centre = (weight * xs).sum() / weight.sum(), (weight * ys).sum() / weight.sum()
        np.testing.assert_allclose(centre, (x, y), atol=0.15)


def test_opacity_grows_with_the_score_and_the_threshold_hides() -> None:
    xy = person((200, 150), 250)
    middle = xy[0, [MAREY19.index("left_hip"), MAREY19.index("left_knee")]].mean(0)
    change = [np.abs(at(drawn(xy, score), middle) - 120).sum() for score in (0.0, 0.29, 0.3, 0.6, 1.0)]
    assert change[0] == change[1] == 0
    assert 0 < change[2] < change[3] < change[4]
    np.testing.assert_array_equal(drawn(xy, np.nan), grey())


def test_a_limb_needs_both_ends() -> None:
    xy = person((200, 150), 250)
    knee, ankle = MAREY19.index("left_knee"), MAREY19.index("left_ankle")
    middle = xy[0, [knee, ankle]].mean(0)
    gone = xy.copy()
    gone[0, ankle] = np.nan
    assert (at(drawn(gone), middle) == 120).all()
    assert (at(drawn(gone), xy[0, knee]) != 120).any()


def test_strokes_grow_with_the_person() -> None:
    def stroke(height: float) -> int:
        xy = person((400, 400), height)
        middle = xy[0, [MAREY19.index("left_hip"), MAREY19.index("left_knee")]].mean(0)
        row = drawn(xy, rgb=grey((800, 800)))[int(middle[1]), 400 : int(middle[0]) + 30]
        return int((row != 120).any(-1).sum())

    assert stroke(60) < stroke(250) < stroke(700)


def test_the_id_is_written_above_the_head_and_stays_in_the_picture() -> None:
    xy = person((200, 170), 200)
    plain, named = drawn(xy), drawn(xy, ids=np.array([3]))
    where = np.argwhere((plain != named).any(-1))
    assert len(where) > 50
    assert where[:, 0].max() < xy[0, :, 1].min()
    assert np.abs(named[tuple(where[len(where) // 2])].astype(int) - 120).max() > 30
    high = drawn(person((200, 60), 200), ids=np.array([12]))
    assert (high[:20] != 120).any()
    assert len({id_colour(k) for k in range(1, 9)}) == 8


@pytest.mark.parametrize("skeleton", [COCO17, LSP14, MAREY19])
def test_every_skeleton_is_drawn(skeleton: Skeleton) -> None:
    xy = person((200, 150), 250, skeleton)
    out = draw_poses(grey(), xy, np.ones(xy.shape[:2], np.float32), np.array([1]), skeleton)
    for place in xy[0]:
        assert (at(out, place) != 120).any()


NUMBERS = st.floats(-1e9, 1e9, width=32) | st.floats(-50, 150, width=32) | st.just(np.nan)


@given(
    st_np.arrays(np.float32, (3, 19, 2), elements=NUMBERS),
    st_np.arrays(np.float32, (3, 19), elements=st.floats(0, 1, width=32) | st.just(np.nan)),
    st.tuples(st.integers(1, 90), st.integers(1, 90)),
)
def test_nothing_measured_breaks_it(xy: np.ndarray, scores: np.ndarray, size: tuple[int, int]) -> None:
    out = draw_poses(grey(size), xy, scores, np.array([1, 2, -1]), MAREY19)
    assert out.shape == (size[1], size[0], 3)
    assert out.dtype == np.uint8


def test_nobody_leaves_the_picture_as_it_is() -> None:
    none = np.zeros((0, 19, 2), np.float32), np.zeros((0, 19), np.float32), np.zeros(0, np.int64)
    np.testing.assert_array_equal(draw_poses(grey(), *none, MAREY19), grey())


def test_boxes_and_their_names() -> None:
    boxes = np.array([[50, 60, 150, 200], [np.nan] * 4], np.float32)
    out = draw_boxes(grey(), boxes, np.array([2, -1]))
    assert np.abs(out[130, 50].astype(int) - id_colour(2)).max() < 60
    assert (out[100:180, 60:140] == 120).all()
    named = draw_boxes(grey(), boxes, np.array([2, -1]), ["dog"])
    assert (named != out).any()
