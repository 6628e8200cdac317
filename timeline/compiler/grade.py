"""`grade`: a patient's state at each time at which a finding is observed, from the findings then in force.

Points that hold for a fixed time: the latest observation decides, and is carried along the patient's
instants. Intervals with ends of their own: an earlier one may still run when a later one has ended, so
each is joined to the instants that it covers.
"""

from timeline.compiler.chain import Chain, base, joined, trees_names, used_names
from timeline.compiler.clauses import Clause, of_conditions, of_terms, reading, terms_of
from timeline.compiler.columns import add_columns, parse_columns
from timeline.compiler.context import Compiled, Context, Probe
from timeline.compiler.episodes import length
from timeline.compiler.finish import finish, promise
from timeline.compiler.relation import Relation, evidence_list
from timeline.fragment import Fragment
from timeline.quote import identifier
from timeline.rules import GradeRule, Observed

NEVER = "TIMESTAMP 'infinity'"


def compile_grade(ctx: Context, rule: GradeRule) -> Compiled | None:
    """Return the rule as one SELECT, or None after complaining."""
    where, grade = ctx.parse(rule.where, "where"), ctx.parse(rule.grade, "grade")
    columns = parse_columns(ctx, rule.columns)
    for name, column in columns.items():
        if column.look:
            ctx.say(
                f"columns.{name}", "columns of a `grade` rule are computed from its levels; look up in a rule over it"
            )
    everything = {**rule.findings, **rule.context}
    if not rule.findings:
        ctx.say("findings", "a `grade` rule needs at least one finding: the times at which it is computed")
    named = [*rule.findings, *rule.context, *rule.columns, "grade"]
    for name in sorted({name for name in named if named.count(name) > 1}):
        ctx.say(f"columns.{name}", f"`{name}` stands for two things in this rule; choose another name")
    relations = {name: ctx.relation(o.relations, f"{_group(rule, name)}.{name}.of") for name, o in everything.items()}
    levels = {name: ctx.parse(o.level, f"{_group(rule, name)}.{name}.level") for name, o in everything.items()}
    holds = {name: _hold(ctx, rule, name, o) for name, o in everything.items()}
    if ctx.findings or grade is None or None in relations.values():
        return None
    ctx_chain = Chain(ctx, Relation("", "moments", {}, "", None))
    for name, observed in everything.items():
        relation, level = relations[name], levels[name]
        assert relation is not None and level is not None
        condition = where if name in rule.findings else None
        _seen(ctx_chain, name, observed, relation, level, holds[name], condition, _group(rule, name))
    used = used_names([grade]) | {n for column in columns.values() for n in column.needs}
    chain = _states(ctx_chain, rule, used, {name: r for name, r in relations.items() if r})
    add_columns(chain, columns, {})
    sql = chain.sql(grade.tree, "grade")
    chain.note(grade, "grade")
    for name in everything:
        chain.noted[f"findings.{name}"] = (grade, {("time",): identifier(f"{name}__time")})
    chain.asked += of_conditions(grade, "grade", "grade", chain.view("grade"))
    kind = chain.bound({"grade": (sql, "grade")})["grade"]
    chain.add("rows__grade", "", {"grade": (whole(sql, kind), "INTEGER")})
    unknown = Clause("grade: known", "condition", "grade", "known", "CASE WHEN grade IS NULL THEN 0 ELSE 1 END")
    chain.read([unknown], "times at which a finding is observed", tallied=False)
    chain.step("rows__known", "", f"SELECT * FROM {chain.current} WHERE grade IS NOT NULL")
    declared = [(name, column) for name, column in rule.columns.items() if name in chain.names]
    declared.append(("grade", promise(rule.title)))
    declared += [(name, promise(f"level of {name} in force")) for name in rule.findings]
    return None if ctx.findings else finish(chain, "moments", declared)


def whole(sql: str, kind: str) -> str:
    """SQL of a level: a whole number, or NULL where `sql` is anything else."""
    if kind in ("INTEGER", "BIGINT", "SMALLINT", "TINYINT", '"NULL"'):
        return f"CAST({sql} AS INTEGER)"
    return f"CASE WHEN ({sql}) = floor({sql}) THEN TRY_CAST({sql} AS INTEGER) END"


