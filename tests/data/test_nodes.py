"""What a label file holds is found by name; what it lacks is named with its file and field."""

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from marey.core.errors import DataError
from marey.data.matlab import read_struct
from marey.data.nodes import Node, read_json

HELD = {"people": [{"x": 1, "name": "a", "box": [1, 2, 3, 4]}, {"x": 2.5, "name": "b", "box": [5, 6, 7, 8]}]}


@pytest.fixture(params=["json", "mat"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Node:
    """The same content through both formats."""
    if request.param == "json":
        (tmp_path / "a.json").write_text(json.dumps(HELD))
        return read_json(tmp_path / "a.json")
    records = np.array(
        [tuple(np.array(v) if isinstance(v, list) else v for v in p.values()) for p in HELD["people"]],
        dtype=[("x", object), ("name", object), ("box", object)],
    )
    scipy.io.savemat(tmp_path / "a.mat", {"root": {"people": records}})
    return read_struct(tmp_path / "a.mat", "root")


def test_fields_of_both_formats(root: Node):
    people = root["people"]
    assert len(people) == 2
    assert [person["x"].number() for person in people] == [1, 2.5]
    assert people[1]["name"].text() == "b"
    assert people[1]["box"].array((4,)).tolist() == [5, 6, 7, 8]
    assert people[0]["x"].whole() == 1
    assert not people[0].has("y")


def test_what_is_wrong_is_named(root: Node):
    person = root["people"][1]
    for wrong, words in [
        (lambda: person["y"], "people[1]: field `y` is missing"),
        (lambda: person["name"].number(), "people[1].name: numbers expected"),
        (lambda: person["x"].text(), "people[1].x: text expected"),
        (lambda: person["x"].whole(), "people[1].x: a whole number"),
        (lambda: person["box"].array((5,)), "people[1].box: numbers 5 expected, (4,) found"),
    ]:
        with pytest.raises(DataError) as caught:
            wrong()
        assert words in str(caught.value)
        assert str(caught.value).startswith(root.where.split(":")[0])


@pytest.mark.parametrize(
    ("value", "shape", "fits"),
    [
        (3, (), True), ([3], (), True),
        ([1, 2], (2, 1), True), ([[1, 2]], (2,), True), ([1, 2], (None,), True),
        ([1, 2], (2, None), True), ([[1, 2], [3, 4]], (None, 2), True), ([7], (None,), True),
        ([1, 2], (3,), False), ([[1, 2, 3]], (2, None), False), ([[1, 2], [3, 4]], (4,), False),
    ],
)  # fmt: skip
def test_lengths_of_one_come_and_go(value: object, shape: tuple[int | None, ...], fits: bool):
    node = Node(value, "here")
    if not fits:
        with pytest.raises(DataError, match="here: numbers"):
            node.array(shape)
        return
    found = node.array(shape)
    assert found.ravel().tolist() == np.ravel(value).tolist()
    assert found.ndim == len(shape)


def test_nan_is_refused_unless_it_means_something():
    with pytest.raises(DataError, match="here: holds NaN"):
        Node([1, float("nan")], "here").array((2,))
    assert np.isnan(Node([1, float("nan")], "here").array((2,), nan=True)[1])
