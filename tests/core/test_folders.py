"""Folders: the cache follows the environment, and the sample clip is there."""

from pathlib import Path

import pytest

from marey.core.errors import MareyError
from marey.core.folders import cache_dir, sample_clip


def test_cache_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MAREY_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_dir() == tmp_path / "home" / ".cache" / "marey"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_dir() == tmp_path / "xdg" / "marey"
    monkeypatch.setenv("MAREY_CACHE", str(tmp_path / "mine"))
    assert cache_dir() == tmp_path / "mine"
    assert (tmp_path / "mine").is_dir()


def test_a_cache_that_cannot_be_made_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MAREY_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(MareyError, match="set MAREY_CACHE to another folder"):
        cache_dir()


def test_the_sample_ships() -> None:
    assert sample_clip().stat().st_size <= 300_000
