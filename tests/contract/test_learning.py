"""Every estimator that can be trained learns: a few frames of the drawn walker, by heart, within seconds.

A method that is not known here needs settings small enough in `SMALL`.
"""

import dataclasses
import importlib
from functools import cache
from itertools import islice

import numpy as np
import pytest

from marey.core.folders import sample_clip
from marey.core.geometry import joints_box
from marey.core.nouns import People, no_looks
from marey.estimation.crops import person_crops
from marey.methods import METHODS, baseline, clnet
from marey.video.read import read

torch = pytest.importorskip("torch")

SMALL = {
    "baseline": {
        baseline.Baseline("hourglass", 64, width=32, sigma=1.0): 120,
        baseline.Baseline("r18", 64, head="points"): 120,
    },
    "clnet": {
        clnet.CLNet("hourglass", 64, stride=8, width=32, offsets="wide", vote=True): 120,
        clnet.CLNet("r18", 64, stride=16, width=32): 60,
    },
}
"""Settings, and steps that are enough."""

CASES = [(m, s, n) for m in METHODS if "estimate" in m.kinds for s, n in SMALL[m.name].items()]
FRAMES, RATE = 4, 5e-3


@cache
def walker() -> tuple[list[People], np.ndarray]:
    """Some frames with their person, and joints (T, 19, 2) in pixels."""
    truth = np.load(sample_clip().with_suffix(".npz"))["xy_px"].astype(np.float32)
    people = []
    for frame in islice(read(sample_clip()), 0, 10 * FRAMES, 10):
        box = joints_box(truth[frame.index][None])
        people.append(People(frame, box, np.ones(1, np.float32), np.ones(1, np.int64), no_looks(1)))
    return people, truth[: 10 * FRAMES : 10]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "settings", "steps"), CASES, ids=[f"{m.name}-{k}" for k, (m, _, _) in enumerate(CASES)]
)
def test_a_drawn_clip_is_learnt_by_heart(method, settings, steps) -> None:
    people, truth = walker()
    crops = [person_crops(p.boxes_px, settings.side, settings.padding)[0] for p in people]
    xy = torch.from_numpy(np.stack([c.to_crop(t) for c, t in zip(crops, truth, strict=True)]))
    rgb = np.stack([c.cut(p.frame.rgb) for c, p in zip(crops, people, strict=True)])
    pixels = torch.from_numpy(rgb).permute(0, 3, 1, 2).float()
    batch = {"xy": xy, "weight": torch.ones(xy.shape[:2]), "absent": torch.zeros(xy.shape[:2])}

    torch.manual_seed(0)
    twin = importlib.import_module(f"marey.networks.{method.name}")
    net = twin.build(settings)
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps)
    for _ in range(steps):
        twin.loss(net(pixels), batch, settings)["loss"].backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()

    exported = twin.Exported(net.eval())

    def network(inputs):
        with torch.no_grad():
            made = exported(torch.from_numpy(inputs["rgb"].copy()))
        made = made if isinstance(made, tuple) else (made,)
        return {name: value.numpy() for name, value in zip(exported.outputs, made, strict=True)}

    settings = dataclasses.replace(settings, batch=4)
    found = np.stack([poses.xy_px[0] for poses in method.stage(iter(people), settings, network)])
    scale = np.array([crop.scale.mean() for crop in crops])
    off = np.linalg.norm(found - truth, axis=-1) * scale[:, None]
    assert off.mean() < 2.0, f"{off.mean():.2f} px of {settings.side}"
