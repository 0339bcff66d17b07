"""OKS and keypoint AP against pycocotools and faster-coco-eval, and the properties any measure must have."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import TypeCheckError

from marey.core.errors import DataError
from marey.core.skeletons import COCO17, CROWDPOSE14, mirrored
from marey.metrics import oks
from marey.metrics.matching import figures
from metrics.coco_scenes import (
    CROWD_NAMES,
    KEYPOINT_NAMES,
    faster,
    faster_crowd,
    keypoint_images,
    keypoint_scene,
    pycocotools,
)

SIGMAS = np.array(COCO17.sigmas)


@pytest.mark.parametrize("seed", range(4))
def test_equals_pycocotools(seed: int):
    scene = keypoint_scene(seed)
    mine = oks.evaluate(keypoint_images(scene))
    np.testing.assert_allclose([mine[k] for k in KEYPOINT_NAMES], pycocotools(scene, "keypoints"), atol=1e-9)


def test_equals_faster_coco_eval():
    scene = keypoint_scene(9)
    mine = oks.evaluate(keypoint_images(scene))
    np.testing.assert_allclose([mine[k] for k in KEYPOINT_NAMES], faster(scene, "keypoints"), atol=1e-9)


@pytest.mark.parametrize("seed", range(2))
def test_crowdpose_equals_faster_coco_eval(seed: int):
    scene = keypoint_scene(seed, CROWDPOSE14)
    index = np.array([image["crowdIndex"] for image in scene[0]["images"]])
    mine = oks.crowded(keypoint_images(scene, CROWDPOSE14, boxed=True), index)
    theirs = faster_crowd(scene, np.array(CROWDPOSE14.sigmas))
    np.testing.assert_allclose([mine[k] for k in CROWD_NAMES], theirs, atol=1e-9)


def test_a_band_without_pictures_has_no_value():
    xy, people = simple()
    values = oks.crowded([oks.image(xy, np.ones(2), people, SIGMAS)], np.array([0.2]))
    assert values["AP_medium"] == pytest.approx(1)
    assert np.isnan([values["AP_easy"], values["AP_hard"]]).all()


def test_weights_repeat_images():
    scene = keypoint_scene(3)
    for k, result in enumerate(scene[1]):
        result["score"] = 1 / (k + 1)
    images = keypoint_images(scene)
    repeats = np.random.default_rng(0).multinomial(len(images), np.ones(len(images)) / len(images))
    spelt_out = [image for image, n in zip(images, repeats, strict=True) for _ in range(n)]
    weighted = figures(oks.by_area(images), repeats.astype(float))
    # Spelt out, an estimate that is repeated passes through the recalls in between.
    for name, value in oks.evaluate(spelt_out).items():
        assert weighted[name] == pytest.approx(value, abs=0.01)


def test_a_draw_of_one_band_only_says_nothing_of_the_others():
    """Two images, one easy, one hard: drawn without the hard one, AP_hard is not 0 but unknown."""
    xy, people = simple()
    images = [oks.image(xy, np.ones(2), people, SIGMAS)] * 2
    held = figures(oks.by_crowding(images, np.array([0.1, 0.9])), np.array([2.0, 0.0]))
    assert held["AP"] == held["AP_easy"] == pytest.approx(1)
    assert np.isnan(held["AP_hard"])
    assert np.isnan(held["AP_medium"])


def simple(people: int = 2) -> tuple[np.ndarray, oks.People]:
    rng = np.random.default_rng(people)
    xy = rng.uniform(0, 100, (people, 17, 2)) + np.arange(people)[:, None, None] * 150
    boxes = np.concatenate([xy.min(1), xy.max(1)], 1)
    labelled = np.ones((people, 17), bool)
    return xy, oks.People(xy, labelled, boxes, np.full(people, 9000.0), np.zeros(people, bool))


def test_perfect_and_empty():
    xy, people = simple()
    assert oks.evaluate([oks.image(xy, np.ones(2), people, SIGMAS)])["AP"] == pytest.approx(1)
    assert oks.evaluate([oks.image(xy[:0], np.ones(0), people, SIGMAS)])["AP"] == 0
    assert np.isnan(oks.evaluate([oks.image(xy[:0], np.ones(0), simple(0)[1], SIGMAS)])["AP"])


def test_one_person_found_twice_counts_once():
    xy, people = simple(1)
    twice = np.concatenate([xy, xy])
    matches = oks.image(twice, np.array([0.9, 0.8]), people, SIGMAS)["all"]
    assert matches.right.sum(1).tolist() == [1] * 10
    assert matches.counts.all()


def test_missing_joints_are_misses():
    xy, people = simple(1)
    half = xy.copy()
    half[:, :8] = np.nan
    np.testing.assert_allclose(oks.oks(half, people, SIGMAS), [[9 / 17]])


def test_people_without_joints_excuse_what_is_near():
    xy, people = simple(1)
    nobody = oks.People(people.xy, np.zeros((1, 17), bool), people.boxes, people.areas, people.crowd)
    matches = oks.image(xy, np.ones(1), nobody, SIGMAS)["all"]
    assert matches.truths == 0
    assert not matches.counts.any()


def test_scaling_picture_and_areas_changes_nothing():
    xy, people = simple(2)
    moved = xy + np.random.default_rng(0).normal(0, 5, xy.shape)
    bigger = oks.People(people.xy * 3, people.labelled, people.boxes * 3, people.areas * 9, people.crowd)
    np.testing.assert_allclose(oks.oks(moved * 3, bigger, SIGMAS), oks.oks(moved, people, SIGMAS))


@given(st.permutations(range(4)), st.floats(-500, 500), st.integers(0, 2**31))
def test_order_and_place_of_people_do_not_matter(order: list[int], shift: float, seed: int):
    rng = np.random.default_rng(seed)
    xy, people = simple(4)
    guess, scores = xy + rng.normal(0, 8, xy.shape), rng.permutation(4) / 4
    other = oks.People(
        people.xy[order] + shift, people.labelled, people.boxes[order] + shift, people.areas, people.crowd
    )
    plain = oks.evaluate([oks.image(guess, scores, people, SIGMAS)])
    moved = oks.evaluate([oks.image(guess[order] + shift, scores[order], other, SIGMAS)])
    assert moved == pytest.approx(plain, nan_ok=True)


def test_mirrored_sides_are_wrong():
    xy, people = simple(1)
    sides = list(mirrored(COCO17))
    middle = sum(k == side for k, side in enumerate(sides))
    assert oks.oks(xy[:, sides], people, SIGMAS)[0, 0] < (middle + 3) / 17


def test_other_joints_are_refused():
    xy, people = simple(2)
    with pytest.raises((DataError, TypeCheckError), match=r"convert both to one skeleton|sigmas"):
        oks.oks(xy[:, :14], people, SIGMAS)
