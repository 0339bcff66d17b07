"""What papers print of a set in space: which figure stands first, and which joints count.

`h36m`          P1, then P2, each the mean over actions of an action's mean (VideoPose3D); all joints, with
                the root's error of 0
`humaneva`      P2, the mean of the nine of S1 to S3 × Walking, Jog, Box (VideoPose3D's `--by-subject`); 14 of
                its 15 joints: h36m17 has no middle of the head
`mpi_inf_3dhp`  3DPCK, AUC, P1 over all valid frames; 13 of the 14 joints of the set's own code
                (`mpii_get_pck_auc_joint_groups.m`): its neck is none of h36m17's. That code's MPJPE is over
                17 joints, the pelvis with its 0 among them, so it is lower for the same poses
"""

from dataclasses import dataclass

from marey.lifting.windows import H36M


@dataclass(frozen=True, slots=True)
class Custom:
    """How a set is judged: the metrics that stand first, the joints that count (none: all), and the parts.

    Parts are actions, or with `by_subject` subjects × actions; `…_by_action` is the mean of their means.
    """

    first: tuple[str, ...] = ("P1_mm_by_action", "P2_mm_by_action")
    joints: tuple[int, ...] = ()
    by_subject: bool = False

    @property
    def mean(self) -> str:
        """What `…_by_action` is, in words."""
        return "mean over subjects × actions" if self.by_subject else "mean over actions"

    def part(self, clip: str, action: str) -> str:
        """The part that a clip belongs to; its subject is the folder it lies in."""
        return f"{clip.split('/')[-2]} {action}" if self.by_subject and action else action


_LIMBS = tuple(
    H36M.index(f"{side}_{joint}")
    for side in ("left", "right")
    for joint in ("hip", "knee", "foot", "shoulder", "elbow", "wrist")
)
CUSTOMS = {
    "humaneva": Custom(
        first=("P2_mm_by_action", "P1_mm_by_action"),
        joints=tuple(sorted((H36M.index("root"), H36M.index("thorax"), *_LIMBS))),
        by_subject=True,
    ),
    "mpi_inf_3dhp": Custom(
        first=("3DPCK@150mm", "3DAUC@0:5:150mm", "P1_mm"), joints=tuple(sorted((H36M.index("head"), *_LIMBS)))
    ),
}
"""By kind; a kind that is not named is judged as Human3.6M is."""
