"""The comparison: its recipes are one family, its figures are the evaluation's, its pairs are pairs."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from compare_clnet import CELL, FAMILIES, RECIPES, compared, mean, split

from marey.core.geometry import size_of
from marey.core.settings import parse
from marey.core.skeletons import LSP14
from marey.data.sample import Sample, State, Truth
from marey.evaluation.measure import Posed
from marey.evaluation.poses import Judged
from marey.evaluation.result import Result
from marey.methods import method
from marey.methods.baseline import Baseline
from marey.training.recipe import read_recipe

FULL = ("clnet-r50-coco-256", "baseline-r50-coco-256", "clnet-hourglass8-coco-256",
        "baseline-hourglass8-coco-256", "clnet-r50-mpii-256", "baseline-r50-mpii-256")  # fmt: skip
ARMS = [(family, name) for family, arms in FAMILIES.items() for name in arms]


def built(recipe_name: str, changes: tuple[str, ...] = ()):
    """The recipe, and a network of its settings that has shapes only."""
    recipe = read_recipe(RECIPES / f"{recipe_name}.toml", list(changes), {})
    settings = parse(method(recipe.method).settings, recipe.settings)
    with torch.device("meta"):
        net = import_module(f"marey.networks.{recipe.method}").build(settings)
    return recipe, settings, net


@pytest.mark.parametrize(("family", "name"), ARMS)
def test_every_arm_can_be_built(family: str, name: str) -> None:
    arm = FAMILIES[family][name]
    _, settings, _ = built(arm.recipe, arm.changes)
    codec = method("baseline" if isinstance(settings, Baseline) else "clnet").codec
    assert codec is not None
    assert codec(settings).size == ((192, 192) if family == "lightning" else (128, 128))


@pytest.mark.parametrize("name", FULL)
def test_recipes_for_whole_sets_can_be_built(name: str) -> None:
    recipe, settings, net = built(name)
    assert settings.side == ((192, 256) if "coco" in name else 256)  # as SimpleBaseline's
    assert not recipe.start
    assert sum(p.numel() for p in net.parameters()) > 20e6
    width, height = size_of(settings.side)
    made = net(torch.empty(1, 3, height, width, device="meta"))
    codec = method(recipe.method).codec
    assert codec is not None
    assert made["logits" if "logits" in made else "heat"].shape[-2:] == codec(settings).cells[::-1]


@pytest.mark.parametrize("family", FAMILIES)
def test_arms_differ_in_settings_alone(family: str) -> None:
    recipes = [
        read_recipe(RECIPES / f"{arm.recipe}.toml", [*arm.changes], {}) for arm in FAMILIES[family].values()
    ]
    shared = {replace(recipe, name="", method="", settings={}, reach={}).print for recipe in recipes}
    assert len(shared) == 1


@pytest.mark.parametrize("trunk", ["r50-coco", "r50-mpii", "hourglass8-coco"])
def test_whole_set_recipes_come_in_equal_pairs(trunk: str) -> None:
    pair = [read_recipe(RECIPES / f"{m}-{trunk}-256.toml", [], {}) for m in ("clnet", "baseline")]
    assert len({replace(recipe, name="", method="", settings={}).print for recipe in pair}) == 1


def sample(k: int, skeleton=LSP14) -> Sample:
    rng = np.random.default_rng(k)
    xy = rng.uniform(20, 180, (1, len(skeleton), 2)).astype(np.float32)
    state = np.full((1, len(skeleton)), State.VISIBLE, np.uint8)
    box = np.array([[10, 10, 190, 190]], np.float32)
    truth = Truth(
        skeleton=skeleton, xy_px=xy, state=state, boxes_px=box, ids=np.array([k]),
        areas_px=np.array([9000], np.float32), torso_px=np.array([60], np.float32),
        head_px=np.array([np.nan], np.float32), ignore=np.zeros(1, bool),
    )  # fmt: skip
    return Sample("lsp", f"{k}", f"{k}", (200, 200), truth, lambda: np.zeros((200, 200, 3), np.uint8))


def guess(one: Sample, off: float) -> Posed:
    truth, rng = one.truth, np.random.default_rng(99 + int(one.name))
    xy = (truth.xy_px + rng.normal(0, off, truth.xy_px.shape)).astype(np.float32)
    scores = rng.uniform(0.3, 1, xy.shape[:2]).astype(np.float32)
    return Posed(truth.skeleton, truth.boxes_px, np.ones(1, np.float32), xy, scores)


def judged(values: np.ndarray) -> Judged:
    """A result whose figure is the weighted mean of its pictures' values."""
    clips = [str(k) for k in range(len(values))]
    result = Result({}, len(values), {"x": float(values.mean())})
    return Judged(result, clips, lambda w: {"x": float(w @ values / w.sum())})


def test_pairs_are_compared_on_the_same_pictures() -> None:
    """What is a constant better on every picture is so with an interval of no width."""
    values = np.random.default_rng(0).uniform(0, 1, 40)
    row = compared([judged(values + 0.3)], [judged(values)])["x"]
    assert (row["difference"], row["low"], row["high"]) == pytest.approx((0.3, 0.3, 0.3))
    noisy = compared([judged(values)], [judged(np.full(40, 0.5))])["x"]
    assert noisy["low"] < noisy["difference"] < noisy["high"]


def test_seeds_are_averaged_before_arms_are_compared() -> None:
    values = np.random.default_rng(1).uniform(0, 1, 40)
    row = compared([judged(values), judged(values + 0.4)], [judged(values), judged(values)])["x"]
    assert (row["difference"], row["low"], row["high"]) == pytest.approx((0.2, 0.2, 0.2))
    assert mean([{"x": 1.0}, {"x": 2.0}]) == {"x": 1.5}


def test_errors_are_split_into_cell_and_place() -> None:
    """The crop is the box enlarged to 128²: a place half a cell on is in the next cell for half of them."""
    settings = Baseline(side=128, padding=1.0)
    one = sample(3)
    shown = 180 / 128  # picture pixels a crop pixel
    exact = guess(one, 0.0)
    parts = split([one], [exact], settings)
    assert parts["right_cell"] == 1
    assert parts["px_in_right_cell"] == pytest.approx(0, abs=1e-3)
    cells_on = replace(exact, xy_px=exact.xy_px + np.float32([CELL * shown, 0]))
    parts = split([one], [cells_on], settings)
    assert (parts["right_cell"], parts["px_in_right_cell"]) == (0, None)
    assert parts["within_one_cell"] == 1
    assert parts["px_within_one_cell"] == pytest.approx(CELL, abs=1e-3)


def test_the_folder_of_recipes_is_the_projects() -> None:
    assert Path(__file__).parents[2] / "recipes" == RECIPES
