"""COCO keypoint results: a list of detections, as COCO's own code reads it.

`image_id` is the frame's index in the video, `category_id` 1 (person), 17 joints x, y, score in COCO's order
(whole numbers are pixel centres: half a pixel less than ours), by name from the recording's skeleton. Missing
is 0, 0, 0. `score` is the box's score times the mean of its joints' (of a filled box the latter alone).
The format names no joints: a second file `….about.json` beside it does, with sigmas and every frame's time.
"""

import json
from pathlib import Path

import numpy as np

from marey.core.files import write_whole
from marey.core.recording import Recording
from marey.core.skeletons import COCO17


def write(recording: Recording, path: Path) -> None:
    """Write the results, and `….about.json` beside them."""
    rows, convert = recording.rows, recording.skeleton.converter(COCO17)
    xy, scores = convert(rows.xy_px) - np.float32(0.5), convert.scores(rows.scores)
    triples = np.concatenate([xy, np.nan_to_num(scores)[..., None]], -1)
    triples[np.isnan(xy).any(-1)] = 0
    worth = np.nan_to_num(np.where(np.isnan(rows.box_scores), 1, rows.box_scores) * rows.pose_scores)
    results = [
        {
            "image_id": frame,
            "category_id": 1,
            "keypoints": [round(value, 4) for value in keypoints],
            "score": round(score, 6),
            "person": person,
        }
        for frame, person, keypoints, score in zip(
            rows.frame.tolist(),
            rows.person.tolist(),
            triples.reshape(len(rows), 3 * len(COCO17)).tolist(),
            worth.tolist(),
            strict=True,
        )
    ]
    about = {
        "video": recording.history.source.name,
        "joints": COCO17.joints,
        "sigmas": COCO17.sigmas,
        "derived": convert.names("derived"),
        "missing": convert.names("missing"),
        "images": [
            {"id": frame, "time_s": time_s}
            for frame, time_s in zip(recording.frame.tolist(), recording.time_s.tolist(), strict=True)
        ],
    }
    for file, content in ((path, results), (path.with_suffix(".about.json"), about)):
        text = json.dumps(content, allow_nan=False)
        write_whole(file, lambda draft, text=text: draft.write_text(text, encoding="utf-8"))
