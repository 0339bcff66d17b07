"""Measure how our own estimators err, as the noise that lifters are trained with is described.

    python tools/fit_noise.py [--network baseline-thunder] [--data ../shared/data] [--people 400] [--clips 40]

On stills (LSP's and COCO's validation parts: true boxes, all limb joints visible) how large errors are; on
clips (JHMDB's, as estimated and after finishing) how alike they are from frame to frame. Lengths are shares
of the longer side of the box of a person's true joints. Writes results/lift-noise.json; `Lifting` in
`training/bodies.py` takes its defaults from it.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from marey.core.history import History, Source
from marey.core.nouns import Frame, People, no_looks
from marey.core.recording import Recording, collect
from marey.data import open_kind
from marey.data.sample import Sample, State
from marey.evaluation.measure import pose_all, true_boxes
from marey.evaluation.result import commit
from marey.finishing import finish
from marey.pipeline.plan import stage

JOINTS = ("shoulder", "hip", "elbow", "knee", "wrist", "ankle")
NAMES = tuple(f"{side}_{joint}" for side in ("left", "right") for joint in JOINTS)
GROUPS = {"torso": ("shoulder", "hip"), "middle": ("elbow", "knee"), "end": ("wrist", "ankle")}
OTHER = [(k + 6) % 12 for k in range(12)]
LIMBS = ((0, 2, 4), (1, 3, 5))
"""Arm and leg of the left side, among NAMES."""
WILD = 0.1
"""An error above this share of the person is no noise about the joint (our choice)."""
LAGS = (1, 2, 3, 4, 6, 8)
OUT = Path("results/lift-noise.json")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--network", default="baseline-thunder")
    asked.add_argument("--data", type=Path, default=Path("../shared/data"))
    asked.add_argument("--people", type=int, default=400, help="people of each set of stills")
    asked.add_argument("--clips", type=int, default=40)
    args = asked.parse_args()
    chosen = stage("estimate", args.network)
    estimate = partial(chosen.method.stage, settings=chosen.settings, network=chosen.load("cpu"))
    made: dict[str, Any] = {"network": args.network, "wild": WILD, "unit": "longer side of the joints' box"}
    for kind in ("lsp", "coco"):
        held = [s for s in open_kind(kind, args.data / kind, "val") if _whole(s).any()]
        some = held[:: max(1, len(held) // args.people)]
        made[kind] = _sizes(*_stills(some, estimate))
        print(kind, made[kind], flush=True)
    samples = open_kind("jhmdb", args.data / "jhmdb", "val")
    clips = [list(own) for _, own in groupby(samples, lambda sample: sample.clip)]
    found = [_clip(clip, estimate) for clip in clips[:: max(1, len(clips) // args.clips)]]
    for k, word in enumerate(("raw", "finished")):
        off = [pair[k] for pair in found]
        made[f"jhmdb {word}"] = {**_sizes(np.concatenate(off), None), **_time(off)}
        print(word, made[f"jhmdb {word}"], flush=True)
    made["commit"] = commit()
    OUT.write_text(json.dumps(_rounded(made), indent=2) + "\n", encoding="utf-8")
    print(f"wrote {OUT}")


def _whole(sample: Sample) -> np.ndarray:
    """People of a picture whose limb joints are all visible and count."""
    truth = sample.truth
    columns = [truth.skeleton.index(name) for name in NAMES]
    return (truth.state[:, columns] == State.VISIBLE).all(1) & ~truth.ignore


def _stills(samples: Sequence[Sample], estimate: Any) -> tuple[np.ndarray, np.ndarray]:
    """Errors (N, 12, 2) of people, and those of the other side's joint."""
    off, other = [], []
    for sample, posed in zip(samples, pose_all(samples, true_boxes, estimate), strict=True):
        truth = sample.truth
        judged = truth.labelled.any(1) & ~truth.ignore & np.isfinite(truth.boxes_px).all(1)
        mine = _whole(sample)[judged]
        wanted = _named(truth.xy_px[judged], truth.skeleton)[mine]
        given = _named(posed.xy_px, posed.skeleton)[mine]
        size = _size(truth.xy_px[judged][mine])
        off.append((given - wanted) / size)
        other.append((given[:, OTHER] - wanted) / size)
    return np.concatenate(off), np.concatenate(other)


