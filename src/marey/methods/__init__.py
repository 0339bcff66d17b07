"""Every method marey knows. Command line, training, evaluation and contract tests read this tuple."""

from difflib import get_close_matches

from marey.core.errors import SettingsError
from marey.core.stages import Method
from marey.methods import baseline, clnet, detector, dgnet, liftbase

METHODS: tuple[Method, ...] = (
    detector.METHOD,
    baseline.METHOD,
    clnet.METHOD,
    liftbase.METHOD,
    dgnet.METHOD,
)


def method(name: str) -> Method:
    """Find a method by name.

    Raises
    ------
    SettingsError
        If there is none; the text suggests the nearest.
    """
    for known in METHODS:
        if known.name == name:
            return known
    names = [known.name for known in METHODS]
    near = get_close_matches(name, names, 1)
    raise SettingsError(
        f"method {name!r} is unknown; "
        + (f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}")
    )
