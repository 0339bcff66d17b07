"""What every method promises, asked of each in METHODS (architecture, "A method")."""

import dataclasses
import functools
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from painted import STAND_INS, boxes_at, items

from marey.core.nouns import People, Poses
from marey.core.settings import fingerprint, parse, plain
from marey.methods import METHODS
from marey.methods import method as by_name

FRAMES = range(40)
HEAVY = ("torch", "lightning", "onnxruntime", "scipy", "pandas", "matplotlib", "openvino", "av")
every = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
stages = pytest.mark.parametrize(  # of frames; what lifts tracks is asked in test_lifts.py
    "method", [method for method in METHODS if "lift" not in method.kinds], ids=lambda method: method.name
)
codecs = pytest.mark.parametrize(
    "method", [method for method in METHODS if method.codec], ids=lambda method: method.name
)


@functools.cache
def whole(method):
    """All frames with default settings, as several tests compare against them."""
    return run(method, items(method, FRAMES))


def run(method, taken, settings=None, network=None):
    chosen = settings or method.settings()
    return list(method.stage(iter(taken), chosen, network or STAND_INS[method.name](chosen)))


def arrays(out, with_ids=True):
    """Everything that was measured on a frame, by name."""
    people = out if isinstance(out, People) else out.people
    found = {"boxes": people.boxes_px, "scores": people.scores}
    if with_ids:
        found["ids"] = people.ids
    if isinstance(out, Poses):
        found |= {"xy": out.xy_px, "joint scores": out.scores, "origin": out.origin, "xyz": out.xyz_m}
    return found