def _clip(samples: Sequence[Sample], estimate: Any) -> tuple[np.ndarray, np.ndarray]:
    """Errors (T, 12, 2) on a clip of one person, as estimated and after finishing."""
    poses = list(estimate(_people(samples)))
    history = History(poses[0].skeleton, Source("clip", samples[0].size))
    recording = collect(poses, history)
    wanted = np.concatenate([_named(sample.truth.xy_px, sample.truth.skeleton) for sample in samples])
    size = np.median(np.concatenate([_size(sample.truth.xy_px) for sample in samples]))
    return (_track(recording) - wanted) / size, (_track(finish(recording)) - wanted) / size


def _people(samples: Sequence[Sample]) -> Iterator[People]:
    for k, sample in enumerate(samples):
        boxes = sample.truth.boxes_px
        frame = Frame(k, sample.time_s, sample.rgb())
        yield People(frame, boxes, np.ones(1, np.float32), np.ones(1, np.int64), no_looks(1))


def _track(recording: Recording) -> np.ndarray:
    return _named(recording.rows.xy_px, recording.skeleton)


def _named(xy: np.ndarray, skeleton: Any) -> np.ndarray:
    return xy[:, [skeleton.index(name) for name in NAMES]].astype(np.float64)


def _size(xy: np.ndarray) -> np.ndarray:
    """Longer side of each person's joints (N, 1, 1)."""
    return (np.nanmax(xy, 1) - np.nanmin(xy, 1)).max(-1)[:, None, None]


def _sizes(off: np.ndarray, other: np.ndarray | None) -> dict[str, float]:
    """Standard deviation of each group by its median (Rayleigh's is 1.1774 σ), and what is no noise."""
    far = np.linalg.norm(off, axis=-1)
    found: dict[str, float] = {}
    for name, joints in GROUPS.items():
        own = far[:, [k for k, joint in enumerate(NAMES) if joint.endswith(joints)]]
        found[name] = float(np.nanmedian(own)) / 1.1774
        found[f"{name} wild"] = float((own > WILD).mean())
        kept = own[own <= WILD]
        found[f"{name} rms of the rest"] = float(np.sqrt((kept**2).mean() / 2))
    if other is not None:
        near = np.linalg.norm(other, axis=-1)
        limbs = [[*limb] for limb in LIMBS]
        swapped = [(near[:, limb].mean(1) < 0.5 * far[:, limb].mean(1)) for limb in limbs]
        found["swapped"] = float(np.mean(swapped))
    return found


def _time(clips: Sequence[np.ndarray]) -> dict[str, Any]:
    """How alike errors of frames are that lie apart by a lag, wild ones left out; with the time constant.

    `lasting` is the share of variance that stays through a clip (labels and network mean another point);
    the correlation is that of the rest, and the constant that of an exponential through the first lag.
    """
    sums = np.zeros((len(LAGS), 2))
    lasting, whole = 0.0, 0.0
    for off in clips:
        off = np.where(np.linalg.norm(off, axis=-1, keepdims=True) > WILD, np.nan, off)
        if len(off) < 15:
            continue
        mean = np.nanmean(off, 0, keepdims=True)
        rest = off - mean
        lasting += float(np.nansum(mean**2) * len(off))
        whole += float(np.nansum(off**2))
        for k, lag in enumerate(LAGS):
            pair = rest[lag:] * rest[:-lag]
            both = (rest[lag:] ** 2 + rest[:-lag] ** 2) / 2
            known = np.isfinite(pair)
            sums[k] += pair[known].sum(), both[known].sum()
    alike = sums[:, 0] / sums[:, 1]
    return {
        "lasting": lasting / whole,
        "alike": dict(zip(map(str, LAGS), alike.tolist(), strict=True)),
        "lasts_s": float(-1 / 30 / np.log(alike[0])),
    }


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(held) for key, held in value.items()}
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
