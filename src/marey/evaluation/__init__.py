"""Figures: a method on labelled data, judged by a stated protocol."""

from marey.evaluation.evaluate import evaluate
from marey.evaluation.result import Result

__all__ = ["Result", "evaluate"]
