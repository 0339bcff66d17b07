"""Rotations as unit quaternions w, x, y, z: what motions are blended, warped and mirrored in.

Conventions: column vectors, right-handed; `product(a, b)` turns by b first. Shapes broadcast.
"""

import numpy as np
from jaxtyping import Float

Turns = Float[np.ndarray, "*#N 4"]

STILL = np.array([1.0, 0.0, 0.0, 0.0])


def product(a: Turns, b: Turns) -> Turns:
    """First b, then a."""
    aw, ax, ay, az = np.moveaxis(a, -1, 0)
    bw, bx, by, bz = np.moveaxis(b, -1, 0)
    return np.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        -1,
    )


def inverse(turns: Turns) -> Turns:
    """The way back."""
    return turns * np.array([1.0, -1.0, -1.0, -1.0])


def about(axis: Float[np.ndarray, "*#N 3"], angle: Float[np.ndarray, "*#N"] | float) -> Turns:
    """Turns about unit axes by angles in radians."""
    half = np.asarray(angle, np.float64)[..., None] / 2
    return np.concatenate([np.cos(half) * np.ones_like(axis[..., :1]), np.sin(half) * axis], -1)


def between(a: Float[np.ndarray, "*#N 3"], b: Float[np.ndarray, "*#N 3"]) -> Turns:
    """The smallest turns that take directions a to directions b (not opposite ones)."""
    a = a / np.linalg.norm(a, axis=-1, keepdims=True)
    b = b / np.linalg.norm(b, axis=-1, keepdims=True)
    return unit(np.concatenate([1 + (a * b).sum(-1, keepdims=True), np.cross(a, b)], -1))


def unit(turns: Turns) -> Turns:
    """Scaled to length 1."""
    return turns / np.linalg.norm(turns, axis=-1, keepdims=True)


def mixed(a: Turns, b: Turns, share: Float[np.ndarray, "*#N"] | float) -> Turns:
    """Between a (share 0) and b (share 1), along the shorter way; linear and scaled, near enough to slerp."""
    share = np.asarray(share, np.float64)[..., None]
    same = np.where((a * b).sum(-1, keepdims=True) < 0, -1.0, 1.0)
    return unit(a * (1 - share) + same * b * share)


def matrices(turns: Turns) -> Float[np.ndarray, "*#N 3 3"]:
    """As rotation matrices."""
    w, x, y, z = np.moveaxis(turns, -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, -1) for row in rows], -2)


def of_matrices(held: Float[np.ndarray, "*#N 3 3"]) -> Turns:
    """From rotation matrices, dividing by the largest component (J. Guidance and Control 1(3), 1978)."""
    d = np.einsum("...ii->...i", held)
    trace = d.sum(-1)
    skew = [
        held[..., 2, 1] - held[..., 1, 2],
        held[..., 0, 2] - held[..., 2, 0],
        held[..., 1, 0] - held[..., 0, 1],
    ]
    even = [
        held[..., 2, 1] + held[..., 1, 2],
        held[..., 0, 2] + held[..., 2, 0],
        held[..., 1, 0] + held[..., 0, 1],
    ]
    x, y, z = (1 + 2 * d[..., k] - trace for k in range(3))
    rows = [
        [1 + trace, *skew],
        [skew[0], x, even[2], even[1]],
        [skew[1], even[2], y, even[0]],
        [skew[2], even[1], even[0], z],
    ]
    tables = np.stack([np.stack(row, -1) for row in rows], -2)
    best = np.concatenate([trace[..., None], d], -1).argmax(-1)
    return unit(np.take_along_axis(tables, best[..., None, None], -2)[..., 0, :])


def mirrored(turns: Turns) -> Turns:
    """As seen in a mirror that swaps left and right (x → −x)."""
    return turns * np.array([1.0, 1.0, -1.0, -1.0])


def rotated(turns: Turns, xyz: Float[np.ndarray, "*#N 3"]) -> Float[np.ndarray, "*#N 3"]:
    """Vectors turned."""
    return (matrices(turns) @ xyz[..., None])[..., 0]
