"""The trainable twin: one target with the codec, losses that mind masks, a start that decodes as MoveNet."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from marey.core.errors import SettingsError
from marey.core.geometry import Side, size_of
from marey.methods.baseline import PRESETS, SKELETONS, Baseline, codec
from marey.networks import baseline as twin

SMALL = Baseline("movenet-lightning", 64, sigma=1.5)


def joints(count: int, side: Side) -> np.ndarray:
    shares = np.random.default_rng(2).uniform(-0.2, 1.2, (count, 19, 2))
    return (shares * size_of(side)).astype(np.float32)


@pytest.mark.parametrize("settings", [SMALL, Baseline(side=128, sigma=2.0), replace(SMALL, side=(64, 96))])
def test_targets_on_the_device_equal_the_codec(settings: Baseline) -> None:
    xy = joints(6, settings.side)
    wanted = codec(settings).encode(xy, np.ones(xy.shape[:2], bool))
    heat, nowhere = twin.render(torch.from_numpy(xy), settings)
    np.testing.assert_allclose(heat.numpy(), wanted["heat"], atol=1e-5)
    np.testing.assert_array_equal(nowhere.numpy(), wanted["nowhere"])


def batch(settings: Baseline, count: int = 2) -> dict[str, torch.Tensor]:
    xy = torch.from_numpy(joints(count, settings.side))
    ones = torch.ones(xy.shape[:2])
    return {"xy": xy, "weight": ones, "absent": torch.zeros_like(ones)}


def outputs(settings: Baseline, count: int = 2) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    columns, rows = (pixels // 4 for pixels in size_of(settings.side))
    return {
        "logits": torch.randn(count, 19, rows, columns, generator=generator, requires_grad=True),
        "nowhere": torch.zeros(count, 19, requires_grad=True),
        "anchor": torch.zeros(count, 19, 2, requires_grad=True),
    }


@pytest.mark.parametrize("kind", ["cross-entropy", "mse"])
def test_masked_joints_have_no_say(kind: str) -> None:
    settings = replace(SMALL, loss=kind)
    given, made = batch(settings), outputs(settings)
    given["weight"][:, 3] = 0
    first = twin.loss(made, given, settings)["loss"]
    first.backward()
    assert made["logits"].grad is not None
    assert made["logits"].grad[:, 3].abs().max() == 0
    assert made["logits"].grad[:, 4].abs().max() > 0
    moved = {**given, "xy": given["xy"].clone()}
    moved["xy"][:, 3] += 17
    assert torch.equal(first, twin.loss(made, moved, settings)["loss"])


def test_the_loss_is_least_at_the_truth() -> None:
    given = batch(SMALL)
    heat, nowhere = twin.render(given["xy"], SMALL)
    shares = torch.cat([heat.flatten(2), nowhere[..., None]], 2).clamp_min(1e-12).log()
    anchor = given["xy"] / 4 - 0.5
    best = {"logits": shares[..., :-1].reshape(heat.shape), "nowhere": shares[..., -1], "anchor": anchor}
    least = twin.loss(best, given, SMALL)["loss"]
    for other in (
        outputs(SMALL),
        {**best, "logits": best["logits"].roll(1, 3)},
        {**best, "anchor": anchor + 1},
    ):
        assert twin.loss(other, given, SMALL)["loss"] > least


@pytest.mark.parametrize("side", [128, (96, 64), (64, 96)])
def test_the_loss_follows_the_size_of_the_crops(side: Side) -> None:
    larger = replace(SMALL, side=side)
    given, made = batch(larger), outputs(larger)
    assert twin.loss(made, given, SMALL)["loss"] == twin.loss(made, given, larger)["loss"]


def test_absent_joints_are_taught_to_be_nowhere() -> None:
    given, made = batch(SMALL), outputs(SMALL)
    given["weight"][:, 7], given["absent"][:, 7] = 0, 1
    twin.loss(made, given, SMALL)["loss"].backward()
    assert made["nowhere"].grad is not None
    assert (made["nowhere"].grad[:, 7] < 0).all()


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_taught_loss_is_least_where_the_teacher_is_and_labels_keep_their_share(share: float) -> None:
    torch.manual_seed(0)
    settings = Baseline("mobilenet", 64)
    teacher = torch.softmax(torch.randn(2, 19, 16 * 16 + 1), 2)
    batch = {
        "xy": torch.rand(2, 19, 2) * 64,
        "weight": torch.ones(2, 19),
        "absent": torch.zeros(2, 19),
        "taught": teacher[..., :-1].reshape(2, 19, 16, 16),
        "teaching": torch.full((2,), share),
    }
    heat, nowhere = twin.render(batch["xy"], settings)
    label = torch.cat([heat.flatten(2), nowhere[..., None]], 2)
    logits = ((1 - share) * label + share * teacher).clamp_min(1e-12).log().requires_grad_()
    outputs = {"logits": logits[..., :-1].reshape(2, 19, 16, 16), "nowhere": logits[..., -1]}
    found = twin.loss(outputs, batch, settings)["loss"]
    found.backward()
    assert logits.grad is not None
    assert logits.grad.abs().max() < 1e-6


@pytest.mark.parametrize("preset", ["small", "lightning", "r18"])
def test_networks_give_maps_at_stride_four(preset: str) -> None:
    settings = replace(PRESETS[preset], side=64)
    net = twin.build(settings).eval()
    with torch.no_grad():
        made = net(torch.zeros(2, 3, 64, 64))
        heat = twin.Exported(net)(torch.zeros(2, 64, 64, 3, dtype=torch.uint8))
    assert made["logits"].shape == (2, 19, 16, 16)
    assert made["nowhere"].shape == (2, 19)
    assert heat.shape == (2, 19, 16, 16)
    assert (heat.sum((2, 3)) <= 1 + 1e-5).all()


def test_a_wide_way_begins_as_nothing_and_learns() -> None:
    torch.manual_seed(1)
    narrow, wide = twin.build(SMALL).eval(), twin.build(replace(SMALL, wide=8)).eval()
    wide.load_state_dict(narrow.state_dict(), strict=False)
    rgb = torch.rand(1, 3, 64, 64) * 255
    assert torch.equal(wide(rgb)["logits"], narrow(rgb)["logits"])
    twin.loss(wide(rgb), batch(SMALL, 1), SMALL)["loss"].backward()
    assert wide.wide.last.weight.grad.abs().max() > 0


def test_a_wide_way_puts_what_it_sees_where_it_is() -> None:
    torch.manual_seed(1)
    net = twin.WideHeads((5, 4, 3), 8, 2)
    torch.nn.init.normal_(net.last.weight)
    maps = [
        torch.zeros(1, channels, 2**k, 2 ** (k + 1)) for k, channels in zip((1, 2, 3), (5, 4, 3), strict=True)
    ]
    before = net(maps)
    maps[2][0, :, 5, 11] = 9.0  # row 5, column 11 at stride 8: rows 10, 11 and columns 22, 23 at stride 4
    changed = (net(maps) - before).abs().amax((0, 1)) > 1e-6
    rows, columns = (set(torch.nonzero(changed)[:, k].tolist()) for k in (0, 1))
    assert rows == set(range(8, 14))  # and what lies within its 3×3
    assert columns == set(range(20, 26))


def test_only_movenet_can_be_widened() -> None:
    with pytest.raises(SettingsError, match="wide"):
        twin.build(Baseline("r18", 64, wide=8))


def test_the_file_gives_the_losss_probabilities() -> None:
    net = twin.build(SMALL).eval()
    rgb = torch.randint(0, 255, (1, 64, 64, 3), dtype=torch.uint8)
    with torch.no_grad():
        shares = twin.log_share(net(rgb.permute(0, 3, 1, 2).float()))[0].exp()
        torch.testing.assert_close(twin.Exported(net)(rgb), shares, atol=1e-6, rtol=1e-4)


def test_new_joints_lie_on_the_line_of_old_ones() -> None:
    rows = twin.mixture(SKELETONS["marey19"].joints)
    np.testing.assert_array_equal(rows[:17], np.eye(17))
    np.testing.assert_allclose(rows.sum(1), 1)  # so that places regressed to are mixed as places


def test_maps_do_not_move_the_regression() -> None:
    net = twin.build(SMALL)
    made = net(torch.rand(1, 3, 64, 64) * 255)
    made["logits"].square().sum().backward()
    assert all(p.grad is None for p in net.heads.get_submodule("regress").parameters())
