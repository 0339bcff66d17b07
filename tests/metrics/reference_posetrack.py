"""PoseTrack's evaluation, one joint at a time, as poseval's and py-motmetrics' code was read; slow.

People are dictionaries as in the server's files: `points` {joint: (x, y, score)}, `id`; truths: `head`.
"""

import math
from collections import defaultdict

import numpy as np
from scipy.optimize import linear_sum_assignment

JOINTS = 15


def assign(truths: list[dict], found: list[dict]) -> dict[int, int]:
    """Prediction → truth: each prediction's best truth by share of joints right; each truth's best one."""
    share = np.zeros((len(found), len(truths)))
    for p, guess in enumerate(found):
        for g, real in enumerate(truths):
            right = 0
            for joint in real["points"]:
                right += near(guess, real, joint) is not None
            share[p, g] = right / len(real["points"])
    best = [int(np.argmax(row)) for row in share]
    pairs = {}
    for g in range(len(truths)):
        own = [(share[p, g], -p) for p in range(len(found)) if best[p] == g and share[p, g] > 0]
        if own:
            pairs[-max(own)[1]] = g
    return pairs


def near(guess: dict, real: dict, joint: int) -> float | None:
    """Distance in head sizes, or None beyond 0.5 and where a side lacks the joint."""
    if joint not in guess["points"] or joint not in real["points"]:
        return None
    (x, y, *_), (u, v, *_) = guess["points"][joint], real["points"][joint]
    x0, y0, x1, y1 = real["head"]
    far = math.hypot(x - u, y - v) / (0.6 * math.hypot(x1 - x0, y1 - y0))
    return far if far <= 0.5 else None


def voc(scored: list[tuple[float, bool]], truths: int) -> float:
    """PASCAL VOC's area under the curve, as poseval's VOCap."""
    order = sorted(range(len(scored)), key=lambda k: (scored[k][0], k), reverse=True)
    recall, precision, hits = [0.0], [0.0], 0
    for shown, k in enumerate(order, 1):
        hits += scored[k][1]
        recall.append(hits / truths)
        precision.append(hits / shown)
    recall.append(1.0)
    precision.append(0.0)
    for k in range(len(precision) - 2, -1, -1):
        precision[k] = max(precision[k], precision[k + 1])
    return sum((recall[k] - recall[k - 1]) * precision[k] for k in range(1, len(recall)))


def average_precision(frames: list[tuple[list[dict], list[dict]]], strict: bool) -> list[float]:
    """AP of each joint; frames are (truths, predictions), people without points included."""
    values = []
    for joint in range(JOINTS):
        scored, truths = [], 0
        for real, guesses in frames:
            if strict and not real:
                continue
            real, found = ([p for p in people if p["points"]] for people in (real, guesses))
            truths += sum(joint in p["points"] for p in real)
            pairs = assign(real, found) if real and found else {}
            for p, guess in enumerate(found):
                if joint in guess["points"]:
                    score = guess["points"][joint][2]
                    right = p in pairs and near(guess, real[pairs[p]], joint) is not None
                    scored.append((-9999 if math.isnan(score) else score, right))
        if truths:
            values.append(voc(scored, truths) if scored else 0.0)
        else:
            values.append(0.0 if strict and not scored else math.nan)
    return values


class Mot:
    """py-motmetrics' accumulator, its counts only."""

    def __init__(self) -> None:
        self.pairs: dict[int, int] = {}
        self.counts = defaultdict(float)

    def update(self, oids: list[int], hids: list[int], far: list[list[float]]) -> None:
        done = self._carried(oids, hids, far)
        cost = np.full((len(oids), len(hids)), 1e6)
        for i in set(range(len(oids))) - {i for i, _ in done}:
            for j in set(range(len(hids))) - {j for _, j in done}:
                cost[i, j] = 1e6 if math.isnan(far[i][j]) else far[i][j]
        for i, j in zip(*linear_sum_assignment(cost), strict=True):
            if cost[i, j] < 1e6:
                o, h = oids[i], hids[j]
                self.counts["switch" if o in self.pairs and self.pairs[o] != h else "match"] += 1
                self.pairs[o] = h
                done.append((i, j))
        self.counts["distance"] += sum(far[i][j] for i, j in done)
        self.counts["miss"] += len(oids) - len(done)
        self.counts["false"] += len(hids) - len(done)
        self.counts["objects"] += len(oids)

    def _carried(self, oids: list[int], hids: list[int], far: list[list[float]]) -> list[tuple[int, int]]:
        done: list[tuple[int, int]] = []
        for i, o in enumerate(oids):
            for j, h in enumerate(hids):
                free = all(j != other for _, other in done)
                if o in self.pairs and h == self.pairs[o] and free and not math.isnan(far[i][j]):
                    done.append((i, j))
                    self.counts["match"] += 1
                    break
        return done


def mota(sequences: list[list[tuple[list[dict], list[dict]]]], strict: bool) -> dict[str, float]:
    """Means over joints of MOTA, MOTP, precision, recall; counts summed over sequences."""
    total = [defaultdict(float) for _ in range(JOINTS)]
    for frames in sequences:
        kept = [frame for frame in frames if frame[0] or not strict]
        kept = kept[:-1] if strict else kept
        for joint in range(JOINTS):
            mot = Mot()
            for real, guesses in kept:
                real, found = ([p for p in people if p["points"]] for people in (real, guesses))
                if strict and not (real and found):
                    mot.update([0], [0], [[math.nan]])
                    continue
                real, found = ([p for p in people if joint in p["points"]] for people in (real, found))
                far = [[math.nan if (d := near(h, o, joint)) is None else d for h in found] for o in real]
                mot.update([p["id"] for p in real], [p["id"] for p in found], far)
            for name, value in mot.counts.items():
                total[joint][name] += value
    rows = defaultdict(list)
    for c in total:
        found = c["match"] + c["switch"]
        rows["MOTP"].append(1 - c["distance"] / found if found else 0.0)
        if found + c["false"]:
            rows["precision"].append(found / (found + c["false"]))
        if c["objects"]:
            rows["recall"].append(found / c["objects"])
            rows["MOTA"].append(1 - (c["miss"] + c["switch"] + c["false"]) / c["objects"])
    return {name: sum(values) / len(values) for name, values in rows.items()}
