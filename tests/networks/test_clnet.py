"""The trainable twin: the codec's targets, losses that mind masks and not the grid, published sizes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from marey.core.errors import SettingsError
from marey.core.geometry import Side, size_of
from marey.methods.baseline import Baseline
from marey.methods.clnet import CLNet, codec
from marey.networks import baseline
from marey.networks import clnet as twin
from marey.training.export import Product, export, gmac, rounded
from marey.training.recipe import Recipe

SMALL = CLNet("mobilenet", 64)
LOSSES = ("binary", "mse", "cross-entropy", "focal")


def joints(count: int, side: Side) -> np.ndarray:
    shares = np.random.default_rng(2).uniform(-0.2, 1.2, (count, 19, 2))
    return (shares * size_of(side)).astype(np.float32)


def batch(settings: CLNet, count: int = 2) -> dict[str, torch.Tensor]:
    ones = torch.ones(count, 19)
    return {
        "xy": torch.from_numpy(joints(count, settings.side)),
        "weight": ones,
        "absent": torch.zeros_like(ones),
    }


def outputs(settings: CLNet, count: int = 2, stacks: int = 1) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    columns, rows = codec(settings).cells
    return {
        "heat": torch.randn(count, stacks, 19, rows, columns, generator=generator, requires_grad=True),
        "offset": torch.rand(count, stacks, 19, 2, rows, columns, generator=generator, requires_grad=True),
        "nowhere": torch.zeros(count, 19, requires_grad=True),
    }


def best(settings: CLNet, given: dict[str, torch.Tensor], sure: float = 12.0) -> dict[str, torch.Tensor]:
    """Outputs that say the truth; logits ± `sure`."""
    target = twin.render(given["xy"], settings)
    return {
        "heat": (2 * target["heat"] - 1)[:, None] * sure,
        "offset": target["offset"][:, None],
        "nowhere": (2 * target["nowhere"] - 1) * sure,
    }


@pytest.mark.parametrize("sigma", [0.0, 0.7])
@pytest.mark.parametrize("offsets", ["cell", "wide", "none"])
@pytest.mark.parametrize(("stride", "side"), [(8, 128), (32, 128), (16, (96, 128))])
def test_targets_on_the_device_equal_the_codec(stride: int, side: Side, offsets: str, sigma: float) -> None:
    settings = CLNet(side=side, stride=stride, offsets=offsets, sigma=sigma)
    xy, (width, height) = joints(6, side), size_of(side)
    xy[0, :4] = [[32, 64], [0, 0], [width, 5], [width - 0.01, height - 0.01]]
    wanted = codec(settings).encode(xy, np.ones(xy.shape[:2], bool))
    for name, values in twin.render(torch.from_numpy(xy), settings).items():
        np.testing.assert_allclose(values.numpy(), wanted[name], atol=1e-5, err_msg=name)


@pytest.mark.parametrize("kind", LOSSES)
def test_masked_joints_have_no_say(kind: str) -> None:
    settings = replace(SMALL, loss=kind)
    given, made = batch(settings), outputs(settings)
    given["weight"][:, 3] = 0
    first = twin.loss(made, given, settings)["loss"]
    first.backward()
    for name in ("heat", "offset"):
        assert made[name].grad[:, :, 3].abs().max() == 0
        assert made[name].grad.abs().max() > 0
    moved = {**given, "xy": given["xy"].clone()}
    moved["xy"][:, 3] += 17
    assert torch.equal(first, twin.loss(made, moved, settings)["loss"])


@pytest.mark.parametrize(("offsets", "most"), [("cell", 1), ("wide", 9), ("none", 0)])
def test_offsets_learn_only_where_they_are_read(offsets: str, most: int) -> None:
    settings = replace(SMALL, offsets=offsets)
    given, made = batch(settings), outputs(settings)
    twin.loss(made, given, settings)["loss"].backward()
    learnt = (made["offset"].grad[:, 0].abs().sum(2) > 0).sum((2, 3))
    inside = ((given["xy"] >= 0) & (given["xy"] < 64)).all(-1)
    assert (learnt[~inside] == 0).all()
    assert (learnt[inside] <= most).all()
    assert (learnt[inside] > 0).all() == (most > 0)


@pytest.mark.parametrize("kind", LOSSES)
def test_the_loss_is_least_at_the_truth(kind: str) -> None:
    settings = replace(SMALL, loss=kind)
    given = batch(settings)
    truth = best(settings, given)
    least = twin.loss(truth, given, settings)["loss"]
    assert least < 1e-3
    for other in (
        outputs(settings),
        {**truth, "heat": truth["heat"].roll(1, 4)},
        {**truth, "offset": truth["offset"] + 0.2},
    ):
        assert twin.loss(other, given, settings)["loss"] > least + 1e-3


@pytest.mark.parametrize("kind", LOSSES)
def test_the_grid_does_not_change_the_loss(kind: str) -> None:
    """All cells right but the joint's, an offset wrong by one share of a cell: the same at any stride."""
    values = []
    for stride in (32, 16):
        settings = CLNet(side=128, stride=stride, loss=kind)
        xy = torch.full((1, 19, 2), 70.0)
        given = {"xy": xy, "weight": torch.ones(1, 19), "absent": torch.zeros(1, 19)}
        truth = best(settings, given, 40.0)
        own = twin.render(xy, settings)["near"][:, None] == 1
        wrong = torch.where(own, torch.tensor(1.1), truth["heat"])
        if kind == "cross-entropy":  # a softmax: the joint's probability, not its logit, has to be equal
            wrong = torch.where(own, torch.tensor(-39.0), truth["heat"])
        made = {**truth, "heat": wrong, "offset": truth["offset"] + 0.07}
        parts = twin.loss(made, given, settings)
        values.append([float(parts["offset"])] + [float(parts["heat"])] * (kind != "cross-entropy"))
    np.testing.assert_allclose(values[0], values[1], rtol=1e-4)


