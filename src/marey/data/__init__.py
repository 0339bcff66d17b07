"""Data sets: one file per kind, all read as the same `Sample`.

`open_kind("lsp", path, "val")` opens a data set where it lies; nothing is copied and no picture is decoded
until it is asked for.
"""

from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from marey.core.errors import DataError
from marey.data import (
    bbc,
    chalearn,
    coco,
    crowdpose,
    flic,
    h3wb,
    h36m,
    hie,
    humaneva,
    jhmdb,
    lsp,
    lspet,
    mocap,
    mpi_inf_3dhp,
    mpii,
    negatives,
    panoptic,
    parse,
    penn,
    pennfudan,
    pose2sim,
    poses_in_the_wild,
    posetrack,
    recordings,
    synth,
    videos,
)
from marey.data.files import Samples

KINDS: dict[str, Callable[[Path, str], Samples]] = {
    # stills
    "lsp": lsp.open,
    "lspet": lspet.open,
    "parse": parse.open,
    "coco": coco.open,
    "crowdpose": crowdpose.open,
    "mpii": mpii.open,
    "flic": flic.open,
    # people without joints, and no people
    "pennfudan": pennfudan.open,
    "negatives": negatives.open,
    # one person in video
    "penn": penn.open,
    "jhmdb": jhmdb.open,
    "jhmdb_sub": partial(jhmdb.open_sub, 1),
    "jhmdb_sub2": partial(jhmdb.open_sub, 2),
    "jhmdb_sub3": partial(jhmdb.open_sub, 3),
    "bbc": bbc.open,
    "chalearn": chalearn.open,
    "poses_in_the_wild": poses_in_the_wild.open,
    # several people in video
    "posetrack18": partial(posetrack.open, "posetrack18"),
    "posetrack21": partial(posetrack.open, "posetrack21"),
    "hie": hie.open,
    # space
    "h36m": h36m.open,
    "h3wb": h3wb.open,
    "humaneva": humaneva.open,
    "mpi_inf_3dhp": mpi_inf_3dhp.open,
    "panoptic": panoptic.open,
    "mocap": mocap.open,
    "pose2sim": pose2sim.open,
    # whatever there is
    "videos": videos.open,
    "recordings": recordings.open,
    # what marey makes itself
    "synth": synth.open,
    "bench": synth.open_bench,
}
"""What a kind is called, and what opens it."""

SPLITS = ("all", "train", "val", "test")


def open_kind(kind: str, path: str | Path, split: str = "all") -> Samples:
    """Open a data set of a known format.

    Parameters
    ----------
    kind : one of `KINDS`
    path : folder of the set, in its official layout or one the kind's file names
    split : `all` (everything with truth under the path), `train`, `val` (our parts), `test` (official)

    Raises
    ------
    DataError
        for an unknown kind or split, a missing or broken file (named with its field), an empty split.
    """
    if kind not in KINDS:
        near = get_close_matches(kind, KINDS, 1)
        hint = f"did you mean `{near[0]}`?" if near else f"choose from {', '.join(sorted(KINDS))}"
        raise DataError(f"data kind `{kind}` is not known; {hint}")
    if split not in SPLITS:
        raise DataError(f"split `{split}` is not known; choose from {', '.join(SPLITS)}")
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; give the path of the {kind} set as --data {kind}:PATH")
    return KINDS[kind](folder, split)
