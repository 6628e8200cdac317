"""Fixtures that more than one file of tests needs."""

import pytest


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
