"""Fixtures that more than one file of tests needs."""

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
