"""Does an example notice? Each mutant is derived on the patients of all examples, and what is expected compared.

The examples are read and derived once; of a mutant only the changed rule is, and what reads it while rows still
differ. Knows rules as compiled SELECTs; what a mutant is, `mutants` decides.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import duckdb

from tests.mutants import Mutant
from timeline import engine, ingest, store
from timeline.compiler import COMPILERS, Compiled, _upstream, _without_days, compile_rules
from timeline.compiler.context import Context
from timeline.compiler.params import literals
from timeline.errors import Findings
from timeline.examples import _equal, _write_extract
from timeline.quote import identifier
from timeline.rules import Example, Rule, RuleSet

Outcome = Literal["example", "case", "refused", "survived"]
Rows = dict[str, list[tuple]]
"""A rule's rows by patient."""
Expected = tuple[Mapping[str, str | None], ...]


@dataclass(frozen=True)
class Study:
    """The patients of examples that share their parameters, derived by the rules as they are."""

    con: duckdb.DuckDBPyConnection
    ruleset: RuleSet
    settings: Mapping[str, str]
    compiled: Mapping[str, Compiled]
    before_index: frozenset[str]
    """The index rule and what it reads."""
    rows: Mapping[str, Rows]
    expected: Mapping[str, Mapping[str, tuple[str, Expected]]]
    """By rule and patient, the title of the example and its rows."""


@dataclass(frozen=True)
class Verdict:
    """What became of one mutant, and what noticed it: the example's title, or why the run was refused."""

    mutant: Mutant
    outcome: Outcome
    by: str


def studies_of(ruleset: RuleSet) -> list[Study]:
    """Return one study for each set of parameters that examples of `ruleset` ask for, plain ones first."""
    groups: dict[tuple[tuple[str, str], ...], dict[str, Example]] = {}
    for where, example in ruleset.examples.items():
        groups.setdefault(tuple(sorted(example.set.items())), {})[where] = example
    return [_study(ruleset, dict(settings), groups[settings]) for settings in sorted(groups)]


def _study(ruleset: RuleSet, settings: Mapping[str, str], examples: Mapping[str, Example]) -> Study:
    con = store.connect(":memory:")
    con.execute("SET threads = 1")
    with TemporaryDirectory() as folder:
        _write_extract(Path(folder), examples, {where: [] for where in examples})
        ingest.ingest(con, [Path(folder)], ruleset.concepts)
    engine.run(con, ruleset, settings)
    compiled = {rule.name: rule for rule in compile_rules(ruleset, settings)}
    engine.observe(con, tuple(compiled.values()))
    expected: dict[str, dict[str, tuple[str, Expected]]] = {}
    for patient, example in enumerate(examples.values()):
        for rule, rows in example.expect.items():
            expected.setdefault(rule, {})[f"{patient:05}"] = (example.title, rows)
    before = _upstream({name: set(rule.reads) for name, rule in compiled.items()}, ruleset.index)
    rows = {name: _rows(con, name) for name in compiled}
    return Study(con, ruleset, settings, compiled, frozenset(before), rows, expected)


def verdict(mutant: Mutant, examples: Iterable[Study], cases: Iterable[Study] = ()) -> Verdict:
    """Return what notices `mutant`: first the examples, then the cases; no run: it is refused."""
    outcomes: tuple[tuple[Iterable[Study], Outcome], ...] = ((examples, "example"), (cases, "case"))
    refusal = ""
    for studies, outcome in outcomes:
        for study in studies:
            try:
                title = noticed_by(study, mutant.rule)
            except (Findings, duckdb.Error) as error:
                refusal = refusal or str(error).strip().splitlines()[-1]
                continue
            if title is not None:
                return Verdict(mutant, outcome, title)
        if refusal:
            return Verdict(mutant, "refused", refusal)
    return Verdict(mutant, "survived", "")


