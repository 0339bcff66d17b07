"""The step `lift` of a run: a finished recording, a lifting network and what is known of the camera."""

import logging
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

from marey.core.errors import SettingsError
from marey.core.recording import Recording
from marey.core.settings import parse, plain
from marey.lifting.lens import lens
from marey.lifting.lift import lift as in_space
from marey.lifting.world import given
from marey.pipeline.plan import Plan, Stage, heights, stage
from marey.weights.session import Device

DEFAULT = "dgnet"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scene:
    """What a person may know of camera and people; the fields of `Plan` of the same names."""

    fov: float | None = None
    intrinsics: str | None = None
    height: tuple[str, ...] = ()
    camera_pitch: float | None = None
    camera_roll: float | None = None
    contacts: bool = False


def scene(plan: Plan) -> Scene:
    """What a plan says of camera and people."""
    return Scene(**{field.name: getattr(plan, field.name) for field in fields(Scene)})


def told(plan: Plan, size: tuple[int, int]) -> dict[str, Any]:
    """How a plan lifts pictures of `size`, as JSON values; two runs of which this is equal lift alike.

    Raises
    ------
    MareyError
        If network, lens or heights are wrong; so it is known before hours are spent.
    """
    if plan.lift is None:
        return {}
    chosen, known = stage("lift", plan.lift), scene(plan)
    lens(size, known.fov, known.intrinsics)
    return {"lift": {**chosen.described(), "weights": _hash(chosen), **plain(known)}}


def lift(recording: Recording, name: str = DEFAULT, device: Device = "auto", **settings: Any) -> Recording:
    """Lift the tracks of a finished recording into space: metres, Y up, the ground at 0.

    Parameters
    ----------
    recording
        Tracks in the pixels of one video; its history says how large the picture is.
    name
        Network, or the path of its card.
    device
        `auto`, `cpu` or `cuda`.
    settings
        `fov` (degrees from left to right) or `intrinsics` (a calibration file), `height` (`("1.82",)` for
        everyone, `("3=1.65",)` for person 3), `camera_pitch`, `camera_roll` (degrees), `contacts` (whether
        feet that stand keep their distance).

    Raises
    ------
    MareyError
        If the network or a setting is unknown, or the recording does not say its picture's size.
    """
    chosen, known = stage("lift", name), parse(Scene, settings, "lift")
    size = recording.history.source.size
    if min(size) <= 0:
        raise SettingsError("lift: the recording does not say the picture's size (source.size); run it again")
    run = partial(chosen.method.stage, settings=chosen.settings, network=chosen.load(device))
    history = recording.history.then("lift", {**chosen.described(), **plain(known)})
    history = replace(history, weights=(*history.weights, *chosen.weights))
    camera = lens(size, known.fov, known.intrinsics)
    world = given(known.camera_pitch, known.camera_roll)
    people = replace(heights(known.height), contacts=known.contacts)
    made = in_space(replace(recording, history=history), run, camera, world, people)
    how = {"method": chosen.method.name, **(made.history.lift or {})}
    scales = ", ".join(dict.fromkeys(how["scale_source"].values())) or "nobody to lift"
    sources = f"{how['camera_source']}; ground: {how['ground_source']}; scale: {scales}"
    _log.info("lifted with %s: %s", chosen.method.name, sources)
    return replace(made, history=replace(made.history, lift=how))


def _hash(chosen: Stage) -> str:
    return "" if chosen.card is None else chosen.card.sha256[:12]
