"""Method × data × protocol → figures: what `marey eval` and `marey.evaluate` do."""

import time
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

from marey.core.errors import SettingsError
from marey.evaluation import motion
from marey.evaluation.filed import filed_poses, write_poses
from marey.evaluation.made import ORIGIN, Evaluated, made_from, network_of, open_data
from marey.evaluation.measure import (
    BoxesOf,
    Detect,
    Posed,
    detect_all,
    filed_boxes,
    found_boxes,
    pose_all,
    true_boxes,
)
from marey.evaluation.people import judge_boxes
from marey.evaluation.poses import POSE_PROTOCOLS, Name, compare_poses, judge_poses
from marey.evaluation.result import Result
from marey.methods import method
from marey.methods.detector import Detector, Finder
from marey.pipeline.plan import PRESETS, Plan, Stage, stage, stages
from marey.weights import find, read_card

DEFAULT = "balanced"
LEAST = 0.01
"""Score from which boxes count towards AP (our choice: recall is flat below)."""


def evaluate(
    name: str,
    data: str,
    split: str = "all",
    boxes: str | None = None,
    protocol: str | None = None,
    flip: bool | None = None,
) -> Result:
    """Measure a network, or a quality of `marey run`, on labelled data.

    Parameters
    ----------
    name
        a network (or the path of its card), or `default`, `fast`, `balanced`, `best`
    data
        KIND:PATH, such as `lsp:../data/lsp`
    split
        `all`, `train`, `val`, `test`
    boxes
        where poses are estimated: `truth`, `find` (our detector) or a COCO result file; None: `find` where
        people are followed, else `truth`
    protocol
        `pck-torso`, `pck-box`, `coco` …; None: what the kind is usually judged by
    flip
        average with the mirrored crop; None: as the quality or network has it

    Raises
    ------
    MareyError
        If the network, data or protocol is unknown or they do not fit.
    """
    asked = {"boxes": boxes, "protocol": protocol, "flip": flip}
    return evaluate_network(name, data, split, **asked).result


def evaluate_network(
    name: str, data: str, split: str = "all", write: Path | None = None, **asked: Any
) -> Evaluated:
    """`evaluate`, with the poses kept, and written into the file `write` for `compare`; `asked` as there."""
    boxes, protocol = asked.get("boxes") or "truth", asked.get("protocol")
    kind, samples = open_data(data, split)
    started = time.perf_counter()
    if aim := motion.aim(kind, protocol, name, asked.get("lift")):
        result, posed, told = motion.by_network(aim, name, samples, write, asked)
        made = {"name": name, **told, **made_from(kind, split, samples, started)}
        stated = {**result.protocol, "split": split, "origin": ORIGIN}
        return Evaluated(replace(result, protocol=stated, made=made), samples, posed)
    chosen = _chosen(name, asked.get("flip"))
    posed: list[Posed] = []
    how: dict[str, Any] = {}
    if "find" in chosen.method.kinds:
        if write is not None:
            raise SettingsError(f"--write: {name} estimates no poses; leave the option out")
        detect, score = detector(chosen, LEAST)
        result = judge_boxes(samples, detect_all(samples, detect), score)
    else:
        judged_by = _protocol(protocol, kind)
        run = partial(chosen.method.stage, settings=chosen.settings, network=chosen.load())
        posed = pose_all(samples, _boxes(boxes), run)
        if write is not None:
            write_poses(write, samples, posed)
        result = judge_poses(judged_by, samples, posed)
        how = {"boxes": boxes, "flip_test": bool(getattr(chosen.settings, "flip", False))}
    made = {"name": name, **network_of(chosen), **made_from(kind, split, samples, started)}
    stated = {**result.protocol, **how, "split": split, "origin": ORIGIN}
    return Evaluated(replace(result, protocol=stated, made=made), samples, posed)


def evaluate_poses(
    path: Path, data: str, split: str = "all", protocol: str | None = None, **asked: Any
) -> Evaluated:
    """Measure the poses that a file holds, whoever made it (`evaluation/filed.py` says what is read).

    Raises
    ------
    MareyError
        If the file, data or protocol is unknown or they do not fit.
    """
    kind, samples = open_data(data, split)
    started = time.perf_counter()
    posed = filed_poses(path, samples)
    told: dict[str, Any] = {}
    if aim := motion.aim(kind, protocol, None, asked.get("lift")):
        result, told = motion.by_poses(aim, samples, posed, {**asked, "protocol": protocol})
    else:
        result = judge_poses(_protocol(protocol, kind), samples, posed)
    made = {"name": str(path), **told, **made_from(kind, split, samples, started)}
    stated = {**result.protocol, "split": split, "origin": ORIGIN}
    return Evaluated(replace(result, protocol=stated, made=made), samples, posed)


def compare(
    path: Path, other: Path, data: str, split: str = "all", protocol: str | None = None
) -> dict[str, dict[str, float]]:
    """Compare two files of poses on the same pictures, by a paired bootstrap (`compare_poses`).

    Raises
    ------
    MareyError
        If a file, data or protocol is unknown or they do not fit.
    """
    kind, samples = open_data(data, split)
    first, second = (filed_poses(file, samples) for file in (path, other))
    return compare_poses(_protocol(protocol, kind), samples, first, second)


def _chosen(name: str, flip: bool | None) -> Stage:
    """The stage that a network's name or a quality stands for."""
    quality = DEFAULT if name == "default" else name
    if quality in PRESETS:
        return stages(Plan(quality=quality, flip=flip), None)[1]  # pyright: ignore[reportArgumentType]
    card = read_card(find(name))
    chosen = stage(method(card.method).kinds[0], name)
    if flip is None:
        return chosen
    if "flip" not in {field.name for field in fields(chosen.settings)}:
        raise SettingsError(f"--flip: {card.method} has no flip test; leave the option out")
    return replace(chosen, settings=replace(chosen.settings, flip=flip))


def _protocol(asked: str | None, kind: str) -> Name:
    known = get_args(Name)
    if asked is not None and asked not in known:
        listed = ", ".join((*known, *motion.PROTOCOLS))
        raise SettingsError(f"--protocol {asked}: not known; choose from {listed}")
    if asked is None and kind not in POSE_PROTOCOLS:
        raise SettingsError(f"--data {kind}: has no poses; choose from {', '.join(POSE_PROTOCOLS)}")
    return asked or POSE_PROTOCOLS[kind]  # pyright: ignore[reportReturnType]


def _boxes(boxes: str) -> BoxesOf:
    if boxes == "truth":
        return true_boxes
    if boxes != "find":
        return filed_boxes(Path(boxes))
    return found_boxes(detector(stages(Plan(), None)[0], None)[0])


def detector(chosen: Stage, least: float | None) -> tuple[Detect, float]:
    """How people are found, from the score `least` on (None: as set), and the score where a run cuts off."""
    network, settings = chosen.load(), chosen.settings
    if not isinstance(settings, Detector) or network is None:
        raise SettingsError(f"{chosen.method.name}: finds no people on single pictures; name a detector")
    shown = settings if least is None else replace(settings, score=least)
    return Finder(shown, network).detect, settings.tracking.start
