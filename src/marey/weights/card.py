"""The card of a network: what it is, what made it, what it was trained on and how well it does.

`NAME.toml` lies beside `NAME.onnx`. It is written once, at export, and read by whoever loads the file: the
loader for sizes and hashes, the method for its settings, the person for licence and terms.
"""

import hashlib
import json
import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from marey.core.errors import SettingsError, WeightsError
from marey.core.settings import load_toml, parse, plain


@dataclass(frozen=True)
class Card:
    """One network file. `input_size` is (width, height); `gmac` is for one input of that size.

    `data` lists the training data as {kind, terms}; `metrics` holds figures with the command that measured
    them; `bf16` says that the loss of accuracy in bfloat16 was measured and accepted. `path` is where the
    card was read from (not stored in the file).
    """

    name: str
    method: str
    skeleton: str
    input_size: tuple[int, int]
    outputs: tuple[str, ...]
    opset: int
    parameters: int
    gmac: float
    starts: str
    data: tuple[dict[str, str], ...]
    recipe: str
    recipe_print: str
    seed: int
    sha256: str
    licence: str
    settings: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    bf16: bool = False
    path: Path | None = field(default=None, compare=False)

    @property
    def onnx(self) -> Path:
        """The network file: the card's own path with the suffix `.onnx`."""
        if self.path is None:
            raise WeightsError(f"the card of {self.name} lies in no folder yet; write_card it")
        return self.path.with_suffix(".onnx")

    def verify(self) -> None:
        """Compare the network file with the card's hash.

        Raises
        ------
        WeightsError
            If the file is missing or is not the one the card describes.
        """
        try:
            found = hashlib.sha256(self.onnx.read_bytes()).hexdigest()
        except OSError as error:
            raise WeightsError(f"{self.onnx}: unreadable ({error.strerror}); install marey again") from error
        if found != self.sha256:
            raise WeightsError(
                f"{self.onnx}: its sha256 is {found[:12]}…, the card says {self.sha256[:12]}…: the file is "
                "damaged or was replaced; install or add it again"
            )

    @property
    def terms(self) -> str:
        """The terms of the training data, in one line."""
        return "; ".join(f"{item['kind']}: {item['terms']}" for item in self.data) or "none stated"


def read_card(path: str | Path) -> Card:
    """Read a card.

    Raises
    ------
    WeightsError
        If the file cannot be read, or a field is missing, unknown or of the wrong type; the text names it.
    """
    path = Path(path)
    try:
        card = parse(Card, load_toml(path), path.name)
    except SettingsError as error:
        raise WeightsError(f"{error} (the card of a network)") from error
    return replace(card, path=path.resolve())


def write_card(card: Card, path: str | Path) -> None:
    """Write a card as TOML; `read_card` gives back an equal one."""
    stored = plain(replace(card, path=None))
    del stored["path"]
    Path(path).write_text(_toml(stored), encoding="utf-8")


def _toml(table: dict[str, Any], prefix: str = "") -> str:
    """TOML text of nested tables: values first, then a section per table. TOML has no None: left out."""
    values = {key: value for key, value in table.items() if value is not None and not isinstance(value, dict)}
    text = "".join(f"{_key(key)} = {_value(value)}\n" for key, value in values.items())
    for key, value in table.items():
        if isinstance(value, dict):
            section = f"{prefix}{_key(key)}"
            text += f"\n[{section}]\n{_toml(value, f'{section}.')}"
    return text


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if bare else _value(key)


def _value(value: Any) -> str:
    """One TOML value; JSON's whole numbers, booleans and strings are TOML's as well (but for DEL)."""
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    if isinstance(value, str | bool | int):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    raise WeightsError(f"a card holds text, numbers, lists and tables, not {value!r}")
