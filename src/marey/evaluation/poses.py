"""From poses to figures: what is compared with what, protocol by protocol.

`pck-torso`        PCK@0.2 ≤, the torso's diagonal (LSP: left shoulder to right hip; FLIC: the other), micro
`pck-box`          PCK@0.2 ≤, longer side of the person's box (JHMDB: of the mask's)
`pck-box-visible`  the same over visible joints (Penn Action)
`pckh`             PCKh@0.5 ≤ without pelvis and thorax (MPII)
`pixels`           joints within 6 px (BBC Pose, ChaLearn, Poses in the Wild)
`coco`             keypoint AP: score = box score × mean joint score, no suppression, 20 estimates an image
`crowdpose`        the same over 14 joints, with easy, medium and hard pictures, nobody cut off
`posetrack`        AP of each of 15 joints within half a head, macro
`posetrack-tracks` MOTA of each of 15 joints within half a head, macro
`tracks`           HOTA, IDF1, CLEAR MOT of people by OKS
`hieve`            HiEve's AP, weighted or not, in four readings
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from marey.core.errors import DataError
from marey.data.sample import Sample
from marey.evaluation.by_ap import keypoint_ap, posetrack_ap
from marey.evaluation.by_hieve import hieve_ap
from marey.evaluation.by_pck import pck_family
from marey.evaluation.by_tracks import joint_tracks, people_tracks
from marey.evaluation.intervals import bootstrap, paired
from marey.evaluation.judged import Judged
from marey.evaluation.measure import Posed
from marey.evaluation.result import Result
from marey.metrics import pck

Name = Literal[
    "pck-torso", "pck-box", "pck-box-visible", "pckh", "pixels", "coco", "crowdpose", "posetrack",
    "posetrack-tracks", "tracks", "hieve",
]  # fmt: skip
TRACKS = ("posetrack-tracks", "tracks")
"""Protocols that need to know who is who from picture to picture."""

POSE_PROTOCOLS: dict[str, Name] = {
    "lsp": "pck-torso",
    "lspet": "pck-torso",
    "flic": "pck-torso",
    "mpii": "pckh",
    "penn": "pck-box-visible",
    "jhmdb": "pck-box",
    "jhmdb_sub": "pck-box",
    "jhmdb_sub2": "pck-box",
    "jhmdb_sub3": "pck-box",
    "bbc": "pixels",
    "chalearn": "pixels",
    "poses_in_the_wild": "pixels",
    "coco": "coco",
    "crowdpose": "crowdpose",
    "posetrack18": "posetrack",
    "posetrack21": "posetrack",
    "hie": "hieve",
    "synth": "coco",
    "bench": "coco",
}
"""What poses are judged by, unless another is asked for."""

OTHERS: dict[str, Callable[[Sequence[Sample], Sequence[Posed]], Judged]] = {
    "posetrack": posetrack_ap,
    "posetrack-tracks": joint_tracks,
    "tracks": people_tracks,
    "hieve": hieve_ap,
}


def judge_poses(name: Name, samples: Sequence[Sample], posed: Sequence[Posed]) -> Result:
    """Compare poses with their truth.

    Raises
    ------
    DataError
        If the protocol does not fit the data, or nothing in them can be compared.
    """
    judged = judge(name, samples, posed)
    if name in TRACKS and len(judged.clips) < 2:  # one clip says nothing of others
        return judged.result
    return replace(judged.result, intervals=bootstrap(judged.clips, judged.figures))


def compare_poses(
    name: Name, samples: Sequence[Sample], posed: Sequence[Posed], other: Sequence[Posed]
) -> dict[str, dict[str, float]]:
    """How much better `posed` is than `other` on the same pictures, by the figures both have.

    For each: `difference`, its 95 % interval `low` … `high` by a paired bootstrap (both are drawn together),
    and `better`, the share of draws in which `posed` is ahead.
    """
    first, second = judge(name, samples, posed), judge(name, samples, other)

    def differences(weights: np.ndarray) -> dict[str, float]:
        ours, theirs = first.figures(weights), second.figures(weights)
        return {key: ours[key] - theirs[key] for key in ours if key in theirs}

    return paired(first.clips, differences)


def judge(name: Name, samples: Sequence[Sample], posed: Sequence[Posed]) -> Judged:
    """Compare poses with their truth, intervals still to be made; raises as `judge_poses`."""
    if not any(sample.truth.labelled.any() for sample in samples):
        raise DataError(f"{samples[0].kind}: no joint is labelled in this split; choose data with poses")
    if name in pck.PROTOCOLS:
        return pck_family(name, samples, posed)
    if name in OTHERS:
        return OTHERS[name](samples, posed)
    return keypoint_ap(name, samples, posed)
