"""What the detector learns from: every picture of a recipe with its people, and the batches of a step.

Where a set boxes only some people, YOLOX-nano has a say about the rest of the picture: where it is sure (≥
0.6) somebody is there, between that and 0.3 nobody knows and the place is ignored, below it the picture is
empty. Joints are no boxes: where a set has joints only, their tight box grows by a share of its longer
side, or gives way to YOLOX-nano's box of the same person. Boxes of marey's own clips hold whole people, where
other sets box what is seen: who is mostly hidden there is ignored. Pictures are kept whole and decoded (2 GB
for 7,000) in the user's cache, named by all that made them.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from torch import Tensor

from marey.core.folders import cache_dir
from marey.core.geometry import box_iou, box_sizes
from marey.core.settings import fingerprint, plain
from marey.data.pennfudan import read_mask
from marey.data.sample import Sample
from marey.methods.detector import Detector
from marey.training.detection_pictures import Canvases, Cutout, Mix, Picture
from marey.training.recipe import MADE, Recipe, Source
from marey.training.yolox import YoloxNano

_log = logging.getLogger(__name__)
VERSION = 1
"""Raise it when the code below keeps other pictures or boxes of the same sources."""
LEAST, MAYBE, LIKELY, SURE = 0.1, 0.3, 0.5, 0.6
"""Scores of the second opinion: kept, perhaps a person, better than a box of joints, a person."""
SAME_IOU, OTHER_IOU = 0.5, 0.45
"""Overlap from which two boxes are one person, and up to which they are two."""
HALF_SEEN = 0.15
"""Pixels seen of a synthetic person, as a share of the box: half of what shows in the open (0.3 to 0.6)."""
FROM_JOINTS = ("lsp", "lspet")
GROWTH = 0.07
"""Share of a box's longer side by which joints lie within it (our choice: heels, hands and hair)."""
CUT_OUT_PX = 400
"""People of fewer pixels are too coarse to paste."""

Boxes = Float32[np.ndarray, "N 4"]


@dataclass(frozen=True, slots=True)
class DetectionBatches:
    """Canvases of one side a step, drawn at random by seed and step."""

    canvases: Canvases
    batch: int
    seed: int

    def make(self, step: int) -> dict[str, np.ndarray]:
        """`rgb` uint8 (B, S, S, 3), `boxes` (B, G, 4), `real` (B, G), `ignore` (B, I, 4)."""
        rng = np.random.default_rng((self.seed, step))
        side = int(rng.choice(self.canvases.mix.sides))
        drawn = [self.canvases.draw(side, rng) for _ in range(self.batch)]
        boxes, real = _padded([canvas[1] for canvas in drawn])
        ignore, _ = _padded([canvas[2] for canvas in drawn])
        rgb = np.stack([canvas[0] for canvas in drawn])
        return {"rgb": rgb, "boxes": boxes, "real": real, "ignore": ignore}

    def prepare(self, batch: dict[str, Tensor], step: int) -> dict[str, Tensor]:
        """Nothing is left to do: the network takes uint8."""
        return batch


def detection_batches(recipe: Recipe, settings: Detector) -> DetectionBatches:
    """Batches of a recipe; a picture of a source is drawn in proportion to `repeat`."""
    pictures, cutouts = [], []
    for source in recipe.data:
        held = pictures_of(source, Path(recipe.starts) / "yolox_nano.onnx")
        pictures += [Picture(rgb, boxes, ignore, source.repeat) for rgb, boxes, ignore in held]
        if source.kind == "pennfudan":
            cutouts = cut_out(source)
    _log.info("%d pictures, %d people to paste", len(pictures), len(cutouts))
    return DetectionBatches(Canvases(pictures, cutouts, recipe.mix or Mix()), recipe.train.batch, recipe.seed)


