"""`python -m tests.bench.report [--patients N]`: the report of a large cohort; its size must fit, its seconds are told.

Each step is a whole process, as a reader would call it.
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

MOST_BYTES = 20_000_000
"""A page larger than this no mail takes."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--study", type=Path, help="report this study instead of making one")
    options = parser.parse_args()
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        study = options.study or folder / "study.duckdb"
        if options.study is None:
            _timeline("synth", str(folder / "extract"), "--patients", str(options.patients))
            _timeline("ingest", str(study), str(folder / "extract"))
            _timeline("run", str(study))
        for lanes in ("sample", "pages"):
            page = folder / f"{lanes}.html"
            wall, cpu = _timeline("report", str(study), "-o", str(page), "--lanes", lanes)
            size = page.stat().st_size
            print(f"report, lanes {lanes:6}  wall {wall:6.1f} s   CPU {cpu:6.1f} s   {size / 1e6:5.1f} MB", flush=True)
            assert size < MOST_BYTES, f"the page has {size:,} bytes, more than {MOST_BYTES:,}"


def _timeline(*words: str) -> tuple[float, float]:
    """Run the command and return its seconds, on the wall and of the processor."""
    before, clock = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-m", "timeline", *words], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
