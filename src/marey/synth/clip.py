"""A scene made into files: video, and beside it the recording that holds its truth (`record.py`).

`NAME.mp4` and `NAME.marey/`; several views are `NAME-view1` and so on. If asked for, the folder also holds
pictures 000000.png …: `masks` (ids), `depth` (millimetres, 16 bit), `flow` and `flow_back` (KITTI's form, 16
bit: 64·x + 2¹⁵, 64·y + 2¹⁵, whether it holds).
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from marey.core.cameras import Camera
from marey.core.files import make_folder, write_whole
from marey.core.history import History, Source, Step
from marey.core.skeletons import MAREY19
from marey.synth.body import joints, skinned
from marey.synth.figure import Figure, figure
from marey.synth.gpu import Seen, Stage
from marey.synth.lens import Lens, exposed, lens
from marey.synth.record import EXACT, Shown, nobody, write_truth
from marey.synth.scene import Film, Scene, scene
from marey.synth.truth import at_joints, extent, flow_holds, sight, truth_hash
from marey.video.write import Writer

KEEP = ("masks", "flow", "depth")
LEAST_PX = 12
"""Somebody of whom fewer pixels are seen is not in the recording on that frame (our choice)."""
SHUTTER = (-0.375, -0.125, 0.125, 0.375)
"""Instants of the exposure that are averaged, as shares of it."""
DIGITS = 6


@dataclass(frozen=True, eq=False)
class Drawn:
    """One frame of one view: the picture, what is at its pixels, and who is on it."""

    rgb: UInt8[np.ndarray, "H W 3"]
    seen: Seen
    shown: Shown


@dataclass(eq=False)
class _View:
    """What is written of a view while the clip is made; `seen` holds the last three frames at most."""

    video: Writer
    folder: Path
    lens: Lens
    rng: np.random.Generator
    shown: list[Shown] = field(default_factory=list)
    seen: dict[int, Seen] = field(default_factory=dict)


def make_clip(film: Film, seed: int, out: Path, name: str, keep: Sequence[str] = ()) -> str:
    """Write a clip into the folder `out` and return its truth's hash.

    Raises `MareyError` without anny or OpenGL, `SettingsError`, `DataError`, `VideoError`, `RecordingError`.
    """
    plan = scene(film, seed)
    make_folder(out)
    titles = [name if film.views == 1 else f"{name}-view{k + 1}" for k in range(film.views)]
    found = truth_hash(points(plan), (camera for shot in plan.shots for camera in shot))
    with ExitStack() as stack:
        stage = stack.enter_context(staged(plan))
        views = [
            _View(
                stack.enter_context(Writer(out / f"{title}.mp4", film.size)),
                out / f"{title}.marey",
                *_lens(plan, k),
            )
            for k, title in enumerate(titles)
        ]
        for every in frames(plan, stage):
            for view, drawn in zip(views, every, strict=True):
                _add(view, drawn, film.rate_hz, keep)
    for k, (view, title) in enumerate(zip(views, titles, strict=True)):
        _after(view, len(view.shown) - 1, keep)
        history = _history(plan, k, title, found)
        write_truth(view.folder, view.shown, plan.shots[k][1:-1], history, film.rate_hz)
    return found


def points(plan: Scene) -> list[Float64[np.ndarray, "T 19 3"]]:
    """Joints in space of everybody on every frame of the clip."""
    return [joints(actor.body, actor.pose)[1:-1] for actor in plan.actors]


def staged(plan: Scene) -> Stage:
    """A stage with the scene's things and people on it."""
    stage = Stage(plan.film.size)
    for thing in plan.things:
        stage.add_thing(thing)
    for actor, one in zip(plan.actors, figures(plan), strict=True):
        stage.add_person(one, actor.look.uniforms, actor.who)
    return stage


def figures(plan: Scene) -> list[Figure]:
    """The scene's people, dressed."""
    return [figure(actor.body, actor.look, actor.coarse) for actor in plan.actors]


def frames(plan: Scene, stage: Stage) -> Iterator[list[Drawn]]:
    """Every frame of every view, in order. `stage` is the scene's."""
    dressed, places = figures(plan), points(plan)
    instants = tuple(plan.film.blur * k for k in SHUTTER) if plan.film.blur else (0.0,)
    rolling = [[_skin(plan, dressed, a, k) for k in (0, 1)] for a in range(len(dressed))]
    for k in range(1, plan.frames + 1):
        for a, held in enumerate(rolling):
            held.append(_skin(plan, dressed, a, k + 1))
            (last, _), (now, normals), (following, _) = held
            stage.place(a, last, now, following, normals)
            del held[0]
        stage.light(plan.light)
        bodies = [(held[0][0], place[k - 1]) for held, place in zip(rolling, places, strict=True)]
        out = []
        for shot in plan.shots:
            cameras = (shot[k - 1], shot[k], shot[k + 1])
            rgb, seen = stage.picture(cameras, instants), stage.truth(cameras)
            out.append(Drawn(rgb, seen, _shown(plan, cameras[1], seen, bodies)))
        yield out


