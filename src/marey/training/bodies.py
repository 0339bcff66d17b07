"""Motions given to other bodies, seen by virtual cameras, with the faults of a 2D estimator.

Conventions: lengths are statures (the body's height is 1); the world is Y up; cameras are X right, Y down,
Z ahead; rays are x/Z, y/Z; B windows of F frames. Everything is drawn from one generator, so that a step's
batch is a pure function of its number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from marey.core.kinematics import axis_rotations
from marey.data.mocap import Motion
from marey.lifting.windows import H36M, HEAD, MIRRORED, STEP_S

Cameras = Literal["phone", "h36m"]

LENGTHS = {
    "hip": 0.052, "knee": 0.245, "foot": 0.246, "thorax": 0.288, "neck_base": 0.125, "head": 0.09,
    "shoulder": 0.108, "elbow": 0.175, "wrist": 0.146,
}  # fmt: skip
"""Statures from a joint's parent (root, thorax or the joint before it in the limb) to it: Winter (2009),
table 4.1, for the limbs and the torso; widths and head from the rigs that are a human's."""
ANKLE, SPREAD = 0.039, 0.08
"""Height of an ankle (Winter); lengths differ from the mean by up to this share (our choice)."""
_PARENTS = {
    "hip": "root", "knee": "hip", "foot": "knee", "thorax": "root", "neck_base": "thorax",
    "head": "neck_base", "shoulder": "thorax", "elbow": "shoulder", "wrist": "elbow",
}  # fmt: skip
_PAIRED = ("hip", "knee", "foot", "shoulder", "elbow", "wrist")


def _bones() -> list[tuple[int, int, int]]:
    """Child, parent and row of `LENGTHS`, parents first."""
    made = []
    for row, (joint, parent) in enumerate(_PARENTS.items()):
        for side in ("left_", "right_") if joint in _PAIRED else ("",):
            above = f"{side}{parent}" if parent in _PAIRED else parent
            made.append((H36M.index(f"{side}{joint}"), H36M.index(above), row))
    return made


BONES = _bones()
ROOT, THORAX, SPINE = (H36M.index(name) for name in ("root", "thorax", "spine"))
HIPS, SHOULDERS = (
    tuple(H36M.index(f"{side}_{joint}") for side in ("left", "right")) for joint in ("hip", "shoulder")
)
COARSE = np.where([joint.endswith(("foot", "wrist", "knee", "elbow")) for joint in H36M.joints], 0.85, 1.0)
"""Noise of a joint relative to the torso's: shoulders and hips are labelled, and found, less exactly
(results/lift-noise.json: 0.77 to 0.99 on stills)."""
WILD = 0.1
"""Standard deviation of a joint that is somewhere else, as a share of the person."""
LEGS = [H36M.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("knee", "foot")]
LIMBS = (
    [H36M.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("hip", "knee", "foot")],
    [H36M.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("shoulder", "elbow", "wrist")],
)


@dataclass(frozen=True, slots=True)
class Lifting:
    """How windows are drawn for training (`[lifting]` of a recipe); `cameras` are of motions only.

    `noise` is the standard deviation of the torso's joints as a share of the person (the longer side of the
    joints' box); each window's is drawn from 0 to 1.5 × it. `wild` is the share of joints that are somewhere
    else for a window, `swapped` and `dropped` those of limbs and joints, at full noise; `cut` is that of
    people whose legs are out of the picture, `crownless` of those seen by a network that knows no crown.
    Sizes, wild and swapped lie between what Thunder does on LSP and on COCO, `lasts_s` is that of finished
    tracks on JHMDB (tools/fit_noise.py writes results/lift-noise.json; labels' own errors are in them).
    """

    cameras: Cameras = "phone"
    noise: float = 0.018
    lasts_s: float = 0.07  # time constant of the noise: errors of neighbouring frames are alike
    wild: float = 0.03
    swapped: float = 0.025
    dropped: float = 0.03
    cut: float = 0.1
    crownless: float = 0.15


@dataclass(frozen=True, slots=True)
class Takes:
    """Motions without their bodies: unit bones (R, 16, 3) and roots in leg lengths (R, 3), frame by frame.

    `first` and `last` are those of each frame's take; frames of the takes are a thirtieth of a second apart.
    """

    bones: Float[np.ndarray, "R K 3"]
    roots: Float[np.ndarray, "R 3"]
    first: np.ndarray
    last: np.ndarray

    def __len__(self) -> int:
        return len(self.first)


