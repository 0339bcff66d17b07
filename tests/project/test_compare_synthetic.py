"""What the comparison compares: arms that differ in data alone, body parts, times with people and without."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from compare_clnet import RECIPES
from compare_synthetic import DETECTORS, ESTIMATORS, by_part, material, rates, share, told

import data_trees_video as trees
from marey.core.skeletons import LSP14
from marey.data.sample import Sample, State, Truth
from marey.evaluation.measure import Posed
from marey.training.recipe import Recipe, Source, read_recipe

ARMS = [[arm.recipe for arm in ESTIMATORS.values()], list(DETECTORS.values())]


@pytest.mark.parametrize("names", ARMS)
def test_arms_differ_in_their_data_alone(names: list[str]) -> None:
    real, both = (read_recipe(RECIPES / f"{name}.toml", [], {}) for name in names)
    assert len({replace(recipe, name="", data=(), reach={}).print for recipe in (real, both)}) == 1
    assert both.data[:-1] == real.data
    assert (both.data[-1].kind, both.data[-1].split) == ("bench", "train")
    assert both.data[-1].every > 1


@pytest.mark.parametrize("names", ARMS)
def test_where_the_material_lies_changes_nothing_of_the_real_arm(names: list[str]) -> None:
    prints = [
        [read_recipe(RECIPES / f"{name}.toml", [], {"bench": folder}).print for name in names]
        for folder in ("here", "there")
    ]
    assert prints[0][0] == prints[1][0]
    assert prints[0][1] != prints[1][1]


def pair(wrong: tuple[str, ...]) -> tuple[Sample, Posed]:
    """Somebody whose torso is 100 px, and a guess that is 30 px off at some joints."""
    xy = np.random.default_rng(0).uniform(20, 180, (1, len(LSP14), 2)).astype(np.float32)
    nothing, box = np.full(1, np.nan, np.float32), np.array([[0, 0, 200, 200]], np.float32)
    truth = Truth(
        skeleton=LSP14, xy_px=xy, state=np.full((1, len(LSP14)), State.VISIBLE, np.uint8), boxes_px=box,
        ids=np.zeros(1, np.int64), areas_px=nothing, torso_px=np.full(1, 100, np.float32), head_px=nothing,
        ignore=np.zeros(1, bool),
    )  # fmt: skip
    guess = xy.copy()
    guess[0, [LSP14.index(name) for name in wrong], 0] += 30
    scores = np.ones((1, len(LSP14)), np.float32)
    sample = Sample("lsp", "a", "a", (200, 200), truth, lambda: np.zeros((200, 200, 3), np.uint8))
    return sample, Posed(LSP14, box, np.ones(1, np.float32), guess, scores)


def test_parts_of_the_body_are_told_apart_and_sides_taken_together() -> None:
    first, second = pair(("left_wrist", "head_top")), pair(("left_wrist", "right_wrist"))
    judged = by_part("lsp", [first[0], second[0]], [first[1], second[1]])
    parts = judged.result.metrics
    assert set(parts) == {"ankle", "knee", "hip", "wrist", "elbow", "shoulder", "neck", "head_top"}
    assert (parts["wrist"], parts["head_top"], parts["knee"]) == (0.25, 0.5, 1.0)
    assert judged.figures(np.array([2.0, 0.0]))["wrist"] == 0.5
    assert judged.clips == ["a", "a"]


def test_times_near_an_empty_stretch_are_neither_empty_nor_peopled() -> None:
    empty, someone = told(np.array([0.0, 1.0, 1.4, 1.6, 2.0]), [(0.0, 1.0)])
    assert empty.tolist() == [True, True, False, False, False]
    assert someone.tolist() == [False, False, False, True, True]


def test_recall_is_asked_where_somebody_is_and_ghosts_where_nobody_is() -> None:
    times, best = np.arange(8) / 2, np.array([0.0, 0.6, 0.9, 0.9, 0.3, 0.0, 0.8, 0.7])
    found = rates(best, times, [(0.0, 0.5)], {"low": 0.25, "high": 0.65, "never": float("nan")})
    assert found == {
        "low": {"score": 0.25, "recall": pytest.approx(5 / 6), "ghosts": 0.5},
        "high": {"score": 0.65, "recall": pytest.approx(4 / 6), "ghosts": 0.0},
    }


def test_the_share_of_what_is_synthetic_counts_repeats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAREY_CACHE", str(tmp_path / "cache"))
    trees.synth(tmp_path / "made")
    made = Source("synth", "all", path=str(tmp_path / "made"), repeat=2.0)
    real = Source("recordings", "all", path=str(tmp_path / "made"), repeat=0.5)
    assert share(Recipe("baseline", (made,))) == 1
    assert share(Recipe("baseline", (made, real))) == pytest.approx(0.8)


def test_the_material_is_named_by_its_truth(tmp_path: Path) -> None:
    (tmp_path / "single" / "train").mkdir(parents=True)
    for k, found in enumerate(("aa", "bb")):
        (tmp_path / "single" / "train" / f"single-train-00{k}.truth").write_text(f"{found} print")
    first = material(tmp_path)
    assert first["clips"] == 2
    (tmp_path / "single" / "train" / "single-train-001.truth").write_text("cc print")
    assert material(tmp_path)["truth"] != first["truth"]
