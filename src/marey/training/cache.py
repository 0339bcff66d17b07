"""People cut out once: JPEG crops and their joints in the user's cache, in shards of a few MiB.

A shard is a file of JPEGs one after another; `index.npz` says where each lies and what is on it. The
folder's name is the fingerprint of all that made it, so a changed recipe never meets an old crop. Shards of
28 MiB pass where larger files do not, and the folder is all that another machine needs. Conventions: a crop
is the square of `extent` × the longer side of a person's box, at most `side` pixels, never enlarged; joints
and boxes are in pixels of that crop, edge-based; joints of `marey19`, by name.
"""

import logging
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from marey.core.errors import DataError
from marey.core.folders import cache_dir
from marey.core.geometry import Crop, box_sizes, crop_boxes
from marey.core.settings import fingerprint
from marey.core.skeletons import MAREY19, Skeleton
from marey.data.sample import Sample, State
from marey.training.recipe import Source

_log = logging.getLogger(__name__)
VERSION = 2
"""Raise it when the code below makes other crops of the same settings."""

COLUMNS = ("xy", "state", "boxes", "origin", "scale", "source", "names", "place")
"""Arrays of the index, one row a person."""

UNSURE = {"jhmdb": ("neck",)}
"""Joints that a set names as we do but places elsewhere: JHMDB's neck lies lower than LSP's."""


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """How people are cut: room for full turns, shifts and reductions about the 1.25 that networks see."""

    extent: float = 1.9
    side: int = 384
    quality: int = 93
    fewest: int = 3  # labelled joints a person needs
    shard_mib: int = 28


@dataclass(frozen=True, slots=True)
class People:
    """The cache, open. `source` numbers the recipe's data entries; `boxes` are tight boxes in the crop."""

    folder: Path
    xy: Float32[np.ndarray, "N 19 2"]
    state: UInt8[np.ndarray, "N 19"]
    boxes: Float32[np.ndarray, "N 4"]
    origin: Float32[np.ndarray, "N 2"]  # of the crop in the picture
    scale: Float32[np.ndarray, " N"]  # crop pixels per picture pixel
    source: np.ndarray
    names: np.ndarray
    place: np.ndarray

    def __len__(self) -> int:
        return len(self.xy)

    def rgb(self, number: int) -> UInt8[np.ndarray, "h w 3"]:
        """Decode one crop."""
        shard, start, length = (int(v) for v in self.place[number])
        path = self.folder / f"shard-{shard:04d}.bin"
        with path.open("rb") as file:
            file.seek(start)
            coded = np.frombuffer(file.read(length), np.uint8)
        picture = cv2.imdecode(coded, cv2.IMREAD_COLOR_RGB)
        if picture is None:
            raise DataError(f"{path}: crop {number} cannot be decoded; delete the folder, it is made again")
        return picture


def people(sources: Sequence[Source], settings: CacheSettings) -> People:
    """Open the cache of these sources, making it first if it is not there."""
    opened = [source.samples() for source in sources]
    facts = [(s.kind, s.split, s.every, len(o), *s.content(o)) for s, o in zip(sources, opened, strict=True)]
    folder = cache_dir() / "crops" / fingerprint([VERSION, settings, facts])
    if not (folder / "index.npz").is_file():
        _log.info("cutting people out for %s", folder)
        _make(opened, settings, folder)
    with np.load(folder / "index.npz") as index:
        return People(folder, *(index[key] for key in COLUMNS))


def _make(opened: list[list[Sample]], settings: CacheSettings, folder: Path) -> None:
    draft = folder.with_suffix(".tmp")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    rows, shard = [], bytearray()
    number, limit = 0, settings.shard_mib << 20
    for source, samples in enumerate(opened):
        for name, coded, measures in _cut_all(samples, settings):
            if len(shard) + len(coded) > limit:
                (draft / f"shard-{number:04d}.bin").write_bytes(shard)
                number, shard = number + 1, bytearray()
            rows.append((*measures, source, name, (number, len(shard), len(coded))))
            shard += coded
    (draft / f"shard-{number:04d}.bin").write_bytes(shard)
    if not rows:
        raise DataError(
            "the recipe's data hold no person with enough labelled joints; check kinds and splits"
        )
    columns = [np.asarray(column) for column in zip(*rows, strict=True)]
    np.savez(draft / "index.npz", **dict(zip(COLUMNS, columns, strict=True)))
    shutil.rmtree(folder, ignore_errors=True)
    draft.replace(folder)


def _cut_all(
    samples: list[Sample], settings: CacheSettings
) -> Iterator[tuple[str, bytes, tuple[np.ndarray, ...]]]:
    for sample in samples:
        truth, picture = sample.truth, None
        for k in range(len(truth)):
            box = truth.boxes_px[k]
            if truth.ignore[k] or truth.labelled[k].sum() < settings.fewest or not np.isfinite(box).all():
                continue
            if picture is None:
                picture = sample.rgb()
            xy, state = marey_joints(truth.skeleton, sample.kind, truth.xy_px[k], truth.state[k])
            square = crop_boxes(box, 1.0, settings.extent)
            side = int(np.clip(np.ceil(box_sizes(square).max()), 32, settings.side))
            crop = Crop(square, (side, side))
            shown = cv2.cvtColor(crop.cut(picture), cv2.COLOR_RGB2BGR)
            coded = cv2.imencode(".jpg", shown, (cv2.IMWRITE_JPEG_QUALITY, settings.quality))[1].tobytes()
            corners = crop.to_crop(box.reshape(2, 2)).reshape(4)
            where = square[:2], np.float32(crop.scale[0])
            yield f"{sample.name}#{k}", coded, (crop.to_crop(xy), state, corners, *where)


def marey_joints(
    skeleton: Skeleton, kind: str, xy: Float32[np.ndarray, "J 2"], state: UInt8[np.ndarray, " J"]
) -> tuple[Float32[np.ndarray, "19 2"], UInt8[np.ndarray, " 19"]]:
    """Joints of a set as ours: copied by name, else NaN and unlabelled; never derived."""
    found = np.full((len(MAREY19), 2), np.nan, np.float32)
    known = np.zeros(len(MAREY19), np.uint8)
    for k, joint in enumerate(MAREY19.joints):
        if joint in skeleton.joints and joint not in UNSURE.get(kind, ()):
            own = skeleton.index(joint)
            if state[own] > State.UNLABELLED:
                found[k], known[k] = xy[own], state[own]
    return found, known
