"""Poses that any tool wrote, laid beside the pictures of a data set.

Read are

- COCO keypoint results: a list of {image_id, keypoints, score}; `image_id` is the set's number or the
  picture's name. How many joints there are says which skeleton it is (17 COCO, 14 CrowdPose, 26 Halpe, 133
  whole body), unless a file `….about.json` beside it names them, as marey writes it;
- PoseTrack's form: an object with `images` and `annotations`, told apart by `file_name`;
- OpenPose: a folder with a file `NAME_keypoints.json` for every picture (25 or 18 joints);
- marey's recordings: a folder; its frames are the pictures in the natural order of their names.

Foreign pixels have their centres at whole numbers and move by half of one. Joints of 0, 0 with score 0 are
missing. A picture that the file does not mention has nobody on it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from marey.core.errors import DataError
from marey.core.files import natural, write_whole
from marey.core.geometry import joints_box
from marey.core.recording import Recording
from marey.core.skeletons import (
    BODY25,
    COCO17,
    COCO18,
    CROWDPOSE14,
    HALPE26,
    POSETRACK18,
    WHOLEBODY133,
    Skeleton,
)
from marey.data.sample import Sample
from marey.evaluation.measure import Posed

BY_COUNT = {len(known): known for known in (COCO17, CROWDPOSE14, HALPE26, WHOLEBODY133)}
OPENPOSE = {len(known): known for known in (BODY25, COCO18)}


@dataclass(frozen=True, slots=True)
class Pose:
    """One person's joints x, y, score (J, 3), and the score of the whole (1 where the file has none)."""

    joints: np.ndarray
    score: float


Held = dict[str, list[Pose]]
"""Poses by the name or number of their picture."""


def filed_poses(path: Path, samples: Sequence[Sample]) -> list[Posed]:
    """The poses a file has for each sample.

    Raises
    ------
    DataError
        If the file is none of those above, or has no pose for any of the samples.
    """
    if path.is_dir() and (path / "run.json").is_file():
        return _recorded(path, samples)
    skeleton, held = _openpose(path) if path.is_dir() else _json(path)
    posed = [_posed(skeleton, _lookup(held, sample)) for sample in samples]
    if not any(len(one.boxes_px) for one in posed):
        known = ", ".join(list(held)[:3]) or "nothing"
        raise DataError(
            f"{path}: has a pose for none of the {len(samples)} pictures; it knows {known} …, the data "
            f"{samples[0].name} …; give the split that was measured"
        )
    return posed


def _lookup(held: Held, sample: Sample) -> list[Pose]:
    stem = sample.name.rpartition("/")[2].rpartition("#")[2]
    names = (sample.name, stem, Path(stem).stem, str(int(stem)) if stem.isdecimal() else stem)
    return next((held[name] for name in names if name in held), [])


def _posed(skeleton: Skeleton, people: list[Pose]) -> Posed:
    """Poses of one picture in our convention."""
    joints = np.array([one.joints for one in people], np.float32).reshape(-1, len(skeleton), 3)
    missing = (joints == 0).all(-1)
    xy = np.where(missing[..., None], np.float32(np.nan), joints[..., :2] + np.float32(0.5))
    scores = np.array([one.score for one in people], np.float32)
    return Posed(skeleton, np.nan_to_num(joints_box(xy)), scores, xy, joints[..., 2].copy(), worth=scores)


def _json(path: Path) -> tuple[Skeleton, Held]:
    told = _load(path)
    if isinstance(told, dict) and {"images", "annotations"} <= told.keys():
        return _posetrack(path, told)
    if not isinstance(told, list):
        raise DataError(f"{path}: neither a list of COCO results nor an object with images and annotations")
    notes = [(str(_field(note, "image_id", path)), note) for note in told]
    held = _collect(path, notes)
    return _skeleton_of(path, held), held


def _posetrack(path: Path, told: dict[str, Any]) -> tuple[Skeleton, Held]:
    names = {
        image.get("id"): Path(str(image.get("file_name"))).with_suffix("").as_posix()
        for image in told["images"]
    }
    notes = [(names.get(note.get("image_id"), ""), note) for note in told["annotations"]]
    short = {name: Path(name).name for name in names.values()}
    held = _collect(path, notes)
    if len(set(short.values())) == len(short):  # a name without its folders is enough
        held = {short.get(name, name): people for name, people in held.items()}
    count = len(next(iter(held.values()))[0].joints) if held else len(POSETRACK18)
    return (POSETRACK18 if count == len(POSETRACK18) else _skeleton_of(path, held)), held


