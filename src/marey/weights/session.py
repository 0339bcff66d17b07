"""Runs a network file: OpenVINO on processors, onnxruntime on CUDA.

Conventions: arrays in and out by name; a batch may have any size, and what comes out for one item does not
depend on its neighbours. Pictures go in as uint8 (N, H, W, 3), `rgb`; the graph itself casts and normalises.

Choices, measured (tools/bench_engines.py): a batch is split among OpenVINO's streams, each on cores of its
own: threads that share every layer wait for each other in it, a tenth of the time, and more where something
else wants a core, as decoding does. Only where items come one at a time (`alone`) all threads share each. A
network compiled for any number of items is slower by a seventh than one compiled for a certain number, so
whoever has many says so (`together`), and the last of a call's items are filled up. OpenVINO's cache of
compiled networks stays off: it saves 0.3 s a start, and a killed run may leave a torn file in it.
"""

import importlib
import importlib.util
import logging
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
import openvino

from marey.core.errors import WeightsError
from marey.core.stages import Arrays
from marey.weights.card import Card, read_card
from marey.weights.shelf import find

Device = Literal["auto", "cpu", "cuda"]
Shape = tuple[int | None, ...]
CUDA = "CUDAExecutionProvider"

_log = logging.getLogger(__name__)


@final
class Session:
    """A loaded network. Calls from several threads are safe; `provider` is what it really runs on.

    `inputs` holds the shape of each input, None where any size goes.
    """

    def __init__(self, card: Card, provider: str, inputs: dict[str, Shape], run: Callable[[Arrays], Arrays]):
        self.card = card
        self.provider = provider
        self.inputs = inputs
        self._run = run

    def __call__(self, inputs: Arrays) -> Arrays:
        """Run on named arrays (first axis the batch); the outputs named on the card come back.

        Raises
        ------
        WeightsError
            If an input is missing or not of the network's shape.
        """
        for name, shape in self.inputs.items():
            if name not in inputs:
                given = ", ".join(inputs) or "nothing"
                raise WeightsError(f"{self.card.name}: the input `{name}` is missing; {given} was given")
            got = inputs[name].shape
            if len(got) != len(shape) or any(a not in (None, b) for a, b in zip(shape, got, strict=True)):
                wanted = ", ".join(str(size or ("any" if axis else "N")) for axis, size in enumerate(shape))
                raise WeightsError(f"{self.card.name}: the input `{name}` must be ({wanted}), not {got}")
        return self._run({name: np.ascontiguousarray(inputs[name]) for name in self.inputs})


