"""The one training loop, whatever the network: gradients, schedule, average, checkpoints, a curve on disk.

A task hands over a module, a loss and `Batches`: `make(step)` draws the batch of a step on the processor (a
pure function of the seed and the step, called ahead on a thread) and `prepare` finishes it on the device. So
a run that was killed goes on at the step of its last checkpoint as if nothing had happened.
"""

import ctypes
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from marey.core.errors import SettingsError

Loss = Callable[[dict[str, Tensor], dict[str, Tensor]], dict[str, Tensor]]
Precision = Literal["auto", "32-true", "bf16-mixed", "16-mixed"]


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How to train. `freeze` and `slow` name parameters by the beginning of their names."""

    steps: int = 1000
    batch: int = 32
    micro: int = 8  # examples in one forward and backward pass; gradients add up to `batch`
    rate: float = 4e-4  # the top of OneCycle (Smith and Topin 2017)
    decay: float = 1e-4  # AdamW's, on weights of two dimensions and more only
    warm: float = 0.1  # share of the steps before the top
    cycles: int = 1  # times that the rate rises and falls over all steps (Loshchilov and Hutter 2017, SGDR)
    ema: float = 0.998  # of the averaged weights that are exported
    ends: int = 1  # so many last cycles whose averaged weights are averaged (Izmailov et al. 2018, SWA)
    clip: float = 5.0  # of the gradient's norm
    blend: float = 1.0  # share of the trained in the mean with the start (Wortsman et al. 2022, WiSE-FT)
    freeze: tuple[str, ...] = ()
    slow: dict[str, float] = field(default_factory=dict)  # factors on the rate
    precision: Precision = "auto"  # bf16-mixed where the device multiplies in bf16, else 32-true
    threads: int = 0  # of the processor; 0 = all
    ahead: int = 4  # batches drawn ahead
    save_every: int = 50  # steps
    log_every: int = 10


@runtime_checkable
class Batches(Protocol):
    """Where batches come from."""

    def make(self, step: int) -> dict[str, np.ndarray]:
        """The arrays of a step; first axis the batch."""
        ...

    def prepare(self, batch: dict[str, Tensor], step: int) -> dict[str, Tensor]:
        """What is left to do on the device: augmentation of pixels, cast, layout."""
        ...


def fit(module: nn.Module, loss: Loss, batches: Batches, settings: TrainSettings, folder: Path) -> nn.Module:
    """Train `module` in place; gives it back with the averaged weights, in evaluation mode.

    `folder` gets `last.pt` (resumed from if it is there), `curve.jsonl` and prints of progress.
    """
    if settings.batch % settings.micro:
        raise SettingsError(f"train.batch: {settings.batch} is no multiple of train.micro {settings.micro}")
    if settings.cycles < 1 or settings.steps % settings.cycles:
        raise SettingsError(f"train.cycles: {settings.steps} steps are not {settings.cycles} equal cycles")
    if not 1 <= settings.ends <= settings.cycles:
        raise SettingsError(f"train.ends: {settings.ends} of {settings.cycles} cycles cannot be averaged")
    if settings.threads:
        torch.set_num_threads(settings.threads)
    folder.mkdir(parents=True, exist_ok=True)
    keep_memory()
    fabric = Fabric(accelerator="auto", devices=1, precision=precision(settings.precision))
    run = _Run(module, settings, fabric, folder / "last.pt")
    start = {key: value.detach().clone() for key, value in module.state_dict().items()}
    first = run.resume()
    pace = _Pace(folder / "curve.jsonl", settings, first)
    for step, arrays in _ahead(batches, first, settings):
        began = time.perf_counter()
        rate = run.schedule.get_last_lr()[-1]
        parts = run.step(loss, batches, arrays, step)
        pace.tick(step, parts, rate, time.perf_counter() - began)
        if (step + 1) % settings.save_every == 0 or step + 1 == settings.steps:
            run.save(step + 1)
    return run.finished(start)


def seen(batch: dict[str, Tensor]) -> Tensor:
    """What the network looks at: pictures, or the joints that a lifter is given."""
    return batch["rgb" if "rgb" in batch else "xy"]


def precision(asked: Precision) -> Literal["32-true", "bf16-mixed", "16-mixed"]:
    """What to train in; emulated bf16 is several times slower than float32, so "auto" looks first."""
    if asked != "auto":
        return asked
    if torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "32-true"
    has = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return "bf16-mixed" if has else "32-true"


def keep_memory() -> None:
    """Tell glibc to keep what is freed instead of giving it back to the system.

    A step frees and takes hundreds of MB; each new page is a fault. Kept, a step of Thunder takes 0.68 of the
    time (one core, 16 crops of 256²). Elsewhere than on Linux nothing is done.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # musl
        return
    trim_threshold, top_pad, mmap_max = -1, -2, -4  # malloc.h
    for parameter, value in ((mmap_max, 0), (trim_threshold, 2**31 - 1), (top_pad, 2**28)):
        mallopt(parameter, value)


