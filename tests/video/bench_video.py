"""Speed of the video room beside bare PyAV, a frame: python tests/video/bench_video.py CLIP.

Processor time, not wall time, so that other work on the machine disturbs little. Nothing here is asserted.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np

from marey.core.skeletons import COCO17
from marey.video.draw import draw_poses
from marey.video.read import read
from marey.video.write import Writer

FRAMES = 100


def decoded(path: str) -> Iterator[av.VideoFrame]:
    with av.open(path) as source:
        stream = source.streams.video[0]
        stream.thread_type = "AUTO"
        yield from source.decode(stream)


def measure(name: str, work: Callable[[], int]) -> None:
    began, wall = time.process_time(), time.perf_counter()
    count = max(work(), 1)
    used, passed = time.process_time() - began, time.perf_counter() - wall
    print(
        f"{name:34s} {1e3 * used / count:8.2f} ms cpu {1e3 * passed / count:8.2f} ms wall  ({count} frames)"
    )


def main(path: str) -> None:
    video = read(path)
    kept = [frame for frame in video.frames(0, 40)]
    rng = np.random.default_rng(0)
    xy = (rng.random((1, 17, 2)) * (0.3, 0.8) * video.info.size).astype(np.float32)
    scores, ids = np.ones((1, 17), np.float32), np.array([1])

    def write() -> int:
        with (
            tempfile.TemporaryDirectory() as folder,
            Writer(Path(folder) / "o.mp4", video.info.size, video) as out,
        ):
            for frame in kept:
                out.write(frame.rgb, frame.time_s)
        return len(kept)

    measure("open (packet scan)", lambda: len(read(path)))
    measure("PyAV decode", lambda: sum(1 for _, _ in zip(range(FRAMES), decoded(path), strict=False)))
    bare = (frame.to_ndarray(format="rgb24") for frame in decoded(path))
    measure("PyAV decode and to_ndarray", lambda: sum(1 for _, _ in zip(range(FRAMES), bare, strict=False)))
    measure("Video.frames", lambda: sum(1 for _ in video.frames(0, FRAMES)))
    measure(
        "draw_poses, one large person",
        lambda: len([draw_poses(f.rgb, xy, scores, ids, COCO17) for f in kept]),
    )
    measure("Writer", write)


if __name__ == "__main__":
    main(sys.argv[1])
