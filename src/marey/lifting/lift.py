"""A recording with places in space: each track lifted, scaled, placed by reprojection, turned to gravity.

Conventions: pixels of the displayed picture in, `core/space.py` out. Only tracked people are lifted. A joint
that nobody saw (score below `least_score`) for longer than `unseen_s` is missing: legs out of the picture are
not invented.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64

from marey.core.cameras import Camera
from marey.core.recording import Recording
from marey.core.rows import Rows
from marey.core.skeletons import Skeleton
from marey.core.space import Space
from marey.lifting.body import Placed, placed
from marey.lifting.stances import FEET, Stances, planted, stances
from marey.lifting.windows import H36M, HEAD, NOSE, Track, to_h36m
from marey.lifting.world import Ground, World, from_feet, ground

Lifter = Callable[[Iterator[Track]], Iterator[Float64[np.ndarray, "T 17 3"]]]
"""A lifting method's stage with its settings and network."""
OWN = {"nose": NOSE, "head_top": HEAD}
"""Joints that a lifter has under another name: see `windows.to_h36m`."""
MORE = ("root", "spine", "thorax")
"""Joints of the lifter for which 2D skeletons have no name, as a rule: they go into the table `lifted`."""


@dataclass(frozen=True, slots=True)
class Lift:
    """Settings of `lift`: heights by person (metres), what is assumed of the others, and who is unseen.

    With `contacts` a foot that stands keeps its distance, and takes the body with it.
    """

    height_m: float | None = None
    heights_m: dict[str, float] = field(default_factory=dict[str, float])
    assumed_m: float = 1.70  # mean of adults, women and men (NCD-RisC 2016: 1.60 and 1.72; our choice)
    least_score: float = 0.2  # below it a joint was not seen (our choice)
    unseen_s: float = 0.5
    contacts: bool = False

    def height(self, person: int) -> tuple[float, str]:
        """A person's height and where it comes from."""
        known = self.heights_m.get(str(person), self.height_m)
        return (self.assumed_m, f"assumed {self.assumed_m:.2f} m") if known is None else (known, "height")


@dataclass(frozen=True, slots=True)
class _Person:
    rows: Rows
    placed: Placed
    scores: Float64[np.ndarray, "T 17"]


def lift(
    recording: Recording,
    lifter: Lifter,
    camera: tuple[Camera, str],
    world: World | None = None,
    settings: Lift | None = None,
) -> Recording:
    """The recording with places in space.

    Parameters
    ----------
    recording : finished; its tracks are lifted
    lifter : a method's stage, given tracks
    camera : the lens and one line on where it comes from
    world : camera axes to the world's, if known; else as far as feet that stand tell it, level for the rest
    settings : heights, when a joint counts as unseen, whether feet are held
    """
    settings = settings or Lift()
    skeleton = recording.skeleton
    tracks = {person: track for person, track in recording.tracks().items() if track.seen.any()}
    given = {person: _rays(track, skeleton, camera[0], settings) for person, track in tracks.items()}
    bodies = lifter(Track(track.time_s, given[person]) for person, track in tracks.items())
    people: dict[int, _Person] = {}
    feet: list[Stances] = []
    for (person, track), body in zip(tracks.items(), bodies, strict=True):
        scores = np.nan_to_num(to_h36m(track.scores[..., None].astype(np.float64), skeleton)[..., 0])
        at = placed(track.time_s, body * settings.height(person)[0], given[person], scores)
        stand = stances(track.time_s, at.xyz_m, given[person], settings.height(person)[0])
        if settings.contacts:
            at = replace(at, xyz_m=planted(track.time_s, at.xyz_m, stand))
        people[person] = _Person(track, at, scores)
        feet.append(stand)
    world = world or from_feet(feet)
    floor = ground(world, feet, [one.placed.xyz_m[:, FEET].reshape(-1, 3) for one in people.values()])
    people = {person: _turned(one, world, floor) for person, one in people.items()}
    sources = {"camera_source": f"{camera[1]}; {world.source}", "ground_source": floor.source}
    return recording.with_space(_space(recording, people), {**_told(people, settings), **sources})