def bare_rate(
    module: nn.Module, loss: Loss, batches: Batches, settings: TrainSettings, steps: range = range(4)
) -> float:
    """Examples a second of forward and backward alone, on the batches of `steps` made beforehand.

    `images_s` of the curve divided by this is the share of the time that the processor is on the network. The
    first batch warms up and is not counted; batches may differ in size, so the same steps are to be compared.
    """
    module.train()
    low = precision(settings.precision) == "bf16-mixed"  # or the bare loop would be the slower one
    took = []
    for step in steps:
        arrays = _micro(batches.make(step), settings)[0]
        batch = batches.prepare({key: torch.from_numpy(a) for key, a in arrays.items()}, step)
        began = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=low):
            outputs = module(seen(batch))
        loss(outputs, batch)["loss"].backward()
        took.append(time.perf_counter() - began)
    module.zero_grad(set_to_none=True)
    return settings.micro / float(np.mean(took[1:]))


class _Run:
    """Everything a checkpoint holds."""

    def __init__(self, module: nn.Module, settings: TrainSettings, fabric: Fabric, path: Path):
        self.settings, self.fabric, self.path, self.plain = settings, fabric, path, module
        optimizer = AdamW(_groups(module, settings), lr=settings.rate)
        wrapped = fabric.setup(module.to(memory_format=torch.channels_last), optimizer)
        self.module, self.optimizer = wrapped[0], wrapped[1]
        self.rates = [group["lr"] for group in optimizer.param_groups]
        self.schedule = self._cycle()
        self.average = {k: v.detach().clone() for k, v in module.state_dict().items()}
        self.ends: list[dict[str, Tensor]] = []  # averages when the last cycles ended

    def step(
        self, loss: Loss, batches: Batches, arrays: dict[str, np.ndarray], step: int
    ) -> dict[str, float]:
        """One update; gives the parts of the loss."""
        self.module.train()
        pieces = _micro(arrays, self.settings)
        sums: dict[str, float] = {}
        for piece in pieces:
            given = {key: torch.from_numpy(array).to(self.fabric.device) for key, array in piece.items()}
            batch = batches.prepare(given, step)
            parts = loss(self.module(seen(batch)), batch)
            self.fabric.backward(parts["loss"] / len(pieces))
            for key, value in parts.items():
                sums[key] = sums.get(key, 0.0) + float(value.detach()) / len(pieces)
        sums["norm"] = float(nn.utils.clip_grad_norm_(self.plain.parameters(), self.settings.clip))
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self._blend(step)
        if (step + 1) % (self.settings.steps // self.settings.cycles):
            self.schedule.step()
            return sums
        self.ends = [*self.ends, {k: v.clone() for k, v in self.average.items()}][-self.settings.ends :]
        if step + 1 < self.settings.steps:
            self.schedule = self._cycle()
        return sums

    def _cycle(self) -> OneCycleLR:
        steps = self.settings.steps // self.settings.cycles
        return OneCycleLR(
            self.optimizer.optimizer, self.rates, max(steps, 2),
            pct_start=self.settings.warm, div_factor=10, final_div_factor=100,
        )  # fmt: skip

    @torch.no_grad()
    def _blend(self, step: int) -> None:
        keep = min(self.settings.ema, (1 + step) / (10 + step))
        for key, value in self.plain.state_dict().items():
            if value.is_floating_point():
                self.average[key].lerp_(value, 1 - keep)
            else:
                self.average[key].copy_(value)

    def save(self, step: int) -> None:
        """Write a checkpoint that is either the old or the new one, whenever the process dies."""
        state = {
            "step": step,
            "module": self.plain.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "average": self.average,
            "ends": self.ends,
        }
        draft = self.path.with_suffix(".tmp")
        with draft.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)

    def resume(self) -> int:
        """Take the checkpoint up if there is one; gives the next step."""
        if not self.path.is_file():
            return 0
        state = torch.load(self.path, map_location=self.fabric.device, weights_only=True)
        self.plain.load_state_dict(state["module"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.average = state["average"]
        self.ends = state.get("ends", [self.average])  # checkpoints older than the setting end one cycle
        return int(state["step"])

    def finished(self, start: dict[str, Tensor]) -> nn.Module:
        """The module with the mean of its cycles' averaged weights, blended with where they started."""
        share = self.settings.blend
        mixed = {}
        for key, value in self.ends[-1].items():
            if value.is_floating_point():
                mean = torch.stack([end[key] for end in self.ends]).mean(0)
                value = torch.lerp(start[key].to(mean), mean, share)
            mixed[key] = value
        self.plain.load_state_dict(mixed)
        return self.plain.eval()


class _Pace:
    """Speed and loss, on the terminal's log and in the curve."""

    def __init__(self, path: Path, settings: TrainSettings, first: int):
        self.path, self.settings = path, settings
        self.began, self.busy, self.steps, self.sums = time.perf_counter(), 0.0, 0, {}
        kept = []
        if path.is_file():  # what was logged after the checkpoint is drawn again
            kept = [line for line in path.read_text().splitlines() if json.loads(line)["step"] <= first]
        path.write_text("".join(f"{line}\n" for line in kept))

    def tick(self, step: int, parts: dict[str, float], rate: float, busy: float) -> None:
        """Count a step; every `log_every` write a line."""
        self.steps += 1
        self.busy += busy
        for key, value in parts.items():
            self.sums[key] = self.sums.get(key, 0.0) + value
        if (step + 1) % self.settings.log_every:
            return
        wall = time.perf_counter() - self.began
        line: dict[str, Any] = {"step": step + 1, "of": self.settings.steps, "rate": rate}
        line |= {key: round(value / self.steps, 5) for key, value in self.sums.items()}
        line |= {
            "images_s": round(self.steps * self.settings.batch / wall, 2),
            "busy": round(self.busy / wall, 3),
        }
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        self.began, self.busy, self.steps, self.sums = time.perf_counter(), 0.0, 0, {}


def _groups(module: nn.Module, settings: TrainSettings) -> list[dict[str, Any]]:
    """Parameter groups by rate and decay; frozen ones lose their gradient."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in module.named_parameters():
        if settings.freeze and name.startswith(settings.freeze):
            parameter.requires_grad_(False)
            continue
        factor = next((f for start, f in settings.slow.items() if name.startswith(start)), 1.0)
        decay = settings.decay if parameter.ndim > 1 else 0.0
        groups.setdefault((factor, decay), []).append(parameter)
    return [
        {"params": own, "lr": settings.rate * factor, "weight_decay": decay}
        for (factor, decay), own in groups.items()
    ]


def _micro(arrays: dict[str, np.ndarray], settings: TrainSettings) -> list[dict[str, np.ndarray]]:
    starts = range(0, settings.batch, settings.micro)
    return [{key: array[k : k + settings.micro] for key, array in arrays.items()} for k in starts]


def _ahead(
    batches: Batches, first: int, settings: TrainSettings
) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """Batches in order, drawn `ahead` on a thread (OpenCV and the decoder work outside Python's lock)."""
    with ThreadPoolExecutor(1) as pool:
        waiting: list[Future[dict[str, np.ndarray]]] = [
            pool.submit(batches.make, step)
            for step in range(first, min(first + settings.ahead, settings.steps))
        ]
        for step in range(first, settings.steps):
            yield step, waiting.pop(0).result()
            if step + settings.ahead < settings.steps:
                waiting.append(pool.submit(batches.make, step + settings.ahead))
