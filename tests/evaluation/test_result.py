"""What is written can be read again and says where it came from."""

import json
from pathlib import Path

import pytest

import data_trees as trees
from marey.core.errors import SettingsError
from marey.data import open_kind
from marey.evaluation.intervals import bootstrap
from marey.evaluation.result import Result, data_print


def test_a_saved_result_is_plain_json(tmp_path: Path):
    result = Result({"name": "coco"}, 3, {"AP": 0.5, "AP_large": float("nan")}, intervals={"AP": (0.4, 0.6)})
    held = json.loads(result.save("coco-val", tmp_path).read_text())
    assert held["value"] == held["metrics"]["AP"] == 0.5
    assert held["metrics"]["AP_large"] is None
    assert held["intervals"]["AP"] == [0.4, 0.6]
    assert {"value", "protocol", "items", "metrics", "per_joint", "intervals"} <= set(held)


def test_names_are_plain(tmp_path: Path):
    with pytest.raises(SettingsError, match="letters"):
        Result({}, 0, {"AP": 0.0}).save("../a", tmp_path)


def test_the_print_names_the_data(tmp_path: Path):
    one = open_kind("lsp", trees.lsp(tmp_path / "one"))
    same = open_kind("lsp", trees.lsp(tmp_path / "two"))
    other = open_kind("lsp", trees.lsp(tmp_path / "three", held=(1, 2)))
    assert data_print(one) == data_print(same) != data_print(other)
    assert len(data_print(one)) == 12


def test_the_interval_of_a_coin():
    """95 % of a mean of 400 coins is 0.5 ± 0.05; drawn in clips of 4 alike it is twice as wide."""
    faces = [k % 2 for k in range(400)]
    alone = bootstrap([str(k) for k in range(400)], lambda w: {"mean": float(w @ faces / w.sum())})["mean"]
    assert alone[1] - alone[0] == pytest.approx(4 * 0.5 / 20, rel=0.2)
    alike = [(k // 4) % 2 for k in range(400)]
    together = bootstrap([str(k // 4) for k in range(400)], lambda w: {"mean": float(w @ alike / w.sum())})
    assert together["mean"][1] - together["mean"][0] == pytest.approx(8 * 0.5 / 20, rel=0.2)
