"""The contact sheet of docs/synthetic.md: one frame of some tracks, and what is known of it.

    python tools/sheet_synth.py MOCAP [OUT.jpg] [TRACK:SEED ...]      writes docs/synthetic.jpg

Needs anny, OpenGL and motion capture. Joints: green seen, red hidden, grey outside; boxes hold whole bodies.
"""

import sys
from dataclasses import replace

import cv2
import numpy as np

from marey.synth.bench import TRACKS
from marey.synth.clip import frames, staged
from marey.synth.lens import exposed, lens
from marey.synth.scene import scene

SHOWN = ("single:21", "occlusion:5", "fast:3", "crowd:4", "identity:2")
COLOURS = ((110, 110, 110), (235, 40, 30), (40, 220, 60))
QUALITY = 82


def pair(track: str, seed: int, mocap: str) -> np.ndarray:
    """The first frame of a clip beside itself with its truth."""
    plan = scene(replace(TRACKS[track], mocap=mocap, seconds=0.04, views=1), seed)
    with staged(plan) as stage:
        drawn = next(frames(plan, stage))[0]
    rng = np.random.default_rng(seed)
    rgb = exposed(drawn.rgb, drawn.seen, lens(rng, 5.0), 0.0, rng)
    told = rgb.copy()
    masks = (drawn.seen.who * 47 % 200)[..., None] * np.array([1, 2, 3]) % 256
    told[drawn.seen.who > 0] = (0.65 * told + 0.35 * masks)[drawn.seen.who > 0].astype(np.uint8)
    for xy, sight in zip(drawn.shown.xy_px, drawn.shown.sight, strict=True):
        for (x, y), state in zip(xy, sight, strict=True):
            cv2.circle(told, (int(x), int(y)), 2, COLOURS[state], -1, cv2.LINE_AA)
    for box in drawn.shown.boxes_px.astype(int).tolist():
        cv2.rectangle(told, (box[0], box[1]), (box[2], box[3]), (250, 220, 40), 1)
    return np.hstack([rgb, told])


def main() -> None:
    """Draw and write the sheet."""
    mocap, *rest = sys.argv[1:] or [""]
    out, wanted = (rest or ["docs/synthetic.jpg"])[0], rest[1:] or list(SHOWN)
    rows = [pair(track, int(seed), mocap) for track, _, seed in (each.partition(":") for each in wanted)]
    page = cv2.resize(np.vstack(rows), None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA)
    cv2.imwrite(out, cv2.cvtColor(page, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    print(out, page.shape)


if __name__ == "__main__":
    main()
