"""Lifted recordings of known places, for tests of what is made of them."""

from fractions import Fraction

import numpy as np

from marey.core.history import History, Source
from marey.core.recording import Recording
from marey.core.rows import Rows, blank, concat
from marey.core.skeletons import MAREY19
from marey.core.space import Space

MORE = ("root", "spine", "thorax")
JOINTS = (*MAREY19.joints, *MORE)
NTSC = Fraction(30000, 1001)


def source(rate: Fraction | None = NTSC, variable: bool = False) -> Source:
    return Source("walk.mp4", (1280, 720), 0, rate, variable, None, 0.0)


def lifted(places: dict[int, np.ndarray], time_s: np.ndarray, where: Source | None = None) -> Recording:
    """People by id: places (T, 22, 3) of `JOINTS`; rows that place nothing do not show the person."""
    frame, people, shown = np.arange(len(time_s)), [], []
    for person, xyz in places.items():
        seen = ~np.isnan(xyz).all((1, 2))
        people.append(_track(frame[seen], time_s[seen], person))
        shown.append((np.full(seen.sum(), person), frame[seen], xyz[seen]))
    rows = concat(people, len(MAREY19))
    ids, frames, xyz = (np.concatenate(column) for column in zip(*shown, strict=True))
    xyz = xyz[np.lexsort((ids, frames))].astype(np.float32)
    scores = np.where(np.isnan(xyz[:, :19, 0]), np.nan, 0.75).astype(np.float32)
    space = Space(np.ascontiguousarray(xyz[:, :19]), scores, MORE, np.ascontiguousarray(xyz[:, 19:]))
    scale = {"scale_source": {str(person): "height" for person in places}}
    return Recording.of(rows, frame, time_s, History(source=where or source(), lift=scale), space)


def _track(frame: np.ndarray, time_s: np.ndarray, person: int) -> Rows:
    rows, rng = blank(frame, time_s, len(MAREY19), person), np.random.default_rng(person)
    rows.xy_px[:] = rng.uniform(0, 700, rows.xy_px.shape)
    rows.raw_xy_px[:], rows.scores[:] = rows.xy_px, rng.random(rows.scores.shape)
    rows.boxes_px[:], rows.box_scores[:] = (10, 20, 110, 220), 0.5
    return rows


def wandering(count: int, seed: int = 0, missing: float = 0.0) -> np.ndarray:
    """Places (count, 22, 3) of a cloud that moves smoothly; eyes and ears are never placed."""
    rng = np.random.default_rng(seed)
    phase = rng.uniform(0, 6, (22, 3)) + np.arange(count)[:, None, None] / 10
    xyz = rng.uniform(-1, 2, (22, 3)) + np.sin(phase)
    xyz[rng.random((count, 22)) < missing] = np.nan
    xyz[:, 1:5] = np.nan
    return xyz


def jointed(count: int, seed: int = 0) -> np.ndarray:
    """Places (count, 22, 3) of a body whose bones keep their lengths and point anywhere."""
    rng = np.random.default_rng(seed)
    tree = {
        "spine": "root", "thorax": "spine", "nose": "thorax", "head_top": "nose",
        **{f"{side}_{a}": (f"{side}_{b}" if b in ("knee", "hip", "elbow", "shoulder") else b)
           for side in ("left", "right")
           for a, b in (("shoulder", "thorax"), ("elbow", "shoulder"), ("wrist", "elbow"),
                        ("hip", "root"), ("knee", "hip"), ("ankle", "knee"))},
    }  # fmt: skip
    at = {"root": np.cumsum(rng.normal(0, 0.05, (count, 3)), 0) + np.array([0, 1, -4])}
    for joint, above in tree.items():
        way = rng.normal(0, 1, (count, 3))
        at[joint] = at[above] + rng.uniform(0.1, 0.5) * way / np.linalg.norm(way, axis=-1, keepdims=True)
    nowhere = np.full((count, 3), np.nan)
    return np.stack([at.get(joint, nowhere) for joint in JOINTS], 1)
