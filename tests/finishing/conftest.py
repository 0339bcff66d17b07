"""Drawn people whose true motion is known."""

from dataclasses import replace

import numpy as np
import pytest

from marey.core.history import History
from marey.core.recording import Recording
from marey.core.rows import blank, concat
from marey.core.skeletons import COCO17

HEIGHT = 400.0


def walker(time_s, start=(200.0, 500.0), speed=150.0, noise=0.0, seed=0, steps_hz=1.0):
    """Joints (T, 17, 2) of someone who walks past, seen from the side: legs cross twice a stride."""
    rng = np.random.default_rng(seed)
    middle = start[0] + speed * time_s
    xy = np.zeros((len(time_s), 17, 2))

    def put(joint, x, y):
        xy[:, COCO17.index(joint)] = np.stack([middle + HEIGHT * x, start[1] + HEIGHT * (y + 0 * x)], 1)

    for side, sign, turn in (("left", 1, 0.0), ("right", -1, np.pi)):
        phase = 2 * np.pi * steps_hz * time_s + turn
        thigh, bend = 0.5 * np.sin(phase), 0.6 * np.clip(np.sin(phase - 1), 0, None)
        knee = 0.25 * np.sin(thigh), -0.5 + 0.25 * np.cos(thigh)
        upper = -0.4 * np.sin(phase)
        elbow = 0.18 * np.sin(upper), -0.82 + 0.18 * np.cos(upper)
        still = np.zeros_like(phase)
        put(f"{side}_hip", still + 0.01 * sign, -0.5)
        put(f"{side}_knee", *knee)
        put(f"{side}_ankle", knee[0] + 0.25 * np.sin(thigh - bend), knee[1] + 0.25 * np.cos(thigh - bend))
        put(f"{side}_shoulder", still + 0.02 * sign, -0.82)
        put(f"{side}_elbow", *elbow)
        put(f"{side}_wrist", elbow[0] + 0.15 * np.sin(upper + 0.3), elbow[1] + 0.15 * np.cos(upper + 0.3))
        put(f"{side}_eye", still + 0.04, -0.95)
        put(f"{side}_ear", still + 0.01 * sign, -0.95)
    put("nose", still + 0.06, -0.93)
    return xy + rng.normal(0, noise, xy.shape)


def as_rows(xy, time_s, person=1, score=0.8, first=0, look=None):
    """A person's rows, on frames from `first` on."""
    frame = np.arange(first, first + len(xy))
    low, high = np.nanmin(xy, 1) - 10, np.nanmax(xy, 1) + 10
    rows = blank(frame, np.asarray(time_s, np.float64), xy.shape[1], person)
    looks = rows.looks if look is None else np.tile(np.asarray(look, np.float16), (len(xy), 1))
    return replace(
        rows,
        boxes_px=np.concatenate([low, high], 1).astype(np.float32),
        box_scores=np.full(len(xy), 0.9, np.float32),
        looks=looks,
        xy_px=xy.astype(np.float32),
        raw_xy_px=xy.astype(np.float32),
        scores=np.full(xy.shape[:2], score, np.float32),
    )


def recording_of(time_s, *people):
    """A recording of all frames at `time_s`."""
    rows = concat(people, 17)
    return Recording.of(
        rows, np.arange(len(time_s)), np.asarray(time_s, np.float64), History(skeleton=COCO17)
    )


@pytest.fixture(scope="session")
def walk():
    return walker


@pytest.fixture(scope="session")
def rows_of():
    return as_rows


@pytest.fixture(scope="session")
def record():
    return recording_of
