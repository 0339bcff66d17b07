"""The border between training and running: a module becomes an ONNX file with a card beside it.

The file takes uint8 pictures and normalises inside (a lifter's: float32 joints); weights lie in it as
float16 behind a Cast and are computed with in float32; the batch is dynamic. It is compared with the module
(its weights rounded alike) before the card is written.
"""

import copy
import hashlib
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from marey.core.errors import WeightsError
from marey.core.settings import plain
from marey.training.recipe import Recipe, shelf_card
from marey.trunks.mobilenet import ScaledConv
from marey.trunks.starts import CREDITS
from marey.weights.card import Card, read_card, write_card
from marey.weights.shelf import find

OPSET = 17
TOLERANCE = 1e-3
TERMS = {
    "lsp": "Leeds Sports Pose: research, cite Johnson and Everingham 2010",
    "lspet": "Leeds Sports Pose Extended: research, cite Johnson and Everingham 2011",
    "coco": "COCO 2017: annotations CC-BY 4.0, images under Flickr's terms",
    "jhmdb": "JHMDB: research, cite Jhuang et al. 2013",
    "pennfudan": "Penn-Fudan pedestrians: free, cite Wang et al. 2007",
    "h36m": "Human3.6M: research only, by agreement (vision.imar.ro/human3.6m), cite Ionescu et al. 2014",
    "humaneva": "HumanEva-I: research only, by agreement, cite Sigal et al. 2010",
    "mpi_inf_3dhp": "MPI-INF-3DHP: research only, by agreement, cite Mehta et al. 2017",
    "mocap": "CMU motion capture: free with acknowledgement (mocap.cs.cmu.edu, NSF EIA-0196217)",
    "negatives": "INRIA Person, images without people: research, cite Dalal and Triggs 2005",
}


@dataclass(frozen=True, slots=True)
class Product:
    """What is exported: `wrap` makes the module of the file (uint8 NHWC in) from the trained one.

    A lifter has no pictures: `joints` are two of its inputs (float32), `size` is (joints, frames). Where
    pictures of other sizes go as well, in multiples of 32, `free` names the axes of outputs that follow them.
    """

    name: str
    module: nn.Module
    wrap: Callable[[nn.Module], nn.Module]
    outputs: tuple[str, ...]
    size: tuple[int, int]
    skeleton: str
    settings: Any
    free: dict[int, str] | None = None
    joints: torch.Tensor | None = None


def export(product: Product, recipe: Recipe, folder: Path) -> Path:
    """Write `NAME.onnx` and `NAME.toml`; gives the card's path.

    Raises
    ------
    WeightsError
        When the file does not compute what the module computes, to 1e-3.
    """
    module = product.wrap(rounded(product.module)).eval()
    given = _pictures(product.size, 2) if product.joints is None else product.joints
    graph = _halved(_named(_trace(module, given, product), module))
    worst = difference(graph, module, given)
    if product.free:
        worst = max(worst, difference(graph, module, _pictures(smaller(product.size), 2)))
    if not worst <= TOLERANCE:
        raise WeightsError(f"{product.name}: the exported file differs from the module by {worst:.2g}")
    folder.mkdir(parents=True, exist_ok=True)
    data = graph.SerializeToString()
    onnx_path, card_path = folder / f"{product.name}.onnx", folder / f"{product.name}.toml"
    draft = onnx_path.with_suffix(".tmp")
    draft.write_bytes(data)
    card = Card(
        name=product.name,
        method=recipe.method,
        skeleton=product.skeleton,
        input_size=product.size,
        outputs=product.outputs,
        opset=OPSET,
        parameters=sum(int(np.prod(i.dims)) for i in graph.graph.initializer),
        gmac=round(gmac(module, product.size, product.joints), 6),
        starts=_starts(recipe),
        data=_data(recipe),
        recipe=f"recipes/{recipe.name}.toml",
        recipe_print=recipe.print,
        seed=recipe.seed,
        sha256=hashlib.sha256(data).hexdigest(),
        licence="Apache-2.0",
        settings=plain(product.settings),
    )
    draft.replace(onnx_path)
    write_card(card, card_path)
    return card_path


def _starts(recipe: Recipe) -> str:
    """What the network started from, and who taught it."""
    start = CREDITS.get(recipe.start, "random weights")
    base = shelf_card(recipe.start)
    if base:
        start = f"{base.starts}; then {base.name} ({base.sha256[:12]})"
    if recipe.first:
        start = f"{_starts(recipe.first)}; then {recipe.first.name} ({recipe.first.print})"
    if recipe.teach is None:
        return start
    teacher = read_card(find(recipe.teach.network))
    return f"{start}; taught by {teacher.name} ({teacher.sha256[:12]})"


