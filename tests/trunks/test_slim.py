import pytest

torch = pytest.importorskip("torch")

from marey.trunks.mobilenet import Inverted  # noqa: E402
from marey.trunks.slim import slim  # noqa: E402


def block(hidden, seed):
    torch.manual_seed(seed)
    return Inverted(8, 6, hidden, 1).eval()


def test_channels_that_do_nothing_go_first():
    old, new, x = block(24, 0), block(16, 1), torch.randn(4, 8, 14, 14)
    with torch.no_grad():
        old.project.weight[:, 16:] = 0
    assert slim(old, new, x) < 1e-3
    with torch.no_grad():
        torch.testing.assert_close(new(x), old(x), atol=2e-3, rtol=1e-3)


def test_copies_of_a_channel_are_merged():
    old, new, x = block(24, 0), block(12, 1), torch.randn(4, 8, 14, 14)
    with torch.no_grad():
        for layer in (old.expand, old.depthwise):
            layer.weight[12:] = layer.weight[:12]
    assert slim(old, new, x) < 0.01


def test_the_fewer_channels_the_more_is_lost():
    old, x = block(24, 0), torch.randn(4, 8, 14, 14)
    errors = [slim(old, block(count, 1), x) for count in (23, 18, 10)]
    assert errors == sorted(errors)
    assert 0 < errors[0] < errors[-1] < 1
