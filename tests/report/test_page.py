"""The page of an evaluation: valid, alone, with the numbers of its result and the pictures of the worst."""

import base64
import html.parser
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import data_trees as trees
from evaluation.test_judged import nobody, people
from evaluation.test_protocols import moved
from marey.cli import main
from marey.core.errors import RecordingError
from marey.core.skeletons import COCO17, LSP14
from marey.data import open_kind
from marey.data.sample import Sample
from marey.evaluation import Evaluated, Result
from marey.evaluation.filed import write_poses
from marey.evaluation.measure import Posed
from marey.evaluation.poses import Name, compare_poses, judge_poses
from marey.report import write_page
from marey.report.page import page
from marey.report.plots import SIZE, Axes, calibration, curves

NASTY = 'a <b> & "c" </title>'
VOID = {"meta", "img", "br"}


class Page(html.parser.HTMLParser):
    """Reads a page, and refuses what is not well nested; `data` pairs exact values with what is printed."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.data: list[tuple[str, str]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), "an attribute twice"
        self.tags.append((tag, dict(attrs)))
        if tag == "data":
            self.data.append((str(dict(attrs)["value"]), ""))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self.open and self.open[-1] == "data":
            self.data[-1] = (self.data[-1][0], data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def judged(name: Name, samples: list[Sample], posed: list[Posed], **more: Any) -> Evaluated:
    result = judge_poses(name, samples, posed)
    made = {"name": NASTY, "data": {"kind": "made", "split": "val"}, "seconds": 1.5}
    return Evaluated(replace(result, made=made, **more), samples, posed)


def lsp() -> Evaluated:
    """Four people with 0, 1, 2 and 14 joints wrong, one whom nobody found, beside perfect poses."""
    samples = people(5)
    samples[0] = replace(samples[0], name=NASTY)
    posed = [moved(samples[k], list(range(n)), 60) for k, n in enumerate((14, 0, 1, 2))] + [nobody(LSP14)]
    done = judged("pck-torso", samples, posed)
    table = compare_poses("pck-torso", samples, posed, [moved(one, [], 0) for one in samples])
    result = replace(done.result, tables={"against": table, **done.result.tables})
    return replace(done, result=replace(result, made={**result.made, "against": "<theirs>"}))


def coco() -> Evaluated:
    samples = people(3, COCO17)
    return judged("coco", samples, [moved(one, [0, k], 40.0 * k) for k, one in enumerate(samples)])


def detection() -> Evaluated:
    bands = {"0-24 px": {"recall": float("nan"), "people": 0}, "from 192 px": {"recall": 0.5, "people": 2}}
    tables = {"by_height": bands, "by_score": {"0.1": 3.25}, "scores_at_recall": {}}
    result = Result({"name": "detection", "strict": False}, 2, {"AP": 0.25, "false_alarms_an_image": 1.75})
    return Evaluated(replace(result, tables=tables), people(1))


def empty() -> Evaluated:
    nothing = {"AP": float("nan")}
    return Evaluated(Result({"name": "coco", "metric": "OKS AP"}, 0, nothing, {"nose": float("nan")}), [])


@pytest.fixture(params=[lsp, coco, detection, empty], ids=lambda made: made.__name__)
def done(request: pytest.FixtureRequest) -> Evaluated:
    return request.param()


def read(done: Evaluated, folder: Path) -> Page:
    write_page(folder / "page.html", done)
    return Page((folder / "page.html").read_text("utf-8"))


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for held in value.values():
            yield from numbers(held)
    elif isinstance(value, list):
        for held in value:
            yield from numbers(held)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


def test_numbers_are_those_of_the_json(done: Evaluated, tmp_path: Path):
    """All that is measured is there, exactly; nothing else is; what is printed is the value rounded."""
    told, shown = done.result.as_json(), read(done, tmp_path)
    exact = {float(value) for value, _ in shown.data}
    measured = {key: told[key] for key in ("metrics", "intervals", "per_joint", "items")}
    tables = {name: table for name, table in told["tables"].items() if name != "worst"}
    assert set(numbers([measured, tables])) <= exact
    assert exact <= set(numbers(told))
    for value, printed in shown.data:
        plain = printed.replace("−", "-").replace(",", "")
        digits = len(plain.partition(".")[2])
        assert float(plain) == pytest.approx(float(value), abs=0.5001 * 10**-digits)


def test_the_page_stands_alone_and_can_be_read(done: Evaluated, tmp_path: Path):
    shown = read(done, tmp_path)
    text = re.sub(r"base64,[\w+/=]*", "base64,", (tmp_path / "page.html").read_text("utf-8"))
    assert text.startswith("<!DOCTYPE html>\n<html lang=")
    assert not re.search(r"https?:|//\w|url\(|@import|<script|<link|javascript:", text)
    assert not {name for name, _ in shown.tags} & {"script", "link", "iframe", "object", "base"}
    for name, attributes in shown.tags:
        assert not {"href", "style"} & attributes.keys()
        assert str(attributes.get("src", "data:image/jpeg;base64,")).startswith("data:image/jpeg;base64,")
        if name == "img":
            assert attributes["alt"]
        if name == "svg":
            assert attributes.get("aria-hidden") or (attributes["role"] == "img" and attributes["aria-label"])
        if name == "th":
            assert attributes["scope"] in ("row", "col")
    assert [len(shown.all(name)) for name in ("h1", "main", "head")] == [1, 1, 1]
    assert len(shown.all("caption")) == len(shown.all("table"))
    assert "nan" not in "".join(shown.text).lower().split()


def test_names_stay_names(tmp_path: Path):
    shown = read(lsp(), tmp_path)
    text = "".join(shown.text)
    assert f"{NASTY} on made val" in text
    assert "<theirs>" in text
    assert any(NASTY in str(one["alt"]) for one in shown.all("img"))


def test_missing_values_are_dashes(tmp_path: Path):
    assert "".join(read(empty(), tmp_path).text).count("–") >= 2
    assert "–" in "".join(read(detection(), tmp_path).text)


def test_the_worst_are_shown_in_their_order(tmp_path: Path):
    """14 joints wrong, nobody found, two wrong, one wrong, none: as `lsp` made them."""
    shown = read(lsp(), tmp_path)
    alts = [str(one["alt"]) for one in shown.all("img")]
    names = list(dict.fromkeys(alt.rpartition(", person")[0] for alt in alts))
    assert names == [NASTY, "p4", "p3", "p2", "p1"]
    assert [alt.rpartition(": ")[2] for alt in alts[:3]] == ["the truth", "the estimate", "the truth"]
    assert len(alts) == 2 * 5 - 1
    assert "no estimate" in shown.text


def test_truth_and_estimate_are_drawn_where_they_are(tmp_path: Path):
    """The worst person's estimate lies 60 px to the right of the truth on a black picture."""
    pictures = [
        base64.b64decode(str(one["src"]).partition(",")[2]) for one in read(lsp(), tmp_path).all("img")
    ]
    truth, estimate = (cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_COLOR) for one in pictures[:2])
    assert truth is not None
    assert estimate is not None
    across = [np.nonzero(np.ptp(one.astype(int), axis=-1) > 60)[1].mean() for one in (truth, estimate)]
    # The box is 150 × 160, its square 1.4 times 160 = 224 px, shown on 288.
    assert across[1] - across[0] == pytest.approx(60 * 288 / 224, abs=8)


