"""From a recipe to a network on the shelf: build, start, train, export."""

import importlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from marey.core.errors import SettingsError
from marey.core.folders import cache_dir
from marey.core.geometry import size_of
from marey.core.settings import parse
from marey.core.skeletons import COCO17, MAREY19
from marey.lifting.windows import H36M
from marey.methods import method
from marey.training.begin import begin, take_network
from marey.training.cache import CacheSettings, people
from marey.training.detection import detection_batches
from marey.training.export import Product, export
from marey.training.lifting import lift_batches
from marey.training.loop import Batches, fit
from marey.training.poses import LOOKED_FOR, PoseBatches
from marey.training.recipe import Recipe
from marey.training.teacher import hired
from marey.training.witness import trust

_log = logging.getLogger(__name__)


def make(recipe: Recipe, folder: Path, *, resume: bool = False) -> Path:
    """Train what the recipe says and export it to `folder`; gives the card's path.

    The run lies in the user's cache under the recipe's name and print; `resume` goes on with it.
    """
    if not resume:
        (run_folder(recipe) / "last.pt").unlink(missing_ok=True)
    settings, twin, net = trained(recipe)
    return export(_product(recipe, settings, twin, net), recipe, folder)


def prepared(recipe: Recipe) -> tuple[Any, Any, nn.Module, Batches | None]:
    """Settings, twin, network at its start, and batches (None where nothing is trained)."""
    settings: Any = parse(method(recipe.method).settings, recipe.settings, f"{recipe.name}.toml: settings")
    twin = importlib.import_module(f"marey.networks.{recipe.method}")
    torch.manual_seed(recipe.seed)
    net: nn.Module = twin.build(settings)
    batches = task(recipe.method)(recipe, settings) if recipe.train.steps else None
    if recipe.first:
        take_network(net, trained(recipe.first)[-1])
    else:
        begin(net, recipe, settings, twin)
    return settings, twin, net, batches


def trained(recipe: Recipe) -> tuple[Any, Any, nn.Module]:
    """Settings, twin and network of a recipe, whose run goes on where it stands in the cache."""
    settings, twin, net, batches = prepared(recipe)
    if batches is not None:
        place = run_folder(recipe)
        _log.info("training in %s: loss, rate and speed in curve.jsonl", place)
        net = fit(net, partial(twin.loss, settings=settings), batches, recipe.train, place)
    return settings, twin, net


def run_folder(recipe: Recipe) -> Path:
    """Where the run of a recipe lies, named by what shapes it (not by what is done with it afterwards)."""
    shape = replace(recipe, train=replace(recipe.train, blend=1.0), reach={})
    return cache_dir() / "runs" / f"{recipe.name}-{shape.print}"


def pose_batches(recipe: Recipe, settings: Any) -> Batches:
    """Crops of people with joints, as the recipe's data say."""
    held = people(recipe.data, CacheSettings())
    kinds = np.array([source.kind for source in recipe.data])[held.source]
    lspet = next((source.folder for source in recipe.data if source.kind == "lspet"), Path())
    odds = np.array([source.repeat for source in recipe.data], np.float64)[held.source]
    looked = np.array([LOOKED_FOR.get(kind, 0) for kind in kinds])
    weights = trust(held, kinds == "lspet", lspet, Path(recipe.starts))
    skeleton = COCO17 if settings.skeleton == "coco17" else MAREY19
    _check_sides(recipe, settings)
    if recipe.teach and not _can_be_taught(recipe.method, settings):
        raise SettingsError("teach: only a baseline of maps that learns by cross-entropy can be taught")
    teacher = hired(recipe.teach, skeleton, recipe.train.threads) if recipe.teach else None
    return PoseBatches(
        held, weights, odds, looked, skeleton, settings.side, settings.padding, recipe.augment,
        recipe.train.batch, recipe.seed, teacher, recipe.train.steps // recipe.train.cycles,
    )  # fmt: skip


def _check_sides(recipe: Recipe, settings: Any) -> None:
    """Whether crops can be of the sides that a recipe asks for."""
    rows = recipe.augment.sides
    if not rows:
        return
    if (recipe.method, getattr(settings, "head", "")) != ("baseline", "maps"):
        raise SettingsError("augment.sides: only a baseline of maps learns from crops of several sides")
    if len(rows) != recipe.train.cycles or not all(rows):
        raise SettingsError(f"augment.sides: {len(rows)} rows; one a cycle is needed, none of them empty")
    odd = [side for row in rows for side in row if any(v <= 0 or v % 32 for v in size_of(side))]
    if odd:
        raise SettingsError(f"augment.sides: {odd[0]} is no multiple of 32, the coarsest cells of a trunk")


def _can_be_taught(name: str, settings: Any) -> bool:
    return name == "baseline" and (settings.head, settings.loss) == ("maps", "cross-entropy")


@dataclass(frozen=True, slots=True)
class Task:
    """How a kind of method is given batches."""

    kind: str
    batches: Callable[[Recipe, Any], Batches]


TASKS = (Task("find", detection_batches), Task("estimate", pose_batches), Task("lift", lift_batches))


def task(name: str) -> Callable[[Recipe, Any], Batches]:
    """The batches of a method's kind.

    Raises
    ------
    SettingsError
        When nothing of the kind can be trained.
    """
    kinds = method(name).kinds
    for known in TASKS:
        if known.kind in kinds:
            return known.batches
    raise SettingsError(f"method {name}: nothing that does {', '.join(kinds)} can be trained")


def _product(recipe: Recipe, settings: Any, twin: Any, net: nn.Module) -> Product:
    lifts = "lift" in method(recipe.method).kinds
    exported = twin.Exported(net)
    return Product(
        name=recipe.name,
        module=net,
        wrap=twin.Exported,
        outputs=exported.outputs,
        size=(len(H36M), settings.frames) if lifts else size_of(settings.side),
        skeleton=H36M.name if lifts else getattr(settings, "skeleton", ""),
        settings=settings,
        free=getattr(exported, "free", None),
        joints=twin.example(settings) if lifts else None,
    )
