"""The parts of an evaluation's page, each from the result's JSON; a part without content is empty.

Values that are missing (None) are printed as a dash; nothing is left out in silence.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from marey.report import plots
from marey.report.markup import Child, Html, joined, tag
from marey.report.pictures import SIDE, Pair

Told = Mapping[str, Any]
NOTHING = Html("")
KNOWN = ("against", "by_score", "curve", "worst")
"""Tables that have a part of their own."""
_AT = re.compile(r"(\w+)@([\d.]+)(/\d+)?")


def number(value: float | None, digits: int = 4, sign: bool = False) -> Html:
    """A value as printed, with the exact one in the markup; whole numbers in full."""
    if value is None:
        return tag("span", "–", class_="none", title="nothing was counted")
    whole = isinstance(value, int)
    printed = f"{value:,}" if whole else f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
    return tag("data", printed.replace("-", "−"), value=repr(value))


def headline(told: Told) -> Html:
    """The figure that the protocol is about, its interval, of how many, and by what rule."""
    name, value = next(iter(told["metrics"].items()))
    low, high = told["intervals"].get(name, (None, None))
    between = () if low is None else ("95 % ", number(low), " … ", number(high), "; ")
    rule = told["protocol"]
    said = [str(rule.get("metric", rule.get("name", "")))]
    if "length" in rule:
        said.append(f"within α × {rule['length']} ({rule.get('operator', '≤')})")
    if "mean" in rule:
        said.append(str(rule["mean"]))
    return joined(
        tag("p", tag("span", name, class_="what"), " ", number(value), class_="value"),
        tag("p", *between, number(told["items"]), " items", class_="of"),
        tag("p", ", ".join(said), class_="of"),
    )


def figures(told: Told) -> Html:
    """All metrics with their intervals."""
    values = told["metrics"]
    shares = all(value is None or 0 <= value <= 1 for value in values.values())
    rows = []
    for name, value in values.items():
        low, high = told["intervals"].get(name, (None, None))
        between = None if low is None else (low, high)
        picture = plots.whisker(value, between, plots.FRACTIONS, name) if shares and value is not None else ""
        rows.append((name, number(value), *_between(low, high), picture))
    return _section(
        "Figures", _table("Every figure of this result", ("figure", "value", "95 % from", "to", ""), rows)
    )


def against(told: Told) -> Html:
    """Differences to another file of poses on the same pictures."""
    table = told["tables"].get("against")
    if not table:
        return NOTHING
    ends = [abs(row[key]) for row in table.values() for key in ("low", "high") if row[key] is not None]
    reach = max([*ends, 1e-6]) * 1.1
    rows = []
    for name, row in table.items():
        value, low, high = row["difference"], row["low"], row["high"]
        between = None if low is None else (low, high)
        drawn = "" if value is None else plots.whisker(value, between, (-reach, reach), f"difference, {name}")
        rows.append(
            (name, number(value, sign=True), *_between(low, high, sign=True), drawn, number(row["better"], 3))
        )
    other = str(told["made"].get("against", "the other"))
    note = tag(
        "p", "This result minus ", tag("code", other), ", on the same pictures: above 0 this one’s is ",
        "larger. The interval is a paired bootstrap’s; the last column is the share of draws in which it is.",
    )  # fmt: skip
    heads = ("figure", "difference", "95 % from", "to", "", "larger in")
    return _section("Against another", note, _table("Differences", heads, rows))


def curves(told: Told) -> Html:
    """The curve over thresholds and what scores are worth, beside each other."""
    drawn = list(_plots(told))
    return _section("Thresholds and scores", tag("div", drawn, class_="pair")) if drawn else NOTHING


def joints(told: Told) -> Html:
    """Each joint's figure as a bar in the colour of its side, left and right beside each other."""
    values = told["per_joint"]
    if not values:
        return NOTHING
    # Shares fill their bar at 1; lengths and other units at their largest.
    most = max([1.0, *(value for value in values.values() if value is not None)])
    rows: dict[str, dict[str, list[Html]]] = {}
    for joint, value in values.items():
        side = next((side for side in ("left", "right") if joint.startswith(f"{side}_")), "middle")
        drawn = NOTHING if value is None else plots.bar(value / most, side)
        row = rows.setdefault(joint.removeprefix(f"{side}_").replace("_", " "), {})
        row["right" if side == "right" else "left"] = [number(value), drawn]
    empty = [NOTHING, NOTHING]
    table = [(name, *row.get("left", empty), *row.get("right", empty)) for name, row in rows.items()]
    said = told["protocol"].get("per_joint")
    caption = f"{told['protocol'].get('metric', 'Value')} of each joint" + (f": {said}" if said else "")
    return _section("Joints", _table(caption, ("joint", "left, or middle", "", "right", ""), table))


def worst(pairs: Sequence[Pair]) -> Html:
    """The people who came out worst, truth and estimate side by side."""
    if not pairs:
        return NOTHING
    note = tag(
        "p", "Left the truth (occluded joints faint), right the estimate compared with it (unsure joints ",
        "faint). The number is the share of this person’s joints that are right, or their OKS.",
    )  # fmt: skip
    return _section("Worst people", note, tag("div", [_card(pair) for pair in pairs], class_="cards"))


def others(told: Told) -> Iterator[Html]:
    """Whatever other tables the result has."""
    for name, table in told["tables"].items():
        own = name in KNOWN and not (name == "by_score" and isinstance(table, dict))
        if table and not own:
            yield _section(name.replace("_", " ").capitalize(), _table(name, *_columns(table)))


