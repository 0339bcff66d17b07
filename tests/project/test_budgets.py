"""The budget script counts what it says it counts."""

from pathlib import Path

import check_budgets
import pytest


def _project(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_long_file_long_function_and_many_parameters(tmp_path: Path) -> None:
    body = "\n".join("    x = 1" for _ in range(60))
    _project(
        tmp_path,
        {
            "src/marey/long.py": "x = 1\n" * 401,
            "src/marey/deep.py": f"def f():\n{body}\n",
            "src/marey/wide.py": "class A:\n    def f(self, a, b, c, *, d, e, f, g): ...\n",
            "src/marey/fine.py": "class A:\n    def f(self, a, b, c, *, d, e, f): ...\n",
            "tests/long.py": "x = 1\n" * 401,
        },
    )
    complaints = [
        c for path in check_budgets.files(tmp_path) for c in check_budgets.too_large(path, tmp_path)
    ]
    assert complaints == [
        "src/marey/deep.py:1: f has 61 lines; at most 60",
        "src/marey/long.py: 401 lines; at most 400, so split it by what its parts are about",
        "src/marey/wide.py:2: f has 7 parameters; at most 6",
        "tests/long.py: 401 lines; at most 400, so split it by what its parts are about",
    ]


def test_reach_follows_chains_inner_imports_and_packages(tmp_path: Path) -> None:
    root = _project(
        tmp_path,
        {
            "src/marey/__init__.py": "",
            "src/marey/core/__init__.py": "",
            "src/marey/core/a.py": "import marey.core.b\n",
            "src/marey/core/b.py": "import numpy\n",
            "src/marey/room/__init__.py": "from marey.core import a\n",
            "src/marey/room/c.py": "x = 1\n",
            "src/marey/methods/__init__.py": "",
            "src/marey/methods/m.py": "from marey.room import c\ndef f():\n    from marey.room import g\n",
        },
    )
    known = check_budgets.modules(root)
    assert check_budgets.reach("marey.core.b", known) == set()
    assert check_budgets.reach("marey.core.a", known) == {"marey.core.b"}
    # `g` is no module: it comes out of the package, which drags a and b in.
    assert check_budgets.reach("marey.methods.m", known) == {
        "marey.core.a", "marey.core.b", "marey.room", "marey.room.c",
    }  # fmt: skip
    assert list(check_budgets.too_far(root)) == []


def test_reach_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = _project(
        tmp_path,
        {
            "src/marey/core/a.py": "x = 1\n",
            "src/marey/core/b.py": "from marey.core import a\n",
            "src/marey/methods/m.py": "from marey.core import b\n",
        },
    )
    monkeypatch.setattr(check_budgets, "REACH", 1)
    assert list(check_budgets.too_far(root)) == [
        "marey.methods.m: reaches 2 modules (core.a, core.b); at most 1"
    ]
