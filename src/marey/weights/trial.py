"""Whether a network is what its card says, shown by running it."""

import statistics
import time
from dataclasses import dataclass

import numpy as np

from marey.core.errors import WeightsError
from marey.weights.card import Card
from marey.weights.session import Device, Session, load

CALLS = 5
"""Timed calls after the first, of which the median counts (our choice)."""


@dataclass(frozen=True)
class Trial:
    """What came of running a network on one picture of its own size."""

    card: Card
    provider: str
    milliseconds: float


def trial(source: str | Card, device: Device = "auto", threads: int | None = None) -> Trial:
    """Load a network, hash checked, and run it on one noise picture.

    Raises
    ------
    WeightsError
        If it cannot be loaded or run, or an output holds something else than finite numbers.
    """
    session = load(source, device, threads)
    inputs = {name: _noise(session, shape) for name, shape in session.inputs.items()}
    for name, value in session(inputs).items():
        if not np.isfinite(value).all():
            raise WeightsError(f"{session.card.onnx}: the output `{name}` is not finite; export it again")
    seconds = []
    for _ in range(CALLS):
        begin = time.perf_counter()
        session(inputs)
        seconds.append(time.perf_counter() - begin)
    return Trial(session.card, session.provider, statistics.median(seconds) * 1000)


def _noise(session: Session, shape: tuple[int | None, ...]) -> np.ndarray:
    """A batch of one; where a side may have any length, it has the card's."""
    width, height = session.card.input_size
    usual = (1, height, width, 3)
    wanted = [size or usual[axis] for axis, size in enumerate(shape)]
    return np.random.default_rng(0).integers(0, 256, wanted, dtype=np.uint8)
