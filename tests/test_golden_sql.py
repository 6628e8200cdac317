"""The SQL of every shipped rule, byte for byte: whoever changes the compiler or a rule reads what changes in it.

`UPDATE_GOLDEN=1 python -m pytest tests/test_golden_sql.py` writes the files anew.
"""

import os
from pathlib import Path

import pytest

from timeline.compiler import Compiled, compile_rules
from timeline.load import load
from timeline.shipped import folder

GOLDEN = Path(__file__).parent / "golden"
RULES = folder("rules")


def compiled() -> dict[str, Compiled]:
    """Every rule by the name of its file: those of an overlay in a folder of its own."""
    found = {rule.name: rule for rule in compile_rules(load([]))}
    found |= {rule.name: rule for rule in compile_rules(load([RULES / "febrile_neutropenia"], shipped=False))}
    found |= {rule.name: rule for rule in compile_rules(load([RULES / "car_t_scores"]))}
    for path in sorted(RULES.glob("refractory_variants/*/ruleset.yaml")):
        overlay = load([path.parent])
        found |= {f"{path.parent.name}/{r.name}": r for r in compile_rules(overlay) if r.name in overlay.replaced}
    return found


COMPILED = compiled()


@pytest.mark.parametrize("name", COMPILED)
def test_sql_is_golden(name: str) -> None:
    path, rule = GOLDEN / f"{name}.sql", COMPILED[name]
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(rule.sql + "\n")
    assert path.read_text() == rule.sql + "\n", f"the SQL of {name} has changed; read the difference, then update"


def test_no_golden_file_is_left_over() -> None:
    found = {path.relative_to(GOLDEN).with_suffix("").as_posix() for path in GOLDEN.rglob("*.sql")}
    assert found == set(COMPILED)


def test_the_same_rules_give_the_same_sql() -> None:
    again = compile_rules(load([]))
    assert [rule.sql for rule in again] == [COMPILED[rule.name].sql for rule in again]


def test_steps_shadow_no_table() -> None:
    """A CTE silently hides a table of its name: so each holds `__`, which no rule, concept or column may."""
    for rule in COMPILED.values():
        steps = [line.split('"')[1] for line in rule.sql.splitlines() if line.startswith(('"', 'WITH "'))]
        assert steps and all("__" in step for step in steps), rule.name
