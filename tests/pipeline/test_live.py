"""Live: every frame is answered at once, by methods that need no future."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from marey.core.errors import SettingsError
from marey.core.folders import sample_clip
from marey.core.nouns import Frame
from marey.pipeline.live import causal, watch
from marey.pipeline.plan import Plan, Stage, stages
from marey.video.read import read


class _Slow:
    """Stands in for a source: the newest of frames that come at 25 Hz whether asked for or not."""

    def __init__(self, clip: Path) -> None:
        self.video = read(clip)
        self.info = self.video.info
        self.dropped = 0
        self.lag_s = 0.01

    def frames(self) -> Iterator[Frame]:
        kept = [frame for frame in self.video if frame.index % 3 == 1]
        self.dropped = len(self.video) - len(kept)
        yield from kept


@pytest.mark.slow
def test_a_walker_is_followed_though_frames_are_dropped() -> None:
    source = _Slow(sample_clip())
    sights = list(watch(source, Plan(quality="fast")))  # pyright: ignore[reportArgumentType]
    assert [sight.index for sight in sights] == [k for k in range(len(source.video)) if k % 3 == 1]
    assert [sight.poses.frame.time_s for sight in sights] == [source.video.times_s[s.index] for s in sights]
    seen = [sight for sight in sights if len(sight.poses)]
    assert len(seen) > 0.8 * len(sights)
    assert {int(sight.poses.people.ids[0]) for sight in seen} == {1}


def test_every_stage_of_every_quality_can_run_live() -> None:
    for quality in ("fast", "balanced", "best"):
        for stage in stages(Plan(quality=quality), Fraction(30)):
            assert causal(stage).ahead == 0


def test_a_method_that_needs_the_future_is_refused() -> None:
    stage = stages(Plan(), Fraction(30))[1]
    late = Stage(replace(stage.method, ahead=lambda settings: 4), stage.settings, None)
    with pytest.raises(SettingsError, match="needs 4 frames of the future"):
        causal(late)
