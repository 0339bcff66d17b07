"""What is judged over whole clips, not picture by picture: who is who, poses in space, calibrated cameras.

`tracks`  a network (or a quality of `marey run`) finds, estimates, follows and finishes every clip
`space`   a lifter on true 2D, or on the 2D of an estimator at true or found boxes; or a lifted recording
`views`   an estimator in all cameras, triangulated; or with a lifter, each camera's lift beside that
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from marey.core.errors import SettingsError
from marey.data.sample import Sample
from marey.evaluation.by_space import judge_space, lifted, takes
from marey.evaluation.by_views import judge_views, scene, view_takes
from marey.evaluation.clips import Chain, beside, by_clip, chain, recorded, times_of
from marey.evaluation.customs import CUSTOMS, Custom
from marey.evaluation.filed import write_poses
from marey.evaluation.intervals import bootstrap
from marey.evaluation.judged import Judged
from marey.evaluation.made import network_of
from marey.evaluation.measure import Posed, pose_all, true_boxes
from marey.evaluation.poses import TRACKS, judge_poses
from marey.evaluation.result import Result
from marey.methods import method
from marey.pipeline.plan import PRESETS, Plan, heights, stage
from marey.weights import find, read_card

Aim = Literal["", "tracks", "space", "views"]
SPACE = ("h36m", "h3wb", "humaneva", "mpi_inf_3dhp", "panoptic", "mocap")
"""Kinds that are judged in space unless another protocol is asked for."""
VIEWS = ("pose2sim",)
"""Kinds that are one scene before calibrated cameras, without a truth."""
RULE = "most-moving"
"""Whom cameras look at, unless asked otherwise (our choice: bystanders stand)."""
PROTOCOLS = ("space", "views")


def aim(kind: str, protocol: str | None, name: str | None, lift: str | None) -> Aim:
    """What is to be judged over whole clips; nothing (empty) where pictures are judged one by one.

    Raises
    ------
    SettingsError
        If a lifter is to be judged by a protocol of 2D, or cameras and protocol do not fit.
    """
    lift = lift or (name if name is not None and _lifts(name) else None)
    if lift and protocol not in (None, *PROTOCOLS):
        raise SettingsError(
            f"--protocol {protocol}: is about 2D, and {lift} lifts; leave it out or give space"
        )
    if (protocol or "views") == "views" and kind in VIEWS:
        return "views"
    if protocol == "views" or kind in VIEWS:
        raise SettingsError(
            f"--protocol {protocol}: {', '.join(VIEWS)} and views go together, and with no other"
        )
    if protocol == "space" or lift or (protocol is None and kind in SPACE):
        return "space"
    return "tracks" if protocol in TRACKS else ""


def by_network(
    aim: Aim, name: str, samples: Sequence[Sample], write: Path | None, asked: dict[str, Any]
) -> tuple[Result, list[Posed], dict[str, Any]]:
    """Measure a network: the result, the poses on each picture, and what made them.

    Raises
    ------
    MareyError
        If an option does not fit what is measured.
    """
    if aim == "views" and _lifts(name):
        raise SettingsError(f"{name}: these cameras have no true 2D; name an estimator and --lift {name}")
    if aim != "space":
        if (asked.get("boxes") or "find") != "find":
            raise SettingsError(f"--boxes {asked['boxes']}: people are followed as found here; give find")
        posed, told = _measured(name, samples, asked)
    else:
        posed, told = _posed(name, samples, asked)
    if write is not None:
        if not posed:
            raise SettingsError(f"--write: {name} estimates no poses; leave the option out")
        write_poses(write, samples, posed)
    lifter = name if _lifts(name) else asked.get("lift")
    if aim == "tracks":
        return judge_poses(asked["protocol"], samples, posed), posed, told
    result, more = _in_space(aim, samples, posed or None, lifter, asked)
    return result, posed, told | more


def by_poses(
    aim: Aim, samples: Sequence[Sample], posed: Sequence[Posed], asked: dict[str, Any]
) -> tuple[Result, dict[str, Any]]:
    """Measure poses from a file: the result, and what was done to them. Raises as `by_network`."""
    if aim == "tracks":
        return judge_poses(asked["protocol"], samples, posed), {}
    return _in_space(aim, samples, posed, asked.get("lift"), asked)


def _in_space(
    aim: Aim,
    samples: Sequence[Sample],
    posed: Sequence[Posed] | None,
    lifter: str | None,
    asked: dict[str, Any],
) -> tuple[Result, dict[str, Any]]:
    rule = asked.get("subject") or RULE
    if aim == "views":
        held = scene(samples, posed or (), rule)
        if lifter is None:
            return judge_views(held, rule), {}
        made, joints = view_takes(held)
        custom = Custom(joints=tuple(joints))
        truth = (
            f"triangulation of {len(held.cameras)} cameras, turned to agree (protocol views); subject {rule}"
        )
    else:
        made, truth = takes(samples, posed), "the set's"
        custom = CUSTOMS.get(samples[0].kind, Custom())
    if lifter is None:
        if all(take.body_m is None for take in made):
            raise SettingsError(
                "--poses: these have no places in space; give a lifted recording, or --lift dgnet"
            )
        return _with_intervals(judge_space(made, "gravity", {"truth": truth, "2D": "none"}, custom)), {}
    chosen = stage("lift", lifter)
    height = heights(asked.get("height") or ()).height(0)
    run = partial(chosen.method.stage, settings=chosen.settings, network=chosen.load())
    stated = {
        "truth": truth, "2D": "true" if posed is None else "estimated", "scale": height[1],
        "height_m": height[0], "flip_test": bool(getattr(chosen.settings, "flip", False)),
    }  # fmt: skip
    judged = judge_space(lifted(made, run, height[0]), "camera", stated, custom)
    return _with_intervals(judged), {"lift": {"name": lifter, **network_of(chosen)}}


def _measured(
    name: str, samples: Sequence[Sample], asked: dict[str, Any]
) -> tuple[list[Posed], dict[str, Any]]:
    """Every clip as `marey run` measures it."""
    clips = by_clip(samples)
    held = {clip: [samples[k] for k in places] for clip, places in clips.items()}
    times = {clip: times_of(of) for clip, of in held.items()}
    how = _chain(name, asked.get("flip"), max(times.values(), key=len))
    recordings = {clip: recorded(of, times[clip], how) for clip, of in held.items()}
    return beside(samples, recordings), how.described()


def _chain(name: str, flip: bool | None, times_s: np.ndarray) -> Chain:
    quality = "balanced" if name == "default" else name
    if quality in PRESETS:
        return chain(Plan(quality=quality, flip=flip), times_s)  # pyright: ignore[reportArgumentType]
    return chain(Plan(estimate=name, flip=flip), times_s)


def _posed(name: str, samples: Sequence[Sample], asked: dict[str, Any]) -> tuple[list[Posed], dict[str, Any]]:
    """2D for lifting: none where it is true, else an estimator's, at true boxes or found ones."""
    if _lifts(name):
        return [], {}
    if not asked.get("lift"):
        raise SettingsError(
            f"{name}: estimates 2D; add --lift dgnet to judge it in space, or --protocol for 2D"
        )
    if asked.get("boxes") == "find":
        return _measured(name, samples, asked)
    if asked.get("boxes") not in (None, "truth"):
        raise SettingsError(f"--boxes {asked['boxes']}: in space, give truth or find")
    estimator = _chain(name, asked.get("flip"), np.zeros(0)).estimator
    run = partial(estimator.method.stage, settings=estimator.settings, network=estimator.load())
    return pose_all(samples, true_boxes, run), network_of(estimator)


def _lifts(name: str) -> bool:
    if name == "default" or name in PRESETS:
        return False
    return "lift" in method(read_card(find(name)).method).kinds


def _with_intervals(judged: Judged) -> Result:
    """With intervals where there is more than one clip: one alone says nothing of others."""
    if len(set(judged.clips)) < 2:
        return judged.result
    return replace(judged.result, intervals=bootstrap(judged.clips, judged.figures))
