"""Forward kinematics against hand-placed arms and against SciPy's rotations, joint by joint."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from marey.core.errors import MareyError
from marey.core.kinematics import (
    axis_rotations,
    euler_rotations,
    forward,
    swings,
    world_rotations,
    zxy_angles,
)


@pytest.mark.parametrize(("axis", "start", "end"), [("x", 1, 2), ("y", 2, 0), ("z", 0, 1)])
def test_a_quarter_turn_is_right_handed(axis: str, start: int, end: int):
    turned = axis_rotations(axis, np.array(np.pi / 2)) @ np.eye(3)[start]
    np.testing.assert_allclose(turned, np.eye(3)[end], atol=1e-12)


@given(st.integers(0, 2**32 - 1), st.permutations("xyz"))
def test_euler_angles_agree_with_scipy(seed: int, axes: list[str]):
    angles = np.random.default_rng(seed).uniform(-4, 4, (5, 3))
    order = "".join(axes)
    # SciPy's upper case is intrinsic: the product in the order written.
    expected = Rotation.from_euler(order.upper(), angles).as_matrix()
    np.testing.assert_allclose(euler_rotations(order, angles), expected, atol=1e-12)


def test_a_bent_arm_by_hand():
    """Upper arm along x, forearm along x; a quarter turn about z at each bends both to the left."""
    turn = axis_rotations("z", np.full((1, 3), np.pi / 2))
    offsets = np.array([[9.0, 9, 9], [2, 0, 0], [1, 0, 0]])
    placed = forward(turn, np.array([[1.0, 1, 1]]), offsets, (-1, 0, 1))
    np.testing.assert_allclose(placed[0], [[1, 1, 1], [1, 3, 1], [0, 3, 1]], atol=1e-12)


def _tree(rng: np.random.Generator, joints: int) -> list[int]:
    return [-1, *(int(rng.integers(0, j)) for j in range(1, joints))]


@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_forward_equals_the_recursion(seed: int, joints: int):
    rng = np.random.default_rng(seed)
    parents, offsets = _tree(rng, joints), rng.normal(size=(joints, 3))
    local = Rotation.random(3 * joints, random_state=seed).as_matrix().reshape(3, joints, 3, 3)
    root = rng.normal(size=(3, 3))

    def place(t: int, j: int) -> np.ndarray:
        """The chain from the joint up, as homogeneous matrices."""
        matrix = np.eye(4)
        matrix[:3, :3] = local[t, j]
        matrix[:3, 3] = root[t] if j == 0 else offsets[j]
        return matrix if j == 0 else place(t, parents[j]) @ matrix

    expected = np.array([[place(t, j) for j in range(joints)] for t in range(3)])
    np.testing.assert_allclose(forward(local, root, offsets, parents), expected[..., :3, 3], atol=1e-10)
    np.testing.assert_allclose(world_rotations(local, parents), expected[..., :3, :3], atol=1e-10)
    each = np.broadcast_to(offsets, (3, joints, 3))
    np.testing.assert_array_equal(forward(local, root, each, parents), forward(local, root, offsets, parents))


@given(st.integers(0, 2**32 - 1))
def test_bones_keep_their_lengths(seed: int):
    rng = np.random.default_rng(seed)
    parents, offsets = _tree(rng, 6), rng.normal(size=(6, 3))
    local = Rotation.random(24, random_state=seed).as_matrix().reshape(4, 6, 3, 3)
    placed = forward(local, rng.normal(size=(4, 3)), offsets, parents)
    lengths = np.linalg.norm(placed[:, 1:] - placed[:, parents[1:]], axis=-1)
    np.testing.assert_allclose(lengths, np.broadcast_to(np.linalg.norm(offsets[1:], axis=-1), (4, 5)))


@pytest.mark.parametrize("parents", [(0, 0), (-1, 1), (-1, 2, 0), (-1, -1)])
def test_a_tree_out_of_order_is_refused(parents: tuple[int, ...]):
    count = len(parents)
    with pytest.raises(MareyError, match="parents before children"):
        forward(np.zeros((1, count, 3, 3)), np.zeros((1, 3)), np.zeros((count, 3)), parents)


@given(st.integers(0, 2**32 - 1))
def test_swings_point_where_they_should_by_the_shortest_way(seed: int):
    rng = np.random.default_rng(seed)
    rest, vectors = rng.normal(0, 1, 3), rng.normal(0, 1, (6, 3))
    turns = swings(rest, vectors)
    unit, wanted = rest / np.linalg.norm(rest), vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    np.testing.assert_allclose(turns @ unit, wanted, atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(turns), 1)
    between = np.arctan2(np.linalg.norm(np.cross(unit, wanted), axis=-1), wanted @ unit)
    np.testing.assert_allclose(Rotation.from_matrix(turns).magnitude(), between, atol=1e-7)


@pytest.mark.parametrize("rest", [(1.0, 0, 0), (0, -1.0, 0), (0, 0.8, 0.6)])
def test_swings_where_the_way_is_open(rest: tuple[float, float, float]):
    start = np.array(rest)
    nowhere, back, nearly = swings(start, np.stack([0 * start, -2 * start, -start + 1e-7]))
    np.testing.assert_allclose(nowhere, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(back @ start, -start, atol=1e-12)
    for turn in (back, nearly):
        np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(turn) == pytest.approx(1)


@given(st.integers(0, 2**32 - 1), st.sampled_from([None, 0.5, -0.5]))
def test_zxy_angles_lead_back(seed: int, pole: float | None):
    angles = np.random.default_rng(seed).uniform(-3, 3, (5, 3))
    if pole is not None:
        angles[:, 1] = pole * np.pi
    turns = euler_rotations("zxy", angles)
    found = zxy_angles(turns)
    assert np.abs(found[:, 1]).max() <= np.pi / 2
    np.testing.assert_allclose(euler_rotations("zxy", found), turns, atol=1e-8)