def test_curves_have_gaps_where_nothing_is_known():
    drawn = curves(
        Axes((0.0, 1.0), ("x", "y")), "t", [0, 0.5, 1], {"a": [0.5, None, 1.0], "b": [None] * 3}, []
    )
    paths = [attributes["d"] for attributes in Page(drawn).all("path")]
    assert [str(path).count("M") for path in paths] == [2]
    assert "L" not in str(paths[0])


def test_left_and_right_stand_in_one_row(tmp_path: Path):
    told = {**empty().result.as_json(), "per_joint": {"right_knee": 0.25, "nose": 0.5, "left_knee": 0.75}}
    text = re.sub(r"<svg.*?</svg>", "", page(told).partition("<h2>Joints")[2].partition("</section>")[0])
    rows = [re.findall(r">([\w.]+)<", row) for row in text.split("<tr>")[2:]]
    assert rows == [["knee", "0.7500", "0.2500"], ["nose", "0.5000"]]


def test_figures_stand_on_their_curves(tmp_path: Path):
    """PCK's curve ends at 0.2 and has 0.1 in its middle: there the figures' dots lie; so with AP50, AP75."""
    for made, places in ((lsp, (20, 10)), (coco, (0, 5))):
        shown = read(made(), tmp_path)
        points = str(shown.all("path")[0]["d"])[1:].split("L")
        wanted = [[float(number) for number in points[k].split()] for k in places]
        dots = [[float(str(dot["cx"])), float(str(dot["cy"]))] for dot in shown.all("circle")]
        for place in wanted:
            assert min(np.abs(np.array(dots) - place).max(1)) < 0.02


def test_scores_beyond_one_stay_on_the_drawing():
    """Other tools' scores may pass 1."""
    drawn = calibration(Axes((0.0, 5.8), ("x", "y")), "t", [(0.5, 0.2, 3), (5.8, 0.9, 12)])
    dots = Page(drawn).all("circle")
    assert all(0 < float(str(dot["cx"])) < SIZE[0] and 0 < float(str(dot["cy"])) < SIZE[1] for dot in dots)
    assert float(str(dots[1]["r"])) == pytest.approx(2 * float(str(dots[0]["r"])))


def test_a_page_that_cannot_be_written_is_one_line(tmp_path: Path):
    with pytest.raises(RecordingError, match="cannot be written"):
        write_page(tmp_path / "nowhere" / "page.html", empty())


def test_the_command_line_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    tree = trees.lsp(tmp_path / "lsp")
    samples = open_kind("lsp", tree, "all")
    write_poses(tmp_path / "p.json", samples, [moved(one, [3], 9) for one in samples])
    words = ["eval", "--poses", str(tmp_path / "p.json"), "--data", f"lsp:{tree}"]
    assert main([*words, "--json", "--html", str(tmp_path / "p.html")]) == 0
    told = json.loads(capsys.readouterr().out)
    shown = Page((tmp_path / "p.html").read_text("utf-8"))
    assert set(numbers(told["metrics"])) <= {float(value) for value, _ in shown.data}
    assert len(shown.all("img")) == 2 * len(samples)
    assert main([*words, "--html", str(tmp_path / "no" / "p.html")]) == 2
    assert "make it first" in capsys.readouterr().err


def test_a_page_needs_no_more_than_the_json():
    assert "<h1>x</h1>" in page({**Result({}, 0, {"AP": 0.5}).as_json(), "made": {"name": "x"}})
