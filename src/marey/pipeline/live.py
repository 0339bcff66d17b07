"""Live video: one clip without end, measured causally, the newest frame first.

There is no queue anywhere: the next frame is asked for when the last one is done, and the source hands out
the newest it has. So the lag stays that of one frame, and what could not be measured in time is dropped.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from marey.core.errors import SettingsError
from marey.core.nouns import Frame, Poses
from marey.pipeline.plan import Plan, Stage, stages
from marey.video.live import Live


@dataclass(frozen=True, slots=True)
class Sight:
    """The poses of a live frame; `index` counts every frame received, `dropped` those never measured.

    `lag_s` is the time from the frame's arrival to its poses.
    """

    poses: Poses
    index: int
    lag_s: float
    dropped: int


def watch(source: Live, plan: Plan) -> Iterator[Sight]:
    """Measure a running source until it ends.

    Parameters
    ----------
    source
        An open source (`video.live.live`).
    plan
        Its quality, methods and device count; nothing else does.

    Raises
    ------
    SettingsError
        If a method needs frames of the future.
    VideoError
        If the source is lost for good.
    """
    finder, estimator = (causal(stage) for stage in stages(plan, source.info.rate))
    networks = [stage.load(plan.device, alone=True, together=1) for stage in (finder, estimator)]
    received: list[int] = []
    people = finder.method.stage(_numbered(source, received), finder.settings, networks[0])
    for poses in estimator.method.stage(people, estimator.settings, networks[1]):
        yield Sight(poses, received.pop(0), source.lag_s, source.dropped)


def causal(stage: Stage) -> Stage:
    """The stage as it runs live: one frame at a time, no look into the future.

    Raises
    ------
    SettingsError
        If the method cannot.
    """
    settings = _causal(stage.settings)
    live = replace(stage, settings=settings)
    if live.ahead:
        raise SettingsError(f"{stage.method.name}: needs {live.ahead} frames of the future; choose another")
    return live


def _causal(settings: Any) -> Any:
    """Settings, nested ones too, with a batch of one and `live` switched on where they know these."""
    known = {field.name: getattr(settings, field.name) for field in fields(settings)}
    changes = {name: value for name, value in (("batch", 1), ("live", True)) if name in known}
    nested = {name: _causal(value) for name, value in known.items() if is_dataclass(value)}
    return replace(settings, **changes, **nested)


def _numbered(source: Live, received: list[int]) -> Iterator[Frame]:
    """Frames numbered as they are measured, so that the detector's turn comes whatever is dropped."""
    for number, frame in enumerate(source.frames()):
        received.append(frame.index)
        yield replace(frame, index=number)
