"""From a camera's axes to the world's: Y up, Z towards the viewer, the ground at 0.

Pitch is above 0 where the camera looks up, roll where its right side is higher; both 0 is a level camera.
Where neither is given they follow from the ground that feet stand on, if the video shows enough of it.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from marey.core.kinematics import axis_rotations
from marey.lifting.windows import H36M

LEVEL = np.diag([1.0, -1.0, -1.0])
FEET = [H36M.index("left_foot"), H36M.index("right_foot")]
STILL_M_S = 0.25
"""An ankle slower than this stands (our choice; a walking one swings at 3 to 4 m/s)."""
SPAN_M, DEPTH_M = 1.0, 0.5
"""Ground that contacts must cover, along and across, for a plane to be fitted (our choice)."""
STEEPEST_DEG = 60.0
LEAST_CONTACTS = 20
ANKLE = 0.039
"""Height of an ankle above the ground, in statures (Winter 2009, table 4.1)."""


@dataclass(frozen=True, slots=True)
class World:
    """`turn` leads from camera axes to the world's; `source` says in one line where it comes from."""

    turn: Float64[np.ndarray, "3 3"]
    source: str


def given(pitch_deg: float | None, roll_deg: float | None) -> World | None:
    """The world of a camera of known pitch and roll (the one left out is 0); None where neither is known."""
    if pitch_deg is None and roll_deg is None:
        return None
    pitch, roll = pitch_deg or 0.0, roll_deg or 0.0
    return World(turn(pitch, roll), f"pitch {pitch:g}°, roll {roll:g}° as given")


def turn(pitch_deg: float, roll_deg: float) -> Float64[np.ndarray, "3 3"]:
    """Camera axes to the world's."""
    angles = np.deg2rad(np.array([pitch_deg, -roll_deg]))
    return LEVEL @ axis_rotations("x", angles[:1])[0] @ axis_rotations("z", angles[1:])[0]


def from_contacts(contacts: Float64[np.ndarray, "N 3"]) -> World | None:
    """The world in which ankles that stand (camera axes, metres) lie level; None where they do not tell."""
    if len(contacts) < LEAST_CONTACTS:
        return None
    centred = contacts - np.median(contacts, 0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    reach = np.ptp(centred @ axes.T, axis=0)
    up = axes[2] if axes[2, 1] < 0 else -axes[2]  # Y of the camera is down
    if reach[0] < SPAN_M or reach[1] < DEPTH_M or -up[1] < np.cos(np.deg2rad(STEEPEST_DEG)):
        return None
    pitch = float(np.rad2deg(np.arcsin(np.clip(up[2], -1, 1))))
    roll = float(np.rad2deg(np.arctan2(up[0], -up[1])))
    source = f"pitch {pitch:.1f}°, roll {roll:.1f}° from {len(contacts)} contacts of feet"
    return World(turn(pitch, roll), source)


def contacts(
    time_s: Float[np.ndarray, " T"], xyz_m: Float[np.ndarray, "T 17 3"]
) -> Float64[np.ndarray, "N 3"]:
    """Places of one person's ankles while they stand."""
    if len(time_s) < 3:
        return np.zeros((0, 3))
    feet = xyz_m[:, FEET]
    speed = np.linalg.norm(feet[2:] - feet[:-2], axis=-1) / (time_s[2:] - time_s[:-2])[:, None]
    return feet[1:-1][speed < STILL_M_S]


def ground(time_s: Float[np.ndarray, " T"], xyz_m: Float[np.ndarray, "T 17 3"], stature_m: float) -> float:
    """Height of the ground under one person (Y up); NaN where no ankle was seen.

    An ankle's height below the fifth percentile of ankles that stand, or of all if none does.
    """
    standing = contacts(time_s, xyz_m)[:, 1]
    heights = standing if len(standing) else xyz_m[:, FEET, 1].ravel()
    known = heights[~np.isnan(heights)]
    return float(np.percentile(known, 5)) - ANKLE * stature_m if len(known) else float("nan")
