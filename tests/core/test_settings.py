"""Settings: what is read, what is refused, and what a person is told."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marey.core.errors import SettingsError
from marey.core.settings import fingerprint, load_toml, override, parse, plain


@dataclass(frozen=True)
class Train:
    steps: int = 100
    rate: float = 1e-3
    size: tuple[int, int] = (192, 256)
    loss: Literal["spatial", "mse", 3] = "spatial"


@dataclass(frozen=True)
class Recipe:
    method: str
    train: Train = field(default_factory=Train)
    data: tuple[Train, ...] = ()
    weights: dict[str, float] = field(default_factory=dict)
    cap: float | None = None
    start: str | tuple[int, ...] = ""
    mend: bool = False
    free: Any = None


def test_nested_values_become_their_types() -> None:
    recipe = parse(
        Recipe,
        {
            "method": "baseline",
            "train": {"rate": 1, "size": [64, 64]},
            "data": [{"steps": 1}, {"loss": 3}],
            "weights": {"coco": 2},
            "cap": 3,
            "start": [1, 2],
            "free": {"any": [1]},
        },
    )
    assert recipe.train == Train(rate=1.0, size=(64, 64))
    assert isinstance(recipe.train.rate, float)
    assert recipe.data == (Train(steps=1), Train(loss=3))
    assert recipe.weights == {"coco": 2.0}
    assert (recipe.cap, recipe.start, recipe.free) == (3.0, (1, 2), {"any": [1]})


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"methd": "x"}, "methd: unknown setting; did you mean method?"),
        ({"method": "x", "train": {"zzz": 1}}, "train.zzz: unknown setting; known are steps, rate"),
        ({}, "method: missing; it has no default, so give it a value"),
        ({"method": 3}, "method: 3 is a whole number; expected text"),
        ({"method": "x", "mend": 1}, "mend: 1 is a whole number; expected true or false"),
        ({"method": "x", "train": 3}, "train: 3 is a whole number; expected a table"),
        ({"method": "x", "train": {"steps": 1.5}}, "train.steps: 1.5 is a number; expected a whole"),
        ({"method": "x", "train": {"steps": True}}, "train.steps: True is true or false"),
        ({"method": "x", "train": {"loss": "l1"}}, "train.loss: 'l1' is no choice; choose one of spatial"),
        ({"method": "x", "train": {"loss": True}}, "train.loss: True is no choice"),
        ({"method": "x", "train": {"size": [1]}}, "train.size: 1 values; expected 2"),
        ({"method": "x", "train": {"size": 5}}, "train.size: 5 is a whole number; expected a list"),
        ({"method": "x", "data": [{"steps": "a"}]}, "data[0].steps: 'a' is text; expected a whole number"),
        ({"method": "x", "weights": {"coco": "much"}}, "weights.coco: 'much' is text; expected a number"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_what_would_be_right(mapping: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(Recipe, mapping, "a.toml")
    assert str(caught.value).startswith(f"a.toml: {message}")
    assert "\n" not in str(caught.value)


def test_override_reads_toml_and_leaves_the_original() -> None:
    original = {"method": "baseline", "train": {"steps": 1}}
    changed = override(
        original, ["train.steps=5", "train.rate=1e-4", "method=dkd", "train.size=[8, 9]", "mend = true"]
    )
    assert original == {"method": "baseline", "train": {"steps": 1}}
    assert parse(Recipe, changed) == Recipe("dkd", Train(steps=5, rate=1e-4, size=(8, 9)), mend=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("steps", "not of the form name=value"),
        ("=3", "not of the form"),
        ("method.x=1", "method is a value, not a table"),
    ],
)
def test_override_refuses_what_it_cannot_place(change: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        override({"method": "baseline"}, [change])


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
TREES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


@given(st.dictionaries(st.text(), TREES))
def test_fingerprint_ignores_order_and_container(mapping: dict[str, Any]) -> None:
    turned = dict(reversed(mapping.items()))
    assert fingerprint(mapping) == fingerprint(turned)
    assert len(fingerprint(mapping)) == 12
    assert int(fingerprint(mapping), 16) >= 0


@given(st.integers(1, 9), st.integers(1, 9), st.floats(0.1, 1), st.floats(0.1, 1))
def test_fingerprint_tells_settings_apart(a: int, b: int, x: float, y: float) -> None:
    same = fingerprint(Train(a, x)) == fingerprint(Train(b, y))
    assert same == ((a, x) == (b, y))


def test_fingerprint_is_the_same_everywhere_and_always() -> None:
    """Caches and runs are named by it, so it may not change with a version of Python or marey."""
    assert fingerprint(Train()) == "f445bfc78a2a"
    assert fingerprint({"a": (1, 2.5, "x", None, True), "p": Path("b/c")}) == "5947b3ecc148"


def test_fingerprint_knows_the_class() -> None:
    @dataclass(frozen=True)
    class Other:
        steps: int = 100

    @dataclass(frozen=True)
    class Another:
        steps: int = 100

    assert fingerprint(Other()) != fingerprint(Another())


def test_fingerprint_refuses_what_has_no_stable_text() -> None:
    with pytest.raises(SettingsError, match="object: not a setting"):
        fingerprint({"x": object()})


def test_plain_settings_parse_back() -> None:
    recipe = Recipe("baseline", Train(steps=3), (Train(), Train(loss=3)), {"a": 1.0}, 2.0, (1, 2))
    assert parse(Recipe, plain(recipe)) == recipe


def test_load_toml_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('method = "x"\nsteps = = 3\n')
    with pytest.raises(SettingsError, match=r"a\.toml: not valid TOML .*line 2"):
        load_toml(path)
    with pytest.raises(SettingsError, match=r"none\.toml: cannot be read \(No such file"):
        load_toml(tmp_path / "none.toml")
    path.write_text('method = "x"\n[train]\nrate = 1e-3\n')
    assert parse(Recipe, load_toml(path)) == Recipe("x")
