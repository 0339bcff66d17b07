"""What the documents tell people to type is understood, and what they promise is there."""

import ast
import doctest
import importlib
import re
import shlex
from pathlib import Path

import pytest

import marey
from marey import cli

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
BLOCK = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)


def _blocks(language: str) -> list[str]:
    return [
        text for page in PAGES for kind, text in BLOCK.findall(page.read_text("utf-8")) if kind == language
    ]


def _typed(program: str) -> list[str]:
    lines = [line.split("#")[0].strip() for text in _blocks("") for line in text.splitlines()]
    return sorted({line for line in lines if line.split(" ")[0] == program})


@pytest.mark.parametrize("line", _typed("marey"))
def test_commands_are_understood(line: str) -> None:
    words = shlex.split(line)[1:]
    args = cli._parser(words).parse_args(words)
    assert callable(args.run)


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert {line.split()[1] for line in _typed("make")} <= targets


@pytest.mark.parametrize("text", [text for text in _blocks("python") if ">>>" not in text])
def test_names_in_python_examples_exist(text: str) -> None:
    """Every `marey.name`, and every method called on a recording."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = {"marey": marey, "recording": marey.Recording, "poses": marey.Poses}.get(node.value.id)
            names = dir(owner) + list(getattr(owner, "__dataclass_fields__", ()))
            assert owner is None or node.attr in names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_with_answers_give_them(page: Path) -> None:
    assert doctest.testfile(str(page), module_relative=False).failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        assert target.startswith("http") or (page.parent / target).exists(), target


def test_rooms_are_listed() -> None:
    """CONTRIBUTING's table has every room that exists, and no other."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    table = {
        name
        for row in text.splitlines()
        if re.match(r"\| \d+ \|", row)
        for name in re.findall(r"`(\w+)/`", row)
    }
    rooms = {path.parent.name for path in (ROOT / "src" / "marey").glob("*/__init__.py")}
    assert table == rooms


def test_every_public_room_can_be_imported() -> None:
    for name in marey.__all__:
        assert getattr(marey, name) is not None
    assert importlib.import_module("marey.core.errors").MareyError is marey.MareyError
