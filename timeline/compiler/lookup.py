"""Look around: what another relation holds for the same patient inside a window, as one or two steps.

`first` and `last` over a window become an ASOF join, linear where a range join is quadratic; all other
picks join the range and keep the best row or fold the rows.
"""

from timeline.compiler.chain import Chain, Sought
from timeline.compiler.clauses import Clause
from timeline.compiler.context import missing
from timeline.compiler.look import EVER, Look, describe, names_of_base
from timeline.compiler.relation import Relation
from timeline.compiler.where import check_where, where_sql
from timeline.quote import identifier
from timeline.rules import ROW_PICKS

EXTREME = {
    "first": ("s.at__", "CASE WHEN count(s.at__) = count(*) THEN min(s.at__) END"),
    "last": ("s.at__", "max(s.at__)"),
    "min": ("s.value__", "min(s.value__)"),
    "max": ("s.value__", "max(s.value__)"),
}
"""What decides a pick before ties; a row without a time is the first of all."""


def add_lookup(
    chain: Chain,
    name: str,
    look: Look,
    wanted: set[str],
    analyte: bool = False,
) -> Sought:
    """Add column `name`, and `name.x` for each x in `wanted`, to the chain; `analyte`: only its own analyte's rows."""
    pick = look.lookup.pick
    for x in sorted(wanted - set(look.relation.columns)):
        chain.ctx.say(look.path, missing(f"column of {look.relation.name}", x, list(look.relation.columns)))
    if wanted and pick not in ROW_PICKS:
        chain.ctx.say(look.path, f"`{pick}` folds rows, so `{name}.{min(wanted)}` is no one row's; use first or last")
        wanted = set()
    wanted = wanted & set(look.relation.columns)
    inner = chain.internal(name)
    carried = _carried(chain, look, wanted)
    asof = (
        pick in ("first", "last")
        and look.lookup.window is not None
        and not look.overlaps
        and not look.uses_base
        and look.relation.at is not None
    )
    chain.step(f"seen__{inner}", "", _seen(chain, look, carried, asof, analyte), moves=False)
    bounds = _add_bounds(chain, look, inner)
    if asof:
        select = _asof(chain, look, inner, wanted, analyte)
    elif pick in ROW_PICKS:
        select = _best(chain, look, inner, wanted, analyte)
    else:
        _fold(chain, look, inner, analyte)
        select = _folded(chain, look, inner)
    chain.step(f"rows__{inner}", "", select)
    base = {x: identifier(chain.in_view[x]) for x in names_of_base(look) if x in chain.in_view}
    _register(chain, name, inner, look, wanted)
    return Sought(look, bounds, base, ids_of(chain, look, inner), chain.relation.kind != "moments")


def _carried(chain: Chain, look: Look, wanted: set[str]) -> set[str]:
    """The looked-up columns that must outlive the prefilter."""
    late = {parts[0] for parts in look.where.names if len(parts) == 1} if look.where and look.uses_base else set()
    if look.where and look.uses_base and any(parts[0] == "concept" for parts in look.where.names):
        late.add("concept")
    return wanted | (late & set(look.relation.columns))


