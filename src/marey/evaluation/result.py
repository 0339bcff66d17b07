"""What an evaluation gives back, and the file under `results/` that keeps it.

`results/NAME.json` holds value, protocol, metrics, recipe print, data print, weights' hash, commit and
seconds: a figure without them is a rumour.
"""

import hashlib
import json
import math
import re
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from marey.core.errors import SettingsError
from marey.data.sample import Sample


@dataclass(frozen=True, slots=True)
class Result:
    """Figures and how they came about.

    `metrics` are fractions in [0, 1] unless the name says a unit; `intervals` are 95 % bootstrap intervals of
    some of them; `tables` holds what is more than one figure (by height, by score). `value` is the first
    metric.
    """

    protocol: dict[str, Any]
    items: int
    metrics: dict[str, float]
    per_joint: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    tables: dict[str, Any] = field(default_factory=dict)
    made: dict[str, Any] = field(default_factory=dict)

    @property
    def value(self) -> float:
        """The figure the protocol is about."""
        return next(iter(self.metrics.values()))

    def as_json(self) -> dict[str, Any]:
        """The result as JSON values; NaN becomes None."""
        return _plain({"value": self.value, **asdict(self)})

    def save(self, name: str, folder: Path = Path("results")) -> Path:
        """Write `results/NAME.json`.

        Raises
        ------
        SettingsError
            If the name is no plain file name, or the folder cannot be written.
        """
        if not re.fullmatch(r"[\w.+-]+", name):
            raise SettingsError(f"--save {name}: letters, digits, `-`, `_`, `.` and `+` only")
        path = folder / f"{name}.json"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(self.as_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        except OSError as error:
            raise SettingsError(
                f"{path}: cannot be written ({error.strerror}); choose another folder"
            ) from error
        return path


def data_print(samples: Sequence[Sample]) -> str:
    """Twelve hex digits that name exactly these samples and their truth."""
    digest = hashlib.sha256()
    for sample in samples:
        digest.update(f"{sample.kind} {sample.name} {sample.size}".encode())
        digest.update(sample.truth.xy_px.tobytes() + sample.truth.boxes_px.tobytes())
        digest.update(sample.truth.state.tobytes() + sample.truth.ignore.tobytes())
    return digest.hexdigest()[:12]


def commit() -> str:
    """The commit of the checkout marey runs from, with `+` where files differ; empty outside a checkout."""
    here = Path(__file__).parent
    try:
        head = _git(here, "rev-parse", "--short=12", "HEAD")
        changed = _git(here, "status", "--porcelain", "--untracked-files=no", "--", str(here.parent))
    except (OSError, subprocess.SubprocessError):
        return ""
    return head + ("+" if changed else "")


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True, timeout=20)
    return done.stdout.strip()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(held) for held in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
