import pytest

from marey.core.errors import WeightsError
from marey.weights import find, names, read_card, shelf


def test_added_networks_are_found_by_name(network):
    path = network("mine")
    assert "mine" not in names()
    added = shelf.add(path.with_suffix(".onnx"))
    assert added == read_card(path)
    assert "mine" in names()
    assert find("mine") == shelf.added_folder() / "mine.toml"
    assert shelf.add(path) == added, "adding the same again is no harm"


@pytest.mark.parametrize("suffix", [".onnx", ".toml"])
def test_a_path_wins_over_a_name(network, tmp_path, monkeypatch, suffix):
    shelf.add(network("same"))
    other = network("same", tmp_path / "elsewhere", seed=5)
    assert read_card(find(other.with_suffix(suffix))).seed == 5
    monkeypatch.chdir(other.parent)
    assert read_card(find(f"same{suffix}")).seed == 5
    assert read_card(find("same")).seed == 0


def test_a_missing_half_is_named(network):
    path = network()
    path.with_suffix(".onnx").unlink()
    with pytest.raises(WeightsError, match=r"tiny\.onnx: no such file"):
        find(path)


def test_unknown_names_are_answered_with_the_nearest(network):
    shelf.add(network("strider"))
    with pytest.raises(WeightsError, match="did you mean strider"):
        find("stridor")
    with pytest.raises(WeightsError, match="marey weights list"):
        find("zzz")


def test_a_taken_name_is_refused(network, tmp_path):
    shelf.add(network("mine"))
    other = network("mine", tmp_path / "other", sha256="0" * 64)
    with pytest.raises(WeightsError, match="another network has this name"):
        shelf.add(other)


def test_a_damaged_file_is_not_added(network):
    with pytest.raises(WeightsError, match="sha256"):
        shelf.add(network("mine", sha256="0" * 64))
    assert "mine" not in names()
