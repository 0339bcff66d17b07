"""The public surface is a list, and this is where it is read."""

import subprocess
import sys

import marey

PUBLIC = """run read find estimate collect finish lift load evaluate METHODS
Frame People Poses Recording Camera Skeleton MareyError""".split()


def test_exported_members() -> None:
    assert sorted(marey.__all__) == sorted(PUBLIC)
    assert set(PUBLIC) <= set(dir(marey))
    for name in PUBLIC:
        assert getattr(marey, name) is not None
    assert not hasattr(marey, "refine")
    assert callable(marey.Recording.export)


def test_importing_costs_nothing_until_something_is_used() -> None:
    code = "import sys, marey; sys.exit(bool({'numpy', 'openvino', 'torch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
