"""Baselines of lifting: what a method with a graph of its own must beat.

`mlp`       Martinez et al., ICCV 2017 (arXiv:1705.03098): each frame alone, two residual blocks
`temporal`  Pavllo et al., CVPR 2019 (VideoPose3D, arXiv:1811.11742): dilated convolutions over time, all
            joints in one vector
`learned`   the graph network of `networks/dgnet.py` with affinities that are learned, but the same for every
            input (as in SemGCN and ModulatedGCN): what separates "dynamic" from "not the skeleton's"

Conventions: those of `methods/dgnet.py`: tracks of rays in, statures in camera axes out, NaN where the 2D is.
What differs from the papers: inputs and targets are normalised as `lifting/windows.py` says.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64

from marey.core.errors import SettingsError
from marey.core.stages import Method, Network
from marey.lifting.windows import Track, lifted


@dataclass(frozen=True, slots=True)
class LiftBase:
    """Settings. The first block belongs to the weights, the second to a run."""

    kind: Literal["mlp", "temporal", "learned"] = "temporal"
    frames: Literal[1, 3, 9, 27, 81, 243] = 27  # moments of a window; `mlp` sees 1, `learned` up to 27
    width: int = 256  # channels; both papers' own networks have 1024
    confidence: bool = True  # a third input channel says which joints are there
    dropout: float = 0.1
    bones: float = 0.0  # share of the bones' lengths in the loss

    flip: bool = True  # mean with the mirrored picture
    batch: int = 256  # windows in one call of the network

    def __post_init__(self) -> None:
        """Refuse windows that the kind cannot take."""
        allowed = {"mlp": (1,), "temporal": (3, 9, 27, 81, 243), "learned": (1, 3, 9, 27)}[self.kind]
        if self.frames not in allowed:
            raise SettingsError(
                f"liftbase.frames: {self.kind} takes {' or '.join(map(str, allowed))}, not {self.frames}"
            )


def stage(
    tracks: Iterator[Track], settings: LiftBase, network: Network
) -> Iterator[Float64[np.ndarray, "T 17 3"]]:
    """Lift each track; one answer per track, in order."""
    for track in tracks:
        yield lifted(track, settings.frames, network, flip=settings.flip, batch=settings.batch)


METHOD = Method(
    name="liftbase",
    paper="Martinez et al. (ICCV 2017); Pavllo et al. (CVPR 2019)",
    kinds=("lift",),
    settings=LiftBase,
    ahead=lambda settings: settings.frames // 2,
    stage=stage,
)
