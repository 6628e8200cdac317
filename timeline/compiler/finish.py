"""The last step of every rule: number, day and evidence beside the declared columns, in a fixed order."""

from collections.abc import Iterable, Mapping, Sequence

from timeline import schema
from timeline.compiler.chain import Chain
from timeline.compiler.clauses import Clause, columns_of, distinct
from timeline.compiler.context import Compiled, Context
from timeline.compiler.relation import IDS, Kind, Relation, evidence_list
from timeline.compiler.shown import Expression, Shown
from timeline.compiler.text import Step, broken, with_steps
from timeline.compiler.verdict import extras, seeking, verdicts
from timeline.quote import identifier
from timeline.rules import Column, PairsRule

TIMES = {"moments": ("time",), "spans": ("start_time", "end_time"), "facts": ()}
DAYS = {"moments": ("day",), "spans": ("start_day", "end_day"), "facts": ()}


def finish(
    chain: Chain,
    kind: Kind,
    declared: Sequence[tuple[str, Column]],
    *,
    numbered: str | None = None,
    concepts: tuple[str, ...] = (),
) -> Compiled:
    """Return the rule compiled: `declared` columns come after the implicit ones, evidence last.

    `numbered` is the SQL of the number where the operator already has one.
    """
    ctx, rule = chain.ctx, chain.ctx.rule
    evidence = evidence_list(tuple(chain.evidence))
    chain.step("rows__evidence", "", f"SELECT *, {evidence} AS ids__ FROM {chain.current}")
    times = TIMES[kind]
    # Rows without a time of their own, such as pairs, come in the order of the rows they are from.
    order = [f"r.{identifier(chain.at)} NULLS FIRST"] if chain.at else []
    # An event's own id orders as the list of it does, and faster; what has one row a time needs no more.
    needless = chain.evidence == ["[key__]"] or chain.key == ("patient_id", chain.at) or not times
    order += [] if needless else ["r.ids__"]
    order += [f"r.{identifier(name)}" for name in chain.key if name not in ("patient_id", chain.at)]
    number = numbered or f"row_number() OVER (PARTITION BY r.patient_id ORDER BY {', '.join(order)})"
    items = ["r.patient_id", f"CAST({number} AS INTEGER) AS number"]
    fields = list(KEY)
    for name in times:
        items.append(f"r.{name}")
        fields.append(schema.Field(name, "TIMESTAMP", MEANING[name]))
    join, days = _days(ctx, kind)
    items += days
    fields += [schema.Field(name, "INTEGER", MEANING[name], unit="d") for name in DAYS[kind]]
    for name, column in declared:
        inner = chain.names[name]
        items.append(f"r.{identifier(inner)}" + (f" AS {identifier(name)}" if inner != name else ""))
        fields.append(_field(name, column, chain.types[inner]))
    items.append("r.ids__ AS evidence")
    fields.append(schema.Field("evidence", IDS, "ids of the events that decided the row", nullable=False))
    last = f"SELECT {', '.join(items)} FROM {chain.current} AS r{join}"
    columns = {f.name: "VARCHAR" if f.type == schema.PATIENT_KEY else f.type for f in fields}
    relation = Relation(rule.name, kind, columns, identifier(rule.name), "number", "", concepts)
    asked = distinct(chain.asked)
    more = extras(asked, chain.sought)
    paired = isinstance(rule, PairsRule)
    outcomes, extra = _with_outcomes(
        chain, items, join, [*columns_of(asked), *(f"{sql} AS {n}" for n, sql in more.items())]
    )
    return Compiled(
        name=rule.name,
        kind=kind,
        sql=_statement(chain.steps, last, chain.inline),
        fields=tuple(fields),
        checks=_checks(ctx, relation),
        probes=tuple(ctx.probes),
        concepts=(),
        event_columns=frozenset(),
        reads=(),
        relation=relation,
        steps=_funnel(chain),
        readings=tuple(ctx.readings),
        asked=asked,
        outcomes=outcomes,
        extra=extra,
        shown=_shown(chain, items, join, asked, more, paired),
        verdicts=verdicts(ctx, relation.table, asked, chain.sought, paired),
    )


def _shown(
    chain: Chain, items: Sequence[str], join: str, asked: Sequence[Clause], more: Mapping[str, str], paired: bool
) -> Shown:
    """What it takes to explain a row: outcomes, what lookups found, and the value of every name of an expression."""
    columns = [*columns_of(asked), *(f"{sql} AS {name}" for name, sql in more.items())]
    columns += [f"{chain.sought[c.name].ids} AS i__{k}" for k, c in enumerate(asked) if c.kind == "lookup"]
    named = {sql for _, names in chain.noted.values() for sql in names.values()}
    named |= {sql for clause in asked for sql in clause.values.values()}
    values = {sql: f"v__{n}" for n, sql in enumerate(sorted(named))}
    columns += [f"{sql} AS {name}" for sql, name in values.items()]
    expressions = {
        path: Expression(fragment, {parts: values[sql] for parts, sql in names.items()})
        for path, (fragment, names) in chain.noted.items()
    }
    sql, _ = _with_outcomes(chain, items, join, columns)
    looks = seeking(chain.ctx, identifier(chain.ctx.rule.name), asked, chain.sought, paired)
    return Shown(sql, values, expressions, looks)


