"""HTML and SVG by functions: text is escaped unless a tag made it, so no name can become markup."""

import html
import re
from collections.abc import Iterable

_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Characters that HTML does not hold: controls, and halves of pairs (names of files may have them)."""
_VOID = frozenset(("meta", "img", "br", "col"))


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


Child = str | Iterable[str]
Value = str | float | bool | None


def tag(name: str, /, *children: Child, **attributes: Value) -> Html:
    """An element: strings among the children are escaped, elements are not.

    An attribute's name loses a trailing `_` and has `-` for `_` (`class_`, `aria_label`); None and False
    leave it out, True writes it bare.
    """
    words = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        plain = key.rstrip("_").replace("_", "-")
        words.append(plain if value is True else f'{plain}="{escaped(_number(value))}"')
    opened = Html(f"<{' '.join(words)}>")
    return opened if name in _VOID else Html(f"{opened}{joined(*children)}</{name}>")


def joined(*children: Child) -> Html:
    """Children in a row, those that are no markup escaped."""
    parts: list[str] = []
    for child in children:
        parts.extend([child] if isinstance(child, str) else child)
    return Html("".join(part if isinstance(part, Html) else escaped(part) for part in parts))


def escaped(text: str) -> Html:
    """Text as it is read, not as markup; characters that HTML does not hold become U+FFFD."""
    return Html(html.escape(_ILLEGAL.sub("\ufffd", text), quote=True))


def _number(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
