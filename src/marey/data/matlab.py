"""Reading MATLAB files (up to version 7), with errors that name the file and the field.

SciPy is needed for this alone, so it is an extra: `pip install "marey[data]"`.
"""

from pathlib import Path
from typing import Any

import numpy as np

from marey.core.errors import DataError
from marey.data.files import need
from marey.data.nodes import Node

_HDF5 = b"\x89HDF\r\n\x1a\n"


def read_mat(path: Path, field: str, shape: tuple[int | None, ...]) -> np.ndarray:
    """One numeric array of a MATLAB file; `shape` is what the format says, None where any length fits."""
    array = _load(path, field)
    fits = array.ndim == len(shape) and all(
        n is None or n == m for n, m in zip(shape, array.shape, strict=True)
    )
    if not fits or array.dtype.kind not in "fiub":
        wanted = " × ".join("any" if n is None else str(n) for n in shape)
        raise DataError(f"{path}: field `{field}` is {array.dtype} {array.shape}, numbers {wanted} expected")
    return array


def read_struct(path: Path, field: str) -> Node:
    """One struct or array of structs of a MATLAB file."""
    return Node(_load(path, field, struct_as_record=False, squeeze_me=True), f"{path}: {field}")


def _load(path: Path, field: str, **options: bool) -> Any:
    try:
        import scipy.io
    except ImportError as error:
        raise DataError(f'{path}: reading .mat files needs SciPy; run `pip install "marey[data]"`') from error
    with need(path, "the label file").open("rb") as file:
        head = file.read(520)
    if _HDF5 in head or b"MATLAB 7.3" in head:
        raise DataError(f"{path}: a MATLAB 7.3 file; save it again in MATLAB or Octave with `save -v7`")
    broken = (
        ValueError, TypeError, OSError, NotImplementedError, IndexError, EOFError, KeyError, OverflowError,
        MemoryError, scipy.io.matlab.MatReadError,
    )  # fmt: skip
    try:
        held = scipy.io.loadmat(path, variable_names=[field], **options)
    except broken as error:
        raise DataError(f"{path}: not a MATLAB file that can be read ({error}); fetch it again") from error
    if field not in held:
        raise DataError(f"{path}: field `{field}` is missing; is this the set's own label file?")
    return held[field]
