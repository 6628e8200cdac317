"""Find every mistake in rule files before anything runs on a patient: spelling, names, types, examples."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from timeline.examples import ExampleResult, run_examples
from timeline.quote import identifier
from timeline.rules import FromRule, PairsRule, RuleSet


@dataclass(frozen=True)
class CheckReport:
    """A rule set without mistakes, and how its examples came out."""

    ruleset: RuleSet
    examples: tuple[ExampleResult, ...]
    remarks: tuple[str, ...] = ()
    """What is no mistake, and may surprise whoever reads the tables."""

    @property
    def failed(self) -> tuple[ExampleResult, ...]:
        return tuple(example for example in self.examples if not example.ok)


def check(
    folders: Sequence[Path] = (), *, shipped: bool = True, examples: bool = True, params: Mapping[str, str] = {}
) -> CheckReport:
    """Return the report on the rule set; raise `Findings` with every mistake at its file, line and column.

    Beyond binding each expression, the whole set is run on an empty study: what passes here has run, with `params`,
    `rule.param` -> text, in force; examples set their own.
    """
    from timeline import engine, store
    from timeline.load import load

    ruleset = load(folders, shipped=shipped)
    with store.connect(":memory:") as con:
        engine.run(con, ruleset, params)
    return CheckReport(ruleset, run_examples(ruleset) if examples else (), tuple(_without_fractions(ruleset)))


def _without_fractions(ruleset: RuleSet) -> Iterator[str]:
    """One sentence for each `pairs` rule with an analyte whose zero is a convention: it has no ratio."""
    for rule in ruleset.rules.values():
        if not isinstance(rule, PairsRule):
            continue
        named = [name for group in rule.analytes for name in group.relations]
        rules = [ruleset.rules[name] for name in named if name in ruleset.rules]
        read = {*named, *(name for one in rules if isinstance(one, FromRule) for name in one.relations)}
        leaves = {leaf for name in read if name in ruleset.concepts for leaf in ruleset.members(name)}
        if without := sorted(leaf for leaf in leaves if ruleset.concepts[leaf].scale == "interval"):
            where, listed = ruleset.places.get(rule.name, rule.name), ", ".join(f"`{leaf}`" for leaf in without)
            yield (
                f"{where}: `{rule.name}` pairs {listed}, whose scale is `interval`: percent_change, ratio and folds "
                "are empty there, since the zero is a convention; `change` is not"
            )


def sql_of(ruleset: RuleSet, rule: str, params: Mapping[str, str] = {}) -> str:
    """Return the SELECT that derives `rule`, one CTE a step; raise UsageError where there is no such rule."""
    from timeline.compiler import compile_rules
    from timeline.compiler.context import missing
    from timeline.errors import UsageError

    if rule not in ruleset.rules:
        raise UsageError(missing("rule", rule, list(ruleset.rules)))
    return next(compiled.sql for compiled in compile_rules(ruleset, params) if compiled.name == rule)


@dataclass(frozen=True)
class Step:
    """How many rows and patients were left after one step of a rule."""

    rule: str
    step: str
    rows: int
    patients: int


def funnel(con: duckdb.DuckDBPyConnection, ruleset: RuleSet, params: Mapping[str, str] = {}) -> tuple[Step, ...]:
    """Return what each step of each rule leaves of a study; works in temporary tables, writes nothing."""
    from timeline import engine
    from timeline.compiler import compile_rules

    compiled, steps = compile_rules(ruleset, params), []
    engine.observe(con, compiled)
    for rule in compiled:
        table = f"temp.{identifier(rule.name)}"
        con.execute(f"CREATE OR REPLACE TEMP TABLE {identifier(rule.name)} AS {rule.sql}")
        counts = [*rule.steps, ("derived", f"SELECT count(*), count(DISTINCT patient_id) FROM {table}")]
        for step, sql in counts:
            rows, patients = con.execute(sql).fetchall()[0]
            steps.append(Step(rule.name, step, rows, patients))
    for name in ("observation", *(rule.name for rule in compiled)):
        con.execute(f"DROP TABLE temp.{identifier(name)}")
    return tuple(steps)