def _seen(chain: Chain, look: Look, carried: set[str], folded: bool, analyte: bool) -> str:
    """The rows that may be found: prefiltered by all that does not depend on the row that looks."""
    relation, column = look.relation, look.lookup.column
    if relation.of_events:
        named = {parts[0] for parts in look.where.names} & set(relation.columns) if look.where else set()
        read = {"event_id", "patient_id", "concept", "time", *named, *carried, *((column,) if column else ())}
        chain.ctx.columns_used |= read
    items = ["s.patient_id", f"{relation.evidence('s')} AS id__"]
    conditions = [relation.condition.format("s")] if relation.condition else []
    if relation.at:
        items.append(f"s.{identifier(relation.at)} AS at__")
    if look.overlaps:
        items.append("s.end_time AS until__")
    if relation.key and not relation.of_events:
        items.append("s.number AS number__")
    if analyte:
        items.append(f"s.{'concept' if relation.of_events else 'analyte'} AS analyte__")
    if column:
        items.append(f"s.{identifier(column)} AS value__")
        conditions.append(f"s.{identifier(column)} IS NOT NULL")
    items += [f"s.{identifier(x)} AS x__{x}" for x in sorted(carried)]
    join = ""
    if look.where and not look.uses_base:
        sql, join = where_sql(chain.ctx, look, look.where.tree, lambda parts: f"s.{identifier(parts[0])}")
        check_where(chain, look)
        conditions.append(f"({sql})")
    if folded:
        conditions.append(f"s.{identifier(relation.at or '')} IS NOT NULL")
    condition = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    # Of rows at one time the lowest evidence: an ASOF join would take any of them.
    one = ", ".join(("s.patient_id", "at__", *(("analyte__",) if analyte else ())))
    tie = "id__" if relation.of_events else "number__"
    fold = f" QUALIFY row_number() OVER (PARTITION BY {one} ORDER BY {tie}) = 1" if folded else ""
    return f"SELECT {', '.join(items)} FROM {relation.table} AS s{join}{condition}{fold}"


def _add_bounds(chain: Chain, look: Look, inner: str) -> dict[str, str]:
    """Add the window's ends, and the time to be near to, to every row that looks; return their SQL."""
    window = look.lookup.window
    sqls: dict[str, tuple[str, str]] = {}
    if window:
        for key, text, fragment in (("from__", window.lower, look.lower), ("to__", window.upper, look.upper)):
            sql = EVER[text] if text in EVER else chain.sql(fragment.tree, look.path) if fragment else "NULL"
            sqls[key] = (sql, look.path)
    if look.to:
        sqls["near__"] = (chain.sql(look.to.tree, look.path), look.path)
    if not sqls:
        return {}
    for key, kind in chain.bound(sqls).items():
        if kind not in ("TIMESTAMP", "DATE", '"NULL"', "INTEGER" if sqls[key][0] == "NULL" else ""):
            chain.ctx.say(look.path, f"the bound of a window is a time; `{sqls[key][0]}` is {kind}")
    bounds = {key: f"CAST({sql} AS TIMESTAMP)" for key, (sql, _) in sqls.items()}
    items = ", ".join(f"{sql} AS {key}" for key, sql in bounds.items())
    chain.step(f"around__{inner}", describe(look, inner), f"SELECT *, {items} FROM {chain.current}")
    return bounds


def own_rows(analyte: bool) -> str:
    return "s.patient_id = b.patient_id" + (" AND s.analyte__ = b.analyte__" if analyte else "")


def _drop(look: Look) -> str:
    names = (["from__", "to__"] if look.lookup.window else []) + (["near__"] if look.to else [])
    return f" EXCLUDE ({', '.join(names)})" if names else ""


def _found(look: Look, inner: str, wanted: set[str], guard: str = "") -> str:
    """The items that bring the found row's value, columns and evidence."""
    picked = {inner: "s.value__"} | {f"{inner}__{x}": f"s.x__{x}" for x in sorted(wanted)} | {f"{inner}__id": "s.id__"}
    return ", ".join(
        f"{f'CASE WHEN {guard} THEN {sql} END' if guard else sql} AS {identifier(name)}" for name, sql in picked.items()
    )


def _asof(chain: Chain, look: Look, inner: str, wanted: set[str], analyte: bool) -> str:
    window = look.lookup.window
    assert window is not None
    after = f"b.from__ {'<=' if window.lower_closed else '<'} s.at__"
    before = f"b.to__ {'>=' if window.upper_closed else '>'} s.at__"
    join, guard = (after, before) if look.lookup.pick == "first" else (before, after)
    return (
        f"SELECT b.*{_drop(look)}, {_found(look, inner, wanted, guard)} FROM {chain.current} AS b "
        f"ASOF LEFT JOIN seen__{inner} AS s ON {own_rows(analyte)} AND {join}"
    )


