"""Nobody is shown where nobody is: the measure itself, the labels, and a real run."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from marey.core.errors import DataError
from marey.core.nouns import Frame, Origin, People, Poses, no_looks
from marey.core.recording import collect
from marey.core.skeletons import COCO17
from marey.evaluation.ghosts import ghost_share

LABELS = Path(__file__).parents[1] / "fixtures" / "one-by-one-empty.toml"


def poses(index: int, people: int) -> Poses:
    frame = Frame(index, index / 10, np.zeros((8, 8, 3), np.uint8))
    boxes = np.tile(np.array([[0, 0, 4, 4]], np.float32), (people, 1))
    own = People(frame, boxes, np.ones(people, np.float32), np.arange(people) + 1, no_looks(people))
    shape = (people, 17)
    nowhere = np.full((*shape, 3), np.nan, np.float32)
    xy, scores = np.ones((*shape, 2), np.float32), np.ones(shape, np.float32)
    return Poses(own, COCO17, xy, scores, np.full(shape, Origin.MEASURED, np.uint8), nowhere)


def test_share_of_the_empty_frames():
    recording = collect(poses(k, people=int(k in (3, 4, 15))) for k in range(20))
    assert ghost_share(recording, [(0.0, 0.4)]) == (pytest.approx(2 / 5), 5)
    assert ghost_share(recording, [(0.0, 0.2), (1.6, 1.9)]) == (0, 7)
    with pytest.raises(DataError, match="another video"):
        ghost_share(recording, [(50.0, 60.0)])


def test_the_labels_are_whole():
    empty = tomllib.loads(LABELS.read_text())["empty_s"]
    ends = np.array(empty).reshape(-1)
    assert (np.diff(ends) > 0).all()
    assert ends[-1] <= 139.3
    assert sum(b - a for a, b in empty) == pytest.approx(30, abs=5)


@pytest.mark.data
@pytest.mark.slow
def test_a_run_shows_hardly_anybody_in_an_empty_room(shared_data: Path, tmp_path: Path):
    from marey.pipeline.run import run

    labels = tomllib.loads(LABELS.read_text())
    clip = shared_data / "videos" / labels["video"]
    recording = run(clip, tmp_path, quality="fast", overlay=False, progress=False)
    share, frames = ghost_share(recording, [(first, last) for first, last in labels["empty_s"]])
    assert frames > 250
    assert share < 0.02, f"{share:.4f} of {frames}"
