"""From a recipe to a network on the shelf: what is exported is what was trained, and a killed run goes on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.data_trees import lsp
from torch import nn

from marey import weights
from marey.cli import main
from marey.core.errors import WeightsError
from marey.methods.baseline import Backbone, Baseline
from marey.networks import baseline
from marey.pipeline.plan import stage
from marey.training.export import Product, difference, export, gmac, rounded
from marey.training.recipe import read_recipe
from marey.weights.card import read_card

RECIPE = """
method = "baseline"
data = [{kind = "lsp", split = "train"}]
[settings]
backbone = "mobilenet"
side = 64
[train]
steps = 2
batch = 2
micro = 2
threads = 1
precision = "32-true"
save_every = 1
[reach]
"""


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAREY_CACHE", str(tmp_path / "cache"))
    lsp(tmp_path / "lsp", held=(1, 2, 3))
    path = tmp_path / "small.toml"
    path.write_text(RECIPE)
    return path


def train(recipe: Path, *more: str) -> int:
    where = ["--data", f"lsp:{recipe.parent / 'lsp'}", "-o", str(recipe.parent / "made")]
    return main(["train", str(recipe), *where, *more])


def test_a_recipe_becomes_a_network_that_runs(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(recipe) == 0
    card_path = Path(capsys.readouterr().out.strip())
    session = weights.load(str(card_path), "cpu")
    heat = session({"rgb": np.zeros((3, 64, 64, 3), np.uint8)})["heat"]
    assert heat.shape == (3, 19, 16, 16)
    assert (heat >= 0).all()
    assert (heat.sum((2, 3)) <= 1 + 1e-5).all()  # the rest is the class "not here"
    assert [d["kind"] for d in session.card.data] == ["lsp"]
    assert session.card.recipe == "recipes/small.toml"


def test_a_network_of_the_shelf_teaches_another(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(recipe) == 0
    teacher = Path(capsys.readouterr().out.strip())
    recipe.write_text(f'{RECIPE.replace("[reach]", "")}\n[teach]\nnetwork = "{teacher}"\nshare = 1.0\n')
    assert train(recipe, "--set", "seed=2") == 0
    pupil = read_card(Path(capsys.readouterr().out.strip()))
    assert "taught by small" in pupil.starts
    assert pupil.data == read_card(teacher).data


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["settings.head=points"], "baseline of maps"),
        (["settings.skeleton=coco17"], "take baseline-thunder"),
        (["teach.network=nobody"], "nobody"),
    ],
)
def test_who_cannot_teach_or_be_taught_is_said_in_one_line(
    recipe: Path, more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = [word for change in ["teach.network=baseline-lightning", *more] for word in ("--set", change)]
    assert train(recipe, *changes) != 0
    (told,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("marey: ")]
    assert said in told


def test_a_network_of_the_shelf_is_tuned(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(recipe) == 0
    made = capsys.readouterr().out.strip()
    tune = recipe.with_name("tune.toml")  # method and settings are the card's
    tune.write_text(f'start = "shelf:{made}"\ndata = [{{kind = "coco"}}]\n[train]\nsteps = 0\n')
    assert train(tune) == 0
    after, before = (weights.load(path, "cpu") for path in (capsys.readouterr().out.strip(), made))
    rgb = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    np.testing.assert_allclose(after({"rgb": rgb})["heat"], before({"rgb": rgb})["heat"], atol=1e-4)
    assert after.card.settings == before.card.settings
    assert after.card.starts == f"random weights; then small ({before.card.sha256[:12]})"
    assert [row["kind"] for row in after.card.data] == ["coco", "lsp"]  # what it knows from before, too


@pytest.mark.parametrize(
    ("start", "more", "said"),
    [
        ("baseline-lighting", "", "did you mean baseline-lightning"),
        (
            "baseline-lightning",
            '[settings]\nbackbone = "movenet-thunder"',
            "has no trunk.body.stem.weight of shape",
        ),
        ("detector", "", "unknown setting"),
    ],
)
def test_a_start_that_does_not_fit_is_said_in_one_line(
    recipe: Path, start: str, more: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    method = 'method = "baseline"\n' if said == "unknown setting" else ""
    recipe.write_text(f'{method}start = "shelf:{start}"\ndata = []\n{more}\n[train]\nsteps = 0\n')
    assert train(recipe) != 0
    (told,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("marey: ")]
    assert said in told


def _later(recipe: Path, text: str) -> Path:
    """A recipe beside `recipe` that starts from it and trains nothing."""
    path = recipe.with_name("later.toml")
    path.write_text(
        text.replace("[settings]", 'start = "small.toml"\n[settings]').replace("steps = 2", "steps = 0")
    )
    return path


def test_a_recipe_starts_where_another_ends(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = RECIPE.replace('"mobilenet"', '"movenet-lightning"')
    recipe.write_text(text)
    later = _later(recipe, text.replace("side = 64", "side = 64\nwide = 8"))
    assert train(later) == 0  # which trains the other first
    assert train(recipe, "--resume") == 0
    after, before = (weights.load(path, "cpu") for path in capsys.readouterr().out.split())
    rgb = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    np.testing.assert_allclose(after({"rgb": rgb})["heat"], before({"rgb": rgb})["heat"], atol=1e-6)
    assert after.card.starts.startswith("random weights; then small (")
    assert after.card.data == before.card.data


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (RECIPE.replace('"mobilenet"', '"r18"'), "another shape"),
        (RECIPE.replace("[settings]", 'start = "later.toml"\n[settings]'), "from itself"),
        ("method =", "not valid TOML"),
    ],
)
def test_a_recipe_that_is_no_start_is_said_in_one_line(
    recipe: Path, first: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    later = _later(recipe, RECIPE)
    recipe.write_text(first)
    assert train(later) == 2
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert told.startswith("marey: ")
    assert said in told


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["augment.sides=[[64], [96]]"], "one a cycle"),
        (["augment.sides=[[]]"], "empty"),
        (["augment.sides=[[64, 80]]"], "80 is no multiple of 32"),
        (["augment.sides=[[[64, 96], [72, 96]]]"], "(72, 96) is no multiple of 32"),
        (["augment.sides=[[64]]", "settings.head=points"], "baseline of maps"),
        (["augment.sides=[[64]]", "method=clnet", "settings.stride=16"], "baseline of maps"),
    ],
)
def test_sides_that_cannot_be_are_said_in_one_line(
    recipe: Path, more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(recipe, *[word for change in more for word in ("--set", change)]) != 0
    (told,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("marey: ")]
    assert said in told


def test_a_network_learns_from_crops_of_several_sides(
    recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(recipe, "--set", "augment.sides=[[64, 96]]") == 0
    card = read_card(Path(capsys.readouterr().out.strip()))
    assert card.input_size == (64, 64)  # the settings' own


@pytest.mark.parametrize("head", ["maps", "points"])
def test_a_network_of_crops_higher_than_wide(
    recipe: Path, head: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Trained, exported, and run as its card says; the card's settings are what was asked for."""
    changes = ["settings.side=[64, 96]", f"settings.head={head}"]
    assert train(recipe, *[word for change in changes for word in ("--set", change)]) == 0
    made = stage("estimate", capsys.readouterr().out.strip())
    session = made.load("cpu", 1)
    assert made.settings.side == (64, 96)
    assert session is not None
    assert session.card.input_size == (64, 96)
    assert session.inputs["rgb"][1:] == (96, 64, 3)


