"""A value read from a label file, and its address: what is missing or misshapen is named to the field.

JSON objects and MATLAB structs are read alike: `node["annorect"][0]["x1"].number()`. Numbers are float64.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, final

import numpy as np

from marey.core.errors import DataError
from marey.data.files import need


@final
class Node:
    """A value and where it was read: the file, then the path of fields."""

    __slots__ = ("value", "where")

    def __init__(self, value: Any, where: str):
        self.value, self.where = value, where

    def __getitem__(self, name: str | int) -> "Node":
        """A field of an object or an item of a list."""
        if isinstance(name, int):
            held = self.value.reshape(-1) if isinstance(self.value, np.ndarray) else self.items()
            return Node(held[name], f"{self.where}[{name}]")
        if not self.has(name):
            raise self.error(f"field `{name}` is missing")
        value = self.value[name] if isinstance(self.value, dict) else getattr(self.value, name)
        return Node(value, f"{self.where}: {name}" if ": " not in self.where else f"{self.where}.{name}")

    def has(self, name: str) -> bool:
        """Whether there is such a field and it is not empty."""
        held = self.value
        value = held.get(name) if isinstance(held, dict) else getattr(held, name, None)
        return value is not None and (not isinstance(value, np.ndarray) or value.size > 0)

    def items(self) -> list[Any]:
        """What a list or array of structs holds; MATLAB writes a single one without its array."""
        if isinstance(self.value, np.ndarray):
            return list(self.value.reshape(-1))
        return self.value if isinstance(self.value, list) else [self.value]

    def __iter__(self) -> Iterator["Node"]:
        return (Node(item, f"{self.where}[{k}]") for k, item in enumerate(self.items()))

    def __len__(self) -> int:
        return self.value.size if isinstance(self.value, np.ndarray) else len(self.items())

    def error(self, what: str) -> DataError:
        """An error that says where."""
        return DataError(f"{self.where}: {what}")

    def text(self) -> str:
        """A string."""
        if not isinstance(self.value, str) or not self.value:
            raise self.error(f"text expected, {_short(self.value)} found")
        return self.value

    def number(self, nan: bool = False) -> float:
        """A number."""
        return float(self.array((), nan))

    def whole(self) -> int:
        """A whole number."""
        value = self.number()
        if value != int(value):
            raise self.error(f"a whole number expected, {value} found")
        return int(value)

    def array(self, shape: tuple[int | None, ...], nan: bool = False) -> np.ndarray:
        """Numbers in this shape, None where any length fits; MATLAB may have left out lengths of one."""
        try:
            found = np.asarray(self.value, np.float64)
        except (TypeError, ValueError) as error:
            raise self.error(f"numbers expected, {_short(self.value)} found") from error
        core, held = [n for n in shape if n != 1], [n for n in found.shape if n != 1]
        flexible = None in shape and len(held) == len(core) - 1 and found.size > 0
        if flexible:
            held.insert(core.index(None), 1)
        if len(core) != len(held) or any(n not in (None, m) for n, m in zip(core, held, strict=True)):
            wanted = " × ".join("any" if n is None else str(n) for n in shape) or "one"
            raise self.error(f"numbers {wanted} expected, {found.shape or 'one'} found")
        if not nan and not np.isfinite(found).all():
            raise self.error("holds NaN or infinity")
        return found.reshape([-1 if n is None else n for n in shape])


def read_json(path: Path, what: str = "the label file") -> Node:
    """The whole of a JSON file."""
    try:
        return Node(json.loads(need(path, what).read_text("utf-8")), str(path))
    except ValueError as error:
        raise DataError(f"{path}: not JSON ({error}); fetch it again") from error


def _short(value: Any) -> str:
    text = repr(value).replace("\n", " ")
    return text if len(text) < 40 else f"{text[:37]}..."
