"""marey-bench: fixed films and seeds, six tracks, three tiers; made anew anywhere with one command.

Train, val and test differ in people (their seeds), in groups of motions (`takes.part_of`) and in backdrops
(seeds again). `tiny` is for tests and needs no motion capture, so its truth hash is the same everywhere;
`small` is what is compared in practice; `full` is four times as large and twice as long.
"""

import hashlib
import multiprocessing
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from tqdm import tqdm

from marey.core.errors import SettingsError
from marey.synth.clip import make_clip
from marey.synth.scene import Film

TRACKS: Mapping[str, Film] = {
    "single": Film(),
    "fast": Film(speed=1.6, blur=1.0, own_motion=0.1, filling=(0.45, 0.75), people=(1, 2), spread_m=1.5),
    "occlusion": Film(people=(2, 4), occluders=(2, 5), filling=(0.4, 0.6), spread_m=2.0),
    "crowd": Film(people=(8, 25), filling=(0.22, 0.4), spread_m=6.0, own_motion=0.4, occluders=(0, 2)),
    "identity": Film(
        people=(4, 8),
        filling=(0.3, 0.5),
        spread_m=3.0,
        own_motion=0.15,
        occluders=(0, 3),
        inside=0.5,
        sweeps=True,
    ),
    "3d": Film(people=(1, 2), views=4, filling=(0.45, 0.65), spread_m=1.2),
}
"""What each track is about; `crowd` draws its number of people evenly, so every density occurs."""
SPLITS = {"train": 0.5, "val": 0.25, "test": 0.25}
SEED = 20_260_000


@dataclass(frozen=True, slots=True)
class Tier:
    """How much of everything; `clips` is per track, over all splits; those of `identity` last `long_s`."""

    size: tuple[int, int]
    rate_hz: float
    seconds: float
    long_s: float
    clips: int
    most: int
    mocap: bool


TIERS = {
    "tiny": Tier((192, 108), 12.5, 0.24, 0.24, 3, 6, False),
    "small": Tier((640, 360), 25.0, 4.0, 12.0, 8, 25, True),
    "full": Tier((1280, 720), 25.0, 8.0, 24.0, 24, 25, True),
}


@dataclass(frozen=True, slots=True)
class Order:
    """One clip to be made."""

    track: str
    split: str
    name: str
    film: Film
    seed: int


def orders(tier: str, mocap: str, photographs: str = "") -> Iterator[Order]:
    """The clips of a tier, in order. Raises `SettingsError` if it is unknown or lacks its mocap."""
    if tier not in TIERS:
        raise SettingsError(f"tier `{tier}` is not known; choose from {', '.join(TIERS)}")
    held = TIERS[tier]
    if held.mocap and not mocap:
        raise SettingsError(f"tier {tier} needs motion capture: give its folder with --mocap")
    for number, (track, film) in enumerate(TRACKS.items()):
        film = replace(
            film, size=held.size, rate_hz=held.rate_hz, photographs=photographs,
            seconds=held.long_s if track == "identity" else held.seconds,
            mocap=mocap if held.mocap else "", people=tuple(min(count, held.most) for count in film.people),
        )  # fmt: skip
        for k, split in enumerate(_splits(held.clips)):
            seed = SEED + 1000 * number + k
            yield Order(track, split, f"{track}-{split}-{k:03d}", replace(film, split=split), seed)


def part(todo: Iterable[Order], tracks: Sequence[str] = (), splits: Sequence[str] = ()) -> list[Order]:
    """The clips of some tracks and splits; nothing named means all. Raises `SettingsError`."""
    for word, names, known in (("track", tracks, TRACKS), ("split", splits, SPLITS)):
        if unknown := set(names) - set(known):
            raise SettingsError(
                f"{word} {', '.join(sorted(unknown))}: not known; choose from {', '.join(known)}"
            )
    return [
        order for order in todo if order.track in (tracks or TRACKS) and order.split in (splits or SPLITS)
    ]


def make_bench(todo: Sequence[Order], out: Path, workers: int = 1) -> str:
    """Make clips under `out` and return the hash of all their truth; those that are there already are kept.

    Raises what `clip.make_clip` raises.
    """
    made = partial(_made, out=out)
    if workers < 2:
        found = list(map(made, tqdm(todo, desc="bench", unit="clip")))
    else:
        os.environ.setdefault("LP_NUM_THREADS", "1")  # else Mesa starts as many threads as cores in each
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            found = list(tqdm(pool.imap(made, todo), total=len(todo), desc="bench", unit="clip"))
    return hashlib.sha256("\n".join(found).encode()).hexdigest()[:16]


def _made(order: Order, out: Path) -> str:
    folder = out / order.track / order.split
    done, asked = folder / f"{order.name}.truth", _print(order)
    found, _, made_as = (done.read_text("ascii") if done.is_file() else "").partition(" ")
    if made_as != asked:
        found = make_clip(order.film, order.seed, folder, order.name)
        done.write_text(f"{found} {asked}", "ascii")
    return found


def _print(order: Order) -> str:
    """What tells an order from others, wherever its motion capture and photographs lie."""
    film = replace(
        order.film, mocap=str(bool(order.film.mocap)), photographs=str(bool(order.film.photographs))
    )
    return hashlib.sha256(repr((film, order.seed)).encode()).hexdigest()[:12]


def _splits(clips: int) -> list[str]:
    counts = {split: max(1, round(share * clips)) for split, share in SPLITS.items()}
    counts["train"] = clips - counts["val"] - counts["test"]
    return [split for split, count in counts.items() for _ in range(count)]
