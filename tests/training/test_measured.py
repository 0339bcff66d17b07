"""Lifting from sets that were filmed: windows, truths and masks; every recipe from the set to a figure."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import data_trees_space as trees
from marey.cli import main
from marey.core.errors import SettingsError
from marey.core.kinematics import euler_rotations
from marey.data import open_kind
from marey.evaluation.by_space import Take, takes
from marey.evaluation.evaluate import evaluate
from marey.lifting.windows import H36M, MIRRORED, NOSE, ROOT, Track, seen, windows
from marey.training.bodies import Lifting
from marey.training.make import prepared
from marey.training.measured import MeasuredBatches, measured, measured_batches, remembered_takes
from marey.training.recipe import Source, read_recipe

NOISY = Lifting(noise=0.02, wild=0.0, swapped=0.0, dropped=0.1, cut=0.0, crownless=0.0)


def take(frames: int, rate_hz: float, seed: int = 0) -> Take:
    """Somebody who turns before a camera; the joints on the middle line are the middle of others."""
    rng = np.random.default_rng(seed)
    rest = rng.normal(0, 0.4, (17, 3))
    turn = euler_rotations("y", np.linspace(0, 2, frames)[:, None])
    xyz = np.einsum("tij,kj->tki", turn, rest) + np.array([0.3, 0.1, 4.0])
    for joint, side in (("root", "hip"), ("thorax", "shoulder")):
        left, right = (H36M.index(f"{word}_{side}") for word in ("left", "right"))
        xyz[:, H36M.index(joint)] = (xyz[:, left] + xyz[:, right]) / 2
    rays = xyz[..., :2] / xyz[..., 2:]
    track = Track(np.arange(frames) / rate_hz, rays)
    return Take(f"t{seed}", f"t{seed}", "", track, xyz - xyz[:, ROOT, None], rate_hz, "camera", "made")


def batches(held: list[Take], lifting: Lifting | None = None, frames: int = 9) -> MeasuredBatches:
    together = measured(held)
    return MeasuredBatches(together, np.arange(len(together.rays)), lifting, frames, 3, 64, 5)


@pytest.mark.parametrize("rate_hz", [25.0, 30.0, 50.0, 60.0, 100.0])
def test_windows_are_those_of_use(rate_hz: float) -> None:
    """At any rate, at both ends, and where joints are missing, of every take."""
    held = [take(20, rate_hz, seed) for seed in range(3)]
    held[1].track.rays[[4, 11, 12], 3] = np.nan
    together = measured(held)
    wanted = np.concatenate([windows(one.track, 9) for one in held])
    np.testing.assert_allclose(together.windows(np.arange(60), 9), wanted, atol=1e-5)


def test_a_batch_is_windows_of_use_with_their_truth_half_of_them_mirrored() -> None:
    """Each entry is a window of the take, or of the take filmed in a mirror; truth in statures of 1.70 m."""
    one = take(30, 50.0)
    glass = np.array([-1.0, 1, 1])
    track = Track(one.track.time_s, one.track.rays[:, MIRRORED] * glass[:2])
    other = replace(one, track=track, truth_m=one.truth_m[:, MIRRORED] * glass)
    batch = batches([one]).make(2)
    counts = []
    wanted = []
    for held in (one, other):
        given = seen(windows(held.track, 9))
        truth = np.einsum("nij,nkj->nki", given.turn, held.truth_m / 1.7)
        wanted.append((given.xy, truth))
        near = np.abs(batch["xy"][:, None] - given.xy[None]).max((2, 3, 4))
        hits = near.min(1) < 1e-4
        counts.append(hits.sum())
        np.testing.assert_allclose(batch["xyz"][hits], truth[near.argmin(1)[hits]], atol=1e-5)
    assert sum(counts) == 64
    assert min(counts) > 16


def test_what_a_set_does_not_label_is_nan_in_the_truth_and_said_to_be_missing() -> None:
    one = take(30, 50.0)
    one.track.rays[:, NOSE] = one.truth_m[:, NOSE] = np.nan
    batch = batches([one]).make(0)
    assert np.isnan(batch["xyz"][:, NOSE]).all()
    assert np.isfinite(np.delete(batch["xyz"], NOSE, 1)).all()
    assert (batch["xy"][:, :, NOSE] == 0).all()
    assert (np.delete(batch["xy"], NOSE, 2)[..., 2] == 1).all()


def test_faults_are_given_only_where_asked_for() -> None:
    one = take(30, 50.0)
    plainly, faulty = batches([one]), batches([one], NOISY)
    assert np.isfinite(plainly.make(1)["xy"]).all()
    lost = faulty.make(1)["xy"][..., 2] == 0
    assert 0.02 < lost.mean() < 0.25
    for name, values in faulty.make(1).items():
        np.testing.assert_array_equal(values, faulty.make(1)[name])


def test_only_frames_with_a_truth_are_drawn_and_takes_are_read_once(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("MAREY_CACHE", str(tmp_path / "cache"))
    trees.humaneva(tmp_path / "set", ("Train",), ("Walking", "Gestures"), frames=12)
    source = Source("humaneva", "train", path=str(tmp_path / "set"))
    made = measured_batches([source], None, 9, 3, 8, 1)
    assert len(made.held.rays) == 3 * 12  # three cameras see the one take that counts
    assert len(made.rows) == 3 * 11  # its second frame was lost
    fresh = takes(open_kind("humaneva", tmp_path / "set", "train"))
    monkeypatch.delattr("marey.training.measured.takes_of")
    for one, other in zip(remembered_takes(source), fresh, strict=True):
        assert (one.name, one.clip, one.action, one.lens) == (
            other.name,
            other.clip,
            other.action,
            other.lens,
        )
        assert one.rate_hz == pytest.approx(other.rate_hz)
        np.testing.assert_allclose(one.track.rays, other.track.rays, atol=1e-6)
        np.testing.assert_allclose(one.truth_m, other.truth_m, atol=1e-6)


RECIPES = (
    ("dgnet-h36m-set", "h36m", "P1_mm_by_action"),
    ("liftbase-h36m-set", "h36m", "P1_mm_by_action"),
    ("dgnet-humaneva", "humaneva", "P2_mm_by_action"),
    ("dgnet-mpi_inf_3dhp", "mpi_inf_3dhp", "3DPCK@150mm"),
)
SMALL = ("train.steps=2", "train.batch=4", "train.micro=4", "train.save_every=2", "settings.width=8")


@pytest.mark.parametrize(("name", "kind", "first"), RECIPES, ids=[name for name, *_ in RECIPES])
def test_a_recipe_goes_from_the_set_to_its_figure(
    name: str, kind: str, first: str, tmp_path: Path, monkeypatch, capsys
) -> None:
    """`marey train` on a miniature tree, then the command that the recipe names for the test part."""
    monkeypatch.setenv("MAREY_CACHE", str(tmp_path / "cache"))
    tree = getattr(trees, kind)(tmp_path / "set", *([("Train", "Validate")] if kind == "humaneva" else []))
    recipe = Path(__file__).parents[2] / "recipes" / f"{name}.toml"
    changes = [word for change in SMALL for word in ("--set", change)]
    where = ["--data", f"{kind}:{tree}", "-o", str(tmp_path / "made")]
    assert main(["train", str(recipe), *changes, *where]) == 0
    card = Path(capsys.readouterr().out.strip())
    assert kind in card.read_text()
    assert "unknown" not in card.read_text()
    result = evaluate(str(card), f"{kind}:{tree}", "test")
    assert next(iter(result.metrics)) == first
    assert np.isfinite(result.value)
    assert result.protocol["2D"] == "true"
    assert result.protocol["lens"] == "the set's"
    assert f"marey eval {name} --data {kind}:PATH --split test" in recipe.read_text()


def test_sets_and_motions_do_not_mix(tmp_path: Path, capsys) -> None:
    recipe = Path(__file__).parents[2] / "recipes" / "dgnet-humaneva.toml"
    mixed = read_recipe(recipe, ['data=[{kind="humaneva"},{kind="mocap"}]'], {})
    with pytest.raises(SettingsError, match=r"dgnet-humaneva\.toml: data: .*mocap, or on h36m"):
        prepared(mixed)
