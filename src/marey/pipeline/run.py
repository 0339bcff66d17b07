"""One video to one result folder: measured, finished, drawn, exported.

The order keeps what was measured: parts first, then the recording, then what can be made again from it.
"""

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from marey.core.errors import VideoError
from marey.core.parquet import write_table
from marey.core.parts import parts, read_part
from marey.core.recording import Recording
from marey.core.settings import parse, plain
from marey.export import export
from marey.finishing import Finishing, finish
from marey.finishing.angles import angles_table
from marey.pipeline import resume
from marey.pipeline.clips import cut, join
from marey.pipeline.lifted import lift, scene, told
from marey.pipeline.measure import Job, history, measure
from marey.pipeline.overlay import OVERLAY, OVERLAY_3D, SHEET, overlay, sheet
from marey.pipeline.plan import Plan, check
from marey.video.read import Video, read

SUFFIX = ".marey"
ANGLES = "angles.parquet"
VIDEO_SUFFIXES = {
    ".mp4",
    ".mov",
    ".m4v",
    ".mkv",
    ".webm",
    ".avi",
    ".mts",
    ".m2ts",
    ".ts",
    ".mpg",
    ".mpeg",
    ".wmv",
    ".3gp",
}


def run(
    source: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    plan: Plan | None = None,
    progress: bool = True,
    **settings: Any,
) -> Recording:
    """Measure a video into `NAME.marey/`: the finished recording, overlay, contact sheet and exports.

    Parameters
    ----------
    source
        A video file, or a folder of pictures.
    out
        The folder in which `NAME.marey` is made; None: beside the source.
    plan
        What to do; None: the defaults.
    progress
        Whether to show progress on stderr.
    settings
        Changes to the plan, such as `quality="best"`.

    Returns
    -------
    Recording
        The finished recording, as it lies in the folder.

    Raises
    ------
    MareyError
        If the video cannot be read, an option is wrong, the folder holds something else, or writing fails.
        What was measured until then stays there, for `resume=True`.
    """
    plan = parse(Plan, {**plain(plan or Plan()), **settings}, "run")
    check(plan)
    source = Path(source)
    video = read(source, plan.from_s, plan.to_s)
    folder = result_folder(source, out)
    made_from = made_by(source, video, plan)
    finished_by = {**plain(Finishing(subject=plan.subject)), **told(plan, video.info.size)}
    with resume.claimed(folder):
        if plan.overwrite:
            resume.clear(folder)
        state = resume.state(folder, made_from, finished_by, plan.resume)
        if state == "finished":
            recording = Recording.open(folder)
        else:
            if state == "new":
                resume.begin(folder, made_from)
            measured = _measured(video, Job(source, folder, plan), progress)
            recording = _finished(measured, folder, plan, {**made_from, "finish": finished_by})
        _hand_on(video, recording, folder, plan, progress)
    return recording


def result_folder(source: Path, out: str | os.PathLike[str] | None = None) -> Path:
    """`NAME.marey` in `out`, or beside the source."""
    source = source.absolute()
    return (
        source.parent if out is None else Path(out)
    ) / f"{source.name if source.is_dir() else source.stem}{SUFFIX}"


def made_by(source: Path, video: Video, plan: Plan) -> dict[str, Any]:
    """What a result is made from: two runs of which this is equal give the same recording."""
    told = history(video, plan).to_json()
    frames = {"from_s": plan.from_s, "to_s": plan.to_s, "clip_s": plan.clip_s, "halo_s": plan.halo_s}
    return {
        "source": resume.file_print(source),
        "frames": frames,
        **{step["name"]: step["settings"] for step in told["steps"]},
        "weights": {item["name"]: item["sha256"][:12] for item in told["weights"]},
        "versions": told["versions"],
    }


def _measured(video: Video, job: Job, progress: bool) -> Recording:
    """Measure the clips that have no part yet, and join all."""
    plan, folder = job.plan, job.folder
    clips = cut(video.times_s, video.span, plan.clip_s, plan.halo_s)
    there = parts(folder)
    missing = [clip for clip in clips if clip.number not in there]
    with _bar(f"{folder.stem}: measured", len(video), progress) as bar:
        bar.update(len(video) - sum(clip.last - clip.first for clip in missing))
        measure(job, video, missing, plan.workers, bar.update)
    paths = parts(folder)
    measured = join(clips, (read_part(paths[clip.number]) for clip in clips))
    if not len(measured.frame):
        raise VideoError(f"{job.source}: no frame could be decoded; the file is damaged")
    return measured


def _finished(measured: Recording, folder: Path, plan: Plan, made_from: dict[str, Any]) -> Recording:
    """Finish the recording and lift it if asked, save it, and let go of its parts."""
    begin = time.perf_counter()
    recording = finish(measured, Finishing(subject=plan.subject))
    ended = time.perf_counter()
    if plan.lift is not None:
        recording = lift(recording, plan.lift, plan.device, **plain(scene(plan)))
    recording.save(folder)
    if recording.space is not None:
        write_table(angles_table(recording), recording.history, folder / ANGLES)
    sheet(recording, folder / resume.PARTS_FOLDER, folder / SHEET)
    notes = resume.read_notes(folder)
    stages = ("decode", "find", "estimate")
    seconds: dict[str, float] = {
        name: sum(note["seconds"].get(name, 0.0) for note in notes) for name in stages
    }
    seconds["finish"] = ended - begin
    if plan.lift is not None:
        seconds["lift"] = time.perf_counter() - ended
    run = {
        "status": "finished",
        "frames": len(recording.frame),
        "people": len(recording.ids),
        **recording.history.to_json(),
        "skeleton": recording.skeleton.name,
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "warnings": list(dict.fromkeys(note["problem"] for note in notes if note["problem"])),
        "made_by": made_from,
    }
    resume.finish(folder, run)
    return recording


def _hand_on(video: Video, recording: Recording, folder: Path, plan: Plan, progress: bool) -> None:
    """Make what is asked for from the finished recording, which lies there whole whatever fails here."""
    for name in plan.export:
        export(recording, folder, name)
    for asked, name, space in (
        (plan.overlay, OVERLAY, None),
        (plan.overlay_3d, OVERLAY_3D, recording.space),
    ):
        if asked and not (folder / name).exists():
            with _bar(f"{folder.stem}: drawn", len(recording.frame), progress) as bar:
                seconds = overlay(video, recording, folder / name, plan.codec, bar.update, space)
            stem = name.partition(".")[0]
            resume.add_seconds(folder, {f"{stem} {part}": value for part, value in seconds.items()})


def inputs(paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """The videos that paths stand for: a folder with videos in it stands for those, any other for itself."""
    found: list[Path] = []
    for path in map(Path, paths):
        videos = sorted(item for item in path.iterdir() if _is_video(item)) if path.is_dir() else []
        found += videos or [path]
    return found


def _is_video(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in VIDEO_SUFFIXES


def _bar(text: str, total: int, shown: bool) -> "tqdm[Any]":
    """Progress with the time left, on stderr; seldom where stderr is a file."""
    seldom = 0.2 if sys.stderr.isatty() else 10.0
    return tqdm(total=total, desc=text, unit="frame", mininterval=seldom, disable=not shown, file=sys.stderr)
