"""What every method of kind `lift` promises, asked of each in METHODS, with its own network untrained."""

import importlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.optim import Adam

from marey import weights
from marey.core.stages import Arrays, Network
from marey.lifting.windows import H36M, MIRRORED, STEP_S, Track
from marey.methods import METHODS
from marey.methods import method as by_name
from marey.training.export import Product, export, rounded
from marey.training.recipe import Recipe

LIFTS = [method for method in METHODS if "lift" in method.kinds]
lifts = pytest.mark.parametrize("method", LIFTS, ids=lambda method: method.name)
SMALL = {"liftbase": {"kind": "learned", "frames": 9, "width": 16}}


def small(method, **changes):
    chosen = {"width": 16, **SMALL.get(method.name, {}), **changes}
    return replace(method.settings(), **chosen)


def net_of(method, settings):
    torch.manual_seed(0)
    twin = importlib.import_module(f"marey.networks.{method.name}")
    net = twin.build(settings)
    with torch.no_grad():  # statistics of random data instead of 0 and 1, so that nothing is the identity
        for _ in range(3):
            net.train()(torch.randn(64, settings.frames, 17, 3))
        for parameter in net.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return net.eval()


def network_of(net) -> Network:
    def run(inputs: Arrays) -> Arrays:
        with torch.no_grad():
            return {"xyz": net(torch.from_numpy(inputs["xy"]))["xyz"].numpy()}

    return run


def track(seed: int = 0, count: int = 20) -> Track:
    """A person of sorts who drifts through the picture, seen 25 times a second."""
    rng = np.random.default_rng(seed)
    body = rng.normal((0.2, -0.1), 0.1, (17, 2))
    body[[0, 8]] = [[0.2, 0.0], [0.2, -0.2]]
    walk = np.cumsum(rng.normal(0, 0.01, (count, 17, 2)), 0)
    return Track(np.arange(count) / 25, body + walk + np.linspace(0, 0.1, count)[:, None, None])


@lifts
def test_a_mirrored_picture_gives_the_mirrored_person(method):
    """With flip averaging exactly, whatever the weights; without it not."""
    seen = track()
    mirrored = Track(seen.time_s, seen.rays[:, MIRRORED] * [-1, 1])
    network = network_of(net_of(method, small(method)))
    for flip in (True, False):
        settings = small(method, flip=flip)
        one, other = method.stage(iter([seen, mirrored]), settings, network)
        off = np.abs(one[:, MIRRORED] * [-1, 1, 1] - other).max()
        assert off < 1e-5 if flip else off > 1e-3


@lifts
def test_missing_joints_stay_missing_and_only_they(method):
    seen = track()
    rays = seen.rays.copy()
    rays[5:9, 3] = np.nan
    rays[:, 16] = np.nan
    rays[12] = np.nan
    settings = small(method)
    (out,) = method.stage(iter([Track(seen.time_s, rays)]), settings, network_of(net_of(method, settings)))
    np.testing.assert_array_equal(np.isnan(out).any(-1), np.isnan(rays).any(-1))
    np.testing.assert_array_equal(np.isnan(out).all(-1), np.isnan(rays).any(-1))


@lifts
def test_nobody_gives_nothing_and_no_track_no_answer(method):
    settings = small(method)
    network = network_of(net_of(method, settings))
    absent = Track(np.arange(3) / 25, np.full((3, 17, 2), np.nan))
    (out,) = method.stage(iter([absent]), settings, network)
    assert np.isnan(out).all()
    assert list(method.stage(iter([]), settings, network)) == []
    (one,) = method.stage(iter([track(count=1)]), settings, network)
    assert one.shape == (1, 17, 3)
    assert np.isfinite(one).all()


@lifts
def test_a_window_does_not_depend_on_its_batch(method):
    network = network_of(net_of(method, small(method)))
    (whole,) = method.stage(iter([track()]), small(method, batch=256), network)
    (parts,) = method.stage(iter([track()]), small(method, batch=3), network)
    np.testing.assert_allclose(whole, parts, atol=2e-6)
    settings = small(method)
    reach = (settings.frames // 2) * STEP_S
    late = track()
    kept = late.time_s <= 0.4 + 1e-9
    (cut,) = method.stage(iter([Track(late.time_s[kept], late.rays[kept])]), settings, network)
    sure = late.time_s[kept] <= 0.4 - reach
    np.testing.assert_allclose(cut[sure], whole[kept][sure], atol=2e-6)


@lifts
def test_the_root_is_the_origin(method):
    settings = small(method)
    (out,) = method.stage(iter([track()]), settings, network_of(net_of(method, settings)))
    np.testing.assert_allclose(out[:, H36M.index("root")], 0, atol=1e-9)


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        *((by_name("dgnet"), {"affinity": kind}) for kind in ("static", "both")),
        *(
            (by_name("liftbase"), {"kind": k, "frames": n})
            for k, n in (("mlp", 1), ("temporal", 9), ("learned", 9))
        ),
    ],
)
def test_the_file_computes_what_the_module_does(method, changes, tmp_path):
    """Through the engine that users have, for a batch of another size than it was traced with."""
    settings = small(method, **changes)
    twin = importlib.import_module(f"marey.networks.{method.name}")
    net = net_of(method, settings)
    product = Product(
        "small", net, twin.Exported, twin.Exported.outputs, (17, settings.frames), "h36m17", settings,
        joints=twin.example(settings),
    )  # fmt: skip
    card = export(product, Recipe(method.name, (), name="small"), tmp_path)
    given = torch.randn(5, settings.frames, 17, 3)
    with torch.no_grad():
        wanted = rounded(net)(given)
    found = weights.load(str(card), "cpu")({"xy": given.numpy()})
    assert set(found) == set(twin.Exported.outputs)
    for name, values in found.items():
        np.testing.assert_allclose(values, wanted[name].numpy(), atol=1e-3, err_msg=name)


@lifts
def test_32_windows_are_learnt_by_heart(method):
    settings = small(method, width=32, dropout=0.0)
    twin = importlib.import_module(f"marey.networks.{method.name}")
    torch.manual_seed(0)
    net = twin.build(settings)
    rng = torch.Generator().manual_seed(1)
    given = torch.randn(32, settings.frames, 17, 3, generator=rng)
    batch = {"xyz": 0.3 * torch.randn(32, 17, 3, generator=rng)}
    before = float(twin.loss(net(given), batch, settings)["loss"].detach())
    optimizer = Adam(net.parameters(), 1e-2)
    for _ in range(100):
        loss = twin.loss(net(given), batch, settings)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.3 * before
