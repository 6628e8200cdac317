"""`from`: rows of a relation that satisfy `where`, with computed columns, folded, kept or put through steps."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from timeline.compiler.chain import Chain, base, trees_names, used_names
from timeline.compiler.clauses import Clause, Term, of_conditions, outcome, shortfall, terms_of, words_of
from timeline.compiler.columns import Parsed, add_columns, attributes_used, cast, parse_columns, refuse_intervals
from timeline.compiler.context import Compiled, Context, missing
from timeline.compiler.finish import TIMES, finish, promise
from timeline.compiler.relation import Kind, Relation, evidence_list
from timeline.fragment import Fragment
from timeline.quote import identifier, literal
from timeline.rules import Column, FromRule

START_OF_SPAN = '"time"'
END_OF_SPAN = 'CASE WHEN end_time >= "time" THEN end_time ELSE "time" END'
"""An end that is missing, or before the start, counts as none."""


def compile_from(ctx: Context, rule: FromRule) -> Compiled | None:
    """Return the rule as one SELECT, or None after complaining."""
    relation = ctx.relation(rule.relations, "from")
    where = ctx.parse(rule.where, "where")
    columns = parse_columns(ctx, rule.columns, aggregates=bool(rule.group_by))
    steps = {name: ctx.parse(text, f"steps.{name}") for name, text in rule.steps.items()}
    if ctx.findings or relation is None or not _fits(ctx, rule, relation):
        return None
    terms = terms_of(where)
    used = (
        trees_names(term.tree for term in terms)
        | used_names(steps.values())
        | {n for column in columns.values() for n in column.needs}
    )
    used |= {(name,) for name in rule.group_by}
    chain = base(ctx, relation, used | ({("end_time",)} if rule.spans else set()), rule.title)
    kind: Kind = "spans" if rule.spans else relation.kind
    if rule.spans:
        _as_spans(chain)
    soon = False
    early = [term for term in terms if rule.group_by or not _needs_columns(term, chain, columns)]
    chain.filter("rows__where", early)
    if rule.group_by:
        # A row without a time is the earliest of its group: then the group has none either.
        folds = {
            name: f'CASE WHEN count("{name}") = count(*) THEN min("{name}") END' for name in ("time", "start_time")
        }
        folds["end_time"] = "max(end_time)"
        group(chain, rule.group_by, columns, {name: folds[name] for name in TIMES[kind]})
    else:
        late = [term for term in terms if term not in early]
        # Which row is kept depends on evidence, so on lookups; where there are none, fewer rows go on.
        soon = not late and not any(column.look for column in columns.values())
        if rule.keep and soon:
            _keep(chain, rule.keep)
        add_columns(chain, columns, attributes_used(used, columns))
        chain.filter("rows__where_columns", late)
    if rule.keep and (rule.group_by or not soon):
        _keep(chain, rule.keep)
    declared = _add_steps(chain, steps, columns) + [
        (name, column) for name, column in rule.columns.items() if name in chain.names
    ]
    if ctx.findings:
        return None
    concepts = relation.concepts if relation.of_events or "concept" in relation.columns else ()
    return finish(chain, kind, declared, concepts=concepts)


def _fits(ctx: Context, rule: FromRule, relation: Relation) -> bool:
    """Whether the rule's options go with the kind of relation it is from."""
    before = len(ctx.findings)
    if rule.spans and not relation.of_events:
        ctx.say("spans", f"`spans` turns events into spans; `{relation.name}` has {relation.kind}")
    if rule.keep and relation.at is None:
        ctx.say("keep", f"`{relation.name}` has no time, so it has no {rule.keep} row")
    spans = {"start_time", "end_time"} if rule.spans else set()
    for name in rule.group_by:
        if name not in relation.columns and name not in spans:
            ctx.say("group_by", missing(f"column of {relation.name}", name, list(relation.columns)))
    clash = sorted({"included", "excluded_at", *rule.steps} & set(rule.columns)) if rule.steps else []
    for name in clash:
        ctx.say(f"columns.{name}", f"`{name}` is already a column of the steps; choose another name")
    return len(ctx.findings) == before


NONE: frozenset[str] = frozenset()


def _needs_columns(term: Term, chain: Chain, columns: dict[str, Parsed]) -> bool:
    firsts = {parts[0] for parts in trees_names([term.tree])}
    return any(name in columns and (name not in chain.at_hand) for name in firsts)


