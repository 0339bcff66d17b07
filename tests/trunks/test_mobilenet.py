"""Scaled convolutions are the folded ones they were filled from; ImageNet's see what is in a picture."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from marey.trunks import starts
from marey.trunks.mobilenet import MobileNetV2, ScaledConv


def test_filling_keeps_the_function_and_folding_too() -> None:
    torch.manual_seed(0)
    weight, bias = torch.randn(6, 4, 3, 3) * torch.logspace(-3, 2, 6)[:, None, None, None], torch.randn(6)
    convolution = ScaledConv(4, 6, 3)
    convolution.fill(weight, bias)
    x = torch.randn(2, 4, 9, 9)
    wanted = F.conv2d(x, weight, bias, padding=1)
    with torch.no_grad():
        torch.testing.assert_close(convolution(x), wanted, rtol=1e-4, atol=1e-4)
        rows = convolution.weight.flatten(1).norm(dim=1)
        torch.testing.assert_close(rows, torch.full((6,), 2.0**0.5))
        convolution.fold()
        torch.testing.assert_close(convolution(x), wanted, rtol=1e-4, atol=1e-4)


def test_stride_two_pads_right_and_below_as_tensorflow_does() -> None:
    convolution = ScaledConv(1, 1, 3, stride=2)
    convolution.fill(torch.tensor([[[[1.0, 0, 0], [0, 0, 0], [0, 0, 0]]]]), torch.zeros(1))
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    with torch.no_grad():
        np.testing.assert_allclose(convolution(x)[0, 0], [[0, 2], [8, 10]], rtol=1e-5)


def test_taps_have_their_strides_and_widths() -> None:
    maps = MobileNetV2(taps=(2, 5, 9, 12, 16))(torch.zeros(1, 3, 64, 64))
    assert [tuple(m.shape[1:]) for m in maps] == [
        (24, 16, 16), (32, 8, 8), (64, 4, 4), (96, 4, 4), (320, 2, 2),
    ]  # fmt: skip


@pytest.mark.data
def test_the_imagenet_start_fits_every_layer(shared_data: Path) -> None:
    trunk = MobileNetV2(taps=(16,))
    arrays = starts.read("mobilenet", shared_data / "teachers")
    starts.mobilenet(trunk, arrays)
    with torch.no_grad():
        (found,) = trunk(torch.zeros(1, 3, 64, 64))
    assert torch.isfinite(found).all()
    assert found.std() > 0.05
