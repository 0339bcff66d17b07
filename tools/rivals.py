"""Score rivals and our own estimators on the same pictures, by the same protocols, in one run.

    python tools/rivals.py [--data ../shared/data] [--save NAME] [NETWORK …]

Rivals: MoveNet Lightning and Thunder with their own decoding. Data: LSP 801–1000 and the COCO validation
part, true boxes. NETWORK are marey's, by name or path of the card, with and without flip test. `--only
lsp,coco` leaves parts out. Detectors: `tools/compare_detectors.py`.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import openvino

from marey.core.nouns import Origin, People, Poses
from marey.core.skeletons import COCO17
from marey.data import open_kind
from marey.estimation.crops import cut_people
from marey.evaluation import evaluate
from marey.evaluation.measure import pose_all, true_boxes
from marey.evaluation.poses import POSE_PROTOCOLS, judge_poses
from marey.evaluation.result import Result, commit

PADDING = 1.25
SHOWN = ("PCK@0.2/12", "PCK@0.1/12", "PCK@0.2", "AP", "AP50")


class MoveNet:
    """MoveNet as it is: its single-pose decoding, no flip test."""

    def __init__(self, path: Path, side: int):
        self.side = side
        compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        self._request = compiled.create_infer_request()

    def __call__(self, people: Iterator[People]) -> Iterator[Poses]:
        for cut in cut_people(people, self.side, PADDING, 8):
            poses = np.zeros((0, 17, 3), np.float32)
            if len(cut.rgb):
                rgb = np.ascontiguousarray(cut.rgb.transpose(0, 3, 1, 2), np.float32)
                poses = self._request.infer({"rgb": rgb})["poses"].copy()
            for own, rows in cut.frames:
                xy, scores = cut.to_image(poses[..., :2], rows), poses[rows, :, 2]
                origin = np.full(scores.shape, Origin.MEASURED, np.uint8)
                nowhere = np.full((*scores.shape, 3), np.nan, np.float32)
                yield Poses(own, COCO17, xy, scores, origin, nowhere)


class Table:
    """Results by network and data, shown as they come."""

    def __init__(self) -> None:
        self.rows: dict[str, Result] = {}

    def add(self, name: str, data: str, result: Result) -> None:
        self.rows[f"{name}/{data}"] = result
        figures = "  ".join(f"{key} {result.metrics[key]:.4f}" for key in SHOWN if key in result.metrics)
        print(f"{name:28} {data:10} {figures}", flush=True)

    def save(self, name: str) -> None:
        path = Path("results") / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        held = {key: result.as_json() for key, result in self.rows.items()}
        told = {"commit": commit(), "command": " ".join(["python", *sys.argv]), "rows": held}
        path.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def poses(table: Table, kind: str, data: Path, networks: list[str]) -> None:
    """True boxes; rivals as they are, ours without and with flip test."""
    samples = open_kind(kind, data / kind, "val")
    for name, side in (("lightning", 192), ("thunder", 256)):
        rival = MoveNet(data / "teachers" / f"movenet-{name}.onnx", side)
        posed = pose_all(samples, true_boxes, rival)
        table.add(f"movenet-{name}", kind, judge_poses(POSE_PROTOCOLS[kind], samples, posed))
    for name in networks:
        for flip in (False, True):
            result = evaluate(name, f"{kind}:{data / kind}", "val", flip=flip)
            table.add(name + ("+flip" if flip else ""), kind, result)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("networks", nargs="*")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", default="lsp,coco")
    parser.add_argument("--save", metavar="NAME", help="write results/NAME.json")
    args = parser.parse_args()
    table = Table()
    for kind in args.only.split(","):
        poses(table, kind, args.data, args.networks)
    if args.save:
        table.save(args.save)


if __name__ == "__main__":
    main()
