"""Settings: frozen dataclasses read straight from TOML.

A settings class is a frozen dataclass whose fields are annotated with plain types: bool, int, float, str,
`Literal`, `tuple[X, ...]`, `tuple[X, Y]`, `dict[str, X]`, `X | None`, `Any`, or another such dataclass. One
default in one place: the field's own. Unknown keys are refused with a suggestion, wrong types and choices
are named with what would be right.
"""

# Settings come in as Any: finding out what they are is what this file is for.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

import dataclasses
import difflib
import hashlib
import json
import tomllib
import types
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from marey.core.errors import SettingsError

T = TypeVar("T")


def load_toml(path: str | Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    SettingsError
        If the file is missing or is not TOML; the message holds the line.
    """
    try:
        return tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror or error}); check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid TOML ({error}); correct that line") from error


def parse(cls: type[T], mapping: Mapping[str, Any], where: str = "") -> T:
    """Make a settings dataclass from a nested mapping, checking every key and value.

    Parameters
    ----------
    cls
        A dataclass; fields absent from the mapping keep their defaults.
    mapping
        As read from TOML: tables are dicts, arrays are lists.
    where
        What the messages call this mapping, such as the file's name.

    Raises
    ------
    SettingsError
        On an unknown key, a missing one without a default, or a value of the wrong type.
    """
    hints = get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}  # pyright: ignore[reportArgumentType]
    for key in mapping:
        if key not in fields:
            raise SettingsError(f"{_at(where, key)}: unknown setting; {_suggest(key, fields)}")
    values = {key: _value(hints[key], value, _at(where, key)) for key, value in mapping.items()}
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in values:
            raise SettingsError(f"{_at(where, name)}: missing; it has no default, so give it a value")
    return cls(**values)


def override(mapping: Mapping[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    """Return the mapping with changes such as `train.rate=1e-3` applied; the original is left alone.

    A value is read as TOML; what TOML does not know is taken as text (`method=dkd`).

    Raises
    ------
    SettingsError
        If a change has no `=`, or its path runs through something that is not a table.
    """
    result = _copy(mapping)
    for change in changes:
        path, equals, text = change.partition("=")
        keys = [key.strip() for key in path.split(".")]
        if not equals or not all(keys):
            raise SettingsError(
                f"--set {change}: not of the form name=value; write for example train.rate=1e-3"
            )
        table = result
        for key in keys[:-1]:
            table = table.setdefault(key, {})
            if not isinstance(table, dict):
                raise SettingsError(
                    f"--set {change}: {key} is a value, not a table; leave out what follows it"
                )
        table[keys[-1]] = _literal(text.strip())
    return result


def fingerprint(obj: object) -> str:
    """12 hexadecimal digits that name settings: equal values give equal digits, on every machine.

    Dataclasses count by their class's name and fields, mappings without regard to order.
    """
    text = json.dumps(_plain(obj), sort_keys=True, separators=(",", ":"), allow_nan=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def plain(obj: object) -> Any:
    """Return settings as dicts, lists and scalars, for a card, a recording's metadata or JSON."""
    return _plain(obj, named=False)


def _plain(obj: Any, named: bool = True) -> Any:
    if dataclasses.is_dataclass(obj) and not isinstance(obj, type):
        fields = {f.name: _plain(getattr(obj, f.name), named) for f in dataclasses.fields(obj)}
        return {"": type(obj).__name__, **fields} if named else fields
    if isinstance(obj, Mapping):
        return {str(key): _plain(value, named) for key, value in obj.items()}
    if isinstance(obj, list | tuple):
        return [_plain(value, named) for value in obj]
    if isinstance(obj, Enum):
        return _plain(obj.value, named)
    if isinstance(obj, Path):
        return obj.as_posix()
    if obj is None or isinstance(obj, bool | int | float | str):
        return obj
    raise SettingsError(
        f"{type(obj).__name__}: not a setting; use numbers, text, lists, tables or dataclasses"
    )


def _value(hint: Any, value: Any, where: str) -> Any:
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin in (Union, types.UnionType):
        return _union(args, value, where)
    if origin is Literal:
        return _choice(args, value, where)
    if origin is tuple:
        return _tuple(args, value, where)
    if origin is dict and isinstance(value, Mapping):
        return {key: _value(args[1], item, _at(where, key)) for key, item in value.items()}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if isinstance(value, hint):
            return value
        if isinstance(value, Mapping):
            return parse(hint, value, where)
    elif _fits(hint, value):
        return float(value) if hint is float else hint(value)  # pyright: ignore[reportCallIssue]
    raise SettingsError(f"{where}: {value!r} is {_called(type(value))}; expected {_called(hint)}")


def _choice(args: tuple[Any, ...], value: Any, where: str) -> Any:
    for choice in args:
        if choice == value and isinstance(choice, bool) == isinstance(value, bool):
            return choice
    raise SettingsError(f"{where}: {value!r} is no choice; choose one of {', '.join(map(str, args))}")


def _fits(hint: Any, value: Any) -> bool:
    """Whether a scalar may stand where `hint` is asked: whole numbers pass as float, text as a path."""
    accepted = {float: (int, float), Path: (str, Path)}.get(hint, hint)
    if not isinstance(accepted, type | tuple):
        return False
    return isinstance(value, accepted) and (hint is bool or not isinstance(value, bool))


def _union(args: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in args:
        return None
    choices = [arg for arg in args if arg is not type(None)]
    for choice in choices[:-1]:
        try:
            return _value(choice, value, where)
        except SettingsError:
            continue  # the last choice, below, raises if nothing fits
    return _value(choices[-1], value, where)


def _tuple(args: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise SettingsError(f"{where}: {value!r} is {_called(type(value))}; expected a list such as [1, 2]")
    if len(args) == 2 and args[1] is Ellipsis:
        args = (args[0],) * len(value)
    if len(value) != len(args):
        raise SettingsError(f"{where}: {len(value)} values; expected {len(args)}")
    return tuple(
        _value(hint, item, f"{where}[{k}]") for k, (hint, item) in enumerate(zip(args, value, strict=True))
    )


def _literal(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _copy(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _copy(value) if isinstance(value, Mapping) else value for key, value in mapping.items()}


def _at(where: str, key: str) -> str:
    return f"{where}: {key}" if where.endswith((".toml", ".py")) else f"{where}.{key}" if where else key


def _suggest(key: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"known are {', '.join(known)}" if known else "there are none here"


_NAMES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "a table",
}


def _called(hint: Any) -> str:
    if dataclasses.is_dataclass(hint):
        return "a table"
    return _NAMES.get(get_origin(hint) or hint, getattr(hint, "__name__", str(hint)))
