"""Clauses: the conditions that decide a rule's rows, each with SQL of its outcome; knows no study and no operator.

A clause is an AND-term of `where`, a lookup (found or not), a step, a condition of `case`, or a check. Its outcome is
a whole number: 1 true, 0 false, -1 unknown, and NULL for rows on which it is not asked, because an earlier condition
of its `case` decided. An outcome is asked where its names are in view: on the rows read, or on the rows derived.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from timeline.fragment import AGGREGATES, Fragment, Tree, conjuncts, names_in, render
from timeline.quote import identifier

Kind = Literal["where", "lookup", "step", "condition", "check"]
OUTCOMES = {1: "true", 0: "false", -1: "unknown"}
QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?P<name>[^\"]+)\"")
NUMBERS = ("INTEGER", "NUMERIC", "DECIMAL", "FLOAT", "DOUBLE")


@dataclass(frozen=True)
class Clause:
    """One condition of a rule. `sql` is its outcome over the rows on which it is asked."""

    name: str
    """Unique in its rule: a column for a lookup, a step's name, else its place and its words."""
    kind: Kind
    path: str
    """Where it stands in the rule: `columns.status`, `where`, `steps.toxicity`."""
    text: str
    """In its author's words."""
    sql: str
    margin: str | None = None
    """SQL of how far a number is from the constant that it is compared with, where that made it false."""
    rests_on: tuple[str, ...] = ()
    """Of a step: the lookups that it asks whether they found something."""
    tree: Tree | None = None
    written: Tree | None = None
    """The condition as its author wrote it; `tree` is with the parameters in force."""
    values: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    """SQL of the value of each of its names."""


@dataclass(frozen=True)
class View:
    """The rows at hand: SQL of expressions, and of names, over them."""

    sql: Callable[[Tree], str]
    name: Callable[[tuple[str, ...]], str]

    def values(self, tree: Tree) -> dict[tuple[str, ...], str]:
        return {parts: self.name(parts) for parts in sorted(names_in(tree))}


@dataclass(frozen=True)
class Reading:
    """Rows that a rule reads and the clauses asked of them before they become, or do not become, rows of its table."""

    of: str
    """The relation read, and for which finding."""
    relation: str
    rows: str
    """A SELECT: patient_id, key__ (event_id, or number in a rule), at__ (when), ids__ (evidence), the clauses'
    outcomes `c__0`, `c__1`, … and margins, and the values of their names."""
    clauses: tuple[Clause, ...]
    columns: Mapping[str, str]
    """SQL of a name's value -> the column that holds it."""
    tallied: bool = True
    """False: to count them, a run would have to derive the rows twice; they are asked for an explanation alone."""


def outcome(condition: str, reached: Sequence[tuple[str, bool]] = ()) -> str:
    """SQL of a condition's outcome, where the conditions before it let a row through."""
    asked = f"CASE WHEN {condition} THEN 1 WHEN NOT ({condition}) THEN 0 ELSE -1 END"
    passed = " AND ".join(f"({sql})" if taken else f"({sql}) IS NOT TRUE" for sql, taken in reached)
    return f"CASE WHEN {passed} THEN {asked} END" if passed else asked


@dataclass(frozen=True)
class Term:
    """An AND-term of a condition, as it is computed and as its author wrote it."""

    tree: Tree
    written: Tree


def terms_of(fragment: Fragment | None) -> list[Term]:
    """The AND-terms of a condition; none where there is no condition."""
    if fragment is None:
        return []
    return [Term(*both) for both in zip(conjuncts(fragment.tree), conjuncts(fragment.written), strict=True)]


@dataclass(frozen=True)
class Condition:
    """A condition of a `case`, with those before it: (tree, whether it was taken)."""

    tree: Tree
    reached: tuple[tuple[Tree, bool], ...]
    folds: bool
    """It stands inside an aggregate, so it is asked of the rows that are folded."""


def conditions(tree: Any, reached: tuple[tuple[Tree, bool], ...] = (), folds: bool = False) -> Iterator[Condition]:
    """Every condition of every `case` of an expression, in the order in which they are written."""
    if isinstance(tree, list):
        for child in tree:
            yield from conditions(child, reached, folds)
    elif isinstance(tree, dict) and tree.get("class") == "CASE":
        for check in tree["case_checks"]:
            when = check["when_expr"]
            yield Condition(when, reached, folds)
            yield from conditions(when, reached, folds)
            yield from conditions(check["then_expr"], (*reached, (when, True)), folds)
            reached = (*reached, (when, False))
        yield from conditions(tree["else_expr"], reached, folds)
    elif isinstance(tree, dict):
        inner = tree.get("class") == "FUNCTION" and tree["function_name"] in AGGREGATES
        for child in tree.values():
            yield from conditions(child, () if inner else reached, folds or inner)


