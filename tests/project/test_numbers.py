"""Marked numbers are held to their result files, and wrong ones are found."""

import json
from pathlib import Path

import check_numbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

RESULT = {
    "metrics": {"AP": 0.51249, "PCK@0.2": 0.9115, "ms.each": {"p50": 12}, "a over b": 3.5},
    "curve": [1, {"x": 2.5}],
    "n": 12345,
}


def _complaints(root: Path, text: str) -> list[str]:
    (root / "results").mkdir(exist_ok=True)
    (root / "results" / "a.json").write_text(json.dumps(RESULT))
    page = root / "README.md"
    page.write_text(text)
    return [c.split(": ", 1)[1] for c in check_numbers.wrong(page, root)]


@pytest.mark.parametrize(
    "text",
    [
        "<!-- results/a.json#metrics.AP -->0.512",
        "<!-- results/a.json#metrics.AP -->0.5125",
        "<!-- results/a.json#metrics.AP x100 -->51.2 %",
        "**<!-- results/a.json#metrics.PCK@0.2 x100 -->91.2**, <!-- results/a.json#metrics.ms.each.p50 -->12",
        "<!-- results/a.json#metrics.PCK@0.2 x100 --> **91.1**",
        "<!-- results/a.json#n -->12,345 people",
        "<!-- results/a.json#curve.1.x -->2.5",
        "<!-- results/a.json#metrics.a over b x100 -->350",
        "no marks: 42",
        "how to mark: `<!-- results/NAME.json#path.to.value -->0.912`",
    ],
)
def test_right_numbers_pass(tmp_path: Path, text: str) -> None:
    assert _complaints(tmp_path, text) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a.json#metrics.AP -->0.513", "a.json#metrics.AP: the document says 0.513, the file 0.51249"),
        ("a.json#metrics.AR -->0.5", "a.json#metrics.AR: the file has no such value"),
        (
            "b.json#metrics.AP -->0.5",
            "b.json#metrics.AP: there is no such file; run the command that writes it",
        ),
        ("a.json#metrics.AP -->about half", "a.json#metrics.AP: no number follows the mark"),
        ("a.json#curve.1 -->0.5", "a.json#curve.1: the document says 0.5, the file {'x': 2.5}"),
        (
            "a.json#metrics.a over b -->3.6",
            "a.json#metrics.a over b: the document says 3.6, the file 3.5",
        ),
        ("a.json#curve.7.x -->2.5", "a.json#curve.7.x: the file has no such value"),
    ],
)
def test_wrong_numbers_are_found(tmp_path: Path, text: str, complaint: str) -> None:
    assert _complaints(tmp_path, f"<!-- results/{text}") == [f"results/{complaint}"]


@given(st.floats(-1e4, 1e4), st.integers(0, 6))
def test_python_rounding_is_accepted_and_a_step_off_is_not(value: float, digits: int) -> None:
    assert check_numbers.agrees(f"{value:.{digits}f}", value)
    assert not check_numbers.agrees(f"{value + 2 * 10.0**-digits:.{digits}f}", value)