def _data(recipe: Recipe) -> tuple[dict[str, str], ...]:
    """Sets and terms: the recipe's, and those that the teacher knows and that it starts from knew."""
    own = [{"kind": s.kind, "terms": TERMS.get(s.kind, "unknown")} for s in recipe.data]
    taught = read_card(find(recipe.teach.network)).data if recipe.teach else ()
    base = shelf_card(recipe.start)
    before = base.data if base else _data(recipe.first) if recipe.first else ()
    return (*own, *(row for row in {str(row): row for row in (*before, *taught)}.values() if row not in own))


def difference(graph: onnx.ModelProto, module: nn.Module, given: torch.Tensor) -> float:
    """Largest difference between file and module over all outputs."""
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(None, {graph.graph.input[0].name: given.numpy()})
    with torch.no_grad():
        wanted = module(given)
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    return max(float(np.abs(a - b.numpy()).max()) for a, b in zip(found, wanted, strict=True))


def gmac(
    module: nn.Module, size: tuple[int, int], joints: torch.Tensor | None = None, *, charged: bool = False
) -> float:
    """Thousand million multiply-adds of the layers with weights, for one picture of `size` = (width, height).

    For a lifter: for the first of `joints`. A transposed convolution multiplies each weight once per cell
    that it reads. Many published figures charge it for every cell that it writes, `stride`² as many:
    `charged` counts so, to compare with them.
    """
    counted: list[float] = []

    def count(part: nn.Module, given: tuple[torch.Tensor, ...], made: torch.Tensor) -> None:
        cells = given[0] if isinstance(part, nn.ConvTranspose2d) and not charged else made
        places = cells[0, ..., 0] if isinstance(part, nn.Linear) else cells[0, 0]
        counted.append(float(part.weight.numel() * places.numel()))  # pyright: ignore[reportArgumentType, reportCallIssue]

    kinds = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, nn.Linear, ScaledConv)
    hooks = [part.register_forward_hook(count) for part in module.modules() if isinstance(part, kinds)]
    with torch.no_grad():
        module(_pictures(size, 1) if joints is None else joints[:1])
    for hook in hooks:
        hook.remove()
    return sum(counted) / 1e9


def smaller(size: tuple[int, int]) -> tuple[int, int]:
    """Another size that a network of any size takes: about three quarters, in multiples of 32."""
    width, height = (max(32, side * 3 // 4 // 32 * 32) for side in size)
    return width, height


def _pictures(size: tuple[int, int], count: int) -> torch.Tensor:
    return torch.randint(0, 256, (count, size[1], size[0], 3), dtype=torch.uint8)


def rounded(module: nn.Module) -> nn.Module:
    """A copy with scales folded in, weights and buffers rounded to float16, as the file stores them."""
    twin = copy.deepcopy(module).cpu().float().eval()
    for part in twin.modules():
        if isinstance(part, ScaledConv):
            part.fold()
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.copy_(parameter.half().float())
        for buffer in twin.buffers():
            if buffer.is_floating_point():
                buffer.copy_(buffer.half().float())
    return twin


def _trace(module: nn.Module, given: torch.Tensor, product: Product) -> onnx.ModelProto:
    held, name = io.BytesIO(), "rgb" if product.joints is None else "xy"
    axes = {output: {0: "n", **(product.free or {})} for output in product.outputs}
    axes[name] = {0: "n", 1: "height", 2: "width"} if product.free else {0: "n"}
    with warnings.catch_warnings():
        # The new exporter needs onnxscript and has no opset 17; what the old one misses is compared below.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module, (given,), held, input_names=[name], output_names=list(product.outputs),
            opset_version=OPSET, dynamic_axes=axes, dynamo=False,
            # engines fold norms into convolutions; folded here, weights would be rounded a second time
            training=torch.onnx.TrainingMode.PRESERVE,
        )  # fmt: skip
    return onnx.load_from_string(held.getvalue())


def _named(graph: onnx.ModelProto, module: nn.Module) -> onnx.ModelProto:
    """Write down which weights share an initialiser: the exporter stores equal ones once, under one name."""
    held = {part.name: numpy_helper.to_array(part) for part in graph.graph.initializer}
    for key, value in module.state_dict().items():
        if key in held or not value.is_floating_point():
            continue
        twins = [name for name, array in held.items() if np.array_equal(array, value.numpy())]
        if twins:
            graph.metadata_props.add(key=key, value=twins[0])
    return graph


def _halved(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Store float32 initialisers as float16 behind a Cast."""
    casts = []
    for held in graph.graph.initializer:
        if held.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(held)
        name, stored = held.name, f"{held.name}.half"
        held.CopyFrom(numpy_helper.from_array(values.astype(np.float16), stored))
        casts.append(helper.make_node("Cast", [stored], [name], to=TensorProto.FLOAT))
    for node in reversed(casts):
        graph.graph.node.insert(0, node)
    onnx.checker.check_model(graph)
    return graph
