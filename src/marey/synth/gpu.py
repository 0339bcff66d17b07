"""Drawing off-screen with OpenGL through EGL: a stage of things and people, pictures and their truth.

Works on a processor with Mesa's software renderer, on an accelerator where its driver brings EGL. Pixels are
those of `core/cameras.py`: matrices are turned so that the row read first is the top one.
Truth is drawn without smoothing, at the centres of pixels.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from jaxtyping import Float32, Int16, Int32, UInt8

from marey.core.cameras import Camera
from marey.core.errors import MareyError
from marey.synth.figure import Figure

NEAR_M, FAR_M = 0.15, 400.0
SHADE_PX = 1536
SAMPLES = 4
SUFFIXES = {"picture": "", "truth": "_truth", "shade": "_shade"}
"""What is drawn, and how its programs are called."""
LACKING = "OpenGL through EGL does not start here ({}); on Debian: apt-get install libegl1 libgl1-mesa-dri"


@dataclass(frozen=True, eq=False)
class Thing:
    """Something that stands still: vertices, normals, places on its picture; `who` is its number in truth."""

    at: Float32[np.ndarray, "V 3"]
    normals: Float32[np.ndarray, "V 3"]
    uv: Float32[np.ndarray, "V 2"]
    faces: Int32[np.ndarray, "F 3"]
    picture: UInt8[np.ndarray, "h w 3"]
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    glow: float = 0.0
    who: int = 0
    casts: bool = True


@dataclass(frozen=True, slots=True)
class Light:
    """Sun, sky and ground; colours are linear, `way` is where the sun's light goes."""

    way: tuple[float, float, float]
    sun: tuple[float, float, float]
    sky: tuple[float, float, float]
    ground: tuple[float, float, float]
    centre: tuple[float, float, float]
    reach_m: float


@dataclass(frozen=True, eq=False)
class Seen:
    """Truth of a frame: `who` is seen (0: nobody), its `depths_m` now, on the next and on the last frame.

    `flow_px` is x, y to the next frame, x, y to the last. NaN where there is nothing.
    """

    who: Int16[np.ndarray, "H W"]
    depths_m: Float32[np.ndarray, "H W 3"]
    flow_px: Float32[np.ndarray, "H W 4"]


