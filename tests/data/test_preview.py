"""A set is described, checked and shown before it is trusted."""

from pathlib import Path

import numpy as np
import pytest

import data_trees as trees
from marey.cli import main
from marey.data import open_kind
from marey.data.preview import TILE_PX, describe, problems, sheet


def test_figures(tmp_path: Path):
    notes = [trees.note(5, 7, [1, 2, 10, 20]), trees.note(6, 7, [30, 2, 9, 9], False)]
    held = describe(open_kind("coco", trees.coco(tmp_path, "val2017", notes), "all"))
    assert (held["pictures"], held["people"], held["people_with_joints"]) == (2, 2, 1)
    assert held["joints_labelled"] == pytest.approx(16 / 17, abs=1e-4)
    assert held["height_px"] == {"least": 9.0, "median": 14.5, "most": 20.0}


def test_a_sound_set_has_no_problems(tmp_path: Path):
    assert list(problems(open_kind("lsp", trees.lsp(tmp_path)))) == []


def test_problems_name_the_sample(tmp_path: Path):
    notes = [trees.note(5, 7, [1, 2, 0, 20]), trees.note(6, 21, [1, 2, 10, 20])]
    trees.coco(tmp_path, "val2017", notes)
    trees.picture(tmp_path / "val2017" / "000000000021.jpg", (30, 30))
    found = list(problems(open_kind("coco", tmp_path)))
    assert len(found) == 2
    assert "000000000007: the box" in found[0]
    assert "000000000021: the picture is (30, 30)" in found[1]


def test_the_sheet_shows_the_truth_in_its_place(tmp_path: Path):
    samples = open_kind("pennfudan", trees.pennfudan(tmp_path))
    drawn = sheet(samples, count=4, columns=1)
    assert drawn.shape == (TILE_PX + 16, TILE_PX, 3)
    plain = samples[0].rgb()
    scale = TILE_PX / 60
    # The second person's box has its left edge at x = 30 of 60 pixels.
    column = drawn[round(25 * scale), :, :].astype(int)
    there = np.abs(np.diff(column, axis=0)).sum(1)
    assert there[round(30 * scale) - 6 : round(30 * scale) + 6].max() > 200
    assert plain.shape == (40, 60, 3)


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    trees.lsp(tmp_path)
    assert main(["data", "describe", f"lsp:{tmp_path}", "--json"]) == 0
    assert '"pictures": 4' in capsys.readouterr().out
    assert main(["data", "check", f"lsp:{tmp_path}"]) == 0
    assert main(["data", "preview", f"lsp:{tmp_path}", "-o", str(tmp_path / "a.png")]) == 0
    assert (tmp_path / "a.png").stat().st_size > 1000
    assert main(["data", "preview", f"lsp:{tmp_path}", "-o", str(tmp_path / "no" / "a.png")]) == 2
    (tmp_path / "images" / "im0801.jpg").unlink()
    assert main(["data", "check", f"lsp:{tmp_path}"]) == 1
    assert "im0801.jpg" in capsys.readouterr().err
    assert main(["data", "describe", "lsp"]) == 2
