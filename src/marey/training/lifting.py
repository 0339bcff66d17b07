"""Batches for lifting: windows of motions on new bodies before new cameras, drawn anew at every step."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from marey.core.errors import SettingsError
from marey.core.folders import cache_dir
from marey.data.mocap import Motion, motions
from marey.lifting.windows import ROOT, STEP_S, Track, seen
from marey.training.bodies import Lifting, Takes, bodies, estimated, seen_by, takes
from marey.training.loop import Batches
from marey.training.measured import KINDS, measured_batches
from marey.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class LiftBatches:
    """Windows of `frames`; a network with `inputs` of 2 is not told which joints are there."""

    held: Takes
    lifting: Lifting
    frames: int
    inputs: int
    batch: int
    seed: int

    def make(self, step: int) -> dict[str, np.ndarray]:
        """The batch of a step: `xy` (B, F, 17, inputs), and `xyz` (B, 17, 3) of the middle frame."""
        rng = np.random.default_rng((self.seed, step))
        middle = rng.integers(0, len(self.held), self.batch)
        rows = middle[:, None] + np.arange(self.frames) - self.frames // 2
        rows = np.clip(rows, self.held.first[middle, None], self.held.last[middle, None])
        xyz = seen_by(bodies(self.held, rows, rng), self.lifting.cameras, rng)
        given = seen(estimated(xyz, rng.uniform(0, 1.5, self.batch), self.lifting, rng))
        truth = xyz[:, self.frames // 2]
        turned = np.einsum("nij,nkj->nki", given.turn, truth - truth[:, ROOT, None])
        return {"xy": given.xy[..., : self.inputs], "xyz": turned.astype(np.float32)}

    def prepare(self, batch: dict[str, Tensor], step: int) -> dict[str, Tensor]:
        """Nothing is left to do."""
        return batch


@dataclass(frozen=True, slots=True)
class View:
    """One take before one camera: what a lifter gets, and the truth (T, 17, 3), root at 0, in statures."""

    name: str
    group: str
    track: Track
    truth: np.ndarray


def lift_batches(recipe: Recipe, settings: Any) -> Batches:
    """Windows of the recipe's motions, or of sets that were filmed (`training/measured.py`).

    Raises
    ------
    SettingsError
        When the recipe names data that are neither, or both.
    """
    inputs = 2 + settings.confidence
    if all(source.kind in KINDS for source in recipe.data):
        drawn = (settings.frames, inputs, recipe.train.batch, recipe.seed)
        return measured_batches(recipe.data, recipe.lifting, *drawn)
    if any(source.kind != "mocap" for source in recipe.data):
        raise SettingsError(
            f"{recipe.name}.toml: data: lifting is trained on mocap, or on {', '.join(KINDS)}"
        )
    held = [motion for s in recipe.data for motion in remembered(s.folder, s.split)]
    return LiftBatches(
        takes(held), recipe.lifting or Lifting(), settings.frames, inputs, recipe.train.batch, recipe.seed
    )


def views(held: list[Motion], lifting: Lifting, level: float, longest: int, seed: int) -> list[View]:
    """Each take's first `longest` frames on one body before one camera, drawn from `seed`, for evaluation."""
    made = []
    for k, motion in enumerate(held):
        rng = np.random.default_rng((seed, k))
        take = takes([motion])
        rows = np.arange(min(len(take), longest))[None]
        xyz = seen_by(bodies(take, rows, rng), lifting.cameras, rng)
        rays = estimated(xyz, np.array([level]), lifting, rng)[0]
        truth = xyz[0] - xyz[0][:, ROOT, None]
        made.append(View(motion.name, motion.group, Track(np.arange(len(rays)) * STEP_S, rays), truth))
    return made


def remembered(folder: Path, split: str) -> list[Motion]:
    """The motions of a folder; read once and kept in the user's cache (text is slow to read)."""
    files = sorted(file for file in folder.rglob("*") if file.suffix in (".bvh", ".asf", ".amc"))
    told = " ".join(f"{file.name} {file.stat().st_size}" for file in files) + split
    path = cache_dir() / f"mocap-{hashlib.sha256(told.encode()).hexdigest()[:12]}.npz"
    if path.is_file():
        with np.load(path) as kept:
            return [
                Motion(str(name), str(group), float(rate), kept[f"xyz{k}"].astype(np.float64))
                for k, (name, group, rate) in enumerate(
                    zip(kept["name"], kept["group"], kept["rate"], strict=True)
                )
            ]
    held = motions(folder, split)
    arrays = {f"xyz{k}": motion.xyz_m.astype(np.float32) for k, motion in enumerate(held)}
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{os.getpid()}-{path.name}")
    names = {
        "name": [m.name for m in held],
        "group": [m.group for m in held],
        "rate": [m.rate_hz for m in held],
    }
    np.savez(draft, **names, **arrays)
    draft.replace(path)
    return held
