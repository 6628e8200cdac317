"""The `where` of a lookup: names of the looked-up row, of the looking row (`base.x`), of the index and the patient."""

from collections.abc import Callable, Mapping

from timeline.compiler.chain import Chain, attributes
from timeline.compiler.context import Context, missing
from timeline.compiler.look import Look
from timeline.fragment import FragmentError, Tree, resolved
from timeline.quote import identifier


def where_sql(
    ctx: Context,
    look: Look,
    tree: Tree,
    own: Callable[[tuple[str, ...]], str],
    base: Mapping[str, str] = {},
    carried: bool = False,
) -> tuple[str, str]:
    """SQL of a lookup's `where`, or a term of it, and the joins it needs for `index.x` and `patient.x`.

    `own` gives the SQL of a looked-up column, `base` that of the columns of the row that looks. With `carried` the
    columns of index and patient are not joined, but stand beside those of the looked-up row, as `carried_name` says.
    """
    relation = look.relation
    joins: dict[str, str] = {}

    def name(parts: tuple[str, ...]) -> str:
        others = {"index": ctx.index, "patient": ctx.single("patient")}
        if len(parts) == 1 and parts[0] in relation.columns:
            return own(parts)
        if len(parts) == 2 and parts[0] == "base":
            if parts[1] in base:
                return base[parts[1]]
            ctx.say(look.path, missing("column of the row that looks", parts[1], list(base)))
        elif len(parts) == 2 and parts[0] == "concept" and "concept" in relation.columns:
            sql = ctx.attribute(parts[1], own(("concept",)), relation.concepts)
            if sql is not None:
                return sql
            ctx.say(look.path, missing("attribute of concepts", parts[1], attributes(ctx)))
        elif len(parts) == 2 and parts[0] in others and (other := others[parts[0]]) is not None:
            if parts[1] in other.columns:
                joins[parts[0]] = f" LEFT JOIN {other.table} AS {parts[0]} ON {parts[0]}.patient_id = s.patient_id"
                return f"s.{carried_name(parts)}" if carried else f"{parts[0]}.{identifier(parts[1])}"
            ctx.say(look.path, missing(f"column of {parts[0]}", parts[1], list(other.columns)))
        else:
            ctx.say(look.path, missing(f"column of {relation.name}", ".".join(parts), list(relation.columns)))
        return "NULL"

    try:
        sql = resolved(tree, name)
    except FragmentError as error:
        ctx.say(look.path, str(error))
        sql = "NULL"
    return sql, "".join(joins.values())


def carried_name(parts: tuple[str, ...]) -> str:
    """The column that carries `index.x` or `patient.x` along with a looked-up row."""
    return identifier(f"{parts[0]}__{parts[1]}")


def carried_names(look: Look) -> list[tuple[str, ...]]:
    """The columns of the index and the patient that the `where` of a lookup reads."""
    names = look.where.names if look.where else frozenset()
    return sorted(parts for parts in names if len(parts) == 2 and parts[0] in ("index", "patient"))


def check_where(chain: Chain, look: Look) -> None:
    """Bind the condition by itself, over columns of the right types, so that a complaint names its place."""
    assert look.where is not None
    ctx, frame, flat = chain.ctx, dict(look.relation.columns), {}
    for parts in look.where.names:
        if len(parts) == 2:
            flat[parts] = "__".join(parts)
            others = {"index": ctx.index, "patient": ctx.single("patient")}
            if parts[0] == "base":
                frame[flat[parts]] = chain.types.get(chain.in_view.get(parts[1], ""), "INTEGER")
            elif (other := others.get(parts[0])) is not None:
                frame[flat[parts]] = other.columns.get(parts[1], "INTEGER")
            else:
                frame[flat[parts]] = "DOUBLE"
    probe = Chain(ctx, look.relation, types=frame)
    try:
        sql = resolved(look.where.tree, lambda parts: identifier(flat.get(parts, parts[0])))
    except FragmentError:
        return
    kind = probe.bound({"where": (sql, look.path)})["where"]
    if kind not in ("BOOLEAN", '"NULL"'):
        ctx.say(look.path, f"a condition is true or false; this is {kind}")
