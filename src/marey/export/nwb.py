"""NWB with the extension ndx-pose: a file per person, every joint a series on the recording's own times.

In the processing module `behavior`: `PoseEstimation` in pixels of the displayed picture (ours: its top-left
corner is 0, 0), and after lifting `PoseEstimation3D` in metres, Y up. Missing is NaN. NWB wants a time of day
at which the session began, which no video tells reliably: it is 1970-01-01 and the description says so.
"""

# pynwb makes its classes' arguments and attributes while it runs: the checker does not know them.
# pyright: reportCallIssue=false, reportAttributeAccessIssue=false

import datetime
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from marey.core.files import write_whole
from marey.core.recording import Recording

if TYPE_CHECKING:
    from ndx_pose import PoseEstimationSeries
    from pynwb import NWBFile
    from pynwb.image import ImageSeries

PIXELS = "(0, 0) is the top-left corner of the displayed picture; x to the right, y down"
METRES = "(0, 0, 0) is on the ground; x to the right of the picture, y up, z towards the viewer"
SCORE = "how sure the network is of the joint, as a share of a perfect map's peak; 0 to 1"


def write(recording: Recording, path: Path) -> None:
    """Write the file of the recording's only person."""
    import h5py
    from pynwb import NWBHDF5IO

    file = _file(recording)

    def fill(draft: Path) -> None:
        # an open file, not a path: pynwb warns of paths, such as the draft's, that do not end in .nwb
        with h5py.File(draft, "w") as held, NWBHDF5IO(file=held, mode="w") as io:
            io.write(file)

    write_whole(path, fill)


def _file(recording: Recording) -> "NWBFile":
    from pynwb import NWBFile
    from pynwb.file import Subject
    from pynwb.image import ImageSeries

    (person,), source = recording.ids, recording.history.source
    past = json.dumps(recording.history.to_json(), sort_keys=True)
    file = NWBFile(
        session_description=f"poses measured by marey in {source.name or 'a video'}; when the session "
        "began is not known: session_start_time is a placeholder",
        identifier=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{past} {person}")),
        session_start_time=datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC),
        source_script=past,
        source_script_file_name="run.json",
    )
    file.subject = Subject(subject_id=f"person_{person}", species="Homo sapiens")
    video = ImageSeries(
        name="video",
        description="the video that was measured",
        unit="n.a.",
        format="external",
        external_file=[source.name or "unknown"],
        starting_frame=[0],
        dimension=list(source.size),
        timestamps=recording.time_s,
    )
    file.add_acquisition(video)
    _add_poses(recording, file, video)
    return file


def _add_poses(recording: Recording, file: "NWBFile", video: "ImageSeries") -> None:
    from ndx_pose import PoseEstimation, Skeleton, Skeletons

    views = [("PoseEstimation", False)] + ([("PoseEstimation3D", True)] if recording.space else [])
    behavior = file.create_processing_module("behavior", "poses")
    skeletons = Skeletons()
    behavior.add(skeletons)
    for name, metres in views:
        own, more = recording.skeleton, recording.space.joints if metres and recording.space else ()
        skeleton = Skeleton(
            name=f"{own.name}{'_3d' * metres}",
            nodes=[*own.joints, *more],
            edges=np.array(own.limbs, np.uint8).reshape(-1, 2),
            subject=file.subject,
        )
        skeletons.add_skeletons(skeleton)
        estimation = PoseEstimation(
            name=name,
            pose_estimation_series=_series(recording, (*own.joints, *more), metres, video),
            description="joints of one person; what was done to them is in source_script",
            source_software="marey",
            source_software_version=recording.history.versions.get("marey", "unknown"),
            skeleton=skeleton,
            source_video=video,
        )
        behavior.add(estimation)


def _series(
    recording: Recording, joints: tuple[str, ...], metres: bool, video: "ImageSeries"
) -> "list[PoseEstimationSeries]":
    """A series for every joint, on the video's times."""
    from ndx_pose import PoseEstimationSeries

    places, scores = recording.dense(metres)
    return [
        PoseEstimationSeries(
            name=joint,
            description=joint.replace("_", " "),
            data=places[:, 0, j],
            unit="meters" if metres else "pixels",
            reference_frame=METRES if metres else PIXELS,
            timestamps=video,
            confidence=scores[:, 0, j],
            confidence_definition=SCORE,
        )
        for j, joint in enumerate(joints)
    ]
