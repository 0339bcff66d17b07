"""What a method is, and what a codec and a network must offer.

A stage is a generator: one out per one in, same order, nothing mutated. `ahead` is the number of future
frames it needs before it can answer for one; causal means 0.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float

Kind = Literal["find", "estimate", "refine", "lift"]
Arrays = dict[str, np.ndarray]


@runtime_checkable
class Network(Protocol):
    """A loaded network file: arrays in, arrays out, by name (`weights.Session` is one)."""

    def __call__(self, inputs: Arrays) -> Arrays:
        """Run the network on named input arrays."""
        ...


@runtime_checkable
class Codec(Protocol):
    """Truth to target and output to joints: one object fixes both."""

    def encode(
        self, xy: Float[np.ndarray, "B J 2"], labelled: Bool[np.ndarray, "B J"]
    ) -> dict[str, np.ndarray]:
        """Targets and weights for joints in crop pixels."""
        ...

    def decode(self, outputs: Arrays) -> tuple[Float[np.ndarray, "B J 2"], Float[np.ndarray, "B J"]]:
        """Joints in crop pixels, and scores in [0, 1]."""
        ...

    def heat(self, outputs: Arrays) -> Float[np.ndarray, "B J h w"]:
        """Heat maps at stride 4, where the output allows it."""
        ...


@dataclass(frozen=True, slots=True)
class Method:
    """One published (or our own) way of doing a stage; everything marey does with it reads this.

    `stage(items, settings, network)` turns an iterator of one noun into an iterator of the next;
    `codec(settings)` is None for methods whose networks are not trained on joints. A method is `framewise` if
    what comes out for a frame depends on no other frame, so that frames may be shared out among threads.
    """

    name: str
    paper: str
    kinds: tuple[Kind, ...]
    settings: type
    ahead: Callable[[Any], int]
    stage: Callable[..., Iterator[Any]]
    codec: Callable[[Any], Codec] | None = None
    framewise: bool = False
