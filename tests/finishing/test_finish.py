"""All steps together: raw is kept, the order is right, and a finished recording can be finished again."""

import numpy as np
import pytest

from marey.core.errors import SettingsError
from marey.core.nouns import Origin
from marey.core.recording import Recording
from marey.core.settings import parse
from marey.finishing import Finishing, Smooth, as_measured, finish

TIME = np.arange(240) / 30


@pytest.fixture
def broken(record, rows_of, walk):
    """A walker under two ids with a hole, a swap of the legs and jitter; a bystander; a ghost."""
    xy = walk(TIME, noise=2.0)
    true = xy.copy()
    for a, b in ((13, 14), (15, 16)):
        xy[66:70, a], xy[66:70, b] = true[66:70, b], true[66:70, a]
    walker = rows_of(xy, TIME)
    walker = walker.take((walker.frame < 120) | (walker.frame >= 124))
    walker.person[walker.frame >= 150] = 8
    stander = rows_of(walk(TIME, start=(2500, 500), speed=0, steps_hz=0.0, noise=0.5), TIME, person=5)
    ghost = rows_of(walk(TIME, start=(4000, 500)), TIME, person=6, score=0.1).take(slice(10, 13))
    return record(TIME, walker, stander, ghost)


def test_everything_is_mended_and_raw_is_kept(broken, walk):
    result = finish(broken)
    assert result.ids == (1, 2)
    walker = result.tracks()[1]
    assert walker.seen.all()
    assert np.linalg.norm(walker.xy_px - walk(TIME), axis=-1).max() < 25
    assert np.linalg.norm(walker.xy_px - walk(TIME), axis=-1).mean() < 2.2
    assert (walker.origin[120:124] == Origin.FILLED).all()
    raw = walker.raw_xy_px[walker.frame < 120]
    np.testing.assert_array_equal(raw, broken.tracks()[1].xy_px[:120])
    assert [step.name for step in result.history.steps] == ["stitch", "swaps", "gaps", "smooth"]
    assert result.history.steps[-1].settings["cutoff_hz"] == 6.0


def test_finishing_again_is_finishing_once(broken, tmp_path):
    once = finish(broken)
    assert finish(once).rows.equals(once.rows)
    once.save(tmp_path / "a.marey")
    assert finish(Recording.open(tmp_path / "a.marey")).rows.equals(once.rows)


def test_what_was_measured_comes_back(broken):
    stitched = finish(broken, Finishing(swaps=None, gaps=None, smooth=None))
    assert as_measured(finish(broken)).rows.equals(stitched.rows)
    plain = finish(broken, Finishing(stitch=None, swaps=None, gaps=None, smooth=None))
    assert plain.rows.equals(broken.rows)


@pytest.mark.parametrize(
    ("rule", "kept"), [("all", (1, 2)), ("largest", (2,)), ("most-moving", (1,)), ("2", (2,))]
)
def test_the_subject_keeps_the_id_it_has_among_all(broken, rule, kept):
    result = finish(broken, Finishing(subject=rule))
    if rule != "largest":
        assert result.ids == kept
    assert len(result.ids) == len(kept)
    assert len(result.frame) == len(broken.frame)


def test_an_unknown_person_is_named(broken):
    with pytest.raises(SettingsError, match="found: 1, 2"):
        finish(broken, Finishing(subject="7"))


def test_settings_are_read_strictly():
    assert parse(Finishing, {"smooth": {"cutoff_hz": 8.0}}).smooth == Smooth(cutoff_hz=8.0)
    with pytest.raises(SettingsError, match="cutoff_hz"):
        parse(Finishing, {"smooth": {"cutof_hz": 8.0}})


def test_nobody_and_one_frame(record, rows_of, walk):
    assert len(finish(record(TIME)).rows) == 0
    assert len(finish(record(TIME[:0])).frame) == 0
    one = finish(record(TIME[:1], rows_of(walk(TIME[:1]), TIME[:1])))
    np.testing.assert_allclose(one.rows.xy_px, walk(TIME[:1]), rtol=1e-5)
