"""What makes a miniature of every kind of data set, by the kind's word."""

from collections.abc import Callable
from pathlib import Path

import data_trees as trees
import data_trees_space as space_trees
import data_trees_video as video_trees

MAKE: dict[str, Callable[[Path], Path]] = {
    "lsp": trees.lsp,
    "lspet": trees.lspet,
    "parse": video_trees.parse,
    "jhmdb": trees.jhmdb,
    "jhmdb_sub": trees.jhmdb_sub,
    "jhmdb_sub2": trees.jhmdb_sub,
    "jhmdb_sub3": trees.jhmdb_sub,
    "coco": lambda path: trees.coco(path, "val2017", [trees.note(1, 7, [1, 2, 10, 20])]),
    "crowdpose": video_trees.crowdpose,
    "mpii": video_trees.mpii,
    "flic": video_trees.flic,
    "pennfudan": trees.pennfudan,
    "negatives": trees.negatives,
    "penn": video_trees.penn,
    "bbc": video_trees.bbc,
    "chalearn": video_trees.chalearn,
    "poses_in_the_wild": video_trees.poses_in_the_wild,
    "posetrack18": video_trees.posetrack,
    "posetrack21": lambda path: video_trees.posetrack(path, "posetrack_data"),
    "hie": video_trees.hie,
    "h36m": space_trees.h36m,
    "h3wb": space_trees.h3wb,
    "humaneva": space_trees.humaneva,
    "mpi_inf_3dhp": space_trees.mpi_inf_3dhp,
    "panoptic": space_trees.panoptic,
    "mocap": space_trees.mocap,
    "pose2sim": space_trees.pose2sim,
    "videos": video_trees.videos,
    "recordings": video_trees.recordings,
    "synth": video_trees.synth,
    "bench": lambda path: video_trees.synth(path / "test").parent,
}
