"""HOTA, IDF1 and CLEAR MOT on tracks drawn by hand, and what must not change them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marey.core.errors import DataError
from marey.metrics import tracking
from marey.people.assign import assign
from metrics import scenes


def frame(truths: list[int], found: list[int], alike: list | None = None) -> tracking.Frame:
    """Ids, and similarity 1 where they are equal unless given."""
    same = np.equal.outer(np.array(truths, int), np.array(found, int)).astype(float)
    alike = same if alike is None else np.array(alike, float).reshape(len(truths), len(found))
    return tracking.Frame(np.array(truths, int), np.array(found, int), alike)


def scored(frames: list[tracking.Frame]) -> dict[str, float]:
    return tracking.scores(tracking.count(frames, assign))


def test_perfect():
    held = scored([frame([1, 2], [1, 2])] * 5)
    assert all(held[k] == pytest.approx(1) for k in ("HOTA", "DetA", "AssA", "LocA", "MOTA", "MOTP", "IDF1"))
    assert held["switches"] == held["fragments"] == held["mostly_lost"] == 0
    assert held["mostly_tracked"] == 2


def test_a_track_cut_in_two():
    """Half of the true track for each id: AssA = ½, one switch in four frames, half of the ids right."""
    held = scored([frame([1], [8], [1])] * 2 + [frame([1], [9], [1])] * 2)
    assert held["DetA"] == pytest.approx(1)
    assert held["AssA"] == pytest.approx(0.5)
    assert held["HOTA"] == pytest.approx(np.sqrt(0.5))
    assert held["MOTA"] == pytest.approx(0.75)
    assert held["IDF1"] == pytest.approx(0.5)
    assert held["switches"] == 1


def test_a_loose_fit_counts_below_its_similarity():
    """Similarity 0.625 reaches 12 of HOTA's 19 thresholds."""
    held = scored([frame([1], [1], [0.625])] * 3)
    assert held["HOTA"] == pytest.approx(12 / 19)
    assert held["MOTP"] == pytest.approx(0.625)
    assert scored([frame([1], [1], [0.49])] * 3)["MOTA"] == -1


def test_a_pair_goes_on_though_another_is_nearer():
    before = frame([1, 2], [1, 2])
    held = scored([before, frame([1, 2], [1, 2], [0.6, 0.9, 0.9, 0.6])])
    assert held["switches"] == 0
    assert held["MOTP"] == pytest.approx((1 + 1 + 0.6 + 0.6) / 4)


def test_ghosts_and_misses():
    held = scored([frame([1], [1, 9]), frame([1], []), frame([], [9]), frame([1], [1])])
    assert held["MOTA"] == pytest.approx(1 - (1 + 2) / 3)
    assert held["DetRe"] == pytest.approx(2 / 3)
    assert held["DetPr"] == pytest.approx(2 / 4)
    assert held["IDF1"] == pytest.approx(2 * 2 / (3 + 4))
    assert held["fragments"] == 0  # a frame without predictions does not end a pair: TrackEval's way


def test_mostly_is_more_than_four_fifths_or_less_than_one():
    held = scored([frame([1, 2, 3, 4], [1, 2])] + [frame([1, 2, 3, 4], [1, 3])] * 4 + [frame([1], [1])] * 4)
    # Seen on 9 of 9, 1 of 5, 4 of 5 and 0 of 5 frames.
    assert held["mostly_tracked"] == 1
    assert held["mostly_lost"] == 1


def test_one_side_empty():
    nothing = scored([frame([1, 2], [])] * 2)
    assert nothing["HOTA"] == nothing["MOTA"] == nothing["IDF1"] == 0
    assert nothing["mostly_lost"] == 2
    ghosts = scored([frame([], [1])] * 2)
    assert np.isnan(ghosts["MOTA"])
    assert ghosts["HOTA"] == 0
    assert np.isnan(scored([])["HOTA"])


def test_sequences_add_up():
    long, short = [frame([1], [1])] * 9, [frame([1], [])]
    counts = [tracking.count(frames, assign) for frames in (long, short)]
    assert tracking.scores(tracking.combine(counts))["MOTA"] == pytest.approx(0.9)
    with pytest.raises(DataError, match="no sequence"):
        tracking.combine([])


@given(st.integers(0, 2**31))
def test_names_of_ids_do_not_matter(seed: int):
    rng = np.random.default_rng(seed)
    frames = scenes.crossing(rng, frames=8, people=3)
    names = rng.permutation(2000)
    others = [tracking.Frame(names[f.truths], names[f.found], f.similarity) for f in frames]
    assert scored(others) == pytest.approx(scored(frames), nan_ok=True)


@given(st.integers(0, 2**31))
def test_order_of_people_in_a_frame_does_not_matter(seed: int):
    frames = scenes.crossing(np.random.default_rng(seed), frames=8, people=3)
    others = [tracking.Frame(f.truths[::-1], f.found[::-1], f.similarity[::-1, ::-1]) for f in frames]
    assert scored(others) == pytest.approx(scored(frames), nan_ok=True)


def test_broken_frames_are_refused():
    with pytest.raises(DataError, match="predicted id is there twice"):
        tracking.count([frame([1], [2, 2])], assign)
    with pytest.raises(DataError, match=r"outside \[0, 1\]"):
        tracking.count([frame([1], [2], [np.nan])], assign)
