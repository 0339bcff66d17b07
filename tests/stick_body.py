"""A body without anny: the rig's bones at plausible places, and a few vertices that hang on single bones."""

import numpy as np

from marey.core.skeletons import MAREY19
from marey.synth.assets import NAMES, Template
from marey.synth.body import Body, of_shape

TRUNK = (("root", "", (0, 0, 0)), ("spine05", "root", (0, 0.02, 0)),
         ("spine04", "spine05", (0, 0.12, 0)),
         ("spine03", "spine04", (0, 0.2, 0)),
         ("spine02", "spine03", (0, 0.3, 0)), ("spine01", "spine02", (0, 0.4, 0)),
         ("neck01", "spine01", (0, 0.55, 0)), ("neck02", "neck01", (0, 0.58, 0)),
         ("neck03", "neck02", (0, 0.61, 0)),
         ("head", "neck03", (0, 0.64, 0.01)))  # fmt: skip
SIDE = (("clavicle", "spine01", (0.02, 0.5, 0)), ("shoulder01", "clavicle", (0.08, 0.52, 0)),
        ("upperarm01", "shoulder01", (0.18, 0.5, 0)), ("upperarm02", "upperarm01", (0.25, 0.42, 0.0)),
        ("lowerarm01", "upperarm02", (0.35, 0.3, 0.02)), ("lowerarm02", "lowerarm01", (0.42, 0.22, 0.06)),
        ("wrist", "lowerarm02", (0.5, 0.12, 0.1)), ("finger2-1", "wrist", (0.53, 0.07, 0.14)),
        ("finger5-1", "wrist", (0.55, 0.07, 0.08)), ("pelvis", "root", (0.0, 0.01, 0)),
        ("upperleg01", "pelvis", (0.1, 0.0, 0)), ("upperleg02", "upperleg01", (0.11, -0.2, 0.01)),
        ("lowerleg01", "upperleg02", (0.13, -0.42, 0.02)), ("lowerleg02", "lowerleg01", (0.14, -0.6, 0.01)),
        ("foot", "lowerleg02", (0.15, -0.82, 0.0)))  # fmt: skip
AT = {
    "nose": "head", "eye": "head", "ear": "head",
    "shoulder": "upperarm01", "elbow": "lowerarm01", "wrist": "wrist",
    "hip": "upperleg01", "knee": "lowerleg01", "ankle": "foot",
}  # fmt: skip


def stick_body() -> Body:
    """Legs of 0.82 m; COCO's joints are the heads of bones, so directions of limbs are known."""
    bones, parents, heads = [], [], []
    for name, above, place in TRUNK:
        parents.append(bones.index(above) if above else -1)
        bones.append(name)
        heads.append(place)
    for letter, sign in (("L", 1), ("R", -1)):
        for name, above, (x, y, z) in SIDE:
            parents.append(bones.index(f"{above}.{letter}" if f"{above}.{letter}" in bones else above))
            bones.append(f"{name}.{letter}")
            heads.append((sign * x, y, z))
    places, on = [list(place) for place in heads], list(range(len(heads)))
    for sign, letter in ((1, "L"), (-1, "R")):
        foot = bones.index(f"foot.{letter}")
        soles = [(sign * 0.15 + dx, -0.9, dz) for dx in (-0.03, 0.03) for dz in np.linspace(-0.05, 0.18, 100)]
        places += [list(sole) for sole in soles]
        on += [foot] * len(soles)
    places += [[0, 0.85, 0.0]] * 8  # the crown
    on += [bones.index("head")] * 8
    vertices = np.array(places, np.float64)
    weights = np.eye(len(bones))[on]
    joints = tuple(name for name in MAREY19.joints if name not in ("neck", "head_top"))
    names = [_bone(name) for name in joints]
    joint_of = np.eye(len(vertices))[[bones.index(name) for name in names]]
    count = len(bones)
    base = Template(
        vertices, np.arange(len(vertices)), np.full(len(vertices), NAMES.index("skin")),
        np.array([[0, 1, 2]]),
        weights, tuple(bones), tuple(parents), np.eye(count), np.arange(count), vertices[:count],
        joints, joint_of,
    )  # fmt: skip
    return of_shape(base, vertices)


def _bone(joint: str) -> str:
    bone = AT[joint.split("_")[-1]]
    return bone if bone == "head" else f"{bone}.{'L' if joint.startswith('left') else 'R'}"