def _group(rule: GradeRule, name: str) -> str:
    return "findings" if name in rule.findings else "context"


def _hold(ctx: Context, rule: GradeRule, name: str, observed: Observed) -> str | None:
    """SQL of how long an observation without an end holds; None for ever."""
    text = observed.hold or rule.hold
    path = f"{_group(rule, name)}.{name}.hold" if observed.hold else "hold"
    if text is None:
        ctx.say(path, f"`{name}` needs `hold`, how long an observation stays in force: 24h, or inf")
    return None if text in (None, "inf") else length(ctx, text, path)


def _seen(
    main: Chain,
    name: str,
    observed: Observed,
    relation: Relation,
    level: Fragment,
    hold: str | None,
    where: Fragment | None,
    group: str,
) -> None:
    """Add the step that reads one finding's observations: time, level, until when, evidence."""
    ctx, path = main.ctx, f"{group}.{name}.level"
    if relation.at is None:
        ctx.say(f"{group}.{name}.of", f"`{relation.name}` has no time, so nothing is observed at a time")
        return
    terms = terms_of(where)
    needed = (
        used_names([level])
        | trees_names(term.tree for term in terms)
        | ({("end_time",)} if observed.interval else set())
    )
    rows = base(ctx, relation, needed, "")
    if "end_time" not in relation.columns and observed.interval:
        ctx.say(f"{group}.{name}", f"`{relation.name}` has no end_time, so its rows are no intervals")
        return
    sql = rows.sql(level.tree, path)
    kind = rows.bound({"level": (sql, path)})["level"]
    if kind in ("VARCHAR", "BOOLEAN", "TIMESTAMP", "DATE"):
        ctx.say(path, f"a level is a whole number; this is {kind}: write `case when ... then 1 end`")
    at = identifier(relation.at)
    until = NEVER if hold is None else f"{at} + {hold}"
    if observed.interval:
        until = f"CASE WHEN end_time >= {at} THEN end_time ELSE {until} END"
    start = rows.steps[0][2]
    clauses = of_conditions(level, f"{name}.level", path, rows.view(path))
    rows.at_hand = {"time": rows.at or ""} | {n: n for n in ("patient_id",)}
    condition = "".join(f" AND {rows.sql(term.tree, 'where')}" for term in terms)
    evidence = "key__" if relation.of_events else "evidence__"
    clauses += of_terms(terms, f"{name} where", rows.view("where"))
    if clauses:
        ids = "[key__]" if relation.of_events else "evidence__"
        own = f"patient_id, key__, {at} AS at__, {ids} AS ids__"
        source = f"({start}) WHERE {at} IS NOT NULL"
        of = f"{name} ({relation.name})"
        ctx.readings.append(reading(of, relation.name, lambda items: f"SELECT {own}, {items} FROM {source}", clauses))
    inner = (
        f"SELECT patient_id, {at} AS at__, {whole(sql, kind)} AS level__, {until} AS until__, {evidence} AS id__"
        f" FROM ({start}) WHERE {at} IS NOT NULL{condition}"
    )
    # At one instant the worst decides; of the equally bad the lowest evidence.
    fold = "QUALIFY row_number() OVER (PARTITION BY patient_id, at__ ORDER BY level__ DESC, id__) = 1"
    main.step(
        f"seen__{name}",
        f"{name}: {observed.level}".replace("\n", " "),
        f"SELECT * FROM ({inner}) WHERE level__ IS NOT NULL" + ("" if observed.interval else f" {fold}"),
        moves=False,
    )
    ctx.probes.append(
        Probe(
            f"level of {name} ({relation.name}: {observed.level})".replace("\n", " "),
            f"WITH rows__level AS ({inner}) SELECT count(*), count(level__) FROM rows__level",
        )
    )


