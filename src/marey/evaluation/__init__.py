"""Figures: a method on labelled data, judged by a stated protocol."""

from marey.evaluation.evaluate import Evaluated, compare, evaluate, evaluate_network, evaluate_poses
from marey.evaluation.result import Result

__all__ = ["Evaluated", "Result", "compare", "evaluate", "evaluate_network", "evaluate_poses"]