def _as_spans(chain: Chain) -> None:
    """Events become spans; `time` stays what it was."""
    items = f"{START_OF_SPAN} AS start_time, {END_OF_SPAN} AS end_time"
    chain.step("rows__spans", "", f"SELECT * EXCLUDE (end_time), {items} FROM {chain.current}")
    chain.names |= {"start_time": "start_time", "end_time": "end_time"}
    chain.at_hand |= {"start_time": "start_time", "end_time": "end_time"}
    chain.types |= {"start_time": "TIMESTAMP", "end_time": "TIMESTAMP"}
    chain.at = "start_time"


def _keep(chain: Chain, which: str) -> None:
    """One row a patient, by time and then the lowest evidence."""
    at = identifier(chain.at or "")
    direction = f"{at} DESC NULLS LAST" if which == "last" else f"{at} NULLS FIRST"
    key = [identifier(name) for name in chain.key if name != "patient_id"]
    evidence = [] if chain.evidence == ["[key__]"] else [evidence_list(tuple(chain.evidence))]
    order = ", ".join([direction, *evidence, *key])
    chain.step(
        f"rows__{which}",
        "",
        f"SELECT * FROM {chain.current} QUALIFY row_number() OVER (PARTITION BY patient_id ORDER BY {order}) = 1",
    )


def group(
    chain: Chain, keys: tuple[str, ...], columns: dict[str, Parsed], times: dict[str, str], own: frozenset[str] = NONE
) -> None:
    """Fold the rows of a patient that agree in `keys`; columns aggregate, or compute with what was aggregated.

    `times` are the columns that place the folded row in time, with the aggregate that yields each; those in
    `own` are the folded row's for every column that does not aggregate.
    """
    keys = tuple(name for name in keys if name != "patient_id")
    rows, open_names = {}, set(chain.at_hand) - set(keys) - own
    later = {}
    for name, column in columns.items():
        firsts = {parts[0] for parts in column.needs}
        folds = bool(column.fragment and column.fragment.aggregates) or bool(firsts & open_names)
        (rows if folds else later)[name] = column
    sqls = _aggregates(chain, rows, columns)
    asked = _folding_conditions(chain, rows)
    # Columns of the index row and of the patient are the same for every row of a patient.
    constant = [column for alias in ("index", "patient") for column in chain.dotted.get(alias, {}).values()]
    constant = [column for column in constant if column in chain.types]
    grouping = ("patient_id", *(chain.in_view[name] for name in keys), *constant)
    types = chain.bound(sqls, grouping)
    refuse_intervals(chain, types)
    ids = "list(key__)" if chain.relation.of_events else "flatten(list(evidence__))"
    items = [identifier(name) for name in grouping]
    items += [f"{sql} AS {identifier(name)}" for name, sql in times.items() if name not in keys]
    kept = {name: chain.types[chain.in_view[name]] for name in ("patient_id", *keys)}
    kept |= {column: chain.types[column] for column in constant}
    chain.types = kept | {name: "TIMESTAMP" for name in times if name not in keys}
    chain.names = {name: name for name in chain.types if name not in constant}
    chain.at_hand = {name: name for name in keys}
    for name, (sql, _) in sqls.items():
        inner = chain.internal(name)
        items.append(f"{sql} AS {identifier(inner)}")
        chain.names[name], chain.types[inner] = inner, types[name]
    for number, clause in enumerate(asked):
        items.append(f"CAST({clause.sql} AS TINYINT) AS asked__{number}")
        chain.types[f"asked__{number}"] = "TINYINT"
        chain.asked.append(replace(clause, sql=f"asked__{number}", margin=None))
    items.append(f"list_sort(list_distinct({ids})) AS evidence__")
    by = ", ".join(identifier(name) for name in grouping)
    chain.step("rows__grouped", "", f"SELECT {', '.join(items)} FROM {chain.current} GROUP BY {by}")
    chain.types["evidence__"] = "UBIGINT[]"
    chain.evidence, chain.key = ["evidence__"], ("patient_id", *keys)
    chain.order = tuple(name for name in (chain.at, "evidence__") if name)
    add_columns(chain, later, {})