def takes(motions: Sequence[Motion]) -> Takes:
    """Motions as unit bones; a bone that bends, such as the torso, keeps how its length varies."""
    bones, roots = [], []
    for motion in motions:
        xyz = motion.xyz_m[:: max(1, round(motion.rate_hz * STEP_S))]
        vectors = np.stack([xyz[:, child] - xyz[:, above] for child, above, _ in BONES], 1)
        lengths = np.linalg.norm(vectors, axis=-1).mean(0)
        by_row = {
            row: np.mean([n for n, b in zip(lengths, BONES, strict=True) if b[2] == row]) for *_, row in BONES
        }
        bones.append(vectors / np.array([by_row[row] for *_, row in BONES])[:, None])
        names = list(LENGTHS)
        roots.append(xyz[:, ROOT] / (by_row[names.index("knee")] + by_row[names.index("foot")]))
    counts = np.array([len(held) for held in roots])
    ends = np.repeat(np.cumsum(counts), counts)
    return Takes(
        np.concatenate(bones).astype(np.float32),
        np.concatenate(roots).astype(np.float32),
        ends - np.repeat(counts, counts),
        ends - 1,
    )


def bodies(held: Takes, rows: np.ndarray, rng: np.random.Generator) -> Float[np.ndarray, "B F 17 3"]:
    """Rows (B, F) of takes as joints of new bodies, each turned to any side; half of them mirrored."""
    count = len(rows)
    names = list(LENGTHS)
    lengths = np.array([LENGTHS[name] for name in names]) * rng.uniform(
        1 - SPREAD, 1 + SPREAD, (count, len(names))
    )
    tall = lengths[:, [names.index(name) for name in ("knee", "foot", "thorax", "head")]].sum(1)
    lengths /= (tall + 0.092 + ANKLE)[:, None]  # 0.092: of the shoulders' middle below the nose
    leg = lengths[:, names.index("knee")] + lengths[:, names.index("foot")]
    out = np.empty((*rows.shape, len(H36M), 3))
    out[:, :, ROOT] = held.roots[rows] * leg[:, None, None]
    vectors = held.bones[rows]
    for k, (child, above, row) in enumerate(BONES):
        out[:, :, child] = out[:, :, above] + vectors[:, :, k] * lengths[:, row, None, None]
    out[:, :, SPINE] = (out[:, :, ROOT] + out[:, :, THORAX]) / 2
    flipped = rng.random(count) < 0.5
    out[flipped] = out[flipped][:, :, MIRRORED] * np.array([-1, 1, 1])
    angle = rng.uniform(0, 2 * np.pi, count)
    return np.einsum("bij,bfkj->bfki", axis_rotations("y", angle), out)


def seen_by(
    xyz: Float[np.ndarray, "B F 17 3"], cameras: Cameras, rng: np.random.Generator
) -> Float[np.ndarray, "B F 17 3"]:
    """Bodies in the axes of cameras drawn anew, one a window, the whole person before the camera.

    `phone`: vertical field of view 25–90°, pitch −50…20°, roll N(0, 8°) up to 30°, 1.5–20 m away, anywhere in
    the picture. `h36m`: the four of Human3.6M: 47°, a little from above, 4.2–5.5 m. (Both our choice of
    distribution; heights of people 1.45–2.00 m.)
    """
    count, phone = len(xyz), cameras == "phone"
    pitch = np.deg2rad(rng.uniform(-50, 20, count) if phone else rng.uniform(-15, 0, count))
    roll = np.deg2rad(np.clip(rng.normal(0, 8 if phone else 1, count), -30, 30))
    half = np.tan(np.deg2rad(rng.uniform(25, 90, count) if phone else np.full(count, 47.0)) / 2)
    aspect = rng.choice([16 / 9, 9 / 16], count) if phone else np.ones(count)
    metres = np.exp(rng.uniform(np.log(1.5), np.log(20), count)) if phone else rng.uniform(4.2, 5.5, count)
    away = metres / rng.uniform(1.45, 2.0, count)
    reach = half[:, None] * np.stack([aspect, np.ones(count)], -1) * (0.8 if phone else 0.6)
    ray = np.concatenate([rng.uniform(-1, 1, (count, 2)) * reach, np.ones((count, 1))], -1)
    level = np.diag([1.0, -1.0, -1.0])  # a camera that looks along −Z of the world
    turn = axis_rotations("z", roll) @ axis_rotations("x", -pitch) @ level
    out = np.einsum("bij,bfkj->bfki", turn, xyz - xyz[:, :, ROOT].mean(1)[:, None, None])
    out += (ray * (away / np.linalg.norm(ray, axis=-1))[:, None])[:, None, None]
    near = out[..., 2].min((1, 2))
    out[..., 2] += np.maximum(0.3 - near, 0)[:, None, None]  # nobody reaches behind the camera
    return out


