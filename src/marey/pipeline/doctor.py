"""What this installation can do: the questions a person with a problem is asked first, answered by trying."""

import importlib.metadata
import importlib.util
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import openvino
from av.codec import Codec

from marey.core.errors import MareyError, WeightsError
from marey.core.folders import cache_dir
from marey.weights import find, names, read_card
from marey.weights.session import has_bf16, has_cuda
from marey.weights.trial import trial

State = Literal["ok", "note", "broken"]
PACKAGES = (
    "marey",
    "numpy",
    "opencv-python-headless",
    "av",
    "openvino",
    "pyarrow",
    "onnxruntime",
    "onnxruntime-gpu",
)
DECODERS = {"h264": "broken", "hevc": "note", "vp9": "note", "av1": "note"}
"""Video formats people bring, and how bad it is if one cannot be read."""
ENCODER = "libx264"


@dataclass(frozen=True)
class Finding:
    """One answer. `broken` means that `marey run` cannot work; `note` that something optional is missing."""

    topic: str
    state: State
    text: str


def examine() -> Iterator[Finding]:
    """Look at everything, one finding after the other."""
    yield _python()
    yield from _packages()
    yield _processor()
    yield _cuda()
    yield from _codecs()
    yield _cache()
    yield from _networks()


def _python() -> Finding:
    return Finding("python", "ok", f"{platform.python_version()} on {platform.platform()}, {sys.executable}")


def _packages() -> Iterator[Finding]:
    for package in PACKAGES:
        try:
            yield Finding(package, "ok", importlib.metadata.version(package))
        except importlib.metadata.PackageNotFoundError:
            if not package.startswith("onnxruntime"):  # only CUDA needs it
                yield Finding(package, "broken", f"not installed; pip install {package}")


def _processor() -> Finding:
    name = openvino.Core().get_property("CPU", "FULL_DEVICE_NAME")
    extras = [label for label, there in (("bf16", has_bf16()), ("avx512", _has_avx512())) if there]
    return Finding(
        "processor", "ok", f"{name}, {_cores()} cores, {', '.join(extras) or 'neither bf16 nor avx512'}"
    )


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _has_avx512() -> bool:
    """Whether Linux says so; elsewhere nobody is asked."""
    told = Path("/proc/cpuinfo")
    return told.is_file() and "avx512f" in told.read_text("utf-8", errors="replace")


def _cuda() -> Finding:
    if not has_cuda():
        return Finding("cuda", "note", "not used: onnxruntime for CUDA is missing; pip install 'marey[cuda]'")
    shelf = names()
    if not shelf:
        return Finding("cuda", "note", "installed; cannot be tried without a network")
    try:
        done = trial(shelf[0], "cuda")
    except WeightsError as error:
        return Finding("cuda", "note", f"installed but does not work: {error}")
    return Finding("cuda", "ok", f"works: {shelf[0]} takes {done.milliseconds:.1f} ms a picture")


def _codecs() -> Iterator[Finding]:
    for name, state in DECODERS.items():
        there = _has_codec(name, "r")
        missing: State = "broken" if state == "broken" else "note"
        yield Finding(
            f"decode {name}", "ok" if there else missing, "yes" if there else "not in this build of PyAV"
        )
    if _has_codec(ENCODER, "w"):
        yield Finding(f"encode {ENCODER}", "ok", "yes")
    else:
        yield Finding(f"encode {ENCODER}", "note", "not in this build of PyAV; give --codec, or --no-overlay")


def _has_codec(name: str, mode: Literal["r", "w"]) -> bool:
    try:
        Codec(name, mode)
    except ValueError:  # the base of UnknownCodecError
        return False
    return True


def _cache() -> Finding:
    try:
        folder = cache_dir()
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except MareyError as error:
        return Finding("cache", "note", str(error))
    except OSError as error:
        return Finding("cache", "note", f"{error.filename}: not writable ({error.strerror}); set MAREY_CACHE")
    return Finding("cache", "ok", str(folder))


def _networks() -> Iterator[Finding]:
    shelf = names()
    if not shelf:
        yield Finding("networks", "broken", "none: install marey again, or add one with `marey weights add`")
    for name in shelf:
        try:
            done = trial(read_card(find(name)))
        except WeightsError as error:
            yield Finding(f"network {name}", "broken", str(error))
        else:
            text = f"whole; {done.milliseconds:.1f} ms a picture on {done.provider}"
            yield Finding(f"network {name}", "ok", text)
