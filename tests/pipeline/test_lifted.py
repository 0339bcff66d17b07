"""`marey run --lift`: what lies in the folder, what is refused, and that it comes after finishing."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

import marey
from marey.core.errors import DataError, MareyError, SettingsError
from marey.core.folders import sample_clip
from marey.core.recording import Recording
from marey.finishing.angles import ANGLES
from marey.methods.dgnet import DGNet
from marey.networks import dgnet
from marey.pipeline.plan import Plan, check
from marey.pipeline.run import run
from marey.training.export import Product, export
from marey.training.recipe import Recipe
from marey.video.read import read

SETTINGS = {"quality": "fast", "overlay": False, "to_s": 0.8}


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An untrained lifter: its people are no people, but files and rules are the same."""
    torch.manual_seed(0)
    settings = DGNet(width=8)
    net = dgnet.build(settings).eval()
    net.head.weight.data.normal_(0, 0.3)
    product = Product(
        "tiny", net, dgnet.Exported, dgnet.Exported.outputs, (17, 9), "h36m17", settings,
        joints=dgnet.example(settings),
    )  # fmt: skip
    return str(export(product, Recipe("dgnet", (), name="tiny"), tmp_path_factory.mktemp("card")))


def test_a_run_that_lifts(tmp_path: Path) -> None:
    asked = {**SETTINGS, "lift": "dgnet", "contacts": True, "overlay_3d": True}
    made = run(sample_clip(), tmp_path, progress=False, **asked, height=("1.75",))
    folder = tmp_path / "walker.marey"
    back = Recording.open(folder)
    assert back.equals(made)
    assert back.space is not None
    own = back.space.xyz_m[:, back.skeleton.index("left_knee")]
    seen = back.rows.known[:, back.skeleton.index("left_knee")]
    assert np.isfinite(own[seen]).all()
    assert np.isnan(back.space.xyz_m[~back.rows.known]).all()
    lifted = pq.read_table(folder / "lifted.parquet")
    assert lifted.column_names == ["frame", "time_s", "person", "joint", "x_m", "y_m", "z_m"]
    assert set(lifted["joint"].to_pylist()) == {"root", "spine", "thorax"}
    angles = pq.read_table(folder / "angles.parquet")
    assert angles.num_rows == len(back.rows) * len(ANGLES)
    told = json.loads((folder / "run.json").read_text())
    assert told["lift"]["method"] == "dgnet"
    assert told["lift"]["scale_source"] == {"1": "height"}
    assert "assumed" in told["lift"]["camera_source"]
    assert [step["name"] for step in told["steps"]][-1] == "lift"
    assert told["steps"][-1]["settings"]["contacts"] is True
    width, height = read(sample_clip()).info.size
    assert read(folder / "overlay-3d.mp4").info.size == (width + min(height, 2 * width) // 2 * 2, height)
    assert not (folder / "overlay.mp4").exists()
    assert told["lift"]["ground_source"]
    assert {"name": "dgnet", "sha256": marey.load("dgnet").card.sha256} in told["weights"]
    again = run(sample_clip(), tmp_path, progress=False, **asked, height=("1.75",))
    assert again.equals(made)
    with pytest.raises(MareyError, match="height"):
        run(sample_clip(), tmp_path, progress=False, **asked, height=("1.80",))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"fov": 60.0}, "--fov: is about lifting"),
        ({"overlay_3d": True}, "--overlay-3d: is about lifting"),
        ({"height": ("1.8",)}, "--height: is about lifting"),
        ({"lift": "{card}", "height": ("180",)}, "--height 180: metres"),
        ({"lift": "{card}", "camera_pitch": 200.0}, "--camera-pitch 200"),
        ({"lift": "detector"}, "detector cannot lift"),
        ({"lift": "nothing"}, "nothing"),
        ({"estimate": "{card}"}, "dgnet cannot estimate"),
    ],
)
def test_wrong_options_are_said_before_anything_is_measured(card: str, changes: dict, said: str) -> None:
    filled = {k: v.format(card=card) if isinstance(v, str) else v for k, v in changes.items()}
    with pytest.raises(MareyError, match=said):
        check(Plan(**filled))


def test_a_recording_without_a_picture_cannot_be_lifted(card: str) -> None:
    with pytest.raises(SettingsError, match="picture's size"):
        marey.lift(marey.collect([]), card)


def test_nobody_is_lifted_to_nobody(card: str) -> None:
    from dataclasses import replace

    from marey.core.history import Source

    empty = marey.collect([])
    sized = replace(empty, history=replace(empty.history, source=Source(size=(640, 480))))
    assert len(marey.lift(sized, card).rows) == 0


def test_lifters_are_not_judged_on_pictures(card: str, tmp_path: Path) -> None:
    from tests.data_trees import lsp

    with pytest.raises(DataError, match="no truth in space"):
        marey.evaluate(card, f"lsp:{lsp(tmp_path)}")
