"""Looking at a data set before trusting it: its figures, what is wrong with it, and a sheet of pictures.

Conventions: on the sheet the person's left is blue and the right orange, as everywhere (`video.draw`);
occluded joints are faint, ignore regions say so.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8

from marey.core.errors import DataError
from marey.core.geometry import box_sizes
from marey.data.files import Samples
from marey.data.sample import Sample, State
from marey.video.draw import draw_boxes, draw_poses

TILE_PX = 256
OPACITY = np.array([np.nan, 0.45, 1.0], np.float32)
"""How strongly a joint is drawn, by its `State`."""
FAR = 2.0
"""Truth further outside than this many picture sizes is reported (our choice; LSPET goes that far)."""


def describe(samples: Samples) -> dict[str, Any]:
    """Figures of a data set: pictures, people, joints, heights, what is known of them."""
    people = labelled = occluded = posed = ignored = boxed_all = joints = 0
    clips, sizes, heights = set(), Counter(), []
    for sample in samples:
        truth = sample.truth
        people += int((~truth.ignore).sum())
        ignored += int(truth.ignore.sum())
        posed += int(truth.labelled.any(1).sum())
        joints += truth.state[truth.labelled.any(1)].size
        labelled += int(truth.labelled.sum())
        occluded += int((truth.state == State.OCCLUDED).sum())
        boxed_all += sample.boxed_all
        clips.add(sample.clip)
        sizes[sample.size] += 1
        heights.extend(box_sizes(truth.boxes_px)[~truth.ignore, 1].tolist())
    known = np.array(heights)[np.isfinite(heights)]
    return {
        "kind": samples[0].kind,
        "skeleton": samples[0].truth.skeleton.name,
        "pictures": len(samples),
        "clips": len(clips),
        "people": people,
        "people_with_joints": posed,
        "ignore_regions": ignored,
        "joints_labelled": round(labelled / joints, 4) if joints else 0.0,
        "joints_occluded": round(occluded / joints, 4) if joints else 0.0,
        "pictures_where_everybody_is_boxed": boxed_all,
        "height_px": dict(zip(("least", "median", "most"), _quantiles(known), strict=True)),
        "commonest_size": "×".join(map(str, sizes.most_common(1)[0][0])),
    }


def problems(samples: Samples) -> Iterator[str]:
    """One line for each thing that is wrong: pictures that do not decode, truth that cannot be."""
    seen: set[str] = set()
    for k in range(len(samples)):
        try:
            sample = samples[k]
            rgb = sample.rgb()
        except DataError as error:
            yield str(error)
            continue
        if sample.name in seen:
            yield f"{sample.name}: the name occurs twice"
        seen.add(sample.name)
        if rgb.shape[1::-1] != sample.size:
            yield f"{sample.name}: the picture is {rgb.shape[1::-1]}, its labels say {sample.size}"
        yield from _impossible(sample)


def sheet(samples: Samples, count: int = 24, columns: int = 6) -> UInt8[np.ndarray, "H W 3"]:
    """A contact sheet of `count` samples spread evenly over the set, with their truth drawn."""
    chosen = np.unique(np.linspace(0, len(samples) - 1, min(count, len(samples))).round().astype(int))
    tiles = [_tile(samples[int(k)]) for k in chosen]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    rows = [np.concatenate(tiles[k : k + columns], 1) for k in range(0, len(tiles), columns)]
    return np.concatenate(rows)


def _quantiles(values: np.ndarray) -> list[float | None]:
    return [round(float(v), 1) for v in np.quantile(values, (0, 0.5, 1))] if len(values) else [None] * 3


def _impossible(sample: Sample) -> Iterator[str]:
    truth, size = sample.truth, np.array(sample.size, np.float32)
    if np.isnan(truth.xy_px[truth.labelled]).any():
        yield f"{sample.name}: a labelled joint has no position"
    off = np.abs(truth.xy_px / size - 0.5) > 0.5 + FAR
    for person, joint in zip(*np.nonzero(off.any(-1)), strict=True):
        where = ", ".join(f"{v:.0f}" for v in truth.xy_px[person, joint])
        yield f"{sample.name}: {truth.skeleton.joints[joint]} lies at ({where}), far outside the picture"
    for box in truth.boxes_px[np.isfinite(truth.boxes_px).all(1)]:
        if (box[2:] <= box[:2]).any():
            yield f"{sample.name}: the box {box.round(1).tolist()} is empty"


def _tile(sample: Sample) -> UInt8[np.ndarray, "h w 3"]:
    truth, scale = sample.truth, TILE_PX / max(sample.size)
    size = tuple(max(1, round(side * scale)) for side in sample.size)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    rgb = np.asarray(cv2.resize(sample.rgb(), size, interpolation=way), np.uint8)
    names = ["ignore" if ignored else "" for ignored in truth.ignore]
    rgb = draw_boxes(rgb, truth.boxes_px * np.float32(scale), np.full(len(truth), -1), names)
    if len(truth.skeleton):
        nobody = np.full(len(truth), -1)
        scores = OPACITY[truth.state]
        rgb = draw_poses(rgb, truth.xy_px * np.float32(scale), scores, nobody, truth.skeleton, threshold=0.0)
    tile = np.zeros((TILE_PX + 16, TILE_PX, 3), np.uint8)
    tile[: rgb.shape[0], : rgb.shape[1]] = rgb
    name = sample.name if len(sample.name) < 40 else "..." + sample.name[-37:]
    cv2.putText(
        tile, name, (2, TILE_PX + 12), cv2.FONT_HERSHEY_SIMPLEX, 0.35, (255, 255, 255), 1, cv2.LINE_AA
    )
    return tile
