"""Shipped weights: the script finds what does not fit."""

import hashlib
from pathlib import Path

import check_weights
import pytest

ROOT = Path(__file__).parents[2]


def test_what_does_not_fit_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = b"network"
    (tmp_path / "good.onnx").write_bytes(good)
    (tmp_path / "good.toml").write_text(f'sha256 = "{hashlib.sha256(good).hexdigest()}"\n')
    assert list(check_weights.wrong(tmp_path)) == []
    (tmp_path / "other.onnx").write_bytes(b"changed since")
    (tmp_path / "other.toml").write_text(f'sha256 = "{hashlib.sha256(good).hexdigest()}"\n')
    (tmp_path / "lone.onnx").write_bytes(b"x")
    (tmp_path / "card.toml").write_text("")
    assert list(check_weights.wrong(tmp_path)) == [
        "lone.onnx: no card lone.toml beside it",
        "other.toml: its sha256 is not that of other.onnx; export the network again",
        "card.toml: no network card.onnx beside it",
    ]
    monkeypatch.setattr(check_weights, "ONE_BYTES", 10)
    monkeypatch.setattr(check_weights, "ALL_BYTES", 20)
    complaints = list(check_weights.wrong(tmp_path))
    assert "other.onnx: 0.0 MB; at most 0" in complaints
    assert complaints[-1].endswith("0.0 MB of networks; at most 0")


def test_the_shelf_fits() -> None:
    assert list(check_weights.wrong(ROOT / "src" / "marey" / "weights")) == []
