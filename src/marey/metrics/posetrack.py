"""PoseTrack: AP of each joint, and MOTA of each joint, of the poses of all people in video.

Conventions (Andriluka et al., CVPR 2018, as their evaluation, poseval, counts): the 15 joints of
`posetrack15`; a joint is right if it lies within 0.5 (**≤**) of the head size, 0.6 × the diagonal of the true
head box (`head_px`). A predicted pose belongs to the true pose with which the share of true joints that are
right is largest; a true pose takes its best prediction (`matching.mutual`); the joints of all other
predictions are false.
- AP: of each joint over all frames, by the joint's score, monotone precision integrated over recall; the
  total is the plain mean over joints. `AP_head` averages head top, neck and nose, the others left and right.
- MOTA: of each joint on its own, CLEAR MOT as py-motmetrics counts it: a pair of ids lasts while it is within
  the threshold, also over gaps; the rest is paired by least distance (most pairs first); a switch is a pair
  other than the true person's last. 1 − (misses + false + switches) ÷ true joints; the counts are summed over
  sequences, then the mean over joints is taken. MOTP = 1 − mean distance of pairs, in head sizes (0 for a
  joint without pairs).
Missing: NaN. A joint without a score comes last. A predicted joint of a matched pose that the truth does not
label is false; so is nothing else that one would excuse: points inside ignore regions must be taken out of
both sides beforehand (`without`). Ids may not repeat in a frame.

`strict_server` reproduces what poseval does besides:
- frames without true people are dropped together with what was predicted on them;
- the last frame of each sequence is left out of tracking;
- a frame where one side has no people counts one miss and one false alarm a joint, however many there are;
- a joint that nobody predicted has AP 0, though no truth has it.
Not reproduced: poseval's MOTP with later versions of py-motmetrics, whose events list each distance twice.
2018's ears are not scored. For MOTA, but not for AP, weak joints and poses are usually left out first
(`confident`): print both thresholds.
Metrics in [0, 1]: AP, MOTA, MOTP, precision, recall, and those of each joint.
Arrays of one frame: D predictions, G true people, J joints.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from marey.core.errors import DataError
from marey.core.geometry import box_sizes
from marey.core.skeletons import POSETRACK15
from marey.metrics.matching import Assign, area_under, mutual

WITHIN = 0.5
HEAD_SHARE = 0.6
NO_SCORE = -9999.0
"""What poseval gives a joint without a score."""
GROUPS = {
    "head": ("head_top", "neck", "nose"),
    **{
        part: (f"right_{part}", f"left_{part}")
        for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    },
}


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: predictions with scores and ids, true people with head sizes and ids; NaN is missing."""

    xy: Float[np.ndarray, "D J 2"]
    scores: Float[np.ndarray, "D J"]
    ids: Int[np.ndarray, " D"]
    truth: Float[np.ndarray, "G J 2"]
    head_px: Float[np.ndarray, " G"]
    truth_ids: Int[np.ndarray, " G"]


@dataclass(frozen=True, slots=True)
class Judged:
    """Joints of the predictions of one frame: their scores (NaN: not predicted), right or not; truths."""

    scores: Float[np.ndarray, "D J"]
    right: Bool[np.ndarray, "D J"]
    truths: Int[np.ndarray, " J"]


@dataclass(frozen=True, slots=True)
class Counts:
    """What MOTA stands on, of each joint; `+` combines sequences."""

    truths: Float[np.ndarray, " J"]
    misses: Float[np.ndarray, " J"]
    false: Float[np.ndarray, " J"]
    switches: Float[np.ndarray, " J"]
    pairs: Float[np.ndarray, " J"]
    distance: Float[np.ndarray, " J"]

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, name) + getattr(other, name) for name in Counts.__slots__))


def head_px(boxes: Float[np.ndarray, "G 4"]) -> Float[np.ndarray, " G"]:
    """Head size from head boxes, px."""
    return HEAD_SHARE * np.linalg.norm(box_sizes(boxes.astype(np.float64)), axis=-1)


def validate(frame: Frame) -> None:
    """Refuse repeated ids, and head sizes that are none."""
    for name, ids in (("predicted", frame.ids), ("true", frame.truth_ids)):
        if len(np.unique(ids)) != len(ids):
            raise DataError(f"PoseTrack: a {name} id is there twice in one frame; give each person its own")
    if not (frame.head_px > 0).all():
        raise DataError("PoseTrack: a true person has no head size; leave the person out or give a head box")


