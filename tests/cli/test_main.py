"""The command line as a whole: help, version, wrong use."""

import os
import subprocess
import sys

import pytest

from marey.cli import VERBS, main


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_with_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    assert ended.value.code == 0
    assert f"marey {verb}" in capsys.readouterr().out.partition("examples:")[2]


def test_help_lists_the_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert all(f"\n    {verb} " in said for verb in VERBS)


@pytest.mark.parametrize("argv", [[], ["fly"], ["run", "--quality"], ["export", "x.marey"]])
def test_wrong_use_is_code_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_the_module_runs_as_the_command_does() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "marey.cli", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("marey ")


def test_a_reader_that_leaves_is_no_error_of_ours() -> None:
    ours, theirs = os.pipe()
    os.close(ours)  # as `head` does once it has seen enough
    with os.fdopen(theirs, "wb") as gone:
        done = subprocess.run(
            [sys.executable, "-m", "marey.cli", "weights", "list"],
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 141
    assert done.stderr == ""