def _states(
    main: Chain,
    rule: GradeRule,
    used: set[tuple[str, ...]],
    relations: dict[str, Relation],
) -> Chain:
    """The chain whose rows are the instants, with the level in force of each finding and context."""
    ctx = main.ctx
    seen = " UNION ALL ".join(f"SELECT patient_id, at__ FROM seen__{name}" for name in rule.findings)
    instants = f"SELECT DISTINCT patient_id, at__ FROM ({seen})"
    main.step("rows__instants", "every time at which a finding is observed", instants)
    everything = {**rule.findings, **rule.context}
    for name, observed in everything.items():
        if observed.interval:
            main.step(
                f"held__{name}",
                "the latest begun of the intervals that cover the instant",
                f"SELECT i.patient_id AS patient_id, i.at__ AS instant__, s.at__ AS at__, s.level__ AS level__, "
                f"s.until__ AS until__, s.id__ AS id__ FROM rows__instants AS i JOIN seen__{name} AS s "
                "ON s.patient_id = i.patient_id AND s.at__ <= i.at__ AND s.until__ >= i.at__ "
                "QUALIFY row_number() OVER (PARTITION BY i.patient_id, i.at__ "
                "ORDER BY s.at__ DESC, s.level__ DESC, s.id__) = 1",
                moves=False,
            )
    chain = Chain(ctx, Relation("", "moments", {}, "", "number"), at="time", key=("patient_id", "time"))
    chain.steps, chain.current = main.steps, "rows__instants"
    chain.types = {"patient_id": "VARCHAR", "time": "TIMESTAMP"}
    chain.names = {"patient_id": "patient_id", "time": "time"}
    items, joins = ["c.patient_id", 'c.at__ AS "time"'], []
    pieces: dict[bool, list[str]] = {True: [], False: []}
    _carry(chain, [name for name, observed in everything.items() if not observed.interval])
    for name, observed in everything.items():
        column, s = identifier(name), f"{name}__seen"
        if observed.interval:
            on = f"{s}.patient_id = c.patient_id AND {s}.instant__ = c.at__"
        else:
            on = f"{s}.patient_id = c.patient_id AND {s}.at__ = c.{column} AND c.at__ <= {s}.until__"
        joins.append(f" LEFT JOIN {'held' if observed.interval else 'seen'}__{name} AS {s} ON {on}")
        items += [f"{s}.level__ AS {column}", f"{s}.at__ AS {name}__time"]
        pieces[relations[name].of_events].append(f"{s}.id__")
        chain.names[name], chain.types[name] = name, "INTEGER"
        chain.dotted[name], chain.types[f"{name}__time"] = {"time": f"{name}__time"}, "TIMESTAMP"
    lists = ([f"[{', '.join(pieces[True])}]"] if pieces[True] else []) + pieces[False]
    evidence = evidence_list(tuple(lists)) if len(lists) > 1 else f"list_sort(list_distinct({lists[0]}))"
    items.append(f"{evidence} AS evidence__")
    joins.append(joined(chain, used, "index", ctx.index, items, "c"))
    joins.append(joined(chain, used, "patient", ctx.single("patient"), items, "c"))
    chain.at_hand = dict(chain.names)
    chain.types["evidence__"] = "UBIGINT[]"
    chain.evidence = ["evidence__"]
    chain.step("rows__states", "", f"SELECT {', '.join(items)} FROM rows__carried AS c{''.join(joins)}")
    return chain


def _carry(chain: Chain, names: list[str]) -> None:
    """Add to each instant the time of the latest observation so far, for findings that hold for a fixed time.

    All of them share one sort of narrow rows, in which an instant comes after what is observed at it.
    """
    sources = [*(f"seen__{name}" for name in names), "rows__instants"]
    rows = [f"SELECT patient_id, at__, {which} AS of__ FROM {source}" for which, source in enumerate(sources)]
    items = ["patient_id", "at__", "of__"]
    for which, name in enumerate(names):
        items.append(
            f"last_value(CASE WHEN of__ = {which} THEN at__ END IGNORE NULLS) OVER so_far AS {identifier(name)}"
        )
    chain.step("rows__timeline", "observations and instants under one another", " UNION ALL ".join(rows))
    so_far = "PARTITION BY patient_id ORDER BY at__, of__ ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
    window = f" WINDOW so_far AS ({so_far})" if names else ""
    select = f"SELECT {', '.join(items)} FROM rows__timeline{window}"
    comment = "the time of the latest observation so far"
    chain.step("rows__carried", comment, f"SELECT * FROM ({select}) WHERE of__ = {len(names)}")
