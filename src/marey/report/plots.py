"""Plots as SVG: curves, what a score is worth, and intervals. Sizes are in units of the drawing, y downwards.

Colours are CSS classes (`style.css`), so a plot follows the page to dark and to paper.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from marey.report.markup import Html, joined, tag

Number = float | None
Span = tuple[float, float]
SIZE = (460, 320)
LEFT, TOP, RIGHT, BOTTOM = 52, 12, 14, 46
TICKS = 5
FRACTIONS: Span = (0.0, 1.0)
WHISKER = (180, 18)
BAR = (160, 12)
LARGEST_DOT = 9.0


@dataclass(frozen=True, slots=True)
class Mark:
    """A figure on a curve, with its interval."""

    x: float
    y: float
    between: Span | None
    series: int


@dataclass(frozen=True, slots=True)
class Axes:
    """Where values lie on a drawing of `SIZE`; y is always a fraction."""

    x: Span
    labels: tuple[str, str]

    def across(self, value: float) -> float:
        """From a value to the drawing, in x."""
        low, high = self.x
        return LEFT + (value - low) / (high - low) * (SIZE[0] - LEFT - RIGHT)

    def down(self, value: float) -> float:
        """From a fraction to the drawing, in y."""
        return TOP + (1 - value) * (SIZE[1] - TOP - BOTTOM)

    def drawn(self, title: str, *parts: Html) -> Html:
        """The plot: grid, ticks, labels, and what is on it."""
        return tag(
            "svg", self._grid(), *parts,
            viewBox=f"0 0 {SIZE[0]} {SIZE[1]}", role="img", aria_label=title, class_="plot",
        )  # fmt: skip

    def _grid(self) -> Html:
        low, high = self.x
        parts = []
        for k in range(TICKS + 1):
            share = k / TICKS
            y, x = self.down(share), self.across(low + share * (high - low))
            parts += [
                tag("line", class_="grid", x1=LEFT, x2=SIZE[0] - RIGHT, y1=y, y2=y),
                tag("text", f"{share:g}", class_="tick", x=LEFT - 8, y=y + 4, text_anchor="end"),
                tag("line", class_="grid", x1=x, x2=x, y1=TOP, y2=SIZE[1] - BOTTOM),
                tag("text", f"{low + share * (high - low):.3g}", class_="tick", x=x, y=SIZE[1] - BOTTOM + 18,
                    text_anchor="middle"),
            ]  # fmt: skip
        middle = (LEFT + SIZE[0] - RIGHT) / 2, (TOP + SIZE[1] - BOTTOM) / 2
        across = tag("text", self.labels[0], class_="label", x=middle[0], y=SIZE[1] - 6, text_anchor="middle")
        turned = f"rotate(-90 14 {middle[1]:g})"
        up = tag("text", self.labels[1], class_="label", x=14, y=middle[1], text_anchor="middle",
                 transform=turned)  # fmt: skip
        return tag("g", *parts, across, up, aria_hidden="true")


def curves(
    axes: Axes, title: str, x: Sequence[float], series: Mapping[str, Sequence[Number]], marks: Sequence[Mark]
) -> Html:
    """Lines over x, and marked figures with their intervals; gaps where a value is None."""
    parts = [_line(axes, x, held, f"line s{k}") for k, held in enumerate(series.values())]
    for mark in marks:
        at = axes.across(mark.x)
        if mark.between is not None:
            low, high = (axes.down(value) for value in mark.between)
            parts.append(tag("line", class_=f"between s{mark.series}", x1=at, x2=at, y1=low, y2=high))
        parts.append(tag("circle", class_=f"dot s{mark.series}", cx=at, cy=axes.down(mark.y), r=4))
    return axes.drawn(title, *parts, _legend(list(series)) if len(series) > 1 else Html(""))


def calibration(axes: Axes, title: str, rows: Sequence[tuple[float, float, int]]) -> Html:
    """What a score is worth: (mean score, share right, how many) of each bin; the diagonal is a true score.

    The area of a dot grows with how many it stands for.
    """
    most = max((count for _, _, count in rows), default=1)
    ends = {"x1": axes.across(0), "y1": axes.down(0), "x2": axes.across(1), "y2": axes.down(1)}
    dots = [
        tag(
            "circle", tag("title", f"score {score:.2f}: {right:.3f} right of {count:,}"),
            class_="dot s0", cx=axes.across(score), cy=axes.down(right),
            r=max(2.0, LARGEST_DOT * sqrt(count / most)),
        )
        for score, right, count in rows
    ]  # fmt: skip
    line = _line(axes, [row[0] for row in rows], [row[1] for row in rows], "line s0")
    return axes.drawn(title, tag("line", class_="diagonal", **ends), line, *dots)


def whisker(value: float, between: Span | None, span: Span, title: str) -> Html:
    """A value with its interval, on a line from one end of `span` to the other."""
    width, height = WHISKER
    middle = height / 2

    def at(x: float) -> float:
        share = (x - span[0]) / (span[1] - span[0])
        return 6 + min(max(share, 0.0), 1.0) * (width - 12)

    parts = [tag("line", class_="grid", x1=6, x2=width - 6, y1=middle, y2=middle)]
    if span[0] < 0 < span[1]:
        parts.append(tag("line", class_="zero", x1=at(0), x2=at(0), y1=1, y2=height - 1))
    if between is not None:
        parts.append(
            tag("line", class_="between s0", x1=at(between[0]), x2=at(between[1]), y1=middle, y2=middle)
        )
    parts.append(tag("circle", class_="dot s0", cx=at(value), cy=middle, r=4.5))
    box = f"0 0 {width} {height}"
    return tag("svg", *parts, viewBox=box, class_="whisker", role="img", aria_label=title)


def bar(value: float, kind: str) -> Html:
    """A fraction as a bar; `kind` is a colour's class. The number stands beside it, so it is not read out."""
    width, height = BAR
    filled = max(0.0, min(value, 1.0)) * width
    return tag(
        "svg",
        tag("rect", class_="groove", width=width, height=height, rx=3),
        tag("rect", class_=f"bar {kind}", width=filled, height=height, rx=3),
        viewBox=f"0 0 {width} {height}", class_="bar", aria_hidden="true",
    )  # fmt: skip


def _line(axes: Axes, x: Sequence[float], y: Sequence[Number], kind: str) -> Html:
    parts, pen = [], "M"
    for across, value in zip(x, y, strict=True):
        if value is None:
            pen = "M"
            continue
        parts.append(f"{pen}{axes.across(across):.2f} {axes.down(value):.2f}")
        pen = "L"
    return tag("path", class_=kind, d=" ".join(parts)) if parts else Html("")


def _legend(names: Sequence[str]) -> Html:
    """The names of the lines, at the lower right, where curves that rise leave room."""
    parts = []
    for k, name in enumerate(names):
        y = SIZE[1] - BOTTOM - 16 - 20 * (len(names) - 1 - k)
        x = SIZE[0] - RIGHT - 120
        parts.append(tag("line", class_=f"line s{k}", x1=x, x2=x + 26, y1=y - 4, y2=y - 4))
        parts.append(tag("text", name, class_="label", x=x + 34, y=y))
    return joined(parts)
