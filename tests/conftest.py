"""Fixtures that more than one file of tests needs."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

# Hypothesis also draws constants that it finds in whatever project files happen to be imported: then what a seed
# means depends on which tests ran before in the same process. A red run must be repeatable.
providers._get_local_constants = Constants


@pytest.fixture(scope="session")
def demo_study(tmp_path_factory):
    """The path of the demo's study, made from the shipped cohort, ingested and derived once a session."""
    from timeline import shipped, synth
    from timeline.study import Study

    folder = tmp_path_factory.mktemp("demo")
    synth.synthesize(shipped.folder("data") / "cohorts" / "wehrli2022.yaml", folder / "extract", seed=1)
    study = Study(folder / "study.duckdb")
    study.ingest(folder / "extract")
    study.run()
    return study.path


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say, and keep in build/, what the comparison of the two engines has compared."""
    reports = [r for outcome in ("passed", "failed") for r in terminalreporter.stats.get(outcome, ())]
    tallies = [(value, r.failed) for r in reports for name, value in r.user_properties if name == "tally"]
    if not tallies:
        return
    total, seen = Counter(), Counter()
    for tally, failed in tallies:
        total.update({name: tally[name] for name in ("cases", "rows", "broken")}, mismatches=int(failed))
        seen.update(tally["seen"])
    rule_sets = {one for tally, _ in tallies for one in tally["rule_sets"]}
    seconds = sum(tally["seconds"] for tally, _ in tallies)
    lines = [
        f"{total['cases']:,} cases (a random rule set on a random patient, by both engines), "
        f"{len(rule_sets):,} distinct rule sets, {total['rows']:,} rows compared with their evidence, "
        f"{total['broken']:,} rows that break a promise by both, {seconds:,.0f} s in all",
        f"{total['mismatches']:,} of {len(tallies)} parts found a mismatch",
    ]
    terminalreporter.section("the two engines")
    for line in lines:
        terminalreporter.write_line(line)
    log = Path(__file__).parent.parent / "build" / "engines.log"
    log.parent.mkdir(exist_ok=True)
    counts = [f"{count:>8,}  {word}" for word, count in sorted(seen.items(), key=lambda item: (item[1], item[0]))]
    log.write_text("\n".join([*lines, "", "studies that exercise each part of the language:", *counts]) + "\n", "utf-8")
    terminalreporter.write_line(f"How often each part of the language came up: {log.relative_to(log.parent.parent)}")