def test_the_precursors_weights_come_out_on_seven_cells() -> None:
    """Its 1000, 100 and 100 times means over all maps (losses.py), computed here apart."""
    settings = CLNet(side=224, stride=32, offsets="cell", loss="focal", pull=100 / 49, knee=1.0)
    xy = torch.from_numpy(np.random.default_rng(4).uniform(1, 223, (2, 19, 2)).astype(np.float32))
    given = {"xy": xy, "weight": torch.ones(2, 19), "absent": torch.zeros(2, 19)}
    made = outputs(settings)
    target = twin.render(xy, settings)
    heat, wanted = torch.sigmoid(made["heat"][:, 0]), target["heat"]
    missed = (wanted.sum() - (wanted * heat).sum()) / wanted.sum()
    raised = (heat * (1 - wanted)).sum() / (1 - wanted).sum()
    focal = 0.9 * missed**2 * ((heat * wanted - wanted) ** 2).mean()
    focal = focal + 0.1 * raised**2 * ((heat * (1 - wanted)) ** 2).mean()
    near = [
        torch.nn.functional.smooth_l1_loss(made["offset"][:, 0, :, k] * wanted, target["offset"][:, :, k])
        for k in (0, 1)
    ]
    expected = 1000 * focal + 100 * near[0] + 100 * near[1]
    torch.testing.assert_close(twin.loss(made, given, settings)["loss"], expected)


@pytest.mark.parametrize("kind", LOSSES)
def test_nothing_labelled_is_no_nan(kind: str) -> None:
    settings = replace(SMALL, loss=kind)
    given = {**batch(settings), "weight": torch.zeros(2, 19)}
    made = outputs(settings)
    value = twin.loss(made, given, settings)["loss"]
    value.backward()
    assert value == 0
    assert torch.isfinite(made["heat"].grad).all()


@pytest.mark.parametrize("kind", LOSSES)
def test_absent_joints_are_taught_to_be_nowhere(kind: str) -> None:
    settings = replace(SMALL, loss=kind)
    given, made = batch(settings), outputs(settings)
    given["weight"][:, 7], given["absent"][:, 7] = 0, 1
    twin.loss(made, given, settings)["loss"].backward()
    assert (made["heat"].grad[:, 0, 7].sum((1, 2)) > 0).all()
    assert made["offset"].grad[:, 0, 7].abs().max() == 0


def test_every_stack_learns() -> None:
    settings = CLNet("hourglass", 64, stride=8, width=16, stacks=2)
    net = twin.build(settings)
    made = net(torch.rand(2, 3, 64, 64) * 255)
    assert made["heat"].shape == (2, 2, 19, 8, 8)
    made["heat"].retain_grad()
    twin.loss(made, batch(settings), settings)["loss"].backward()
    assert (made["heat"].grad.abs().amax((0, 2, 3, 4)) > 0).all()


BUILDS = [
    CLNet("mobilenet", 64),
    CLNet("mobilenet", 64, stride=8, offsets="wide", neck=True, width=32),
    CLNet("mobilenet", 64, stride=32, split=False, loss="cross-entropy"),
    CLNet("movenet-lightning", 64, stride=16, skeleton="coco17"),
    CLNet("r18", 64, stride=32, width=32),
    CLNet("hourglass", 64, stride=4, width=16, stacks=2),
]


