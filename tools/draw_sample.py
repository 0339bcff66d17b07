"""Draw the sample clip that ships with marey: one figure walking past, and where its joints really are.

    python tools/draw_sample.py [FOLDER]        (default src/marey/sample: walker.mp4, walker.npz)

A body of rounded cones and ellipsoids, blended where they meet, is ray-marched (Hart 1996: sphere tracing)
under a sun with soft shadows. The gait is a textbook's: hip, knee and ankle through a stride in the sagittal
plane; the body is carried by the foot on the ground, so feet do not slide. Everything follows from SEED.

Conventions: metres, X to the right of the picture, Y up, Z towards the viewer, ground at Y = 0. Joint truth
is in pixels of the picture (edge-based), skeleton marey19, seconds from the first frame.
"""

import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from marey.core.skeletons import MAREY19

SEED = 1
SIZE = (640, 360)
RATE = 25
FRAMES = 75
FINE = 2
"""Rays per pixel along each axis."""
EYE = np.array([0.0, 1.35, 5.2], np.float32)
FOCAL = 690.0
"""Pixels; a full height of 1.75 m is about 215 pixels."""
PITCH = np.deg2rad(-3.5)
SUN = np.array([0.447, 0.745, 0.496], np.float32)
HEADING = np.deg2rad(28.0)
"""The walk turns this far from the picture plane towards the viewer, so that the face shows."""
STRIDE_S = 1.08
CHUNK = 2048
"""Points handled together: neighbours in the picture, so that most parts are too far to matter."""

# A stride from heel strike to heel strike, degrees at every tenth; flexion positive, ankle up positive.
# Rounded from the curves of normal gait in D. A. Winter, Biomechanics and Motor Control of Human Movement.
HIP = (28, 25, 16, 6, -4, -11, -7, 12, 27, 32)
KNEE = (4, 16, 17, 10, 6, 10, 36, 62, 52, 18)
ANKLE = (0, -5, 4, 8, 10, 4, -17, -8, 1, 2)

SKIN, SHIRT, TROUSERS = (201, 152, 122), (176, 52, 46), (47, 62, 98)
SHOES, HAIR, DARK, WHITE, LIPS = (52, 48, 46), (66, 45, 31), (30, 24, 22), (236, 232, 226), (160, 88, 80)


# ---------------------------------------------------------------- motion


def stride_curve(table: tuple[int, ...], phase: float) -> float:
    """A periodic curve (radians) through ten values of a stride, by its first four harmonics."""
    waves = np.fft.rfft(np.deg2rad(table)) / len(table)
    k = np.arange(1, 5)
    return float(waves[0].real + 2 * (waves[1:5] * np.exp(2j * np.pi * k * phase)).real.sum())


def leg(phase: float) -> np.ndarray:
    """Hip, knee, ankle, heel and toe in the sagittal plane (forward, up), the hip at the origin."""
    hip = stride_curve(HIP, phase)
    shin = hip - stride_curve(KNEE, phase)
    foot = shin + stride_curve(ANKLE, phase)
    knee = 0.43 * np.array([np.sin(hip), -np.cos(hip)])
    ankle = knee + 0.42 * np.array([np.sin(shin), -np.cos(shin)])
    ahead, down = np.array([np.cos(foot), np.sin(foot)]), np.array([np.sin(foot), -np.cos(foot)])
    return np.stack(
        [0 * knee, knee, ankle, ankle - 0.05 * ahead + 0.05 * down, ankle + 0.15 * ahead + 0.055 * down]
    )


def carried(phases: np.ndarray) -> np.ndarray:
    """Forward place and height of the hips (T, 2) when the lower foot stays where it stands."""
    feet = np.array([[leg(p)[3:], leg(p + 0.5)[3:]] for p in phases]).reshape(len(phases), 4, 2)
    height = -feet[..., 1].min(1)
    low = feet[:-1, :, 1].argmin(1)
    rows = np.arange(len(low))
    steps = feet[rows, low, 0] - feet[rows + 1, low, 0]
    smooth = np.convolve(np.pad(height, 12, "edge"), np.hanning(25) / np.hanning(25).sum(), "valid")
    return np.stack([np.concatenate([[0], np.cumsum(steps)]), smooth], 1)