def load(
    source: str | Path | Card,
    device: Device = "auto",
    threads: int | None = None,
    *,
    alone: bool = False,
    size: tuple[int, int] | None = None,
    together: int | None = None,
) -> Session:
    """Load a network by name, by path (of the .onnx or its card) or by card.

    Parameters
    ----------
    source
        A name on the shelf, a path, or a card that was read from a file.
    device
        `cpu`; `cuda`, which fails rather than run elsewhere; `auto`: CUDA where it works, else the processor.
    threads
        Processor threads for one call; None: all cores.
    alone
        Whether items come one at a time and each is wanted at once, as from a camera.
    size
        (width, height) of all pictures, where the network takes more than one; None: they may differ.
    together
        With a size: so many items the network is compiled for on a processor. Calls may have any number; they
        cost as much as the next multiple. None: any number at once.

    Raises
    ------
    WeightsError
        If the network is missing, is not what its card says, takes no pictures of that size, or cannot run on
        the device asked for.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise WeightsError(f"device {device}: unknown; choose auto, cpu or cuda")
    card = source if isinstance(source, Card) else read_card(find(source))
    card.verify()
    if device == "cuda":
        session = _on_cuda(card, size)
    elif device == "auto" and has_cuda():
        try:
            session = _on_cuda(card, size)
        except WeightsError as error:
            _log.warning("%s; the processor is used instead", error)
            session = _on_processor(card, threads, alone, size, together)
    else:
        session = _on_processor(card, threads, alone, size, together)
    _log.info("%s runs on %s", card.name, session.provider)
    return session


def has_cuda() -> bool:
    """Whether an onnxruntime made for CUDA is installed (not yet whether it works)."""
    return (
        importlib.util.find_spec("onnxruntime") is not None
        and CUDA in _onnxruntime().get_available_providers()
    )


def has_bf16() -> bool:
    """Whether the processor computes in bfloat16."""
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _on_processor(
    card: Card, threads: int | None, alone: bool, size: tuple[int, int] | None, together: int | None
) -> Session:
    precision = "bf16" if card.bf16 and has_bf16() else "f32"
    hint = "LATENCY" if alone else "THROUGHPUT"
    config: dict[str, Any] = {"PERFORMANCE_HINT": hint, "INFERENCE_PRECISION_HINT": precision}
    if threads is not None:
        config["INFERENCE_NUM_THREADS"] = threads
    try:
        core = openvino.Core()
        model = core.read_model(card.onnx)
        together = together if size is not None else None
        if size is not None:  # compiled for one size of picture a network is faster
            fixed = _of_size(card, _shape(model.inputs[0].get_partial_shape()), size)
            model.reshape([together or -1, *fixed[1:]])
        compiled = core.compile_model(model, "CPU", config)
    except RuntimeError as error:
        raise _broken(card, error) from error
    # where OpenVINO fuses the last layers, an output has several names, and ours is not always the first
    names = _outputs(card, [name for port in compiled.outputs for name in sorted(port.get_names())])
    shapes = {port.get_any_name(): _shape(port.get_partial_shape()) for port in compiled.inputs}
    if together:
        shapes = {name: (None, *shape[1:]) for name, shape in shapes.items()}
    streams = int(compiled.get_property("NUM_STREAMS"))
    idle: deque[list[Any]] = deque()  # a request serves one call at a time; the compiled network serves all

    def run(inputs: Arrays) -> Arrays:
        try:
            requests = idle.pop()
        except IndexError:
            requests = []
        parts = _split(inputs, streams) if together is None else _filled(inputs, together)
        while len(requests) < len(parts):
            requests.append(compiled.create_infer_request())
        busy = requests[: len(parts)]
        for request, part in zip(busy, parts, strict=True):
            request.start_async(part, share_inputs=True)
        for request in busy:
            request.wait()
        found = [[request.get_tensor(name).data for request in busy] for name in names]
        count = len(next(iter(inputs.values())))
        outputs = {name: np.concatenate(own)[:count] for name, own in zip(names, found, strict=True)}
        idle.append(requests)
        return outputs

    return Session(card, f"OpenVINO CPU {precision}", shapes, run)


def _split(inputs: Arrays, most: int) -> list[Arrays]:
    """Equal parts of a batch, at most so many and none empty (unless the batch is)."""
    count = max(1, min(most, *(len(array) for array in inputs.values())))
    parts = {name: np.array_split(array, count) for name, array in inputs.items()}
    return [{name: own[k] for name, own in parts.items()} for k in range(count)]


def _filled(inputs: Arrays, together: int) -> list[Arrays]:
    """Parts of `together` items each, at least one; the last is filled up with zeros."""
    count = len(next(iter(inputs.values())))
    lacking = max(together, -(-count // together) * together) - count
    if lacking:
        zeros = {name: np.zeros((lacking, *array.shape[1:]), array.dtype) for name, array in inputs.items()}
        inputs = {name: np.concatenate([array, zeros[name]]) for name, array in inputs.items()}
    starts = range(0, count + lacking, together)
    return [{name: array[k : k + together] for name, array in inputs.items()} for k in starts]


def _on_cuda(card: Card, size: tuple[int, int] | None) -> Session:
    if not has_cuda():
        raise WeightsError(
            "device cuda: onnxruntime for CUDA is not installed; pip install 'marey[cuda]' or --device cpu"
        )
    runtime = _onnxruntime()
    errors = _onnxruntime_errors()
    try:
        engine = runtime.InferenceSession(str(card.onnx), providers=[CUDA])
    except errors as error:
        raise _broken(card, error) from error
    if CUDA not in engine.get_providers():  # onnxruntime falls back to the processor without an error
        raise WeightsError(
            "device cuda: onnxruntime could not start CUDA (driver, CUDA or cuDNN missing; its own log above "
            "says which); see `marey doctor`, or use --device cpu"
        )
    names = _outputs(card, [port.name for port in engine.get_outputs()])
    shapes = {
        port.name: tuple(axis if isinstance(axis, int) else None for axis in port.shape)
        for port in engine.get_inputs()
    }
    if size is not None:
        shapes = {name: _of_size(card, shape, size) for name, shape in shapes.items()}

    def run(inputs: Arrays) -> Arrays:
        try:
            return dict(zip(names, engine.run(list(names), inputs), strict=True))
        except errors as error:
            raise WeightsError(f"{card.name}: failed on CUDA ({_line(error)}); try --device cpu") from error

    return Session(card, CUDA, shapes, run)


def _onnxruntime() -> Any:
    return importlib.import_module("onnxruntime")


def _onnxruntime_errors() -> tuple[type[Exception], ...]:
    """What onnxruntime raises; its exceptions share no base."""
    states = importlib.import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    names = (
        "EPFail Fail InvalidArgument InvalidGraph InvalidProtobuf NoSuchFile NotImplemented RuntimeException"
    )
    return tuple(getattr(states, name) for name in names.split())


def _shape(shape: Any) -> Shape:
    return tuple(None if axis.is_dynamic else axis.get_length() for axis in shape)


def _of_size(card: Card, shape: Shape, size: tuple[int, int]) -> Shape:
    """The shape of pictures (N, H, W, 3), all of a size."""
    width, height = size
    if len(shape) != 4 or shape[1] not in (None, height) or shape[2] not in (None, width):
        wanted = " x ".join(str(axis) for axis in reversed(shape[1:3]))
        raise WeightsError(f"{card.name}: takes pictures of {wanted} only, not of {width} x {height}")
    return shape[0], height, width, shape[3]


def _outputs(card: Card, names: list[str]) -> tuple[str, ...]:
    """The card's outputs, which the network must have."""
    for name in card.outputs:
        if name not in names:
            raise WeightsError(
                f"{card.onnx}: has no output `{name}`, which its card names; it has {', '.join(names)}"
            )
    return card.outputs


def _broken(card: Card, error: Exception) -> WeightsError:
    return WeightsError(f"{card.onnx}: is no network that can be loaded ({_line(error)}); export it again")


def _line(error: Exception) -> str:
    """The last line of a library's message: where C++ says what went wrong."""
    return str(error).strip().splitlines()[-1][:200] if str(error).strip() else type(error).__name__
