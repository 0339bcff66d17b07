import pytest

from marey.cli import main
from marey.weights import names, read_card, shelf


def test_list_shows_every_network_with_the_terms_of_its_data(network, capsys):
    shelf.add(network("mine"))
    assert main(["weights", "list"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["NAME", "METHOD", "INPUT"]
    assert [row.split()[0] for row in rows] == list(names())
    (mine,) = (row for row in rows if row.startswith("mine "))
    assert "12×16" in mine
    assert mine.endswith("drawn: Apache-2.0")


def test_show_prints_the_card(network, capsys):
    path = network("mine")
    assert main(["weights", "show", str(path)]) == 0
    assert capsys.readouterr().out == f"# {path}\n{path.read_text('utf-8')}"


def test_verify_names_what_failed_and_goes_on(network, capsys, tmp_path):
    good, bad = network("good"), network("bad", tmp_path / "bad", sha256="0" * 64)
    assert main(["weights", "verify", str(bad), str(good), "--device", "cpu"]) == 1
    said = capsys.readouterr()
    assert "bad.onnx: its sha256 is" in said.err
    assert said.out.startswith(f"{good}: sha256 as on the card; ")
    assert "OpenVINO CPU" in said.out


def test_add_puts_a_network_on_the_shelf(network, capsys):
    path = network("mine")
    assert main(["weights", "add", str(path.with_suffix(".onnx"))]) == 0
    assert capsys.readouterr().out == f"mine: added to {shelf.added_folder()}\n"
    assert read_card(shelf.find("mine")) == read_card(path)


def test_unknown_names_fail_in_one_line(network, capsys):
    assert main(["weights", "show", "nobody"]) == 1
    assert capsys.readouterr().err.startswith("marey: no network is called nobody; ")


def test_an_action_is_needed(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["weights"])
    assert stopped.value.code == 2