class Stage:
    """An OpenGL context with a size, for a `with` block. Raises `MareyError` without OpenGL."""

    def __init__(self, size: tuple[int, int]):
        try:
            import moderngl
        except ImportError as error:
            raise MareyError("drawing needs moderngl: pip install 'marey[synth]'") from error
        try:
            wanted: dict[str, Any] = {"standalone": True, "backend": "egl", "require": 330}
            self.gl = moderngl.create_context(**wanted)
        except Exception as error:  # glcontext raises nothing narrower, whatever is missing
            raise MareyError(LACKING.format(str(error).strip() or type(error).__name__)) from error
        gl, self.size = self.gl, size
        gl.front_face = "cw"  # of surfaces seen from outside: pictures are drawn top row first
        self._programs = {
            "person": self._program("person.vert", "person.frag"),
            "person_truth": self._program("person.vert", "person_truth.frag"),
            "person_shade": self._program("person.vert", "shade.frag"),
            "thing": self._program("thing.vert", "thing.frag"),
            "thing_truth": self._program("thing.vert", "thing_truth.frag"),
            "thing_shade": self._program("thing.vert", "shade_thing.frag"),
        }
        self._shade = gl.depth_texture((SHADE_PX, SHADE_PX))
        self._shade.compare_func = ""  # to be read as depths, not as comparisons
        self._shade_target = gl.framebuffer(depth_attachment=self._shade)
        samples = min(SAMPLES, gl.max_samples)
        self._smooth = gl.framebuffer(
            gl.renderbuffer(size, 4, samples=samples), gl.depth_renderbuffer(size, samples=samples)
        )
        self._flat = gl.framebuffer(gl.renderbuffer(size, 4))
        self._quick = gl.framebuffer(gl.renderbuffer(size, 4), gl.depth_renderbuffer(size))
        self._truth = gl.framebuffer(
            [gl.texture(size, 4, dtype="f4"), gl.texture(size, 4, dtype="f4")], gl.depth_renderbuffer(size)
        )
        self._things: list[tuple[Thing, dict[str, Any], Any]] = []
        self._people: list[tuple[_Person, Mapping[str, tuple[float, ...]], int]] = []

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        self.gl.release()

    def add_thing(self, thing: Thing) -> None:
        """Put something on the stage."""
        gl = self.gl
        buffer = gl.buffer(
            np.concatenate([thing.at, thing.normals, thing.uv], 1).astype(np.float32).tobytes()
        )
        index = gl.buffer(np.ascontiguousarray(thing.faces, np.int32).tobytes())
        height, width = thing.picture.shape[:2]
        texture = gl.texture((width, height), 3, np.ascontiguousarray(thing.picture).tobytes(), alignment=1)
        texture.build_mipmaps()
        if not thing.glow:  # a backdrop is seen square on
            texture.anisotropy = 4.0
        arrays = {name: self._array(f"thing{suffix}", [(buffer, "3f 3f 2f", ("at", "normal", "uv"))], index)
                  for name, suffix in SUFFIXES.items()}  # fmt: skip
        self._things.append((thing, arrays, texture))

    def add_person(self, figure: Figure, uniforms: Mapping[str, tuple[float, ...]], who: int) -> None:
        """Put a person on the stage, numbered in the truth; where the vertices are is said frame by frame."""
        self._people.append((_Person(self, figure), uniforms, who))

    def place(
        self, person: int, last: np.ndarray, now: np.ndarray, following: np.ndarray, normals: np.ndarray
    ) -> None:
        """Say where the vertices of the nth person are on three frames."""
        self._people[person][0].move(last, now, following, normals)

    def light(self, light: Light) -> None:
        """Draw the shadows, and light what is drawn next."""
        view = _sun_view(light)
        self._each(
            light=view, sun_way=light.way, sun_rgb=light.sun, sky_rgb=light.sky, ground_rgb=light.ground
        )
        self._each(camera=view, camera_last=view, camera_next=view, instant=0.0, nudge=(0.0, 0.0))
        self._shade_target.use()
        self.gl.enable(self.gl.DEPTH_TEST)
        self._shade_target.clear(depth=1.0)
        self._draw("shade")

    def picture(
        self, cameras: tuple[Camera, Camera, Camera], instants: tuple[float, ...]
    ) -> UInt8[np.ndarray, "H W 3"]:
        """What the camera sees; several instants are averaged (by squares, near enough to light itself).

        `cameras` are those of the last, this and the next frame; an instant of 0.5 is half-way to the next.
        """
        self._look(cameras)
        self._shade.use(0)
        if len(instants) == 1:
            self._each(instant=instants[0], nudge=(0.0, 0.0))
            self._paint(self._smooth)
            self.gl.copy_framebuffer(self._flat, self._smooth)
            return self._read(self._flat).copy()
        total = np.zeros((self.size[1], self.size[0], 3), np.float32)
        for k, instant in enumerate(instants):  # edges are smoothed by nudging the grid instead
            across, down = (
                ((k + 0.5) / len(instants) - 0.5),
                ((k * 3 % len(instants) + 0.5) / len(instants) - 0.5),
            )
            self._each(instant=instant, nudge=(2 * across / self.size[0], 2 * down / self.size[1]))
            self._paint(self._quick)
            total += np.square(self._read(self._quick), dtype=np.float32)
        return np.sqrt(total / len(instants)).round().astype(np.uint8)

    def _paint(self, target: Any) -> None:
        target.use()
        target.clear(0.5, 0.6, 0.7, 1.0, depth=1.0)
        self._draw("picture")

    def _read(self, target: Any) -> UInt8[np.ndarray, "H W 3"]:
        held = np.frombuffer(target.read(components=3, alignment=1), np.uint8)
        return held.reshape(self.size[1], self.size[0], 3)

    def truth(self, cameras: tuple[Camera, Camera, Camera]) -> "Seen":
        """What is at the centre of each pixel."""
        self._look(cameras)
        self._each(instant=0.0, nudge=(0.0, 0.0))
        self._truth.use()
        self._truth.clear(0.0, 0.0, 0.0, 0.0, depth=1.0)
        self._draw("truth")
        shape = (self.size[1], self.size[0], 4)
        thing, flow = (
            np.frombuffer(self._truth.read(components=4, attachment=k, dtype="f4"), np.float32).reshape(shape)
            for k in (0, 1)
        )
        nothing = thing[..., 1:2] == 0
        depths, flow = np.where(nothing, np.nan, thing[..., 1:]), np.where(nothing, np.nan, flow)
        return Seen(thing[..., 0].round().astype(np.int16), depths, flow)

    def _look(self, cameras: tuple[Camera, Camera, Camera]) -> None:
        last, now, following = (_view(camera, self.size) for camera in cameras)
        eye = tuple((-cameras[1].rotation.T @ cameras[1].translation).tolist())
        self._each(camera=now, camera_last=last, camera_next=following, eye_at=eye)
        self._each(size=tuple(float(side) for side in self.size), shade=0, picture=1)

    def _draw(self, what: str) -> None:
        suffix = SUFFIXES[what]
        for thing, arrays, texture in self._things:
            if what == "shade" and not thing.casts:
                continue
            if what == "picture":
                texture.use(1)
            self._tell(f"thing{suffix}", tint=thing.tint, glow=thing.glow, who=float(thing.who))
            arrays[what].render()
        for person, uniforms, who in self._people:
            self._tell(f"person{suffix}", who=float(who), **uniforms)
            person.draw(what)

    def _each(self, **values: Any) -> None:
        for name in self._programs:
            self._tell(name, **values)

    def _tell(self, program: str, **values: Any) -> None:
        held = self._programs[program]
        for name, value in values.items():
            if name in held:
                if isinstance(value, np.ndarray):
                    held[name].write(np.ascontiguousarray(value.T, np.float32).tobytes())
                else:
                    held[name].value = value

    def _program(self, vertex: str, fragment: str) -> Any:
        return self.gl.program(vertex_shader=_shader(vertex), fragment_shader=_shader(fragment))

    def _array(self, program: str, buffers: list[tuple[Any, str, tuple[str, ...]]], index: Any) -> Any:
        held = self._programs[program]
        content = []
        for buffer, form, names in buffers:
            words = [
                word if name in held else f"{4 * int(word[0])}x"
                for word, name in zip(form.split(), names, strict=True)
            ]
            used = [name for name in names if name in held]
            if used:
                content.append((buffer, " ".join(words), *used))
        return self.gl.vertex_array(held, content, index)


