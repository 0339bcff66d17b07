"""What a quality stands for, and what a named network overrides."""

import numpy as np
import pytest

from marey.core.folders import sample_clip
from marey.core.geometry import size_of
from marey.pipeline.plan import PRESETS, Plan, Quality, estimate, find, stages
from marey.video.read import read
from marey.weights import find as on_shelf
from marey.weights import read_card


@pytest.mark.parametrize("quality", PRESETS)
def test_people_are_cut_out_as_large_as_the_quality_says(quality: Quality) -> None:
    estimator = stages(Plan(quality=quality), None)[1]
    side = PRESETS[quality].side
    assert estimator.settings.side == side
    session = estimator.load("cpu", 1)
    assert session is not None
    assert session.inputs["rgb"] == (None, *size_of(side)[::-1], 3)


def test_a_named_network_cuts_as_it_was_trained() -> None:
    estimator = stages(Plan(quality="fast", estimate="baseline-thunder"), None)[1]
    assert size_of(estimator.settings.side) == read_card(on_shelf("baseline-thunder")).input_size


def test_a_side_asked_for_in_python_reaches_the_network() -> None:
    """A person on the sample clip has the same joints on a smaller crop, to a few hundredths of the box."""
    people = next(found for found in find(read(sample_clip())) if len(found))
    large, small = (next(estimate([people], side=side)) for side in (256, (160, 224)))
    size = (people.boxes_px[0, 2:] - people.boxes_px[0, :2]).max()
    apart = np.linalg.norm(large.xy_px[0] - small.xy_px[0], axis=-1) / size
    assert 0 < np.median(apart) < 0.03
