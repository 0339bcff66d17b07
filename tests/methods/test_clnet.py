"""The stage: joints land where the network says; the flip test; settings that do not fit are refused."""

from dataclasses import replace

import numpy as np
import pytest

from marey.core.errors import SettingsError
from marey.core.geometry import size_of
from marey.core.nouns import Frame, People, no_looks
from marey.core.skeletons import MAREY19, mirrored
from marey.core.stages import Arrays
from marey.methods.clnet import METHOD, PRESETS, CLNet, codec, read, stage

SETTINGS = CLNet(side=64, stride=8, padding=1.0, batch=4)


def seer(xy: np.ndarray, settings: CLNet = SETTINGS):
    """A network that sees joints at xy (B, J, 2), mirrored ones where the picture is brighter on the left."""

    def run(inputs: Arrays) -> Arrays:
        flipped = inputs["rgb"][:, :, 0, 0] > inputs["rgb"][:, :, -1, 0]
        seen = np.where(
            flipped[:, :1, None].any(1, keepdims=True),
            (np.stack([size_of(settings.side)[0] - xy[..., 0], xy[..., 1]], -1))[:, list(mirrored(MAREY19))],
            xy,
        )
        return codec(settings).encode(seen.astype(np.float32), np.ones(xy.shape[:2], bool))

    return run


def ramp(count: int, width: int = 64) -> np.ndarray:
    """Crops that are brighter on the right, so that a network can tell them from their mirror images."""
    return np.broadcast_to(
        np.arange(width, dtype=np.uint8)[None, None, :, None], (count, 64, width, 3)
    ).copy()


XY = np.random.default_rng(0).uniform(1, 63, (3, 19, 2)).astype(np.float32)


@pytest.mark.parametrize("width", [64, 48])
@pytest.mark.parametrize("offsets", ["cell", "wide"])
@pytest.mark.parametrize("by", ["maps", "points"])
def test_the_flip_test_of_a_fair_network_changes_nothing(by: str, offsets: str, width: int) -> None:
    settings = replace(SETTINGS, side=(width, 64), flip_by=by, offsets=offsets, vote=offsets == "wide")
    xy = XY * np.array([width / 64, 1], np.float32)
    network = seer(xy, settings)
    plain, scores = read(ramp(3, width), settings, network)
    flipped, flipped_scores = read(ramp(3, width), replace(settings, flip=True), network)
    np.testing.assert_allclose(plain, xy, atol=1e-3)
    np.testing.assert_allclose(flipped, plain, atol=1e-3)
    np.testing.assert_allclose(flipped_scores, scores, atol=1e-6)


def test_averaged_maps_choose_one_cell_where_averaged_points_fall_between() -> None:
    """Views that disagree: one is sure of a cell on the left, the other a little less of one on the right."""
    left, right = (np.full((1, 19, 2), place, np.float32) for place in (10.0, 50.0))
    first, other = seer(left), seer(right)

    def torn(inputs: Arrays) -> Arrays:
        mirror_image = inputs["rgb"][0, 0, 0, 0] > inputs["rgb"][0, 0, -1, 0]
        made = other(inputs) if mirror_image else first(inputs)
        return {"heat": made["heat"] * (0.8 if mirror_image else 1.0), "offset": made["offset"]}

    maps, scores = read(ramp(1), replace(SETTINGS, flip=True), torn)
    assert np.abs(maps - left).max() < 4  # the cell is the surer view's, the offset there the mean of both
    np.testing.assert_allclose(scores, 0.5, atol=1e-6)
    points, _ = read(ramp(1), replace(SETTINGS, flip=True, flip_by="points"), torn)
    np.testing.assert_allclose(points[..., 0], 30, atol=1e-3)


def test_joints_land_on_the_picture() -> None:
    rgb = np.zeros((100, 100, 3), np.uint8)
    box = np.array([[20, 10, 84, 74]], np.float32)
    item = People(Frame(0, 0.0, rgb), box, np.ones(1, np.float32), np.zeros(1, np.int64), no_looks(1))
    (poses,) = stage(iter([item]), SETTINGS, seer(XY[:1]))
    np.testing.assert_allclose(poses.xy_px, XY[:1] + np.float32([20, 10]), atol=1e-3)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (CLNet(side=136, stride=16), "side 136: no multiple of stride 16"),
        (CLNet(offsets="cell", vote=True), "not learnt beside the joint"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: CLNet, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        codec(settings)


def test_presets_fit_and_look_at_no_future() -> None:
    for settings in PRESETS.values():
        assert codec(settings).cells[0] * settings.stride == settings.side
        assert METHOD.ahead(settings) == 0
