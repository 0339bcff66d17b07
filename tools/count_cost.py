"""What CLNet and its opponents cost: parameters and multiply-adds, counted both ways, nothing trained.

    python tools/count_cost.py [--save results/clnet-cost.json]

`exact`: a transposed convolution multiplies each weight once per cell that it reads. `charged`: once per cell
that it writes, as many published figures have it. Layers have shapes here but no numbers: it takes seconds.
"""

import argparse
import importlib
import json
from pathlib import Path
from typing import Any

import torch

from marey.core.settings import plain
from marey.evaluation.result import commit
from marey.methods.baseline import Baseline
from marey.methods.clnet import CLNet
from marey.training.export import gmac
from marey.trunks.mobilenet import ScaledConv

Settings = Baseline | CLNet
Size = tuple[int, int]

PAPER, FULL, SMALL = (192, 256), (256, 256), (128, 128)  # width, height
NETWORKS: dict[str, dict[str, tuple[Settings, Size]]] = {
    "r50-256x192": {
        "simplebaseline": (Baseline("r50", 256, "coco17"), PAPER),
        "clnet-s32": (CLNet("r50", 256, "coco17", stride=32), PAPER),
        "clnet-s32-neck": (CLNet("r50", 256, "coco17", stride=32, neck=True), PAPER),
        "clnet-s16": (CLNet("r50", 256, "coco17", stride=16), PAPER),
        "clnet-s16-neck": (CLNet("r50", 256, "coco17", stride=16, neck=True), PAPER),
    },
    "r50v2-128": {
        "simplebaseline": (Baseline("r50v2", 128), SMALL),
        "points": (Baseline("r50v2", 128, head="points"), SMALL),
        "clnet-s16": (CLNet("r50v2"), SMALL),
        "clnet-s16-neck": (CLNet("r50v2", neck=True), SMALL),
    },
    "r18-128": {
        "simplebaseline": (Baseline("r18", 128), SMALL),
        "clnet-s16": (CLNet("r18"), SMALL),
        "clnet-s32": (CLNet("r18", stride=32), SMALL),
    },
    "mobilenet-128": {
        "simplebaseline": (Baseline("mobilenet", 128), SMALL),
        "points": (Baseline("mobilenet", 128, head="points"), SMALL),
        "clnet-s16": (CLNet(), SMALL),
        "clnet-s16-neck": (CLNet(neck=True), SMALL),
        "clnet-s8": (CLNet(stride=8), SMALL),
        "clnet-s32": (CLNet(stride=32), SMALL),
    },
    "hourglass2-128": {
        "hourglass": (Baseline("hourglass", 128, width=128, stacks=2), SMALL),
        "clnet-a": (CLNet("hourglass", stride=4, width=128, stacks=2), SMALL),
        "clnet-b": (CLNet("hourglass", stride=8, width=128, stacks=2), SMALL),
    },
    "hourglass8-256": {
        "hourglass": (Baseline("hourglass", 256, "coco17", stacks=8), FULL),
        "clnet-a": (CLNet("hourglass", 256, "coco17", stride=4, stacks=8), FULL),
        "clnet-b": (CLNet("hourglass", 256, "coco17", stride=8, stacks=8), FULL),
    },
}
"""By trunk and input; the first of each is what the others are held against."""


def cost(settings: Settings, size: Size) -> dict[str, Any]:
    """Parameters (those of an exported file: scales are folded) and both counts of one network."""
    twin = importlib.import_module(f"marey.networks.{'clnet' if isinstance(settings, CLNet) else 'baseline'}")
    with torch.device("meta"):
        net = twin.build(settings).eval()
        scales = sum(part.scale.numel() for part in net.modules() if isinstance(part, ScaledConv))
        return {
            "parameters": sum(p.numel() for p in net.parameters()) - scales,
            "gmac": round(gmac(twin.Exported(net), size), 4),
            "gmac_charged": round(gmac(twin.Exported(net), size, charged=True), 4),
            "size": list(size),
            "settings": plain(settings),
        }


def table() -> dict[str, dict[str, Any]]:
    """Every network, with its share of the first one's cost."""
    found: dict[str, dict[str, Any]] = {}
    for group, members in NETWORKS.items():
        found[group] = {name: cost(settings, size) for name, (settings, size) in members.items()}
        first = next(iter(found[group].values()))
        for row in found[group].values():
            for key in ("gmac", "gmac_charged"):
                row[f"{key}_ratio"] = round(row[key] / first[key], 4)
    return found


def main() -> None:
    """Print the table and, if asked, save it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--save", type=Path, metavar="FILE")
    args = parser.parse_args()
    found = table()
    for group, rows in found.items():
        print(f"\n{group}")
        for name, row in rows.items():
            shares = f"{row['gmac_ratio']:.2f} exact, {row['gmac_charged_ratio']:.2f} charged"
            counts = f"{row['gmac']:7.3f} {row['gmac_charged']:7.3f} GMAC"
            print(f"  {name:18} {row['parameters'] / 1e6:6.2f} M {counts}   {shares}")
    if args.save:
        made = {"command": f"python tools/count_cost.py --save {args.save.as_posix()}", "commit": commit()}
        text = json.dumps({"networks": found, "made": made}, indent=2, ensure_ascii=False)
        args.save.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
