"""MoveNet's trunk and heads, rebuilt: the same numbers as the graph they came from."""

from pathlib import Path

import numpy as np
import pytest
import torch

from marey.core.errors import WeightsError
from marey.trunks import starts
from marey.trunks.mobilenet import LIGHTNING, THUNDER, Widths
from marey.trunks.movenet import Head, MoveNetTrunk

CASES = [("movenet-lightning", LIGHTNING, 192), ("movenet-thunder", THUNDER, 256)]


@pytest.mark.data
@pytest.mark.parametrize(("name", "widths", "side"), CASES)
def test_equals_the_graph_it_was_taken_from(shared_data: Path, name: str, widths: Widths, side: int) -> None:
    runtime = pytest.importorskip("onnxruntime")
    arrays = starts.read(name, shared_data / "teachers")
    trunk, heads = MoveNetTrunk(widths), {"heat": Head(17), "regress": Head(34), "centre": Head(1)}
    starts.movenet_trunk(trunk, arrays)
    rgb = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(3)) * 255
    session = runtime.InferenceSession(str(shared_data / "teachers" / f"{name}.onnx"))
    wanted = dict(zip(heads, session.run(list(heads), {"rgb": rgb.numpy()}), strict=True))
    with torch.no_grad():
        features = trunk(rgb)
        for head, module in heads.items():
            starts.movenet_head(module, arrays, head)
            found = module(features)
            found = found if head == "regress" else torch.sigmoid(found)
            np.testing.assert_allclose(found.numpy(), wanted[head], atol=2e-4, rtol=1e-3)


def test_features_are_at_stride_four() -> None:
    trunk = MoveNetTrunk(LIGHTNING)
    assert trunk(torch.zeros(1, 3, 64, 96)).shape == (1, 24, 16, 24)


def test_an_unknown_or_absent_start_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="unknown; known are movenet-thunder"):
        starts.read("hourglass", tmp_path)
    with pytest.raises(WeightsError, match=r"movenet-lightning\.onnx.*set train\.starts|recipe"):
        starts.read("movenet-lightning", tmp_path)


def test_new_joints_are_mixtures_of_old_ones() -> None:
    arrays = {
        "kpt_heatmap_0.separable_conv2d_4.separable_conv2d.weight": np.ones((24, 1, 3, 3), np.float32),
        "kpt_heatmap_0.re_lu_4.weight": np.ones((96, 24, 1, 1), np.float32),
        "kpt_heatmap_0.re_lu_4.bias": np.zeros(96, np.float32),
        "kpt_heatmap_0.conv2d_5.weight": np.arange(17 * 96, dtype=np.float32).reshape(17, 96, 1, 1),
        "kpt_heatmap_0.conv2d_5.bias": np.arange(17, dtype=np.float32),
    }
    old, new = Head(17), Head(2)
    mix = np.zeros((2, 17))
    mix[0, 5], mix[1, [5, 6]] = 1, 0.5
    starts.movenet_head(old, arrays, "heat")
    starts.movenet_head(new, arrays, "heat", mix)
    x = torch.rand(1, 24, 4, 4, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        a, b = old(x), new(x)
    np.testing.assert_allclose(b[:, 0], a[:, 5], rtol=1e-4)
    np.testing.assert_allclose(b[:, 1], (a[:, 5] + a[:, 6]) / 2, rtol=1e-4)
