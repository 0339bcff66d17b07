"""Poses that any tool wrote, laid beside the pictures of a data set.

Read are

- COCO keypoint results: a list of {image_id, keypoints, score}; `image_id` is the set's number or the
  picture's name. How many joints there are says which skeleton it is (17 COCO, 14 CrowdPose, 26 Halpe, 133
  whole body), unless a file `….about.json` beside it names them, as marey writes it;
- PoseTrack's form: an object with `images` and `annotations`, told apart by `file_name`, or a folder of such,
  one for every video; joints have the scores of `scores`, if it is there;
- OpenPose: a folder with a file `NAME_keypoints.json` for every picture (25 or 18 joints);
- marey's recordings: a folder, or a folder of `CLIP.marey` for every clip; the frames are the pictures in the
  natural order of their names.

Who is who is told by `track_id` (a number from 0 on), and by a recording's ids. Foreign pixels have their
centres at whole numbers and move by half of one. Joints of 0, 0 with score 0 are missing. A picture that the
file does not mention has nobody on it.
"""

import json
from collections import Counter
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
from marey.evaluation.clips import by_clip, posed_at
from marey.evaluation.measure import Posed

BY_COUNT = {len(known): known for known in (COCO17, CROWDPOSE14, HALPE26, WHOLEBODY133)}
OPENPOSE = {len(known): known for known in (BODY25, COCO18)}


@dataclass(frozen=True, slots=True)
class Pose:
    """One person's joints x, y, score (J, 3), the score of the whole (1 where the file has none), and who."""

    joints: np.ndarray
    score: float
    person: int = -1


Held = dict[str, list[Pose]]
"""Poses by the name or number of their picture."""


def filed_poses(path: Path, samples: Sequence[Sample]) -> list[Posed]:
    """The poses a file has for each sample.

    Raises
    ------
    DataError
        If the file is none of those above, or has no pose for any of the samples.
    """
    if path.is_dir() and ((path / "run.json").is_file() or any(path.glob("*.marey"))):
        return _recorded(path, samples)
    skeleton, held = _folder(path) if path.is_dir() else _json(path)
    posed = [_posed(skeleton, people) for people in _beside(held, samples)]
    if not any(len(one.boxes_px) for one in posed):
        known = ", ".join(list(held)[:3]) or "nothing"
        raise DataError(
            f"{path}: has a pose for none of the {len(samples)} pictures; it knows {known} …, the data "
            f"{samples[0].name} …; give the split that was measured"
        )
    return posed


def _beside(held: Held, samples: Sequence[Sample]) -> list[list[Pose]]:
    """The poses of each picture: by name, by video and name, or by name alone where no two share it.

    PoseTrack's pictures are called alike in every video, so a bare name may be another video's.
    """
    full = [sample.name for sample in samples]
    bare = [name.rpartition("/")[2].rpartition("#")[2] for name in full]
    times, there = Counter(bare), Counter(Path(name).name for name in held)
    short = held | {Path(name).name: held[name] for name in held if there[Path(name).name] == 1}
    found = []
    for name, stem in zip(full, bare, strict=True):
        known = [name, "/".join(Path(name).parts[-2:])]
        if times[stem] == 1:
            known += [stem, Path(stem).stem, str(int(stem)) if stem.isdecimal() else stem]
        found.append(next((short[each] for each in known if each in short), []))
    return found


def _posed(skeleton: Skeleton, people: list[Pose]) -> Posed:
    """Poses of one picture in our convention."""
    joints = np.array([one.joints for one in people], np.float32).reshape(-1, len(skeleton), 3)
    missing = (joints == 0).all(-1)
    xy = np.where(missing[..., None], np.float32(np.nan), joints[..., :2] + np.float32(0.5))
    scores = np.array([one.score for one in people], np.float32)
    ids = np.array([one.person for one in people], np.int64)
    boxes = np.nan_to_num(joints_box(xy))
    return Posed(skeleton, boxes, scores, xy, joints[..., 2].copy(), worth=scores, ids=ids)


def _folder(path: Path) -> tuple[Skeleton, Held]:
    """A folder of PoseTrack's files, or of OpenPose's."""
    files = sorted(file for file in path.glob("*.json") if not file.name.endswith("_keypoints.json"))
    if not files:
        return _openpose(path)
    read = [_json(file) for file in files]
    if len({skeleton for skeleton, _ in read}) > 1:
        raise DataError(f"{path}: files of several skeletons in one folder; give those of one tool")
    held: Held = {}
    for file, (_, of_file) in zip(files, read, strict=True):
        twice = held.keys() & of_file.keys()
        if twice:
            raise DataError(f"{file}: {sorted(twice)[0]} is in another file too; name pictures VIDEO/FRAME")
        held |= of_file
    return read[0][0], held


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
        image.get("id"): "/".join(Path(str(image.get("file_name"))).with_suffix("").parts[-2:])
        for image in told["images"]
    }
    held = _collect(path, [(names.get(note.get("image_id"), ""), note) for note in told["annotations"]])
    count = len(next(iter(held.values()))[0].joints) if held else len(POSETRACK18)
    return (POSETRACK18 if count == len(POSETRACK18) else _skeleton_of(path, held)), held


def _collect(path: Path, notes: Sequence[tuple[str, dict[str, Any]]]) -> Held:
    held: Held = {}
    for picture, note in notes:
        joints = _triples(_field(note, "keypoints", path), path)
        if len(each := np.atleast_1d(note.get("scores", ()))) == len(joints):
            joints = np.column_stack([joints[:, :2], np.where((joints == 0).all(1), 0, each)])
        pose = Pose(joints, float(np.mean(note.get("score", 1.0))), int(note.get("track_id", -1)))
        held.setdefault(picture, []).append(pose)
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
    """A recording's frames, the first to the first picture; or those of each clip's recording."""
    if (path / "run.json").is_file():
        return _laid(path, [sample.name for sample in samples])
    posed: dict[int, Posed] = {}
    for clip, places in by_clip(samples).items():
        folder = path / f"{Path(clip).name}.marey"
        held = _laid(folder, [samples[k].name for k in places])
        posed |= dict(zip(places, held, strict=True))
    return [posed[k] for k in range(len(samples))]


def _laid(path: Path, names: Sequence[str]) -> list[Posed]:
    """A recording's frames beside pictures of these names."""
    recording = Recording.open(path)
    frames = recording.frame.tolist()
    if len(frames) != len(names):
        raise DataError(
            f"{path}: has {len(frames)} frames, the data {len(names)} pictures; record exactly these"
        )
    order = sorted(range(len(names)), key=lambda k: natural(names[k]))
    posed = {k: posed_at(recording, frame) for frame, k in zip(frames, order, strict=True)}
    return [posed[k] for k in range(len(names))]


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
        ids = [-1] * len(triples) if one.ids is None else one.ids.tolist()
        flat = triples.reshape(len(triples), 3 * len(one.skeleton)).tolist()
        people = zip(flat, one.ranks.tolist(), ids, strict=True)
        for joints, worth, person in people:
            rounded = [round(value, 4) for value in joints]
            note = {"image_id": sample.name, "category_id": 1, "keypoints": rounded, "score": worth}
            results.append(note if person < 0 else {**note, "track_id": person})
    about = {"joints": posed[0].skeleton.joints, "kind": samples[0].kind}
    for file, content in ((path, results), (path.with_suffix(".about.json"), about)):
        text = json.dumps(content, allow_nan=False)
        write_whole(file, lambda draft, text=text: draft.write_text(text, encoding="utf-8"))
