"""`python -m tests.bench.twelve [--patients N ...]`: a sweep of twelve points beside twelve whole runs, as a table.

Four windows by three grades, refractory patients and episodes by product. Both are whole processes, as a reader would
call them, on the same machine and study; compare their ratio. Nothing is asserted.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

WINDOWS = ("12h", "24h", "48h", "72h")
LOWEST = ("1", "2", "3")
MEASURES = (
    "refractory=SELECT patient_id FROM steroid_refractory WHERE status = 'refractory'",
    "episodes=SELECT product, count(*) FILTER (WHERE status = 'refractory') AS refractory, count(*) AS episodes "
    "FROM steroid_refractory GROUP BY product ORDER BY product",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, nargs="+", default=[21, 2000], help="21 are those of the demo")
    for patients in parser.parse_args().patients:
        with TemporaryDirectory() as folder:
            _compare(Path(folder), patients)


def _compare(folder: Path, patients: int) -> None:
    study, extract = folder / "study.duckdb", folder / "extract"
    of = [] if patients == 21 else ["--patients", str(patients)]
    _timeline("synth", str(extract), *of)
    _timeline("ingest", str(study), str(extract))
    _timeline("run", str(study))
    grid = [f"steroid_refractory.window={','.join(WINDOWS)}", f"steroid_refractory.lowest={','.join(LOWEST)}"]
    swept = _timeline("sweep", str(study), "--set", *grid, "--measure", *MEASURES)
    runs = [
        _timeline("run", str(study), "--set", f"steroid_refractory.window={w}", f"steroid_refractory.lowest={lowest}")
        for w, lowest in product(WINDOWS, LOWEST)
    ]
    print(
        f"{patients:6,} patients   sweep of {len(runs)} points {swept:6.1f} s   {len(runs)} runs {sum(runs):6.1f} s   "
        f"runs / sweep {sum(runs) / swept:5.1f}x",
        flush=True,
    )


def _timeline(*words: str) -> float:
    """Run the command and return its wall seconds."""
    command: Sequence[str] = [sys.executable, "-m", "timeline", *words]
    clock = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - clock


if __name__ == "__main__":
    main()
