"""MPII Human Pose: 25,000 stills from videos, with people doing 410 things (Andriluka et al., CVPR 2014).

Layout: `images/NNNNNNNNN.jpg`, and the official `mpii_human_pose_v1_u12_1.mat` here or in a folder below.
Fields: `RELEASE.annolist(i).image.name`, `.annorect(k)` with `annopoints.point` (`x`, `y`, `id` from 0,
`is_visible`), the head box `x1 y1 x2 y2`, `objpos` and `scale` (person's height / 200 px);
`RELEASE.img_train`, `RELEASE.single_person`, `RELEASE.act`.
Conventions: sides are the person's; MATLAB counts pixels from 1 at their centres, so 0.5 is subtracted.
`head_px` is 0.6 × the diagonal of the head box, PCKh's measure (SC_BIAS of the official code). Boxes are
squares of 200 · scale about `objpos`, the only place of a person that the test part gives too. People who
are not in `single_person`, which the official single-person protocol leaves out, are marked `ignore`.
Splits: val = training videos with vididx % 10 == 1 (ours), train = the others; test has no public labels.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from marey.core.errors import DataError
from marey.core.skeletons import MPII16
from marey.data.files import Samples, chosen, need, picture_size, read_picture
from marey.data.matlab import read_struct
from marey.data.nodes import Node
from marey.data.sample import Sample, State, Truth, people

FILE = "mpii_human_pose_v1_u12_1.mat"
HEAD_SHARE = 0.6
SCALE_PX = 200.0


def open(path: Path, split: str) -> Samples:
    """The training images with at least one person labelled, in the file's order."""
    found = sorted(path.rglob(FILE))
    release = read_struct(found[0] if found else need(path / FILE, "the label file"), "RELEASE")
    images, acts = release["annolist"], release["act"]
    train = release["img_train"].array((len(images),))
    keys = [] if split == "test" else [int(k) for k in np.flatnonzero(train) if _posed(images[int(k)])]
    keys = [k for k in keys if split == "all" or (_video(images[k]) % 10 == 1) == (split == "val")]
    single = release["single_person"]
    if len(single) != len(images) or len(acts) != len(images):
        raise release.error(f"annolist, act and single_person must be as long as each other ({len(images)})")
    return Samples(chosen(keys, path, "mpii", split), partial(_sample, path / "images", images, single, acts))


def _posed(image: Node) -> bool:
    return image.has("annorect") and any(_has_points(person) for person in image["annorect"])


def _has_points(person: Node) -> bool:
    """Some people of the official file have the struct for their points, but no points in it."""
    return person.has("annopoints") and person["annopoints"].has("point")


def _video(image: Node) -> int:
    return image["vididx"].whole()


def _sample(folder: Path, images: Node, single: Node, acts: Node, k: int) -> Sample:
    image = images[k]
    name = image["image"]["name"].text()
    picture = need(folder / name, f"the picture of annolist[{k}]")
    alone = {int(i) - 1 for i in single[k].array((None,))} if np.size(single[k].value) else set()
    truth = _truth([(i, person) for i, person in enumerate(image["annorect"]) if _has_points(person)], alone)
    action = acts[k]["act_name"].text() if acts[k].has("act_name") else ""
    return Sample(
        "mpii", Path(name).stem, f"video{_video(image)}", picture_size(picture), truth,
        partial(read_picture, picture), action=action,
    )  # fmt: skip


def _truth(found: list[tuple[int, Node]], alone: set[int]) -> Truth:
    joints = [_joints(person) for _, person in found]
    truth = people(MPII16, np.stack([xy for xy, _ in joints]), np.stack([state for _, state in joints]))
    corners = [[person[side].number() for side in ("x1", "y1", "x2", "y2")] for _, person in found]
    head = np.array(corners)
    boxes = np.stack([_box(person, box) for (_, person), box in zip(found, truth.boxes_px, strict=True)])
    return replace(
        truth,
        boxes_px=boxes.astype(np.float32),
        head_px=(HEAD_SHARE * np.hypot(*(head[:, 2:] - head[:, :2]).T)).astype(np.float32),
        ids=np.array([i for i, _ in found], np.int64),
        ignore=np.array([i not in alone for i, _ in found]),
    )


def _joints(person: Node) -> tuple[np.ndarray, np.ndarray]:
    xy, state = np.full((16, 2), np.nan), np.full(16, State.UNLABELLED)
    for point in person["annopoints"]["point"]:
        j = point["id"].whole()
        if not 0 <= j < 16:
            raise DataError(f"{point.where}.id: joint {j} is not known; MPII's are 0 to 15")
        xy[j] = point["x"].number() - 0.5, point["y"].number() - 0.5
        state[j] = State.VISIBLE if _visible(point) else State.OCCLUDED
    return xy, state


def _visible(point: Node) -> bool:
    """`is_visible` is a number, a character, or empty for head and neck, which always count as seen."""
    return not point.has("is_visible") or str(point["is_visible"].value) not in ("0", "")


def _box(person: Node, tight: np.ndarray) -> np.ndarray:
    if not (person.has("objpos") and person.has("scale")):
        return tight
    centre = np.array([person["objpos"][side].number() - 0.5 for side in ("x", "y")])
    half = person["scale"].number() * SCALE_PX / 2
    return np.concatenate([centre - half, centre + half])
