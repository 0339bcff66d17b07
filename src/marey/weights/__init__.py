"""Networks as files: the engine that runs them, their cards, and the shelf they lie on."""

from marey.weights.card import Card, read_card, write_card
from marey.weights.session import Session, load
from marey.weights.shelf import find, names

__all__ = ["Card", "Session", "find", "load", "names", "read_card", "write_card"]
