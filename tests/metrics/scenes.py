"""Random scenes in which all goes wrong: missing joints and people, doubles, ghosts, empty frames."""

import numpy as np

from marey.metrics import hie, oks, posetrack, tracking
from metrics import reference_hie


def poses(rng: np.random.Generator, joints: int, people: int = 40) -> dict[str, np.ndarray]:
    """Single people: truth, labels, boxes, head boxes, and a prediction with misses near and far, and NaN."""
    size = np.exp(rng.uniform(np.log(20), np.log(400), people))
    low = rng.uniform(0, 600, (people, 2))
    truth = low[:, None] + rng.uniform(0, 1, (people, joints, 2)) * size[:, None, None]
    noise = rng.choice([0.0, 0.02, 0.1, 0.3], (people, joints, 1)) * size[:, None, None]
    predicted = truth + rng.normal(0, 1, truth.shape) * noise
    predicted[rng.random((people, joints)) < 0.1] = np.nan
    predicted[rng.random(people) < 0.1] = np.nan
    labelled = rng.random((people, joints)) < rng.choice([0.1, 0.7, 1.0], (people, 1))
    boxes = np.concatenate([low, low + size[:, None] * rng.uniform(0.5, 1, (people, 2))], 1)
    heads = np.concatenate([low, low + size[:, None] * rng.uniform(0.1, 0.2, (people, 2))], 1)
    return {"predicted": predicted, "truth": truth, "labelled": labelled, "boxes": boxes, "heads": heads}


def bodies(rng: np.random.Generator, frames: int = 30, joints: int = 17, gaps: bool = True) -> np.ndarray:
    """A body that moves, mm, and a worse copy of it, turned and scaled: (2, T, J, 3), truth first."""
    shape = rng.normal(0, 300, (joints, 3))
    path = np.cumsum(rng.normal(0, 20, (frames, 1, 3)), 0)
    truth = shape + path + np.cumsum(rng.normal(0, 5, (frames, joints, 3)), 0)
    turn, _ = np.linalg.qr(rng.normal(0, 1, (3, 3)))
    predicted = rng.uniform(0.5, 1.5) * truth @ turn + rng.normal(0, rng.choice([5.0, 80.0]), truth.shape)
    if gaps:
        predicted[rng.random((frames, joints)) < 0.1] = np.nan
        truth[rng.random((frames, joints)) < 0.1] = np.nan
    return np.array([truth, predicted])


def crossing(rng: np.random.Generator, frames: int = 25, people: int = 5) -> list[tracking.Frame]:
    """People tracked badly: ids that switch, ghosts, misses, frames without either side."""
    ids, found = np.arange(people) * 3 + 7, rng.permutation(people) + 100
    result = []
    for _ in range(frames):
        if rng.random() < 0.2:
            a, b = rng.integers(0, people, 2)
            found[a], found[b] = found[b], found[a]
        if rng.random() < 0.1:
            found[rng.integers(people)] = found.max() + 1
        there, seen = rng.random(people) < 0.85, rng.random(people) < 0.8
        if rng.random() < 0.15:
            (there if rng.random() < 0.5 else seen)[:] = False
        alike = rng.uniform(0, 0.6, (people, people))
        alike[np.arange(people), np.arange(people)] = rng.uniform(0.2, 1, people)
        result.append(tracking.Frame(ids[there], found[seen], alike[there][:, seen]))
    return result


def posetrack_video(rng: np.random.Generator, frames: int = 12, people: int = 4) -> list[posetrack.Frame]:
    """Poses tracked badly, with joints missing on both sides, doubles, and frames without either side."""
    shape = rng.uniform(0, 100, (people, 15, 2)) + np.arange(people)[:, None, None] * rng.choice([20, 150])
    heads = rng.uniform(10, 40, people)
    found = np.arange(people) + 50
    result = []
    for _ in range(frames):
        shape = shape + rng.normal(0, 3, (people, 1, 2))
        if rng.random() < 0.3:
            a, b = rng.choice(people, 2, replace=False)
            found[a], found[b] = found[b], found[a]
        truth = np.where(rng.random((people, 15, 1)) < 0.2, np.nan, shape)
        guess = shape + rng.normal(0, 1, shape.shape) * rng.choice([1, 6, 30], (people, 15, 1))
        guess[rng.random((people, 15)) < 0.2] = np.nan
        there, seen = rng.random(people) < 0.85, rng.random(people) < 0.85
        truth[rng.random(people) < 0.1], guess[rng.random(people) < 0.1] = np.nan, np.nan
        if rng.random() < 0.3:
            (there if rng.random() < 0.5 else seen)[:] = False
        guess, ids = guess[seen], found[seen]
        if len(guess) and rng.random() < 0.5:
            guess, ids = np.concatenate([guess, guess[:1] + 1]), np.append(ids, 99)
        scores = rng.permutation(len(guess) * 15).reshape(-1, 15) + rng.random((len(guess), 15))
        result.append(
            posetrack.Frame(guess, scores, ids, truth[there], heads[there], np.arange(people)[there])
        )
    return result