class _Person:
    """Buffers of one person; places on three frames are written anew for every frame."""

    def __init__(self, stage: Stage, figure: Figure):
        gl, count = stage.gl, len(figure.rest)
        self.gl, self.closed, self.corners = gl, 3 * figure.closed, figure.faces.size
        self.moving = {
            name: gl.buffer(reserve=count * 12, dynamic=True)
            for name in ("at_last", "at", "at_next", "normal")
        }
        still = np.concatenate([figure.place, figure.arm[:, None], figure.part[:, None]], 1)
        fixed = gl.buffer(still.astype(np.float32).tobytes())
        index = gl.buffer(np.ascontiguousarray(figure.faces, np.int32).tobytes())
        buffers: list[tuple[Any, str, tuple[str, ...]]] = [
            (buffer, "3f", (name,)) for name, buffer in self.moving.items()
        ]
        buffers.append((fixed, "3f 1f 1f", ("place", "arm", "part")))
        self.arrays = {what: stage._array(f"person{suffix}", buffers, index)
                       for what, suffix in SUFFIXES.items()}  # fmt: skip

    def draw(self, what: str) -> None:
        """Closed parts without their far sides, which cost as much as the near ones and are never seen."""
        self.gl.enable(self.gl.CULL_FACE)
        self.arrays[what].render(vertices=self.closed)
        self.gl.disable(self.gl.CULL_FACE)
        if self.corners > self.closed:
            self.arrays[what].render(vertices=self.corners - self.closed, first=self.closed)

    def move(self, last: np.ndarray, now: np.ndarray, following: np.ndarray, normals: np.ndarray) -> None:
        for name, values in (("at_last", last), ("at", now), ("at_next", following), ("normal", normals)):
            self.moving[name].write(np.ascontiguousarray(values, np.float32).tobytes())


def _shader(name: str) -> str:
    folder = files("marey.synth") / "shaders"
    text = (folder / name).read_text("utf-8")
    return re.sub(r"#include (\S+)", lambda found: (folder / found[1]).read_text("utf-8"), text)


def _view(camera: Camera, size: tuple[int, int]) -> np.ndarray:
    """World to clip space: pixel (0, 0) at (−1, −1), depth from `NEAR_M` to `FAR_M`."""
    width, height = size
    k = camera.matrix
    clip = np.zeros((4, 4))
    clip[0, :3] = 2 * k[0] / width - np.array([0, 0, 1.0])
    clip[1, :3] = 2 * k[1] / height - np.array([0, 0, 1.0])
    clip[2, 2:] = (FAR_M + NEAR_M) / (FAR_M - NEAR_M), -2 * FAR_M * NEAR_M / (FAR_M - NEAR_M)
    clip[3, 2] = 1.0
    move = np.eye(4)
    move[:3, :3], move[:3, 3] = camera.rotation, camera.translation
    return clip @ move


def _sun_view(light: Light) -> np.ndarray:
    """World to the sun's clip space, all of `reach_m` about the centre in it."""
    ahead = np.array(light.way) / np.linalg.norm(light.way)
    side = np.cross([0.0, 1.0, 0.0], ahead)
    side /= np.linalg.norm(side)
    turn = np.stack([side, np.cross(ahead, side), ahead])
    move = np.eye(4)
    move[:3, :3], move[:3, 3] = turn, -turn @ np.array(light.centre)
    move[:3] /= light.reach_m * np.array([[1.0], [1.0], [2.0]])
    return move