def estimated(
    xyz: Float[np.ndarray, "B F 17 3"],
    level: Float[np.ndarray, " B"],
    settings: Lifting,
    rng: np.random.Generator,
) -> Float[np.ndarray, "B F 17 2"]:
    """Rays of bodies in camera axes as a 2D estimator would give them (`faulty`)."""
    return faulty(xyz[..., :2] / xyz[..., 2:], level, settings, rng)


def faulty(
    rays: Float[np.ndarray, "B F 17 2"],
    level: Float[np.ndarray, " B"],
    settings: Lifting,
    rng: np.random.Generator,
) -> Float[np.ndarray, "B F 17 2"]:
    """True rays as a 2D estimator would give them; NaN where a joint is not found, or was not known.

    `level` is each window's share of the full noise. Roots, thoraxes and spines are made of the noisy hips
    and shoulders, as they are in use.
    """
    size = (np.nanmax(rays, (1, 2)) - np.nanmin(rays, (1, 2))).max(-1)
    keep = np.exp(-STEP_S / settings.lasts_s)
    noise = rng.normal(size=rays.shape)
    for k in range(1, rays.shape[1]):
        noise[:, k] = keep * noise[:, k - 1] + np.sqrt(1 - keep**2) * noise[:, k]
    scale = (level * settings.noise * size)[:, None] * COARSE
    rays = rays + noise * scale[:, None, :, None]
    wild = rng.random((len(rays), len(H36M))) < level[:, None] * settings.wild
    away = rng.normal(0, WILD, (len(rays), 1, len(H36M), 2)) * size[:, None, None, None]
    rays = _swapped(rays + away * wild[:, None, :, None], level * settings.swapped, rng)
    _drop(rays, level * settings.dropped, rng)
    _cut(rays, settings.cut, rng)
    rays[rng.random(len(rays)) < settings.crownless, :, HEAD] = np.nan
    for joint, parts in ((ROOT, HIPS), (THORAX, SHOULDERS)):
        rays[:, :, joint] = rays[:, :, parts].mean(2)
    rays[:, :, SPINE] = (rays[:, :, ROOT] + rays[:, :, THORAX]) / 2
    return rays


def _swapped(rays: np.ndarray, share: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Legs or arms exchanged, from a random frame on."""
    start = rng.uniform(0, 1, (len(LIMBS), len(rays))) * rays.shape[1]
    chosen = rng.random((len(LIMBS), len(rays))) < share
    for k, limb in enumerate(LIMBS):
        on = chosen[k][:, None] & (np.arange(rays.shape[1]) >= start[k][:, None])
        other = [MIRRORED[joint] for joint in limb]
        rays[:, :, limb] = np.where(on[..., None, None], rays[:, :, other], rays[:, :, limb])
    return rays


def _drop(rays: np.ndarray, share: np.ndarray, rng: np.random.Generator) -> None:
    """Joints that are not found: half of them in the whole window, half on single frames."""
    count, _, joints, _ = rays.shape
    whole = rng.random((count, 1, joints)) < share[:, None, None] / 2
    rays[whole | (rng.random(rays.shape[:3]) < share[:, None, None] / 2)] = np.nan


def _cut(rays: np.ndarray, share: float, rng: np.random.Generator) -> None:
    """People whose picture ends below the hips, or above them."""
    drawn = rng.random(len(rays))
    for rows, joints in ((drawn < share, LEGS), (drawn < share / 2, list(HIPS))):
        some = rays[rows]
        some[:, :, joints] = np.nan
        rays[rows] = some
