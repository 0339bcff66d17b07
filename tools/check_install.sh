#!/usr/bin/env bash
# The promise to users: the wheel alone, without torch, does the main job.
# Offline (no package index) it says so and passes: nothing about marey could be learnt.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pip="$work/venv/bin/python -m pip --quiet --disable-pip-version-check"

.venv/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir "$work" .
wheel=$(echo "$work"/marey-*.whl)
size=$(wc -c <"$wheel")
if ((size > 40000000)); then
    echo "$(basename "$wheel"): $size bytes; at most 40 MB" >&2
    exit 1
fi

"${PYTHON:-python3}" -m venv "$work/venv"
if ! $pip download --no-deps --dest "$work/probe" jaxtyping >"$work/pip.log" 2>&1; then
    echo "install: not tried, the package index cannot be reached ($(tail -1 "$work/pip.log"))"
    exit 0
fi
$pip install --constraint constraints.txt "$wheel"

cd "$work" # away from the checkout, so that nothing but the wheel is seen
if "$work/venv/bin/python" -c "import torch" 2>/dev/null; then
    echo "install: the wheel pulled torch in; keep it out of [project] dependencies" >&2
    exit 1
fi
"$work/venv/bin/marey" run --no-overlay -o "$work/out"
"$work/venv/bin/python" - "$work/out" <<'EOT'
import sys
from pathlib import Path

import marey

(folder,) = Path(sys.argv[1]).glob("*.marey")
recording = marey.Recording.open(folder)
found = len({row for row in recording.poses["frame"].to_pylist()})
assert found > 50, f"the figure of the sample clip was found on {found} frames only"
print(f"install: the wheel alone found the figure on {found} frames")
EOT
