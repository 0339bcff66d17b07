"""HiEve's AP in its four readings, one prediction at a time, and the crowd index by counting; slow.

People are dictionaries {"points": {joint: (x, y)}, "box": (x0, y0, x1, y1), "score": s}.
"""

import math


def crowd_index(people: list[dict]) -> float:
    """CrowdPose, equation of the crowd index."""
    ratios = []
    for one in people:
        x0, y0, x1, y1 = one["box"]
        own = other = 0
        for person in people:
            for x, y in person["points"].values():
                if x0 <= x <= x1 and y0 <= y <= y1:
                    own += person is one
                    other += person is not one
        if own:
            ratios.append(other / own)
    return sum(ratios) / len(ratios) if ratios else 0.0


def share(guess: dict, real: dict) -> float:
    """Share of a truth's joints within half a head size, 0.6 × 2 × |nose − chest|."""
    head = 1.2 * math.dist(real["points"][0], real["points"][1])
    right = 0
    for joint, point in real["points"].items():
        right += joint in guess["points"] and math.dist(guess["points"][joint], point) <= 0.5 * head
    return right / len(real["points"])


def oks(guess: dict, real: dict, sigmas: list[float]) -> float:
    x0, y0, x1, y1 = real["box"]
    area = 0.53 * (x1 - x0) * (y1 - y0)
    total = 0.0
    for joint, point in real["points"].items():
        if joint in guess["points"]:
            total += math.exp(
                -(math.dist(guess["points"][joint], point) ** 2) / (2 * area * (2 * sigmas[joint]) ** 2)
            )
    return total / len(real["points"])


def judged(frame: dict, alike: list[list[float]], alpha: float) -> list[tuple[float, bool, float]]:
    """(score, right, weight) of each prediction of a frame."""
    rows = []
    truths = range(len(frame["truths"]))
    best = [max(truths, key=lambda g, p=p: alike[p][g]) if truths else None for p in range(len(alike))]
    for p, guess in enumerate(frame["found"]):
        g = best[p]
        rivals = [q for q in range(len(alike)) if best[q] == g]
        wins = g is not None and p == max(rivals, key=lambda q: alike[q][g])
        rows.append(
            (guess["score"], bool(wins and alike[p][g] > 0 and alike[p][g] >= alpha), frame["weight"])
        )
    return rows


def area(rows: list[tuple[float, bool, float]], truths: float) -> float:
    rows = sorted(rows, key=lambda row: -row[0])
    points, hits, shown = [], 0.0, 0.0
    for _, right, weight in rows:
        hits, shown = hits + weight * right, shown + weight
        points.append((hits / truths, hits / shown))
    total, reached = 0.0, 0.0
    for k, (recall, _) in enumerate(points):
        total += (recall - reached) * max(precision for _, precision in points[k:])
        reached = recall
    return total


def average_precision(
    frames: list[dict], likenesses: list[list[list[float]]], alpha: float, pooled: bool
) -> float:
    held = [(frame, judged(frame, alike, alpha)) for frame, alike in zip(frames, likenesses, strict=True)]
    if pooled:
        truths = sum(frame["weight"] * len(frame["truths"]) for frame, _ in held)
        return area([row for _, rows in held for row in rows], truths)
    posed = [(frame, rows) for frame, rows in held if frame["truths"]]
    plain = [
        (frame["weight"], area([(s, r, 1.0) for s, r, _ in rows], len(frame["truths"])))
        for frame, rows in posed
    ]
    return sum(w * value for w, value in plain) / sum(w for w, _ in plain)
