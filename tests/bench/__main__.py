"""`python -m tests.bench [--events N] [--folder DIR]`: ingest, rules and validation beside bare SQL, as a table.

Compare ratios, not seconds: every line runs in its own process, on the same machine and file. Nothing is asserted.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ORDER = ("copy", "sort", "ingest", "validate", "by_hand", "compiled", "judged", "run", "same")
RATIOS = (
    ("ingest / a bare CREATE TABLE AS", "ingest", "copy", "cpu", "at most 2"),
    ("five rules compiled / by hand", "compiled", "by_hand", "cpu", "at most 1.5"),
    ("five rules compiled / a bare sort of four columns", "compiled", "sort", "wall", "at most 1.0"),
    ("five rules with outcomes and verdicts / compiled", "judged", "compiled", "cpu", "at most 1.3"),
    ("all rules run / five rules compiled", "run", "compiled", "cpu", ""),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--events", type=int, default=1_000_000, help="1000000 unless told; the floors are for 10000000"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="keep the files here, and use those that are here already")
    parser.add_argument("--only", nargs="+", choices=ORDER, default=ORDER)
    options = parser.parse_args()
    with TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        events = folder / f"events_{options.events}_{options.seed}.parquet"
        if not events.exists():
            # in its own process: a child inherits the peak memory of its parent
            size = ["--events", str(options.events), "--seed", str(options.seed)]
            subprocess.run([sys.executable, "-m", "tests.bench.generate", str(events), *size], check=True)
        measured = {name: _measure(name, events, folder / "study.duckdb") for name in ORDER if name in options.only}
    _print_ratios(measured)


def _measure(name: str, events: Path, study: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.measure", name, str(events), str(study)]
    line = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    found = json.loads(line)
    shown = f"{name:10} wall {found['wall']:7.2f} s   CPU {found['cpu']:7.2f} s   peak {found['peak']:5.2f} GB"
    print(shown, "" if found["result"] is None else f"   {found['result']}", flush=True)
    return found


def _print_ratios(measured: dict[str, dict[str, float]]) -> None:
    print()
    for what, above, below, unit, goal in RATIOS:
        if above in measured and below in measured:
            ratio = measured[above][unit] / measured[below][unit]
            print(f"{what:50} {ratio:5.2f}x {unit}{f'   goal {goal}' if goal else ''}")


if __name__ == "__main__":
    main()
