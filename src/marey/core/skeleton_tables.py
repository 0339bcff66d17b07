"""The tables behind `core.skeletons`: joint orders, limbs and sigmas as their sources print them.

`l_` and `r_` stand for `left_` and `right_`. Left/right pairs follow from the names; only the face's, whose
joints are numbered, are spelt out. Limbs marked `ours` have no official list. Sigmas are given where the
data set or its tool publishes them for that order.
"""

from dataclasses import dataclass

Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One skeleton as printed by its source; `flips` are the pairs that names do not tell."""

    joints: str
    limbs: Pairs
    sigmas: tuple[float, ...] | None = None
    flips: Pairs = ()
    parents: tuple[int, ...] | None = None


# COCO (Lin et al. 2014); limbs and sigmas of pycocotools.
_COCO = (
    "nose l_eye r_eye l_ear r_ear l_shoulder r_shoulder l_elbow r_elbow l_wrist r_wrist l_hip r_hip "
    "l_knee r_knee l_ankle r_ankle"
)
_COCO_LIMBS = (
    (15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8), (7, 9),
    (8, 10), (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6),
)  # fmt: skip
_COCO_SIGMAS = (
    0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087,
    0.087, 0.089, 0.089,
)  # fmt: skip

# COCO-WholeBody (Jin et al. 2020): 17 body, 6 feet, 68 face, 21 for each hand. Finger limbs are ours.
_FINGERS = ("thumb", "forefinger", "middle", "ring", "pinky")
_HAND_SIGMAS = (
    0.029, 0.022, 0.035, 0.037, 0.047, 0.026, 0.025, 0.024, 0.035, 0.018, 0.024, 0.022, 0.026, 0.017,
    0.021, 0.021, 0.032, 0.02, 0.019, 0.022, 0.031,
)  # fmt: skip
_FACE_SIGMAS = (
    0.042, 0.043, 0.044, 0.043, 0.040, 0.035, 0.031, 0.025, 0.020, 0.023, 0.029, 0.032, 0.037, 0.038, 0.043,
    0.041, 0.045, 0.013, 0.012, 0.011, 0.011, 0.012, 0.012, 0.011, 0.011, 0.013, 0.015, 0.009, 0.007, 0.007,
    0.007, 0.012, 0.009, 0.008, 0.016, 0.010, 0.017, 0.011, 0.009, 0.011, 0.009, 0.007, 0.013, 0.008, 0.011,
    0.012, 0.010, 0.034, 0.008, 0.008, 0.009, 0.008, 0.008, 0.007, 0.010, 0.008, 0.009, 0.009, 0.009, 0.007,
    0.007, 0.008, 0.011, 0.008, 0.008, 0.008, 0.01, 0.008,
)  # fmt: skip
_FACE_FLIPS = (
    *((k, 62 - k) for k in range(23, 31)),
    (40, 49), (41, 48), (42, 47), (43, 46), (44, 45), (54, 58), (55, 57), (59, 68), (60, 67), (61, 66),
    (62, 65), (63, 70), (64, 69), (71, 77), (72, 76), (73, 75), (78, 82), (79, 81), (83, 87), (84, 86),
    (88, 90),
)  # fmt: skip


def _hand(side: str) -> str:
    fingers = (f"{side}_{finger}{k}" for finger in _FINGERS for k in range(1, 5))
    return " ".join((f"{side}_hand_root", *fingers))


def _hand_limbs(root: int) -> Pairs:
    first = range(root + 1, root + 21, 4)
    return (*((root, k) for k in first), *((k + j, k + j + 1) for k in first for j in range(3)))


_WHOLEBODY = Table(
    f"{_COCO} l_big_toe l_small_toe l_heel r_big_toe r_small_toe r_heel "
    f"{' '.join(f'face_{k}' for k in range(68))} {_hand('l')} {_hand('r')}",
    (
        *_COCO_LIMBS, (15, 17), (15, 18), (15, 19), (16, 20), (16, 21), (16, 22),
        *_hand_limbs(91), *_hand_limbs(112),
    ),
    (*_COCO_SIGMAS, 0.068, 0.066, 0.066, 0.092, 0.094, 0.094, *_FACE_SIGMAS, *_HAND_SIGMAS, *_HAND_SIGMAS),
    _FACE_FLIPS,
)  # fmt: skip

# Halpe-FullBody (Fang et al.): README; limbs of mmpose; sigmas of halpecocotools.
_HALPE = Table(
    f"{_COCO} head neck hip l_big_toe r_big_toe l_small_toe r_small_toe l_heel r_heel",
    (
        (15, 13), (13, 11), (11, 19), (16, 14), (14, 12), (12, 19), (17, 18), (18, 19), (18, 5), (5, 7),
        (7, 9), (18, 6), (6, 8), (8, 10), (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6), (15, 20),
        (15, 22), (15, 24), (16, 21), (16, 23), (16, 25),
    ),
    (*_COCO_SIGMAS, 0.026, 0.026, 0.066, 0.079, 0.079, 0.079, 0.079, 0.079, 0.079),
)  # fmt: skip

# OpenPose (Cao et al.): poseParameters.cpp. Its "Neck" is made as the middle of the shoulders: mid_shoulder.
_BODY_25 = Table(
    "nose mid_shoulder r_shoulder r_elbow r_wrist l_shoulder l_elbow l_wrist mid_hip r_hip r_knee r_ankle "
    "l_hip l_knee l_ankle r_eye l_eye r_ear l_ear l_big_toe l_small_toe l_heel r_big_toe r_small_toe r_heel",
    (
        (1, 8), (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (8, 9), (9, 10), (10, 11), (8, 12), (12, 13),
        (13, 14), (1, 0), (0, 15), (15, 17), (0, 16), (16, 18), (14, 19), (19, 20), (14, 21), (11, 22),
        (22, 23), (11, 24),
    ),
)  # fmt: skip
_COCO_18 = Table(
    "nose mid_shoulder r_shoulder r_elbow r_wrist l_shoulder l_elbow l_wrist r_hip r_knee r_ankle l_hip "
    "l_knee l_ankle r_eye l_eye r_ear l_ear",
    (
        (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13),
        (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
    ),
)  # fmt: skip

# Leeds Sports Pose (Johnson & Everingham 2010): README; sticks of eval_pose.
_LSP_BODY = "r_ankle r_knee r_hip l_hip l_knee l_ankle r_wrist r_elbow r_shoulder l_shoulder l_elbow l_wrist"
_LSP_LIMBS = ((0, 1), (1, 2), (3, 4), (4, 5), (6, 7), (7, 8), (9, 10), (10, 11))
_LSP = Table(f"{_LSP_BODY} neck head_top", (*_LSP_LIMBS, (12, 13)))

# MPII Human Pose (Andriluka et al. 2014).
_MPII = Table(
    "r_ankle r_knee r_hip l_hip l_knee l_ankle pelvis thorax upper_neck head_top r_wrist r_elbow r_shoulder "
    "l_shoulder l_elbow l_wrist",
    (
        (0, 1), (1, 2), (2, 6), (6, 3), (3, 4), (4, 5), (6, 7), (7, 8), (8, 9), (8, 12), (12, 11), (11, 10),
        (8, 13), (13, 14), (14, 15),
    ),
)  # fmt: skip

# PoseTrack 2017 in the order of poseval, and 2018 (its ears are never filled). Neck–nose–top limbs are ours.
_POSETRACK_15 = Table(f"{_LSP_BODY} neck nose head_top", (*_LSP_LIMBS, (12, 13), (13, 14)))
_POSETRACK_18 = Table(
    f"nose head_bottom head_top {_COCO.split(maxsplit=3)[3]}",
    (
        (15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8), (7, 9),
        (8, 10), (0, 1), (0, 2), (1, 5), (1, 6),
    ),
)  # fmt: skip

# CrowdPose (Li et al. 2019).
_CROWDPOSE = Table(
    "l_shoulder r_shoulder l_elbow r_elbow l_wrist r_wrist l_hip r_hip l_knee r_knee l_ankle r_ankle "
    "head_top neck",
    (
        (10, 8), (8, 6), (11, 9), (9, 7), (6, 7), (0, 6), (1, 7), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5),
        (12, 13), (1, 13), (0, 13),
    ),
    (0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089, 0.079, 0.079),
)  # fmt: skip

# Human3.6M (Ionescu et al. 2014), the 17 of 32 joints that lifting uses.
_H36M = Table(
    "root r_hip r_knee r_foot l_hip l_knee l_foot spine thorax neck_base head l_shoulder l_elbow l_wrist "
    "r_shoulder r_elbow r_wrist",
    (
        (0, 1), (1, 2), (2, 3), (0, 4), (4, 5), (5, 6), (0, 7), (7, 8), (8, 9), (9, 10), (8, 11), (11, 12),
        (12, 13), (8, 14), (14, 15), (15, 16),
    ),
    parents=(-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15),
)  # fmt: skip

# Penn Action (Zhang et al. 2013): right before left, the person's sides. The last four limbs are ours.
_PENN = Table(
    "head r_shoulder l_shoulder r_elbow l_elbow r_wrist l_wrist r_hip l_hip r_knee l_knee r_ankle l_ankle",
    (
        (1, 3), (3, 5), (2, 4), (4, 6), (1, 2), (8, 10), (10, 12), (7, 9), (9, 11), (7, 8), (0, 1), (0, 2),
        (1, 7), (2, 8),
    ),
)  # fmt: skip

# JHMDB (Jhuang et al. 2013); `face` is the middle of the head.
_JHMDB = Table(
    "neck belly face r_shoulder l_shoulder r_hip l_hip r_elbow l_elbow r_knee l_knee r_wrist l_wrist "
    "r_ankle l_ankle",
    (
        (13, 9), (9, 5), (5, 1), (1, 6), (6, 10), (10, 14), (1, 0), (0, 2), (0, 3), (3, 7), (7, 11), (0, 4),
        (4, 8), (8, 12),
    ),
)  # fmt: skip

# FLIC (Sapp & Taskar 2013): the raw slots (the last eight, mid-limb points, are not used), and the order of
# eval_pose. Limbs are ours.
_FLIC_RAW = Table(
    "l_shoulder l_elbow l_wrist r_shoulder r_elbow r_wrist l_hip l_knee l_ankle r_hip r_knee r_ankle l_eye "
    "r_eye l_ear r_ear nose mid_shoulder mid_hip mid_ear mid_torso "
    + " ".join(f"mid_limb_{k}" for k in range(8)),
    ((0, 1), (1, 2), (3, 4), (4, 5), (0, 3), (0, 6), (3, 9), (6, 9), (12, 16), (13, 16)),
)
_FLIC = Table(
    "l_eye r_eye nose r_shoulder r_elbow r_wrist r_hip l_shoulder l_elbow l_wrist l_hip",
    ((0, 2), (1, 2), (3, 4), (4, 5), (7, 8), (8, 9), (3, 7), (3, 6), (7, 10), (6, 10)),
)

# BBC Pose, ChaLearn, Poses in the Wild in the order of the authors' network (Pfister et al. 2015).
_BBC = Table("head r_wrist l_wrist r_elbow l_elbow r_shoulder l_shoulder", ((1, 3), (3, 5), (2, 4), (4, 6)))

# HiEve (Lin et al. 2020): humaninevents.org. Limbs are ours.
_HIE = Table(
    "nose chest r_shoulder r_elbow r_wrist l_shoulder l_elbow l_wrist r_hip r_knee r_ankle l_hip l_knee "
    "l_ankle",
    (
        (0, 1), (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12),
        (12, 13),
    ),
)  # fmt: skip

# MediaPipe Pose: pose.py and pose_connections.py.
_MEDIAPIPE = Table(
    "nose l_eye_inner l_eye l_eye_outer r_eye_inner r_eye r_eye_outer l_ear r_ear l_mouth r_mouth l_shoulder "
    "r_shoulder l_elbow r_elbow l_wrist r_wrist l_pinky r_pinky l_index r_index l_thumb r_thumb l_hip r_hip "
    "l_knee r_knee l_ankle r_ankle l_heel r_heel l_foot_index r_foot_index",
    (
        (0, 1), (1, 2), (2, 3), (3, 7), (0, 4), (4, 5), (5, 6), (6, 8), (9, 10), (11, 12), (11, 13),
        (13, 15), (15, 17), (15, 19), (15, 21), (17, 19), (12, 14), (14, 16), (16, 18), (16, 20), (16, 22),
        (18, 20), (11, 23), (12, 24), (23, 24), (23, 25), (24, 26), (25, 27), (26, 28), (27, 29), (28, 30),
        (29, 31), (30, 32), (27, 31), (28, 32),
    ),
)  # fmt: skip

# PARSE (Ramanan 2006): LSP's order, but the sides are the observer's, so no joint may pass for the person's.
_PARSE = Table(
    "observer_r_ankle observer_r_knee observer_r_hip observer_l_hip observer_l_knee observer_l_ankle "
    "observer_r_wrist observer_r_elbow observer_r_shoulder observer_l_shoulder observer_l_elbow "
    "observer_l_wrist neck head_top".replace("_r_", "_right_").replace("_l_", "_left_"),
    (*_LSP_LIMBS, (12, 13)),
    flips=((0, 5), (1, 4), (2, 3), (6, 11), (7, 10), (8, 9)),
)

# CMU Panoptic (Joo et al. 2015), joints19; its neck and body centre are the middles of shoulders and hips.
_PANOPTIC = Table(
    "mid_shoulder nose mid_hip l_shoulder l_elbow l_wrist l_hip l_knee l_ankle r_shoulder r_elbow r_wrist "
    "r_hip r_knee r_ankle l_eye l_ear r_eye r_ear",
    (
        (0, 1), (0, 2), (0, 3), (3, 4), (4, 5), (2, 6), (6, 7), (7, 8), (0, 9), (9, 10), (10, 11), (2, 12),
        (12, 13), (13, 14), (1, 15), (15, 16), (1, 17), (17, 18),
    ),
)  # fmt: skip

# MPI-INF-3DHP (Mehta et al. 2017): the 17 joints of its test set, in their order. Limbs follow the parents.
_3DHP = Table(
    "head_top neck r_shoulder r_elbow r_wrist l_shoulder l_elbow l_wrist r_hip r_knee r_ankle l_hip l_knee "
    "l_ankle pelvis spine head",
    (
        (14, 15), (15, 1), (1, 16), (16, 0), (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (14, 8), (8, 9),
        (9, 10), (14, 11), (11, 12), (12, 13),
    ),
    parents=(16, 15, 1, 2, 3, 1, 5, 6, 14, 8, 9, 14, 11, 12, -1, 14, 1),
)  # fmt: skip

# HumanEva-I (Sigal et al. 2010), 15 joints in the order and with the parents of VideoPose3D.
_HUMANEVA = Table(
    "pelvis thorax l_shoulder l_elbow l_wrist r_shoulder r_elbow r_wrist l_hip l_knee l_ankle r_hip r_knee "
    "r_ankle head",
    (
        (0, 1), (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (0, 8), (8, 9), (9, 10), (0, 11), (11, 12),
        (12, 13), (1, 14),
    ),
    parents=(-1, 0, 1, 2, 3, 1, 5, 6, 0, 8, 9, 0, 11, 12, 1),
)  # fmt: skip

# What marey's 2D networks predict: COCO-17, then the neck and head top of LSP; their sigmas as in CrowdPose.
_MAREY = Table(
    f"{_COCO} neck head_top", (*_COCO_LIMBS, (17, 18), (5, 17), (6, 17)), (*_COCO_SIGMAS, 0.079, 0.079)
)

TABLES: dict[str, Table] = {
    "coco17": Table(_COCO, _COCO_LIMBS, _COCO_SIGMAS),
    "wholebody133": _WHOLEBODY,
    "halpe26": _HALPE,
    "body25": _BODY_25,
    "coco18": _COCO_18,
    "lsp14": _LSP,
    "mpii16": _MPII,
    "posetrack15": _POSETRACK_15,
    "posetrack18": _POSETRACK_18,
    "crowdpose14": _CROWDPOSE,
    "h36m17": _H36M,
    "penn13": _PENN,
    "jhmdb15": _JHMDB,
    "flic29": _FLIC_RAW,
    "flic11": _FLIC,
    "bbc7": _BBC,
    "hie14": _HIE,
    "mediapipe33": _MEDIAPIPE,
    "parse14": _PARSE,
    "panoptic19": _PANOPTIC,
    "mpi_inf_3dhp17": _3DHP,
    "humaneva15": _HUMANEVA,
    "marey19": _MAREY,
}
