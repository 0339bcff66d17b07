"""A larger network of the shelf tells a smaller one what it sees (Hinton et al. 2015, arXiv:1503.02531).

It looks at the same crop, warped alike but before pixels are made worse, and as high as its own are. Its maps
say how sure it is and where else the joint may be, for joints that nobody labelled as well.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float32, UInt8

from marey import weights
from marey.core.errors import SettingsError
from marey.core.skeletons import Skeleton
from marey.core.stages import Network


@dataclass(frozen=True, slots=True)
class Teach:
    """Who teaches (a name on the shelf, or a path), and what share of the loss is the teacher's."""

    network: str
    share: float = 0.5


@dataclass(frozen=True, slots=True)
class Teacher:
    """A loaded teacher; `height` pixels is what it looks at."""

    network: Network
    height: int
    share: float

    def size(self, pupil: tuple[int, int]) -> tuple[int, int]:
        """Width and height of what it looks at beside a pupil's crop, in multiples of 32."""
        return max(32, round(pupil[0] * self.height / pupil[1] / 32) * 32), self.height

    def maps(
        self, rgb: UInt8[np.ndarray, "B H W 3"], cells: tuple[int, int]
    ) -> Float32[np.ndarray, "B J h w"]:
        """Its probabilities on a grid of `cells`, columns and rows; what they lack of 1 is "not here"."""
        heat = self.network({"rgb": rgb})["heat"]
        down, across = (shares(*counts) for counts in zip(heat.shape[2:], cells[::-1], strict=True))
        return down @ heat @ across.T


def hired(teach: Teach, skeleton: Skeleton, threads: int | None) -> Teacher:
    """Load a teacher.

    Raises
    ------
    SettingsError
        If it has other joints than the pupil, or gives no maps alone (clnet's cells sum to more than 1).
    WeightsError
        If it cannot be loaded.
    """
    card = weights.read_card(weights.find(teach.network))
    if card.skeleton != skeleton.name or card.outputs != ("heat",):
        raise SettingsError(
            f"teach.network: {teach.network} gives {', '.join(card.outputs)} of the joints {card.skeleton}; "
            f"a teacher gives `heat` of {skeleton.name}; take baseline-thunder"
        )
    return Teacher(weights.load(card, "auto", threads), card.input_size[1], teach.share)


@lru_cache
def shares(given: int, cells: int) -> Float32[np.ndarray, "{cells} {given}"]:
    """How much of each of the cells given falls into each of another number of cells; columns sum to 1."""
    edges, wanted = np.arange(given + 1) * (cells / given), np.arange(cells + 1)
    last = np.minimum(wanted[1:, None], edges[None, 1:])
    first = np.maximum(wanted[:-1, None], edges[None, :-1])
    return (np.clip(last - first, 0, None) * (given / cells)).astype(np.float32)
