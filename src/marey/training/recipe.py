"""A recipe: the one TOML file that makes a network, complete and readable alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from marey.core.errors import SettingsError
from marey.core.settings import fingerprint, load_toml, override, parse, plain
from marey.data import open_kind
from marey.data.sample import Sample
from marey.evaluation.result import data_print
from marey.training.augment import Augment
from marey.training.bodies import Lifting
from marey.training.detection_pictures import Mix
from marey.training.loop import TrainSettings
from marey.training.teacher import Teach
from marey.weights import Card, find, read_card

DATA = Path("../shared/data")
"""Where data sets lie unless the recipe or `--data KIND:PATH` says otherwise."""
SHELF = "shelf:"
"""Begins a start that is a network of the shelf, by name or path."""
MADE = ("synth", "bench")
"""Kinds that marey makes itself, so that other samples may lie in the same place tomorrow."""


@dataclass(frozen=True, slots=True)
class Source:
    """One data set: every `every`-th sample of a split, seen `repeat` times in an epoch."""

    kind: str
    split: str = "train"
    every: int = 1
    repeat: float = 1.0
    path: str = ""

    @property
    def folder(self) -> Path:
        """Where the set lies."""
        return Path(self.path) if self.path else DATA / self.kind

    def samples(self) -> list[Sample]:
        """The samples asked for."""
        return list(open_kind(self.kind, self.folder, self.split)[:: self.every])

    def content(self, samples: Sequence[Sample]) -> tuple[str, ...]:
        """What must be known besides the settings to name what is kept of these samples; mostly nothing."""
        return (str(self.folder), data_print(samples)) if self.kind in MADE else ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """What `recipes/NAME.toml` says. `settings` are the method's own, `reach` what the result must meet."""

    method: str
    data: tuple[Source, ...]
    seed: int = 1
    start: str = ""  # what others trained (`trunks/starts.py`), shelf:NETWORK, or a recipe beside this one
    first: "Recipe | None" = None  # that recipe, read
    starts: str = str(DATA / "teachers")
    settings: dict[str, Any] = field(default_factory=dict)
    train: TrainSettings = field(default_factory=TrainSettings)
    augment: Augment = field(default_factory=Augment)
    teach: Teach | None = None  # a larger network that teaches a network of maps
    mix: Mix | None = None  # canvases of a detector
    lifting: Lifting | None = None  # cameras and noise of a lifter
    reach: dict[str, float] = field(default_factory=dict)
    name: str = ""

    @property
    def print(self) -> str:
        """12 digits that name what the recipe says, wherever it lies."""
        says = {key: value for key, value in plain(self).items() if value is not None}
        if self.train.cycles == 1:  # these settings are younger than the prints on shipped cards
            del says["train"]["cycles"]
        if self.train.ends == 1:
            del says["train"]["ends"]
        if not self.augment.sides:
            del says["augment"]["sides"]
        base = shelf_card(self.start)
        if base:  # the name may be another network's tomorrow, and a run must not go on from that
            says["start"] = f"{self.start} {base.sha256}"
        return fingerprint(says)


def read_recipe(
    path: Path, changes: list[str], folders: dict[str, str], later: tuple[str, ...] = ()
) -> Recipe:
    """Read a recipe with `--set` changes and `--data KIND:PATH` folders applied.

    One that it starts from is read with it, from the same folders and starts; `later` are those that start
    from this one. What starts from the shelf has the card's method and settings unless it says otherwise.

    Raises
    ------
    SettingsError
        On what is unknown, missing or of the wrong type, with its place; a recipe that starts from itself.
    """
    if path.name in later:
        raise SettingsError(f"{path.name}: start: it would start from itself, by way of {', '.join(later)}")
    told = override({"name": path.stem, **load_toml(path)}, changes)
    card = shelf_card(str(told.get("start", "")))
    if card:
        told = {"method": card.method, **told, "settings": {**card.settings, **told.get("settings", {})}}
    elif str(told.get("start", "")).endswith(".toml"):
        same = [f"starts={told['starts']}"] if "starts" in told else []
        told["first"] = read_recipe(path.parent / told["start"], same, folders, (*later, path.name))
    for source in told.get("data", []):
        if isinstance(source, dict) and source.get("kind") in folders:
            source["path"] = folders[source["kind"]]
    return parse(Recipe, told, path.name)


def shelf_card(start: str) -> Card | None:
    """The card of a start that is a network of the shelf.

    Raises
    ------
    WeightsError
        If there is no such network.
    """
    return read_card(find(start.removeprefix(SHELF))) if start.startswith(SHELF) else None
