"""DG-Net's layers: what the design says of affinities, symmetry, time and size."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch

from marey.core.settings import parse
from marey.lifting.windows import H36M, MIRRORED
from marey.methods.dgnet import Affinity, DGNet
from marey.methods.liftbase import LiftBase
from marey.networks import dgnet, liftbase
from marey.trunks.graph import (
    DILATIONS,
    Attention,
    Block,
    Distance,
    Fixed,
    Movement,
    adjacency,
    drawn,
    joints_loss,
    nearest_softmax,
)

BONES = adjacency(H36M)
SMALL = DGNet(width=16)
KEPT = [k for k in range(17) if k not in (9, 10)]


def features(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def parameters(net: torch.nn.Module) -> int:
    return sum(part.numel() for part in net.parameters())


def test_the_table_of_the_design() -> None:
    """495,627 parameters at T = 9, 128 channels, two inputs: the table of layers by hand, and names."""
    block = 53_377 + 256 + 69_761 + 256
    table = 384 + 256 + 4 * block + 387
    assert table == 495_627
    assert parameters(dgnet.build(DGNet(width=128, confidence=False))) == table + 17 * 128
    without = {kind: parameters(dgnet.build(DGNet(affinity=kind))) for kind in ("static", "both")}
    assert without["both"] - without["static"] == 4 * (2 * 64 * 16 + 2)


def test_the_baselines_are_as_large_as_published() -> None:
    """Martinez 4.29 M; VideoPose3D 4.36, 8.56 and 16.95 M at 9, 27 and 243 frames (from their papers)."""
    plain = LiftBase(confidence=False, width=1024)
    sizes = [replace(plain, kind="mlp", frames=1), *(replace(plain, frames=n) for n in (9, 27, 243))]
    found = [round(parameters(liftbase.build(one)) / 1e6, 2) for one in sizes]
    assert found == pytest.approx([4.29, 4.36, 8.56, 16.95], abs=0.011)


@pytest.mark.parametrize("frames", DILATIONS)
@pytest.mark.parametrize("affinity", get_args(Affinity))
def test_every_window_ends_in_one_frame(frames: int, affinity: str) -> None:
    settings = parse(DGNet, {"frames": frames, "affinity": affinity, "width": 16})
    made = dgnet.build(settings).eval()(features(2, frames, 17, 3))
    assert made["xyz"].shape == (2, 17, 3)
    assert made["spatial"].shape == made["temporal"].shape == (2, 4, 17, 17)
    for name in ("spatial", "temporal"):
        torch.testing.assert_close(made[name].sum(-1), torch.ones(2, 4, 17), atol=1e-6, rtol=0)


def test_rows_of_nearness_hold_the_nearest_and_most_of_all_oneself() -> None:
    graph = Distance(16, 6)(features(3, 9, 17, 16))
    assert ((graph > 0).sum(-1) == 6).all()
    assert (graph >= 0).all()
    assert (graph.diagonal(dim1=-2, dim2=-1) >= graph.amax(-1)).all()
    z = Distance(16, 17)
    same = z(features(1, 1, 1, 16).expand(1, 2, 17, 16))
    torch.testing.assert_close(same, torch.full_like(same, 1 / 17))


def test_nearness_is_the_formulas() -> None:
    module = Distance(8, 17)
    x = features(1, 1, 17, 8)
    z = module.embed(x)[0, 0]
    wanted = torch.softmax(-torch.exp(module.sharpness) * torch.cdist(z, z).square() / 2, -1)
    torch.testing.assert_close(module(x)[0, 0], wanted, atol=1e-5, rtol=1e-4)


def movement(alike: int = 17, floor: float = 1e-6) -> Movement:
    module = Movement(16, alike, BONES).eval()
    module.floor.fill_(floor)
    return module


def test_neighbours_may_be_drawn_instead_of_near() -> None:
    """Oneself and K − 1 others, the same for every input; training still finds how sharp to be."""
    torch.manual_seed(0)
    among = drawn(17, 6)
    assert (among.sum(1) == 6).all()
    assert (among.diagonal() == 1).all()
    assert (among != drawn(17, 6)).any()
    module = Distance(16, 6, among)
    rows = module(features(3, 9, 17, 16))
    assert ((rows > 0) == (among > 0)).all()
    torch.testing.assert_close(rows.sum(-1), torch.ones(3, 9, 17))
    (rows * features(3, 9, 17, 17)).sum().backward()
    assert all(torch.isfinite(part.grad).all() for part in module.parameters())
    assert module.sharpness.grad != 0
    net = dgnet.build(DGNet(width=16, affinity="dynamic-spatial", neighbours="drawn"))
    assert sum(name.endswith("among") for name in net.state_dict()) == 4  # they travel with the weights


def test_attention_is_the_formula() -> None:
    module = Attention(16)
    x = features(2, 3, 17, 16)
    asks, tells = (x @ part.weight.T for part in (module.asks, module.tells))
    scores = torch.einsum("ntic,ntjc->ntij", asks, tells) / 2  # √4
    wanted = scores.exp() / scores.exp().sum(-1, keepdim=True)
    torch.testing.assert_close(module(x), wanted, atol=1e-6, rtol=1e-5)
    assert (module(x) - module(x).transpose(-1, -2)).abs().max() > 0.01  # not mutual


def test_likeness_of_movement_forgets_where_which_way_and_how_fast() -> None:
    x = features(2, 9, 17, 16)
    module = movement(6)
    graph = module(x)
    torch.testing.assert_close(module(x + features(2, 1, 17, 16, seed=1)), graph, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(module(x.flip(1)), graph, atol=1e-5, rtol=1e-4)
    faster = x.clone()
    faster[:, :, 4] *= 3
    torch.testing.assert_close(module(faster), graph, atol=1e-4, rtol=1e-3)


def test_relative_movements_forget_where_all_go_together() -> None:
    x, all_alike = features(2, 9, 17, 16), features(2, 9, 1, 16, seed=1)
    for relative in (True, False):
        module = Movement(16, 6, BONES, relative=relative).eval()
        module.floor.fill_(1e-6)
        off = (module(x + all_alike) - module(x)).abs().max()
        assert off < 1e-4 if relative else off > 1e-2


def test_who_moves_alike_listens_alike_and_who_moves_against_is_not_heard() -> None:
    x = features(1, 9, 17, 16)
    x[:, :, 5] = x[:, :, 9]
    x[:, :, 2] = -x[:, :, 9]
    graph = movement(6)(x)[0, 0]
    torch.testing.assert_close(graph[5], graph[9], atol=1e-6, rtol=0)
    assert graph[9, 2] < 1e-6


def test_who_does_not_move_has_the_skeletons_graph() -> None:
    still = features(1, 1, 17, 16).expand(1, 9, 17, 16).clone().requires_grad_()
    graph = movement(3)(still)
    torch.testing.assert_close(graph[0, 0], BONES, atol=1e-6, rtol=0)
    (graph * features(17, 17)).sum().backward()
    assert torch.isfinite(still.grad).all()
    together = features(1, 9, 1, 16).expand(1, 9, 17, 16)
    torch.testing.assert_close(movement()(together)[0, 0], torch.full((17, 17), 1 / 17), atol=1e-4, rtol=0)


def test_the_floor_follows_the_slow_joints_while_training() -> None:
    module = Movement(16, 6, BONES)
    x = features(8, 9, 17, 16)
    module.train()(x)
    z = module.embed(x)
    size = (z[:, 1:] - z[:, :-1]).transpose(1, 2).flatten(2).norm(dim=-1)
    assert float(module.floor) == pytest.approx(float(torch.quantile(size, 0.05).detach()), rel=1e-4)
    before = module.floor.clone()
    module.eval()(10 * x)
    assert torch.equal(module.floor, before)


def block(spatial: torch.nn.Module, temporal: torch.nn.Module, dilation: int = 1) -> Block:
    torch.manual_seed(0)
    return Block(16, spatial, temporal, BONES, dilation, 0.0).eval()


def test_without_the_skeleton_joints_are_interchangeable_and_with_it_not() -> None:
    """Dynamic layers are equivariant; the static branch is what tells a hip from a wrist."""
    net = block(Distance(16, 6), movement(6))
    x, order = features(2, 9, 17, 16), torch.randperm(17, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        assert (net(x)[0][:, :, order] - net(x[:, :, order])[0]).abs().max() > 1e-2
        relabelled = BONES[order][:, order]
        before = net(x)[0][:, :, order]
        net.bones.copy_(relabelled)
        net.temporal.skeleton.copy_(relabelled)
        torch.testing.assert_close(net(x[:, :, order])[0], before, atol=2e-5, rtol=1e-4)
        net.limbs.weight.zero_()
        net.temporal.skeleton.fill_(1 / 17)
        torch.testing.assert_close(net(x)[0][:, :, order], net(x[:, :, order])[0], atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("affinity", ["static", "both"])
def test_names_tell_left_from_right_where_the_skeleton_does_not(affinity: str) -> None:
    """The skeleton is its own mirror image: without names a back is a front with the labels exchanged."""
    net = dgnet.build(parse(DGNet, {"affinity": affinity, "width": 16})).eval()
    x = features(2, 9, 17, 3)
    with torch.no_grad():
        exchanged = net(x[:, :, MIRRORED])["xyz"][:, MIRRORED]
        assert (exchanged - net(x)["xyz"]).abs().max() > 1e-3
        net.names.copy_(net.names[MIRRORED] + net.names)  # alike on both sides
        exchanged = net(x[:, :, MIRRORED])["xyz"][:, MIRRORED]
        torch.testing.assert_close(exchanged, net(x)["xyz"], atol=1e-5, rtol=0)


def test_the_static_twin_is_a_graph_convolution_and_one_over_time() -> None:
    """Against the plain formulas, with the normalisation at its start (none in evaluation mode)."""
    net = block(Fixed(BONES), Fixed(torch.eye(17)), dilation=2)
    x = features(2, 9, 17, 16)
    with torch.no_grad():
        w0, w1, w2 = (part.weight for part in (net.own, net.along, net.limbs))
        spread = torch.einsum("ij,ntjc->ntic", BONES, x)
        one = x @ w0.T + net.own.bias + spread @ (w1 + w2).T
        y = x + torch.relu(one / np.sqrt(1 + 1e-5))
        h = y + y @ net.mix.weight.T
        stacked = torch.stack([h[:, 0:5], h[:, 2:7], h[:, 4:9]], 3)
        kernel = net.frames.weight.reshape(16, 3, 16)
        after = torch.einsum("ntjkc,dkc->ntjd", stacked, kernel) + net.frames.bias
        wanted = y[:, 2:7] + torch.relu(after / np.sqrt(1 + 1e-5))
        torch.testing.assert_close(net(x)[0], wanted, atol=1e-5, rtol=1e-4)


def test_sliding_a_net_over_a_clip_is_not_the_same_as_windows() -> None:
    """The graph of movements hangs on the whole window: convolving densely would use another graph."""
    net = dgnet.build(SMALL).eval()
    for part in net.modules():
        if isinstance(part, Movement):
            part.floor.fill_(0.01)
    clip = features(1, 10, 17, 3)
    with torch.no_grad():
        windows = torch.cat([clip[:, :9], clip[:, 1:]])
        x = net.first(net.embed(clip) + net.names)
        for one in net.blocks:
            x = one(x)[0]
        dense = net.head(x)[0]
        assert dense.shape == (2, 17, 3)
        assert (dense - net(windows)["xyz"]).abs().max() > 1e-4


def test_ties_are_kept_together() -> None:
    scores = torch.tensor([[3.0, 1.0, 1.0, 0.0]])
    assert (nearest_softmax(scores, 2) > 0).tolist() == [[True, True, True, False]]
    keep = torch.tensor([[0.0, 0.0, 0.0, 1.0]])
    assert (nearest_softmax(scores, 2, keep) > 0).tolist() == [[True, False, False, True]]


def test_the_loss_is_the_mean_distance() -> None:
    given = {"xyz": torch.zeros(2, 17, 3)}
    made = {"xyz": torch.zeros(2, 17, 3)}
    made["xyz"][0, 3] = torch.tensor([3.0, 4.0, 0.0])
    assert float(dgnet.loss(made, given, SMALL)["loss"]) == pytest.approx(5 / 34)


def test_the_loss_of_bones_is_their_lengths_relative_error() -> None:
    truth = features(3, 17, 3)
    truth[:, 0] = 0
    longer = joints_loss(1.1 * truth, truth, H36M.parents, 0.5)
    assert float(longer["bones"]) == pytest.approx(0.1, rel=1e-3)
    assert float(longer["P1"]) == pytest.approx(0.1 * float(truth.norm(dim=-1).mean()), rel=1e-4)
    assert float(longer["loss"]) == pytest.approx(float(longer["P1"]) + 0.5 * 0.1, rel=1e-3)
    turned = truth[..., [1, 2, 0]]  # other places, the same bones
    assert float(joints_loss(turned, truth, H36M.parents, 1.0)["bones"]) == pytest.approx(0, abs=1e-5)
    nothing = torch.zeros(3, 17, 3, requires_grad=True)
    joints_loss(nothing, truth, H36M.parents, 1.0)["bones"].backward()
    assert torch.isfinite(nothing.grad).all()


def test_unlabelled_joints_count_in_no_loss() -> None:
    """NaN in the truth: the loss is that over the other joints and bones, and nothing pulls at the joint."""
    truth, given = features(4, 17, 3), features(4, 17, 3, seed=1).requires_grad_()
    gone = truth.clone()
    gone[:, [9, 10]] = float("nan")  # neck_base and head: a chain's end
    loss = joints_loss(given, gone, H36M.parents, 0.7)
    loss["loss"].backward()
    made, wanted = {name: value.detach() for name, value in loss.items()}, given.detach()
    assert float(made["P1"]) == pytest.approx(float((wanted - truth).norm(dim=-1)[:, KEPT].mean()), rel=1e-6)
    left = [-1, *H36M.parents[1:9], *(p - 2 if p > 10 else p for p in H36M.parents[11:])]
    for name, value in joints_loss(wanted[:, KEPT], truth[:, KEPT], left, 0.7).items():
        assert float(made[name]) == pytest.approx(float(value), rel=1e-6)
    assert torch.isfinite(given.grad).all()
    assert (given.grad[:, [9, 10]] == 0).all()
    assert float(joints_loss(wanted, torch.full_like(truth, float("nan")), H36M.parents, 1.0)["loss"]) == 0
