"""Each metric beside an independent one, on a random scene: what tests and tools/metric_parity.py run.

References are libraries (pycocotools, faster-coco-eval, and where fetched TrackEval and py-motmetrics) or
slow transcriptions of the published protocols (reference_*.py).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from marey.core.skeletons import CROWDPOSE14, FLIC11, LSP14, MPII16, POSETRACK15, Skeleton
from marey.metrics import boxes, crowding, hie, motion, mpjpe, oks, pck, pcp, posetrack, tracking
from marey.people.assign import assign
from metrics import (
    coco_scenes,
    judges,
    reference_hie,
    reference_pck,
    reference_posetrack,
    reference_space,
    reference_tracking,
    scenes,
)

Values = tuple[list[float], list[float]]
"""Ours and theirs."""


@dataclass(frozen=True)
class Check:
    """A metric, what it is held against, and how to get (ours, theirs) for a seed."""

    key: str
    metric: str
    reference: str
    values: Callable[[int], Values]

    def difference(self, seed: int) -> float:
        """Largest difference; infinite where only one of the two is NaN."""
        ours, theirs = (np.asarray(side, np.float64) for side in self.values(seed))
        same = np.isnan(ours) & np.isnan(theirs)
        off = np.where(same, 0.0, np.abs(ours - theirs))
        return float(np.where(np.isnan(off), np.inf, off).max())


FLIC_TORSO = ("right_shoulder", "left_hip")


def _rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def boxes_coco(seed: int) -> Values:
    scene = coco_scenes.box_scene(seed)
    held = boxes.evaluate(coco_scenes.box_images(scene))
    return [held[k] for k in coco_scenes.BOX_NAMES], list(coco_scenes.pycocotools(scene, "bbox"))


def keypoints(judge: Callable) -> Callable[[int], Values]:
    def values(seed: int) -> Values:
        scene = coco_scenes.keypoint_scene(seed)
        held = oks.evaluate(coco_scenes.keypoint_images(scene))
        return [held[k] for k in coco_scenes.KEYPOINT_NAMES], list(judge(scene, "keypoints"))

    return values


def crowdpose(seed: int) -> Values:
    scene = coco_scenes.keypoint_scene(seed, CROWDPOSE14)
    index = np.array([image["crowdIndex"] for image in scene[0]["images"]])
    held = oks.crowded(coco_scenes.keypoint_images(scene, CROWDPOSE14, boxed=True), index)
    theirs = coco_scenes.faster_crowd(scene, np.array(CROWDPOSE14.sigmas))
    return [held[k] for k in coco_scenes.CROWD_NAMES], list(theirs)


def pck_torso(skeleton: Skeleton, names: tuple[str, str], ends: tuple[int, int]) -> Callable[[int], Values]:
    def values(seed: int) -> Values:
        s = scenes.poses(_rng(seed), len(skeleton))
        length = pck.torso(s["truth"], skeleton, names)
        error = pck.errors(s["predicted"], s["truth"], np.ones_like(s["labelled"]), length)
        each, mean, area = reference_pck.eval_pck(s["predicted"], s["truth"], ends)
        return [*pck.per_joint(error, 0.2), pck.share(error, 0.2), pck.area(error)], [*each, mean, area]

    return values


def pck_boxed(seed: int) -> Values:
    ours, theirs = [], []
    for joints in (13, 15):
        s = scenes.poses(_rng(seed), joints)
        error = pck.errors(s["predicted"], s["truth"], s["labelled"], pck.side(s["boxes"]))
        for alpha in (0.05, 0.1, 0.2):
            ours += [pck.share(error, alpha), pck.macro(error, alpha)]
            theirs += reference_pck.boxed_pck(s["predicted"], s["truth"], s["labelled"], s["boxes"], alpha)
    return ours, theirs


def pckh(seed: int) -> Values:
    s, columns = scenes.poses(_rng(seed), 16), pck.PROTOCOLS["pckh"].columns(MPII16)
    error = pck.errors(s["predicted"], s["truth"], s["labelled"], pck.head(s["heads"]))[:, columns]
    theirs = [
        reference_pck.pckh(s["predicted"], s["truth"], s["labelled"], s["heads"], a) for a in (0.5, 0.1)
    ]
    return [pck.share(error, 0.5), pck.share(error, 0.1)], theirs


def pck_mmpose(seed: int) -> Values:
    s = scenes.poses(_rng(seed), 17)
    arrays = s["predicted"], s["truth"], s["labelled"]
    sizes = np.where(_rng(seed).random(len(s["truth"])) < 0.1, 0.0, 50.0)
    error, pixels = pck.errors(*arrays, sizes), pck.errors(*arrays, np.ones(len(sizes)))
    theirs = [
        reference_pck.mmpose_pck(*arrays, sizes.tolist(), 0.05),
        reference_pck.mmpose_auc(*arrays),
    ]
    return [pck.macro(error, 0.05, strict=True), pck.mean_below(pixels, 30.0)], theirs


def pixels(seed: int) -> Values:
    s = scenes.poses(_rng(seed), 7)
    scale = _rng(seed).uniform(0.3, 2, len(s["truth"]))
    arrays = s["predicted"], s["truth"], s["labelled"]
    error = pck.errors(*arrays, pck.pixel(scale))
    return list(pck.curve(error, [4, 6, 8, 20])), [
        reference_pck.within_pixels(*arrays, scale.tolist(), d) for d in (4, 6, 8, 20)
    ]


def limbs(seed: int) -> Values:
    s = scenes.poses(_rng(seed), len(LSP14))
    error = pcp.errors(pcp.sticks(s["predicted"], "lsp14"), pcp.sticks(s["truth"], "lsp14"))
    theirs = [reference_pck.pcp(s["predicted"], s["truth"], loose) for loose in (False, True)]
    return [pcp.share(error), pcp.share(error, loose=True)], theirs


def posetrack_ap(seed: int) -> Values:
    frames = scenes.posetrack_video(_rng(seed))
    plain = [scenes.as_people(frame) for frame in frames]
    ours, theirs = [], []
    for strict in (False, True):
        held = posetrack.average_precision(frames, strict_server=strict)
        ours += [held[joint] for joint in POSETRACK15.joints]
        theirs += reference_posetrack.average_precision(plain, strict)
    return ours, theirs


def posetrack_mota(seed: int) -> Values:
    videos = [scenes.posetrack_video(_rng(1000 * seed + k)) for k in range(2)]
    plain = [[scenes.as_people(frame) for frame in video] for video in videos]
    names = ("MOTA", "MOTP", "precision", "recall")
    ours, theirs = [], []
    for strict in (False, True):
        held = posetrack.mota([posetrack.track(video, assign, strict) for video in videos])
        reference = reference_posetrack.mota(plain, strict)
        ours += [held[name] for name in names]
        theirs += [reference[name] for name in names]
    return ours, theirs


def posetrack_motmetrics(seed: int) -> Values:
    video = scenes.posetrack_video(_rng(seed))
    held = posetrack.track(video, assign)
    ours = np.stack([held.misses, held.false, held.switches, held.pairs, held.truths]).T
    return ours.ravel().tolist(), judges.motmetrics_counts([scenes.as_people(frame) for frame in video])


def people_tracking(seed: int) -> Values:
    frames = scenes.crossing(_rng(seed))
    c = tracking.count(frames, assign)
    held = tracking.scores(c)
    plain = [(f.truths.tolist(), f.found.tolist(), f.similarity.tolist()) for f in frames]
    clear, ids = reference_tracking.clear(plain), reference_tracking.identity(plain)
    hota = reference_tracking.hota(plain)
    ours = [c.pairs, c.truths - c.pairs, c.found - c.pairs, c.switches, c.similarity, c.fragments]
    ours += [c.mostly_tracked, c.mostly_lost, c.id_pairs, c.truths - c.id_pairs, c.found - c.id_pairs]
    return [*ours, *(held[k] for k in hota)], [*clear.values(), *ids, *hota.values()]


def people_trackeval(seed: int) -> Values:
    sequences = [scenes.crossing(_rng(1000 * seed + k)) for k in range(2)]
    held = tracking.scores(tracking.combine([tracking.count(frames, assign) for frames in sequences]))
    theirs = judges.trackeval_scores(sequences)
    return [held[name] for name in theirs], list(theirs.values())


def hieve(seed: int) -> Values:
    frames = scenes.hie_frames(_rng(seed))
    ours, theirs = [], []
    for similarity in ("pckh_share", "oks"):
        held = [scenes.hie_frame(frame, similarity) for frame in frames]
        likenesses = [scenes.hie_likeness(frame, similarity) for frame in frames]
        for pooling in ("pooled", "frame_mean"):
            ours += list(hie.evaluate(held, similarity, pooling).values())[1:]
            theirs += [
                reference_hie.average_precision(frames, likenesses, alpha, pooling == "pooled")
                for alpha in (0.5, 0.75, 0.9)
            ]
    for frame in frames:
        xy, labelled, held = scenes.hie_arrays(frame["truths"])
        ours.append(crowding.crowd_index(xy, labelled, held))
        theirs.append(reference_hie.crowd_index(frame["truths"]))
    return ours, theirs


def space(seed: int) -> Values:
    truth, guess = scenes.bodies(_rng(seed), gaps=bool(seed % 2))
    ref = reference_space
    found = [guess, mpjpe.aligned(guess, truth), mpjpe.scaled(guess, truth)]
    theirs = [guess, ref.similar(guess, truth), ref.scaled(guess, truth)]
    ours = [mpjpe.mean(mpjpe.found(mpjpe.errors(one, truth))) for one in found]
    error = mpjpe.errors(found[1], truth)
    ours += [mpjpe.pck(error), mpjpe.area(error)]
    values = [ref.mpjpe(one, truth) for one in theirs]
    return ours, [*values, ref.pck3d(theirs[1], truth, 150), ref.auc3d(theirs[1], truth)]


def space_motion(seed: int) -> Values:
    truth, guess = scenes.bodies(_rng(seed), gaps=bool(seed % 2))
    orders = (1, 2, 3)
    ours = [mpjpe.mean(mpjpe.found(mpjpe.motion_errors(guess, truth, n))) for n in orders]
    return ours, [reference_space.motion_error(guess, truth, n) for n in orders]


def no_truth(seed: int) -> Values:
    track = scenes.bodies(_rng(seed), gaps=bool(seed % 2))[1] / 1000
    heights = _rng(seed).uniform(50, 300, len(track))
    feet = np.abs(_rng(seed).normal(0, 40, (50, 2, 3)).cumsum(0)) / 4
    ref = reference_space
    ours = [
        motion.jitter(track, 25), motion.jitter_2d(track[..., :2], heights, 25), motion.still_rms(track),
        *motion.bone_variation(track, [(0, 1), (3, 9)]), motion.foot_skate(feet, 25, 3.0),
    ]  # fmt: skip
    theirs = [
        ref.jitter(track, 25), ref.jitter_2d(track[..., :2], heights, 25), ref.still_rms(track),
        ref.bone_variation(track, (0, 1)), ref.bone_variation(track, (3, 9)), ref.foot_skate(feet, 25, 3.0),
    ]  # fmt: skip
    return ours, theirs


CHECKS = (
    Check("box_ap", "box AP", "pycocotools", boxes_coco),
    Check("oks_pycocotools", "OKS AP, COCO-17", "pycocotools", keypoints(coco_scenes.pycocotools)),
    Check("oks_faster", "OKS AP, COCO-17", "faster-coco-eval", keypoints(coco_scenes.faster)),
    Check("crowdpose", "OKS AP, CrowdPose-14, easy/medium/hard", "faster-coco-eval", crowdpose),
    Check("pck_lsp", "PCK and AUC, LSP", "eval_pose, transcribed", pck_torso(LSP14, pck.TORSO, (9, 2))),
    Check("pck_flic", "PCK and AUC, FLIC", "eval_pose, transcribed", pck_torso(FLIC11, FLIC_TORSO, (3, 10))),
    Check("pck_box", "PCK, Penn Action and sub-JHMDB", "LSTM Pose Machines, transcribed", pck_boxed),
    Check("pckh", "PCKh, MPII", "the MPII toolkit as ported, transcribed", pckh),
    Check("pck_mmpose", "PCK (<, macro) and AUC", "mmpose, transcribed", pck_mmpose),
    Check("pixels", "accuracy at d pixels", "Pfister et al., by hand", pixels),
    Check("pcp", "PCP strict and loose, LSP", "eval_pose, transcribed", limbs),
    Check("posetrack_ap", "PoseTrack AP, both modes", "poseval, transcribed", posetrack_ap),
    Check("posetrack_mota", "PoseTrack MOTA, MOTP, both modes", "poseval, transcribed", posetrack_mota),
    Check("tracking", "CLEAR MOT, IDF1, HOTA", "the definitions, transcribed", people_tracking),
    Check("hie", "HiEve AP, four readings; crowd index", "the definition, transcribed", hieve),
    Check("mpjpe", "MPJPE P1 to P3, mm; 3DPCK, AUC", "VideoPose3D, with scipy", space),
    Check("mpjve", "MPJVE, acceleration and jitter error, mm", "Kanazawa et al., transcribed", space_motion),
    Check("motion", "jitter, still RMS, bones, foot skate", "the definitions, transcribed", no_truth),
)
FETCHED = (
    Check("motmetrics", "PoseTrack's CLEAR MOT counts", "py-motmetrics 1.4.0", posetrack_motmetrics),
    Check("trackeval", "HOTA, IDF1, CLEAR MOT, two sequences", "TrackEval 1.3.0", people_trackeval),
)