def without(frame: Frame, polygons: Sequence[Float[np.ndarray, "_ 2"]]) -> Frame:
    """The frame without joints inside ignore regions, on both sides."""

    def kept(xy: Float[np.ndarray, "N J 2"]) -> Float[np.ndarray, "N J 2"]:
        gone = np.zeros(xy.shape[:2], bool)
        for polygon in polygons:
            gone |= inside(xy, polygon)
        return np.where(gone[..., None], np.nan, xy)

    return replace(frame, xy=kept(frame.xy), truth=kept(frame.truth))


def confident(frame: Frame, joint_score: float, pose_score: float) -> Frame:
    """The frame without predicted joints below a score, and without poses whose mean joint is below another.

    A pose's score is the mean over the joints it has left (our choice; papers do not say).
    """
    weak = ~(frame.scores >= joint_score) | ~_there(frame.xy)
    total = np.where(weak, 0.0, frame.scores).sum(1)
    weak |= (total < pose_score * (~weak).sum(1))[:, None]
    return replace(frame, xy=np.where(weak[..., None], np.nan, frame.xy))


def inside(xy: Float[np.ndarray, "N J 2"], polygon: Float[np.ndarray, "P 2"]) -> Bool[np.ndarray, "N J"]:
    """Joints in an outline, by the even-odd rule: a ray to the right crosses it an odd number of times."""
    x, y = xy[..., 0, None], xy[..., 1, None]
    (x0, y0), (x1, y1) = polygon.T, np.roll(polygon, -1, 0).T
    rise = np.where(y1 == y0, 1.0, y1 - y0)
    crossed = ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) / rise * (x1 - x0))
    return crossed.sum(-1) % 2 == 1


def _there(xy: Float[np.ndarray, "N J 2"]) -> Bool[np.ndarray, "N J"]:
    return np.all(np.isfinite(xy), axis=-1)


def _posed(frame: Frame) -> Frame:
    """The frame without people who have no joint, its ids and head sizes checked."""
    found, true = (np.any(_there(xy), axis=-1) for xy in (frame.xy, frame.truth))
    posed = Frame(
        frame.xy[found], frame.scores[found], frame.ids[found],
        frame.truth[true], frame.head_px[true], frame.truth_ids[true],
    )  # fmt: skip
    validate(posed)
    return posed


def _distances(frame: Frame) -> Float[np.ndarray, "D G J"]:
    """Distances in head sizes; NaN where a side has no joint."""
    off = frame.xy[:, None].astype(np.float64) - frame.truth[None]
    return np.linalg.norm(off, axis=-1) / frame.head_px[None, :, None]


def judge(frame: Frame) -> Judged:
    """Match the poses of one frame and say which predicted joints are right."""
    frame = _posed(frame)
    there = _there(frame.truth)
    right = np.zeros(frame.scores.shape, bool)
    if len(frame.xy) and len(frame.truth):
        near = _distances(frame) <= WITHIN
        person = mutual(near.sum(-1) / np.maximum(there.sum(-1), 1)[None])
        matched = np.flatnonzero(person >= 0)
        right[matched] = near[matched, person[matched]]
    scores = np.where(np.isnan(frame.scores), NO_SCORE, frame.scores)
    scores = np.where(_there(frame.xy), scores, np.nan)
    return Judged(scores, right, there.sum(0))


def average_precision(frames: Sequence[Frame], strict_server: bool = False) -> dict[str, float]:
    """AP of all frames of all sequences: in total, of each group and of each joint."""
    judged = [judge(frame) for frame in frames if len(frame.truth) or not strict_server]
    joints = len(POSETRACK15)
    scores = np.concatenate([one.scores for one in judged] or [np.zeros((0, joints))])
    right = np.concatenate([one.right for one in judged] or [np.zeros((0, joints), bool)])
    truths = sum((one.truths for one in judged), np.zeros(joints))
    values = np.full(joints, np.nan)
    for j in range(joints):
        shown = ~np.isnan(scores[:, j])
        values[j] = area_under(scores[shown, j], right[shown, j], float(truths[j]))
        if strict_server and not shown.any():
            values[j] = 0.0
    return _table("AP", values)


