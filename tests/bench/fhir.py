"""`python -m tests.bench.fhir [--megabytes 500 2000]`: NDJSON of any size into a study, its seconds and peak memory.

Each ingest is a whole process. The peak is to be the same from the second size on: what grows goes to the disk.
"""

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

PER_PATIENT = 100
"""Observations, and as many administrations."""
DRUGS = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[500, 2000])
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_ingest(*options.one)))
        return
    for size in options.megabytes:
        with TemporaryDirectory() as scratch:
            folder = Path(scratch) / "extract"
            rows = write(folder, size * 1_000_000)
            command = [sys.executable, "-m", "tests.bench.fhir", "--one", str(Path(scratch) / "s.duckdb"), str(folder)]
            found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        told = f"wall {found['wall']:7.1f} s   CPU {found['cpu']:7.1f} s   peak {found['peak']:5.2f} GB"
        print(f"{size:6} MB  {rows:10,} resources  {told}  {found['events']:,} events", flush=True)


def _ingest(study: str, extract: str) -> dict[str, float]:
    import time

    from timeline.study import Study

    clock = time.perf_counter()
    report = Study.open(study).ingest(extract, timezone="Europe/Zurich")
    used = resource.getrusage(resource.RUSAGE_SELF)
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes there, in KiB elsewhere
    return {
        "wall": time.perf_counter() - clock,
        "cpu": used.ru_utime + used.ru_stime,
        "peak": used.ru_maxrss * unit / 1e9,
        "events": report.events,
    }


def write(folder: Path, size: int, seed: int = 1) -> int:
    """Write a bulk export of at least `size` bytes into `folder`; return its resources."""
    folder.mkdir(parents=True)
    random, written, rows, patient = Random(seed), 0, DRUGS, 0
    code = [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": ""}]
    with (folder / "Medication.ndjson").open("w") as file:
        for n in range(DRUGS):
            coding = [{**code[0], "code": str(72400 + n)}]
            file.write(json.dumps({"resourceType": "Medication", "id": f"drug-{n}", "code": {"coding": coding}}) + "\n")
    names = ("Patient", "Observation", "MedicationAdministration")
    files = {name: (folder / f"{name}.ndjson").open("w", buffering=1 << 20) for name in names}
    while written < size:
        patient += 1
        for one in _of_a_patient(random, f"patient-{patient:08}"):
            text = json.dumps(one) + "\n"
            written += files[one["resourceType"]].write(text)
            rows += 1
    for file in files.values():
        file.close()
    return rows


def _of_a_patient(random: Random, id: str) -> Iterator[dict[str, Any]]:
    """A Patient, its measurements of which some are there in two versions, and doses of drugs that are only named."""
    yield {"resourceType": "Patient", "id": id, "gender": random.choice(("female", "male")), "birthDate": "1960-01-31"}
    for n in range(PER_PATIENT):
        at = f"2024-01-{n % 28 + 1:02}T{random.randrange(24):02}:{random.randrange(60):02}:00+01:00"
        version = {"versionId": "1", "lastUpdated": at}
        subject = {"reference": f"Patient/{id}"}
        same = {"status": "final", "subject": subject, "effectiveDateTime": at}
        coding = [{"system": "http://loinc.org", "code": "1988-5", "display": "C reactive protein"}]
        measured = {
            "resourceType": "Observation", "id": f"{id}-o{n}", "meta": version, **same, "code": {"coding": coding},
            "valueQuantity": {"value": round(random.expovariate(0.1), 4), "unit": "mg/L"},
        }  # fmt: skip
        yield measured
        if n == 0:
            yield {
                **measured,
                "meta": {**version, "versionId": "2"},
                "status": "amended",
                "valueQuantity": {"value": 1},
            }
        yield {
            "resourceType": "MedicationAdministration", "id": f"{id}-m{n}", "meta": version, **same,
            "status": "completed", "medicationReference": {"reference": f"Medication/drug-{random.randrange(DRUGS)}"},
            "dosage": {"dose": {"value": random.randrange(1, 200), "unit": "mg"}, "text": "as it was ordered"},
        }  # fmt: skip


if __name__ == "__main__":
    main()
