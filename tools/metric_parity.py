"""How far marey's metrics are from independent ones, on random scenes: the largest difference of each.

    python tools/metric_parity.py [--scenes 20]      writes results/metric-parity.json

What is compared stands in tests/metrics/parity.py. TrackEval and py-motmetrics would bring another OpenCV
into the environment, so they are fetched here, without what they depend on, into build/judges.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULT = Path("results/metric-parity.json")
JUDGES = ROOT / "build" / "judges"
PACKAGES = ("trackeval==1.3.0", "motmetrics==1.4.0", "xmltodict==0.14.2", "tabulate==0.9.0")


def fetch_judges() -> None:
    """Put TrackEval and py-motmetrics on the path.

    Raises
    ------
    SystemExit
        If they cannot be fetched; the text says why.
    """
    if not (JUDGES / "ready").is_file():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(JUDGES)]
        done = subprocess.run([*command, *PACKAGES], capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
            raise SystemExit(f"parity: the judges cannot be fetched ({last}); nothing measured")
        (JUDGES / "ready").touch()
    # After everything else: they bring no version of what is installed already.
    sys.path.append(str(JUDGES))


def main() -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(description="marey's metrics beside independent ones")
    parser.add_argument("--scenes", type=int, default=20, help="random scenes of each kind")
    args = parser.parse_args()
    fetch_judges()
    sys.path.insert(0, str(ROOT / "tests"))
    from metrics.parity import CHECKS, FETCHED

    begin = time.perf_counter()
    rows: dict[str, dict[str, str | float]] = {}
    for check in (*CHECKS, *FETCHED):
        largest = max(check.difference(seed) for seed in range(args.scenes))
        rows[check.key] = {"metric": check.metric, "reference": check.reference, "difference": largest}
        print(f"{largest:9.1e}  {check.metric}: {check.reference}", flush=True)
    result = {
        "command": "python tools/metric_parity.py",
        "scenes": args.scenes,
        "checks": rows,
        "seconds": round(time.perf_counter() - begin),
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    print(RESULT)


if __name__ == "__main__":
    main()
