"""OpenPose JSON: a folder with one file per frame, `VIDEO_000000000012_keypoints.json`, frames from 0.

BODY_25 triples x, y, score (whole numbers are pixel centres: half a pixel less than ours). Neck and mid-hip
are derived where the recording has none; undetected is 0, 0, 0. A frame that shows nobody has an empty list.
"""

import json
from pathlib import Path, PurePath

import numpy as np

from marey.core.files import make_folder, write_whole
from marey.core.recording import Recording
from marey.core.skeletons import BODY25

EMPTY = (
    "face_keypoints_2d",
    "hand_left_keypoints_2d",
    "hand_right_keypoints_2d",
    "pose_keypoints_3d",
    "face_keypoints_3d",
    "hand_left_keypoints_3d",
    "hand_right_keypoints_3d",
)


def write(recording: Recording, path: Path) -> None:
    """Write a file for every frame into the folder `path`."""
    make_folder(path)
    stem = PurePath(recording.history.source.name).stem or "recording"
    rows, convert = recording.rows, recording.skeleton.converter(BODY25)
    xy = convert(rows.xy_px) - np.float32(0.5)
    triples = np.concatenate([xy, np.nan_to_num(convert.scores(rows.scores))[..., None]], -1)
    triples[np.isnan(xy).any(-1)] = 0
    values, ids = triples.reshape(len(rows), 3 * len(BODY25)).round(4).tolist(), rows.person.tolist()
    firsts = np.searchsorted(rows.frame, recording.frame).tolist()
    for frame, first, last in zip(recording.frame.tolist(), firsts, [*firsts[1:], len(rows)], strict=True):
        people = [
            {"person_id": [ids[k]], "pose_keypoints_2d": values[k], **{name: [] for name in EMPTY}}
            for k in range(first, last)
        ]
        text = json.dumps({"version": 1.3, "people": people}, allow_nan=False)
        file = path / f"{stem}_{frame:012d}_keypoints.json"
        write_whole(file, lambda draft, text=text: draft.write_text(text, encoding="utf-8"))
