"""JHMDB: clips of 15–40 frames at 30 Hz, 320×240, one person (Jhuang et al., ICCV 2013).

Layouts, told apart by the folder found: official `joint_positions/CLASS/CLIP/joint_positions.mat`,
`puppet_mask/CLASS/CLIP/puppet_mask.mat`, `Rename_Images/CLASS/CLIP/00001.png`; compact
`joints/CLASS/CLIP.mat`, `masks/CLASS/CLIP.mat`, `videos/CLASS/CLIP.mp4`.
Fields: `pos_img` 2×15×T, `part_mask` 240×320×T (person > 0).
Conventions: sides are the person's; `neck` is the puppet's neck between the shoulders, `face` the middle of
the head (neither nose nor head top), `belly` the navel; MATLAB counts pixels from 1 at their centres, so 0.5
is subtracted. Occluded joints are filled in without a flag: joints in the picture count as visible, those
outside as occluded. Boxes are tight on the mask. Torso: left shoulder to right hip.
Splits: val = sources (the name before `_CLASS_`) whose crc32 % 5 is 1, train = the others; no test here.
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
    official = path / "joint_positions"
    labels = sorted(
        official.glob("*/*/joint_positions.mat") if official.is_dir() else path.glob("joints/*/*.mat")
    )
    if not labels:
        need(path / "joints", "the folder of joint labels (or the official joint_positions)")
    keys = []
    for label in labels:
        clip = label.parent if official.is_dir() else label.with_suffix("")
        if _in_split(clip.parent.name, clip.name, split):
            tracks = read_mat(label, "pos_img", (2, 15, None)).astype(np.float32)
            keys += [(clip.parent.name, clip.name, k, tracks) for k in range(tracks.shape[2])]
    return Samples(chosen(keys, path, "jhmdb", split), partial(_sample, path, official.is_dir()))


def source(action: str, clip: str) -> str:
    """The video a clip was cut from: clips of one source look alike and must not be split."""
    return clip.split(f"_{action}_")[0]


def _in_split(action: str, clip: str, split: str) -> bool:
    held = zlib.crc32(source(action, clip).encode()) % 5 == 1
    return {"all": True, "train": not held, "val": held, "test": False}[split]


def _sample(path: Path, official: bool, key: tuple[str, str, int, np.ndarray]) -> Sample:
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
    boxes = _boxes(masks) if masks.exists() else np.full((k + 1, 4), np.nan, np.float32)
    box = boxes[k] if k < len(boxes) and np.isfinite(boxes[k]).all() else joints_box(xy)
    truth = one_person(JHMDB15, xy, state, box)
    return Sample("jhmdb", f"{folder}/{k:05d}", str(folder), SIZE, truth, load, False, k / RATE_HZ)


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
