"""CLNet and its opponents from recipe to file, on miniature sets: what is exported is what was trained."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.data_trees import coco, lsp, note

from marey import evaluate, weights
from marey.core.settings import parse
from marey.methods import method
from marey.training.loop import TrainSettings
from marey.training.make import make, run_folder
from marey.training.recipe import Recipe, Source
from marey.trunks.mobilenet import ScaledConv

TRAIN = TrainSettings(steps=2, batch=2, micro=2, threads=1, precision="32-true")
CASES = {
    "clnet-mobilenet": ("clnet", {"backbone": "mobilenet", "side": 64, "width": 32}),
    "clnet-hourglass": (
        "clnet",
        {"backbone": "hourglass", "side": 64, "stride": 8, "width": 16, "stacks": 2,
         "loss": "cross-entropy", "offsets": "wide", "vote": True},
    ),
    "clnet-r18": ("clnet", {"backbone": "r18", "side": 64, "stride": 32, "width": 16, "neck": True}),
    "hourglass": ("baseline", {"backbone": "hourglass", "side": 64, "width": 16, "stacks": 2}),
    "points": ("baseline", {"backbone": "mobilenet", "side": 64, "head": "points"}),
    "published": ("baseline", {"backbone": "mobilenet", "side": 64, "width": 16, "subpixel": "quarter"}),
}  # fmt: skip


@pytest.fixture
def trees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAREY_CACHE", str(tmp_path / "cache"))
    lsp(tmp_path / "lsp", held=(1, 2, 801))
    coco(tmp_path / "coco", "val2017", [note(1, 21, [2, 1, 30, 36])])
    return tmp_path


@pytest.mark.parametrize("name", CASES)
def test_the_file_gives_what_the_module_gives(name: str, trees: Path) -> None:
    kind, settings = CASES[name]
    data = tuple(Source(k, "train", path=str(trees / k)) for k in ("lsp", "coco"))
    recipe = Recipe(kind, data, settings=settings, train=TRAIN, name=name)
    card = make(recipe, trees / "made")
    session = weights.load(str(card), "cpu")

    twin = import_module(f"marey.networks.{kind}")
    net = twin.build(parse(method(kind).settings, settings))
    net.load_state_dict(torch.load(run_folder(recipe) / "last.pt", weights_only=True)["average"])
    for part in net.modules():
        if isinstance(part, ScaledConv):
            part.fold()
    with torch.no_grad():  # the file stores float16
        for parameter in net.parameters():
            parameter.copy_(parameter.half().float())
    exported = twin.Exported(net).eval()
    rgb = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3)).astype(np.uint8)
    with torch.no_grad():
        made = exported(torch.from_numpy(rgb))
    found = session({"rgb": rgb})
    assert tuple(found) == exported.outputs
    for key, wanted in zip(found, made if isinstance(made, tuple) else (made,), strict=True):
        np.testing.assert_allclose(found[key], wanted.numpy(), atol=1e-3, err_msg=key)
    result = evaluate(str(card), f"lsp:{trees / 'lsp'}", "val", flip=True)
    assert result.items == 1
    assert 0 <= result.value <= 1
