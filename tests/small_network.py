"""A network small enough to make in a test: one convolution of the picture, and its largest value."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from marey.weights import Card, write_card


def make_network(folder: Path, name: str = "tiny", scale: float = 0.01, **changes: object) -> Path:
    """Write `name.onnx` and its card; returns the card's path."""
    onnx = pytest.importorskip("onnx")
    helper, kinds = onnx.helper, onnx.TensorProto
    weight = (np.arange(1, 28).reshape(1, 3, 3, 3) * scale).astype(np.float16)
    nodes = [
        helper.make_node("Cast", ["rgb"], ["real"], to=kinds.FLOAT),
        helper.make_node("Transpose", ["real"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["weight16"], ["weight"], to=kinds.FLOAT),
        helper.make_node("Conv", ["planes", "weight"], ["heat"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("ReduceMax", ["heat"], ["most"], axes=[1, 2, 3], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("rgb", kinds.UINT8, ["N", 16, 12, 3])],
        [
            helper.make_tensor_value_info("heat", kinds.FLOAT, ["N", 1, 16, 12]),
            helper.make_tensor_value_info("most", kinds.FLOAT, ["N"]),
        ],
        [onnx.numpy_helper.from_array(weight, "weight16")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.onnx"
    onnx.save(model, path)
    values = {
        "name": name,
        "method": "baseline",
        "skeleton": "coco17",
        "input_size": (12, 16),
        "outputs": ("heat", "most"),
        "opset": 17,
        "parameters": 27,
        "gmac": 5e-6,
        "starts": "none",
        "data": ({"kind": "drawn", "terms": "Apache-2.0"},),
        "recipe": "none",
        "recipe_print": "0" * 12,
        "seed": 0,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "licence": "Apache-2.0",
    }
    write_card(Card(**{**values, **changes}), path.with_suffix(".toml"))
    return path.with_suffix(".toml")


@pytest.fixture
def network(tmp_path, monkeypatch):
    """Makes small networks in a folder, with a cache folder of the test's own."""
    monkeypatch.setenv("MAREY_CACHE", str(tmp_path / "cache"))

    def make(name: str = "tiny", folder: Path = tmp_path / "made", **changes: object) -> Path:
        return make_network(folder, name, **changes)

    return make
