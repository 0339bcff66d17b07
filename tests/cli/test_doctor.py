import json

import pytest

from marey.cli import main
from marey.pipeline import doctor


@pytest.fixture
def small_shelf(network, monkeypatch):
    """One small network instead of the shipped ones."""
    path = network("mine")
    monkeypatch.setattr(doctor, "names", lambda: (str(path),))
    return path


def test_a_working_installation(small_shelf, capsys):
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "everything that marey needs works"
    assert {line[0] for line in lines[:-1]} <= {"✓", "·"}
    topics = ("python", "openvino", "processor", "cuda", "decode h264", "encode libx264", "cache", "network")
    for topic in topics:
        assert any(line[2:].startswith(topic) for line in lines), topic


def test_json(small_shelf, capsys):
    assert main(["doctor", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True
    assert {"topic", "state", "text"} == set(told["findings"][0])


def test_a_damaged_network_breaks_and_is_named(small_shelf, capsys):
    with small_shelf.with_suffix(".onnx").open("ab") as file:
        file.write(b"\0")
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert f"✗ network {small_shelf}" in out
    assert out.splitlines()[-1] == f"broken: network {small_shelf}"


def test_without_networks_and_without_h264(small_shelf, monkeypatch, capsys):
    monkeypatch.setattr(doctor, "names", lambda: ())
    monkeypatch.setitem(doctor.DECODERS, "no-such-codec", "broken")
    monkeypatch.setattr(doctor, "ENCODER", "no-such-encoder")
    assert main(["doctor", "--json"]) == 1
    states = {each["topic"]: each["state"] for each in json.loads(capsys.readouterr().out)["findings"]}
    assert states["networks"] == states["decode no-such-codec"] == "broken"
    assert states["encode no-such-encoder"] == "note", "marey runs with another --codec"


def test_a_cache_that_cannot_be_written_is_a_note(small_shelf, monkeypatch, tmp_path, capsys):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("MAREY_CACHE", str(tmp_path / "file"))
    assert main(["doctor"]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("· cache"))
    assert "set MAREY_CACHE" in line
