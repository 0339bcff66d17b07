"""CLEAR MOT, IDF1 and HOTA from their definitions, one pair at a time; slow on purpose.

A sequence is a list of frames (true ids, predicted ids, similarity as nested lists).
"""

import math

import numpy as np
from scipy.optimize import linear_sum_assignment

Frames = list[tuple[list[int], list[int], list[list[float]]]]


def best(gain: list[list[float]]) -> list[tuple[int, int]]:
    if not gain or not gain[0]:
        return []
    return [
        (int(i), int(j)) for i, j in zip(*linear_sum_assignment(np.array(gain), maximize=True), strict=True)
    ]


def clear(frames: Frames) -> dict[str, float]:
    last: dict[int, int] = {}
    before: dict[int, int] = {}
    out = {"TP": 0, "FN": 0, "FP": 0, "switches": 0, "similarity": 0.0, "fragments": 0}
    seen: dict[int, int] = {}
    hit: dict[int, int] = {}
    starts: dict[int, int] = {}
    for truths, found, alike in frames:
        for truth in truths:
            seen[truth] = seen.get(truth, 0) + 1
        gain = [
            [
                0.0 if alike[i][j] < 0.5 else alike[i][j] + 1000 * (before.get(t) == f)
                for j, f in enumerate(found)
            ]
            for i, t in enumerate(truths)
        ]
        pairs = [(i, j) for i, j in best(gain) if gain[i][j] > 0]
        out["TP"] += len(pairs)
        out["FN"] += len(truths) - len(pairs)
        out["FP"] += len(found) - len(pairs)
        for i, j in pairs:
            out["similarity"] += alike[i][j]
            out["switches"] += truths[i] in last and last[truths[i]] != found[j]
            hit[truths[i]] = hit.get(truths[i], 0) + 1
            last[truths[i]] = found[j]
        if truths and found:
            now = {truths[i]: found[j] for i, j in pairs}
            for truth in now.keys() - before.keys():
                starts[truth] = starts.get(truth, 0) + 1
            before = now
    out["fragments"] = sum(n - 1 for n in starts.values())
    shares = [hit.get(truth, 0) / n for truth, n in seen.items()]
    out["mostly_tracked"] = sum(s > 0.8 for s in shares)
    out["mostly_lost"] = sum(s < 0.2 for s in shares)
    return out


def identity(frames: Frames) -> tuple[int, int, int]:
    """IDTP, IDFN, IDFP of the assignment of tracks of least cost, with a place for 'nobody' each."""
    truths = sorted({t for frame in frames for t in frame[0]})
    found = sorted({f for frame in frames for f in frame[1]})
    size = len(truths) + len(found)
    cost = np.full((size, size), 1e9)
    cost[len(truths) :, len(found) :] = 0
    for i, t in enumerate(truths):
        length = sum(t in frame[0] for frame in frames)
        cost[i, len(found) + i] = length
        for j, f in enumerate(found):
            shared = sum(
                alike[real.index(t)][guess.index(f)] >= 0.5
                for real, guess, alike in frames
                if t in real and f in guess
            )
            cost[i, j] = length + sum(f in frame[1] for frame in frames) - 2 * shared
    for j, f in enumerate(found):
        cost[len(truths) + j, j] = sum(f in frame[1] for frame in frames)
    spent = sum(cost[i, j] for i, j in zip(*linear_sum_assignment(cost), strict=True))
    total = sum(len(frame[0]) + len(frame[1]) for frame in frames)
    pairs = round((total - spent) / 2)
    return pairs, sum(len(f[0]) for f in frames) - pairs, sum(len(f[1]) for f in frames) - pairs


def hota(frames: Frames) -> dict[str, float]:
    """Means over α of HOTA, DetA, AssA, from the sets TPA, FNA, FPA of every true positive."""
    together: dict[tuple[int, int], float] = {}
    for truths, found, alike in frames:
        for i, t in enumerate(truths):
            for j, f in enumerate(found):
                total = sum(alike[i]) + sum(row[j] for row in alike) - alike[i][j]
                together[t, f] = together.get((t, f), 0.0) + (alike[i][j] / total if total > 1e-12 else 0.0)
    length_t = {t: sum(t in f[0] for f in frames) for frame in frames for t in frame[0]}
    length_f = {p: sum(p in f[1] for f in frames) for frame in frames for p in frame[1]}
    fit = {(t, f): v / (length_t[t] + length_f[f] - v) for (t, f), v in together.items()}
    rows = []
    for step in range(1, 20):
        alpha = step / 20
        pairs = []
        for truths, found, alike in frames:
            gain = [[fit[t, f] * alike[i][j] for j, f in enumerate(found)] for i, t in enumerate(truths)]
            pairs += [(truths[i], found[j]) for i, j in best(gain) if alike[i][j] >= alpha - 1e-12]
        tp = len(pairs)
        fn = sum(len(f[0]) for f in frames) - tp
        fp = sum(len(f[1]) for f in frames) - tp
        association = 0.0
        for t, f in pairs:
            tpa = pairs.count((t, f))
            association += tpa / (tpa + (length_t[t] - tpa) + (length_f[f] - tpa))
        deta = tp / (tp + fn + fp)
        assa = association / tp if tp else 0.0
        rows.append((math.sqrt(deta * assa), deta, assa))
    return {name: sum(row[k] for row in rows) / 19 for k, name in enumerate(("HOTA", "DetA", "AssA"))}