def turn(angle: float) -> np.ndarray:
    """Rotation about the vertical axis."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def posture(phase: float, place: np.ndarray) -> dict[str, np.ndarray]:
    """Joints by name in the world; `place` is the forward path and height of the hips."""
    wave = np.cos(2 * np.pi * phase)
    body = turn(-HEADING)  # columns: forward, up, left is −Z before turning
    left = body @ np.array([0, 0, -1.0])
    forward, up = body @ np.array([1.0, 0, 0]), np.array([0, 1.0, 0])
    root = np.array([-1.75, 0, -0.9]) + forward * place[0] + up * place[1]
    joints = {"mid_hip": root}
    pelvis, chest = turn(0.07 * wave), turn(-0.10 * wave)
    middle = root + 0.52 * up + 0.03 * forward
    for side, sign, own in (("left", 1, phase), ("right", -1, phase + 0.5)):
        hip = root + sign * 0.095 * (pelvis @ left)
        names = ("hip", "knee", "ankle", "heel", "toe")
        spread = sign * np.array([0, -0.01, -0.02, -0.02, 0.01])  # legs close in below, toes turn out
        for name, (x, y), out in zip(names, leg(own), spread, strict=True):
            joints[f"{side}_{name}"] = hip + x * forward + y * up + out * left
        shoulder = middle + sign * 0.185 * (chest @ left)
        swing, bend = (
            0.42 * np.cos(2 * np.pi * (own + 0.5)) - 0.05,
            0.55 + 0.2 * np.cos(2 * np.pi * (own + 0.5)),
        )
        upper = np.sin(swing) * forward - np.cos(swing) * up + sign * 0.14 * left
        lower = np.sin(swing + bend) * forward - np.cos(swing + bend) * up + sign * 0.02 * left
        joints[f"{side}_shoulder"] = shoulder
        joints[f"{side}_elbow"] = shoulder + 0.29 * upper
        joints[f"{side}_wrist"] = joints[f"{side}_elbow"] + 0.25 * lower
        joints[f"{side}_hand"] = joints[f"{side}_wrist"] + 0.09 * lower
        joints[f"{side}_eye"] = middle + 0.205 * up + 0.105 * forward + sign * 0.033 * left
        joints[f"{side}_ear"] = middle + 0.195 * up + 0.015 * forward + sign * 0.077 * left
    joints["chest"] = middle - 0.16 * up
    joints["neck"] = middle + 0.06 * up + 0.005 * forward
    joints["head"] = middle + 0.215 * up + 0.025 * forward
    joints["nose"] = middle + 0.17 * up + 0.135 * forward
    joints["head_top"] = middle + 0.335 * up + 0.015 * forward
    joints |= {"forward": forward, "up": up, "left": left}
    return {name: value.astype(np.float32) for name, value in joints.items()}


# ---------------------------------------------------------------- shape


class Body:
    """Signed distance to a figure: rounded cones and ellipsoids, each with a colour and a blending width."""

    def __init__(self, j: dict[str, np.ndarray]) -> None:
        self.cones: list[tuple[np.ndarray, np.ndarray, float, float]] = []
        self.balls: list[tuple[np.ndarray, np.ndarray]] = []
        self.looks: list[tuple[tuple[int, int, int], float]] = []
        self.axes = np.stack([j["forward"], j["up"], j["left"]])
        self._limbs(j)
        self._trunk_and_head(j)
        ends = [((a + b) / 2, np.linalg.norm(a - b) / 2 + max(ra, rb)) for a, b, ra, rb in self.cones]
        bounds = ends + [(centre, radii.max()) for centre, radii in self.balls]
        self.middles, self.sizes = np.stack([m for m, _ in bounds]), np.array([r for _, r in bounds])

    def cone(
        self, a: np.ndarray, b: np.ndarray, radii: tuple[float, float], colour: tuple, soft: float = 0.02
    ) -> None:
        """Add a capsule whose radius goes from one end's to the other's."""
        self.cones.append((a, b, *radii))
        self.looks.append((colour, soft))

    def ball(self, centre: np.ndarray, radii: tuple[float, float, float]) -> None:
        """Add an ellipsoid with half-axes forward, up and left; its look is given by `look`."""
        self.balls.append((centre, np.array(radii, np.float32)))

    def _limbs(self, j: dict[str, np.ndarray]) -> None:
        for s in ("left", "right"):
            hip, knee, ankle = (j[f"{s}_{n}"] for n in ("hip", "knee", "ankle"))
            self.cone(hip, knee, (0.088, 0.058), TROUSERS, 0.03)
            self.cone(knee, ankle + 0.04 * j["up"], (0.058, 0.05), TROUSERS)
            self.cone(ankle, j[f"{s}_heel"] + 0.035 * j["up"], (0.042, 0.038), SHOES)
            self.cone(j[f"{s}_heel"] + 0.03 * j["up"], j[f"{s}_toe"] + 0.028 * j["up"], (0.036, 0.03), SHOES)
            shoulder, elbow, wrist = (j[f"{s}_{n}"] for n in ("shoulder", "elbow", "wrist"))
            self.cone(shoulder, shoulder + 0.62 * (elbow - shoulder), (0.062, 0.056), SHIRT, 0.03)
            self.cone(shoulder + 0.5 * (elbow - shoulder), elbow, (0.045, 0.04), SKIN)
            self.cone(elbow, wrist, (0.04, 0.028), SKIN)
            self.cone(wrist, j[f"{s}_hand"], (0.026, 0.034), SKIN)

    def _trunk_and_head(self, j: dict[str, np.ndarray]) -> None:
        up, ahead, head = j["up"], j["forward"], j["head"]
        left, right = j["left_shoulder"], j["right_shoulder"]
        self.cone(left - 0.02 * up, right - 0.02 * up, (0.06, 0.06), SHIRT, 0.05)
        self.cone(j["neck"] - 0.08 * up, head - 0.06 * up, (0.055, 0.05), SKIN, 0.02)
        for centre, radii, colour, soft in (
            (j["chest"] + 0.01 * ahead, (0.115, 0.21, 0.165), SHIRT, 0.05),
            (j["mid_hip"] + 0.17 * up, (0.105, 0.16, 0.145), SHIRT, 0.05),
            (j["mid_hip"] + 0.0 * up, (0.115, 0.10, 0.155), TROUSERS, 0.03),
            (head + 0.03 * up, (0.098, 0.098, 0.078), SKIN, 0.01),
            (head - 0.035 * up + 0.025 * ahead, (0.072, 0.082, 0.06), SKIN, 0.03),
            (head + 0.052 * up - 0.016 * ahead, (0.104, 0.092, 0.084), HAIR, 0.004),
            (head - 0.0 * up - 0.045 * ahead, (0.065, 0.085, 0.078), HAIR, 0.01),
            (j["nose"] - 0.014 * ahead, (0.018, 0.022, 0.013), SKIN, 0.012),
            (head - 0.072 * up + 0.09 * ahead, (0.012, 0.007, 0.024), LIPS, 0.003),
            (j["left_ear"], (0.02, 0.032, 0.011), SKIN, 0.006),
            (j["right_ear"], (0.02, 0.032, 0.011), SKIN, 0.006),
            *(
                ((j[f"{s}_eye"] - 0.012 * ahead), (0.014, 0.009, 0.015), WHITE, 0.001)
                for s in ("left", "right")
            ),
            *(
                ((j[f"{s}_eye"] - 0.003 * ahead), (0.007, 0.008, 0.008), DARK, 0.001)
                for s in ("left", "right")
            ),
            *(
                ((j[f"{s}_eye"] + 0.022 * up - 0.01 * ahead), (0.01, 0.004, 0.019), HAIR, 0.001)
                for s in ("left", "right")
            ),
        ):
            self.ball(centre, radii)
            self.looks.append((colour, soft))

    def near(self, p: np.ndarray) -> list[int]:
        """Parts that may matter to any of these points, which should lie close together."""
        middle = (p.min(0) + p.max(0)) / 2
        spread = np.linalg.norm(p - middle, axis=1).max()
        away = np.linalg.norm(self.middles - middle, axis=1)
        return list(np.flatnonzero(away - self.sizes - spread < (away + spread).min() + 0.06))

    def part(self, k: int, p: np.ndarray) -> np.ndarray:
        """Distance (P,) from points (P, 3) to part k."""
        if k < len(self.cones):
            a, b, ra, rb = self.cones[k]
            along = b - a
            t = np.clip((p - a) @ (along / (along @ along)), 0, 1)
            return length(p - a - t[:, None] * along) - (ra + t * (rb - ra))
        centre, radii = self.balls[k - len(self.cones)]
        q = (p - centre) @ self.axes.T
        k0, k1 = length(q / radii), length(q / radii**2)
        return k0 * (k0 - 1) / np.maximum(k1, 1e-6)

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Distance from points (P, 3) to the blended surface (polynomial smooth minimum, Quilez 2013)."""
        result = np.empty(len(points), np.float32)
        for at in range(0, len(points), CHUNK):
            p = points[at : at + CHUNK]
            total = np.full(len(p), 1e3, np.float32)
            for k in self.near(p):
                part, soft = self.part(k, p), self.looks[k][1]
                blend = np.clip(soft - np.abs(total - part), 0, None)
                total = np.minimum(total, part) - blend * blend / (4 * soft)
            result[at : at + CHUNK] = total
        return result

    def colour(self, p: np.ndarray) -> np.ndarray:
        """Colour (P, 3) of the nearest part."""
        nearest = np.argmin([self.part(k, p) for k in range(len(self.looks))], axis=0)
        return np.array([colour for colour, _ in self.looks], np.float32)[nearest] / 255


