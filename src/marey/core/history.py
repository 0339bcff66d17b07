"""What a recording was made from and how: it travels with the data, as JSON in every file of a recording.

Keys of the JSON: `skeleton` (whole, so that a file is readable without marey's tables), `source`, `steps`
(in the order they ran, each with its settings), `weights` (name and sha256), `versions`, `device`, and after
lifting `lift`: method, skeleton, the frame of the axes, where camera and scale come from.
Rates are exact fractions, written `"30000/1001"`.
"""

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from marey.core.skeletons import MAREY19, Skeleton


@dataclass(frozen=True, slots=True)
class Source:
    """The video: displayed size (width, height), rotation in degrees that was applied to show it upright.

    `rate` is the container's rational rate, None where it has none; `variable` says that frames are not
    evenly spaced; `start_s` is the container's presentation time of the first shown frame, our time 0.
    """

    name: str = ""
    size: tuple[int, int] = (0, 0)
    rotation: int = 0
    rate: Fraction | None = None
    variable: bool = False
    duration_s: float | None = None
    start_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done, and the settings it was done with (JSON values)."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class NetworkFile:
    """A network file that was used."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class History:
    """Everything needed to say where a recording comes from."""

    skeleton: Skeleton = MAREY19
    source: Source = Source()
    steps: tuple[Step, ...] = ()
    weights: tuple[NetworkFile, ...] = ()
    versions: Mapping[str, str] = field(default_factory=lambda: versions_in_use())
    device: str = ""
    lift: Mapping[str, Any] | None = None

    def then(self, name: str, settings: Mapping[str, Any]) -> "History":
        """The history with one more step."""
        return replace(self, steps=(*self.steps, Step(name, dict(settings))))

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        out = asdict(self)
        out["source"]["rate"] = None if self.source.rate is None else str(self.source.rate)
        return out


def from_json(values: Mapping[str, Any]) -> History:
    """The inverse of `History.to_json`, also of its text form.

    Raises `KeyError`, `TypeError` or `ValueError` if the values are damaged.
    """
    source = dict(values["source"])
    source["rate"] = None if source["rate"] is None else Fraction(source["rate"])
    source["size"] = tuple(source["size"])
    return History(
        skeleton=_skeleton(values["skeleton"]),
        source=Source(**source),
        steps=tuple(Step(**step) for step in values["steps"]),
        weights=tuple(NetworkFile(**network) for network in values["weights"]),
        versions=dict(values["versions"]),
        device=values["device"],
        lift=values.get("lift"),
    )


def versions_in_use() -> dict[str, str]:
    """Versions of what numbers depend on."""
    out = {"python": platform.python_version(), "numpy": np.__version__}
    for name in ("marey", "av", "opencv-python-headless", "openvino", "onnxruntime", "pyarrow"):
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            continue
    return dict(sorted(out.items()))


def _skeleton(values: Mapping[str, Any]) -> Skeleton:
    return Skeleton(
        name=values["name"],
        joints=tuple(values["joints"]),
        limbs=tuple((a, b) for a, b in values["limbs"]),
        flips=tuple((a, b) for a, b in values["flips"]),
        sigmas=None if values["sigmas"] is None else tuple(values["sigmas"]),
        parents=None if values["parents"] is None else tuple(values["parents"]),
    )
