"""DG-Net (Zhang et al., TIP 2021, arXiv:2109.07353): lifting by graphs drawn from the motion itself.

Conventions: `lifting.windows.Track` in (rays of h36m17's joints on true time, NaN where missing), arrays
(T, 17, 3) out: camera axes, in statures, root at 0, NaN where the 2D was. A network answers for the middle of
a window of `frames` moments, 1/30 s apart.
What the paper says: joints exchange features along an affinity that follows from how near they are in space
(one graph a frame), and along one that follows from how alike they move (one graph a window). The body of the
paper was not to be had: layers, constants and training are our reconstruction (`networks/dgnet.py`).
`affinity` switches the two parts; `static` is the same network on the skeleton's own graph, `attention` has
learned queries and keys in place of nearness.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64

from marey.core.stages import Method, Network
from marey.lifting.windows import Track, lifted, seen, windows

Affinity = Literal["static", "dynamic-spatial", "dynamic-temporal", "both", "attention"]


@dataclass(frozen=True, slots=True)
class DGNet:
    """Settings. The first block belongs to the weights, the second to a run."""

    affinity: Affinity = "both"
    frames: Literal[1, 3, 9, 27] = 9  # T, moments of a window
    nearest: int = 6  # K, joints a joint listens to in space (our choice, of 17)
    neighbours: Literal["nearest", "drawn"] = "nearest"  # drawn: at random, once (what is nearness worth?)
    alike: int = 6  # K of the movements (our choice)
    relative: bool = False  # movements beside the mean of all joints', not the picture's
    width: int = 64  # channels; the affinities are measured in a quarter of them
    confidence: bool = True  # a third input channel says which joints are there
    dropout: float = 0.1
    bones: float = 0.0  # share of the bones' lengths in the loss

    flip: bool = True  # mean with the mirrored picture
    batch: int = 256  # windows in one call of the network


def stage(
    tracks: Iterator[Track], settings: DGNet, network: Network
) -> Iterator[Float64[np.ndarray, "T 17 3"]]:
    """Lift each track; one answer per track, in order."""
    for track in tracks:
        yield lifted(track, settings.frames, network, flip=settings.flip, batch=settings.batch)


def affinities(
    track: Track, settings: DGNet, network: Network, at: list[int]
) -> dict[str, Float64[np.ndarray, "N B 17 17"]]:
    """`spatial` and `temporal` graphs at some of a track's samples, one for each of the B blocks.

    Row i says whom joint i listens to; rows sum to 1. Where the network has no such dynamic part its fixed
    graph comes back.
    """
    made = network({"xy": seen(windows(track, settings.frames, at)).xy})
    return {name: made[name].astype(np.float64) for name in ("spatial", "temporal")}


METHOD = Method(
    name="dgnet",
    paper="Zhang et al.: Learning Dynamical Human-Joint Affinity for 3D Pose Estimation in Videos (TIP 2021)",
    kinds=("lift",),
    settings=DGNet,
    ahead=lambda settings: settings.frames // 2,
    stage=stage,
)
