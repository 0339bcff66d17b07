"""Matching on cases small enough to do by hand."""

import numpy as np
import pytest

from marey.metrics.matching import Sides, at_score, average_precision, match, rank, score_at_recall

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
