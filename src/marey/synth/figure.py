"""A body dressed: the mesh that is drawn, with what shaders need to know of every vertex.

Clothes are MakeHuman's tights and skirt, stood off the skin and cut by the shaders; short hair is the scalp,
stood off; long hair is MakeHuman's hair mesh. Small people get a coarse mesh: vertices of the base person are
gathered in cells and each cell keeps one, so everything that hangs on vertices stays as it is.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float32, Float64, Int32, Int64

from marey.synth.assets import NAMES, Template
from marey.synth.body import Body, vertex_normals
from marey.synth.look import NEVER, Look

SCALP = len(NAMES)
"""Number of the part that is short hair."""
OPEN = ("skirt", "hair")
"""Parts whose inside is seen; that of sleeves and hems is filled by the skin to within a centimetre."""
COARSE_M, COARSE_HEAD_M = 0.034, 0.014
"""Cells of coarse meshes (our choice: edges of about two pixels where a person is 150 px tall)."""
ARM_BONES = ("shoulder", "upperarm", "lowerarm", "wrist", "metacarpal", "finger")


@dataclass(frozen=True, eq=False)
class Figure:
    """V vertices and F faces at rest, their bones' weights, and their `place` on the base person.

    Of the first `closed` faces only the outer side can be seen; skirts and hair have an inside too.
    """

    rest: Float32[np.ndarray, "V 3"]
    normals: Float32[np.ndarray, "V 3"]
    weights: Float32[np.ndarray, "V B"]
    place: Float32[np.ndarray, "V 3"]
    arm: Float32[np.ndarray, " V"]
    part: Float32[np.ndarray, " V"]
    faces: Int32[np.ndarray, "F 3"]
    closed: int


def figure(body: Body, look: Look, coarse: bool = False) -> Figure:
    """Dress a body."""
    base = body.base
    shift = np.zeros(len(body.rest))
    shift[base.part == NAMES.index("cloth")] = look.ease_m
    normals = vertex_normals(body.rest, base.faces)
    rest = body.rest + normals * shift[:, None]
    faces = _coarse(base) if coarse else base.faces
    worn = {"skin", "eye", "cloth", *(["skirt"] if look.skirt else []), *(["hair"] if look.long_hair else [])}
    part = base.part[faces[:, 0]]
    faces = faces[np.isin(part, [NAMES.index(name) for name in worn])]
    faces = faces[_shown(base, faces, look)]
    scalp = faces[_scalp_faces(base, faces)] if look.uniforms["hair_cut"][0] < NEVER else faces[:0]
    rise = look.hair_m * _hair_rise(base, look)
    every = np.tile(np.arange(len(rest)), 2)  # once as it is, once as short hair
    rest = np.concatenate([rest, body.rest + normals * rise[:, None]])
    parts = np.concatenate([base.part, np.full(len(base.part), SCALP)])
    all_faces = np.concatenate([faces, scalp + len(base.part)])
    open_ = np.isin(parts[all_faces[:, 0]], [NAMES.index(name) for name in OPEN])
    all_faces = all_faces[np.argsort(open_, kind="stable")]
    used, local = np.unique(all_faces, return_inverse=True)
    every, parts = every[used], parts[used]
    return Figure(
        rest[used].astype(np.float32),
        normals[every].astype(np.float32),
        base.weights[every].astype(np.float32),
        base.vertices[every].astype(np.float32),
        _arm(base)[every].astype(np.float32),
        parts.astype(np.float32),
        local.reshape(all_faces.shape).astype(np.int32),
        int((~open_).sum()),
    )


def _shown(base: Template, faces: Int64[np.ndarray, "F 3"], look: Look) -> np.ndarray:
    """Faces that the shaders would not throw away whole: skin well under clothes is left out."""
    hem, neck, sleeve, deep = look.uniforms["cut_top"]
    waist, cuff, _, shoe = look.uniforms["cut_legs"]
    y, arm, part = base.vertices[:, 1], _arm(base), base.part
    margin = 0.03
    hidden = np.where(arm > 0, arm < sleeve - margin, y > hem + margin) & (y < neck - deep - margin)
    hidden |= (arm <= 0) & (y < waist - margin) & (y > cuff + margin) | (y < shoe - margin)
    hidden &= (part == NAMES.index("skin")) & ~((y < hem + margin) & (y > waist - margin))
    bare = (part == NAMES.index("cloth")) & np.where(
        arm > 0, arm > sleeve + margin, (y > 0.69) | ((y < hem - margin) & (y > waist + margin))
    )
    return ~(hidden | bare)[faces].all(1)


@lru_cache(maxsize=2)
def _arm(base: Template) -> Float64[np.ndarray, " V"]:
    """Along the arm: 0 at the shoulder, 1 at the wrist, more on the hand; −1 elsewhere."""
    out = np.full(len(base.vertices), -1.0)
    heads = base.still_heads
    for side, sign in (("L", 1), ("R", -1)):
        on = [b for b, bone in enumerate(base.bones) if bone.startswith(ARM_BONES) and bone.endswith(side)]
        held = (base.weights[:, on].sum(1) > 0.5) & (np.sign(base.vertices[:, 0]) == sign)
        points = [heads[base.bones.index(f"{name}.{side}")] for name in ("upperarm01", "lowerarm01", "wrist")]
        upper, lower = points[1] - points[0], points[2] - points[1]
        first = ((base.vertices[held] - points[0]) @ upper) / (upper @ upper)
        second = ((base.vertices[held] - points[1]) @ lower) / (lower @ lower)
        out[held] = np.maximum(np.where(second > 0, 0.5 + second / 2, np.minimum(first, 1) / 2), 0.001)
    return out


def _scalp_faces(base: Template, faces: np.ndarray) -> np.ndarray:
    x, y, z = base.vertices.T
    on = (base.part == NAMES.index("skin")) & (y > 0.6) & (np.abs(x) < 0.11) & (_arm(base) <= 0)
    on &= ~((z > 0.1) & (y < 0.77))
    return on[faces].all(1)


def _hair_rise(base: Template, look: Look) -> np.ndarray:
    """How much of the hair's thickness stands at each vertex: none at the hairline, all behind it."""
    line, nape = look.uniforms["hair_cut"][:2]
    back = np.clip((base.vertices[:, 2] + 0.03) / 0.145, 0, 1)
    above = base.vertices[:, 1] - (nape + (min(line, 1.0) - nape) * back * back * (3 - 2 * back))
    return np.clip((above + 0.012) / 0.045, 0.15, 1.0)


@lru_cache(maxsize=2)
def _coarse(base: Template) -> Int64[np.ndarray, "F 3"]:
    """Faces between the vertices that cells keep: those nearest to their cell's mean."""
    xyz = base.vertices
    cell = np.where((xyz[:, 1] > 0.6)[:, None], COARSE_HEAD_M, COARSE_M)
    key = np.concatenate([np.floor(xyz / cell), base.part[:, None], (_arm(base) > 0)[:, None]], 1)
    _, of, counts = np.unique(key, axis=0, return_inverse=True, return_counts=True)
    of = of.ravel()
    means = np.stack([np.bincount(of, xyz[:, k]) for k in range(3)], -1) / counts[:, None]
    order = np.lexsort((np.linalg.norm(xyz - means[of], axis=1), of))
    kept = order[np.concatenate([[0], np.flatnonzero(np.diff(of[order])) + 1])]
    faces = kept[of[base.faces]]
    whole = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    _, first = np.unique(np.sort(faces[whole], 1), axis=0, return_index=True)
    return faces[whole][np.sort(first)]
