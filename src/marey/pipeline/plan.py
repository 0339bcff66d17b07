"""What a run is to do: the settings a person chooses, and the methods and networks that follow from them.

Every default of `marey run` is here and nowhere else.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import Any, Literal

from marey.core.errors import SettingsError
from marey.core.geometry import Side, size_of
from marey.core.history import NetworkFile
from marey.core.nouns import Frame, People, Poses
from marey.core.settings import parse, plain
from marey.core.stages import Kind, Method
from marey.export import check as check_format
from marey.finishing.choose import RULES
from marey.lifting.lift import Lift
from marey.methods import method
from marey.people.given import Given
from marey.people.given import ahead as given_ahead
from marey.people.given import stage as given
from marey.video.write import encodes
from marey.weights import Card, Session, load, read_card
from marey.weights import find as on_shelf
from marey.weights.session import Device

Quality = Literal["fast", "balanced", "best"]


@dataclass(frozen=True, slots=True)
class Preset:
    """What a quality stands for. The detector looks every `every_s` seconds, the tracker fills in between.

    People are cut out `side` pixels large (width and height): one network serves every quality, at the price
    that its pictures have.
    """

    find: str
    every_s: float
    estimate: str
    side: Side
    flip: bool


PRESETS: dict[Quality, Preset] = {
    "fast": Preset("detector", 0.2, "baseline-thunder", (128, 192), flip=False),
    "balanced": Preset("detector", 0.1, "baseline-thunder", (192, 256), flip=False),
    "best": Preset("detector", 0.05, "baseline-thunder", (192, 256), flip=True),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run is to do; None stands for what the quality says.

    The first block shapes the recording: `find` and `estimate` name a network (or the path of its card),
    `find` may also be `boxes:FILE`; `subject` is `all`, `largest`, `most-moving` or a person's id; measured
    are the frames shown from `from_s` on and before `to_s`, in clips of about `clip_s`, halos of `halo_s`.
    The second says what is made of it: exports by format, the overlay and its encoder (any that PyAV finds).
    The third is about space: the network that lifts (None: none does) and what is known of camera and people:
    degrees from left to right or a calibration file, heights in metres (`1.82` or `ID=1.82`), degrees;
    whether feet that stand keep their distance, and whether the room is drawn beside the picture.
    The fourth says how: processes, and what becomes of a result that already lies there.
    """

    quality: Quality = "balanced"
    find: str | None = None
    estimate: str | None = None
    flip: bool | None = None
    subject: str = "all"
    from_s: float | None = None
    to_s: float | None = None
    device: Device = "auto"
    clip_s: float = 60.0
    halo_s: float = 1.0

    export: tuple[str, ...] = ()
    overlay: bool = True
    codec: str = "libx264"

    lift: str | None = None
    fov: float | None = None
    intrinsics: str | None = None
    height: tuple[str, ...] = ()
    camera_pitch: float | None = None
    camera_roll: float | None = None
    contacts: bool = False
    overlay_3d: bool = False

    workers: int = 1
    resume: bool = False
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """A method, how it is set, and its network's card (None where it needs none)."""

    method: Method
    settings: Any
    card: Card | None

    @property
    def ahead(self) -> int:
        """Frames of future it needs."""
        return self.method.ahead(self.settings)

    @property
    def weights(self) -> tuple[NetworkFile, ...]:
        """Its network file, by name and hash."""
        return () if self.card is None else (NetworkFile(self.card.name, self.card.sha256),)

    def load(
        self,
        device: Device = "auto",
        threads: int | None = None,
        *,
        alone: bool = False,
        together: int | None = None,
    ) -> Session | None:
        """Load its network; `alone`: items come one at a time; `together`: so many of them mostly at once."""
        if self.card is None:
            return None
        side = getattr(self.settings, "side", 0) if "estimate" in self.method.kinds else 0
        size = size_of(side) if side else None
        return load(self.card, device, threads, alone=alone, size=size, together=together)

    def described(self) -> dict[str, Any]:
        """Name and settings as JSON values."""
        return {"method": self.method.name, **plain(self.settings)}


def stages(plan: Plan, rate: Fraction | None) -> tuple[Stage, Stage]:
    """The stages `find` and `estimate` of a plan, for a video of this frame rate.

    Raises
    ------
    SettingsError, WeightsError
        If a quality, method or network is unknown, or an option does not fit the method.
    """
    if plan.quality not in PRESETS:
        raise SettingsError(f"quality {plan.quality}: unknown; choose one of {', '.join(PRESETS)}")
    preset = PRESETS[plan.quality]
    finder = stage("find", plan.find or preset.find)
    if "every" in _names(finder.settings):
        every = max(1, round(preset.every_s * float(rate or DEFAULT_RATE)))
        finder = replace(finder, settings=replace(finder.settings, every=every))
    estimator = stage("estimate", plan.estimate or preset.estimate)
    if plan.estimate is None:
        estimator = replace(estimator, settings=replace(estimator.settings, side=preset.side))
    flip = preset.flip if plan.flip is None else plan.flip
    if "flip" in _names(estimator.settings):
        estimator = replace(estimator, settings=replace(estimator.settings, flip=flip))
    elif plan.flip:
        raise SettingsError(f"--flip: {estimator.method.name} has no flip test; leave the option out")
    return finder, estimator


