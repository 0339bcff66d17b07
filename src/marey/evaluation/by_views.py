"""Calibrated cameras that see one person: how well 2D agrees with itself, and space to hold lifting against.

Accuracy on real video without labels: the subject's joints in all cameras are triangulated (`core/views.py`:
views weighted by score, one left out at a time until the rest agree), and each view is compared with it. An
estimator may still be wrong in all views alike (a hip set too low is low everywhere), and what was left out
is not in the errors: read them beside the share that was triangulated.
- `left_out_px`: how far a view is from what the other views say without it; the headline, for a view cannot
  pull the point towards itself. `reprojection_px`: how far from the point that it helped to make.
- `triangulated`: share of joints × frames on which at least two views agree.
Calibrations are often off by a degree, which is more than estimators err. The cameras are therefore turned
about their centres until the twelve limb joints agree best (`turned_deg`), and figures of the cameras as
calibrated stand beside (`…_as_calibrated`). Means are over the limb joints; every joint is in the table.
Subject: in each camera by itself, by the rule of `marey run --subject`. Frames of one number belong together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from marey.core.cameras import Camera
from marey.core.errors import DataError
from marey.core.files import natural
from marey.core.skeletons import Skeleton
from marey.core.views import agreed, left_out_px, turned
from marey.data.sample import Sample
from marey.evaluation.by_space import Take
from marey.evaluation.clips import by_clip, times_of
from marey.evaluation.measure import Posed
from marey.evaluation.result import Result
from marey.finishing.choose import choose
from marey.lifting.windows import H36M, ROOT, Track, to_h36m

LIMBS = tuple(
    f"{side}_{joint}"
    for side in ("left", "right")
    for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
)
WITHIN = 0.05
"""Views agree within this share of the person's height in the picture (our choice: half a head)."""
LEAST_SCORE = 0.2
"""A joint below was not seen, as in lifting."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One person in V cameras over T frames: places, weights (0: not seen), and heights, px (NaN: absent)."""

    names: tuple[str, ...]
    cameras: list[Camera]
    skeleton: Skeleton
    times_s: Float64[np.ndarray, " T"]
    xy: Float64[np.ndarray, "V T J 2"]
    weights: Float64[np.ndarray, "V T J"]
    heights_px: Float64[np.ndarray, "V T"]

    @property
    def within_px(self) -> float:
        """How near views must be to agree."""
        return WITHIN * float(np.nanmedian(self.heights_px))

    def flat(self, joints: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Places (V, T·K, 2) and weights (V, T·K) of some joints."""
        views = len(self.cameras)
        xy, weights = self.xy[:, :, list(joints)], self.weights[:, :, list(joints)]
        return xy.reshape(views, -1, 2), weights.reshape(views, -1)


def scene(samples: Sequence[Sample], posed: Sequence[Posed], rule: str) -> Scene:
    """The subject in all cameras.

    Raises
    ------
    DataError
        If there are not two cameras, a frame has no calibrated camera, or the rule finds nobody in one.
    """
    clips = dict(sorted(by_clip(samples).items(), key=lambda item: natural(item[0])))
    if len(clips) < 2:
        raise DataError(f"{samples[0].kind}: one camera only; triangulation needs two")
    numbers = {clip: [samples[k].name.rpartition("/")[2] for k in places] for clip, places in clips.items()}
    common = [n for n in next(iter(numbers.values())) if all(n in held for held in numbers.values())]
    skeleton = posed[0].skeleton
    xy = np.full((len(clips), len(common), len(skeleton), 2), np.nan)
    weights, heights = np.zeros(xy.shape[:3]), np.full(xy.shape[:2], np.nan)
    cameras: list[Camera] = []
    for v, (clip, places) in enumerate(clips.items()):
        places = [k for k, number in zip(places, numbers[clip], strict=True) if number in common]
        cameras.append(_camera(samples[places[0]]))
        who = _subject(clip, [samples[k] for k in places], [posed[k] for k in places], rule)
        for t, k in enumerate(places):
            one = posed[k]
            row = np.flatnonzero(np.isin(() if one.ids is None else one.ids, who))
            if len(row):
                at = row[0]
                scores = np.where(one.scores[at] >= LEAST_SCORE, one.scores[at], 0)
                xy[v, t], heights[v, t] = one.xy_px[at], one.boxes_px[at, 3] - one.boxes_px[at, 1]
                weights[v, t] = np.where(np.isnan(one.xy_px[at]).any(-1), 0, scores)
    first = next(iter(clips.values()))
    times = times_of([samples[k] for k in first])[: len(common)]
    return Scene(tuple(clips), cameras, skeleton, times, xy, weights, heights)


@dataclass(frozen=True, slots=True, eq=False)
class _Agreement:
    """What cameras say of every joint: its place, which views stand for it, and how far each is off, px."""

    xyz: Float64[np.ndarray, "T J 3"]
    used: Bool[np.ndarray, "V T J"]
    errors_px: Float64[np.ndarray, "V T J"]
    left_out_px: Float64[np.ndarray, "V T J"]

    def figures(self, joints: Sequence[int] | int) -> dict[str, float]:
        """Figures of some joints."""
        there = np.all(np.isfinite(self.xyz), axis=-1)
        return {
            **_spread("left_out_px", self.left_out_px[:, :, joints]),
            **_spread("reprojection_px", self.errors_px[:, :, joints]),
            "triangulated": float(there[:, joints].mean()),
        }


def judge_views(held: Scene, rule: str) -> Result:
    """How well the cameras agree on the subject."""
    joints = list(held.skeleton.joints)
    limbs = _limbs(held)
    mended, degrees = turned(held.cameras, *held.flat(limbs), held.within_px)
    after, before = _agreement(held, mended), _agreement(held, held.cameras)
    given = {f"{name}_as_calibrated": value for name, value in before.figures(limbs).items()}
    by_joint = {name: after.figures(j) for j, name in enumerate(joints)}
    by_camera = {
        name: {
            **_spread("left_out_px", after.left_out_px[v][:, limbs]), "turned_deg": float(degrees[v]),
            "used": float(after.used[v][:, limbs].mean()),
            "height_px": float(np.nanmedian(held.heights_px[v])),
            "frames": float(np.isfinite(held.heights_px[v]).mean()),
        }
        for v, name in enumerate(held.names)
    }  # fmt: skip
    return Result(
        protocol={
            "name": "views", "metric": "agreement of calibrated cameras, px of the picture (median, 95 %)",
            "triangulation": "linear, weighted by score, one Gauss–Newton step; views left out one by one",
            "within_px": round(held.within_px, 2), "within": f"{WITHIN:g} × the person's median height",
            "least_score": LEAST_SCORE, "subject": rule, "cameras": len(held.cameras),
            "frames": len(held.times_s), "height_px": round(float(np.nanmedian(held.heights_px)), 1),
            "directions": "turned about the cameras' centres to agree; as calibrated beside",
            "joints": [joints[k] for k in limbs],
        },
        items=len(held.times_s),
        metrics=after.figures(limbs) | {"views_used": float(after.used[:, :, limbs].sum(0).mean())} | given,
        per_joint={name: row["left_out_px"] for name, row in by_joint.items()},
        tables={"by_joint": by_joint, "by_camera": by_camera},
    )  # fmt: skip


def view_takes(held: Scene) -> tuple[list[Take], list[int]]:
    """A take for each camera, its truth the triangulation of all; and the joints of h36m17 to compare.

    These are the limb joints about the mid-hips: nose and top of the head are too ill-defined to stand as a
    truth.
    """
    mended, _ = turned(held.cameras, *held.flat(_limbs(held)), held.within_px)
    xyz = _agreement(held, mended).xyz
    rate = 1 / float(np.median(np.diff(held.times_s)))
    made: list[Take] = []
    for name, camera, xy in zip(held.names, mended, held.xy, strict=True):
        ahead = Camera(camera.matrix, distortion=camera.distortion)
        track = Track(held.times_s, to_h36m(ahead.unproject(xy)[..., :2], held.skeleton))
        truth = to_h36m(camera.to_camera(xyz), held.skeleton)
        truth -= truth[:, ROOT, None]
        # One scene, however many cameras: no interval can be drawn from it.
        made.append(Take(name, "scene", "", track, truth, rate, "camera", "the calibration's"))
    return made, [sources[0] for sources in H36M.converter(Skeleton("limbs", LIMBS, (), ())).sources]


def _limbs(held: Scene) -> list[int]:
    return [held.skeleton.index(name) for name in LIMBS]


def _agreement(held: Scene, cameras: list[Camera]) -> _Agreement:
    every = held.flat(range(len(held.skeleton)))
    points = agreed(cameras, *every, held.within_px)
    apart = left_out_px(cameras, *every, points.used)
    shape = held.weights.shape
    xyz = points.xyz.reshape(*shape[1:], 3)
    errors = np.where(points.used, points.errors_px, np.nan)
    return _Agreement(xyz, points.used.reshape(shape), errors.reshape(shape), apart.reshape(shape))


def _camera(sample: Sample) -> Camera:
    if sample.camera is None:
        raise DataError(f"{sample.kind} {sample.name}: no calibrated camera; choose pose2sim")
    return sample.camera


def _subject(clip: str, samples: list[Sample], posed: list[Posed], rule: str) -> tuple[int, ...]:
    """Ids of the subject in one camera."""
    if any(one.ids is None for one in posed):
        raise DataError(
            f"{clip}: these poses do not say who is who; give a recording, or a file with track_id"
        )
    ids = np.concatenate([np.zeros(0, np.int64), *[one.ids for one in posed if one.ids is not None]])
    boxes = np.concatenate([np.zeros((0, 4), np.float32), *[one.boxes_px for one in posed]])
    times = np.repeat(times_of(samples), [len(one.boxes_px) for one in posed])
    who = choose(rule, ids, boxes, times)
    if not who:
        raise DataError(f"{clip}: --subject {rule} finds nobody in this camera")
    return who


def _spread(name: str, values: np.ndarray) -> dict[str, float]:
    """Median and 95 % of what is there."""
    known = values[np.isfinite(values)]
    middle, high = np.percentile(known, (50, 95)) if len(known) else (np.nan, np.nan)
    return {name: float(middle), f"{name}_95": float(high)}
