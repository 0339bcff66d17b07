"""A result folder's life: claimed by one run, unfinished, finished; and what may continue it.

While a run goes on, `parts/run.json` says what it is made by (source, settings, weights); when the
recording is whole, `run.json` says so and the parts go. A folder is never overwritten unless asked: an
unfinished one is continued with `--resume`, a finished one of the same making is kept.
"""

import contextlib
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from marey.core.errors import RecordingError
from marey.core.files import make_folder
from marey.core.parquet import write_whole
from marey.core.parts import parts

RUN_FILE = "run.json"
PARTS_FOLDER = "parts"
LOCK_FILE = ".lock"
PRINT_BYTES = 1 << 20
"""How much of a source's beginning and end is hashed (our choice: a whole film takes minutes to read)."""

State = Literal["new", "unfinished", "finished"]


def file_print(path: Path) -> dict[str, Any]:
    """Name, size and a hash of a file's beginning and end; of a folder, its files' names and sizes."""
    digest = hashlib.sha256()
    if path.is_dir():
        files = sorted(item for item in path.iterdir() if item.is_file())
        size = sum(item.stat().st_size for item in files)
        digest.update("\n".join(f"{item.name} {item.stat().st_size}" for item in files).encode())
    else:
        size = path.stat().st_size
        with path.open("rb") as file:
            digest.update(file.read(PRINT_BYTES))
            file.seek(max(0, size - PRINT_BYTES))
            digest.update(file.read(PRINT_BYTES))
    return {"name": path.name, "bytes": size, "print": digest.hexdigest()[:12]}


@contextlib.contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Make the folder and hold it for this process; the system lets go of it however the process ends.

    Raises
    ------
    RecordingError
        If the folder cannot be made or written, or another run holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK_FILE).open("a+")
    except OSError as error:
        raise RecordingError(
            f"{folder}: cannot be written ({error.strerror}); choose another place with -o"
        ) from error
    with file:
        if not _lock(file.fileno()):
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise RecordingError(
                f"{folder}: another run (process {holder}) is writing here; wait for it or give another -o"
            )
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield  # the file stays: removing it would let two runs each lock a file of this name


def state(folder: Path, made_by: Mapping[str, Any], finish: Mapping[str, Any], resume: bool) -> State:
    """What lies in a folder, if this run may go on from there.

    Parameters
    ----------
    folder
        The result folder.
    made_by, finish
        What this run would measure it from, and how it would finish it; compared with what the folder says
        of itself. Clips that are measured may still be finished otherwise.
    resume
        Whether the person asked to continue an unfinished run.

    Raises
    ------
    RecordingError
        If the folder holds a result of another making, or an unfinished one and `resume` is False.
    """
    finished = read_json(folder / RUN_FILE)
    found = finished if finished is not None else read_json(folder / PARTS_FOLDER / RUN_FILE)
    if found is None or (finished is None and not parts(folder)):
        return "new"
    what = "an unfinished run" if finished is None else "a finished recording"
    wanted = {**made_by, "finish": finish} if finished is not None else made_by
    differing = _differing(found.get("made_by", {}), wanted)
    if differing:
        raise RecordingError(
            f"{folder}: holds {what} made otherwise ({differing}); "
            "give another -o, or --overwrite to replace it"
        )
    if finished is not None:
        return "finished"
    if not resume:
        raise RecordingError(
            f"{folder}: holds an unfinished run; continue it with --resume, or start again with --overwrite"
        )
    return "unfinished"


def begin(folder: Path, made_by: Mapping[str, Any]) -> None:
    """Say in a new folder what is about to be measured."""
    shutil.rmtree(folder / PARTS_FOLDER, ignore_errors=True)
    make_folder(folder / PARTS_FOLDER)
    write_json(folder / PARTS_FOLDER / RUN_FILE, {"made_by": made_by})


def write_note(folder: Path, number: int, note: Mapping[str, Any]) -> None:
    """Keep what is known of how a clip was measured (seconds, warnings) beside its part."""
    write_json(folder / PARTS_FOLDER / f"clip-{number:05d}.json", note)


def read_notes(folder: Path) -> list[dict[str, Any]]:
    """The notes of all clips, in order."""
    found = (read_json(path) for path in sorted((folder / PARTS_FOLDER).glob("clip-*.json")))
    return [note for note in found if note is not None]


def finish(folder: Path, run: Mapping[str, Any]) -> None:
    """Say that the recording in the folder is whole, then let go of its parts."""
    write_json(folder / RUN_FILE, run)
    shutil.rmtree(folder / PARTS_FOLDER, ignore_errors=True)


def add_seconds(folder: Path, seconds: Mapping[str, float]) -> None:
    """Add what later stages took to a finished folder's `run.json`."""
    run = read_json(folder / RUN_FILE) or {}
    rounded = {name: round(value, 3) for name, value in seconds.items()}
    write_json(folder / RUN_FILE, {**run, "seconds": {**run.get("seconds", {}), **rounded}})


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file, None where there is no file.

    Raises
    ------
    RecordingError
        If it is there and cannot be read.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise RecordingError(f"{path}: cannot be read ({error}); remove it or give another -o") from error


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write JSON whole or not at all."""
    text = json.dumps(values, indent=1) + "\n"
    write_whole(path, lambda draft: draft.write_text(text, "utf-8"))


def clear(folder: Path) -> None:
    """Remove what earlier runs left, except the lock."""
    for item in folder.iterdir():
        if item.name == LOCK_FILE:
            continue
        if item.is_dir():
            shutil.rmtree(item)
        else:
            item.unlink()


def _lock(file: int) -> bool:
    """Take the system's lock on an open file; False if another process has it."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
            return False
        raise
    return True


def _differing(old: Mapping[str, Any], new: Mapping[str, Any], where: str = "") -> str:
    """Which settings differ, with both values, as a short text; empty if none."""
    found = []
    for key in {**old, **new}:
        name = f"{where}.{key}" if where else key
        before, now = old.get(key), new.get(key)
        if isinstance(before, Mapping) and isinstance(now, Mapping):
            deeper = _differing(before, now, name)
            found += [deeper] if deeper else []
        elif before != now:
            found.append(f"{name} {before} → {now}")
    return ", ".join(found[:3]) + (", …" if len(found) > 3 else "")
