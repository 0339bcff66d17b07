"""ResNets: strides, widths, and the pre-activation start in its place."""

from pathlib import Path

import pytest
import torch

from marey.core.errors import WeightsError
from marey.trunks import starts
from marey.trunks.resnet import ResNet

FORMS = [("r18", 512, 32), ("r50", 2048, 32), ("r50v2", 1024, 16)]


@pytest.mark.parametrize(("form", "channels", "stride"), FORMS)
def test_says_its_channels_and_stride(form: str, channels: int, stride: int) -> None:
    trunk = ResNet(form).eval()
    assert (trunk.channels, trunk.stride) == (channels, stride)
    with torch.no_grad():
        assert trunk(torch.zeros(1, 3, 64, 64)).shape == (1, channels, 64 // stride, 64 // stride)


@pytest.mark.data
def test_the_imagenet_start_keeps_activations_at_their_trained_size(shared_data: Path) -> None:
    import cv2

    trunk = ResNet("r50v2").eval()
    starts.resnet(trunk, starts.read("resnet50", shared_data / "teachers"))
    picture = cv2.imread(str(shared_data / "lsp" / "images" / "im0001.jpg"))[:96, :96, ::-1].copy()
    seen: list[torch.Tensor] = []
    assert trunk.after is not None
    trunk.after.register_forward_hook(lambda part, given, made: seen.append(made))
    with torch.no_grad():
        trunk(torch.from_numpy(picture).permute(2, 0, 1)[None].float())
    gamma = trunk.after.weight.detach()
    assert 0.5 < (seen[0].std() / gamma.abs().mean()) < 2  # a wrong layer order makes it explode or vanish


def test_only_v2_has_a_start() -> None:
    with pytest.raises(WeightsError, match="begin from scratch"):
        starts.resnet(ResNet("r18"), {})
