"""What a sweep looks at: one SELECT, or a query of a folder with its defaults; knows no grid and runs nothing."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from timeline import query, schema
from timeline.compiler.context import missing
from timeline.errors import UsageError
from timeline.header import Query
from timeline.rules import RuleSet

SELECT = re.compile(r"(?:(?P<name>[^=();,]+?)\s*=\s*)?(?P<sql>(?:SELECT|WITH|FROM)\b.*)", re.DOTALL | re.IGNORECASE)
UNNAMED = "measure"
"""The name of a SELECT that the call gives none."""
OF_THE_RUN = ("meta.rule", "meta.run", "meta.clause", "meta.verdict")
"""They tell of the run that the study keeps, whatever a sweep derives."""


@dataclass(frozen=True)
class Measure:
    """One SELECT by a name, with the values of its parameters and the relations that it reads."""

    name: str
    sql: str
    reads: frozenset[str]
    values: Mapping[str, query.Value]
    title: str = ""

    @property
    def label(self) -> str:
        """What messages call it."""
        return self.name if self.name.startswith(UNNAMED) else f"measure {self.name}"


def measures(texts: Sequence[str], queries: Mapping[str, Query]) -> tuple[Measure, ...]:
    """Return what each of `texts` says: `SELECT …`, `NAME=SELECT …`, or the name of one of `queries`.

    A query has its defaults. Raises UsageError naming each that is neither, or that lacks a value.
    """
    found, wrong = [], []
    for place, text in enumerate(texts, 1):
        try:
            found.append(_measure(text.strip(), queries, f"{UNNAMED} {place}" if len(texts) > 1 else UNNAMED))
        except UsageError as error:
            wrong.append(f"--measure {text}: {error}")
    names = [each.name for each in found]
    wrong += [f"two measures are called `{name}`; rename one" for name in dict.fromkeys(names) if names.count(name) > 1]
    if wrong:
        raise UsageError("\n".join(wrong))
    return tuple(found)


def _measure(text: str, queries: Mapping[str, Query], name: str) -> Measure:
    if select := SELECT.fullmatch(text):
        return Measure(select["name"] or name, select["sql"], query.relations_read(select["sql"]), {})
    if text not in queries:
        if not re.fullmatch(r"\w+", text):
            raise UsageError("write one SELECT, NAME=SELECT …, or the name of a query; nothing can be changed")
        raise UsageError(f"{missing('query', text, list(queries))}; or write one SELECT")
    asked = queries[text]
    return Measure(asked.name, asked.sql, frozenset(asked.reads), query.parameters(asked, {}), asked.title)


def unreadable(asked: Measure, ruleset: RuleSet) -> Iterator[str]:
    """Yield what the measure reads that a sweep cannot show it: what nothing derives, what is the study's own only."""
    known = [*ruleset.rules, "event", "observation", "meta.any_event", *schema.TABLES]
    for name in sorted(asked.reads):
        plain = name.removeprefix("main.")
        if name in OF_THE_RUN:
            yield f"{name} tells of the study's last run only; a measure reads the tables of rules"
        elif plain != name:
            yield f"write {plain} in place of {name}, which would be the study's own table at every point"
        elif name not in known:
            yield missing("relation", name, known)
