"""A scene: who is where and moves how, what stands about, which cameras look on; all drawn from one seed.

Conventions: metres, Y up, ground at Y = 0; the first camera looks along −Z, so X is to the right of its
picture. A scene of T frames holds T + 2: one before the first and one after the last, for flow.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from marey.core.cameras import Camera
from marey.core.errors import SettingsError
from marey.core.skeletons import MAREY19
from marey.synth.backdrop import box, photographs_in, sunshine, surroundings
from marey.synth.body import Body, Pose, body, joints, posed, set_down
from marey.synth.gestures import GESTURES
from marey.synth.gpu import Light, Thing
from marey.synth.ground import on_ground, planted
from marey.synth.look import Look, look
from marey.synth.motion import Motion, at_times, lasting, mirror, warped_times
from marey.synth.shots import MOVES, Move, camera_at, shot
from marey.synth.takes import read_take, take_files
from marey.synth.truth import pixel_of

APART_M, ROOTS_APART_M = 0.24, 0.45
"""Least distance between joints, and between the middles, of two people (our choice)."""
TRIES = 80
"""Places tried for a person before another motion is drawn; who cannot even stand is left out."""


@dataclass(frozen=True, slots=True)
class Film:
    """What a clip shall be: everything but the seed; ranges are drawn from."""

    size: tuple[int, int] = (640, 360)
    rate_hz: float = 25.0
    seconds: float = 4.0
    people: tuple[int, int] = (1, 1)
    views: int = 1
    filling: tuple[float, float] = (0.55, 0.85)
    """Share of the picture's height that a person in the middle takes."""
    spread_m: float = 1.0
    """How far from the middle people may be."""
    inside: float = 0.85
    """Share of each person's joints, over the clip, that the first camera must hold."""
    occluders: tuple[int, int] = (0, 0)
    speed: float = 1.0
    blur: float = 0.0
    """Share of a frame's time that the shutter is open, in four sub-frames; 0 is no blur at all."""
    own_motion: float = 0.25
    """Share of people who move by our own motions even where there is motion capture."""
    moving_camera: float = 0.6
    """Share of clips whose camera pans, tilts, zooms, is carried or on a dolly; two of these at once."""
    sweeps: bool = False
    """Whether the camera turns away and back, so that everybody leaves for seconds and comes again."""
    mocap: str = ""
    photographs: str = ""
    split: str = "train"


