import numpy as np
import pytest

from marey.core.errors import WeightsError
from marey.weights import read_card
from marey.weights.trial import trial


def test_a_trial_times_the_network_on_what_it_really_runs_on(network):
    path = network()
    done = trial(str(path), "cpu")
    assert done.card == read_card(path)
    assert done.provider == "OpenVINO CPU f32"
    assert 0 < done.milliseconds < 1000


def test_outputs_that_are_not_finite_are_an_error(network):
    with pytest.raises(WeightsError, match="the output `heat` is not finite"):
        trial(str(network(scale=np.inf)), "cpu")