def test_resume_goes_on_and_a_fresh_run_does_not(recipe: Path) -> None:
    assert train(recipe, "--set", "train.steps=1") == 0
    assert train(recipe) == 0
    runs = sorted((recipe.parent / "cache" / "runs").iterdir())
    assert len(runs) == 2  # another number of steps is another schedule, so another run
    state = [torch.load(run / "last.pt", weights_only=True) for run in runs]
    assert sorted(held["step"] for held in state) == [1, 2]
    before = {run: (run / "last.pt").stat().st_mtime_ns for run in runs}
    assert train(recipe, "--resume") == 0
    assert {run: (run / "last.pt").stat().st_mtime_ns for run in runs} == before  # nothing was left to do


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--set", "train.stps=1"], "steps"),
        (["--data", "lsp"], "KIND:PATH"),
        (["--set", "train.micro=3"], "no multiple"),
        (["--set", "method=nothing"], "nothing"),
    ],
)
def test_wrong_use_is_one_line(
    recipe: Path, more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(recipe, *more) == 2
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert told.startswith("marey: ")
    assert said in told


def _product(wrap, backbone: Backbone = "mobilenet") -> Product:
    settings = Baseline(backbone, 64)
    torch.manual_seed(3)
    net = baseline.build(settings).eval()
    return Product("small", net, wrap, ("heat",), (64, 64), "marey19", settings)


def test_the_file_computes_what_the_module_computes(recipe: Path, tmp_path: Path) -> None:
    product = _product(baseline.Exported)
    card = export(product, read_recipe(recipe, [], {}), tmp_path / "out")
    rgb = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype(np.uint8)
    with torch.no_grad():
        wanted = baseline.Exported(product.module)(torch.from_numpy(rgb)).numpy()
    np.testing.assert_allclose(weights.load(str(card), "cpu")({"rgb": rgb})["heat"], wanted, atol=1e-3)


@pytest.mark.parametrize("backbone", ["mobilenet", "movenet-lightning"])
def test_the_file_takes_crops_of_other_sides(recipe: Path, tmp_path: Path, backbone: Backbone) -> None:
    product = _product(baseline.Exported, backbone)
    product = replace(product, free=baseline.Exported(product.module).free)
    card = export(product, read_recipe(recipe, [], {}), tmp_path / "out")
    module = baseline.Exported(rounded(product.module))
    for width, height in ((96, 96), (32, 96), (64, 64)):
        rgb = np.random.default_rng(0).integers(0, 256, (3, height, width, 3)).astype(np.uint8)
        with torch.no_grad():
            wanted = module(torch.from_numpy(rgb)).numpy()
        for size in (None, (width, height)):
            found = weights.load(str(card), "cpu", size=size)({"rgb": rgb})["heat"]
            np.testing.assert_allclose(found, wanted, atol=1e-3)
    with pytest.raises(WeightsError, match=r"must be \(N, 96, 64, 3\)"):
        weights.load(str(card), "cpu", size=(64, 96))({"rgb": rgb})


class Normalised(baseline.Exported):
    """Ends with a batch norm that no convolution can swallow."""

    def forward(self, rgb):
        return self.net.norm(super().forward(rgb))


def test_what_a_norm_counted_is_rounded_as_in_the_file(recipe: Path, tmp_path: Path) -> None:
    product = _product(Normalised)
    norm = nn.BatchNorm2d(19)
    norm.running_mean.fill_(0.30007)  # float16 has 0.30005
    norm.running_var.fill_(1e-4)
    product.module.norm = norm
    assert export(product, read_recipe(recipe, [], {}), tmp_path / "out").is_file()


class Wavering(baseline.Exported):
    """Computes something else whenever it is called outside of tracing."""

    def forward(self, rgb):
        heat = super().forward(rgb)
        return heat if torch.jit.is_tracing() else heat + 0.01


def test_a_file_that_differs_is_not_written(recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"differs from the module by 0\.01"):
        export(_product(Wavering), read_recipe(recipe, [], {}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_gmac_counts_multiply_adds() -> None:
    class One(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 8, 3, padding=1)

        def forward(self, rgb):
            return self.conv(rgb.permute(0, 3, 1, 2).float())

    assert gmac(One(), (20, 10)) == pytest.approx(20 * 10 * 8 * 3 * 9 / 1e9)


def test_the_largest_difference_counts(recipe: Path, tmp_path: Path) -> None:
    import onnx

    card = export(_product(baseline.Exported), read_recipe(recipe, [], {}), tmp_path / "out")
    graph = onnx.load(card.with_suffix(".onnx"))
    rgb = torch.zeros((1, 64, 64, 3), dtype=torch.uint8)

    class Far(nn.Module):
        def forward(self, rgb):
            own = torch.from_numpy(weights.load(str(card), "cpu")({"rgb": rgb.numpy()})["heat"].copy())
            own[0, 3, 2, 1] += 0.5
            return own

    assert difference(graph, Far(), rgb) == pytest.approx(0.5, abs=1e-3)


def test_cells_with_offsets_do_not_teach_maps(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Their cells are asked one by one, so they are no distribution that "not here" completes."""
    cells = ["--set", "method=clnet", "--set", "settings.stride=16"]
    assert train(recipe, *cells) == 0
    teacher = Path(capsys.readouterr().out.strip())
    assert train(recipe, "--set", f"teach.network={teacher}") == 2
    assert "take baseline-thunder" in capsys.readouterr().err
