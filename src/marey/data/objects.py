"""Python objects in NumPy's .npz files, as some sets publish them, without running what a file says.

Such an array is a pickle, and a pickle may call anything. Here it may make dictionaries, lists, strings,
numbers and NumPy arrays, and nothing else.
"""

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from marey.core.errors import DataError
from marey.data.files import need
from marey.data.nodes import Node

_HARMLESS = {
    ("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode"),
    *((f"numpy.{core}.{module}", name) for core in ("core", "_core") for module, name in (
        ("multiarray", "_reconstruct"), ("multiarray", "scalar"), ("numeric", "_frombuffer"),
    )),
}  # fmt: skip


class _Reader(pickle.Unpickler):
    """An unpickler that knows only what data is made of."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _HARMLESS:
            raise pickle.UnpicklingError(f"it wants to call {module}.{name}, which no data needs")
        return super().find_class(module, name)


def read_objects(path: Path, field: str) -> Node:
    """The object that an array of one object holds in an .npz file.

    Raises
    ------
    DataError
        for a file that is none, lacks the field, or holds more than data.
    """
    try:
        with zipfile.ZipFile(need(path, "the label file")) as archive:
            data = io.BytesIO(archive.read(f"{field}.npy"))
        version = np.lib.format.read_magic(data)
        header = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = header(data)
        if dtype.hasobject and shape == ():
            return Node(_Reader(data).load().item(), f"{path}: {field}")
    except KeyError as error:
        raise DataError(f"{path}: field `{field}` is missing; is this the set's own label file?") from error
    except (zipfile.BadZipFile, pickle.UnpicklingError, ValueError, EOFError, AttributeError) as error:
        raise DataError(f"{path}: field `{field}` cannot be read ({error}); fetch it again") from error
    raise DataError(f"{path}: field `{field}` is {dtype} {shape}, one object expected")
