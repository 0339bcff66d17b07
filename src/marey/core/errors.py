"""The errors a person may see.

Tree::

    MareyError                what went wrong, where, and what to do, in one line
    ├── VideoError            a source that cannot be opened, decoded or written
    ├── WeightsError          a network file or its card that is missing, damaged or does not fit
    ├── SettingsError         a setting, recipe or option that is unknown or out of range
    ├── RecordingError        a recording that cannot be read, written or resumed
    └── DataError             a data set whose file or field is not what its format says

Everything marey raises on purpose derives from `MareyError`; a traceback in front of a user is a bug.
"""


class MareyError(Exception):
    """Base of every error that marey raises on purpose; its text says what, where and what to do."""


class VideoError(MareyError):
    """A source that cannot be opened, decoded or written."""


class WeightsError(MareyError):
    """A network file or its card that is missing, damaged or does not fit."""


class SettingsError(MareyError):
    """A setting, recipe or option that is unknown or out of range."""


class RecordingError(MareyError):
    """A recording that cannot be read, written or resumed."""


class DataError(MareyError):
    """A data set whose file or field is not what its format says."""
