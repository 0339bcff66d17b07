"""Errors in space and measures of motion, frame by frame, with scipy where it can; slow on purpose."""

import math
from itertools import pairwise

import numpy as np
from scipy.linalg import lstsq
from scipy.spatial.transform import Rotation


def present(*points: np.ndarray) -> bool:
    return all(not math.isnan(float(v)) for point in points for v in point)


def mpjpe(predicted: np.ndarray, truth: np.ndarray) -> float:
    """VideoPose3D's mpjpe over the joints both have."""
    far = [
        math.dist(predicted[t, j], truth[t, j])
        for t in range(len(truth))
        for j in range(truth.shape[1])
        if present(predicted[t, j], truth[t, j])
    ]
    return sum(far) / len(far)


def similar(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """P2: rotation by scipy's Kabsch, scale and shift by their closed forms, over the joints both have."""
    out = np.array(predicted)
    for t in range(len(truth)):
        both = [j for j in range(truth.shape[1]) if present(predicted[t, j], truth[t, j])]
        p, g = predicted[t, both], truth[t, both]
        p_middle, g_middle = p.mean(0), g.mean(0)
        turn, _ = Rotation.align_vectors(g - g_middle, p - p_middle)
        turned = turn.apply(p - p_middle)
        scale = float((turned * (g - g_middle)).sum() / (turned**2).sum())
        for j in both:
            out[t, j] = scale * turn.apply(predicted[t, j] - p_middle) + g_middle
    return out


def scaled(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """P3: the scale by least squares."""
    out = np.array(predicted)
    for t in range(len(truth)):
        both = [j for j in range(truth.shape[1]) if present(predicted[t, j], truth[t, j])]
        p, g = predicted[t, both], truth[t, both]
        out[t] = lstsq(p.reshape(-1, 1), g.reshape(-1))[0][0] * predicted[t]
    return out


def differences(track: list[list[float]], order: int) -> list[list[float]]:
    """x′ of each order by repeated subtraction."""
    for _ in range(order):
        track = [[b - a for a, b in zip(one, two, strict=True)] for one, two in pairwise(track)]
    return track


def motion_error(predicted: np.ndarray, truth: np.ndarray, order: int) -> float:
    """Mean |Δⁿp − Δⁿg|: MPJVE for 1, and compute_error_accel of Kanazawa et al. for 2."""
    sizes = []
    for j in range(truth.shape[1]):
        p, g = differences(predicted[:, j].tolist(), order), differences(truth[:, j].tolist(), order)
        far = [math.dist(a, b) for a, b in zip(p, g, strict=True)]
        sizes += [one for one in far if not math.isnan(one)]
    return sum(sizes) / len(sizes)


def pck3d(predicted: np.ndarray, truth: np.ndarray, within: float) -> float:
    right = total = 0
    for t in range(len(truth)):
        for j in range(truth.shape[1]):
            if present(truth[t, j]):
                total += 1
                right += present(predicted[t, j]) and math.dist(predicted[t, j], truth[t, j]) < within
    return right / total


def auc3d(predicted: np.ndarray, truth: np.ndarray) -> float:
    """mpii_compute_3d_pck.m: the mean over 0:5:150."""
    return sum(pck3d(predicted, truth, 5.0 * k) for k in range(31)) / 31


def jitter(track: np.ndarray, rate: float) -> float:
    """AGRoL: |x[3:] − 3x[2:-1] + 3x[1:-2] − x[:-3]| × fps³."""
    sizes = []
    for t in range(len(track) - 3):
        for j in range(track.shape[1]):
            third = [
                track[t + 3, j, d] - 3 * track[t + 2, j, d] + 3 * track[t + 1, j, d] - track[t, j, d]
                for d in range(track.shape[2])
            ]
            size = math.hypot(*third) * rate**3
            if not math.isnan(size):
                sizes.append(size)
    return sum(sizes) / len(sizes)


def jitter_2d(track: np.ndarray, heights: np.ndarray, rate: float) -> float:
    sizes = []
    for t in range(1, len(track) - 1):
        for j in range(track.shape[1]):
            second = [track[t - 1, j, d] - 2 * track[t, j, d] + track[t + 1, j, d] for d in (0, 1)]
            size = math.hypot(*second) * rate**2 / heights[t]
            if not math.isnan(size):
                sizes.append(size)
    return sum(sizes) / len(sizes)


def bone_variation(track: np.ndarray, bone: tuple[int, int]) -> float:
    lengths = [math.dist(track[t, bone[0]], track[t, bone[1]]) for t in range(len(track))]
    lengths = [one for one in lengths if not math.isnan(one)]
    middle = sum(lengths) / len(lengths)
    return math.sqrt(sum((one - middle) ** 2 for one in lengths) / len(lengths)) / middle


def still_rms(track: np.ndarray) -> float:
    squares = []
    for j in range(track.shape[1]):
        seen = [p for p in track[:, j].tolist() if not any(map(math.isnan, p))]
        middle = [sum(axis) / len(seen) for axis in zip(*seen, strict=True)]
        squares += [math.dist(p, middle) ** 2 for p in seen]
    return math.sqrt(sum(squares) / len(squares))


def foot_skate(feet: np.ndarray, rate: float, ground: float) -> float:
    speeds = []
    for t in range(len(feet) - 1):
        for f in range(feet.shape[1]):
            (x0, y0, z0), (x1, y1, z1) = feet[t, f].tolist(), feet[t + 1, f].tolist()
            if max(y0, y1) - ground < 50 and abs(y1 - y0) * rate < 200:
                speed = math.hypot(x1 - x0, z1 - z0) * rate
                if not math.isnan(speed):
                    speeds.append(speed)
    return sum(speeds) / len(speeds) if speeds else math.nan
