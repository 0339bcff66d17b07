"""PoseTrack 2018 JSON: one file per video with `images`, `annotations`, `categories`, as poseval takes it.

17 joints by name, coordinates from whole-number pixel centres (half a pixel less than ours), visibility 1;
missing is 0, 0, 0 with score 0, and so are the ears, as in the official files. Every frame looked at is an
image, named as theirs are: `images/VIDEO/000012.jpg`, frames from 0. Boxes are x, y, width, height on pixel
edges. To be judged, the file must bear the name of the file of truth (`marey export … --to posetrack` names
it after the video) and hold as many images.
"""

import json
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from marey.core.errors import RecordingError
from marey.core.files import write_whole
from marey.core.recording import Recording
from marey.core.skeletons import POSETRACK18

LAST_ID = 999
"""poseval's README: ids are whole numbers from 0 to 999."""


def write(recording: Recording, path: Path) -> None:
    """Write the file.

    Raises
    ------
    RecordingError
        If an id does not fit into the format.
    """
    if recording.ids and recording.ids[-1] > LAST_ID:
        raise RecordingError(
            f"{path.name}: PoseTrack takes ids up to {LAST_ID}, here is person {recording.ids[-1]}; "
            "export parts of the video (--from, --to), or fewer people (--subject)"
        )
    content = {
        "images": _images(recording),
        "annotations": _annotations(recording),
        "categories": _categories(),
    }
    text = json.dumps(content, allow_nan=False)
    write_whole(path, lambda draft: draft.write_text(text, encoding="utf-8"))


def _images(recording: Recording) -> list[dict[str, Any]]:
    source = recording.history.source
    video, (width, height) = PurePath(source.name).stem or "recording", source.size
    return [
        {
            "id": frame,
            "file_name": f"images/{video}/{frame:06d}.jpg",
            "vid_id": video,
            "frame_id": frame,
            "nframes": len(recording.frame),
            "is_labeled": True,
            "width": width,
            "height": height,
        }
        for frame in recording.frame.tolist()
    ]


def _annotations(recording: Recording) -> list[dict[str, Any]]:
    rows, convert = recording.rows, recording.skeleton.converter(POSETRACK18)
    xy, scores = convert(rows.xy_px) - np.float32(0.5), np.nan_to_num(convert.scores(rows.scores))
    missing = np.array(np.isnan(xy).any(-1))
    missing[:, [POSETRACK18.index("left_ear"), POSETRACK18.index("right_ear")]] = True
    triples = np.concatenate([xy, np.ones_like(xy[..., :1])], -1)
    triples[missing], scores[missing] = 0, 0
    boxes = np.concatenate([rows.boxes_px[:, :2], rows.boxes_px[:, 2:] - rows.boxes_px[:, :2]], -1)
    return [
        {
            "id": k,
            "image_id": int(rows.frame[k]),
            "track_id": int(rows.person[k]),
            "category_id": 1,
            "bbox": boxes[k].round(4).tolist(),
            "keypoints": triples[k].ravel().astype(np.float64).round(4).tolist(),
            "scores": scores[k].astype(np.float64).round(6).tolist(),
        }
        for k in range(len(rows))
    ]


def _categories() -> list[dict[str, Any]]:
    limbs = [[a + 1, b + 1] for a, b in POSETRACK18.limbs]  # joints count from 1 there, as in COCO
    person = {"id": 1, "name": "person", "supercategory": "person"}
    return [{**person, "keypoints": list(POSETRACK18.joints), "skeleton": limbs}]
