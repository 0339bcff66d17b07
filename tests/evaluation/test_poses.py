"""Protocols on poses that are known: the truth itself, the truth moved, nothing at all, other boxes."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import data_trees as trees
from marey.core.errors import DataError
from marey.core.skeletons import COCO17, LSP14, MAREY19, Skeleton
from marey.data import open_kind
from marey.data.sample import Sample
from marey.evaluation.by_pck import BODY12
from marey.evaluation.judged import reliability
from marey.evaluation.measure import Posed
from marey.evaluation.poses import judge_poses


@pytest.fixture
def lsp(tmp_path: Path) -> Sequence[Sample]:
    return open_kind("lsp", trees.lsp(tmp_path), "all")


@pytest.fixture
def coco(tmp_path: Path) -> Sequence[Sample]:
    notes = [
        trees.note(1, 7, [1, 2, 30, 30], area=900.0),
        trees.note(2, 7, [20, 2, 30, 30], area=900.0),
        trees.note(3, 21, [1, 2, 30, 30], posed=False),
    ]
    return open_kind("coco", trees.coco(tmp_path, "val2017", notes), "all")


def told(sample: Sample, skeleton: Skeleton, offset: float = 0.0) -> Posed:
    """The truth as an estimate in `skeleton`; joints that the truth lacks lie at 0."""
    truth = sample.truth
    wanted = truth.labelled.any(1)
    xy = truth.skeleton.converter(skeleton)(truth.xy_px[wanted]) + np.float32(offset)
    scores = np.full(xy.shape[:2], 0.9, np.float32)
    return Posed(skeleton, truth.boxes_px[wanted], np.ones(len(xy), np.float32), np.nan_to_num(xy), scores)


def test_the_truth_is_perfect(lsp, coco):
    held = judge_poses("pck-torso", lsp, [told(sample, MAREY19) for sample in lsp])
    assert held.metrics["PCK@0.2"] == held.metrics["PCK@0.2/12"] == held.value == 1
    assert held.items == 4
    assert held.intervals["PCK@0.2"] == (1, 1)
    assert len(held.per_joint) == 14
    found = judge_poses("coco", coco, [told(sample, COCO17) for sample in coco])
    assert found.metrics["AP"] == pytest.approx(1)
    assert found.items == 2
    assert found.per_joint["nose"] == pytest.approx(1)


def test_joints_that_a_network_lacks_are_not_counted_as_missed(lsp):
    held = judge_poses("pck-torso", lsp, [told(sample, COCO17) for sample in lsp])
    assert set(held.metrics) == {"PCK@0.2/12", "PCK@0.1/12"}
    assert held.value == 1
    assert set(held.per_joint) == set(BODY12)


def test_an_offset_of_a_known_length(lsp):
    torso = float(lsp[0].truth.torso_px[0])
    exact = np.float32(0.999 * 0.2 * torso / np.sqrt(2))
    within = [told(sample, MAREY19, exact) for sample in lsp]
    beyond = [told(sample, MAREY19, exact * np.float32(1.01)) for sample in lsp]
    assert judge_poses("pck-torso", lsp, within).value == 1
    assert judge_poses("pck-torso", lsp, beyond).value == 0


def test_nobody_found_is_a_miss_everywhere(lsp, coco):
    nobody = [_nobody(MAREY19) for _ in lsp]
    held = judge_poses("pck-torso", lsp, nobody)
    assert held.value == 0
    assert held.items == 4
    assert judge_poses("coco", coco, [_nobody(COCO17) for _ in coco]).value == 0


def _nobody(skeleton: Skeleton) -> Posed:
    count = len(skeleton)
    none = np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
    return Posed(skeleton, *none, np.zeros((0, count, 2), np.float32), np.zeros((0, count), np.float32))


def test_swapped_sides_are_wrong(lsp):
    from marey.core.skeletons import mirrored

    order = list(mirrored(LSP14))
    posed = []
    for sample in lsp:
        one = told(sample, LSP14)
        posed.append(replace(one, xy_px=one.xy_px[:, order]))
    held = judge_poses("pck-torso", lsp, posed)
    assert held.metrics["PCK@0.2/12"] < 0.4
    assert held.per_joint["neck"] == 1


def test_the_box_that_overlaps_most_is_compared(lsp):
    sample = lsp[0]
    right = told(sample, MAREY19)
    far = replace(right, boxes_px=right.boxes_px + np.float32(8), xy_px=right.xy_px + np.float32(50))
    both = Posed(
        MAREY19,
        *(np.concatenate([getattr(a, f) for a in (far, right)]) for f in ("boxes_px", "box_scores")),
        *(np.concatenate([getattr(a, f) for a in (far, right)]) for f in ("xy_px", "scores")),
    )
    assert judge_poses("pck-torso", [sample], [both]).value == 1


def test_jhmdb_takes_the_box(tmp_path: Path):
    samples = open_kind("jhmdb", trees.jhmdb(tmp_path), "all")
    held = judge_poses("pck-box", samples, [told(sample, MAREY19, 20.0) for sample in samples])
    # The box is 170 wide; the offset is 28.3: within a fifth, not within a tenth.
    assert held.metrics == {"PCK@0.2/12": 1, "PCK@0.1/12": 0}


def test_a_network_with_some_of_the_joints_is_judged_on_those(lsp):
    headless = Skeleton("headless", MAREY19.joints[:-1], (), ())
    held = judge_poses("pck-torso", lsp, [told(sample, headless) for sample in lsp])
    assert set(held.metrics) == {"PCK@0.2/13", "PCK@0.1/13", "PCK@0.2/12", "PCK@0.1/12"}


def test_scores_that_mean_what_they_say():
    right = np.array([[True, True, True, False]])
    table = reliability(right, np.array([[0.72, 0.74, 0.78, 0.76]]), np.ones((1, 4), bool))
    assert table == [{"from": 0.7, "mean_score": pytest.approx(0.75), "right": 0.75, "joints": 4}]


def test_what_cannot_be_judged_is_refused(lsp, tmp_path: Path):
    with pytest.raises(DataError, match="no OKS sigmas"):
        judge_poses("coco", lsp, [told(sample, MAREY19) for sample in lsp])
    nobody = open_kind("negatives", trees.negatives(tmp_path / "none"), "all")
    with pytest.raises(DataError, match="no joint is labelled"):
        judge_poses("pck-torso", nobody, [_nobody(MAREY19) for _ in nobody])
