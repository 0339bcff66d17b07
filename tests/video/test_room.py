"""The room beside the overlay: up is up, the ground lies under feet, everybody fits."""

import numpy as np

from marey.core.skeletons import COCO17
from marey.video.draw import LEFT, RIGHT
from marey.video.room import draw_room, room

SIZE = (400, 300)
IDS = np.array([1])
PLACES = {
    "nose": (0, 1.6, 0.1), "eye": (0.03, 1.62, 0.09), "ear": (0.07, 1.6, 0), "shoulder": (0.18, 1.4, 0),
    "elbow": (0.25, 1.1, 0), "wrist": (0.3, 0.85, 0.05), "hip": (0.1, 0.9, 0), "knee": (0.12, 0.5, 0.05),
    "ankle": (0.12, 0.07, 0),
}  # fmt: skip


def person(x: float = 0.0, z: float = -5.0) -> np.ndarray:
    """Somebody who looks at the filming camera: the person's left is on the picture's right."""
    out = []
    for joint in COCO17.joints:
        side, _, part = joint.rpartition("_")
        px, y, pz = PLACES[part]
        out.append((-px if side == "right" else px, y, pz))
    return (np.array(out) + np.array([x, 0, z]))[None].astype(np.float32)


def test_everybody_fits_and_up_is_up() -> None:
    walk = np.concatenate([person(x, z) for x, z in ((-3, -5), (0, -6), (4, -9))])
    seen = room(SIZE, walk)
    xy = seen.camera.project(walk.astype(np.float64))
    assert (xy > 0).all()
    assert (xy < SIZE).all()
    nose, ankle = COCO17.index("nose"), COCO17.index("left_ankle")
    assert (xy[:, nose, 1] < xy[:, ankle, 1]).all()
    shoulders = [COCO17.index(f"{side}_shoulder") for side in ("left", "right")]
    assert (xy[:, shoulders[0], 0] > xy[:, shoulders[1], 0]).all()  # turned, but not to the other side
    tall = np.ptp(xy[..., 1], axis=1)
    assert tall.max() > 0.15 * SIZE[1]


def test_sides_have_their_colours_and_shadows_lie_on_the_ground() -> None:
    one = person()
    seen = room(SIZE, one)
    before = seen.empty.copy()
    out = draw_room(seen, one, IDS, COCO17)
    np.testing.assert_array_equal(seen.empty, before)
    for side, colour in (("left", LEFT), ("right", RIGHT)):
        joints = [COCO17.index(f"{side}_{part}") for part in ("knee", "ankle")]
        x, y = seen.camera.project(one[0, joints].mean(0, keepdims=True).astype(np.float64))[0].astype(int)
        near = out[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3).astype(int)
        assert np.abs(near - colour).max(1).min() < 40
    lifted = one + np.array([0, 1, 0], np.float32)
    up = draw_room(room(SIZE, np.concatenate([one, lifted])), lifted, IDS, COCO17)
    assert (up.max(-1) < 26).sum() > 20  # the shadow, darker than wall and lines


def test_missing_joints_and_nobody_are_left_out() -> None:
    one = person()
    seen = room(SIZE, one)
    gone = np.full_like(one, np.nan)
    np.testing.assert_array_equal(draw_room(seen, gone, IDS, COCO17), seen.empty)
    nobody = room(SIZE, np.zeros((0, 17, 3), np.float32))
    assert nobody.empty.shape == (300, 400, 3)
    armless = one.copy()
    armless[0, COCO17.index("left_wrist")] = np.nan
    assert (draw_room(seen, armless, IDS, COCO17) != draw_room(seen, one, IDS, COCO17)).any()


def test_one_wild_frame_makes_nobody_small() -> None:
    many = np.repeat(person(), 300, 0)
    wild = many.copy()
    wild[7] += 500
    tall = [
        np.ptp(room(SIZE, held).camera.project(person().astype(np.float64))[0, :, 1]) for held in (many, wild)
    ]
    assert tall[1] > 0.95 * tall[0]
