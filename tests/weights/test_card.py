import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marey.core.errors import WeightsError
from marey.weights import Card, read_card, write_card

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values = st.one_of(texts, st.integers(-(2**60), 2**60), st.booleans(), st.floats(allow_nan=False))
tables = st.recursive(
    values, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)


def card(**changes):
    values = {
        "name": "n", "method": "baseline", "skeleton": "", "input_size": (192, 256), "outputs": ("heat",),
        "opset": 17, "parameters": 10, "gmac": 0.5, "starts": "movenet", "data": (), "recipe": "r",
        "recipe_print": "0" * 12, "seed": 1, "sha256": "0" * 64, "licence": "Apache-2.0",
    }  # fmt: skip
    return Card(**{**values, **changes})


@given(
    st.dictionaries(texts, tables, max_size=4),
    st.dictionaries(texts, tables, max_size=4),
    texts,
    st.lists(st.fixed_dictionaries({"kind": texts, "terms": texts}), max_size=3),
)
def test_round_trip(tmp_path_factory, settings, metrics, text, data):
    path = tmp_path_factory.mktemp("cards") / "n.toml"
    written = card(settings=settings, metrics=metrics, licence=text, data=tuple(data), bf16=True)
    write_card(written, path)
    assert read_card(path) == written


def test_what_toml_cannot_hold(tmp_path):
    path = tmp_path / "n.toml"
    write_card(card(settings={"left_out": None, "kept": 1}, metrics={"nan": math.nan}), path)
    found = read_card(path)
    assert found.settings == {"kept": 1}
    assert math.isnan(found.metrics["nan"])


def test_tuples_in_settings_come_back_as_lists_that_settings_read(tmp_path):
    write_card(card(settings={"steps": (1, 2)}), tmp_path / "n.toml")
    assert read_card(tmp_path / "n.toml").settings == {"steps": [1, 2]}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('sha256 = "' + "0" * 64 + '"\n', "", "sha256: missing"),
        ("opset = 17", 'opset = "17"', "opset: '17' is text; expected a whole number"),
        ("input_size = [192, 256]", "input_size = [192]", "input_size: 1 values; expected 2"),
        ("licence", "license", "license: unknown setting; did you mean licence"),
        ("opset = 17", "opset = ", "not valid TOML"),
    ],
)
def test_errors_name_the_file_and_the_field(tmp_path, old, new, words):
    path = tmp_path / "n.toml"
    write_card(card(), path)
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    with pytest.raises(WeightsError, match=rf"n\.toml.*{words}"):
        read_card(path)


def test_a_card_knows_its_network_file_once_it_lies_somewhere(tmp_path):
    with pytest.raises(WeightsError, match="lies in no folder"):
        _ = card().onnx
    write_card(card(), tmp_path / "n.toml")
    assert read_card(tmp_path / "n.toml").onnx == tmp_path.resolve() / "n.onnx"
    with pytest.raises(WeightsError, match=r"n\.onnx: unreadable"):
        read_card(tmp_path / "n.toml").verify()


def test_terms_in_one_line():
    assert card().terms == "none stated"
    data = ({"kind": "lsp", "terms": "research"}, {"kind": "coco", "terms": "CC BY 4.0"})
    assert card(data=data).terms == "lsp: research; coco: CC BY 4.0"