def as_people(frame: posetrack.Frame) -> tuple[list[dict], list[dict]]:
    """A frame as the server's files have it: (truths, predictions)."""

    def points(xy: np.ndarray, scores: np.ndarray) -> dict:
        seen = np.flatnonzero(np.isfinite(xy).all(-1))
        return {int(j): (*xy[j].tolist(), float(scores[j])) for j in seen}

    truths = [
        {"points": points(xy, np.zeros(len(xy))), "id": int(own), "head": (0.0, 0.0, head / 0.6, 0.0)}
        for xy, head, own in zip(frame.truth, frame.head_px, frame.truth_ids, strict=True)
    ]
    found = [
        {"points": points(xy, scores), "id": int(own)}
        for xy, scores, own in zip(frame.xy, frame.scores, frame.ids, strict=True)
    ]
    return truths, found


def hie_frames(rng: np.random.Generator, frames: int = 12) -> list[dict]:
    """Frames of HiEve's 14 joints as dictionaries; nose and chest are always labelled."""
    result = []
    for _ in range(frames):
        truths, found = [], []
        for _ in range(rng.integers(0, 5)):
            low, size = rng.uniform(0, 300, 2), rng.uniform(50, 200)
            xy = low + rng.uniform(0, size, (14, 2))
            seen = np.append([True, True], rng.random(12) < 0.7)
            box = (*low.tolist(), *(low + size).tolist())
            points = {j: tuple(xy[j].tolist()) for j in np.flatnonzero(seen).tolist()}
            truths.append({"points": points, "box": box})
            for _ in range(rng.integers(0, 4)):
                guess = xy + rng.normal(0, rng.choice([1, 10, 40]), xy.shape)
                shown = np.flatnonzero(rng.random(14) < 0.9).tolist()
                found.append({"points": {j: tuple(guess[j].tolist()) for j in shown}, "score": rng.random()})
        result.append({"truths": truths, "found": found, "weight": float(rng.uniform(1, 5))})
    return result


def hie_arrays(people: list[dict]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joints, which are there, and boxes (NaN where there are none)."""
    xy = np.full((len(people), 14, 2), np.nan)
    for k, person in enumerate(people):
        for joint, point in person["points"].items():
            xy[k, joint] = point
    boxes = np.array([person.get("box", (np.nan,) * 4) for person in people], float).reshape(-1, 4)
    return xy, np.isfinite(xy).all(-1), boxes


def hie_frame(frame: dict, similarity: str) -> hie.Frame:
    """A frame as marey scores it."""
    truth, labelled, boxes = hie_arrays(frame["truths"])
    xy = hie_arrays(frame["found"])[0]
    if similarity == "oks":
        people = oks.People(truth, labelled, boxes, oks.box_areas(boxes), np.zeros(len(truth), bool))
        alike = oks.oks(xy, people, hie.SIGMAS)
    else:
        alike = hie.pckh_share(xy, truth, labelled, hie.head_px(truth))
    return hie.Frame(alike, np.array([p["score"] for p in frame["found"]], float), frame["weight"])


def hie_likeness(frame: dict, similarity: str) -> list[list[float]]:
    """The same by the slow reference."""
    sigmas = hie.SIGMAS.tolist()
    return [
        [
            reference_hie.oks(guess, real, sigmas)
            if similarity == "oks"
            else reference_hie.share(guess, real)
            for real in frame["truths"]
        ]
        for guess in frame["found"]
    ]
