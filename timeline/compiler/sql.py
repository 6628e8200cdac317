"""`sql`: one SELECT of the author's own, for what the other operators cannot say."""

import re

import duckdb

from timeline.compiler.chain import Chain
from timeline.compiler.context import OBSERVATION, Compiled, Context, missing
from timeline.compiler.finish import finish
from timeline.compiler.relation import IDS, Relation
from timeline.fragment import TOKEN, FragmentError, check_select, params_in
from timeline.quote import identifier
from timeline.rules import SqlRule


def compile_sql(ctx: Context, rule: SqlRule) -> Compiled | None:
    """Return the rule as one SELECT, or None after complaining: it reads what it names, returns what it declares."""
    text = _with_params(ctx, rule.sql)
    relations = {name: ctx.relation((name,), "uses") for name in rule.uses}
    try:
        tables = check_select(text)
    except FragmentError as error:
        ctx.say("sql", str(error))
        return None
    for name in sorted(tables - set(rule.uses)):
        ctx.say("sql", f"it reads `{name}`, which is not under `uses`")
    for name in sorted(set(rule.uses) - tables):
        ctx.say("uses", f"`{name}` is not read by the SELECT; leave it out")
    if ctx.findings or None in relations.values():
        return None
    known = {name: relation for name, relation in relations.items() if relation}
    ctx.columns_used |= set(OBSERVATION) if any(relation.of_events for relation in known.values()) else set()
    types = _types(ctx, text, known)
    for name in ("patient_id", *rule.columns, "evidence"):
        if types and name not in types:
            ctx.say("sql", missing("column of the SELECT", name, list(types)) + "; it must return it")
    if ctx.findings:
        return None
    kind = "spans" if {"start_time", "end_time"} <= set(types) else "moments" if "time" in types else "facts"
    chain = Chain(ctx, Relation(rule.name, kind, types, "", "number"), types=types | {"evidence__": IDS})
    for name, relation in known.items():
        # A relation of the language under its own name; what is no table of its own becomes a step.
        if relation.table != identifier(name):
            chain.step(
                name, "", f"SELECT * FROM {relation.table} AS r WHERE {relation.condition.format('r') or 'TRUE'}"
            )
    chain.step("rows__sql", rule.title, text.strip())
    chain.step("rows__ids", "", "SELECT *, list_sort(list_distinct(evidence)) AS evidence__ FROM rows__sql")
    chain.names = {name: name for name in types}
    chain.evidence = ["evidence__"]
    order = {"spans": ("start_time", "end_time"), "moments": ("time",), "facts": ()}[kind]
    chain.at = next(iter(order), None)
    # Facts come in the order of what they say: only then does evidence tell rows apart.
    chain.key = ("patient_id", *order, *rule.columns, *(() if order else ("ids__",)))
    return finish(chain, kind, list(rule.columns.items()))


def _with_params(ctx: Context, sql: str) -> str:
    ctx.params_used |= params_in(sql)
    for name in sorted(params_in(sql) - set(ctx.params)):
        ctx.say("sql", missing("parameter", f"${name}", [f"${known}" for known in ctx.params]))

    def replaced(match: re.Match[str]) -> str:
        return f"({ctx.params.get(match['param'], 'NULL')})" if match["param"] else match[0]

    return TOKEN.sub(replaced, sql)


def _types(ctx: Context, sql: str, relations: dict[str, Relation]) -> dict[str, str]:
    """The columns that the SELECT returns, bound against empty tables."""
    heads = []
    for name, relation in relations.items():
        columns = ", ".join(
            f"CAST(NULL AS {kind}) AS {identifier(column)}" for column, kind in relation.columns.items()
        )
        heads.append(f"{identifier(name)} AS (SELECT {columns} WHERE FALSE)")
    try:
        rows = ctx.con.execute(f"DESCRIBE WITH {', '.join(heads)} SELECT * FROM ({sql})").fetchall()
    except duckdb.Error as error:
        ctx.say("sql", str(error).split("\n")[0].removeprefix("Binder Error: "))
        return {}
    return {name: kind if kind != '"NULL"' else "INTEGER" for name, kind, *_ in rows}