def pictures_of(source: Source, opinion: Path) -> list[tuple[np.ndarray, Boxes, Boxes]]:
    """Pictures of a source, their people and their ignore regions, from the cache if they are there."""
    content = source.content(source.samples()) if source.kind in MADE else ()
    name = fingerprint(
        {"version": VERSION, **plain(source), "repeat": 1.0, **({"content": content} if content else {})}
    )
    folder = cache_dir() / "pictures" / f"{source.kind}-{name}"
    if not (folder / "index.npz").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _keep(source.samples(), YoloxNano(opinion, LEAST), folder)
    pixels = np.memmap(folder / "pixels.u8", np.uint8, "r")
    with np.load(folder / "index.npz") as index:
        sizes, boxes, ignore = (index[key] for key in ("sizes", "boxes", "ignore"))
    ends = sizes.prod(1, dtype=np.int64).cumsum() * 3
    found = []
    for k, (height, width) in enumerate(sizes):
        rgb = pixels[ends[k] - height * width * 3 : ends[k]].reshape(height, width, 3)
        people, regions = (rows[rows[:, 0] == k, 1:].astype(np.float32) for rows in (boxes, ignore))
        found.append((rgb, people, regions))
    return found


def _keep(samples: Sequence[Sample], opinion: YoloxNano, folder: Path) -> None:
    """Write `pixels.u8`, one picture after the other, and `index.npz`; boxes carry their picture's number."""
    sizes, boxes, ignore = [], [], []
    with (folder / "pixels.u8").open("wb") as file:
        for number, sample in enumerate(samples):
            rgb = sample.rgb()
            people, regions = labels(sample, rgb, opinion)
            file.write(np.ascontiguousarray(rgb).tobytes())
            sizes.append(rgb.shape[:2])
            boxes.append(np.insert(people.astype(np.float64), 0, number, axis=1))
            ignore.append(np.insert(regions.astype(np.float64), 0, number, axis=1))
    draft = folder / "draft.npz"
    np.savez(draft, sizes=np.array(sizes), boxes=np.concatenate(boxes), ignore=np.concatenate(ignore))
    draft.replace(folder / "index.npz")


def labels(sample: Sample, rgb: np.ndarray, opinion: YoloxNano) -> tuple[Boxes, Boxes]:
    """The people of a picture and the regions where somebody may be."""
    truth = sample.truth
    known, ignore = np.isfinite(truth.boxes_px).all(1), truth.ignore
    if sample.kind in MADE:
        ignore = ignore | (truth.areas_px < HALF_SEEN * box_sizes(truth.boxes_px).prod(1))
    people, crowds = truth.boxes_px[known & ~ignore], truth.boxes_px[known & ignore]
    if sample.boxed_all:
        return people, crowds
    seen, scores = opinion.detect([rgb])[0]
    if sample.kind in FROM_JOINTS:
        people = _grown(people, seen[scores > LIKELY], rgb.shape[1::-1])
    other = box_iou(seen, people).max(1, initial=0.0) < OTHER_IOU
    sure, maybe = other & (scores >= SURE), other & (scores >= MAYBE) & (scores < SURE)
    return np.concatenate([people, seen[sure]]), np.concatenate([crowds, seen[maybe]])


def _grown(people: Boxes, seen: Boxes, size: tuple[int, int]) -> Boxes:
    """Boxes of whole people from the boxes of their joints."""
    margin = GROWTH * box_sizes(people).max(1, keepdims=True)
    grown = np.concatenate([people[:, :2] - margin, people[:, 2:] + margin], 1)
    grown = np.clip(grown, 0, np.array([*size, *size])).astype(np.float32)
    if len(seen):
        iou = box_iou(grown, seen)
        grown = np.where(iou.max(1, keepdims=True) > SAME_IOU, seen[iou.argmax(1)], grown)
    return grown


def cut_out(source: Source) -> list[Cutout]:
    """The people of Penn-Fudan along their masks."""
    found = []
    for sample in source.samples():
        mask, rgb = read_mask(source.folder, sample.name), sample.rgb()
        for number in np.unique(mask[mask > 0]):
            rows, columns = np.nonzero(mask == number)
            if len(rows) >= CUT_OUT_PX:
                part = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
                own = ((mask[part] == number) * 255).astype(np.uint8)
                found.append(Cutout(np.ascontiguousarray(rgb[part]), own))
    return found


def _padded(rows: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Boxes of several pictures in one array, and which are real."""
    most = max(1, *(len(row) for row in rows))
    boxes, real = np.zeros((len(rows), most, 4), np.float32), np.zeros((len(rows), most), bool)
    for k, row in enumerate(rows):
        boxes[k, : len(row)], real[k, : len(row)] = row, True
    return boxes, real