def _range(chain: Chain, look: Look, inner: str, analyte: bool) -> tuple[str, str]:
    """The condition under which a row is a candidate, and the rows joined with what its `where` needs."""
    conditions, source = [own_rows(analyte), *in_window(look)], f"seen__{inner} AS s"
    if look.to:
        conditions.append("b.near__ IS NOT NULL AND s.at__ IS NOT NULL")
    if look.where and look.uses_base:
        base = {name: f"b.{identifier(inner)}" for name, inner in chain.in_view.items()}
        sql, joins = where_sql(chain.ctx, look, look.where.tree, lambda parts: f"s.x__{parts[0]}", base)
        check_where(chain, look)
        conditions.append(f"({sql})")
        source = f"({source}{joins})" if joins else source
    return " AND ".join(conditions), source


def in_window(look: Look) -> list[str]:
    """The conditions under which a row `s` is in the window of a row `b`."""
    window, conditions = look.lookup.window, []
    if window:
        end = "s.until__" if look.overlaps else "s.at__"
        conditions.append(f"{end} {'>=' if window.lower_closed else '>'} b.from__")
        conditions.append(f"s.at__ {'<=' if window.upper_closed else '<'} b.to__")
        if look.overlaps:
            # A window that ends before it begins is empty, also under a span that covers both its ends.
            conditions.append("b.from__ <= b.to__")
            if not (window.lower_closed and window.upper_closed):
                conditions.append("b.from__ < b.to__")
    return conditions


def _tie(relation: Relation) -> tuple[str, ...]:
    """What decides between rows at one time: the lowest evidence. Rules number their rows by time and evidence."""
    if relation.key is None:
        return ()
    if relation.of_events:
        return ("s.id__",)
    return ("s.number__",) if relation.at else ("s.id__", "s.number__")


def _best(chain: Chain, look: Look, inner: str, wanted: set[str], analyte: bool) -> str:
    at = ("s.at__ NULLS FIRST",) if look.relation.at else ()
    best = {
        "first": at,
        "last": ("s.at__ DESC NULLS LAST",) if look.relation.at else (),
        "min": ("s.value__", *at),
        "max": ("s.value__ DESC", *at),
        "nearest": ("abs(epoch_us(s.at__) - epoch_us(b.near__))", *at),
    }[look.lookup.pick]
    key = ", ".join(f"b.{name}" for name in chain.key)
    ordered = ", ".join((*best, *_tie(look.relation))) or "1"
    condition, source = _range(chain, look, inner, analyte)
    same_key = " AND ".join(f"f.{name} = b.{name}" for name in chain.key)
    one = f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {ordered}) = 1"
    if look.open_ended and look.lookup.pick in EXTREME and (look.relation.at or look.lookup.pick in ("min", "max")):
        # Most rows of a patient are candidates: first their best value or time alone, then the row that has it.
        column, extreme = EXTREME[look.lookup.pick]
        chain.inline.add(f"seen__{inner}")
        best = (
            f"SELECT {key}, {extreme} AS best__ FROM {chain.current} AS b JOIN {source} ON {condition} GROUP BY {key}"
        )
        chain.step(f"best__{inner}", "", best, moves=False)
        return (
            f"SELECT b.*{_drop(look)}, {_found(look, inner, wanted)} FROM {chain.current} AS b "
            f"LEFT JOIN best__{inner} AS f ON {same_key} "
            f"LEFT JOIN {source} ON {condition} AND {column} IS NOT DISTINCT FROM f.best__ {one}"
        )
    # Only the key of the row that is found goes through the sort; the rest of it is fetched after.
    row = {None: "1", "event_id": "s.id__"}.get(look.relation.key, "s.number__")
    found = f"SELECT {key}, {row} AS row__ FROM {chain.current} AS b JOIN {source} ON {condition} {one}"
    chain.step(f"found__{inner}", "", found, moves=False)
    return (
        f"SELECT b.*{_drop(look)}, {_found(look, inner, wanted)} FROM {chain.current} AS b "
        f"LEFT JOIN found__{inner} AS f ON {same_key} "
        f"LEFT JOIN seen__{inner} AS s ON s.patient_id = b.patient_id AND {row} = f.row__"
    )


