"""Cameras: from the world to pixels and back, with lens distortion.

Conventions: the world is whatever frame `rotation` and `translation` start from; the camera's axes are X to
the right of the picture, Y down, Z ahead (as in OpenCV). Pixels are marey's: the centre of the top-left pixel
is (0.5, 0.5). OpenCV and most calibrations put it at (0, 0): give `Camera.opencv` such a matrix.
"""

from dataclasses import dataclass, field

import numpy as np
from beartype import beartype
from jaxtyping import Float, Float64, jaxtyped  # pyright: ignore[reportUnknownVariableType]

from marey.core.errors import MareyError

UNDISTORT_STEPS = 20
"""Steps of the fixed-point iteration (OpenCV's own does 5, too few for wide lenses)."""


@jaxtyped(typechecker=beartype)
@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera: `matrix` (pixels), `rotation` and `translation` (world to camera), and a lens.

    `distortion` is OpenCV's k1, k2, p1, p2, k3 (Brown 1966; Conrady 1919): radial, tangential.
    """

    matrix: Float64[np.ndarray, "3 3"]
    rotation: Float64[np.ndarray, "3 3"] = field(default_factory=lambda: np.eye(3))
    translation: Float64[np.ndarray, " 3"] = field(default_factory=lambda: np.zeros(3))
    distortion: Float64[np.ndarray, " 5"] = field(default_factory=lambda: np.zeros(5))

    @classmethod
    def opencv(
        cls,
        matrix: Float64[np.ndarray, "3 3"],
        rotation: Float64[np.ndarray, "3 3"],
        translation: Float64[np.ndarray, " 3"],
        distortion: Float64[np.ndarray, " 5"],
    ) -> "Camera":
        """Make a camera from a calibration that puts pixel centres at whole numbers."""
        shifted = matrix.copy()
        shifted[:2, 2] += 0.5
        return cls(shifted, rotation, translation, distortion)

    @classmethod
    def from_view(cls, size: tuple[int, int], angle_deg: float) -> "Camera":
        """Make an ideal camera that sees `angle_deg` from left to right of a picture of `size` (w, h)."""
        width, height = size
        focal = width / 2 / np.tan(np.deg2rad(angle_deg) / 2)
        return cls(np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]]))

    @classmethod
    def fitted(cls, xy: Float[np.ndarray, "*N 2"], xyz: Float[np.ndarray, "*N 3"]) -> "Camera":
        """Make the ideal camera that projects points in its own axes onto pixels best (least squares).

        For sets that give both but no calibration. Raises `MareyError` where points are not ahead, or where
        no camera sees them so.
        """
        if not (np.isfinite(xy).all() and np.isfinite(xyz).all() and (xyz[..., 2] > 0).all()):
            raise MareyError("a lens is fitted to points that are known and lie before the camera")
        matrix = np.eye(3)
        for axis in range(2):
            seen = (xyz[..., axis] / xyz[..., 2]).ravel()
            system = np.stack([seen, np.ones_like(seen)], 1)
            focal, centre = np.linalg.lstsq(system, xy[..., axis].ravel(), rcond=None)[0]
            matrix[axis, axis], matrix[axis, 2] = focal, centre
        if matrix[0, 0] <= 0 or matrix[1, 1] <= 0:
            raise MareyError("no lens projects these points there: 2D and 3D do not belong together")
        return cls(matrix)

    def to_camera(self, world: Float[np.ndarray, "*N 3"]) -> Float[np.ndarray, "*N 3"]:
        """World to camera axes."""
        return world @ self.rotation.T + self.translation

    def to_world(self, xyz: Float[np.ndarray, "*N 3"]) -> Float[np.ndarray, "*N 3"]:
        """Camera axes to world."""
        return (xyz - self.translation) @ self.rotation

    def project(self, world: Float[np.ndarray, "*N 3"]) -> Float[np.ndarray, "*N 2"]:
        """World points to pixels; NaN for points that are not in front of the camera."""
        xyz = self.to_camera(world)
        ahead = np.where(xyz[..., 2:] > 0, xyz[..., 2:], np.nan)
        return _distorted(xyz[..., :2] / ahead, self.distortion) @ self.matrix[:2, :2].T + self.matrix[:2, 2]

    def unproject(
        self, xy: Float[np.ndarray, "*N 2"], depth: Float[np.ndarray, "*N"] | float = 1.0
    ) -> Float[np.ndarray, "*N 3"]:
        """Pixels at depths along the camera's Z to world points."""
        seen = (xy - self.matrix[:2, 2]) @ np.linalg.inv(self.matrix[:2, :2]).T
        flat = _undistorted(seen, self.distortion)
        ahead = np.concatenate([flat, np.ones_like(flat[..., :1])], -1)
        return self.to_world(ahead * np.asarray(depth)[..., None])


def _lens(
    xy: Float[np.ndarray, "*N 2"], distortion: Float64[np.ndarray, " 5"]
) -> tuple[Float[np.ndarray, "*N 1"], Float[np.ndarray, "*N 2"]]:
    """Radial factor and tangential shift at ideal places of the unit plane."""
    k1, k2, p1, p2, k3 = distortion
    x, y = xy[..., 0], xy[..., 1]
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    shift = np.stack([2 * p1 * x * y + p2 * (r2 + 2 * x * x), p1 * (r2 + 2 * y * y) + 2 * p2 * x * y], -1)
    return radial[..., None], shift


def _distorted(
    xy: Float[np.ndarray, "*N 2"], distortion: Float64[np.ndarray, " 5"]
) -> Float[np.ndarray, "*N 2"]:
    radial, shift = _lens(xy, distortion)
    return xy * radial + shift


def _undistorted(
    seen: Float[np.ndarray, "*N 2"], distortion: Float64[np.ndarray, " 5"]
) -> Float[np.ndarray, "*N 2"]:
    """The ideal place whose distorted place is `seen`, by fixed-point iteration as in OpenCV."""
    xy = seen
    for _ in range(UNDISTORT_STEPS):
        radial, shift = _lens(xy, distortion)
        xy = (seen - shift) / radial
    return xy
