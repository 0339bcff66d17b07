"""Networks from a hub repository that holds an ONNX file and marey's card. Needs the extra `marey[hub]`."""

import importlib
import importlib.util
from pathlib import Path

from marey.core.errors import WeightsError

PATTERNS = ("*.onnx", "*.toml")


def fetch(repository: str) -> Path:
    """Download a repository's network and return the path of its card.

    Raises
    ------
    WeightsError
        If the extra is not installed, the hub cannot be reached, or the repository has no single card.
    """
    if importlib.util.find_spec("huggingface_hub") is None:
        raise WeightsError(f"hub:{repository} needs the extra hub: pip install 'marey[hub]'")
    hub = importlib.import_module("huggingface_hub")
    errors = importlib.import_module("huggingface_hub.errors")
    try:
        folder = hub.snapshot_download(repository, allow_patterns=list(PATTERNS))
    except (errors.HfHubHTTPError, errors.HFValidationError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise WeightsError(
            f"hub:{repository}: cannot be fetched ({reason}); check name and network"
        ) from error
    return card_in(Path(folder), f"hub:{repository}")


def card_in(folder: Path, where: str) -> Path:
    """The one card in a folder that has its network file beside it.

    Raises
    ------
    WeightsError
        If there is none or more than one.
    """
    cards = sorted(path for path in folder.rglob("*.toml") if path.with_suffix(".onnx").is_file())
    if len(cards) != 1:
        found = ", ".join(path.stem for path in cards) or "none"
        raise WeightsError(
            f"{where}: must hold one network, NAME.onnx with a marey card NAME.toml beside it; found: {found}"
        )
    return cards[0]