def _aggregates(chain: Chain, rows: dict[str, Parsed], columns: dict[str, Parsed]) -> dict[str, tuple[str, str]]:
    """The SQL and path of each column that folds rows; it may not need another column of the rule."""
    sqls = {}
    for name, column in rows.items():
        path = f"columns.{name}"
        others = {parts[0] for parts in column.needs if parts[0] not in chain.at_hand and parts[0] in columns}
        if others:
            chain.ctx.say(path, f"an aggregate sees rows, not column `{min(others)}` of this rule; "
                                "give the inner expression a rule of its own")  # fmt: skip
        elif column.fragment is not None:
            sqls[name] = (cast(chain.sql(column.fragment.tree, path), column.column), path)
    return sqls


def _add_steps(
    chain: Chain, steps: dict[str, Fragment | None], columns: Mapping[str, Parsed]
) -> list[tuple[str, Column]]:
    """`included`, `excluded_at` and a column a step; a step that is unknown does not hold."""
    if not steps:
        return []
    sqls = {n: (chain.sql(f.tree, f"steps.{n}"), f"steps.{n}") for n, f in steps.items() if f is not None}
    for name, kind in chain.bound(sqls).items():
        if kind not in ("BOOLEAN", '"NULL"'):
            chain.ctx.say(f"steps.{name}", f"a step is true or false; this is {kind}")
    for name, fragment in steps.items():
        if fragment is not None:
            chain.note(fragment, f"steps.{name}")
            chain.asked.append(_step(chain, name, fragment, columns))
    chain.add("rows__steps", "", {name: (f"coalesce({sql}, FALSE)", "BOOLEAN") for name, (sql, _) in sqls.items()})
    inner = [identifier(chain.names[name]) for name in sqls]
    failed = " ".join(f"WHEN NOT {column} THEN {literal(name)}" for name, column in zip(sqls, inner, strict=True))
    chain.add(
        "rows__included",
        "",
        {"included": (" AND ".join(inner), "BOOLEAN"), "excluded_at": (f"CASE {failed} END", "VARCHAR")},
    )
    meanings = {"included": "every step holds", "excluded_at": "the first step that does not hold"}
    names = ("included", "excluded_at", *sqls)
    return [(name, promise(meanings.get(name, "this step holds"))) for name in names]


def _step(chain: Chain, name: str, fragment: Fragment, columns: Mapping[str, Parsed]) -> Clause:
    """The clause of a step: what it says, how far it is from true, and the lookups that it rests on."""
    view = chain.view(f"steps.{name}")
    return Clause(
        name,
        "step",
        f"steps.{name}",
        words_of(fragment.written),
        outcome(view.sql(fragment.tree)),
        shortfall([term.tree for term in terms_of(fragment)], view.sql),
        _rests_on(positive_names(fragment.tree), columns),
        fragment.tree,
        fragment.written,
        view.values(fragment.tree),
    )


def _rests_on(names: set[str], columns: Mapping[str, Parsed]) -> tuple[str, ...]:
    """The lookups among `names`, and those that columns among them are computed from, in declared order."""
    found: set[str] = set()
    waiting = sorted(names & set(columns))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            fragment = columns[name].fragment
            waiting += sorted(positive_names(fragment.tree) & set(columns)) if fragment else []
    return tuple(name for name, column in columns.items() if column.look and name in found)


def positive_names(tree: Any) -> set[str]:
    """The names that an expression asks to be there or true: none of those under a NOT."""
    if isinstance(tree, list):
        return {name for child in tree for name in positive_names(child)}
    if not isinstance(tree, dict) or tree.get("type") in ("OPERATOR_NOT", "OPERATOR_IS_NULL"):
        return set()
    if tree.get("class") == "COLUMN_REF":
        return {tree["column_names"][0]}
    return {name for child in tree.values() for name in positive_names(child)}


def _folding_conditions(chain: Chain, rows: Mapping[str, Parsed]) -> list[Clause]:
    """Conditions of columns that aggregate: inside an aggregate they are asked of its rows, outside of the group."""
    members: list[Clause] = []
    asked: list[Clause] = []
    for name, column in rows.items():
        if column.fragment is not None:
            path = f"columns.{name}"
            chain.noted[path] = (column.fragment, {})
            members += of_conditions(column.fragment, name, path, chain.view(path), folds=True)
            asked += of_conditions(column.fragment, name, path, chain.view(path), folds=False)
    chain.read(members)
    return asked
