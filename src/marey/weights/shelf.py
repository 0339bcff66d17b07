"""Where network files lie: in the package (shipped), then in the user's own folder (added)."""

import difflib
import shutil
from pathlib import Path

from marey.core.errors import WeightsError
from marey.core.folders import cache_dir
from marey.weights.card import Card, read_card


def shipped_folder() -> Path:
    """The folder of the networks that come with marey."""
    return Path(__file__).parent


def added_folder() -> Path:
    """The folder of the networks that the user added; it may not exist."""
    return cache_dir() / "weights"


def names() -> tuple[str, ...]:
    """Every network on the shelf, sorted."""
    return tuple(sorted({card.stem for folder in _folders() for card in folder.glob("*.toml")}))


def find(name: str | Path) -> Path:
    """Path of a network's card. A path to an `.onnx` or `.toml` file always wins over a name.

    Raises
    ------
    WeightsError
        If there is no such file or name.
    """
    given = Path(name)
    if given.suffix in (".onnx", ".toml"):
        for path in (given.with_suffix(".onnx"), given.with_suffix(".toml")):
            if not path.is_file():
                raise WeightsError(f"{path}: no such file; a network is an .onnx and a .toml beside it")
        return given.with_suffix(".toml")
    for folder in _folders():
        if (folder / f"{name}.toml").is_file():
            return folder / f"{name}.toml"
    near = difflib.get_close_matches(str(name), names(), 1)
    hint = f"did you mean {near[0]}?" if near else "see `marey weights list`"
    raise WeightsError(f"no network is called {name}; {hint}")


def add(path: str | Path) -> Card:
    """Copy a network file and its card onto the user's shelf, where its name finds it.

    Raises
    ------
    WeightsError
        If either file is missing, the file is not what the card says, or the name is taken by another.
    """
    source = find(Path(path))
    card = read_card(source)
    target = added_folder() / f"{card.name}.toml"
    if (shipped_folder() / target.name).is_file():
        raise WeightsError(f"{source}: marey ships a network called {card.name}; give yours another name")
    if target.is_file() and read_card(target).sha256 != card.sha256:
        raise WeightsError(f"{target}: another network has this name; remove it or rename yours")
    card.verify()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(card.onnx, target.with_suffix(".onnx"))
        shutil.copyfile(source, target)
    except OSError as error:
        raise WeightsError(
            f"{target.parent}: cannot be written ({error.strerror}); set MAREY_CACHE"
        ) from error
    return read_card(target)


def _folders() -> tuple[Path, Path]:
    return shipped_folder(), added_folder()
