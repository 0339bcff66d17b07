"""What a result says beyond its figures: curves, whether scores mean something, and who came out worst."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.test_protocols import moved, sample
from marey.core.skeletons import COCO17, LSP14, POSETRACK15
from marey.data.sample import Sample
from marey.evaluation.judged import WORST
from marey.evaluation.measure import Posed
from marey.evaluation.poses import compare_poses, judge_poses


def people(count: int, skeleton=LSP14) -> list[Sample]:
    """One person a picture, torso 100 px."""
    made = [sample(skeleton, f"p{k}") for k in range(count)]
    torso = np.array([100.0], np.float32)
    return [replace(one, truth=replace(one.truth, torso_px=torso)) for one in made]


def nobody(skeleton) -> Posed:
    none = np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
    joints = len(skeleton)
    return Posed(skeleton, *none, np.zeros((0, joints, 2), np.float32), np.zeros((0, joints), np.float32))


def test_the_worst_are_worst_first():
    """Picture k has k joints wrong, so the order is known; of the two with two wrong, one is wronger."""
    samples = people(5)
    wrong = [(0, 30.0), (2, 30.0), (2, 60.0), (3, 30.0), (1, 30.0)]
    posed = [moved(one, list(range(n)), by) for one, (n, by) in zip(samples, wrong, strict=True)]
    rows = judge_poses("pck-torso", samples, posed).tables["worst"]
    assert [row["picture"] for row in rows] == ["p3", "p2", "p1", "p4", "p0"]
    assert [row["alike"] for row in rows] == pytest.approx([11 / 14, 12 / 14, 12 / 14, 13 / 14, 1])


def test_those_without_an_estimate_come_after_their_equals_and_are_counted():
    samples = people(3)
    posed = [moved(samples[0], [], 0), nobody(LSP14), moved(samples[2], list(range(14)), 99)]
    held = judge_poses("pck-torso", samples, posed)
    assert [row["picture"] for row in held.tables["worst"]] == ["p2", "p1", "p0"]
    assert held.protocol["people_without_estimate"] == 1


def test_there_are_so_many_worst_and_nobody_who_does_not_count():
    samples = people(WORST + 3)
    last = samples[-1]
    samples[-1] = replace(last, truth=replace(last.truth, ignore=np.array([True])))
    posed = [moved(one, [0], 99) for one in samples[:-1]] + [moved(samples[-1], list(range(14)), 99)]
    rows = judge_poses("pck-torso", samples, posed).tables["worst"]
    assert len(rows) == WORST
    assert "p14" not in {row["picture"] for row in rows}


def test_oks_names_its_worst_and_its_curve_is_its_ap():
    samples = people(3, COCO17)
    posed = [moved(samples[0], [0, 1], 99), moved(samples[1], [0, 1, 2, 3, 4], 99), nobody(COCO17)]
    held = judge_poses("coco", samples, posed)
    rows = held.tables["worst"]
    assert [row["picture"] for row in rows] == ["p2", "p1", "p0"]
    assert [row["alike"] for row in rows] == pytest.approx([0, 12 / 17, 15 / 17], abs=1e-3)
    curve = held.tables["curve"]
    assert [row["threshold"] for row in curve] == pytest.approx(np.arange(10) * 0.05 + 0.5)
    assert np.mean([row["AP"] for row in curve]) == pytest.approx(held.metrics["AP"])
    assert held.protocol["people_without_estimate"] == 1


def test_a_pck_curve_rises_to_its_figure():
    samples = people(2)
    posed = [moved(one, [0, 1, 2], by) for one, by in zip(samples, (4.6, 15.2), strict=True)]
    held = judge_poses("pck-torso", samples, posed)
    curve = {round(row["threshold"], 2): row["PCK"] for row in held.tables["curve"]}
    assert curve[0.0] == pytest.approx(22 / 28)
    assert curve[0.04] == curve[0.0]
    assert curve[0.05] == pytest.approx(25 / 28)
    assert curve[0.16] == curve[0.2] == held.metrics["PCK@0.2"] == 1
    assert curve[0.1] == held.metrics["PCK@0.1"]


def test_scores_are_laid_beside_what_is_right_by_any_protocol():
    for name, skeleton in (("pck-torso", LSP14), ("coco", COCO17), ("posetrack", POSETRACK15)):
        samples = people(2, skeleton)
        far = moved(samples[1], list(range(len(skeleton))), 90)
        far = replace(far, scores=np.full_like(far.scores, 0.2))
        rows = judge_poses(name, samples, [moved(samples[0], [], 0), far]).tables["by_score"]
        assert [row["from"] for row in rows] == [0.2, 0.9]
        assert [row["right"] for row in rows] == pytest.approx([0, 1], abs=1e-3)


def test_every_figure_is_compared():
    """PCK@0.1 and the ranges of AP too, not the headline only."""
    for name, skeleton in (("pck-torso", LSP14), ("coco", COCO17), ("posetrack", POSETRACK15)):
        samples = people(4, skeleton)
        good, bad = [moved(one, [], 0) for one in samples], [moved(one, [0, 1], 45) for one in samples]
        held = judge_poses(name, samples, good)
        table = compare_poses(name, samples, good, bad)
        assert set(table) == set(held.metrics) == set(held.intervals)
        known = [row["difference"] for row in table.values() if np.isfinite(row["difference"])]
        assert known
        assert min(known) >= 0
        assert max(known) > 0.1
