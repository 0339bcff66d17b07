"""Looking at a data set before trusting it: its figures, what is wrong with it, and a sheet of pictures.

Conventions: on the sheet the person's left is blue and the right orange, as everywhere (`video.draw`);
occluded joints are faint, ignore regions say so or are outlined. Where the people take a small share
of the picture, the sheet shows the part about them.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from jaxtyping import Int, UInt8

from marey.core.errors import DataError
from marey.core.geometry import box_sizes
from marey.data.files import Samples
from marey.data.sample import Sample, State
from marey.video.draw import draw_boxes, draw_poses

TILE_PX = 256
OPACITY = np.array([np.nan, 0.45, 1.0], np.float32)
"""How strongly a joint is drawn, by its `State`."""
SMALL = 0.4
"""People who take a smaller share of the picture's longer side are shown enlarged (our choice)."""
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


def _part(sample: Sample) -> Int[np.ndarray, " 4"]:
    """What of a picture is shown: all of it, or what surrounds people who are small in it."""
    size = np.array(sample.size)
    boxes = sample.truth.boxes_px[np.isfinite(sample.truth.boxes_px).all(1)]
    whole = np.array([0, 0, *size])
    if not len(boxes):
        return whole
    low, high = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    half = (high - low).max()
    if not 0 < half < SMALL * size.max():
        return whole
    middle = (low + high) / 2
    corners = np.concatenate([np.floor(middle - half), np.ceil(middle + half)]).astype(int)
    inside = np.clip(corners, 0, [*size, *size])
    return inside if (inside[2:] > inside[:2]).all() else whole


def _tile(sample: Sample) -> UInt8[np.ndarray, "h w 3"]:
    truth, part = sample.truth, _part(sample)
    width, height = part[2:] - part[:2]
    scale = TILE_PX / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    left, top, right, bottom = part
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    seen = np.ascontiguousarray(sample.rgb()[top:bottom, left:right])
    rgb = np.asarray(cv2.resize(seen, size, interpolation=way), np.uint8)
    for region in sample.regions_px:
        outline = ((region - part[:2]) * scale).round().astype(np.int32)
        cv2.polylines(rgb, [outline], True, (255, 255, 0), 1, cv2.LINE_AA)
    names, nobody = ["ignore" if ignored else "" for ignored in truth.ignore], np.full(len(truth), -1)
    origin = part.astype(np.float32)[[0, 1, 0, 1]]
    rgb = draw_boxes(rgb, (truth.boxes_px - origin) * np.float32(scale), nobody, names)
    if len(truth.skeleton):
        xy = (truth.xy_px - origin[:2]) * np.float32(scale)
        rgb = draw_poses(rgb, xy, OPACITY[truth.state], nobody, truth.skeleton, threshold=0.0)
    tile = np.zeros((TILE_PX + 16, TILE_PX, 3), np.uint8)
    tile[: rgb.shape[0], : rgb.shape[1]] = rgb
    name = sample.name if len(sample.name) < 40 else "..." + sample.name[-37:]
    cv2.putText(
        tile, name, (2, TILE_PX + 12), cv2.FONT_HERSHEY_SIMPLEX, 0.35, (255, 255, 255), 1, cv2.LINE_AA
    )
    return tile
