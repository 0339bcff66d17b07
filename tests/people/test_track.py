"""Drawn people walk, cross, hide and leave; the tracker must tell who is who."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marey.core.nouns import Frame
from marey.people.track import Tracking, track

RATE = 30.0


def frames(times):
    return [Frame(k, float(t), np.zeros((48, 64, 3), np.uint8)) for k, t in enumerate(times)]


def steady(count):
    return frames(np.arange(count) / RATE)


def box(x, y=50.0, height=100.0):
    return np.array([x, y, x + 0.4 * height, y + height], np.float32)


def found(boxes, scores=None):
    array = np.array(boxes, np.float32).reshape(-1, 4)
    return array, np.full(len(array), 0.9, np.float32) if scores is None else np.array(scores, np.float32)


def follow(pictures, look, every, **options):
    """Track with a detector `look(frame) -> (boxes, scores)` that is asked every N-th frame."""
    stream = ((f, look(f) if k % every == 0 else None) for k, f in enumerate(pictures))
    return list(track(stream, Tracking(**options), every))


def ids(people):
    return [tuple(each.ids.tolist()) for each in people]


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("every", [1, 2, 5])
def test_constant_motion_keeps_ids(live, every):
    def look(frame):
        return found([box(10 + 90 * frame.time_s), box(400 - 60 * frame.time_s, 80)])

    people = follow(steady(61), look, every=every, live=live)
    assert set(ids(people)) == {(1, 2)}
    assert [each.frame.index for each in people] == list(range(61))


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.floats(0.005, 0.1), min_size=12, max_size=40),
    st.sampled_from([1, 3, 4]),
    st.floats(-150, 150),
    st.floats(-20, 40),
)
def test_boxes_between_looks_are_exact_for_linear_motion_at_any_rate(steps, every, speed, growth):
    """Velocity in pixels a second: only true times put the box where it is."""
    pictures = frames(np.cumsum(steps))

    def truth(time_s):
        return box(300 + speed * time_s, 50 - growth * time_s, 100 + growth * time_s)

    people = follow(pictures, lambda f: found([truth(f.time_s)]), every=every)
    last_look = (len(pictures) - 1) // every * every
    for each in people:
        close = 1e-2 if each.frame.index <= last_look else 10.0  # the last few frames are extrapolated
        np.testing.assert_allclose(each.boxes_px[0], truth(each.frame.time_s), atol=close)
        assert each.ids.tolist() == [1]


def test_live_boxes_are_extrapolated_on_true_time():
    times = np.cumsum(np.tile([0.02, 0.05, 0.03], 20))
    people = follow(frames(times), lambda f: found([box(50 + 80 * f.time_s)]), every=3, live=True)
    error = [abs(each.boxes_px[0, 0] - (50 + 80 * each.frame.time_s)) for each in people[15:]]
    assert max(error) < 0.5
    assert any(k % 3 for k in range(15, len(people)))


@pytest.mark.parametrize("every", [1, 3])
def test_people_who_cross_keep_ids(every):
    """They pass through each other; the one behind is not seen while covered."""

    def look(frame):
        a, b = 50 + 120 * frame.time_s, 350 - 120 * frame.time_s
        return found([box(a), box(b, 53)] if abs(a - b) > 25 else [box(a)])

    people = follow(steady(90), look, every=every)
    first, last = people[0], people[84]
    assert first.ids.tolist() == [1, 2] == last.ids.tolist()
    assert first.boxes_px[0, 0] < first.boxes_px[1, 0]
    assert last.boxes_px[0, 0] > last.boxes_px[1, 0]


def test_looks_tell_apart_who_motion_cannot():
    """Two people walk behind a pillar, turn round there, and come out where the other is expected."""

    def places(k):
        red = 240 + 1.2 * k if k < 30 else 270 - (k - 40)
        blue = 330 - 1.2 * k if k < 30 else 300 + (k - 40)
        return box(red), box(blue)

    def picture(k):
        rgb = np.zeros((200, 600, 3), np.uint8)
        for (x0, y0, x1, y1), colour in zip(places(k), ((200, 30, 30), (30, 30, 200)), strict=True):
            rgb[int(y0) : int(y1), int(x0) : int(x1)] = colour
        return Frame(k, k / RATE, rgb)

    def red_at_end(weight):
        look = lambda f: found([] if 30 <= f.index < 40 else places(f.index))  # noqa: E731
        people = follow([picture(k) for k in range(60)], look, every=1, look_weight=weight)[-1]
        return people.ids[np.argmin(abs(people.boxes_px[:, 0] - places(59)[0][0]))]

    assert red_at_end(Tracking().look_weight) == 1
    assert red_at_end(0.0) == 2


@pytest.mark.parametrize(("gone_s", "same"), [(0.3, True), (0.8, True), (1.6, False)])
def test_an_id_survives_an_occlusion_shorter_than_the_buffer(gone_s, same):
    def look(frame):
        hidden = 1.0 < frame.time_s < 1.0 + gone_s
        return found([] if hidden else [box(50 + 60 * frame.time_s)])

    people = follow(steady(120), look, every=2, keep_s=1.0)
    assert people[0].ids.tolist() == [1]
    assert people[-1].ids.tolist() == [1 if same else 2]


def test_a_short_miss_is_bridged_and_a_long_one_is_not():
    def miss(lookups):
        def look(frame):
            return found([] if 12 <= frame.index < 12 + 3 * lookups else [box(50 + 60 * frame.time_s)])

        return [len(each) for each in follow(steady(60), look, every=3, bridge=2)]

    assert miss(2) == [1] * 60
    assert miss(3)[10:21] == [0] * 11
    assert miss(3)[9] == miss(3)[21] == 1


def test_low_scores_continue_tracks_but_begin_none():
    def look(frame):
        score = 0.9 if frame.index < 10 else 0.2
        return found([box(50 + 60 * frame.time_s), box(300)], [score, 0.3])

    assert set(ids(follow(steady(40), look, every=1))) == {(1,)}


@pytest.mark.parametrize("live", [False, True])
def test_a_ghost_of_one_look_never_appears(live):
    def look(frame):
        return found([box(100)] if frame.index == 12 else [], [0.75] if frame.index == 12 else [])

    assert not any(len(each) for each in follow(steady(40), look, every=3, live=live))


def test_offline_a_person_counts_from_the_first_look_and_live_from_the_second():
    def look(frame):
        return found([box(100)] if frame.index >= 12 else [], [0.7] if frame.index >= 12 else [])

    offline = [len(each) for each in follow(steady(30), look, every=3)]
    live = [len(each) for each in follow(steady(30), look, every=3, live=True)]
    assert offline.index(1) == 12
    assert live.index(1) == 15
    sure = follow(steady(30), lambda f: found([box(100)] if f.index >= 12 else []), every=3, live=True)
    assert [len(each) for each in sure].index(1) == 12


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_single_picture_keeps_its_people(count):
    people = follow(steady(count), lambda f: found([box(10), box(200)]), every=3)
    assert people[0].ids.tolist() == [1, 2]


def test_no_frames_and_empty_frames():
    assert follow([], lambda f: found([]), every=3) == []
    people = follow(steady(20), lambda f: found([]), every=3)
    assert [len(each) for each in people] == [0] * 20
    assert people[0].boxes_px.shape == (0, 4)
    assert people[0].looks.shape == (0, 64)


def crowd(seed, count=60, people=5):
    """Boxes of people who wander, come and go, with noise, misses and false alarms."""
    rng = np.random.default_rng(seed)
    start, speed = rng.uniform(0, 600, people), rng.uniform(-80, 80, people)
    enter, leave = rng.integers(0, count // 2, people), rng.integers(count // 2, count, people)
    result = []
    for k in range(count):
        there = (enter <= k) & (k < leave) & (rng.random(people) > 0.1)
        x = (start + speed * k / RATE)[there] + rng.normal(0, 2, there.sum())
        ghosts = rng.uniform(0, 600, rng.integers(0, 2))
        boxes = np.array([box(each) for each in (*x, *ghosts)], np.float32).reshape(-1, 4)
        result.append((boxes, rng.uniform(0.3, 1, len(boxes)).astype(np.float32)))
    return result


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_the_order_of_detections_does_not_matter(seed, live):
    plan = crowd(seed)
    rng = np.random.default_rng(seed)

    def shuffled(frame):
        boxes, scores = plan[frame.index]
        order = rng.permutation(len(boxes))
        return boxes[order], scores[order]

    plain = follow(steady(60), lambda f: plan[f.index], every=2, live=live)
    other = follow(steady(60), shuffled, every=2, live=live)
    for a, b in zip(plain, other, strict=True):
        np.testing.assert_array_equal(a.ids, b.ids)
        np.testing.assert_array_equal(a.boxes_px, b.boxes_px)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), st.integers(0, 59), st.sampled_from([1, 2, 4]))
def test_no_answer_uses_more_future_than_is_declared(seed, live, now, every):
    """What comes out for a frame is the same when everything beyond `ahead` is blank or cut off."""
    plan = crowd(seed)
    limit = now + Tracking(live=live).ahead(every)
    options = {"every": every, "live": live}
    plain = follow(steady(60), lambda f: plan[f.index], **options)
    blank = follow(steady(60), lambda f: plan[f.index] if f.index <= limit else found([]), **options)
    cut = follow(steady(60)[: limit + 1], lambda f: plan[f.index], **options)
    for a, b, c in zip(plain[: now + 1], blank, cut, strict=False):
        for other in (b, c):
            np.testing.assert_array_equal(a.ids, other.ids)
            np.testing.assert_array_equal(a.boxes_px, other.boxes_px)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10**6))
def test_ids_are_unique_on_a_frame_counted_from_one_and_never_minus_one(seed):
    people = follow(steady(60), lambda f: crowd(seed)[f.index], every=2)
    for each in people:
        assert len(set(each.ids.tolist())) == len(each)
        assert (each.ids > 0).all()
    seen = [i for each in people for i in each.ids.tolist()]
    first_seen = list(dict.fromkeys(seen))
    assert first_seen == list(range(1, len(first_seen) + 1))


def test_a_sprinter_is_one_person():
    """10 m/s at 1.8 m tall is 5.6 heights a second: the box does not overlap itself two frames later."""

    def look(frame):
        return found([box(20 + 560 * frame.time_s)])

    assert set(ids(follow(steady(61), look, every=2)[:60])) == {(1,)}


def test_memory_stays_flat():
    """A tracker that runs for hours keeps only what unanswered frames need."""
    from marey.people.track import _Tracker

    tracker = _Tracker(Tracking(live=True), 0)
    for frame in steady(600):
        people = [box(50 + 10 * np.sin(frame.time_s))] + ([box(300)] if frame.index % 50 < 5 else [])
        tracker.look(frame.index, frame, found(people))
        tracker.people(frame.index, frame)
    assert len(tracker.tracks) <= 3
    assert max(len(each.hits) for each in tracker.tracks) <= 2


def searched(pictures, look, again, every=3, **options):
    """Track with a detector that can also look from near."""
    stream = ((f, look(f) if k % every == 0 else None) for k, f in enumerate(pictures))
    return list(track(stream, Tracking(**options), every, again))


def vanishing(frame):
    """A person whom the whole picture shows in the first second only."""
    return found([box(100 + 20 * frame.time_s)] if frame.time_s < 1 else [])


@pytest.mark.parametrize("live", [False, True])
def test_a_person_seen_from_near_only_is_kept(live):
    asked = []

    def again(rgb, expected):
        asked.append(expected)
        time_s = 1 + (len(asked) - 1) * 0.1
        np.testing.assert_allclose(expected, [box(100 + 20 * time_s)], atol=3)
        return found([box(100 + 20 * time_s)])

    people = searched(steady(90), vanishing, again, live=live)
    assert ids(people) == [(1,)] * 90
    assert len(asked) == 20  # never while the person is seen


def test_a_view_from_near_finds_nobody_new_and_no_doubtful():
    elsewhere = searched(steady(90), vanishing, lambda rgb, expected: found([box(400)]))
    doubtful = searched(steady(90), vanishing, lambda rgb, expected: found([box(120)], [0.3]))
    nothing = follow(steady(90), vanishing, every=3)
    assert ids(elsewhere) == ids(doubtful) == ids(nothing)
    assert ids(nothing)[45:] == [()] * 45


def test_a_person_is_not_followed_for_ever_from_near():
    def again(rgb, expected):
        return found(expected)

    shown = [bool(each.ids.size) for each in searched(steady(180), vanishing, again, near_s=2.0)]
    last = max(k for k, some in enumerate(shown) if some) / RATE
    assert 2.7 <= last <= 3.0  # seen on the whole picture until 0.9 s


def test_who_stands_before_a_lost_person_is_not_taken_for_it():
    """Two people meet; the nearer one is seen, and a view from near shows the same one again."""

    def look(frame):
        stays, comes = box(200), box(60 + 140 * min(frame.time_s, 1))
        return found([stays, comes] if frame.time_s < 0.8 else [comes])

    people = searched(steady(90), look, lambda rgb, expected: found([box(200)]))
    assert ids(people)[60:] == [(1,)] * 30 or ids(people)[60:] == [(2,)] * 30
