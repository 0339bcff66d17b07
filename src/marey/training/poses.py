"""Batches for networks that put joints on one person's crop."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from marey.core.geometry import Side, size_of
from marey.core.skeletons import MAREY19, Skeleton, mirrored
from marey.data.sample import State
from marey.training.augment import Augment, change_pixels, draw_warp, warp
from marey.training.cache import People
from marey.training.teacher import Teacher

LOOKED_FOR = {"coco": 17, "synth": 19, "bench": 19}
"""Sets that label every joint they can see, with how many of our joints they look for.

What is unlabelled there is not in the picture.
"""


@dataclass(frozen=True, slots=True)
class PoseBatches:
    """Random people, warped.

    `trust` (N, 19) weighs labels (`training/witness.py`); `odds` (N,) weighs people.
    """

    people: People
    trust: np.ndarray
    odds: np.ndarray
    looked: np.ndarray  # (N,) joints the person's set looks for
    skeleton: Skeleton
    side: Side
    padding: float
    augment: Augment
    batch: int
    seed: int
    teacher: Teacher | None = None
    cycle: int = 1  # steps in a cycle of the rate

    def make(self, step: int) -> dict[str, np.ndarray]:
        """The batch of a step: rgb uint8 (B, h, w, 3), xy, weight, absent.

        With a teacher also its maps `taught` (B, J, h, w) at stride 4 and their share of the loss, `teaching`
        (B,). People come in the order of a shuffle of each epoch, so that none is left out by chance.
        """
        size = self._size(step)
        drawn = [self._one(*number, size) for number in self._numbers(step)]
        made = {key: np.stack([item[key] for item in drawn]) for key in drawn[0]}
        if self.teacher is None:
            return made
        taught = self.teacher.maps(made.pop("large"), (size[0] // 4, size[1] // 4))
        return {**made, "taught": taught, "teaching": np.full(len(taught), self.teacher.share, np.float32)}

    def prepare(self, batch: dict[str, Tensor], step: int) -> dict[str, Tensor]:
        """Change pixels on the device."""
        generator = torch.Generator().manual_seed(hash((self.seed, step)) & 0x7FFFFFFF)
        rgb = batch["rgb"].permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format)
        rgb = change_pixels(rgb, self.augment, generator).contiguous(memory_format=torch.channels_last)
        return {**batch, "rgb": rgb}

    def epoch(self) -> np.ndarray:
        """How often each person comes in an epoch, whole numbers and chances."""
        return self.odds

    def _size(self, step: int) -> tuple[int, int]:
        """Width and height of a step's crops."""
        if not self.augment.sides:
            return size_of(self.side)
        row = self.augment.sides[step // self.cycle]
        return size_of(row[np.random.default_rng((self.seed, 104729, step)).choice(len(row))])

    def _numbers(self, step: int) -> list[tuple[int, int]]:
        """(person, position in the whole run) of a step's examples."""
        size = max(int(np.ceil(self.odds.sum())), 1)
        found = []
        for position in range(step * self.batch, (step + 1) * self.batch):
            order = _shuffle(self.odds.tobytes(), self.odds, self.seed, position // size)
            found.append((int(order[position % size % len(order)]), position))
        return found

    def _one(self, number: int, position: int, size: tuple[int, int]) -> dict[str, np.ndarray]:
        rng = np.random.default_rng((self.seed, position))
        people, count = self.people, len(self.skeleton)
        xy = people.xy[number]
        matrix, mirror = draw_warp(rng, people.boxes[number], xy, size, self.augment, self.padding)
        known = people.state[number] > State.UNLABELLED
        placed = np.nan_to_num(xy @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
        weight = np.where(known, self.trust[number], 0).astype(np.float32)
        absent = (~known & (np.arange(len(known)) < self.looked[number])).astype(np.float32)
        if known.sum() < 5:  # too few to say that the others were looked for in earnest
            absent[:] = 0
        if mirror:
            order = list(mirrored(MAREY19))
            placed, weight, absent = placed[order], weight[order], absent[order]
        rgb = warp(people.rgb(number), matrix, size)
        made = {"rgb": rgb, "xy": placed[:count], "weight": weight[:count], "absent": absent[:count]}
        if self.teacher is not None:
            large = self.teacher.size(size)
            made["large"] = warp(people.rgb(number), matrix * (np.divide(large, size))[:, None], large)
        return made


_SHUFFLES: dict[tuple[int, int, int], np.ndarray] = {}


def _shuffle(key: bytes, odds: np.ndarray, seed: int, epoch: int) -> np.ndarray:
    """An epoch's order: each person as often as `odds` says, its fraction by chance."""
    place = (hash(key), seed, epoch)
    if place not in _SHUFFLES:
        rng = np.random.default_rng((seed, 7919, epoch))
        times = np.floor(odds + rng.random(len(odds))).astype(int)
        _SHUFFLES.clear()
        _SHUFFLES[place] = rng.permutation(np.repeat(np.arange(len(odds)), times))
    return _SHUFFLES[place]
