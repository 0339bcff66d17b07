"""BVH read from text written by hand; every kind of damage is named with its line."""

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from marey.core.bvh import parse
from marey.core.errors import DataError

ARM = """HIERARCHY
ROOT Hips
{
  OFFSET 0 90 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
  JOINT Left Arm
  {
    OFFSET 10 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 5 0
    }
  }
  JOINT Slider
  {
    OFFSET 1 1 1
    CHANNELS 3 Xposition Yposition Zposition
  }
}
MOTION
Frames: 2
Frame Time: 0.033333
1 2 3 0 0 0   0 0 0   4 5 6
1 2 3 90 0 0  0 90 0  4 5 6
"""


def test_what_stands_in_the_file():
    arm = parse(ARM)
    assert arm.joints == ("Hips", "Left Arm", "Left Arm_end", "Slider")
    assert arm.parents == (-1, 0, 1, 0)
    assert arm.rate_hz == pytest.approx(30, abs=1e-3)
    assert len(arm) == 2
    assert arm.index("Slider") == 3
    with pytest.raises(DataError, match="no joint `Hand`"):
        arm.index("Hand")


def test_positions_by_hand():
    placed = parse(ARM).positions()
    # At rest: the root's channels on top of its OFFSET, the slider's instead of its own.
    np.testing.assert_allclose(placed[0], [[1, 92, 3], [11, 92, 3], [11, 97, 3], [5, 97, 9]])
    # A quarter turn about z takes x to y; then one about the arm's own x takes y to z.
    np.testing.assert_allclose(placed[1], [[1, 92, 3], [1, 102, 3], [1, 102, 8], [-4, 96, 9]], atol=1e-12)
    np.testing.assert_allclose(parse(ARM).positions(add_offset=False)[0, 0], [1, 2, 3])


def test_channels_multiply_in_the_order_written():
    text = ARM.replace("90 0 0  0 90 0", "10 20 30  40 50 60")
    root, arm = parse(text).rotations()[1, :2]
    np.testing.assert_allclose(root, Rotation.from_euler("ZYX", [10, 20, 30], degrees=True).as_matrix())
    np.testing.assert_allclose(arm, Rotation.from_euler("ZXY", [40, 50, 60], degrees=True).as_matrix())


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("HIERARCHY", "HIERARKY", ["line 1", "`HIERARCHY` expected"]),
        ("OFFSET 10 0 0", "OFFSET 10 0", ["line 8", "3 numbers"]),
        ("OFFSET 10 0 0", "OFFSET 10 0 zero", ["line 8", "3 numbers"]),
        ("OFFSET 10 0 0", "OFFSET 10 0 nan", ["line 8", "3 numbers"]),
        ("CHANNELS 3 Zrotation", "CHANNELS 4 Zrotation", ["line 9", "CHANNELS"]),
        ("CHANNELS 3 Zrotation", "CHANNELS 3 Wrotation", ["line 9", "CHANNELS"]),
        ("JOINT Slider", "JOINT Left Arm", ["line 15", "occurs twice"]),
        ("JOINT Slider", "BONE Slider", ["line 15", "`JOINT` expected"]),
        ("Frame Time: 0.033333", "Frame Time: 0", ["line 23", "above 0"]),
        ("Frames: 2", "Frames: 3", ["3 frames of 12 channels", "2.0 frames found"]),
        ("1 2 3 0 0 0", "1 2 3 0 0 nan", ["frame 0 holds NaN"]),
        ("1 2 3 0 0 0", "1 2 3 0 0 x", ["no number"]),
    ],
)
def test_damage_is_named(old: str, new: str, words: list[str]):
    with pytest.raises(DataError) as caught:
        parse(ARM.replace(old, new), "arm.bvh")
    assert all(word in str(caught.value) for word in ["arm.bvh", *words])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("lines", range(23))
def test_a_file_cut_off_anywhere_is_refused(lines: int):
    with pytest.raises(DataError, match=r"arm\.bvh: .*"):
        parse("\n".join(ARM.splitlines()[:lines]), "arm.bvh")


@pytest.mark.data
@pytest.mark.parametrize(
    ("folder", "head", "ankle", "unit_m"),
    [
        ("cmu_general", "CC_Base_Head", "CC_Base_L_Foot", 0.01),
        ("cmu_walks", "Head_end", "LeftAnkle", 0.0254 / 0.45),
        ("cmu_dance_martial", "head", "lFoot", 0.01),
    ],
)
def test_real_people_stand_upright(folder: str, head: str, ankle: str, unit_m: float, shared_data: Path):
    file = sorted((shared_data / "mocap" / folder).glob("*.bvh"))[3]
    motion = parse(file.read_text(), file.name)
    height = motion.positions()[5:, :, 1] * unit_m
    tall = height[:, motion.index(head)] - height[:, motion.index(ankle)]
    assert 1.2 < np.median(tall) < 1.9
    assert 0 < np.median(height[:, motion.index(ankle)]) < 0.4
