"""The page of one evaluation: `marey eval … --html FILE`."""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from marey.core.files import write_whole
from marey.evaluation import Evaluated
from marey.report import sections
from marey.report.markup import Html, joined, tag
from marey.report.pictures import Pair, worst_pairs

NOTE = (
    "Figures are fractions in [0, 1] unless a unit is named. Intervals are 95 % bootstrap intervals: how far "
    "a figure would move with other pictures of the same kind. The person’s left is blue, the right orange."
)


def write_page(path: Path, done: Evaluated) -> None:
    """Write a result as one HTML file, whole or not at all.

    Raises
    ------
    DataError
        If a picture among the worst cannot be decoded.
    RecordingError
        If the file cannot be written.
    """
    told = done.result.as_json()
    pairs = worst_pairs(told["tables"].get("worst", []), done) if done.posed else ()
    text = page(told, pairs)
    write_whole(path, lambda draft: draft.write_text(text, encoding="utf-8"))


def page(told: Mapping[str, Any], pairs: Iterable[Pair] = ()) -> Html:
    """The page of a result's JSON (`Result.as_json`) and of the pictures of its worst people."""
    name, data = str(told["made"].get("name", "poses")), told["made"].get("data", {})
    where = " ".join(str(data[key]) for key in ("kind", "split") if key in data)
    title = f"{name} on {where}" if where else name
    parts = (
        sections.figures(told),
        sections.against(told),
        sections.curves(told),
        sections.joints(told),
        sections.worst(list(pairs)),
        *sections.others(told),
        sections.protocol(told),
    )
    body = (
        tag("header", tag("p", "marey eval", class_="kicker"), tag("h1", title), sections.headline(told)),
        tag("main", parts),
        tag("footer", tag("p", NOTE)),
    )
    head = (
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Html(_style())),
    )
    whole = tag("html", tag("head", head), tag("body", body), lang="en")
    return joined(Html("<!DOCTYPE html>\n"), whole, Html("\n"))


@cache
def _style() -> str:
    return files("marey.report").joinpath("style.css").read_text(encoding="utf-8")