@pytest.mark.parametrize("settings", BUILDS, ids=lambda s: f"{s.backbone}-{s.stride}")
def test_networks_give_probabilities_and_offsets_that_decode(settings: CLNet) -> None:
    net = twin.build(settings).eval()
    rgb = torch.randint(0, 255, (2, 64, 64, 3), dtype=torch.uint8)
    with torch.no_grad():
        heat, offset = twin.Exported(net)(rgb)
    cells = 64 // settings.stride
    count = len(twin.SKELETONS[settings.skeleton])
    assert heat.shape == (2, count, cells, cells)
    assert offset.shape == (2, count, 2, cells, cells)
    xy, scores = codec(settings).decode({"heat": heat.numpy(), "offset": offset.numpy()})
    assert np.isfinite(xy).all()
    assert ((scores >= 0) & (scores <= 1)).all()


def test_a_new_network_starts_at_the_prior_of_one_cell() -> None:
    with torch.no_grad():
        made = twin.build(CLNet("mobilenet", 128)).eval()(torch.rand(1, 3, 128, 128) * 255)
    assert torch.sigmoid(made["heat"]).sum((3, 4)).mean() == pytest.approx(1, abs=0.35)
    assert made["offset"].mean() == pytest.approx(0.5, abs=0.1)


def test_what_a_trunk_cannot_give_is_refused() -> None:
    with pytest.raises(SettingsError, match="r50v2 ends at stride 16"):
        twin.build(CLNet("r50v2", stride=32))
    with pytest.raises(SettingsError, match="neck: an hourglass has none"):
        twin.build(replace(BUILDS[-1], neck=True))
    with pytest.raises(SettingsError, match="start: hourglass has none"):
        twin.start(twin.build(BUILDS[-1]), BUILDS[-1], {})


R50 = CLNet("r50", 256, "coco17", stride=32)
SIZES = [  # design/methods/clnet.md §1 and §2b, computed there from the layouts; width and height of the crop
    (Baseline("r50", 256, "coco17"), (192, 256), 34.00, 5.43, 9.65),
    (replace(R50, neck=True), (192, 256), 29.31, 4.28, 4.28),
    (R50, (192, 256), 25.63, 4.11, 4.11),
    (replace(R50, stride=16), (192, 256), 32.19, 4.46, 5.67),
    (replace(R50, stride=16, neck=True), (192, 256), 36.78, 5.34, 6.55),
    (Baseline("hourglass", 256, "coco17", stacks=2), (256, 256), 6.57, 8.34, 8.34),
    (Baseline("hourglass", 256, "coco17", stacks=8), (256, 256), 25.43, 27.4, 27.4),
    (CLNet("hourglass", 256, "coco17", stride=4, stacks=8), (256, 256), 25.56, 27.9, 27.9),
    (CLNet("hourglass", 256, "coco17", stride=8, stacks=2), (256, 256), 5.52, 4.01, 4.01),
    (CLNet("hourglass", 256, "coco17", stride=8, stacks=8), (256, 256), 20.6, 8.87, 8.87),
]


@pytest.mark.parametrize(("settings", "size", "parameters", "exact", "charged"), SIZES)
def test_sizes_are_the_published_ones(settings, size, parameters, exact, charged) -> None:
    """Without arithmetic: tensors on the meta device have shapes only."""
    part = twin if isinstance(settings, CLNet) else baseline
    with torch.device("meta"):
        net = part.build(settings).eval()
        assert sum(p.numel() for p in net.parameters()) / 1e6 == pytest.approx(parameters, rel=2e-3)
        assert gmac(part.Exported(net), size) == pytest.approx(exact, rel=5e-3)
        assert gmac(part.Exported(net), size, charged=True) == pytest.approx(charged, rel=5e-3)


def test_the_file_of_a_trunk_with_norms_is_the_module(tmp_path: Path) -> None:
    """A norm folded into a convolution before it is stored has its weights rounded a second time."""
    settings = CLNet("hourglass", 64, stride=8, width=32)
    torch.manual_seed(5)
    net = twin.build(settings)
    with torch.no_grad():
        net(torch.rand(8, 3, 64, 64) * 255)  # norms count something
    size, outputs = (64, 64), ("heat", "offset")
    product = Product("small", net.eval(), twin.Exported, outputs, size, "marey19", settings)
    card = export(product, Recipe("clnet", (), name="small"), tmp_path)
    rgb = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype(np.uint8)
    engine = onnxruntime.InferenceSession(str(card.with_suffix(".onnx")), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        wanted = twin.Exported(rounded(net))(torch.from_numpy(rgb))
    for found, own in zip(engine.run(list(outputs), {"rgb": rgb}), wanted, strict=True):
        np.testing.assert_allclose(found, own.numpy(), atol=1e-5)
