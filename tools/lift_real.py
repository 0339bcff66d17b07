"""Check a lifter on a real clip, where there is no truth, by what every body obeys; and on held-out motions.

    python tools/lift_real.py [VIDEO] [--network dgnet] [--from 1.4] [--to 6] [--data ../shared/data/mocap]
    python tools/lift_real.py --against OTHER.toml

VIDEO is the clip that `make demo` fetches: someone walks across the picture, someone else stands on a roof.
Says of each person: how far the trunk leans, how often knees bend forward and the face looks forward (were
left taken for right, both would point back), how much bones vary before they are fixed, how far the result
lies from what was seen, and how high the ankles are. Held out are people of the motion capture whom no
network saw, before cameras as people hold them, with 2D that is exact and that errs as ours does; beside
another lifter, `--against`, on the same takes (takes resampled, 95 %). Writes results/lift-real.json.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import marey
from marey.core.folders import cache_dir
from marey.core.recording import Recording
from marey.evaluation.lifts import Sums, gain, take_sums
from marey.evaluation.lifts import figures as means
from marey.evaluation.result import commit
from marey.finishing.angles import angles
from marey.pipeline.plan import stage
from marey.training.bodies import Lifting
from marey.training.lifting import remembered, views

BENT_DEG = 20.0
"""A knee that is bent less than this has no direction worth counting."""
LONGEST = 90
"""Frames of a take that are judged."""
OUT = Path("results/lift-real.json")
GAINS = ("P1", "P2", "MPJVE_mm_s", "depth", "fast", "bones")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("video", nargs="?", type=Path, default=cache_dir() / "demo.mp4")
    asked.add_argument("--network", default="dgnet")
    asked.add_argument("--from", dest="from_s", type=float, default=1.4)
    asked.add_argument("--to", dest="to_s", type=float, default=6.0)
    asked.add_argument("--contacts", action="store_true")
    asked.add_argument("--data", type=Path, default=Path("../shared/data/mocap"))
    asked.add_argument("--against", metavar="CARD", help="another lifter to compare with on held-out people")
    asked.add_argument("--out", type=Path, default=OUT)
    args = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plan = {"lift": args.network, "contacts": args.contacts, "from_s": args.from_s, "to_s": args.to_s}
        recording = marey.run(args.video, folder, overlay=False, **plan)
    lift = recording.history.lift or {}
    made = {
        "video": args.video.name, "from_s": args.from_s, "to_s": args.to_s, "network": args.network,
        "weights": marey.load(args.network).card.sha256[:12],
        "camera": lift["camera_source"], "ground": lift["ground_source"], "scale": lift["scale_source"],
        **(judged(args.network, args.against, args.data) if args.data.is_dir() else {"held_out": None}),
        "people": {str(person): figures(recording, person) for person in recording.ids},
        "commit": commit(),
    }  # fmt: skip
    args.out.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(made, indent=2, ensure_ascii=False))


def judged(name: str, other: str | None, data: Path) -> dict[str, Any]:
    """The lifter's figures on held-out people, and what it gains over another."""
    own = held_out(name, data)
    shown = {word: {key: round(value, 4) for key, value in means(sums).items()} for word, sums in own.items()}
    if other is None:
        return {"held_out": shown}
    theirs = held_out(other, data)
    gains = {
        word: {
            key: {k: round(v, 4) for k, v in gain({1: own[word]}, {1: theirs[word]}, key).items()}
            for key in GAINS
        }
        for word in own
    }
    return {"held_out": shown, "against": {"weights": marey.load(other).card.sha256[:12], "gains": gains}}


def held_out(name: str, data: Path) -> dict[str, list[Sums]]:
    """Errors of each take, in mm of a person of 1.70 m, over people who are in the picture whole."""
    chosen = stage("lift", name)
    network = chosen.load("cpu")
    whole = Lifting(cut=0.0, crownless=0.0)
    motions = remembered(data, "val")
    found: dict[str, list[Sums]] = {}
    for word, level in (("clean", 0.0), ("noisy", 1.0)):
        takes = views(motions, whole, level, LONGEST, seed=5)
        lifted = chosen.method.stage((take.track for take in takes), chosen.settings, network)
        found[word] = [take_sums(out, take.truth) for out, take in zip(lifted, takes, strict=True)]
    return found


def figures(recording: Recording, person: int) -> dict[str, Any]:
    """The figures of one person: degrees, metres, shares."""
    lift = recording.history.lift or {}
    rows = recording.rows.person == person
    place = dict(zip(recording.skeleton.joints, recording.space.xyz_m[rows].transpose(1, 0, 2), strict=True))
    found = {name: values[rows] for name, values in angles(recording.space.xyz_m, recording.skeleton).items()}
    hips, shoulders = (
        (place[f"left_{joint}"] + place[f"right_{joint}"]) / 2 for joint in ("hip", "shoulder")
    )
    ahead = np.cross(place["left_hip"] - place["right_hip"], shoulders - hips)
    knees = [_forward(place, side, found[f"{side}_knee"], ahead) for side in ("left", "right")]
    face = ((place["nose"] - shoulders) * ahead).sum(-1)
    ankles = np.concatenate([place["left_ankle"][:, 1], place["right_ankle"][:, 1]])
    low, middle, high = np.nanpercentile(found["trunk"], (5, 50, 95))
    out = {
        "frames": int(rows.sum()),
        "trunk_deg": float(middle), "trunk_deg_5": float(low), "trunk_deg_95": float(high),
        "knees_forward": _share(np.concatenate(knees)), "face_forward": _share(face),
        "bones_vary": lift["bone_variation"][str(person)],
        "reprojection": lift["reprojection"][str(person)],
        "ankles_m": float(np.nanmedian(ankles)), "lowest_ankle_m": float(np.nanmin(ankles)),
    }  # fmt: skip
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in out.items()}


def _forward(place: dict[str, np.ndarray], side: str, bent: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """How far a bent knee lies before the line from hip to ankle."""
    hip, knee, ankle = (place[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
    off = ((knee - (hip + ankle) / 2) * ahead).sum(-1)
    return np.where(bent > BENT_DEG, off, np.nan)


def _share(values: np.ndarray) -> float:
    """Share of the known values that are above 0."""
    known = values[np.isfinite(values)]
    return float((known > 0).mean()) if len(known) else float("nan")


if __name__ == "__main__":
    main()
