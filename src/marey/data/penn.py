"""Penn Action: 2,326 clips of 15 sports, one person followed (Zhang, Zhu and Derpanis, ICCV 2013).

Layout: `labels/0001.mat …`, `frames/0001/000001.jpg …`.
Fields: `x`, `y`, `visibility` T×13, `bbox` T×4 (x0 y0 x1 y1), `dimensions` (height, width, T), `train` (1 or
−1), `action`, `nframes`.
Conventions: sides are the person's, **right before left** in every pair (`RIGHT_FIRST`): people labelled as
seen from the front have slot 1 on the picture's left in 93 of 100 clips; from behind a third disagree, so
some clips are swapped. MATLAB counts pixels from 1 at their centres, so 0.5 is subtracted. Joints that are
not visible have guessed places (occluded) or the place (1, 1) (not labelled). Boxes are the set's; a clip
whose boxes are one row short gets its last box twice (1865).
Splits: `train` −1 is test; val = training clips whose number's crc32 % 5 is 1 (ours), train = the others.
"""

import zlib
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from marey.core.errors import DataError
from marey.core.skeletons import PENN13, mirrored
from marey.data.files import Samples, chosen, need, read_picture
from marey.data.matlab import read_mat, read_struct
from marey.data.sample import Sample, State, people

RIGHT_FIRST = True
"""Whether each pair of slots is right, then left. False reads them as left, then right."""
NOWHERE = 1.0


def open(path: Path, split: str) -> Samples:
    """The frames of a split, clip by clip."""
    labels = sorted(need(path / "labels", "the folder of label files").glob("*.mat"))
    clips = [label for label in labels if split == "all" or _split(label) == split]
    keys = [(label, k) for label in clips for k in range(_length(label))]
    return Samples(chosen(keys, path, "penn", split), partial(_sample, path))


def _split(label: Path) -> str:
    if read_mat(label, "train", (1, 1))[0, 0] < 0:
        return "test"
    return "val" if zlib.crc32(label.stem.encode()) % 5 == 1 else "train"


def _length(label: Path) -> int:
    return int(read_mat(label, "nframes", (1, 1))[0, 0])


@lru_cache(maxsize=64)
def _clip(label: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[int, int], str]:
    """Joints T×13×2, states T×13, boxes T×4, size and action of a clip."""
    count = _length(label)
    x, y, seen = (
        read_mat(label, field, (count, 13)).astype(np.float64) for field in ("x", "y", "visibility")
    )
    height, width = read_mat(label, "dimensions", (1, None))[0, :2].astype(int).tolist()
    boxes = read_mat(label, "bbox", (None, 4)).astype(np.float64)
    if not count - 1 <= len(boxes) <= count or not len(boxes):
        raise DataError(f"{label}: field `bbox` has {len(boxes)} rows, {count} expected")
    xy = np.stack([x, y], -1)
    if not np.isfinite(xy).all():
        raise DataError(f"{label}: fields `x`, `y` hold NaN")
    state = np.where(seen > 0, State.VISIBLE, State.OCCLUDED)
    state[(seen == 0) & (xy <= NOWHERE).all(-1)] = State.UNLABELLED
    boxes = boxes[np.minimum(np.arange(count), len(boxes) - 1)]
    action = read_struct(label, "action").text()
    return xy - 0.5, state, boxes - 0.5, (width, height), action


def _sample(path: Path, key: tuple[Path, int]) -> Sample:
    label, k = key
    xy, state, boxes, size, action = _clip(label)
    order = list(range(13) if RIGHT_FIRST else mirrored(PENN13))
    truth = people(PENN13, xy[k : k + 1, order], state[k : k + 1, order], boxes[k : k + 1])
    load = partial(read_picture, path / "frames" / label.stem / f"{k + 1:06d}.jpg")
    return Sample("penn", f"{label.stem}/{k:06d}", label.stem, size, truth, load, action=action)
