"""Quaternions against rotation matrices and OpenCV's rotation vectors."""

import cv2
import numpy as np

from marey.core.kinematics import axis_rotations
from marey.synth import turns


def some(count: int = 40) -> np.ndarray:
    return turns.unit(np.random.default_rng(4).normal(size=(count, 4)))


def test_about_is_opencvs_rotation_vector():
    rng = np.random.default_rng(0)
    for vector in rng.normal(size=(20, 3)) * 1.5:
        angle = np.linalg.norm(vector)
        found = turns.matrices(turns.about(vector / angle, angle))
        np.testing.assert_allclose(found, cv2.Rodrigues(vector)[0], atol=1e-12)


def test_products_inverses_and_rotated_vectors_are_those_of_matrices():
    a, b = some(), some()[::-1]
    np.testing.assert_allclose(
        turns.matrices(turns.product(a, b)), turns.matrices(a) @ turns.matrices(b), atol=1e-12
    )
    np.testing.assert_allclose(turns.product(a, turns.inverse(a)), np.tile(turns.STILL, (40, 1)), atol=1e-12)
    np.testing.assert_allclose(
        turns.rotated(turns.about(np.eye(3)[1], np.pi / 2), np.eye(3)[2]), np.eye(3)[0], atol=1e-12
    )


def test_matrices_and_back_also_near_half_turns():
    axes = np.concatenate([np.eye(3), turns.rotated(some(20), np.tile([1.0, 0, 0], (20, 1)))])
    held = turns.matrices(turns.about(axes, np.full(len(axes), np.pi - 1e-7)))
    np.testing.assert_allclose(turns.matrices(turns.of_matrices(held)), held, atol=1e-9)
    np.testing.assert_allclose(
        turns.matrices(turns.of_matrices(turns.matrices(some()))), turns.matrices(some()), atol=1e-9
    )


def test_between_lays_one_direction_on_another_and_turns_no_further():
    a, b = np.array([1.0, 0, 0]), np.array([0.0, 3.0, 0])
    found = turns.matrices(turns.between(a, b))
    np.testing.assert_allclose(found, axis_rotations("z", np.array(np.pi / 2)), atol=1e-12)


def test_the_mirror_is_the_reflection_of_matrices():
    reflect = np.diag([-1.0, 1, 1])
    np.testing.assert_allclose(
        turns.matrices(turns.mirrored(some())), reflect @ turns.matrices(some()) @ reflect, atol=1e-12
    )


def test_mixed_goes_the_shorter_way_and_meets_both_ends():
    a = turns.about(np.eye(3)[0], 0.2)
    b = -turns.about(np.eye(3)[0], 1.0)
    np.testing.assert_allclose(
        turns.matrices(turns.mixed(a, b, 0.5)), axis_rotations("x", np.array(0.6)), atol=1e-12
    )
    for share, end in ((0.0, a), (1.0, b)):
        np.testing.assert_allclose(turns.matrices(turns.mixed(a, b, share)), turns.matrices(end), atol=1e-12)
