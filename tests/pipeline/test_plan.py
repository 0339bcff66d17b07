"""What a quality stands for, and what a named network overrides."""

import pytest

from marey.pipeline.plan import PRESETS, Plan, Quality, stages
from marey.weights import find, read_card


@pytest.mark.parametrize("quality", PRESETS)
def test_people_are_cut_out_as_large_as_the_quality_says(quality: Quality) -> None:
    estimator = stages(Plan(quality=quality), None)[1]
    side = PRESETS[quality].side
    assert estimator.settings.side == side
    session = estimator.load("cpu", 1)
    assert session is not None
    assert session.inputs["rgb"] == (None, side, side, 3)


def test_a_named_network_cuts_as_it_was_trained() -> None:
    estimator = stages(Plan(quality="fast", estimate="baseline-thunder"), None)[1]
    assert estimator.settings.side == read_card(find("baseline-thunder")).settings["side"]