def unseen(
    time_s: Float64[np.ndarray, " T"], seen: Bool[np.ndarray, "T J"], longest_s: float
) -> Bool[np.ndarray, "T J"]:
    """Samples in a stretch of more than `longest_s` in which a joint was not seen."""
    place = np.arange(len(seen))[:, None]
    before = np.maximum.accumulate(np.where(seen, place, -1), 0)
    after = np.minimum.accumulate(np.where(seen, place, len(seen))[::-1], 0)[::-1]
    start = np.where(before >= 0, time_s[np.maximum(before, 0)], -np.inf)
    end = np.where(after < len(seen), time_s[np.minimum(after, len(seen) - 1)], np.inf)
    return ~seen & (end - start > longest_s)


def _rays(track: Rows, skeleton: Skeleton, camera: Camera, settings: Lift) -> Float64[np.ndarray, "T 17 2"]:
    seen = track.known & (np.nan_to_num(track.scores) >= settings.least_score)
    gone = unseen(track.time_s, seen, settings.unseen_s)
    xy = np.where(gone[..., None], np.nan, track.xy_px).astype(np.float64)
    return to_h36m(camera.unproject(xy)[..., :2], skeleton)


def _turned(one: _Person, world: World, floor: Ground) -> _Person:
    """A person in the world's axes, over the ground at 0 that all share."""
    xyz = one.placed.xyz_m @ world.turn.T + np.array([0, floor.height_m, 0])
    return replace(one, placed=replace(one.placed, xyz_m=xyz))


def _space(recording: Recording, people: Mapping[int, _Person]) -> Space:
    """Places of the recording's rows, in their order."""
    rows, skeleton = recording.rows, recording.skeleton
    pairs = _pairs(skeleton)
    extra = [k for k, joint in enumerate(H36M.joints) if k not in pairs.values() and joint in MORE]
    xyz = np.full((*rows.scores.shape, 3), np.nan, np.float32)
    scores = np.full(rows.scores.shape, np.nan, np.float32)
    more = np.full((len(rows), len(extra), 3), np.nan, np.float32)
    own, theirs = np.array(list(pairs)), np.array(list(pairs.values()))
    for person, one in people.items():
        mine = np.flatnonzero(rows.person == person)
        at = np.searchsorted(one.rows.frame, rows.frame[mine])
        xyz[mine[:, None], own] = one.placed.xyz_m[at][:, theirs]
        scores[mine[:, None], own] = one.scores[at][:, theirs]
        more[mine] = one.placed.xyz_m[at][:, extra]
    missing = np.isnan(xyz).any(-1)
    xyz[missing], scores[missing] = np.nan, np.nan
    return Space(xyz, scores, tuple(H36M.joints[k] for k in extra), more)


def _pairs(skeleton: Skeleton) -> dict[int, int]:
    """Joints of a skeleton that the lifter has too, by index: copied by name, nose and top of the head."""
    convert = H36M.converter(skeleton)
    found = {
        k: parts[0]
        for k, (parts, way) in enumerate(zip(convert.sources, convert.ways, strict=True))
        if way == "copied"
    }
    if skeleton.name == H36M.name:
        return found
    return found | {skeleton.index(name): k for name, k in OWN.items() if name in skeleton.joints}


def _told(people: Mapping[int, _Person], settings: Lift) -> dict[str, Any]:
    """What the history says of it."""
    return {
        "skeleton": H36M.name,
        "frame": "gravity",
        "scale_source": {str(person): settings.height(person)[1] for person in people},
        "height_m": {str(person): settings.height(person)[0] for person in people},
        "bone_variation": {str(person): _number(one.placed.bone_variation) for person, one in people.items()},
        "reprojection": {str(person): _number(one.placed.reprojection) for person, one in people.items()},
    }


def _number(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None
