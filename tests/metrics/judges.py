"""TrackEval and py-motmetrics asked directly, where tools/metric_parity.py has fetched them."""

import math
import warnings
from typing import Any

import numpy as np

from marey.metrics.tracking import Frame
from metrics.reference_posetrack import near


def trackeval_scores(sequences: list[list[Frame]]) -> dict[str, float]:
    """TrackEval's scores of all sequences together."""
    from trackeval.metrics import CLEAR, HOTA, Identity

    judges = [HOTA(), CLEAR({"PRINT_CONFIG": False}), Identity({"PRINT_CONFIG": False})]
    data = [_trackeval_data(frames) for frames in sequences]
    combined: dict[str, Any] = {}
    for judge in judges:
        rows = {str(k): judge.eval_sequence(one) for k, one in enumerate(data)}
        combined |= judge.combine_sequences(rows)
    names = {
        "HOTA": "HOTA", "DetA": "DetA", "AssA": "AssA", "AssRe": "AssRe", "AssPr": "AssPr", "DetRe": "DetRe",
        "DetPr": "DetPr", "LocA": "LocA", "MOTA": "MOTA", "MOTP": "MOTP", "IDF1": "IDF1", "IDR": "IDR",
        "IDP": "IDP", "switches": "IDSW", "fragments": "Frag", "mostly_tracked": "MT", "mostly_lost": "ML",
    }  # fmt: skip
    return {ours: float(np.mean(combined[theirs])) for ours, theirs in names.items()}


def _trackeval_data(frames: list[Frame]) -> dict[str, Any]:
    truths = sorted({t for frame in frames for t in frame.truths.tolist()})
    found = sorted({f for frame in frames for f in frame.found.tolist()})
    return {
        "num_timesteps": len(frames),
        "num_gt_ids": len(truths),
        "num_tracker_ids": len(found),
        "num_gt_dets": sum(len(frame.truths) for frame in frames),
        "num_tracker_dets": sum(len(frame.found) for frame in frames),
        "gt_ids": [np.array([truths.index(t) for t in f.truths.tolist()], int) for f in frames],
        "tracker_ids": [np.array([found.index(t) for t in f.found.tolist()], int) for f in frames],
        "similarity_scores": [f.similarity for f in frames],
    }


def motmetrics_counts(frames: list[tuple[list[dict], list[dict]]]) -> list[float]:
    """Of each joint: misses, false alarms, switches, pairs, truths."""
    import motmetrics

    counts: list[float] = []
    host = motmetrics.metrics.create()
    for joint in range(15):
        events = motmetrics.MOTAccumulator(auto_id=True)
        for people, guesses in frames:
            real, found = ([p for p in side if joint in p["points"]] for side in (people, guesses))
            far = [[math.nan if (d := near(h, o, joint)) is None else d for h in found] for o in real]
            distance = np.array(far, float).reshape(len(real), len(found))
            events.update([p["id"] for p in real], [p["id"] for p in found], distance)
        names = ["num_misses", "num_false_positives", "num_switches", "num_detections", "num_objects"]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            row = host.compute(events, metrics=names, return_dataframe=False, name="all")
        counts += [float(row[name]) for name in names]
    return counts
