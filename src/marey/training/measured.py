"""Windows for lifting from sets that were filmed and measured: their own bodies, cameras and 2D.

Conventions: takes are those of `evaluation/by_space.py` (one person before one camera, on an even grid of the
set's own rate), so what is trained on is what is judged. Moments of a window are a thirtieth of a second
apart whatever the rate, as in use. Metres become statures by the height that `marey run` assumes, for
everybody: a lifter's answer times that height is the set's own metres, and P1 is what papers print. Joints
that a set does not label are NaN in the truth and count in no loss. Half of the windows are mirrored.
"""

import hashlib
import importlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import Tensor

from marey.core.folders import cache_dir
from marey.data import open_kind
from marey.evaluation.by_space import Take
from marey.evaluation.by_space import takes as takes_of
from marey.lifting.lift import Lift
from marey.lifting.windows import MIRRORED, STEP_S, Track, seen
from marey.training.bodies import Lifting, faulty
from marey.training.recipe import Source

KINDS = ("h36m", "humaneva", "mpi_inf_3dhp")
"""Sets whose train parts papers train lifting on."""
LABELS = (".cdf", ".xml", ".mat", ".calibration")
"""Files that say where people are; the others are pictures."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Takes on end, R frames: `rays` (R, 17, 2), `truth` (R, 17, 3) in statures, root at 0; unknown is NaN.

    `first` and `last` are those of each frame's take, `pace` its frames between the moments of a window.
    """

    rays: np.ndarray
    truth: np.ndarray
    first: np.ndarray
    last: np.ndarray
    pace: np.ndarray

    def windows(self, rows: np.ndarray, frames: int) -> Float[np.ndarray, "B F 17 2"]:
        """Rays at `frames` moments about each of some rows: `lifting.windows.windows`, for many takes."""
        at = rows[:, None] + (np.arange(frames) - frames // 2) * self.pace[rows, None]
        at = np.clip(at, self.first[rows, None], self.last[rows, None])
        before = np.floor(at + 1e-4).astype(np.int64)
        after = np.minimum(before + 1, self.last[rows, None])
        share = np.maximum(at - before, 0)[..., None, None]
        mixed = (1 - share) * self.rays[before] + share * self.rays[after]
        return np.where(share < 1e-4, self.rays[before], mixed)  # what a frame has, its neighbour may miss


def measured(held: Sequence[Take]) -> Measured:
    """Takes put on end."""
    counts = np.array([len(take.track) for take in held])
    ends = np.repeat(np.cumsum(counts), counts)
    truth = np.concatenate([take.truth_m for take in held]) / Lift().assumed_m
    rays = np.concatenate([take.track.rays for take in held])
    pace = np.repeat([STEP_S * take.rate_hz for take in held], counts)
    first = ends - np.repeat(counts, counts)
    return Measured(rays.astype(np.float32), truth.astype(np.float32), first, ends - 1, pace)


@dataclass(frozen=True, slots=True)
class MeasuredBatches:
    """Windows of `frames` of takes; with `lifting` their true 2D gets an estimator's faults, else none."""

    held: Measured
    rows: np.ndarray
    lifting: Lifting | None
    frames: int
    inputs: int
    batch: int
    seed: int

    def make(self, step: int) -> dict[str, np.ndarray]:
        """The batch of a step: `xy` (B, F, 17, inputs), and `xyz` (B, 17, 3) of the middle, with NaN."""
        rng = np.random.default_rng((self.seed, step))
        rows = rng.choice(self.rows, self.batch)
        rays, truth = self.held.windows(rows, self.frames), self.held.truth[rows]
        flipped = rng.random(self.batch) < 0.5
        rays[flipped] = rays[flipped][:, :, MIRRORED] * np.array([-1, 1])
        truth[flipped] = truth[flipped][:, MIRRORED] * np.array([-1, 1, 1])
        if self.lifting is not None:
            rays = faulty(rays, rng.uniform(0, 1.5, self.batch), self.lifting, rng)
        given = seen(rays)
        turned = np.einsum("nij,nkj->nki", given.turn, truth)
        turned[~given.usable] = np.nan
        return {"xy": given.xy[..., : self.inputs], "xyz": turned.astype(np.float32)}

    def prepare(self, batch: dict[str, Tensor], step: int) -> dict[str, Tensor]:
        """Nothing is left to do."""
        return batch


def measured_batches(
    sources: Sequence[Source], lifting: Lifting | None, frames: int, inputs: int, batch: int, seed: int
) -> MeasuredBatches:
    """Windows of the sets' takes, every frame that has a truth as likely as any other."""
    held = measured([take for source in sources for take in remembered_takes(source)])
    rows = np.flatnonzero(np.isfinite(held.truth[..., 0]).any(1))
    return MeasuredBatches(held, rows, lifting, frames, inputs, batch, seed)


def remembered_takes(source: Source) -> list[Take]:
    """The takes of a set; read once and kept in the user's cache (a set is a million frames).

    A reader that has changed (another truth, other splits) reads again.
    """
    files = sorted(file for file in source.folder.rglob("*") if file.suffix in LABELS)
    told = [f"{file.relative_to(source.folder)} {file.stat().st_size}" for file in files]
    reader = Path(importlib.import_module(f"marey.data.{source.kind}").__file__ or "")
    told += [source.kind, source.split, str(source.every), reader.read_text("utf-8")]
    path = cache_dir() / f"{source.kind}-{hashlib.sha256(' '.join(told).encode()).hexdigest()[:12]}.npz"
    if not path.is_file():
        _write(path, takes_of(open_kind(source.kind, source.folder, source.split)[:: source.every]))
    return _read(path)


def _write(path: Path, held: list[Take]) -> None:
    arrays: dict[str, np.ndarray] = {}
    for k, take in enumerate(held):
        arrays[f"words{k}"] = np.array([take.name, take.clip, take.action, take.lens])
        arrays[f"time{k}"] = take.track.time_s
        arrays[f"rays{k}"] = take.track.rays.astype(np.float32)
        arrays[f"truth{k}"] = take.truth_m.astype(np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{os.getpid()}-{path.name}")
    np.savez(draft, rate=np.array([take.rate_hz for take in held]), **arrays)
    draft.replace(path)


def _read(path: Path) -> list[Take]:
    made: list[Take] = []
    with np.load(path) as kept:
        for k, rate in enumerate(kept["rate"]):
            name, clip, action, lens = (str(word) for word in kept[f"words{k}"])
            track = Track(kept[f"time{k}"], kept[f"rays{k}"].astype(np.float64))
            truth = kept[f"truth{k}"].astype(np.float64)
            made.append(Take(name, clip, action, track, truth, float(rate), "camera", lens))
    return made