def protocol(told: Told) -> Html:
    """The whole protocol, and what the result was made of."""
    rule = _table("Protocol", ("", ""), [(key, _said(value)) for key, value in told["protocol"].items()])
    made = _table("Made of", ("", ""), [(key, _said(value)) for key, value in _flat(told["made"])])
    return _section("Protocol", tag("div", rule, made, class_="pair"))


def _plots(told: Told) -> Iterator[Html]:
    tables, rule = told["tables"], told["protocol"]
    if tables.get("curve"):
        yield _curve(told)
    rows = tables.get("by_score")
    if isinstance(rows, list) and rows:
        likeness = "mean likeness" if "OKS" in str(rule.get("metric")) else "share right"
        points = [(row["mean_score"], row["right"], row["joints"]) for row in rows]
        span = (0.0, max(1.0, *(score for score, _, _ in points)))
        axes = plots.Axes(span, ("score of a joint, mean of its tenth", likeness))
        drawn = plots.calibration(axes, f"Calibration: {likeness} by score", points)
        said = "What a score is worth: on the diagonal it is the share of joints that are right. "
        more = "Above it scores are too modest, below too sure; larger dots stand for more joints."
        yield _figure(drawn, said + more, _table("By score", *_columns(rows)))


def _curve(told: Told) -> Html:
    rows, rule = told["tables"]["curve"], told["protocol"]
    x = [row["threshold"] for row in rows]
    series = {name: [row[name] for row in rows] for name in rows[0] if name != "threshold"}
    names, marks = list(series), []
    for name, value in told["metrics"].items():
        place = _place(name)
        if place is not None and place[0] in series and value is not None and x[0] <= place[1] <= x[-1]:
            low, high = told["intervals"].get(name, (None, None))
            between = None if low is None else (low, high)
            marks.append(plots.Mark(place[1], value, between, names.index(place[0])))
    unit = f"threshold, {rule['length']} = 1" if "length" in rule else "OKS threshold"
    axes = plots.Axes((x[0], x[-1]), (unit, str(rule["metric"])))
    drawn = plots.curves(axes, f"{rule['metric']} by threshold", x, series, marks)
    said = f"{rule['metric']} by threshold. Dots are the figures above, upright lines their intervals."
    return _figure(drawn, said, _table("The curve", *_columns(rows)))


def _place(name: str) -> tuple[str, float] | None:
    """On which curve a metric lies and where: `PCK@0.2/12` on `PCK/12` at 0.2."""
    if found := _AT.fullmatch(name):
        return found[1] + (found[3] or ""), float(found[2])
    return ("AP", int(name[2:]) / 100) if name in ("AP50", "AP75") else None


def _card(pair: Pair) -> Html:
    who = f"{pair.name}, person {pair.person}"
    shown = [tag("img", src=pair.truth, alt=f"{who}: the truth", width=SIDE, height=SIDE)]
    if pair.estimate:
        shown.append(tag("img", src=pair.estimate, alt=f"{who}: the estimate", width=SIDE, height=SIDE))
    else:
        shown.append(tag("p", "no estimate", class_="none"))
    said = tag("figcaption", tag("span", who), " ", number(pair.alike, 3))
    return tag("figure", tag("div", shown, class_="two"), said, class_="card")


def _columns(table: Mapping[str, Any] | Sequence[Told]) -> tuple[list[str], list[list[Child]]]:
    """Heads and rows of a table: rows of fields, named rows of fields, or named values."""
    if not isinstance(table, Mapping):
        heads = list(dict.fromkeys(key for row in table for key in row))
        return heads, [[_said(row.get(key)) for key in heads] for row in table]
    if not all(isinstance(row, Mapping) for row in table.values()):
        return ["", "value"], [[name, _said(value)] for name, value in table.items()]
    heads = list(dict.fromkeys(key for row in table.values() for key in row))
    rows = [[name, *(_said(row.get(key)) for key in heads)] for name, row in table.items()]
    return ["", *heads], rows


def _said(value: Any) -> Html:
    """Any JSON value in words."""
    if isinstance(value, bool):
        return joined("yes" if value else "no")
    if value is None or isinstance(value, int | float):
        return number(value)
    if isinstance(value, Mapping):
        return joined(", ".join(f"{key} {held}" for key, held in value.items()))
    if isinstance(value, list):
        return joined(", ".join(str(held).replace("_", " ") for held in value))
    return joined(str(value))


def _flat(values: Told, before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _between(low: float | None, high: float | None, sign: bool = False) -> tuple[Html, Html]:
    if low is None:
        return NOTHING, NOTHING
    return number(low, sign=sign), number(high, sign=sign)


def _section(title: str, *parts: Html) -> Html:
    return tag("section", tag("h2", title), *parts)


def _figure(drawn: Html, said: str, table: Html) -> Html:
    numbers = tag("details", tag("summary", "the numbers"), table)
    return tag("figure", drawn, tag("figcaption", said), numbers)


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[Child]]) -> Html:
    """A table whose first column names its rows."""
    head = tag("tr", [tag("th", word.replace("_", " "), scope="col") for word in heads])
    body = [
        tag("tr", tag("th", row[0], scope="row"), [tag("td", value) for value in row[1:]]) for row in rows
    ]
    shown = tag("thead", head) if any(heads) else NOTHING
    return tag("table", tag("caption", caption.replace("_", " ")), shown, tag("tbody", body))