def _skin(plan: Scene, dressed: list[Figure], a: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    one = dressed[a]
    return skinned(one.weights, one.rest, one.normals, plan.actors[a].pose, k)


def _shown(plan: Scene, camera: Camera, seen: Seen, bodies: list[tuple[np.ndarray, np.ndarray]]) -> Shown:
    """Who is on a frame; the motion at joints is not known yet."""
    pixels = np.bincount(seen.who[seen.who > 0], minlength=len(bodies) + 1)
    rows = []
    for actor, (vertices, xyz) in zip(plan.actors, bodies, strict=True):
        box = extent(camera, vertices, plan.film.size)
        if box is not None and pixels[actor.who] >= LEAST_PX:
            rows.append(
                (
                    actor.who,
                    box,
                    xyz,
                    *sight(camera, xyz, actor.who, seen, actor.body.stature_m),
                    pixels[actor.who],
                )
            )
    if not rows:
        return nobody()
    who, boxes, xyz, xy, state, depth, count = (np.array(column) for column in zip(*rows, strict=True))
    motion = np.full((*state.shape, 4), np.nan, np.float32)
    return Shown(who.astype(np.int64), boxes, xyz, xy, state, depth, count.astype(np.int32), motion)


def _lens(plan: Scene, view: int) -> tuple[Lens, np.random.Generator]:
    rng = np.random.default_rng([plan.seed, 9, view])
    camera = plan.shots[view][1]
    drawn = lens(rng, float(np.linalg.norm(camera.to_camera(np.array([0.0, 0.9, 0.0])))))
    return replace(drawn, shutter=0.0 if plan.film.blur else drawn.shutter), rng


def _add(view: _View, drawn: Drawn, rate_hz: float, keep: Sequence[str]) -> None:
    """Write a frame's picture; what needs its neighbours too is written one frame later."""
    k = len(view.shown)
    view.video.write(exposed(drawn.rgb, drawn.seen, view.lens, k / rate_hz, view.rng), k / rate_hz)
    view.shown.append(drawn.shown)
    view.seen = {j: seen for j, seen in view.seen.items() if j > k - 3} | {k: drawn.seen}
    if k:
        _after(view, k - 1, keep)
    if "masks" in keep:
        _png(view.folder / "masks", k, drawn.seen.who.astype(np.uint8))
    if "depth" in keep:
        millimetres = np.clip(np.nan_to_num(drawn.seen.depths_m[..., 0]) * 1000, 0, 65535)
        _png(view.folder / "depth", k, millimetres.round().astype(np.uint16))


def _after(view: _View, k: int, keep: Sequence[str]) -> None:
    """Flow of frame k and the motion at its joints, now that the frames about it are known."""
    last, seen, following = view.seen.get(k - 1), view.seen[k], view.seen.get(k + 1)
    shown = view.shown[k]
    pairs = zip(shown.xy_px, shown.sight, strict=True)
    motion = [at_joints(seen, last, following, xy, state) for xy, state in pairs]
    if motion:
        view.shown[k] = replace(shown, motion_px=np.stack(motion))
    if "flow" in keep:  # dense, and only then: the whole picture costs as much as drawing its truth
        nowhere = np.zeros(seen.who.shape, bool)
        ahead = nowhere if following is None else flow_holds(seen, following, True)
        back = nowhere if last is None else flow_holds(seen, last, False)
        _png(view.folder / "flow", k, _kitti(seen.flow_px[..., :2], ahead))
        _png(view.folder / "flow_back", k, _kitti(seen.flow_px[..., 2:], back))


def _kitti(flow_px: np.ndarray, holds: np.ndarray) -> np.ndarray:
    """Flow as KITTI stores it (Menze and Geiger 2015), channels in OpenCV's order."""
    coded = np.clip(np.nan_to_num(flow_px) * 64 + 2**15, 0, 65535).round()
    return np.dstack([holds, coded[..., 1], coded[..., 0]]).astype(np.uint16)


def _png(folder: Path, k: int, picture: np.ndarray) -> None:
    make_folder(folder)
    content = cv2.imencode(".png", picture)[1].tobytes()
    write_whole(folder / f"{k:0{DIGITS}d}.png", lambda part: part.write_bytes(content))


def _history(plan: Scene, view: int, title: str, found: str) -> History:
    film = plan.film
    settings = {name: value for name, value in asdict(film).items() if name not in ("mocap", "photographs")}
    settings |= {"seed": plan.seed, "view": view, "truth": found, "moves": list(plan.moves)}
    settings |= {"motions": [actor.motion for actor in plan.actors]}
    rate = Fraction(film.rate_hz).limit_denominator(1001)
    source = Source(f"{title}.mp4", film.size, 0, rate, False, plan.frames / film.rate_hz)
    return History(MAREY19, source, (Step("synth", settings),), lift=EXACT)
