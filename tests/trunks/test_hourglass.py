"""Stacked hourglasses: shapes at every stride, and that stacks see each other."""

import pytest
import torch

from marey.trunks.hourglass import Hourglass, StackedHourglass


@pytest.mark.parametrize("stride", [4, 8, 16])
def test_maps_of_every_stack_at_the_stride(stride: int) -> None:
    net = StackedHourglass(5, stacks=2, width=16, stride=stride).eval()
    with torch.no_grad():
        assert net(torch.zeros(1, 3, 128, 64)).shape == (1, 2, 5, 128 // stride, 64 // stride)


def test_a_level_halves_and_doubles_and_the_middle_sees_everything() -> None:
    glass = Hourglass(3, 8).eval()
    x = torch.zeros(1, 8, 16, 16)
    moved = x.clone()
    moved[..., 0, 0] = 5
    with torch.no_grad():
        changed = (glass(moved) - glass(x)).abs().amax(1)[0]
    assert changed.shape == (16, 16)
    assert (changed > 0).all()  # the coarsest map is 2×2 and its 3×3 convolutions span it


def test_what_a_stack_gives_reaches_the_next() -> None:
    torch.manual_seed(0)
    net = StackedHourglass(5, stacks=2, width=16).eval()
    rgb = torch.rand(1, 3, 64, 64) * 255
    with torch.no_grad():
        before = net(rgb)
        net.lasts[0].bias += 1
        after = net(rgb)
    assert (after[:, 0] - before[:, 0]).abs().min() > 0.9
    assert (after[:, 1] - before[:, 1]).abs().max() > 1e-3