def length(v: np.ndarray) -> np.ndarray:
    """Length of the vectors in the last axis."""
    return np.sqrt(np.einsum("...i,...i", v, v))


# ---------------------------------------------------------------- picture


def camera_axes() -> np.ndarray:
    """Rows: right, down, ahead of the camera in the world."""
    c, s = np.cos(PITCH), np.sin(PITCH)
    return np.array([[1, 0, 0], [0, -c, -s], [0, s, -c]])


def project(points: np.ndarray) -> np.ndarray:
    """World points (…, 3) to pixels (…, 2)."""
    q = (points - EYE) @ camera_axes().T
    return q[..., :2] / q[..., 2:] * FOCAL + np.array(SIZE) / 2


def rays(box: tuple[int, int, int, int]) -> np.ndarray:
    """Unit directions (h, w, 3) through the fine pixels of a box x0 y0 x1 y1 (in fine pixels)."""
    x = (np.arange(box[0], box[2]) + 0.5) / FINE - SIZE[0] / 2
    y = (np.arange(box[1], box[3]) + 0.5) / FINE - SIZE[1] / 2
    d = np.stack([*np.meshgrid(x / FOCAL, y / FOCAL), np.ones((len(y), len(x)))], -1) @ camera_axes()
    return (d / np.linalg.norm(d, axis=-1, keepdims=True)).astype(np.float32)


