"""marey measures human motion in ordinary video.

    recording = marey.run("walk.mp4")                          # everything, sensible defaults
    poses = marey.estimate(marey.find(marey.read("walk.mp4")))  # or arrow by arrow; nothing runs until asked
    recording.to_pandas(); recording.export("walk.csv")

The stage `refine` of the house's plan arrives with the first method that does it.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from marey.core.cameras import Camera
    from marey.core.errors import MareyError
    from marey.core.nouns import Frame, People, Poses
    from marey.core.recording import Recording, collect
    from marey.core.skeletons import Skeleton
    from marey.evaluation.evaluate import evaluate
    from marey.finishing import finish
    from marey.methods import METHODS
    from marey.pipeline.lifted import lift
    from marey.pipeline.plan import estimate, find
    from marey.pipeline.run import run
    from marey.video.read import read
    from marey.weights import load

__all__ = [
    "METHODS",
    "Camera",
    "Frame",
    "MareyError",
    "People",
    "Poses",
    "Recording",
    "Skeleton",
    "collect",
    "estimate",
    "evaluate",
    "find",
    "finish",
    "lift",
    "load",
    "read",
    "run",
]

_HOMES = {
    "core.cameras": ("Camera",),
    "core.errors": ("MareyError",),
    "core.nouns": ("Frame", "People", "Poses"),
    "core.recording": ("collect",),
    "core.skeletons": ("Skeleton",),
    "evaluation.evaluate": ("evaluate",),
    "export": ("Recording",),
    "finishing": ("finish",),
    "methods": ("METHODS",),
    "pipeline.lifted": ("lift",),
    "pipeline.plan": ("estimate", "find"),
    "pipeline.run": ("run",),
    "video.read": ("read",),
    "weights": ("load",),
}
"""Where a name lives: it is imported when it is first asked for, so that `import marey` costs nothing."""


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"marey.{home}"), name)
    raise AttributeError(f"module 'marey' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