@dataclass(slots=True)
class _Tracks:
    """CLEAR MOT of one joint through one sequence."""

    assign: Assign
    last: dict[int, int] = field(default_factory=dict[int, int])
    counts: Float[np.ndarray, " 6"] = field(default_factory=lambda: np.zeros(6))

    def update(self, truths: list[int], found: list[int], distance: Float[np.ndarray, "G D"]) -> None:
        """Count one frame; NaN distances may not be paired."""
        pairs = self._kept(truths, found, distance)
        rest = distance.copy()
        for g, d in pairs:
            rest[g], rest[:, d] = np.nan, np.nan
        open_ = np.isfinite(rest)
        switches = 0
        if open_.any():
            # As many pairs as can be, and of those the ones of least distance.
            most = 2.0 * (min(rest.shape) + 1) * (rest[open_].max() + 1)
            rows, columns = self.assign(np.where(open_, most - rest, 0.0))
            for g, d in zip(map(int, rows), map(int, columns), strict=True):
                switches += self.last.get(truths[g], found[d]) != found[d]
                self.last[truths[g]] = found[d]
                pairs.append((g, d))
        far = sum(float(distance[g, d]) for g, d in pairs)
        hits = len(pairs)
        self.counts += (len(truths), len(truths) - hits, len(found) - hits, switches, hits, far)

    def _kept(
        self, truths: list[int], found: list[int], distance: Float[np.ndarray, "G D"]
    ) -> list[tuple[int, int]]:
        """Pairs that go on: the same two ids as last, still within the threshold."""
        pairs: list[tuple[int, int]] = []
        taken: set[int] = set()
        for g, truth in enumerate(truths):
            before = self.last.get(truth)
            if before in found and before not in taken:
                d = found.index(before)
                if np.isfinite(distance[g, d]):
                    pairs.append((g, d))
                    taken.add(before)
        return pairs


def track(frames: Sequence[Frame], assign: Assign, strict_server: bool = False) -> Counts:
    """Counts of one sequence; its frames in order of time."""
    if strict_server:
        frames = [frame for frame in frames if len(frame.truth)][:-1]
    tracks = [_Tracks(assign) for _ in POSETRACK15.joints]
    for frame in map(_posed, frames):
        if strict_server and not (len(frame.xy) and len(frame.truth)):
            for one in tracks:
                one.counts += (1, 1, 1, 0, 0, 0)
            continue
        distance = _distances(frame).transpose(2, 1, 0)
        near = np.where(distance <= WITHIN, distance, np.nan)
        there, posed = _there(frame.truth), _there(frame.xy)
        for j, one in enumerate(tracks):
            truths, found = frame.truth_ids[there[:, j]], frame.ids[posed[:, j]]
            one.update(truths.tolist(), found.tolist(), near[j][there[:, j]][:, posed[:, j]])
    return Counts(*np.array([one.counts for one in tracks]).T)


def mota(sequences: Sequence[Counts]) -> dict[str, float]:
    """MOTA, MOTP, precision and recall of all sequences; MOTA also of each group and each joint."""
    zero = np.zeros(len(POSETRACK15))
    total = sum(sequences, Counts(zero, zero, zero, zero, zero, zero))
    truths = np.where(total.truths > 0, total.truths, np.nan)
    shown = total.pairs + total.false
    wrong = total.misses + total.false + total.switches
    means = {
        "MOTP": np.where(total.pairs > 0, 1 - total.distance / np.maximum(total.pairs, 1), 0.0),
        "precision": total.pairs / np.where(shown > 0, shown, np.nan),
        "recall": total.pairs / truths,
    }
    return _table("MOTA", 1 - wrong / truths) | {name: _mean(value) for name, value in means.items()}


def _mean(values: Float[np.ndarray, " J"]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _table(name: str, values: Float[np.ndarray, " J"]) -> dict[str, float]:
    """The mean over joints that have a value, that of each group (plain), and each joint's own."""
    groups = {
        f"{name}_{part}": values[[POSETRACK15.index(j) for j in js]].mean() for part, js in GROUPS.items()
    }
    single = dict(zip(POSETRACK15.joints, values, strict=True))
    return {name: _mean(values)} | {k: float(v) for k, v in (groups | single).items()}
