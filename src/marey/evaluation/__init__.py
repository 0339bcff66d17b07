"""Figures: a method on labelled data, judged by a stated protocol."""

from marey.evaluation.evaluate import compare, evaluate, evaluate_into, evaluate_poses
from marey.evaluation.result import Result

__all__ = ["Result", "compare", "evaluate", "evaluate_into", "evaluate_poses"]
