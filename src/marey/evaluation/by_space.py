"""Poses in space: takes of one person before one camera, lifted or from a file, and what they are off by.

Conventions: h36m17, camera axes (X right, Y down, Z ahead), metres, root at 0 on both sides and counted with
its error of 0, as VideoPose3D does. `neck_base` is the nose and `head` the top of the head wherever a set is
not Human3.6M's own (`lifting/windows.py`). A take's frames lie on an even grid of its own rate; what a set
left out is missing there. Rays come through the set's lens; where it has none (recordings) the picture is
taken to be 60° wide over its longer side, and the protocol says so. What stands first, and which joints
count, is the set's custom (`customs.py`).
Statures become metres by one height for everybody (`marey run` assumes 1.70 m). `P1_own_size` is P1 after one
scale for each take, as if the person's height were known.
Axes: a set's truth is turned into its camera's, as lifters answer. A recording is in gravity's axes: where
one side is and the other is not, poses are turned by the one rotation of a take that fits best.
A missing prediction is left out of means (`coverage` says how much is counted) and a miss to 3DPCK and AUC.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64

from marey.core.cameras import Camera
from marey.core.errors import DataError
from marey.core.geometry import box_iou
from marey.core.skeletons import Skeleton
from marey.data.sample import Sample
from marey.evaluation.clips import by_clip, times_of
from marey.evaluation.customs import Custom
from marey.evaluation.judged import Judged
from marey.evaluation.lifts import figures as means
from marey.evaluation.lifts import summed, take_errors
from marey.evaluation.measure import Posed
from marey.evaluation.result import Result
from marey.lifting.lens import lens
from marey.lifting.windows import H36M, ROOT, STEP_S, Track, to_h36m
from marey.metrics import mpjpe

Lifter = Callable[[Iterator[Track]], Iterator[Float64[np.ndarray, "T 17 3"]]]
Axes = Literal["camera", "gravity"]
MM = 1000.0
SHOWN = {
    "P1": "P1_mm", "P1_own_size": "P1_own_size_mm", "P2": "P2_mm", "P3": "P3_mm", "MPJVE_mm_s": "MPJVE_mm_s",
    "acceleration_mm_s2": "acceleration_mm_s2", "3DPCK": "3DPCK@150mm", "AUC": "3DAUC@0:5:150mm",
    "depth": "P1_depth_mm", "plane": "P1_plane_mm", "coverage": "coverage",
}  # fmt: skip
"""What a sum over takes is called in a result."""
BY_ACTION = ("P1", "P2", "P3", "3DPCK", "AUC")
USUAL = Custom()


@dataclass(frozen=True, slots=True)
class Take:
    """One person over time: what a lifter is given, and the truth, NaN where it has none.

    `axes` are the truth's. `body_m` is what a file has of this person in space (None: it is to be lifted).
    """

    name: str
    clip: str
    action: str
    track: Track
    truth_m: Float64[np.ndarray, "T 17 3"]
    rate_hz: float
    axes: Axes
    lens: str
    body_m: Float64[np.ndarray, "T 17 3"] | None = None


def takes(samples: Sequence[Sample], posed: Sequence[Posed] | None = None) -> list[Take]:
    """The takes of a set; 2D is the truth's, or that of the pose whose box lies best on a person's.

    Raises
    ------
    DataError
        If no sample has a truth in space.
    """
    made: list[Take] = []
    for clip, places in by_clip(samples).items():
        held = [samples[k] for k in places]
        beside = [None if posed is None else posed[k] for k in places]
        people = sorted({int(i) for one in held if one.xyz_m is not None for i in one.truth.ids})
        made += [_take(clip, person, held, beside) for person in people]
    if not made:
        raise DataError(f"{samples[0].kind}: no truth in space here; choose h36m, mocap … (docs/data.md)")
    return made


def lifted(made: Sequence[Take], lifter: Lifter, height_m: float) -> list[Take]:
    """Each take with its body lifted, in metres."""
    bodies = lifter(iter([take.track for take in made]))
    return [replace(take, body_m=body * height_m) for take, body in zip(made, bodies, strict=True)]


def judge_space(made: Sequence[Take], axes: Axes, stated: dict[str, Any], custom: Custom = USUAL) -> Judged:
    """Figures of the takes' bodies, which are in `axes`, in the order and over the joints of a custom."""
    counted = list(custom.joints) or list(range(len(H36M)))
    errors = [_errors(take, axes, counted) for take in made]
    sums = [{name: summed(values) for name, values in one.items()} for one in errors]
    parts = [custom.part(take.clip, take.action) for take in made]
    held = means(sums)
    metrics = {SHOWN[name]: held[name] for name in SHOWN}
    tables: dict[str, Any] = {}
    if any(parts):
        of = {
            a: means([s for s, b in zip(sums, parts, strict=True) if a == b]) for a in sorted({*parts} - {""})
        }
        tables["by_action"] = {a: {SHOWN[k]: one[k] for k in BY_ACTION} for a, one in of.items()}
        by = {f"{SHOWN[k]}_by_action": float(np.mean([one[k] for one in of.values()])) for k in ("P1", "P2")}
        metrics = by | metrics
    metrics = {name: metrics[name] for name in custom.first if name in metrics} | metrics
    tables["by_speed"] = {name: held[name] for name in ("slow", "middle", "fast")}
    if len({take.clip for take in made}) <= 20:
        tables["by_clip"] = {
            take.name: {SHOWN[k]: means([one])[k] for k in ("P1", "P1_own_size", "P2", "coverage")}
            for take, one in zip(made, sums, strict=True)
        }

    def figures(weights: np.ndarray) -> dict[str, float]:
        drawn = [one for one, times in zip(sums, weights, strict=True) for _ in range(int(times))]
        table = means(drawn)
        return {SHOWN[name]: table[name] for name in SHOWN}

    every = np.concatenate([one["P1"] for one in errors])
    result = Result(
        protocol={
            "name": "space", "metric": "MPJPE (P1, P2: a similarity a frame, P3: a scale a frame)",
            "root": f"0 on both sides, {'counted' if ROOT in counted else 'not counted'}",
            "joints": [H36M.joints[k] for k in counted],
            "3DPCK": "P1 < 150 mm; AUC over 31 thresholds, 0 included",
            "motion": "differences × rate of the set", "mean": "micro over joints and frames",
            "axes": ", ".join(sorted({_axes(take, axes) for take in made})),
            "lens": ", ".join(sorted({take.lens for take in made})),
            "takes": len(made), **({"by_action": custom.mean} if any(parts) else {}), **stated,
        },
        items=sum(len(take.track) for take in made),
        metrics=metrics,
        per_joint={H36M.joints[k]: _mean(every[:, k]) for k in counted},
        tables=tables,
    )  # fmt: skip
    return Judged(result, [take.clip for take in made], figures)