def check(plan: Plan) -> None:
    """Find what is wrong with a plan before hours go into it.

    Raises
    ------
    SettingsError, WeightsError
        If a name in it is unknown, a number out of range, or an option does not fit its method.
    """
    stages(plan, None)
    _check_space(plan)
    for name in plan.export:
        if check_format(name).metres and plan.lift is None:
            raise SettingsError(f"--export {name}: holds metres; add --lift dgnet")
    if plan.subject not in RULES and not plan.subject.isdecimal():
        raise SettingsError(f"--subject {plan.subject}: unknown; choose {', '.join(RULES)} or a person's id")
    if plan.overlay and not encodes(plan.codec):
        raise SettingsError(f"--codec {plan.codec}: this FFmpeg has no such encoder; try libx264")
    if plan.workers < 1:
        raise SettingsError(f"--workers {plan.workers}: must be at least 1")
    if plan.from_s is not None and plan.to_s is not None and plan.from_s >= plan.to_s:
        raise SettingsError(f"--from {plan.from_s:g} --to {plan.to_s:g}: nothing lies between; exchange them")


def heights(told: Iterable[str]) -> Lift:
    """People's heights from `1.82` (everyone's) and `ID=1.82` (one person's).

    Raises
    ------
    SettingsError
        If one is no height of a person in metres.
    """
    everyone: float | None = None
    own: dict[str, float] = {}
    for text in told:
        person, equals, number = text.rpartition("=")
        try:
            metres = float(number)
        except ValueError:
            metres = 0.0
        if not 0.3 <= metres <= 2.8 or (equals and not person.isdecimal()):
            raise SettingsError(
                f"--height {text}: metres are expected, such as 1.82, or ID=1.82 for one person"
            )
        if equals:
            own[person] = metres
        else:
            everyone = metres
    return Lift(height_m=everyone, heights_m=own)


def _check_space(plan: Plan) -> None:
    """What concerns lifting. Raises as `check` does."""
    known = {
        "fov": plan.fov, "intrinsics": plan.intrinsics, "height": plan.height or None,
        "camera-pitch": plan.camera_pitch, "camera-roll": plan.camera_roll,
        "contacts": plan.contacts or None, "overlay-3d": plan.overlay_3d or None,
    }  # fmt: skip
    if plan.lift is None:
        said = [name for name, value in known.items() if value is not None]
        if said:
            raise SettingsError(f"--{said[0]}: is about lifting; add --lift dgnet, or leave it out")
        return
    stage("lift", plan.lift)
    heights(plan.height)
    for name, angle in (("pitch", plan.camera_pitch), ("roll", plan.camera_roll)):
        if angle is not None and not -180 <= angle <= 180:
            raise SettingsError(f"--camera-{name} {angle:g}: degrees between -180 and 180 are expected")


DEFAULT_RATE = Fraction(30)
"""Frames per second where a source does not say (our choice: what most cameras give)."""


GIVEN = Method(name="boxes", paper="", kinds=("find",), settings=Given, ahead=given_ahead, stage=given)
"""`--find boxes:FILE`: no method of finding people, so none of METHODS."""


def stage(kind: Kind, name: str) -> Stage:
    """A stage by its network's name or path, set as the card says; `boxes:FILE` finds without a network.

    Raises
    ------
    SettingsError, WeightsError
        If there is no such network, or its method is of another kind.
    """
    if kind == "find" and name.startswith("boxes:"):
        return Stage(GIVEN, Given(name.removeprefix("boxes:")), None)
    card = read_card(on_shelf(name))
    chosen = method(card.method)
    if kind not in chosen.kinds:
        raise SettingsError(f"--{kind} {name}: {card.method} cannot {kind}; see `marey weights list`")
    return Stage(chosen, parse(chosen.settings, card.settings, str(card.path)), card)


def find(
    frames: Iterable[Frame], name: str = PRESETS["balanced"].find, device: Device = "auto", **settings: Any
) -> Iterator[People]:
    """Find and follow the people on frames, one `People` per frame, in order; nothing runs until asked.

    Parameters
    ----------
    frames
        Frames of one video, in order: `read(path)`.
    name
        Network, or the path of its card; `boxes:FILE` takes boxes from elsewhere.
    device
        `auto`, `cpu` or `cuda`.
    settings
        Changes to the method's settings.

    Raises
    ------
    MareyError
        If the network or a setting is unknown.
    """
    yield from _stream("find", frames, name, device, settings)


def estimate(
    people: Iterable[People],
    name: str = PRESETS["balanced"].estimate,
    device: Device = "auto",
    **settings: Any,
) -> Iterator[Poses]:
    """Estimate the joints of people, one `Poses` per `People`, in order; nothing runs until asked.

    Parameters are those of `find`. Raises `MareyError` if the network or a setting is unknown.
    """
    yield from _stream("estimate", people, name, device, settings)


def _stream(
    kind: Kind, items: Iterable[Any], name: str, device: Device, settings: dict[str, Any]
) -> Iterator[Any]:
    chosen = stage(kind, name)
    given = parse(type(chosen.settings), {**plain(chosen.settings), **settings}, name)
    chosen = replace(chosen, settings=given)
    yield from chosen.method.stage(iter(items), given, chosen.load(device))


def _names(settings: Any) -> set[str]:
    return {field.name for field in fields(settings)}
