"""Matching on cases small enough to do by hand."""

import numpy as np
import pytest

from marey.metrics.matching import (
    Sides,
    area_under,
    at_score,
    average_precision,
    match,
    mutual,
    rank,
    score_at_recall,
)

THRESHOLD = np.array([0.5])


def sides(truths: int, estimates: int, ignore: tuple[int, ...] = (), crowd: tuple[int, ...] = ()) -> Sides:
    flags = np.isin(np.arange(truths), ignore)
    return Sides(flags, np.isin(np.arange(truths), crowd), np.zeros(estimates, bool))


def test_the_best_score_takes_first():
    alike = np.array([[0.6], [0.9]])
    held = match(alike, np.array([0.9, 0.8]), sides(1, 2), THRESHOLD)
    assert held.right.tolist() == [[True, False]]


def test_a_truth_that_counts_is_preferred_to_an_ignored_one():
    held = match(np.array([[0.6, 0.9]]), np.ones(1), sides(2, 1, ignore=(1,)), THRESHOLD)
    assert held.right.all()
    assert held.counts.all()


def test_a_crowd_takes_many_and_an_ignored_person_one():
    alike = np.ones((2, 1))
    crowd = match(alike, np.ones(2), sides(1, 2, ignore=(0,), crowd=(0,)), THRESHOLD)
    person = match(alike, np.ones(2), sides(1, 2, ignore=(0,)), THRESHOLD)
    assert crowd.counts.tolist() == [[False, False]]
    assert person.counts.tolist() == [[False, True]]


def test_scores_recall_precision():
    alike = np.eye(3)
    ranked = rank([match(alike, np.array([0.9, 0.5, 0.1]), sides(3, 3), THRESHOLD)])
    assert average_precision(ranked) == pytest.approx([1.0])
    assert at_score(ranked, 0.5) == (pytest.approx(2 / 3), 1.0)
    assert score_at_recall(ranked, 0.6) == 0.5
    assert np.isnan(score_at_recall(ranked, 1.1))


def test_mutual_pairs_are_each_others_best():
    alike = np.array([[0.9, 0.8, 0.0], [0.7, 0.6, 0.0], [0.0, 0.0, 0.0]])
    # The second estimate is more like the first truth, which has a better one; it gets no other.
    assert mutual(alike).tolist() == [0, -1, -1]
    assert mutual(np.array([[0.5, 0.5], [0.5, 0.5]])).tolist() == [0, -1]
    assert mutual(np.zeros((2, 0))).tolist() == [-1, -1]
    assert mutual(np.zeros((0, 2))).tolist() == []


def test_area_under_by_hand():
    scores = np.array([0.9, 0.8, 0.7, 0.6])
    right = np.array([True, False, True, False])
    # Recall 1/4 at precision 1, recall 2/4 at precision 2/3.
    assert area_under(scores, right, 4) == pytest.approx(1 / 4 + 1 / 4 * 2 / 3)
    assert area_under(scores[:0], right[:0], 4) == 0
    assert np.isnan(area_under(scores, right, 0))
    # A weight of two is the same estimate twice.
    weights = np.array([1.0, 1, 2, 1])
    spelt_out = area_under(np.array([0.9, 0.8, 0.7, 0.7, 0.6]), right[[0, 1, 2, 2, 3]], 4)
    assert area_under(scores, right, 4, weights) == pytest.approx(spelt_out)


def test_no_image_has_no_value():
    assert np.isnan(average_precision(rank([]))).all()
