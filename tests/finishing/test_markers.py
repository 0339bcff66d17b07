"""Places at an even rate: nothing is moved that need not be, nothing is invented where nothing is known."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifted_recordings import JOINTS, NTSC, lifted, source, wandering
from marey.core.errors import RecordingError
from marey.finishing.markers import filled, markers

LEFT = JOINTS.index("left_wrist")


@pytest.mark.parametrize("rate", [NTSC, Fraction(60000, 1001), Fraction(25), Fraction(240)])
def test_a_constant_rate_is_left_alone_whatever_the_clock_rounds(rate: Fraction):
    """Matroska counts milliseconds: every time is up to half of one off."""
    xyz = wandering(40, missing=0.2)
    time_s = np.round(np.arange(40) / float(rate), 3)
    found = markers(lifted({1: xyz}, time_s, source(rate)))
    assert (found.rate, found.resampled) == (rate, False)
    kept = [JOINTS.index(joint) for joint in found.joints]
    np.testing.assert_array_equal(found.xyz_m, xyz[:, kept].astype(np.float32))
    assert "eye" not in " ".join(found.joints)


@given(st.integers(0, 2**16))
def test_a_variable_rate_is_resampled_on_true_time(seed):
    """Whoever moves at a constant speed still does, whatever the times of the frames."""
    rng = np.random.default_rng(seed)
    time_s = np.cumsum(rng.uniform(0.01, 0.06, 50))
    start, speed = rng.normal(0, 1, (2, 22, 3))
    xyz = start + speed * time_s[:, None, None]
    found = markers(lifted({1: xyz}, time_s, source(Fraction(30), True)))
    assert found.resampled
    assert "resampled to 30 Hz" in found.notes()
    np.testing.assert_allclose(np.diff(found.time_s), 1 / 30)
    assert time_s[-1] - 1 / 30 < found.time_s[-1] <= time_s[-1] + 1e-4
    kept = [JOINTS.index(joint) for joint in found.joints]
    np.testing.assert_allclose(found.xyz_m, (start + speed * found.time_s[:, None, None])[:, kept], atol=2e-3)


def test_resampling_bridges_no_gap():
    time_s = np.array([0, 0.04, 0.08, 0.5, 0.54, 0.62])
    xyz = np.zeros((6, 22, 3))
    xyz[4, LEFT] = np.nan
    found = markers(lifted({1: xyz}, time_s, source(Fraction(25), True)))
    at = found.joints.index("left_wrist")
    # between 0.08 and 0.5 s nothing was filmed; the wrist is missing at 0.54 s, and so beside it
    np.testing.assert_allclose(found.time_s[found.known[:, 0]], [0, 0.04, 0.08, 0.52, 0.56, 0.6], atol=1e-9)
    np.testing.assert_allclose(found.time_s[found.known[:, at]], [0, 0.04, 0.08], atol=1e-9)


def test_the_rate_is_told_by_the_times_where_the_history_does_not():
    found = markers(lifted({1: wandering(20)}, np.arange(20) / 50, source(None)))
    assert found.rate == 50
    assert len(found) == 20
    with pytest.raises(RecordingError, match="one frame without a rate"):
        markers(lifted({1: wandering(1)}, np.zeros(1), source(None)))


def test_only_what_is_shown():
    xyz = wandering(10)
    xyz[:2] = xyz[7:] = xyz[4] = np.nan
    found = markers(lifted({1: xyz}, np.arange(10) / 25, source(Fraction(25))))
    assert (len(found), found.start_s) == (5, 0.08)
    assert found.known.all(1).tolist() == [True, True, False, True, True]
    assert found.notes() == "20.0% of places missing, the longest 0.04 s (nose from 0.16 s)"


def test_filling_keeps_what_is_known_and_goes_with_the_body():
    """A hand lost for good stays beside the hips of one who walks on; between two sights it goes straight."""
    xyz = np.zeros((11, 22, 3))
    xyz[..., 0] += np.arange(11)[:, None]
    xyz[4:7, LEFT] = np.nan
    found = markers(lifted({1: xyz}, np.arange(11) / 10, source(Fraction(10))))
    np.testing.assert_allclose(filled(found).xyz_m[..., 0], np.arange(11)[:, None] + np.zeros(22))
    xyz[4:, LEFT] = np.nan
    found = markers(lifted({1: xyz}, np.arange(11) / 10, source(Fraction(10))))
    np.testing.assert_allclose(filled(found).xyz_m[..., 0], np.arange(11)[:, None] + np.zeros(22))


@given(st.integers(0, 2**16))
def test_filling_leaves_nothing_out_and_changes_nothing(seed):
    found = markers(lifted({1: wandering(15, seed, 0.4)}, np.arange(15) / 25, source(Fraction(25))))
    full = filled(found)
    assert full.known.all()
    np.testing.assert_array_equal(full.xyz_m[found.known], found.xyz_m[found.known])


def test_several_people_or_none_are_refused():
    recording = lifted({1: wandering(3), 2: wandering(3)}, np.arange(3) / 25)
    for wrong in (recording, recording.only([]), recording.only([1]).with_rows(recording.rows)):
        with pytest.raises(RecordingError, match="one person's, lifted"):
            markers(wrong)
    hidden = lifted({1: wandering(3)}, np.arange(3) / 25)
    hidden.space.xyz_m[:], hidden.space.more_m[:] = np.nan, np.nan
    with pytest.raises(RecordingError, match="never placed"):
        markers(hidden)
