"""How crowded a picture is: CrowdPose's crowd index, by which CrowdPose and HiEve sort or weigh frames.

Conventions (Li et al., CVPR 2019): of person i, with the box B_i, N_i^a is the number of own labelled joints
inside B_i and N_i^b that of other people's; the index is the mean of N_i^b / N_i^a over people. A joint on
the edge is inside. People without own joints in their box are left out, and a picture without people has
index 0 (both our choice). CrowdPose stores the index of each image; prefer the stored one.
"""

import numpy as np
from jaxtyping import Bool, Float

BANDS = {"easy": (-np.inf, 0.2), "medium": (0.2, 0.8), "hard": (0.8, np.inf)}
"""From (inclusive) and to (exclusive): the values CrowdPose's summary passes; its defaults are 0.01, 0.85."""


def crowd_index(
    xy: Float[np.ndarray, "G J 2"], labelled: Bool[np.ndarray, "G J"], boxes: Float[np.ndarray, "G 4"]
) -> float:
    """Crowd index of one picture."""
    low, high = boxes[:, None, None, :2], boxes[:, None, None, 2:]
    within = ((xy[None] >= low) & (xy[None] <= high)).all(-1) & labelled[None]
    counts = within.sum(-1)
    own = np.diagonal(counts)
    others = counts.sum(1) - own
    return float((others[own > 0] / own[own > 0]).mean()) if (own > 0).any() else 0.0