def assert_same(one, other, with_ids=True):
    assert one.frame.index == other.frame.index
    for (name, a), b in zip(arrays(one, with_ids).items(), arrays(other, with_ids).values(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4, err_msg=f"{name} of frame {one.frame.index}")


@every
def test_a_light_import(method):
    """Importing a method brings neither torch nor any engine."""
    code = f"import sys, marey.methods.{method.name}; print(*[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == []


@every
def test_settings_come_from_plain_tables_and_are_frozen(method):
    settings = method.settings()
    assert parse(method.settings, plain(settings)) == settings
    assert fingerprint(settings) == fingerprint(method.settings())
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(settings, dataclasses.fields(settings)[0].name, None)


@every
def test_it_is_found_by_name_and_says_whose_it_is(method):
    assert by_name(method.name) is method
    assert method.paper
    assert method.kinds
    assert method.ahead(method.settings()) >= 0


@stages
def test_one_out_for_one_in_in_order_and_nothing_is_changed(method):
    taken = items(method, FRAMES)
    untouched = items(method, FRAMES)
    out = run(method, taken)
    assert len(out) == len(taken)
    for before, same, after in zip(taken, untouched, out, strict=True):
        assert after.frame is (before.frame if isinstance(before, People) else before)
        if isinstance(before, People):
            assert after.people is before
            assert_same(before, same)
        np.testing.assert_array_equal(
            after.frame.rgb, same.frame.rgb if isinstance(same, People) else same.rgb
        )


@stages
def test_what_comes_out_is_what_the_nouns_say(method):
    for out in whole(method):
        people = out if isinstance(out, People) else out.people
        assert len(set(people.ids.tolist())) == len(people)
        assert (people.boxes_px[:, 2:] >= people.boxes_px[:, :2]).all()
        assert ((people.scores >= 0) & (people.scores <= 1)).all()
        if isinstance(out, Poses):
            assert out.xy_px.shape[1] == len(out.skeleton)
            assert ((out.scores >= 0) & (out.scores <= 1)).all()
            assert np.isfinite(out.xy_px).all() or np.isnan(out.xy_px).any(-1).any()


@stages
def test_the_painted_people_are_the_ones_found(method):
    """The stand-in's paint is read, so the other tests compare something."""
    found = sum(len(out) for out in whole(method))
    painted = sum(len(boxes_at(k)) for k in FRAMES)
    assert 0.8 * painted <= found <= painted


@stages
@pytest.mark.parametrize("pieces", [(20, 20), (7, 13, 20)])
def test_chunks_with_a_halo_equal_the_whole(method, pieces):
    """A clip measured apart, with a halo on both sides, gives what the video gives; ids are joined later."""
    settings = method.settings()
    halo = 25
    begin = 0
    for length in pieces:
        first, last = max(0, begin - halo), min(len(FRAMES), begin + length + halo)
        chunk = run(method, items(method, range(first, last)), settings)
        for k in range(begin, begin + length):
            assert_same(_by_place(chunk[k - first]), _by_place(whole(method)[k]), with_ids=False)
        begin += length


def _by_place(out):
    """People in an order that does not depend on ids."""
    if isinstance(out, Poses):
        return out
    order = np.lexsort(out.boxes_px.T)
    return People(out.frame, out.boxes_px[order], out.scores[order], out.ids[order], out.looks[order])


@stages
@pytest.mark.parametrize("now", [0, 11, 13, 29])
def test_no_more_future_is_used_than_declared(method, now):
    settings = method.settings()
    limit = now + method.ahead(settings)
    blanked = run(method, items(method, FRAMES, blank_after=limit), settings)
    cut = run(method, items(method, range(min(limit + 1, len(FRAMES)))), settings)
    for k in range(now + 1):
        assert_same(whole(method)[k], blanked[k])
        assert_same(whole(method)[k], cut[k])


@stages
def test_an_answer_comes_as_soon_as_its_future_is_there(method):
    """With batches of one nothing more is taken in than the declared future: live video depends on it."""
    names = {field.name for field in dataclasses.fields(method.settings)}
    settings = dataclasses.replace(method.settings(), **({"batch": 1} if "batch" in names else {}))
    taken = 0

    def counted() -> Iterator[object]:
        nonlocal taken
        for item in items(method, FRAMES):
            taken += 1
            yield item

    stage = method.stage(counted(), settings, STAND_INS[method.name](settings))
    for out in stage:
        assert taken <= out.frame.index + 1 + method.ahead(settings)


@stages
def test_frames_without_people(method):
    out = run(method, items(method, FRAMES, blank_after=-1))
    assert len(out) == len(FRAMES)
    assert sum(len(each) for each in out) == 0


@pytest.mark.parametrize("method", [method for method in METHODS if method.framewise], ids=lambda m: m.name)
def test_frames_of_a_framewise_method_are_the_same_alone(method):
    """No frame's answer depends on its neighbours, so they may be shared out among threads."""
    for out, item in zip(whole(method), items(method, FRAMES), strict=True):
        assert_same(out, *run(method, [item]))


@stages
def test_one_frame_and_none(method):
    (only,) = run(method, items(method, range(1)))
    assert len(only) == len(boxes_at(0))
    assert run(method, []) == []


@codecs
def test_the_codec_reads_what_it_writes(method):
    """Joints anywhere in the crop come back; next to its edges a little less exactly."""
    codec = method.codec(method.settings())
    width, height = codec.size
    rng = np.random.default_rng(0)
    xy = rng.uniform(0, 1, (40, 19, 2)) * (width, height)
    target = codec.encode(xy.astype(np.float32), np.ones(xy.shape[:2], bool))
    found, scores = codec.decode(target)
    inside = ((xy > 16) & (xy < np.array([width, height]) - 16)).all(-1)
    assert np.abs(found - xy)[inside].max() < 0.5
    assert np.abs(found - xy).max() < 8  # two cells, at the very edge
    assert (scores[inside] > 0.5).all()
    assert scores.max() <= 1


@codecs
def test_the_codec_does_not_invent_joints(method):
    """A joint that is not labelled weighs nothing; one out of the crop has a low score."""
    codec = method.codec(method.settings())
    xy = np.full((1, 19, 2), 50, np.float32)
    labelled = np.ones((1, 19), bool)
    labelled[0, 3] = False
    xy[0, 5] = -30
    target = codec.encode(xy, labelled)
    assert target["weight"][0, 3] == 0
    assert target["weight"][0, 4] > 0
    _, scores = codec.decode(target)
    assert scores[0, 5] < 0.1


@codecs
def test_the_codec_takes_an_empty_batch(method):
    codec = method.codec(method.settings())
    target = codec.encode(np.zeros((0, 19, 2), np.float32), np.zeros((0, 19), bool))
    xy, scores = codec.decode(target)
    assert xy.shape == (0, 19, 2)
    assert scores.shape == (0, 19)
