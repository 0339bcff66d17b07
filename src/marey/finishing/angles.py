"""Joint angles of a lifted recording, in degrees, with zero and sign as people who measure gait expect them.

| angle | zero | above 0 |
|---|---|---|
| `left_knee`, `right_knee` | leg straight | flexed (0 to 180) |
| `left_elbow`, `right_elbow` | arm straight | flexed (0 to 180) |
| `left_hip`, `right_hip` | thigh in line with the trunk | flexed: thigh in front of it (below 0: extended) |
| `left_shoulder`, `right_shoulder` | arm along the trunk | raised to any side; 180: overhead |
| `left_ankle`, `right_ankle` | foot at a right angle to the shank | toes up (dorsiflexed) |
| `trunk` | upright against gravity | inclined to any side (0 to 180) |

Knee, elbow and shoulder are angles between two bones; the hip's is measured in the trunk's sagittal plane,
which holds the trunk and is at right angles to the line through the hips. Ankles need `big_toe` and `heel`
in space, which lifters of 17 joints do not give: they are NaN then. So is whatever stands on a missing joint.
Zeros follow Wu et al. (J. Biomech. 2002, 2005: the recommendations of the ISB) where those define them.
"""

# pyarrow has no types of its own: what comes out of it is unknown to the checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false

import numpy as np
import pyarrow as pa
from jaxtyping import Float

from marey.core.errors import RecordingError
from marey.core.recording import Recording
from marey.core.skeletons import Skeleton

ANGLES = (
    *(
        f"{side}_{joint}"
        for joint in ("knee", "hip", "ankle", "elbow", "shoulder")
        for side in ("left", "right")
    ),
    "trunk",
)
SCHEMA = pa.schema(
    [
        ("frame", pa.int64()),
        ("time_s", pa.float64()),
        ("person", pa.int64()),
        ("angle", pa.dictionary(pa.int32(), pa.string())),
        ("degrees", pa.float32()),
    ]
)


def angles_table(recording: Recording) -> pa.Table:
    """A row per person, frame and angle: `frame, time_s, person, angle, degrees`.

    Raises
    ------
    RecordingError
        If the recording was not lifted.
    """
    if recording.space is None:
        raise RecordingError("joint angles need places in space: run with --lift, or marey.lift(recording)")
    rows, count = recording.rows, len(ANGLES)
    found = angles(recording.space.xyz_m, recording.skeleton)
    codes = np.tile(np.arange(count, dtype=np.int32), len(rows))
    names = pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(ANGLES, pa.string()))
    columns = [
        np.repeat(rows.frame, count),
        np.repeat(rows.time_s, count),
        np.repeat(rows.person, count),
        names,
        np.stack([found[name] for name in ANGLES], -1).ravel().astype(np.float32),
    ]
    return pa.table(columns, schema=SCHEMA)


def angles(xyz_m: Float[np.ndarray, "R J 3"], skeleton: Skeleton) -> dict[str, Float[np.ndarray, " R"]]:
    """The angles by name, degrees; places are Y up."""

    def place(joint: str) -> Float[np.ndarray, "R 3"]:
        known = joint in skeleton.joints
        return xyz_m[:, skeleton.index(joint)] if known else np.full((len(xyz_m), 3), np.nan)

    hips, shoulders = (
        (place(f"left_{joint}") + place(f"right_{joint}")) / 2 for joint in ("hip", "shoulder")
    )
    down = hips - shoulders
    across = place("left_hip") - place("right_hip")
    ahead = np.cross(across, -down)  # to the person's front: left × up, right-handed
    out = {"trunk": _between(-down, np.broadcast_to(np.array([0.0, 1.0, 0.0]), down.shape))}
    for side in ("left", "right"):
        hip, knee, ankle = (place(f"{side}_{joint}") for joint in ("hip", "knee", "ankle"))
        shoulder, elbow, wrist = (place(f"{side}_{joint}") for joint in ("shoulder", "elbow", "wrist"))
        out[f"{side}_knee"] = _between(knee - hip, ankle - knee)
        out[f"{side}_elbow"] = _between(elbow - shoulder, wrist - elbow)
        out[f"{side}_shoulder"] = _between(elbow - shoulder, down)
        out[f"{side}_hip"] = _in_plane(knee - hip, down, ahead)
        foot = place(f"{side}_big_toe") - place(f"{side}_heel")
        out[f"{side}_ankle"] = 90 - _between(foot, knee - ankle)
    return out


def _between(a: Float[np.ndarray, "R 3"], b: Float[np.ndarray, "R 3"]) -> Float[np.ndarray, " R"]:
    """Degrees between two directions, exact also where they are nearly the same."""
    across = np.linalg.norm(np.cross(a, b), axis=-1)
    return np.rad2deg(np.arctan2(across, (a * b).sum(-1)))


def _in_plane(
    vector: Float[np.ndarray, "R 3"], zero: Float[np.ndarray, "R 3"], ahead: Float[np.ndarray, "R 3"]
) -> Float[np.ndarray, " R"]:
    """Degrees from `zero` towards `ahead` (at right angles to it) of a vector's part in their plane."""
    along = (vector * zero).sum(-1) / np.linalg.norm(zero, axis=-1)
    front = (vector * ahead).sum(-1) / np.linalg.norm(ahead, axis=-1)
    return np.rad2deg(np.arctan2(front, along))