def _collect(path: Path, notes: Sequence[tuple[str, dict[str, Any]]]) -> Held:
    held: Held = {}
    for picture, note in notes:
        joints = _triples(_field(note, "keypoints", path), path)
        own = note.get("score", 1.0)
        held.setdefault(picture, []).append(Pose(joints, float(np.mean(own))))
    return held


def _skeleton_of(path: Path, held: Held) -> Skeleton:
    counts = {len(pose.joints) for people in held.values() for pose in people} or {len(COCO17)}
    if len(counts) > 1:
        raise DataError(f"{path}: keypoints of {' and '.join(map(str, sorted(counts)))} joints in one file")
    count = counts.pop()
    about = path.with_suffix(".about.json")
    if about.is_file():
        joints = tuple(_load(about)["joints"])
        if len(joints) == count:
            return Skeleton(path.stem, joints, (), ())
    if count not in BY_COUNT:
        raise DataError(f"{path}: keypoints of {count} joints; known are {', '.join(map(str, BY_COUNT))}")
    return BY_COUNT[count]


def _openpose(path: Path) -> tuple[Skeleton, Held]:
    files = sorted(path.glob("*_keypoints.json"))
    if not files:
        raise DataError(f"{path}: neither a recording nor a folder of NAME_keypoints.json")
    held: Held = {}
    for file in files:
        people = _load(file).get("people", [])
        triples = (_triples(_field(one, "pose_keypoints_2d", file), file) for one in people)
        held[file.name.removesuffix("_keypoints.json")] = [Pose(t, float(t[:, 2].mean())) for t in triples]
    counts = {len(pose.joints) for people in held.values() for pose in people} or {len(BODY25)}
    if len(counts) > 1 or not counts <= OPENPOSE.keys():
        raise DataError(f"{path}: pose_keypoints_2d of {sorted(counts)} joints; 25 or 18 are known")
    return OPENPOSE[counts.pop()], held


def _recorded(path: Path, samples: Sequence[Sample]) -> list[Posed]:
    """A recording's frames, the first to the first picture."""
    recording = Recording.open(path)
    frames = recording.frame.tolist()
    if len(frames) != len(samples):
        raise DataError(
            f"{path}: has {len(frames)} frames, the data {len(samples)} pictures; record exactly these"
        )
    order = sorted(range(len(samples)), key=lambda k: natural(samples[k].name))
    posed: dict[int, Posed] = {}
    for frame, k in zip(frames, order, strict=True):
        rows = recording.at(frame)
        worth = np.where(np.isnan(rows.box_scores), 1, rows.box_scores).astype(np.float32)
        posed[k] = Posed(
            recording.skeleton,
            np.nan_to_num(joints_box(rows.xy_px)),
            worth,
            rows.xy_px,
            np.nan_to_num(rows.scores),
        )
    return [posed[k] for k in range(len(samples))]


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path after --poses") from error
    except ValueError as error:
        raise DataError(f"{path}: is no JSON ({error})") from error


def _field(note: Any, name: str, path: Path) -> Any:
    if not isinstance(note, dict) or name not in note:
        raise DataError(f"{path}: an entry without {name}")
    return note[name]


def _triples(values: Any, path: Path) -> np.ndarray:
    try:
        joints = np.array(values, np.float64)
    except (ValueError, TypeError) as error:
        raise DataError(f"{path}: keypoints that are no numbers ({error})") from error
    if joints.ndim != 1 or len(joints) % 3 or not np.isfinite(joints).all():
        raise DataError(f"{path}: keypoints must be x, y, score of every joint, all finite")
    return joints.reshape(-1, 3)


def write_poses(path: Path, samples: Sequence[Sample], posed: Sequence[Posed]) -> None:
    """Write poses as COCO keypoint results that name their pictures, and `….about.json` for the joints.

    What `filed_poses` reads again; joints that are missing are 0, 0, 0.
    """
    results = []
    for sample, one in zip(samples, posed, strict=True):
        triples = np.concatenate([one.xy_px - np.float32(0.5), one.scores[..., None]], -1)
        triples[np.isnan(triples).any(-1)] = 0
        flat = triples.reshape(len(triples), 3 * len(one.skeleton)).tolist()
        for joints, worth in zip(flat, one.ranks.tolist(), strict=True):
            rounded = [round(value, 4) for value in joints]
            results.append({"image_id": sample.name, "category_id": 1, "keypoints": rounded, "score": worth})
    about = {"joints": posed[0].skeleton.joints, "kind": samples[0].kind}
    for file, content in ((path, results), (path.with_suffix(".about.json"), about)):
        text = json.dumps(content, allow_nan=False)
        write_whole(file, lambda draft, text=text: draft.write_text(text, encoding="utf-8"))
