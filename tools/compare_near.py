"""What it is worth to look again from near for people who were lost.

    python tools/compare_near.py [--synth FOLDER] [--splits train,val] [--quality fast]
                                                                            writes results/near.json

With and without it: who is who on tracks of the synthetic benchmark (`marey synth`; nothing that finds people
was trained on it), with paired bootstraps over clips; and on the demo clip how many boxes of how many people
the tracker gives, before anything is finished, in how many processor seconds.
"""

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from marey.core.folders import cache_dir
from marey.core.nouns import People
from marey.data import open_kind
from marey.data.sample import Sample
from marey.evaluation.clips import beside, by_clip, chain, recorded, times_of
from marey.evaluation.intervals import paired
from marey.evaluation.poses import Judged, judge
from marey.evaluation.result import commit, data_print
from marey.pipeline.plan import Plan, Quality, stages
from marey.video.read import read

RESULT = Path("results/near.json")
TRACKS = ("occlusion", "crowd", "identity", "fast")
WITHOUT, WITH = "without", "with"
AGAIN = {WITHOUT: 0, WITH: 4}
SHOWN = ("HOTA", "DetA", "AssA", "IDF1", "MOTA", "switches")


def followed(samples: list[Sample], quality: Quality, again: int) -> Judged:
    """Who is who, as `marey run` finds and finishes it."""
    recordings = {}
    for clip, places in by_clip(samples).items():
        own = [samples[k] for k in places]
        how = chain(Plan(quality=quality), times_of(own))
        settings = replace(how.finder.settings, again=again)
        how = replace(how, finder=replace(how.finder, settings=settings))
        recordings[clip] = recorded(own, times_of(own), how)
    return judge("tracks", samples, beside(samples, recordings))


def compared(samples: list[Sample], quality: Quality) -> dict[str, Any]:
    """Both ways on the same clips."""
    judged = {name: followed(samples, quality, again) for name, again in AGAIN.items()}

    def gains(weights: Any) -> dict[str, float]:
        with_, without = (judged[name].figures(weights) for name in (WITH, WITHOUT))
        return {name: with_[name] - without[name] for name in SHOWN if name in with_}

    figures = {name: {key: own.result.metrics[key] for key in SHOWN} for name, own in judged.items()}
    gained = paired(judged[WITH].clips, gains)
    return {"clips": len(by_clip(samples)), **figures, "gains": gained, "data": data_print(samples)}


def on_demo(clip: Path, quality: Quality) -> dict[str, dict[str, float]]:
    """Boxes, ids and processor seconds of finding and following."""
    video, found = read(clip), {}
    for name, again in AGAIN.items():
        finder, _ = stages(Plan(quality=quality), video.info.rate)
        settings = replace(finder.settings, again=again)
        network, begin = finder.load("cpu", 1), time.process_time()
        people: list[People] = list(finder.method.stage(iter(video), settings, network))
        seconds = time.process_time() - begin
        boxes, ids = sum(map(len, people)), {int(k) for each in people for k in each.ids}
        found[name] = {"boxes": boxes, "ids": len(ids), "seconds": round(seconds, 2)}
    return found


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--synth", type=Path, default=cache_dir() / "synth" / "whole")
    parser.add_argument("--splits", default="train,val")
    parser.add_argument("--quality", default="fast", choices=("fast", "balanced", "best"))
    args = parser.parse_args()
    result: dict[str, Any] = {"command": " ".join(["python", *sys.argv]), "commit": commit()}
    result["quality"] = args.quality
    demo = cache_dir() / "demo.mp4"
    if demo.is_file():
        result["demo"] = on_demo(demo, args.quality)
        print(json.dumps(result["demo"]), flush=True)
    for track in TRACKS:
        parts = [open_kind("synth", args.synth / track, split) for split in args.splits.split(",")]
        result[track] = compared([sample for part in parts for sample in part], args.quality)
        print(track, json.dumps(result[track]), flush=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    print(RESULT)


if __name__ == "__main__":
    main()
