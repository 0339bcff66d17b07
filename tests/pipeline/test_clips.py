"""Clips cover every frame once, and people keep their ids across them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from marey.core.history import History
from marey.core.recording import Recording
from marey.core.rows import Rows, blank, concat
from marey.pipeline.clips import Clip, cut, join

JOINTS = 19


@st.composite
def times(draw) -> np.ndarray:
    """Ascending presentation times with pauses, as variable-rate video has them."""
    steps = draw(st.lists(st.sampled_from([1 / 60, 1 / 30, 0.1, 1.0, 7.0]), min_size=0, max_size=60))
    return np.concatenate([[0.0], np.cumsum(steps)])


@given(times(), st.sampled_from([0.5, 2.0, 60.0]), st.sampled_from([0.0, 0.3, 1.0]), st.data())
def test_cores_cover_the_range_once_and_halos_stay_inside(t, clip_s, halo_s, data) -> None:
    low = data.draw(st.integers(0, len(t) - 1))
    high = data.draw(st.integers(low + 1, len(t)))
    clips = cut(t, range(low, high), clip_s, halo_s)
    assert [k for clip in clips for k in range(clip.first, clip.last)] == list(range(low, high))
    assert [clip.number for clip in clips] == list(range(len(clips)))
    for clip in clips:
        assert low <= clip.start <= clip.first < clip.last <= clip.stop <= high
        assert clip.start == low or t[clip.start - 1] < t[clip.first] - halo_s
        assert clip.stop == high or t[clip.stop] > t[clip.last - 1] + halo_s


def test_clips_are_alike_in_length_and_near_what_was_asked() -> None:
    t = np.arange(0, 250, 1 / 25)
    lengths = [t[c.last - 1] - t[c.first] for c in cut(t, range(len(t)), 60.0, 1.0)]
    assert len(lengths) == 4
    assert max(lengths) - min(lengths) < 0.1


def _rows(person: int, frames: range, x: float, speed: float = 3.0) -> Rows:
    """Somebody 40 px wide who walks to the right."""
    frame = np.arange(frames.start, frames.stop)
    rows = blank(frame, frame / 25, JOINTS, person)
    left = x + speed * frame
    rows.boxes_px[:] = np.stack([left, 0 * left, left + 40, 0 * left + 100], -1)
    rows.box_scores[:] = 1
    return rows


def _part(clip: Clip, *people: Rows) -> Recording:
    frame = np.arange(clip.start, clip.stop)
    return Recording.of(concat(people, JOINTS), frame, frame / 25, History())


def test_people_keep_their_ids_whatever_each_clip_called_them() -> None:
    clips = cut(np.arange(300) / 25, range(300), 4.0, 0.4)
    assert len(clips) == 3
    truth = {1: 0.0, 2: 200.0, 3: 420.0}
    called = [{1: 1, 2: 2, 3: 3}, {1: 3, 2: 1, 3: 2}, {1: 2, 2: 3, 3: 1}]
    parts = [
        _part(clip, *(_rows(names[p], range(clip.start, clip.stop), x) for p, x in truth.items()))
        for clip, names in zip(clips, called, strict=True)
    ]
    joined = join(clips, parts)
    assert joined.frame.tolist() == list(range(300))
    assert set(joined.ids) == {1, 2, 3}
    for rows in joined.tracks().values():
        assert len(rows) == 300
        np.testing.assert_allclose(np.diff(rows.boxes_px[:, 0]), 3.0, atol=1e-3)


def test_newcomers_get_new_ids_and_people_of_the_halo_alone_are_left_out() -> None:
    clips = (Clip(0, 0, 100, 0, 110), Clip(1, 100, 200, 90, 200))
    first = _part(clips[0], _rows(1, range(0, 60), 0), _rows(2, range(101, 110), 700))
    second = _part(clips[1], _rows(1, range(150, 200), 0), _rows(2, range(90, 98), 400))
    joined = join(clips, [first, second])
    assert len(joined.ids) == 2
    assert sorted(len(rows) for rows in joined.tracks().values()) == [50, 60]


def test_two_who_pass_each_other_at_the_cut_are_not_exchanged() -> None:
    clips = (Clip(0, 0, 100, 0, 125), Clip(1, 100, 200, 75, 200))
    right = {"x": -300.0, "speed": 3.0}
    left = {"x": 300.0, "speed": -3.0}
    first = _part(clips[0], _rows(1, range(0, 125), **right), _rows(2, range(0, 125), **left))
    second = _part(clips[1], _rows(2, range(75, 200), **right), _rows(1, range(75, 200), **left))
    for rows in join(clips, [first, second]).tracks().values():
        assert np.ptp(np.diff(rows.boxes_px[:, 0])) < 1e-3


def test_frames_without_anybody_and_clips_without_frames_are_no_trouble() -> None:
    clips = (Clip(0, 0, 100, 0, 110), Clip(1, 100, 200, 90, 200))
    joined = join(
        clips,
        [_part(clips[0]), Recording.of(concat([], JOINTS), np.zeros(0, np.int64), np.zeros(0), History())],
    )
    assert len(joined.frame) == 100
    assert joined.ids == ()