def noise(rng: np.random.Generator, x: np.ndarray, y: np.ndarray, octaves: int = 4) -> np.ndarray:
    """Smooth noise in [−1, 1] at places of a plane."""
    total = np.zeros_like(x)
    for k in range(octaves):
        grid = rng.uniform(-1, 1, (256, 256)).astype(np.float32)
        u, v = (np.asarray(c * 2**k % 255, np.float32) for c in (x, y))
        total += cv2.remap(grid, u, v, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP) / 2**k
    return total / 2


def street(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The empty street (h, w, 3) in [0, 1], and where on the ground each fine pixel is (NaN: on the wall)."""
    d = rays((0, 0, SIZE[0] * FINE, SIZE[1] * FINE))
    wall_z = -3.4
    to_wall, to_ground = (wall_z - EYE[2]) / d[..., 2], -EYE[1] / np.where(d[..., 1] < 0, d[..., 1], -1e-9)
    on_wall = to_wall < to_ground
    at = EYE + np.minimum(to_wall, to_ground)[..., None] * d
    x, y, z = at[..., 0], at[..., 1], at[..., 2]
    row = np.floor(y / 0.085)
    brick = np.floor(x / 0.26 + 0.5 * (row % 2))
    joint = (np.mod(y / 0.085, 1) < 0.12) | (np.mod(x / 0.26 + 0.5 * (row % 2), 1) < 0.05)
    tone = np.sin(brick * 12.9898 + row * 78.233) * 43758.5453 % 1
    wall = np.array([0.60, 0.53, 0.45]) * (0.86 + 0.2 * tone[..., None])
    wall = (
        np.where(joint[..., None], [0.66, 0.64, 0.60], wall)
        * (1 + 0.10 * noise(rng, x * 9 + 80, y * 9 + 80))[..., None]
    )
    wall = np.where((y < 0.3)[..., None], np.array([0.42, 0.41, 0.40]), wall)
    slab = (np.mod(x + 0.3, 0.9) < 0.015) | (np.mod(z, 0.6) < 0.015)
    ground = np.array([0.60, 0.58, 0.55]) * (1 + 0.10 * noise(rng, x * 14 + 120, z * 14 + 120))[..., None]
    ground = np.where(slab[..., None], 0.72 * ground, ground)
    corner = np.clip(np.where(on_wall, y, z - wall_z) / 0.5, 0, 1)[
        ..., None
    ]  # darker where wall meets ground
    picture = np.where(on_wall[..., None], wall, ground) * (0.75 + 0.25 * corner)
    return np.clip(picture, 0, 1), np.where(on_wall[..., None], np.nan, at).astype(np.float32)


def lit(body: Body, p: np.ndarray, steps: int = 24) -> np.ndarray:
    """Share of the sun (P,) that reaches points, with a soft edge (Quilez 2010)."""
    t, share = np.full(len(p), 0.02, np.float32), np.ones(len(p), np.float32)
    for _ in range(steps):
        d = body.distance(p + t[:, None] * SUN)
        share = np.minimum(share, np.clip(10 * d / t, 0, 1))
        t += np.clip(d, 0.01, 0.12)
    return share


def shade(body: Body, p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Colour (P, 3) of surface points: sun, sky from above, light from the ground, dark in folds."""
    eps = 1e-3 * np.eye(3, dtype=np.float32)
    normal = np.stack([body.distance(p + e) - body.distance(p - e) for e in eps], -1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    sun = np.clip(normal @ SUN, 0, None) * lit(body, p + 0.01 * normal)
    fold = np.clip(0.25 + 0.75 * body.distance(p + 0.05 * normal) / 0.05, 0, 1)
    sky = 0.5 + 0.5 * normal[:, 1]
    light = 0.85 * sun[:, None] * [1.0, 0.95, 0.86] + fold[:, None] * (
        sky[:, None] * [0.42, 0.46, 0.52] + (1 - sky)[:, None] * [0.25, 0.23, 0.21]
    )
    return np.clip(body.colour(p) * light * (1 + 0.03 * rng.standard_normal((len(p), 1))), 0, 1)


def march(body: Body, directions: np.ndarray, near: float, far: float) -> tuple[np.ndarray, np.ndarray]:
    """Which rays (P, 3) from the eye meet the body, and where."""
    t, live = np.full(len(directions), near, np.float32), np.arange(len(directions))
    hit = np.zeros(len(directions), bool)
    for _ in range(48):
        d = body.distance(EYE + t[live, None] * directions[live])
        t[live] += 0.9 * d
        hit[live] = d < 1e-3
        live = live[(d >= 1e-3) & (t[live] < far)]
        if not len(live):
            break
    return hit, EYE + t[:, None] * directions


def draw(j: dict[str, np.ndarray], scene: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """One picture (H, W, 3) uint8."""
    body, rng = Body(j), np.random.default_rng(SEED)
    picture, ground = scene[0].copy(), scene[1]
    places = np.stack([v for k, v in j.items() if k not in ("forward", "up", "left")])
    coarse = ground[FINE // 2 :: FINE, FINE // 2 :: FINE]
    near = np.linalg.norm((coarse - places.mean(0))[..., [0, 2]], axis=-1) < 1.9
    shadow = np.ones(near.shape, np.float32)
    shadow[near] = lit(body, coarse[near] + np.float32([0, 0.005, 0]), 20)
    picture *= (0.52 + 0.48 * cv2.resize(shadow, None, fx=FINE, fy=FINE))[..., None]
    xy = project(places) * FINE
    low, high = xy.min(0) - 26 * FINE, xy.max(0) + 26 * FINE
    limits = np.array(SIZE) * FINE
    x0, y0, x1, y1 = (int(v) for v in (*np.clip(low, 0, limits), *np.clip(high, 0, limits)))
    directions = rays((x0, y0, x1, y1)).reshape(-1, 3)
    reach = np.linalg.norm(places.mean(0) - EYE)
    hit, p = march(body, directions, reach - 1.2, reach + 1.2)
    part = picture[y0:y1, x0:x1].reshape(-1, 3)
    part[hit] = shade(body, p[hit], rng)
    picture[y0:y1, x0:x1] = part.reshape(y1 - y0, x1 - x0, 3)
    small = cv2.resize(picture.astype(np.float32), SIZE, interpolation=cv2.INTER_AREA)
    return np.rint(255 * np.clip(small, 0, 1) ** 0.9).astype(np.uint8)


def walk(frames: int = FRAMES) -> list[dict[str, np.ndarray]]:
    """Joints of every frame."""
    phases = np.arange(frames) / RATE / STRIDE_S
    path = carried(phases)
    return [posture(phase, place) for phase, place in zip(phases, path, strict=True)]


def write(folder: Path) -> None:
    """Write the clip (H.264, crf 27) and its truth."""
    scene, poses = street(np.random.default_rng(SEED)), walk()
    with av.open(str(folder / "walker.mp4"), "w", options={"movflags": "+faststart"}) as out:
        stream = out.add_stream("libx264", RATE, options={"crf": "27", "preset": "veryslow", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.time_base = Fraction(1, RATE)
        for j in poses:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(draw(j, scene), format="rgb24")))
        out.mux(stream.encode())
    xy = project(np.stack([[j[name] for name in MAREY19.joints] for j in poses])).astype(np.float32)
    np.savez_compressed(folder / "walker.npz", xy_px=xy, time_s=np.arange(FRAMES) / RATE)


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "src/marey/sample")
    target.mkdir(parents=True, exist_ok=True)
    write(target)
    print(f"{target / 'walker.mp4'}: {(target / 'walker.mp4').stat().st_size // 1000} kB")
