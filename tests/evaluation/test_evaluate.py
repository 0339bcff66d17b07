"""`marey eval` from its words to its file; rivals come out as measured elsewhere."""

import json
from pathlib import Path

import numpy as np
import pytest
import rivals

import data_trees as trees
from marey.cli import main
from marey.core.errors import SettingsError
from marey.data import open_kind
from marey.evaluation import evaluate
from marey.evaluation.measure import pose_all, true_boxes
from marey.evaluation.poses import judge_poses


@pytest.fixture
def lsp(tmp_path: Path) -> Path:
    return trees.lsp(tmp_path / "lsp")


def test_a_shipped_network_on_the_command_line(lsp: Path, tmp_path: Path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["eval", "baseline-lightning", "--data", f"lsp:{lsp}", "--split", "train", "--no-flip"]
    assert main([*words, "--save", "tiny", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    kept = json.loads((tmp_path / "results" / "tiny.json").read_text())
    assert printed["metrics"] == kept["metrics"]
    assert kept["items"] == 2
    assert kept["protocol"] | {"boxes": "truth", "flip_test": False, "split": "train"} == kept["protocol"]
    assert kept["made"]["command"] == f"marey {' '.join(words)}"
    assert len(kept["made"]["weights"]["sha256"]) == 64
    assert main(words) == 0
    assert "PCK@0.2" in capsys.readouterr().out


def test_a_detector_on_the_command_line(tmp_path: Path, capsys):
    trees.negatives(tmp_path)
    assert main(["eval", "detector", "--data", f"negatives:{tmp_path}", "--json"]) == 0
    held = json.loads(capsys.readouterr().out)
    assert held["items"] == 3
    assert held["protocol"]["name"] == "false-alarms"


def test_wrong_words_are_refused(lsp: Path, tmp_path: Path, capsys):
    assert main(["eval", "no-such", "--data", f"lsp:{lsp}"]) in (1, 2)
    assert main(["eval", "default", "--data", "lsp"]) == 2
    assert main(["eval", "default", "--data", f"lsp:{lsp}", "--boxes", "nowhere.json"]) == 2
    for line in capsys.readouterr().err.splitlines():
        assert line.startswith("marey: ")
    with pytest.raises(SettingsError, match="pck-torso"):
        evaluate("baseline-lightning", f"lsp:{lsp}", protocol="pck")
    with pytest.raises(SettingsError, match="no flip test"):
        evaluate("detector", f"lsp:{lsp}", flip=True)


@pytest.mark.data
@pytest.mark.slow
def test_movenet_comes_out_as_measured(shared_data: Path):
    """85.0 at 0.2 and 66.6 at 0.1 on LSP 801–1000, measured before this code was written."""
    samples = open_kind("lsp", shared_data / "lsp", "val")
    rival = rivals.MoveNet(shared_data / "teachers" / "movenet-lightning.onnx", 192)
    held = judge_poses("pck-torso", samples, pose_all(samples, true_boxes, rival))
    assert held.metrics["PCK@0.2/12"] == pytest.approx(0.850, abs=0.004)
    assert held.metrics["PCK@0.1/12"] == pytest.approx(0.666, abs=0.006)
    low, high = held.intervals["PCK@0.2/12"]
    assert low < held.value < high


@pytest.mark.data
def test_truth_in_the_right_half_pixel(shared_data: Path):
    """A label half a pixel off shows as a common offset against a network that was trained on many sets."""
    samples = open_kind("lsp", shared_data / "lsp", "val")[:40]
    rival = rivals.MoveNet(shared_data / "teachers" / "movenet-lightning.onnx", 192)
    off = []
    for sample, one in zip(samples, pose_all(samples, true_boxes, rival), strict=True):
        there = one.skeleton.converter(sample.truth.skeleton)(one.xy_px)[0] - sample.truth.xy_px[0]
        off.append(there[np.linalg.norm(there, axis=1) < 8])
    assert np.abs(np.median(np.concatenate(off), axis=0)).max() < 1.0
