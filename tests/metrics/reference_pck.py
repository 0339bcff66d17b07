"""PCK and PCP, one joint at a time, as their published evaluators count them; slow on purpose."""

import math

import numpy as np
from scipy.integrate import quad

Point = tuple[float, float]


def distance(a: Point, b: Point) -> float:
    """NaN where a point is missing: no comparison with it holds."""
    return math.hypot(a[0] - b[0], a[1] - b[1])


def eval_pck(
    predicted: np.ndarray, truth: np.ndarray, torso: tuple[int, int]
) -> tuple[list[float], float, float]:
    """eval_pose's eval_pck: PCK@0.2 of each joint, of all together, and the area under 0:0.01:0.2."""
    images, joints = truth.shape[:2]
    far = [[0.0] * joints for _ in range(images)]
    for i in range(images):
        size = distance(truth[i, torso[0]], truth[i, torso[1]])
        for j in range(joints):
            far[i][j] = distance(predicted[i, j], truth[i, j]) / size
    steps = [k / 100 for k in range(21)]
    overall = [
        sum(far[i][j] <= a for i in range(images) for j in range(joints)) / (images * joints) for a in steps
    ]
    each = [sum(far[i][j] <= 0.2 for i in range(images)) / images for j in range(joints)]
    scaled = [a / 0.2 for a in steps]
    area, _ = quad(lambda x: float(np.interp(x, scaled, overall)), 0, 1, points=scaled[1:-1], limit=200)
    return each, overall[-1], area


def boxed_pck(
    predicted: np.ndarray, truth: np.ndarray, visible: np.ndarray, boxes: np.ndarray, alpha: float
) -> tuple[float, float]:
    """LSTM Pose Machines on Penn Action and sub-JHMDB: hits ÷ visible joints; the mean over joints."""
    hits, seen = [0] * truth.shape[1], [0] * truth.shape[1]
    for i in range(len(truth)):
        x0, y0, x1, y1 = boxes[i]
        size = max(x1 - x0, y1 - y0)
        for j in range(truth.shape[1]):
            if visible[i, j]:
                seen[j] += 1
                hits[j] += distance(predicted[i, j], truth[i, j]) <= alpha * size
    rates = [h / s for h, s in zip(hits, seen, strict=True) if s]
    return sum(hits) / sum(seen), sum(rates) / len(rates)


def pckh(
    predicted: np.ndarray, truth: np.ndarray, visible: np.ndarray, heads: np.ndarray, alpha: float
) -> float:
    """MPII: by 0.6 × the head box's diagonal, joints 6 and 7 left out, joints weighted by their number."""
    rates, weights = [], []
    for j in range(16):
        if j in (6, 7):
            continue
        right = seen = 0
        for i in range(len(truth)):
            x0, y0, x1, y1 = heads[i]
            size = 0.6 * math.sqrt((x1 - x0) ** 2 + (y1 - y0) ** 2)
            if visible[i, j]:
                seen += 1
                right += distance(predicted[i, j], truth[i, j]) / size <= alpha
        if seen:
            rates.append(right / seen)
            weights.append(seen)
    return sum(r * w for r, w in zip(rates, weights, strict=True)) / sum(weights)


def mmpose_pck(
    predicted: np.ndarray, truth: np.ndarray, visible: np.ndarray, sizes: list[float], alpha: float
) -> float:
    """mmpose's keypoint_pck_accuracy: strictly less, people without size left out, plain mean over joints."""
    rates = []
    for j in range(truth.shape[1]):
        far = [
            distance(predicted[i, j], truth[i, j]) / sizes[i]
            for i in range(len(truth))
            if visible[i, j] and sizes[i] != 0
        ]
        if far:
            rates.append(sum(one < alpha for one in far) / len(far))
    return sum(rates) / len(rates) if rates else 0.0


def mmpose_auc(predicted: np.ndarray, truth: np.ndarray, visible: np.ndarray) -> float:
    """mmpose's keypoint_auc: 20 thresholds of 30 px, the last of them 19/20."""
    sizes = [30.0] * len(truth)
    return sum(mmpose_pck(predicted, truth, visible, sizes, k / 20) / 20 for k in range(20))


def within_pixels(
    predicted: np.ndarray, truth: np.ndarray, visible: np.ndarray, scale: list[float], d: float
) -> float:
    """Accuracy at d pixels of the picture enlarged by `scale`."""
    right = seen = 0
    for i in range(len(truth)):
        for j in range(truth.shape[1]):
            if visible[i, j]:
                seen += 1
                a, b = predicted[i, j] * scale[i], truth[i, j] * scale[i]
                right += distance(a, b) <= d
    return right / seen


def _middle(points: np.ndarray, joints: tuple[int, ...]) -> tuple[float, float]:
    return tuple(sum(points[j][axis] for j in joints) / len(joints) for axis in (0, 1))


LSP_STICKS = [
    ((0,), (1,)), ((1,), (2,)), ((3,), (4,)), ((4,), (5,)), ((6,), (7,)), ((7,), (8,)), ((9,), (10,)),
    ((10,), (11,)), ((12,), (13,)), ((2, 3), (8, 9)),
]  # fmt: skip
"""keypoints2sticks.m, counted from 0."""


def pcp(predicted: np.ndarray, truth: np.ndarray, loose: bool) -> float:
    """eval_pose's eval_pcp at 0.5 on LSP's ten sticks, strict; or by the mean of both ends."""
    right = total = 0
    for guess, real in zip(predicted, truth, strict=True):
        for start, end in LSP_STICKS:
            ends = [(_middle(guess, e), _middle(real, e)) for e in (start, end)]
            length = distance(ends[0][1], ends[1][1])
            far = [distance(a, b) / length for a, b in ends]
            total += 1
            right += sum(far) / 2 <= 0.5 if loose else far[0] <= 0.5 and far[1] <= 0.5
    return right / total