def _errors(take: Take, axes: Axes, counted: list[int]) -> dict[str, np.ndarray]:
    """Errors by figure, arrays over frames and joints."""
    absent = np.full(take.truth_m.shape, np.nan)
    given, wanted = (absent if take.body_m is None else take.body_m) * MM, take.truth_m * MM
    wanted[:, [k for k in range(len(H36M)) if k not in counted]] = np.nan
    if take.axes != axes:
        given = _turned(given, wanted)
    found = take_errors(given, wanted, take.rate_hz)
    p1 = found["P1"]
    there = np.isfinite(p1)
    size = (given * wanted)[there].sum() / max((given * given)[there].sum(), 1e-9)
    found["P1_own_size"] = mpjpe.errors(size * given, wanted)
    found["acceleration_mm_s2"] = mpjpe.motion_errors(given, wanted, 2, take.rate_hz)
    found["3DPCK"] = np.where(np.isnan(p1), np.nan, p1 < mpjpe.WITHIN_MM)
    near = (p1[..., None] < mpjpe.THRESHOLDS_MM).mean(-1)
    found["AUC"] = np.where(np.isnan(p1), np.nan, near)
    found["coverage"] = np.where(np.isnan(p1), np.nan, there)
    return found


def _axes(take: Take, axes: Axes) -> str:
    return axes if take.axes == axes else "one rotation a take"


def _turned(given: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The poses under the one rotation that brings them nearest to others (Kabsch 1976)."""
    both = np.isfinite(given).all(-1) & np.isfinite(wanted).all(-1)
    u, _, vt = np.linalg.svd(wanted[both].T @ given[both])
    turn = u @ np.diag([1, 1, np.sign(np.linalg.det(u) * np.linalg.det(vt))]) @ vt
    return given @ turn.T


def _take(clip: str, person: int, samples: list[Sample], posed: Sequence[Posed | None]) -> Take:
    times = times_of(samples)
    step = float(np.median(np.diff(times))) if len(times) > 1 else STEP_S
    count = round(float(times[-1]) / step) + 1
    rays, truth, body = (np.full((count, len(H36M), size), np.nan) for size in (2, 3, 3))
    for time_s, sample, one in zip(times, samples, posed, strict=True):
        row = np.flatnonzero(sample.truth.ids == person)
        if sample.xyz_m is None or not len(row):
            continue
        at, skeleton = round(float(time_s) / step), sample.truth.skeleton
        xyz = sample.xyz_m[row[0]].astype(np.float64)
        xyz = xyz if sample.camera is None else sample.camera.to_camera(xyz)
        truth[at] = to_h36m(xyz, skeleton)
        seen = _seen(sample, one, int(row[0]))
        rays[at] = to_h36m(_camera(sample)[0].unproject(seen.xy.astype(np.float64))[..., :2], seen.skeleton)
        body[at] = to_h36m(seen.xyz.astype(np.float64), seen.skeleton)
    first = samples[0]
    return Take(
        name=f"{clip}#{person}", clip=clip, action=first.action,
        track=Track(np.arange(count) * step, rays), truth_m=truth - truth[:, ROOT, None], rate_hz=1 / step,
        axes="gravity" if first.camera is None else "camera", lens=_camera(first)[1],
        body_m=body - body[:, ROOT, None] if np.isfinite(body).any() else None,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Seen:
    """One person on one picture: pixels and, where they are known, places."""

    skeleton: Skeleton
    xy: np.ndarray
    xyz: np.ndarray


def _seen(sample: Sample, posed: Posed | None, row: int) -> _Seen:
    """The truth's pixels, or those of the pose whose box lies best on the person's."""
    skeleton = sample.truth.skeleton if posed is None else posed.skeleton
    nowhere = np.full((len(skeleton), 3), np.nan)
    if posed is None:
        return _Seen(skeleton, sample.truth.xy_px[row], nowhere)
    box = np.nan_to_num(sample.truth.boxes_px[row : row + 1])
    overlap = box_iou(box, posed.boxes_px)[0]
    if not (overlap > 0).any():
        return _Seen(skeleton, nowhere[:, :2], nowhere)
    best = int(overlap.argmax())
    return _Seen(skeleton, posed.xy_px[best], nowhere if posed.xyz_m is None else posed.xyz_m[best])


def _camera(sample: Sample) -> tuple[Camera, str]:
    """The lens of a sample, its axes the world's, and where it comes from."""
    held = sample.camera
    if held is not None and np.isfinite(held.matrix).all():
        return Camera(held.matrix, distortion=held.distortion), "the set's"
    return lens(sample.size)


def _mean(values: np.ndarray) -> float:
    total, count = summed(values)
    return total / count if count else float("nan")
