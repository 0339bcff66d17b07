"""Weights that others trained and ours start from; each is credited on the card of what came of it.

Files: `movenet-thunder.onnx`, `movenet-lightning.onnx` (Apache-2.0, Google), `mobilenet_v2_imagenet.npz`
(Apache-2.0, TensorFlow through Coral), `resnet50v2_stages1to3.npz` (Apache-2.0, GluonCV), `yolox_nano.onnx`
(Apache-2.0, Megvii). They are read from a folder that the recipe names and are never shipped.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from marey.core.errors import WeightsError
from marey.trunks.mobilenet import MobileNetV2, ScaledConv
from marey.trunks.movenet import Head, MoveNetTrunk
from marey.trunks.resnet import ResNet

CREDITS = {
    "movenet-thunder": "MoveNet SinglePose Thunder (Google, Apache-2.0)",
    "movenet-lightning": "MoveNet SinglePose Lightning (Google, Apache-2.0)",
    "mobilenet": "MobileNetV2 1.0 ImageNet (TensorFlow, via Coral test data, Apache-2.0)",
    "resnet50": "ResNet-50 v2 ImageNet, stem and stages 1-3 (GluonCV, Apache-2.0)",
    "yolox-nano": "YOLOX-nano (Megvii, Apache-2.0)",
}
_FILES = {
    "movenet-thunder": "movenet-thunder.onnx",
    "movenet-lightning": "movenet-lightning.onnx",
    "mobilenet": "mobilenet_v2_imagenet.npz",
    "resnet50": "resnet50v2_stages1to3.npz",
    "yolox-nano": "yolox_nano.onnx",
}
_PYRAMID_NAMES = (
    ("separable_conv2d", "re_lu"),
    ("separable_conv2d_1", "re_lu_1"),
    ("separable_conv2d_2", "re_lu_2"),
)
_HEADS = {
    "heat": ("kpt_heatmap_0", 4, 5),
    "regress": ("kpt_regress_0", 5, 6),
    "centre": ("center_0", 3, 4),
    "offset": ("kpt_offset_0", 6, 7),
}

Arrays = dict[str, np.ndarray]


def read(name: str, folder: Path) -> Arrays:
    """The arrays of a start by layer name, float32.

    Raises
    ------
    WeightsError
        When the name is unknown or its file is not in `folder`.
    """
    if name not in _FILES:
        raise WeightsError(f"start {name!r} is unknown; known are {', '.join(_FILES)}")
    path = folder / _FILES[name]
    if not path.is_file():
        raise WeightsError(
            f"{path}: the start {name!r} is not there; set train.starts to the folder that has it"
        )
    if path.suffix == ".npz":
        with np.load(path) as file:
            return {key: file[key].astype(np.float32) for key in file.files}
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    return {i.name: numpy_helper.to_array(i).astype(np.float32) for i in graph.initializer}


def movenet_trunk(trunk: MoveNetTrunk, arrays: Arrays) -> None:
    """Fill a MoveNet trunk of the same width, as far as its pyramid goes."""
    _movenet_body(trunk.body, arrays)
    fill(trunk.out, arrays, "trunk.out")
    fill(trunk.pyramid.top, arrays, "conv2d")
    for k, (separable, pointwise) in enumerate(_PYRAMID_NAMES[: len(trunk.pyramid.laterals)]):
        fill(trunk.pyramid.laterals[k], arrays, f"conv2d_{k + 1}")
        fill(trunk.pyramid.depthwise[k], arrays, f"{separable}.separable_conv2d")
        fill(trunk.pyramid.pointwise[k], arrays, pointwise)


def _movenet_body(body: MobileNetV2, arrays: Arrays) -> None:
    fill(body.stem, arrays, "trunk.Conv1")
    for number, block in enumerate(body.blocks):
        place = f"trunk.block_{number}" if number else "trunk.expanded_conv"
        if number:
            fill(block.expand, arrays, f"{place}_expand")
        fill(block.depthwise, arrays, f"{place}_depthwise")
        fill(block.project, arrays, f"{place}_project")


def movenet_head(head: Head, arrays: Arrays, name: str, rows: np.ndarray | None = None) -> None:
    """Fill one of MoveNet's heads: heat, regress, centre or offset.

    `rows` (new outputs, old outputs) makes outputs as linear mixtures of MoveNet's; None keeps them.
    """
    place, separable, last = _HEADS[name]
    fill(head.depthwise, arrays, f"{place}.separable_conv2d_{separable}.separable_conv2d")
    fill(head.pointwise, arrays, f"{place}.re_lu_{separable}")
    weight, bias = arrays[f"{place}.conv2d_{last}.weight"], arrays[f"{place}.conv2d_{last}.bias"]
    if rows is not None:
        weight, bias = np.einsum("ok,kihw->oihw", rows, weight), rows @ bias
    head.last.fill(torch.from_numpy(weight.astype(np.float32)), torch.from_numpy(bias.astype(np.float32)))


def mobilenet(trunk: MobileNetV2, arrays: Arrays) -> None:
    """Fill a MobileNetV2 from ImageNet's file, or from MoveNet's (same layers, other names)."""
    if "trunk.Conv1.weight" in arrays:
        _movenet_body(trunk, arrays)
        return
    convolutions = [m for m in trunk.modules() if isinstance(m, ScaledConv)]
    for number, convolution in enumerate(convolutions):
        fill(convolution, arrays, f"{number:02d}")


def resnet(trunk: ResNet, arrays: Arrays) -> None:
    """Fill the pre-activation ResNet-50; the norm after stage 3 is the first of the stage left out."""
    if trunk.first is None or trunk.after is None:
        raise WeightsError("only the trunk r50v2 has an ImageNet start; the other ResNets begin from scratch")
    _norm(trunk.first, arrays, "batchnorm0")
    _copy(trunk.stem.weight, arrays["conv0_weight"])
    _norm(trunk.stem_norm, arrays, "batchnorm1")
    for number, stage in enumerate(trunk.stages, start=1):
        convolution = norm = 0
        for block in stage.children():
            shorts = [block.short] if block.short is not None else []
            for module in [*block.convs, *shorts]:
                _copy(module.weight, arrays[f"stage{number}_conv{convolution}_weight"])
                convolution += 1
            for module in block.norms:
                _norm(module, arrays, f"stage{number}_batchnorm{norm}")
                norm += 1
    _norm(trunk.after, arrays, "stage4_batchnorm0")


def yolox(convolutions: Sequence[ScaledConv], arrays: Arrays) -> None:
    """Fill YOLOX-nano's convolutions but the last ones, given in the order in which they run.

    Its file numbers them in that order, each bias after its weight. The first one is made of `Focus`: its 12
    input channels are the four pixels (rows 2y, 2y + 1 fastest, then columns) of BGR.
    """
    numbers = sorted(int(name) for name, held in arrays.items() if name.isdigit() and held.ndim == 4)
    if len(numbers) != len(convolutions):
        raise WeightsError(f"the start has {len(numbers)} convolutions, the network {len(convolutions)}")
    for number, convolution in zip(numbers, convolutions, strict=True):
        weight = arrays[str(number)]
        if number == numbers[0]:
            weight = _unfocused(weight)
        convolution.fill(torch.from_numpy(weight), torch.from_numpy(arrays[str(number + 1)]))


def _unfocused(weight: np.ndarray) -> np.ndarray:
    """A 3×3 over (2 columns, 2 rows, BGR) in channels as a 6×6 over RGB."""
    outputs = len(weight)
    split = weight.reshape(outputs, 2, 2, 3, 3, 3)[:, :, :, ::-1]  # output, column, row, colour, y, x
    return np.ascontiguousarray(split.transpose(0, 3, 4, 2, 5, 1).reshape(outputs, 3, 6, 6))


def fill(module: nn.Module, arrays: Arrays, place: str) -> None:
    """Fill one convolution from `place.weight` and `place.bias`."""
    if not isinstance(module, ScaledConv):
        raise WeightsError(f"{place}: a start fills convolutions, not {type(module).__name__}")
    weight = torch.from_numpy(arrays[f"{place}.weight"])
    if weight.shape != module.weight.shape:
        raise WeightsError(
            f"{place}: the start has shape {tuple(weight.shape)}, the network {tuple(module.weight.shape)}"
        )
    bias: Tensor | None = torch.from_numpy(arrays[f"{place}.bias"]) if module.bias is not None else None
    module.fill(weight, bias)


def _norm(module: nn.Module, arrays: Arrays, place: str) -> None:
    """Fill a batch norm; the one of the picture has neither gamma nor beta."""
    for own, name in (("weight", "gamma"), ("bias", "beta"), ("running_mean",) * 2, ("running_var",) * 2):
        if f"{place}_{name}" in arrays:
            _copy(getattr(module, own), arrays[f"{place}_{name}"])


@torch.no_grad()
def _copy(target: Tensor, source: np.ndarray) -> None:
    if target.shape != source.shape:
        raise WeightsError(f"the start has shape {source.shape} where the network has {tuple(target.shape)}")
    target.copy_(torch.from_numpy(source))
