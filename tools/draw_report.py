"""Draw the page that docs/evaluation.md shows: the shipped estimator on the drawn walker, ever more blurred.

    python tools/draw_report.py FOLDER        writes FOLDER/lsp (pictures, labels) and FOLDER/report.html

The walker of the sample clip is drawn, so its joints are known and its pictures may be shown. Blurred it is
hard enough that scores, curve and worst people have something to tell. Its joints of LSP are those of marey's
skeleton with the same names; the pictures are enlarged, not cut.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import scipy.io

from marey.core.folders import sample_clip
from marey.core.skeletons import LSP14, MAREY19
from marey.evaluation import evaluate_network
from marey.report import write_page
from marey.video.read import read

EVERY = 3
BLURRED_PX = 9.0
"""Standard deviation of the blur on the last picture."""
NETWORK = "baseline-lightning"


def draw(folder: Path) -> int:
    """Write the walker as LSP: pictures and labels; how many."""
    truth = np.load(sample_clip().with_suffix(".npz"))["xy_px"]
    xy = MAREY19.converter(LSP14)(truth.astype(np.float32))
    frames = [frame for frame in read(sample_clip()) if frame.index % EVERY == 0]
    joints = np.zeros((3, len(LSP14), len(frames)))
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for k, frame in enumerate(frames):
        spread = 0.1 + BLURRED_PX * k / len(frames)
        bgr = cv2.GaussianBlur(cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2BGR), (0, 0), spread)
        cv2.imwrite(str(folder / "images" / f"im{k + 1:04d}.jpg"), bgr)
        joints[:2, :, k] = xy[frame.index].T + 0.5  # LSP counts pixels from 1
    scipy.io.savemat(folder / "joints.mat", {"joints": joints})
    return len(frames)


def main() -> None:
    """Draw, measure, write the page."""
    parser = argparse.ArgumentParser(description="draw the page that docs/evaluation.md shows")
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    count = draw(args.folder / "lsp")
    done = evaluate_network(NETWORK, f"lsp:{args.folder / 'lsp'}", "all")
    write_page(args.folder / "report.html", done)
    print(f"{args.folder / 'report.html'}: {count} pictures, {done.result.value:.3f}")


if __name__ == "__main__":
    main()
