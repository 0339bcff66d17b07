"""CMU's takes as bodies: whoever walks has knees that bend forwards, a nose in front, and left at left."""

from pathlib import Path

import numpy as np
import pytest

from marey.core.skeletons import skeleton
from marey.data.mocap import BROKEN, HELD, group, read

H36M = skeleton("h36m17")
TAKES = ("cmu_general/003_02", "cmu_walks/35_01", "cmu_dance_martial/martial_07")


def test_one_person_under_two_numbers_is_one_group() -> None:
    assert group("002_05") == group("02_01")
    assert group("salsa_01") == group("salsa_16")
    assert group("35_01") != group("38_01")
    assert {group(name) for name in BROKEN} & set(HELD) == set()


@pytest.mark.data
@pytest.mark.parametrize("take", TAKES)
def test_bodies_are_the_right_way_round(shared_data: Path, take: str) -> None:
    """Axes, sides and units of each of the three rigs."""
    file = shared_data / "mocap" / f"{take}.bvh"
    if not file.is_file():
        pytest.skip(f"{file.name} is not there")
    xyz = read(file).xyz_m

    def at(joint: str) -> np.ndarray:
        return xyz[:, H36M.index(joint)]

    up = np.array([0.0, 1, 0])
    front = np.cross(at("left_hip") - at("right_hip"), up)
    front /= np.linalg.norm(front, axis=-1, keepdims=True)
    for side in ("left", "right"):
        knee = at(f"{side}_knee") - (at(f"{side}_hip") + at(f"{side}_foot")) / 2
        assert (knee * front).sum(-1).mean() > 0.01  # metres before the line from hip to foot
        assert np.linalg.norm(at(f"{side}_hip") - at(f"{side}_knee"), axis=-1).std() < 1e-3
    assert ((at("neck_base") - at("thorax")) * front).sum(-1).mean() > 0.03
    tall = at("head")[:, 1] - np.minimum(at("left_foot"), at("right_foot"))[:, 1]
    assert 1.1 < np.median(tall) < 1.9
    np.testing.assert_allclose(at("root"), (at("left_hip") + at("right_hip")) / 2)