def words_of(tree: Tree) -> str:
    """A condition in its author's words: `value >= $limit`, without the brackets that DuckDB puts around it."""
    text = QUOTED.sub(lambda match: match["name"] or match[0], " ".join(render(tree).split()))
    return _unwrapped(text)


def _unwrapped(text: str) -> str:
    while text.startswith("(") and text.endswith(")"):
        depth = 0
        for place, letter in enumerate(text):
            depth += (letter == "(") - (letter == ")")
            if depth == 0 and place < len(text) - 1:
                return text
        text = text[1:-1]
    return text


def of_conditions(fragment: Fragment, head: str, path: str, view: View, *, folds: bool | None = None) -> list[Clause]:
    """The clauses of an expression's `case` conditions; with `folds`, only those inside (or outside) aggregates."""
    clauses = []
    for asked, written in zip(conditions(fragment.tree), conditions(fragment.written), strict=True):
        if folds is None or asked.folds == folds:
            reached = [(view.sql(tree), taken) for tree, taken in asked.reached]
            clauses.append(_clause("condition", head, path, Term(asked.tree, written.tree), view, reached))
    return clauses


def of_terms(terms: Iterable[Term], head: str, view: View) -> list[Clause]:
    """The clauses of AND-terms of a `where`."""
    return [_clause("where", head, "where", term, view) for term in terms]


def _clause(
    kind: Kind, head: str, path: str, term: Term, view: View, reached: Sequence[tuple[str, bool]] = ()
) -> Clause:
    text, sql = words_of(term.written), outcome(view.sql(term.tree), reached)
    margin = shortfall([term.tree], view.sql)
    name = f"{head}: {text}"
    return Clause(name, kind, path, text, sql, margin, (), term.tree, term.written, view.values(term.tree))


def shortfall(terms: Sequence[Tree], sql: Callable[[Tree], str]) -> str | None:
    """SQL of how far the one term that is false is from being true, where it compares a number with a constant."""
    arms = []
    for place, term in enumerate(terms):
        compared = _compared(term)
        if compared is None:
            continue
        number, constant = (sql(side) for side in compared)
        others = [f"({sql(other)}) IS TRUE" for which, other in enumerate(terms) if which != place]
        failed = " AND ".join([f"({sql(term)}) IS FALSE", *others])
        arms.append(f"WHEN {failed} THEN round(abs(TRY_CAST(({number}) AS DOUBLE) - ({constant})), 9)")
    return f"CASE {' '.join(arms)} END" if arms else None


def _compared(term: Tree) -> tuple[Tree, Tree] | None:
    """The number and the constant that a term compares, if it does."""
    if term["class"] == "COMPARISON":
        left, right = term["left"], term["right"]
        if _number(right) and not _number(left):
            return left, right
        return (right, left) if _number(left) and not _number(right) else None
    if term["class"] == "FUNCTION" and term["function_name"] in ("above", "below") and len(term["arguments"]) == 3:
        value, _, constant = (argument["expression"] for argument in term["arguments"])
        return (value, constant) if _number(constant) else None
    return None


def _number(tree: Tree) -> bool:
    return tree["class"] == "CONSTANT" and tree["literal"]["kind"] in NUMBERS


def distinct(clauses: Iterable[Clause]) -> tuple[Clause, ...]:
    """The clauses with names of their own: the second of a name is `name (2)`."""
    seen: dict[str, int] = {}
    named = []
    for clause in clauses:
        seen[clause.name] = seen.get(clause.name, 0) + 1
        again = seen[clause.name]
        named.append(clause if again == 1 else replace(clause, name=f"{clause.name} ({again})"))
    return tuple(named)


def columns_of(clauses: Sequence[Clause]) -> list[str]:
    """SQL items of the outcomes, `c__0`, `c__1`, …, and the margins, `m__0`, …, of clauses."""
    items = [f"CAST({clause.sql} AS TINYINT) AS {identifier(f'c__{k}')}" for k, clause in enumerate(clauses)]
    return items + [f"{clause.margin} AS {identifier(f'm__{k}')}" for k, clause in enumerate(clauses) if clause.margin]


def reading(
    of: str, relation: str, select: Callable[[str], str], clauses: Sequence[Clause], *, tallied: bool = True
) -> Reading:
    """The reading of rows: `select` completes a list of items to a SELECT."""
    columns = valued(clauses)
    items = [*columns_of(clauses), *(f"{sql} AS {name}" for sql, name in columns.items())]
    return Reading(of, relation, select(", ".join(items)), tuple(clauses), columns, tallied)


def valued(clauses: Iterable[Clause]) -> dict[str, str]:
    """A column for the value of each name that clauses use, `v__0`, `v__1`, …, by its SQL."""
    return {sql: f"v__{n}" for n, sql in enumerate(sorted({sql for c in clauses for sql in c.values.values()}))}
