"""One variable of a NASA Common Data Format file (version 3), in which Human3.6M keeps its poses.

From the format's description (*CDF Internal Format*, version 3.x): records of a size and a type, big-endian,
linked by offsets: CDR 1, GDR 2, rVDR 3, zVDR 8, VXR 6, VVR 7, compressed CVVR 13, and CCR 10 for a file
compressed as a whole. Read: single files, real numbers, one record per variable or many, gzip or none. Not
read: sparse records, other compressions, version 2.
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import final

import numpy as np

from marey.core.errors import DataError
from marey.data.files import need

REALS = {21: "f4", 44: "f4", 22: "f8", 45: "f8"}
LITTLE = {4, 6, 13, 16}
"""Encodings whose numbers have the lowest byte first (DECstation, PC, Alpha)."""
GDR, RVDR, ZVDR, VXR, VVR, CCR, CVVR = 2, 3, 8, 6, 7, 10, 13
GZIP = 16 + zlib.MAX_WBITS


def read_cdf(path: Path, variable: str) -> np.ndarray:
    """The values of a variable: its records along the first axis, then its dimensions.

    Raises
    ------
    DataError
        for a file that is none, is cut off, or lacks the variable.
    """
    try:
        return _Reader(need(path, "the pose file").read_bytes()).values(variable)
    except (struct.error, zlib.error, ValueError, KeyError, IndexError) as error:
        raise DataError(f"{path}: not a CDF file (version 3) that can be read ({error})") from error


@final
class _Reader:
    """Reads records at offsets; errors of struct and zlib are turned into words by `read_cdf`."""

    def __init__(self, data: bytes):
        if data[:3] != b"\xcd\xf3\x00":
            raise ValueError("it does not begin as one")
        self.data = data
        if data[4:8] == b"\xcc\xcc\x00\x01":
            (size, kind) = self._take(">qi", 8)
            if kind != CCR:
                raise ValueError("no compressed record at its head")
            self.data = data[:8] + zlib.decompress(data[8 + 32 : 8 + size], GZIP)
        (self.gdr, _, _, encoding, flags) = self._take(">qiiii", 8 + 12)
        self.order = "<" if encoding in LITTLE else ">"
        self.rows_first = bool(flags & 1)

    def values(self, variable: str) -> np.ndarray:
        for kind, at in self._variables():
            name = self.data[at + 84 : at + 340].split(b"\0")[0].decode("ascii", "replace").strip()
            if name == variable:
                return self._read(kind, at)
        raise ValueError(f"it holds no variable `{variable}`")

    def _take(self, form: str, at: int) -> tuple[int, ...]:
        return struct.unpack_from(form, self.data, at)

    def _variables(self) -> Iterator[tuple[int, int]]:
        """Kind and offset of every variable's description."""
        for kind, at in zip((RVDR, ZVDR), self._take(">qq", self.gdr + 12), strict=True):
            while at > 0:
                yield kind, at
                (at,) = self._take(">q", at + 12)

    def _read(self, kind: int, at: int) -> np.ndarray:
        data_type, last, first_index = self._take(">iiq", at + 20)
        if kind == ZVDR:
            (count,) = self._take(">i", at + 340)
            sizes, at = self._take(f">{count}i", at + 344), at + 344 + 4 * count
        else:
            (count,) = self._take(">i", self.gdr + 56)
            sizes, at = self._take(f">{count}i", self.gdr + 84), at + 340
        varies = self._take(f">{count}i", at)
        dims = [size for size, vary in zip(sizes, varies, strict=True) if vary]
        form = np.dtype(self.order + REALS[data_type])
        raw = b"".join(self._blocks(first_index))
        expected = (last + 1) * int(np.prod(dims)) * form.itemsize
        if last < 0 or len(raw) < expected:
            raise ValueError(f"{len(raw)} bytes of {expected} are there")
        values = np.frombuffer(raw[:expected], form).astype(np.float64)
        if self.rows_first:
            return values.reshape(last + 1, *dims)
        return np.moveaxis(
            values.reshape(last + 1, *dims[::-1]), range(1, len(dims) + 1), range(len(dims), 0, -1)
        )

    def _blocks(self, at: int) -> Iterator[bytes]:
        """The bytes of all records, in order, through the index records that list them."""
        while at > 0:
            (after, listed, used) = self._take(">qii", at + 12)
            for offset in self._take(f">{used}q", at + 28 + 8 * listed):
                size, kind = self._take(">qi", offset)
                if kind == VXR:
                    yield from self._blocks(offset)
                elif kind == VVR:
                    yield self.data[offset + 12 : offset + size]
                elif kind == CVVR:
                    (packed,) = self._take(">q", offset + 16)
                    yield zlib.decompress(self.data[offset + 24 : offset + 24 + packed], GZIP)
                else:
                    raise ValueError(f"a record of type {kind} where values are expected")
            at = after