def _statement(steps: Sequence[Step], last: str, inline: Iterable[str]) -> str:
    """One WITH, a CTE a step, each named for its step."""
    return with_steps(steps, f"{broken(last, '')}\nORDER BY patient_id, number", inline)


def _with_outcomes(chain: Chain, items: Sequence[str], join: str, more: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The statement with the outcomes of clauses, and what verdicts need, behind the columns of the table."""
    names = tuple(item.rpartition(" AS ")[2].strip('"') for item in more)
    listed = [f"r.{name}" for name in names]
    asked = f"SELECT *, {', '.join(more)} FROM {chain.current}" if more else f"SELECT * FROM {chain.current}"
    last = f"SELECT {', '.join([*items, *listed])} FROM rows__asked AS r{join}"
    return _statement([*chain.steps, ("rows__asked", "", asked)], last, chain.inline), names


CHOOSES = {
    "rows__base": "rows of what it reads",
    "rows__instants": "times at which a finding is observed",
    "rows__where": "satisfy `where`",
    "rows__where_columns": "satisfy `where` with its columns",
    "rows__opens": "with a time",
    "rows__grouped": "after folding",
    "rows__first": "first of each patient",
    "rows__last": "last of each patient",
    "rows__pairs": "row and analyte",
    "rows__known": "with a known grade",
}


def _funnel(chain: Chain) -> tuple[tuple[str, str], ...]:
    """A count for every step that chooses or folds rows."""
    return tuple(
        (
            CHOOSES[name],
            with_steps(chain.steps, f"SELECT count(*), count(DISTINCT patient_id) FROM {name}", chain.inline),
        )
        for name, _, _ in chain.steps
        if name in CHOOSES
    )


def _field(name: str, column: Column, kind: str) -> schema.Field:
    """A declared column; without a meaning in words it is explained by what it is computed from."""
    look = column.lookup
    origin = column.sql or (f"{look.pick} of {', '.join(look.relations)}" if look else "")
    return schema.Field(
        name, kind.strip('"'), column.meaning or origin, column.nullable, column.unit, column.one_of, column.between
    )


def promise(meaning: str) -> Column:
    """The declaration of a column that the operator itself computes."""
    return Column(sql="NULL", meaning=meaning)


KEY = (
    schema.Field("patient_id", schema.PATIENT_KEY, "the patient", nullable=False),
    schema.Field(
        "number", "INTEGER", "1, 2, ... in the patient by time: with patient_id the row's key", nullable=False
    ),
)
MEANING = {
    "time": "when, in the study's clock",
    "start_time": "when it begins",
    "end_time": "when it ends",
    "day": "day relative to the index: difference of calendar dates",
    "start_day": "day of its begin relative to the index: difference of calendar dates",
    "end_day": "day of its end relative to the index: difference of calendar dates",
}


def _days(ctx: Context, kind: Kind) -> tuple[str, list[str]]:
    """The join with the index and the SQL of each day; without one the days are NULL."""
    pairs = zip(TIMES[kind], DAYS[kind], strict=True)
    if ctx.index is None or not TIMES[kind]:
        # The index rule's own days count from its start; there are none before it, and none without it.
        start = f"CAST(r.{TIMES[kind][0]} AS DATE)" if TIMES[kind] and ctx.ruleset.index == ctx.rule.name else "NULL"
        return "", [f"CAST(CAST(r.{time} AS DATE) - {start} AS INTEGER) AS {day}" for time, day in pairs]
    start = f"CAST(day__.{ctx.index.at} AS DATE)"
    join = f" LEFT JOIN {ctx.index.table} AS day__ ON day__.patient_id = r.patient_id"
    return join, [f"CAST(CAST(r.{time} AS DATE) - {start} AS INTEGER) AS {day}" for time, day in pairs]


def _checks(ctx: Context, relation: Relation) -> dict[str, str]:
    """The SQL of each named check over a finished row."""
    table = Chain(ctx, relation, types=dict(relation.columns), names={name: name for name in relation.columns})
    sqls: dict[str, tuple[str, str]] = {}
    for name, text in ctx.rule.checks.items():
        fragment = ctx.parse(text, f"checks.{name}")
        if fragment is not None:
            sqls[name] = (table.sql(fragment.tree, f"checks.{name}"), f"checks.{name}")
    for name, kind in table.bound(sqls).items():
        if kind not in ("BOOLEAN", '"NULL"'):
            ctx.say(f"checks.{name}", f"a check is true or false; this is {kind}")
    return {name: sql for name, (sql, _) in sqls.items()}
