"""The recipes that come with marey: each can be read, and the one for one's own pictures does its work."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.data_trees import coco, note

from marey import weights
from marey.cli import main
from marey.core.settings import parse
from marey.methods import method
from marey.training.recipe import read_recipe

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_can_be_read(path: Path) -> None:
    recipe = read_recipe(path, [], {})
    settings = parse(method(recipe.method).settings, recipe.settings, path.name)
    assert isinstance(settings, method(recipe.method).settings)
    assert recipe.data
    assert recipe.name == path.stem


def test_a_run_belongs_to_the_network_it_tunes(tmp_path: Path) -> None:
    shipped = weights.find("baseline-lightning")
    recipe = tmp_path / "mine.toml"
    prints = []
    for sha in ("1" * 64, weights.read_card(shipped).sha256):  # another file under the same name
        card = replace(weights.read_card(shipped), sha256=sha)
        (tmp_path / "base.onnx").write_bytes(shipped.with_suffix(".onnx").read_bytes())
        weights.write_card(card, tmp_path / "base.toml")
        recipe.write_text(f'start = "shelf:{tmp_path / "base.toml"}"\ndata = [{{kind = "coco"}}]\n')
        prints.append(read_recipe(recipe, [], {}).print)
    assert prints[0] != prints[1]


def test_a_shipped_network_is_tuned_on_own_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAREY_CACHE", str(tmp_path / "cache"))
    people = [note(k, 21, [8.0 + k, 6.0, 30.0, 40.0]) for k in (1, 2)]
    mine = coco(tmp_path / "mine", "train2017", people, images=(21,))
    tune = next(path for path in RECIPES if path.stem == "tune")
    small = ["train.steps=1", "train.batch=2", "train.micro=2", "train.precision=32-true"]
    changes = [word for change in small for word in ("--set", change)]
    assert main(["train", str(tune), "--data", f"coco:{mine}", "-o", str(tmp_path / "out"), *changes]) == 0
    tuned = weights.load(capsys.readouterr().out.strip(), "cpu")
    shipped = weights.read_card(weights.find("baseline-thunder"))
    assert tuned.card.settings.items() >= shipped.settings.items()
    assert shipped.sha256[:12] in tuned.card.starts
    assert {row["kind"] for row in tuned.card.data} >= {row["kind"] for row in shipped.data}
    rgb = np.random.default_rng(0).integers(0, 256, (1, 256, 256, 3), np.uint8)
    before = weights.load(replace(shipped, bf16=False), "cpu")({"rgb": rgb})["heat"]
    after = tuned({"rgb": rgb})["heat"]
    assert 0 < np.abs(after - before).sum(axis=(2, 3)).max() < 0.5  # one small step, not another network