def noticed_by(study: Study, rule: Rule) -> str | None:
    """Return the title of an example that `rule`, in place of the study's own, does not fulfil; None where none is.

    Raises Findings or duckdb.Error where the changed rules do not compile or do not run.
    """
    ruleset = study.ruleset.model_copy(update={"rules": {**study.ruleset.rules, rule.name: rule}})
    mutated = _compiled(study, ruleset, rule)
    was = study.compiled[rule.name]
    if (mutated.sql, mutated.fields, dict(mutated.checks)) == (was.sql, was.fields, dict(was.checks)):
        return None
    with _undone(study.con):
        for name, made in _derived(study, ruleset, mutated):
            rows = _rows(study.con, name)
            if (title := _unfulfilled(study, name, made, rows)) is not None:
                return title
            engine._validate(study.con, made, ruleset, False)
    return None


@contextmanager
def _undone(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    con.execute("BEGIN")
    try:
        yield
    finally:
        con.execute("ROLLBACK")


def _compiled(study: Study, ruleset: RuleSet, rule: Rule) -> Compiled:
    """The changed rule alone compiled over the relations of the others; raise Findings with its mistakes."""
    own = {key: text for key, text in study.settings.items() if key.partition(".")[0] == rule.name}
    params, findings = literals(ruleset.model_copy(update={"rules": {rule.name: rule}}), own)
    early = rule.name in study.before_index
    others = {name: made.relation for name, made in study.compiled.items() if name != rule.name}
    known = {name: _without_days(relation) if early else relation for name, relation in others.items()}
    index = None if early or ruleset.index is None else study.compiled[ruleset.index].relation
    with study.con.cursor() as binder:
        ctx = Context(ruleset, rule, known, params[rule.name], index, binder)
        made = COMPILERS[rule.operator](ctx, rule)  # type: ignore[operator]
    if findings or ctx.findings or made is None:
        raise Findings([*findings, *ctx.findings])
    return replace(made, reads=study.compiled[rule.name].reads)


def _derived(study: Study, ruleset: RuleSet, mutated: Compiled) -> Iterator[tuple[str, Compiled]]:
    """Derive `mutated` and the rules that read what has changed; yield each whose rows are other than they were."""
    con, changed, waiting = study.con, set(), []
    for made in study.compiled.values():
        made = mutated if made.name == mutated.name else made
        # The days of what the index rule reads change with the index.
        early = {made.name, mutated.name} <= study.before_index
        if made is not mutated and not early and not changed & set(made.reads):
            continue
        table = identifier(made.name)
        con.execute(f"DROP TABLE {table}")
        con.execute(f"CREATE TABLE {table} AS {made.sql}")
        changed.add(made.name)
        waiting.append(made)
        if made.name == ruleset.index:
            engine.one_a_patient(con, made, ruleset)
            for earlier in waiting[:-1]:
                engine._add_days(con, earlier, made)
        elif made.name in study.before_index:
            continue
        for ready in waiting:
            if _rows(con, ready.name) != study.rows[ready.name] or ready is mutated:
                yield ready.name, ready
            else:
                changed.discard(ready.name)
        waiting = []


def _unfulfilled(study: Study, name: str, made: Compiled, rows: Rows) -> str | None:
    """The title of an example of which the rows of one rule come out otherwise than expected."""
    columns = [field.name for field in made.fields]
    for patient, (title, expected) in study.expected.get(name, {}).items():
        found = rows.get(patient, [])
        if found == study.rows[name].get(patient, []):
            continue
        if len(found) != len(expected):
            return title
        for row, wanted in zip(found, expected, strict=True):
            if any(not _equal(row[columns.index(column)], text) for column, text in wanted.items()):
                return title
    return None


def _rows(con: duckdb.DuckDBPyConnection, name: str) -> Rows:
    found: Rows = {}
    for row in con.execute(f"SELECT * FROM {identifier(name)} ORDER BY patient_id, number").fetchall():
        found.setdefault(row[0], []).append(row)
    return found
