"""Reading the files that data sets are made of, with errors that name the file and the field.

Pictures are read as stored: labels refer to stored pixels, so an EXIF orientation is not applied.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, overload

import cv2
import numpy as np
from jaxtyping import UInt8

from marey.core.errors import DataError
from marey.data.sample import Sample

_NOT_SIZES = {0xC4, 0xC8, 0xCC}
"""JPEG markers in the range of frame headers that are none (tables, extensions)."""


class Samples(Sequence[Any]):
    """Samples made one at a time when asked for, so that a large set opens at once.

    `make` turns a key into its sample; a key is whatever the kind needs to find one. The base does not say
    `Sample`, or a check of types would make one at every call.
    """

    def __init__(self, keys: Sequence[Any], make: Callable[[Any], Sample]):
        self._keys, self._make = keys, make

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> "Samples": ...
    def __getitem__(self, index: int | slice) -> "Sample | Samples":
        if isinstance(index, slice):
            return Samples(self._keys[index], self._make)
        return self._make(self._keys[index])

    def __iter__(self) -> Iterator[Sample]:
        return map(self._make, self._keys)


def need(path: Path, what: str) -> Path:
    """The path itself; a `DataError` where nothing lies there."""
    if not path.exists():
        raise DataError(f"{path}: {what} is missing; check the folder given, or fetch that part of the set")
    return path


def read_picture(path: Path) -> UInt8[np.ndarray, "H W 3"]:
    """Decode a picture to RGB."""
    need(path, "the picture")
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if picture is None:
        raise DataError(f"{path}: not a picture that can be decoded; fetch this file again")
    return np.ascontiguousarray(picture[:, :, ::-1])


def picture_size(path: Path) -> tuple[int, int]:
    """Stored (width, height) from the header of a JPEG or PNG; other formats are decoded."""
    need(path, "the picture")
    with path.open("rb") as file:
        head = file.read(1 << 16)
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    place = 2
    while head[:2] == b"\xff\xd8" and place + 9 < len(head) and head[place] == 0xFF:
        marker = head[place + 1]
        if 0xC0 <= marker <= 0xCF and marker not in _NOT_SIZES:
            tall, wide = head[place + 5 : place + 7], head[place + 7 : place + 9]
            return int.from_bytes(wide, "big"), int.from_bytes(tall, "big")
        place += 2 + int.from_bytes(head[place + 2 : place + 4], "big")
    height, width = read_picture(path).shape[:2]
    return width, height


def chosen(keys: Sequence[Any], path: Path, kind: str, split: str) -> Sequence[Any]:
    """The keys themselves; a `DataError` that names the split where there are none."""
    if not keys:
        raise DataError(f"{path}: {kind} has nothing in split `{split}` here; try --split all")
    return keys