def _fold(chain: Chain, look: Look, inner: str, analyte: bool) -> None:
    key = ", ".join(f"b.{name}" for name in chain.key)
    order = ", ".join((*(("s.at__ NULLS FIRST",) if look.relation.at else ()), *_tie(look.relation)))
    ordered = f" ORDER BY {order}" if order else ""
    pick = look.lookup.pick
    value = {
        "count": "count(*)",
        "any": "TRUE",
        "sum": f"sum(s.value__{ordered})",
        "mean": f"avg(s.value__{ordered})",
        "median": "median(s.value__)",
    }[pick]
    events = look.relation.of_events
    first, every = f"first(s.id__{ordered})", "list(s.id__)" if events else "flatten(list(s.id__))"
    ids = every if pick != "any" else f"[{first}]" if events else first
    condition, source = _range(chain, look, inner, analyte)
    chain.step(
        f"found__{inner}",
        "",
        f"SELECT {key}, {value} AS value__, {ids} AS ids__ FROM {chain.current} AS b "
        f"JOIN {source} ON {condition} GROUP BY {key}",
        moves=False,
    )


def _folded(chain: Chain, look: Look, inner: str) -> str:
    key = " AND ".join(f"f.{name} = b.{name}" for name in chain.key)
    nothing = {"count": "0", "any": "FALSE"}.get(look.lookup.pick)
    value = "f.value__"
    if nothing is not None:
        known = ["b.from__ IS NOT NULL AND b.to__ IS NOT NULL"] if look.lookup.window else []
        value = f"coalesce(f.value__, {nothing})"
        value = f"CASE WHEN {known[0]} THEN {value} END" if known else value
    return (
        f"SELECT b.*{_drop(look)}, {value} AS {identifier(inner)}, f.ids__ AS {identifier(inner + '__id')} "
        f"FROM {chain.current} AS b LEFT JOIN found__{inner} AS f ON {key}"
    )


def _register(chain: Chain, name: str, inner: str, look: Look, wanted: set[str]) -> None:
    """Note the new names, their types and the evidence they bring."""
    pick, column = look.lookup.pick, look.lookup.column
    own = look.relation.columns[column] if column else ""
    types = {"count": "BIGINT", "any": "BOOLEAN", "mean": "DOUBLE", "median": own}
    kind = types.get(pick, own)
    if pick in ("sum", "mean", "median"):
        function = {"sum": "sum", "mean": "avg", "median": "median"}[pick]
        probe = Chain(chain.ctx, chain.relation, types={"x": own})
        kind = probe.bound({"x": (f"{function}(x)", look.path)})["x"]
    chain.names[name], chain.types[inner] = inner, kind
    chain.dotted[name] = {x: f"{inner}__{x}" for x in wanted}
    for x in wanted:
        chain.types[f"{inner}__{x}"] = look.relation.columns[x]
    one = pick in ROW_PICKS and look.relation.of_events
    chain.types[f"{inner}__id"] = "UBIGINT" if one else "UBIGINT[]"
    chain.evidence.append(ids_of(chain, look, inner))


def ids_of(chain: Chain, look: Look, inner: str) -> str:
    """SQL of the evidence of what a lookup found, a list."""
    column = identifier(f"{inner}__id")
    return f"[{column}]" if chain.types[f"{inner}__id"] == "UBIGINT" else column


def ask(chain: Chain, name: str, sought: Sought, path: str, found: str, text: str, only: str = "") -> None:
    """Note the clause of a lookup: whether it found something (`found`), in the rows for which `only` holds."""
    unknown = " OR ".join(f"({sql}) IS NULL" for sql in sought.bounds.values())
    arms = f"WHEN {found} THEN 1 ELSE 0 END"
    sql = f"CASE WHEN {unknown} THEN -1 {arms}" if unknown else f"CASE {arms}"
    chain.asked.append(Clause(name, "lookup", path, text, f"CASE WHEN {only} THEN {sql} END" if only else sql))
    chain.sought[name] = sought
