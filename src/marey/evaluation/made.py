"""What an evaluation hands on: result, pictures and poses; and how it says what it was made from."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from marey.core.errors import SettingsError
from marey.data import open_kind
from marey.data.files import Samples
from marey.evaluation.measure import Posed
from marey.evaluation.result import Result, commit, data_print
from marey.pipeline.plan import Stage

ORIGIN = "pixel edges, top left"


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A result with what it was made from: the pictures, and the poses on each (none for a detector)."""

    result: Result
    samples: Samples
    posed: Sequence[Posed] = ()


def open_data(data: str, split: str) -> tuple[str, Samples]:
    """Open KIND:PATH."""
    kind, colon, path = data.partition(":")
    if not colon or not path:
        raise SettingsError(f"--data {data}: KIND:PATH is expected, such as lsp:data/lsp")
    return kind, open_kind(kind, path, split)


def made_from(kind: str, split: str, samples: Samples, started: float) -> dict[str, Any]:
    """What a result was measured on, with which code, and how long it took."""
    return {
        "data": {"kind": kind, "split": split, "print": data_print(samples)},
        "commit": commit(),
        "seconds": round(time.perf_counter() - started, 1),
    }


def network_of(chosen: Stage) -> dict[str, Any]:
    """A stage's network and settings."""
    card = chosen.card
    if card is None:
        return {"settings": chosen.described()}
    held = {
        "name": card.name,
        "sha256": card.sha256,
        "recipe": card.recipe,
        "recipe_print": card.recipe_print,
    }
    return {"weights": held, "settings": chosen.described()}
