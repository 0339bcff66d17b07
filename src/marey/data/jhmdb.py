"""JHMDB: clips of 15–40 frames at 30 Hz, 320×240, one person (Jhuang et al., ICCV 2013).

Layouts, told apart by the folder found: official `joint_positions/CLASS/CLIP/joint_positions.mat`,
`puppet_mask/CLASS/CLIP/puppet_mask.mat`, `Rename_Images/CLASS/CLIP/00001.png`; compact
`joints/CLASS/CLIP.mat`, `masks/CLASS/CLIP.mat`, `videos/CLASS/CLIP.mp4`.
Fields: `pos_img` 2×15×T, `part_mask` 240×320×T (person > 0).
Conventions: sides are the person's; `neck` is the puppet's neck between the shoulders, `face` the middle of
the head (neither nose nor head top), `belly` the navel; MATLAB counts pixels from 1 at their centres, so 0.5
is subtracted. Occluded joints are filled in without a flag: joints in the picture count as visible, those
outside as occluded. Boxes are tight on the mask, or on the joints where it is missing (never in sub-JHMDB).
Torso: left shoulder to right hip.
Splits: test = clips that the official lists (`splits/CLASS_test_split1.txt`, 1 train, 2 test) say, none where
there are no lists; val = sources (the name before `_CLASS_`) of the rest whose crc32 % 5 is 1 (ours), train =
the others. sub-JHMDB (kinds `jhmdb_sub`, `jhmdb_sub2`, `jhmdb_sub3`, one for each official split; papers
report their mean): the clips in `sub_splits/CLASS_test_split1.txt`, people seen whole.
"""

import zlib
from functools import lru_cache, partial
from pathlib import Path

import av
import av.error
import numpy as np
from jaxtyping import Float32, UInt8

from marey.core.errors import DataError
from marey.core.geometry import joints_box
from marey.core.skeletons import JHMDB15
from marey.data.files import Samples, chosen, need, read_picture
from marey.data.matlab import read_mat
from marey.data.sample import Sample, State, one_person

SIZE = (320, 240)
RATE_HZ = 30.0


def open(path: Path, split: str) -> Samples:
    """The frames of a split, clip by clip."""
    lists = path / "splits"
    return _open("jhmdb", path, split, _listed(lists, 1) if lists.is_dir() else None)


def open_sub(number: int, path: Path, split: str) -> Samples:
    """The frames of a split of sub-JHMDB by its official split `number` (1, 2, 3)."""
    kind = f"jhmdb_sub{number if number > 1 else ''}"
    return _open(kind, path, split, _listed(need(path / "sub_splits", "the folder of lists"), number))


def _listed(folder: Path, number: int) -> dict[str, bool]:
    """Clips that the official lists name (by `CLASS/CLIP`), and whether they are test."""
    clips = {}
    for file in sorted(folder.glob(f"*_test_split{number}.txt")):
        action = file.stem.removesuffix(f"_test_split{number}")
        for line in file.read_text().splitlines():
            name, _, part = line.strip().rpartition(" ")
            if line.strip() and part not in ("0", "1", "2"):
                raise DataError(f"{file}: `{line}`: a clip and 1 (train) or 2 (test) expected")
            if part in ("1", "2"):
                clips[f"{action}/{Path(name).stem}"] = part == "2"
    if not clips:
        raise DataError(
            f"{folder}: no lists for split {number}; files CLASS_test_split{number}.txt are expected"
        )
    return clips


def _open(kind: str, path: Path, split: str, listed: dict[str, bool] | None) -> Samples:
    official = path / "joint_positions"
    labels = sorted(
        official.glob("*/*/joint_positions.mat") if official.is_dir() else path.glob("joints/*/*.mat")
    )
    if not labels:
        need(path / "joints", "the folder of joint labels (or the official joint_positions)")
    keys = []
    for label in labels:
        clip = label.parent if official.is_dir() else label.with_suffix("")
        if _in_split(clip.parent.name, clip.name, split, listed):
            tracks = read_mat(label, "pos_img", (2, 15, None)).astype(np.float32)
            keys += [(clip.parent.name, clip.name, k, tracks) for k in range(tracks.shape[2])]
    return Samples(chosen(keys, path, kind, split), partial(_sample, kind, path, official.is_dir()))


def source(action: str, clip: str) -> str:
    """The video a clip was cut from: clips of one source look alike and must not be split."""
    return clip.split(f"_{action}_")[0]


def _in_split(action: str, clip: str, split: str, listed: dict[str, bool] | None) -> bool:
    if listed is not None and (test := listed.get(f"{action}/{clip}")) is not False:
        return bool(test) and split in ("all", "test")
    held = zlib.crc32(source(action, clip).encode()) % 5 == 1
    return {"all": True, "train": not held, "val": held, "test": False}[split]


def _sample(kind: str, path: Path, official: bool, key: tuple[str, str, int, np.ndarray]) -> Sample:
    action, clip, k, tracks = key
    xy = np.ascontiguousarray(tracks[:, :, k].T) - np.float32(0.5)
    inside = ((xy >= 0) & (xy < SIZE)).all(-1)
    state = np.where(inside, State.VISIBLE, State.OCCLUDED).astype(np.uint8)
    state[np.isnan(xy).any(-1)] = State.UNLABELLED
    folder = Path(action) / clip
    if official:
        masks = path / "puppet_mask" / folder / "puppet_mask.mat"
        load = partial(read_picture, path / "Rename_Images" / folder / f"{k + 1:05d}.png")
    else:
        masks = path / "masks" / f"{folder}.mat"
        load = partial(_frame, path / "videos" / f"{folder}.mp4", k)
    boxes = _boxes(masks) if masks.exists() or kind != "jhmdb" else np.full((k + 1, 4), np.nan, np.float32)
    box = boxes[k] if k < len(boxes) and np.isfinite(boxes[k]).all() else joints_box(xy)
    truth = one_person(JHMDB15, xy, state, box)
    return Sample(kind, f"{folder}/{k:05d}", str(folder), SIZE, truth, load, False, k / RATE_HZ)


@lru_cache(maxsize=1024)
def _boxes(path: Path) -> Float32[np.ndarray, "T 4"]:
    """Tight boxes of a clip's person masks; NaN where a mask is empty."""
    mask = read_mat(path, "part_mask", (SIZE[1], SIZE[0], None)) > 0
    boxes = np.full((mask.shape[2], 4), np.nan, np.float32)
    for k in range(len(boxes)):
        columns, rows = np.any(mask[..., k], axis=0), np.any(mask[..., k], axis=1)
        if columns.any():
            x, y = np.flatnonzero(columns), np.flatnonzero(rows)
            boxes[k] = x[0], y[0], x[-1] + 1, y[-1] + 1
    return boxes


def _frame(path: Path, k: int) -> UInt8[np.ndarray, "H W 3"]:
    frames = _clip(path)
    if k >= len(frames):
        raise DataError(f"{path}: holds {len(frames)} frames, but its labels go on to frame {k + 1}")
    return frames[k]


@lru_cache(maxsize=8)
def _clip(path: Path) -> UInt8[np.ndarray, "T H W 3"]:
    """All frames of a clip: 9 MB, read in one go because neighbours are asked for next."""
    need(path, "the clip")
    try:
        with av.open(str(path)) as container:
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    except (av.error.FFmpegError, IndexError) as error:
        raise DataError(f"{path}: not a video that can be decoded ({error}); fetch it again") from error
    return np.stack(frames)
