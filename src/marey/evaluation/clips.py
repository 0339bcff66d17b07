"""Whole clips as `marey run` measures them: find, estimate, finish; what comes out lies beside each picture.

Conventions: the pictures of a clip are its frames, in the natural order of their names; `time_s` is the
sample's, or where a set has none, the number in its name ÷ 25 (as of a folder of pictures). Frames that a set
leaves out are not shown to the tracker, but their time passes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from marey.core.files import natural
from marey.core.history import History, Source
from marey.core.nouns import Frame
from marey.core.recording import Recording, collect
from marey.data.sample import Sample
from marey.evaluation.measure import Posed
from marey.finishing import Finishing, finish
from marey.pipeline.plan import DEFAULT_RATE, Plan, Stage, stages
from marey.weights.session import Session

RATE_HZ = 25.0
"""Of pictures without times (docs/conventions.md)."""


@dataclass(frozen=True, slots=True)
class Chain:
    """What measures clips: a finder and an estimator with their networks, and what is done afterwards."""

    finder: Stage
    estimator: Stage
    networks: tuple[Session | None, Session | None]
    finishing: Finishing

    def described(self) -> dict[str, Any]:
        """Both stages' settings and networks as JSON values."""
        told = {"find": self.finder, "estimate": self.estimator}
        return {
            word: {**one.described(), "weights": {w.name: w.sha256 for w in one.weights}}
            for word, one in told.items()
        }


def chain(plan: Plan, times_s: np.ndarray) -> Chain:
    """The stages of a plan for clips whose frames come at such times."""
    steps = np.diff(times_s)
    rate = Fraction(1 / float(np.median(steps))).limit_denominator(1001) if len(steps) else DEFAULT_RATE
    finder, estimator = stages(plan, rate)
    return Chain(finder, estimator, (finder.load(), estimator.load()), Finishing(subject=plan.subject))


def by_clip(samples: Sequence[Sample]) -> dict[str, list[int]]:
    """Positions of each clip's samples, in the order of their names."""
    held: dict[str, list[int]] = {}
    names = [(sample.clip, sample.name) for sample in samples]
    for k, (clip, _) in enumerate(names):
        held.setdefault(clip, []).append(k)
    return {clip: sorted(places, key=lambda k: natural(names[k][1])) for clip, places in held.items()}


def times_of(samples: Sequence[Sample]) -> np.ndarray:
    """Seconds of a clip's samples from the first of them."""
    told = np.array([sample.time_s for sample in samples], np.float64)
    if np.isfinite(told).all() and (np.diff(told) > 0).all():
        return told - told[0]
    stems = [sample.name.rpartition("/")[2] for sample in samples]
    numbers = [int(stem) for stem in stems if stem.isdecimal()]
    if len(numbers) == len(stems) and (np.diff(numbers) > 0).all():
        return (np.array(numbers) - numbers[0]) / RATE_HZ
    return np.arange(len(stems)) / RATE_HZ


def recorded(samples: Sequence[Sample], times_s: np.ndarray, how: Chain) -> Recording:
    """Measure one clip; its frames are numbered as the samples are."""

    def frames() -> Iterator[Frame]:
        for k, (sample, time_s) in enumerate(zip(samples, times_s.tolist(), strict=True)):
            yield Frame(k, time_s, sample.rgb())

    found, estimated = how.networks
    people = how.finder.method.stage(frames(), how.finder.settings, found)
    poses = how.estimator.method.stage(people, how.estimator.settings, estimated)
    source = Source(samples[0].clip, samples[0].size)
    history = History(source=source, weights=(*how.finder.weights, *how.estimator.weights))
    for word, one in (("find", how.finder), ("estimate", how.estimator)):
        history = history.then(word, one.described())
    return finish(collect(poses, history), how.finishing)


def posed_at(recording: Recording, frame: int) -> Posed:
    """A recording's people on one frame, as poses beside a picture."""
    rows, space = recording.rows, recording.space
    place = np.flatnonzero((rows.frame == frame) & rows.seen)
    xyz = None if space is None else space.xyz_m[place]
    rows = rows.take(place)
    worth = np.where(np.isnan(rows.box_scores), 1, rows.box_scores).astype(np.float32)
    scores = np.nan_to_num(rows.scores)
    return Posed(recording.skeleton, rows.boxes_px, worth, rows.xy_px, scores, ids=rows.person, xyz_m=xyz)


def beside(samples: Sequence[Sample], recordings: Mapping[str, Recording]) -> list[Posed]:
    """What recordings of all clips, their frames numbered from 0, have beside each sample."""
    posed: dict[int, Posed] = {}
    for clip, places in by_clip(samples).items():
        posed |= {k: posed_at(recordings[clip], frame) for frame, k in enumerate(places)}
    return [posed[k] for k in range(len(samples))]
