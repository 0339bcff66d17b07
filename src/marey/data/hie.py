"""HiEve, Human in Events: 32 videos of crowds, people followed, 14 joints (Lin et al., 2020; IJCV 2023).

Layout of HIE20: `labels/train/track2&3/NUMBER.json` (`annolist` of frames: `image[0].name`, `annorect` of
people with `x1 y1 x2 y2 track_id`, `annopoints[0].point` of `id x y`), `videos/train/NUMBER.mp4`; numbers in
one-item lists, as PoseTrack 2017 wrote them.
Conventions: the person's sides. Points are indices of pixels, so 0.5 is added. A joint that is not listed, or
lies at (0, 0), is not labelled; these files do not say which joints are occluded. No head box: `head_px` is
0.6 × 2 × the distance of nose and chest (our choice). Frame 000012.jpg is frame 12 of the video, from 0.
Splits: val = videos whose number % 5 is 1 (ours), train = the others; the official test has no public labels.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from marey.core.skeletons import HIE14
from marey.data.files import Samples, chosen, need
from marey.data.frames import footage, frame_of
from marey.data.nodes import Node, read_json
from marey.data.sample import Sample, State, people

HEAD_SHARE = 0.6 * 2


def open(path: Path, split: str) -> Samples:
    """The labelled frames of a split, video by video."""
    folder = need(path / "labels" / "train" / "track2&3", "the folder of label files")
    files = sorted((file for file in folder.glob("*.json") if file.stem.isdigit()), key=lambda f: int(f.stem))
    files = [file for file in files if split == "all" or _split(file) == split]
    keys = [(file.stem, frame) for file in files for frame in read_json(file)["annolist"]]
    return Samples(chosen(keys, path, "hie", split), partial(_sample, path / "videos" / "train"))


def _split(file: Path) -> str:
    return "val" if int(file.stem) % 5 == 1 else "train"


def _sample(videos: Path, key: tuple[str, Node]) -> Sample:
    number, frame = key
    name = frame["image"][0]["name"].text()
    if not Path(name).stem.isdigit():
        raise frame.error(f"image.name is `{name}`, a number such as 000012.jpg expected")
    found = list(frame["annorect"]) if frame.has("annorect") else []
    joints = np.array([_joints(person) for person in found]).reshape(len(found), 14, 2)
    state = np.where(np.isnan(joints).any(-1), State.UNLABELLED, State.VISIBLE)
    corners = [[person[side].number() for side in ("x1", "y1", "x2", "y2")] for person in found]
    truth = people(HIE14, joints + 0.5, state, np.array(corners).reshape(-1, 4))
    neck = truth.xy_px[:, HIE14.index("nose")] - truth.xy_px[:, HIE14.index("chest")]
    truth = replace(
        truth,
        ids=np.array([person["track_id"].whole() for person in found], np.int64),
        head_px=(HEAD_SHARE * np.hypot(neck[:, 0], neck[:, 1])).astype(np.float32),
    )
    video, k = videos / f"{number}.mp4", int(Path(name).stem)
    return Sample("hie", f"{number}/{k:06d}", number, footage(video).size, truth, partial(frame_of, video, k))


def _joints(person: Node) -> np.ndarray:
    """Places of the 14 joints, NaN where none is given."""
    xy = np.full((14, 2), np.nan)
    points = person["annopoints"][0]["point"] if person.has("annopoints") else []
    for point in points:
        j = point["id"].whole()
        if not 0 <= j < 14:
            raise point.error(f"joint {j} is not known; HIE's are 0 to 13")
        place = point["x"].number(), point["y"].number()
        if any(place):
            xy[j] = place
    return xy
