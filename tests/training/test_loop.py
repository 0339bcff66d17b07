"""The loop: a killed run goes on as if nothing had happened; frozen stays frozen; averages and blends."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from marey.core.errors import SettingsError
from marey.training.loop import TrainSettings, bare_rate, fit

SETTINGS = TrainSettings(steps=24, batch=8, micro=4, rate=0.02, save_every=6, log_every=6, threads=1, ema=0.9)


class Line:
    """Points of y = 3x + 1 under noise: batches as a pure function of the step."""

    def make(self, step: int) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(step)
        x = rng.normal(size=(8, 1)).astype(np.float32)
        return {"rgb": x, "y": 3 * x + 1 + rng.normal(0, 0.01, (8, 1)).astype(np.float32)}

    def prepare(self, batch: dict[str, Tensor], step: int) -> dict[str, Tensor]:
        return batch


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Linear(1, 8)
        self.last = nn.Linear(8, 1)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"y": self.last(torch.tanh(self.first(x)))}


def loss(outputs: dict[str, Tensor], batch: dict[str, Tensor]) -> dict[str, Tensor]:
    return {"loss": (outputs["y"] - batch["y"]).square().mean()}


def curve(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "curve.jsonl").read_text().splitlines()]


class KilledError(Exception):
    pass


class Dying(Line):
    """Stops the run in the middle of a step."""

    def prepare(self, batch: dict[str, Tensor], step: int) -> dict[str, Tensor]:
        if step == 15:
            raise KilledError
        return batch


@pytest.mark.parametrize("cycles", [1, 2])  # 2: what is resumed from was saved between the cycles
def test_a_killed_run_goes_on_to_the_same_weights(tmp_path: Path, cycles: int) -> None:
    settings = replace(SETTINGS, cycles=cycles)
    whole = fit(Net(), loss, Line(), settings, tmp_path / "whole")
    with pytest.raises(KilledError):
        fit(Net(), loss, Dying(), settings, tmp_path / "parts")
    (tmp_path / "parts" / "last.tmp").write_bytes(
        b"half a checkpoint"
    )  # what kill -9 leaves while one is written
    resumed = fit(Net(), loss, Line(), settings, tmp_path / "parts")
    for key, value in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[key], value, rtol=0, atol=0)
    assert [line["step"] for line in curve(tmp_path / "parts")] == [6, 12, 18, 24]


def test_the_rate_rises_and_falls_once_a_cycle(tmp_path: Path) -> None:
    fit(Net(), loss, Line(), replace(SETTINGS, cycles=2, log_every=1), tmp_path / "two")
    fit(Net(), loss, Line(), replace(SETTINGS, steps=12, log_every=1), tmp_path / "one")
    once = [line["rate"] for line in curve(tmp_path / "one")]
    assert [line["rate"] for line in curve(tmp_path / "two")] == pytest.approx([*once, *once])


class Watching(Line):
    """Keeps the averaged weights that the checkpoint between two cycles holds."""

    def __init__(self, folder: Path):
        self.folder, self.kept = folder, {}

    def prepare(self, batch: dict[str, Tensor], step: int) -> dict[str, Tensor]:
        if step == 12:
            self.kept = torch.load(self.folder / "last.pt", weights_only=True)["average"]
        return batch


@pytest.mark.parametrize("killed", [False, True])
def test_the_ends_of_cycles_are_averaged_also_over_a_kill(tmp_path: Path, killed: bool) -> None:
    settings = replace(SETTINGS, cycles=2, ends=2)
    if killed:
        with pytest.raises(KilledError):
            fit(Net(), loss, Dying(), settings, tmp_path)
    batches = Watching(tmp_path)
    made = fit(Net(), loss, batches, settings, tmp_path).state_dict()
    first = batches.kept
    last = torch.load(tmp_path / "last.pt", weights_only=True)["average"]
    for key, value in made.items():
        torch.testing.assert_close(value, (first[key] + last[key]) / 2)
        assert not torch.equal(first[key], last[key])


def test_more_ends_than_cycles_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"train\.ends: 3 of 2 cycles"):
        fit(Net(), loss, Line(), replace(SETTINGS, cycles=2, ends=3), tmp_path)


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    fit(Net(), loss, Line(), replace(SETTINGS, steps=120), tmp_path)
    lines = curve(tmp_path)
    assert lines[-1]["loss"] < 0.05 * lines[0]["loss"]
    assert lines[-1]["images_s"] > 0


def test_frozen_weights_do_not_move_and_slow_ones_move_less(tmp_path: Path) -> None:
    start = Net().state_dict()
    frozen = fit(Net(), loss, Line(), replace(SETTINGS, freeze=("first.",)), tmp_path / "a").state_dict()
    assert torch.equal(frozen["first.weight"], start["first.weight"])
    assert not torch.equal(frozen["last.weight"], start["last.weight"])
    slow = fit(Net(), loss, Line(), replace(SETTINGS, slow={"first": 0.01}), tmp_path / "b").state_dict()
    quick = fit(Net(), loss, Line(), SETTINGS, tmp_path / "c").state_dict()
    moved = [(state["first.weight"] - start["first.weight"]).abs().max() for state in (slow, quick)]
    assert moved[0] < 0.1 * moved[1]


def test_gradients_of_small_batches_add_up_to_the_large_one(tmp_path: Path) -> None:
    whole = fit(Net(), loss, Line(), replace(SETTINGS, micro=8), tmp_path / "a").state_dict()
    parts = fit(Net(), loss, Line(), replace(SETTINGS, micro=2), tmp_path / "b").state_dict()
    for key, value in whole.items():
        torch.testing.assert_close(parts[key], value, rtol=1e-3, atol=1e-4)


def test_blending_ends_between_the_start_and_the_trained(tmp_path: Path) -> None:
    start = Net().state_dict()
    trained = fit(Net(), loss, Line(), SETTINGS, tmp_path / "a").state_dict()
    blended = fit(Net(), loss, Line(), replace(SETTINGS, blend=0.25), tmp_path / "b").state_dict()
    for key, value in blended.items():
        torch.testing.assert_close(value, 0.75 * start[key] + 0.25 * trained[key])


def test_a_batch_that_cannot_be_cut_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"train\.batch: 8 is no multiple of train\.micro 3"):
        fit(Net(), loss, Line(), replace(SETTINGS, micro=3), tmp_path)


def test_the_bare_rate_is_measured_without_a_trace() -> None:
    net = Net()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    assert bare_rate(net, loss, Line(), SETTINGS) > 0
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert all(p.grad is None for p in net.parameters())


def test_steps_that_do_not_divide_into_cycles_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"train\.cycles: 24 steps are not 5 equal cycles"):
        fit(Net(), loss, Line(), replace(SETTINGS, cycles=5), tmp_path)
