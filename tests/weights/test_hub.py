import shutil
import sys
import types

import pytest

from marey.core.errors import WeightsError
from marey.weights import find, hub, read_card, shelf


def hub_of(monkeypatch, folder, failure=None):
    """A huggingface_hub whose repository lies in a local folder."""
    fake, errors = types.ModuleType("huggingface_hub"), types.ModuleType("huggingface_hub.errors")
    errors.HfHubHTTPError = type("HfHubHTTPError", (OSError,), {})
    errors.HFValidationError = type("HFValidationError", (ValueError,), {})

    def snapshot_download(repository, allow_patterns):
        assert allow_patterns == ["*.onnx", "*.toml"]
        if failure:
            raise errors.HfHubHTTPError(failure)
        return str(folder)

    fake.snapshot_download = snapshot_download
    monkeypatch.setitem(sys.modules, "huggingface_hub", fake)
    monkeypatch.setitem(sys.modules, "huggingface_hub.errors", errors)
    monkeypatch.setattr(hub.importlib.util, "find_spec", lambda name: True)


def test_without_the_extra_the_text_says_what_to_install(monkeypatch):
    monkeypatch.setattr(hub.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        WeightsError, match=r"hub:them/walker needs the extra hub: pip install 'marey\[hub\]'"
    ):
        hub.fetch("them/walker")


def test_a_repository_with_a_network_and_its_card_is_added(network, monkeypatch, tmp_path):
    made = network("walker", tmp_path / "repository" / "weights")
    (made.parent.parent / "pyproject.toml").write_text("[project]\n", "utf-8")
    hub_of(monkeypatch, tmp_path / "repository")
    shelf.add(hub.fetch("them/walker"))
    assert read_card(find("walker")) == read_card(made)


def test_a_repository_without_a_card_or_with_several_is_refused(network, monkeypatch, tmp_path):
    folder = tmp_path / "repository"
    network("a", folder)
    network("b", folder)
    hub_of(monkeypatch, folder)
    with pytest.raises(WeightsError, match="found: a, b"):
        hub.fetch("them/two")
    shutil.rmtree(folder)
    with pytest.raises(WeightsError, match="found: none"):
        hub.fetch("them/none")


def test_what_the_hub_says_is_passed_on_in_one_line(monkeypatch, tmp_path):
    hub_of(monkeypatch, tmp_path, "404 not found\nmore lines")
    with pytest.raises(WeightsError, match=r"hub:them/gone: cannot be fetched \(404 not found\)"):
        hub.fetch("them/gone")
