"""The JSON Schema for editors accepts what the loader accepts, and marks what it refuses."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from timeline.editor_schema import rule_file_schema
from timeline.shipped import folder

VALIDATOR = jsonschema.Draft202012Validator(rule_file_schema())
FILES = sorted(
    path for path in folder("rules").rglob("*.yaml") if path.parent.name != "concepts" and path.stem != "ruleset"
)


def document(text: str) -> Any:
    """The YAML as an editor reads it: dates and times stay text."""
    return yaml.load(text, Loader=yaml.BaseLoader)


def with_booleans(value: object) -> Any:
    """BaseLoader reads `true` as text; an editor does not."""
    if isinstance(value, dict):
        return {key: with_booleans(child) for key, child in value.items()}
    if isinstance(value, list):
        return [with_booleans(child) for child in value]
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(rule_file_schema())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_shipped_files_are_accepted(path: Path) -> None:
    errors = [error.message for error in VALIDATOR.iter_errors(with_booleans(document(path.read_text("utf-8"))))]
    assert errors == []


CONCEPTS = sorted(path for path in folder("rules").rglob("*.yaml") if path.parent.name == "concepts")


@pytest.mark.parametrize("path", CONCEPTS, ids=lambda path: path.stem)
def test_shipped_concepts_are_accepted(path: Path) -> None:
    written = {"concepts": with_booleans(document(path.read_text("utf-8")))}
    assert [error.message for error in VALIDATOR.iter_errors(written)] == []


@pytest.mark.parametrize(
    "text",
    [
        "dose: {from: drug, gpa: 24h}",
        "dose: {where: value > 0}",
        "dose: {from: drug, episodes: drug, gap: 1h}",
        "course: {episodes: drug}",
        "course: {episodes: drug, gap: 24 hrs}",
        "course: {episodes: drug, gap: 24h, by: {route: oral}}",
        "dose: {from: drug, by: route}",
        "Dose: {from: drug}",
        "dose: {from: drug, columns: {x: {frist: lab.value}}}",
        "dose: {from: drug, columns: {x: {first: lab.value, in: 'time, time'}}}",
        "dose: {from: drug, params: {x: {meaning: nothing}}}",
        "examples: [{title: nothing expected}]",
        "concepts: {lab: {scale: intervall}}",
        "concepts: {lab: {unit: mg/L, plausable: [0, 5]}}",
        "concepts: {lab: {unit: mg/L, typical: 5}}",
    ],
)
def test_mistakes_are_marked(text: str) -> None:
    assert list(VALIDATOR.iter_errors(with_booleans(document(text))))


@pytest.mark.parametrize("by", ["route", "[concept, route]"])
def test_episodes_may_be_kept_apart_by_one_column_or_several(by: str) -> None:
    assert not list(VALIDATOR.iter_errors(with_booleans(document(f"course: {{episodes: drug, gap: 24h, by: {by}}}"))))
