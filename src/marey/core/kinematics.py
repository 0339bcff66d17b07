"""Kinematics: joint rotations and bone offsets to positions, and what leads back.

Conventions: a skeleton is a tree whose parents come before their children (−1: the root). `rotations` are
local: they turn a joint's frame into its parent's (the root's into the world's), column vectors. A joint's
offset is its place in its parent's frame. Lengths keep the unit they come in; angles are radians.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from marey.core.errors import MareyError


def forward(
    rotations: Float[np.ndarray, "T J 3 3"],
    root: Float[np.ndarray, "T 3"],
    offsets: Float[np.ndarray, "*N J 3"],
    parents: Sequence[int],
) -> Float[np.ndarray, "T J 3"]:
    """Positions of all joints in the world.

    Parameters
    ----------
    rotations : local rotations
    root : the root's position; the root's own offset is not added
    offsets : one set of bones (J, 3), or one for each frame (T, J, 3)
    parents : the parent of each joint, −1 for the root, which comes first

    Raises
    ------
    MareyError
        where a parent does not come before its child.
    """
    world = world_rotations(rotations, parents)
    offsets = np.broadcast_to(offsets, (*world.shape[:2], 3))
    positions = np.empty_like(world[..., 0])
    positions[:, 0] = root
    for j, parent in enumerate(parents):
        if parent >= 0:
            positions[:, j] = positions[:, parent] + (world[:, parent] @ offsets[:, j, :, None])[..., 0]
    return positions


def world_rotations(
    rotations: Float[np.ndarray, "T J 3 3"], parents: Sequence[int]
) -> Float[np.ndarray, "T J 3 3"]:
    """Rotations from each joint's frame to the world: the product of its ancestors' and its own.

    Raises
    ------
    MareyError
        where a parent does not come before its child.
    """
    check_parents(parents)
    world = rotations.copy()
    for j, parent in enumerate(parents):
        if parent >= 0:
            world[:, j] = world[:, parent] @ rotations[:, j]
    return world


def check_parents(parents: Sequence[int]) -> None:
    """Refuse a tree whose parents do not come before their children, or with more than one root."""
    for j, parent in enumerate(parents):
        if (parent != -1) if j == 0 else not 0 <= parent < j:
            raise MareyError(
                f"joint {j} has parent {parent}; the root (−1) comes first, parents before children"
            )


def axis_rotations(axis: str, angles: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N 3 3"]:
    """Right-handed rotations about the axis `x`, `y` or `z` by angles in radians."""
    first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrices = np.zeros((*angles.shape, 3, 3), angles.dtype)
    matrices[..., range(3), range(3)] = 1
    matrices[..., first, first] = matrices[..., second, second] = np.cos(angles)
    matrices[..., second, first] = np.sin(angles)
    matrices[..., first, second] = -matrices[..., second, first]
    return matrices


def euler_rotations(axes: str, angles: Float[np.ndarray, "*N K"]) -> Float[np.ndarray, "*N 3 3"]:
    """The product of rotations about `axes`, multiplied in the order written: `zyx` is Rz · Ry · Rx."""
    matrices = np.broadcast_to(np.eye(3, dtype=angles.dtype), (*angles.shape[:-1], 3, 3))
    for k, axis in enumerate(axes):
        matrices = matrices @ axis_rotations(axis, angles[..., k])
    return matrices.copy()


def swings(rest: Float[np.ndarray, " 3"], vectors: Float[np.ndarray, "*N 3"]) -> Float[np.ndarray, "*N 3 3"]:
    """The smallest rotations that point `rest` along `vectors`; they have no twist about `rest`.

    Each is two half turns, about `rest` and about the direction halfway. Opposite directions, which leave the
    axis open, turn about one at right angles to `rest`; a vector of no length leaves it where it is.
    """
    start = rest / np.linalg.norm(rest)
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    halfway = start + np.where(length > 0, vectors / np.where(length > 0, length, 1), start)
    size = np.linalg.norm(halfway, axis=-1, keepdims=True)
    aside = np.cross(start, np.eye(3)[np.abs(start).argmin()])
    halfway = np.where(size > 1e-9, halfway / np.maximum(size, 1e-9), aside / np.linalg.norm(aside))
    half_turns = 2 * halfway[..., :, None] * halfway[..., None, :] - np.eye(3)
    return half_turns @ (2 * np.outer(start, start) - np.eye(3))


def zxy_angles(rotations: Float[np.ndarray, "*N 3 3"]) -> Float[np.ndarray, "*N 3"]:
    """The angles z, x, y in radians of rotations Rz · Rx · Ry: the inverse of `euler_rotations("zxy", …)`.

    x lies within ±π/2; there z and y turn about one axis, and y is 0.
    """
    across = np.hypot(rotations[..., 0, 1], rotations[..., 1, 1])
    x = np.arctan2(rotations[..., 2, 1], across)
    free = across > 1e-9
    z = np.where(
        free,
        np.arctan2(-rotations[..., 0, 1], rotations[..., 1, 1]),
        np.arctan2(rotations[..., 1, 0], rotations[..., 0, 0]),
    )
    y = np.where(free, np.arctan2(-rotations[..., 2, 0], rotations[..., 2, 2]), 0)
    return np.stack([z, x, y], -1)
