"""SLEAP's project files, written with sleap-io: predicted instances and tracks, on the video's own frames.

Whole numbers are pixel centres (half a pixel less than ours), as in SLEAP since 1.1 of its format. Missing is
NaN. A person whom nobody tracked is an instance without a track. The video is referred to by its name: SLEAP
asks where it lies if it is not beside the file.
"""

# sleap-io loads its names when they are first asked for: the checker does not know what they are.
# pyright: reportCallIssue=false

from pathlib import Path

import numpy as np

from marey.core.files import write_whole
from marey.core.recording import Recording


def write(recording: Recording, path: Path) -> None:
    """Write the file."""
    import sleap_io as sio

    rows, known = recording.rows, recording.skeleton
    names = [sio.Node(joint) for joint in known.joints]
    edges = [sio.Edge(names[a], names[b]) for a, b in known.limbs]
    pairs = [sio.Symmetry((names[a], names[b])) for a, b in known.flips]
    skeleton = sio.Skeleton(nodes=names, edges=edges, symmetries=pairs, name=known.name)
    video = sio.Video(recording.history.source.name or "unknown.mp4", open_backend=False)
    tracks = {person: sio.Track(f"person_{person}") for person in recording.ids if person >= 0}
    frames = {frame: sio.LabeledFrame(video, frame, []) for frame in np.unique(rows.frame).tolist()}
    worth = np.nan_to_num(rows.pose_scores)
    for k, (frame, person) in enumerate(zip(rows.frame.tolist(), rows.person.tolist(), strict=True)):
        frames[frame].instances.append(
            sio.PredictedInstance.from_numpy(
                points_data=rows.xy_px[k].astype(np.float64) - 0.5,
                skeleton=skeleton,
                point_scores=np.nan_to_num(rows.scores[k]).astype(np.float64),
                score=float(worth[k]),
                track=tracks.get(person),
            )
        )
    labels = sio.Labels(list(frames.values()), [video], [skeleton], list(tracks.values()))
    write_whole(path, lambda draft: sio.save_slp(labels, str(draft), embed=False))