@dataclass(frozen=True, eq=False)
class Actor:
    """A person of the scene; `who` counts from 1."""

    who: int
    look: Look
    body: Body
    pose: Pose
    motion: str
    coarse: bool


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything that is needed to draw a clip; `shots` holds one list of T + 2 cameras for each view."""

    film: Film
    seed: int
    actors: tuple[Actor, ...]
    things: tuple[Thing, ...]
    light: Light
    shots: tuple[list[Camera], ...]
    moves: tuple[Move, ...]

    @property
    def frames(self) -> int:
        """Frames of the clip."""
        return len(self.shots[0]) - 2


def scene(film: Film, seed: int) -> Scene:
    """Draw a scene. The same film and seed give the same scene everywhere.

    Raises `SettingsError` for a film that cannot be, `DataError` where its mocap or photographs are missing,
    `MareyError` without anny.
    """
    check(film)
    rng, place_rng, camera_rng = (np.random.default_rng([seed, k]) for k in range(3))
    count = round(film.seconds * film.rate_hz) + 2
    times_s = (np.arange(count) - 1) / film.rate_hz
    angle = float(camera_rng.uniform(35, 62))
    eye, target = _viewpoint(film, angle, camera_rng)
    actors = _actors(film, (eye, target, angle), rng, place_rng)
    moves = _moves(film, camera_rng)
    shots = [shot((eye, target, angle), moves, film.size, times_s, camera_rng)]
    for k in range(1, film.views):
        turn = 2 * np.pi * k / film.views + camera_rng.uniform(-0.25, 0.25)
        other = np.array(
            [np.sin(turn) * eye[2], eye[1] * camera_rng.uniform(0.8, 1.4), np.cos(turn) * eye[2]]
        )
        shots.append(shot((other, target, angle), ("still",), film.size, times_s, camera_rng))
    photographs = photographs_in(Path(film.photographs)) if film.photographs else ()
    things = [
        *surroundings(place_rng, photographs),
        *_stools(actors, place_rng),
        *_occluders(film, actors, eye, place_rng),
    ]
    reach = min(film.spread_m + 4.0, 14.0)
    light = sunshine(place_rng, np.array([0.0, 0.8, 0.0]), reach)
    return Scene(film, seed, tuple(actors), tuple(things), light, tuple(shots), moves)


def check(film: Film) -> None:
    """Raise `SettingsError` for what no clip can be."""
    if min(film.size) < 64 or max(film.size) > 4096 or any(side % 2 for side in film.size):
        raise SettingsError(f"size {film.size[0]}×{film.size[1]}: even sides between 64 and 4096 are needed")
    if not 1 <= film.people[0] <= film.people[1] <= 25:
        raise SettingsError(f"people {film.people[0]} to {film.people[1]}: from 1 to 25 are possible")
    if film.seconds * film.rate_hz < 1 or not 1 <= film.views <= 8:
        raise SettingsError(
            f"{film.seconds} s at {film.rate_hz} Hz in {film.views} views: no frame, or not 1 to 8 views"
        )


def _viewpoint(film: Film, angle: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    width, height = film.size
    tangent = np.tan(np.deg2rad(angle) / 2) * height / width
    away = 1.72 / (2 * tangent * rng.uniform(*film.filling))
    crowd = film.people[1] > 6
    up = float(rng.uniform(1.6, 4.5) if crowd else rng.uniform(0.7, 2.2))
    target = np.array([0.0, 0.88, 0.0])
    return np.array([0.0, up, float(np.sqrt(max(away**2 - (up - target[1]) ** 2, 1.0)))]), target


def _moves(film: Film, rng: np.random.Generator) -> tuple[Move, ...]:
    sweep: tuple[Move, ...] = ("sweep",) if film.sweeps else ()
    if film.views > 1 or rng.random() > film.moving_camera:
        return sweep or ("still",)
    small = np.arange(1, MOVES.index("sweep"))
    return *(MOVES[k] for k in sorted(rng.choice(small, 2, replace=False))), *sweep


def _actors(
    film: Film,
    view: tuple[np.ndarray, np.ndarray, float],
    rng: np.random.Generator,
    place_rng: np.random.Generator,
) -> list[Actor]:
    eye, _, angle = view
    actors: list[Actor] = []
    placed: list[np.ndarray] = []
    width = film.size[0]
    focal = width / 2 / np.tan(np.deg2rad(angle) / 2)
    for _ in range(int(rng.integers(film.people[0], film.people[1] + 1))):
        seen = look(rng)
        shape = body(seen.traits)
        for wanted in ("", "", "", "idle"):  # whoever moves too far for the place that is left stands
            motion = _motion(film, rng, wanted)
            pose = _grounded(shape, motion)
            found = _placed(joints(shape, pose), placed, film, view, place_rng)
            if found is None:
                continue
            pose = set_down(pose, *found)
            points = joints(shape, pose)
            placed.append(points)
            nearest = np.linalg.norm(points.mean(1) - eye, axis=-1).min()
            coarse = focal * 1.72 / nearest < 200
            actors.append(Actor(len(actors) + 1, seen, shape, pose, motion.name, bool(coarse)))
            break
    return actors


def _motion(film: Film, rng: np.random.Generator, wanted: str = "") -> Motion:
    """A stretch of T + 2 frames, from motion capture or of our own (`wanted`), mirrored half the time."""
    count = round(film.seconds * film.rate_hz) + 2
    times_s = warped_times(count / film.rate_hz, film.rate_hz, rng) * film.speed
    lasts = float(times_s[-1])
    if wanted or not film.mocap or rng.random() < film.own_motion:
        name = wanted or str(rng.choice(list(GESTURES)))
        motion = GESTURES[name](lasts + 0.5, rng)
        start = 0.0
    else:
        files = _takes_of(film.mocap, film.split)
        motion = lasting(read_take(files[int(rng.integers(len(files)))]), lasts)
        start = float(rng.uniform(0, motion.lasts_s - lasts))
    motion = at_times(motion, times_s + start, film.rate_hz)
    return mirror(motion) if rng.random() < 0.5 else motion


@lru_cache(maxsize=8)
def _takes_of(folder: str, split: str) -> list[Path]:
    return take_files(Path(folder), split)


def _grounded(shape: Body, motion: Motion) -> Pose:
    """The body in motion, on the ground, its way beginning near the origin."""
    pose = posed(shape, motion)
    own = motion.group == "gestures"
    pose = on_ground(shape, pose, motion.rate_hz, jumps=not own)
    return planted(shape, pose) if own else pose


def _placed(
    points: Float64[np.ndarray, "T J 3"],
    placed: list[np.ndarray],
    film: Film,
    view: tuple[np.ndarray, np.ndarray, float],
    rng: np.random.Generator,
) -> tuple[float, np.ndarray] | None:
    """An angle and a shift with which nobody is touched and the person is mostly in the picture."""
    eye, target, angle = view
    middle = points.mean((0, 1)) * np.array([1.0, 0.0, 1.0])
    camera = camera_at(eye, target, film.size, angle)
    for _ in range(TRIES):
        turn = float(rng.uniform(0, 2 * np.pi))
        at = np.array([rng.uniform(-1, 1), 0.0, rng.uniform(-1, 1)]) * film.spread_m
        at[2] = min(at[2], eye[2] - 1.5)
        cos, sin = np.cos(turn), np.sin(turn)
        rotation = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
        there = (points[::4] - middle) @ rotation.T + at
        inside, _, _ = pixel_of(camera.project(there), film.size[::-1])
        near = np.linalg.norm(there - eye, axis=-1).min() < 1.2
        if inside.mean() > film.inside and not near and all(_apart(there, other[::4]) for other in placed):
            return turn, at - rotation @ middle
    return None


def _apart(a: Float64[np.ndarray, "T J 3"], b: Float64[np.ndarray, "T J 3"]) -> bool:
    roots = np.linalg.norm((a.mean(1) - b.mean(1))[:, [0, 2]], axis=-1)
    if roots.min() < ROOTS_APART_M:
        return False
    if roots.min() > 2.5:
        return True
    gaps = np.linalg.norm(a[:, :, None] - b[:, None], axis=-1)
    return bool(gaps.min() > APART_M)


def _stools(actors: list[Actor], rng: np.random.Generator) -> list[Thing]:
    """Something to sit on for those who sit."""
    out = []
    hips = [MAREY19.index("left_hip"), MAREY19.index("right_hip")]
    for actor in actors:
        if actor.motion.startswith("sit"):
            middle = joints(actor.body, actor.pose)[:, hips].mean(1)
            seat = middle[middle[:, 1].argmin()]
            if seat[1] < 0.75 * actor.body.leg_m:
                half = np.array([0.2, 0.0, 0.2])
                out.append(box(seat * [1, 0, 1] - half, seat - [0, 0.12, 0] + half, rng))
    return out


def _occluders(film: Film, actors: list[Actor], eye: np.ndarray, rng: np.random.Generator) -> list[Thing]:
    """Blocks and columns between camera and people that nobody walks into."""
    ways = [joints(actor.body, actor.pose)[::4].reshape(-1, 3)[:, [0, 2]] for actor in actors]
    every = np.concatenate(ways) if ways else np.zeros((0, 2))
    out: list[Thing] = []
    for _ in range(int(rng.integers(film.occluders[0], film.occluders[1] + 1))):
        for _ in range(TRIES):
            share = rng.uniform(0.15, 0.75)
            at = np.array(
                [rng.uniform(-1, 1) * (film.spread_m + 0.4) * (1 - share * 0.6), 0.0, eye[2] * share]
            )
            half = np.array([rng.uniform(0.05, 0.5), 0.0, rng.uniform(0.05, 0.3)])
            clear = np.abs(every - at[[0, 2]]) > half[[0, 2]] + 0.2
            if clear.any(1).all() and np.linalg.norm(at - eye) > 1.2:
                tall = np.array([0.0, rng.uniform(0.4, 1.2) if half[0] > 0.2 else rng.uniform(1.0, 3.0), 0.0])
                out.append(box(at - half, at + half + tall, rng, bool(rng.random() < 0.4)))
                break
    return out
