"""Columns of a rule in the order in which they need one another: expressions and lookups, step by step."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from timeline.compiler.chain import Chain
from timeline.compiler.clauses import of_conditions
from timeline.compiler.context import Context
from timeline.compiler.look import Look, describe, read_look
from timeline.compiler.lookup import add_lookup, ask
from timeline.fragment import Fragment
from timeline.quote import identifier
from timeline.rules import Column


@dataclass(frozen=True)
class Parsed:
    """A declared column after parsing: an expression or a lookup, and the names it needs."""

    name: str
    column: Column
    fragment: Fragment | None
    look: Look | None

    @property
    def needs(self) -> set[tuple[str, ...]]:
        """Names that must be in view before it can be computed, as the author wrote them."""
        if self.look:
            return self.look.needs
        return set(self.fragment.names) if self.fragment else set()


def parse_columns(ctx: Context, columns: Mapping[str, Column], *, aggregates: bool = False) -> dict[str, Parsed]:
    """Return the columns parsed; those with mistakes are complained of and left out."""
    parsed = {}
    for name, column in columns.items():
        path = f"columns.{name}"
        if column.lookup is not None:
            if aggregates:
                ctx.say(path, "a lookup cannot stand among aggregates; write a `from` rule over this one for it")
                continue
            look = read_look(ctx, column.lookup, path)
            if look is not None:
                parsed[name] = Parsed(name, column, None, look)
        else:
            fragment = ctx.parse(column.sql, path, aggregates=aggregates)
            if fragment is not None:
                parsed[name] = Parsed(name, column, fragment, None)
    return parsed


def attributes_used(names: Iterable[tuple[str, ...]], parsed: Mapping[str, Parsed]) -> dict[str, set[str]]:
    """Which columns of a looked-up row (`name.x`) the rule uses, by lookup."""
    found: dict[str, set[str]] = {name: set() for name in parsed}
    for parts in names:
        if len(parts) == 2 and parts[0] in found:
            found[parts[0]].add(parts[1])
    return found


def add_columns(chain: Chain, parsed: Mapping[str, Parsed], attributes: Mapping[str, set[str]]) -> None:
    """Add every column to the chain, each after those it needs; a circle is complained of."""
    waiting = {name: column for name, column in parsed.items()}
    step = 0
    while waiting:
        ready = [c for c in waiting.values() if not (_firsts(c, chain.at_hand) & set(waiting))]
        if not ready:
            circle = " -> ".join(sorted(waiting))
            for name in waiting:
                chain.ctx.say(f"columns.{name}", f"these columns need each other in a circle: {circle}")
            return
        expressions = [column for column in ready if column.fragment]
        if expressions:
            step += 1
            _add_expressions(chain, f"rows__{step}", expressions)
        for column in ready:
            if column.look:
                sought = add_lookup(chain, column.name, column.look, attributes.get(column.name, set()))
                inner, pick = identifier(chain.names[column.name]), column.look.lookup.pick
                found = {"count": f"{inner} > 0", "any": inner}.get(pick, f"{inner} IS NOT NULL")
                text = describe(column.look, column.name)
                ask(chain, column.name, sought, f"columns.{column.name}", found, text)
            del waiting[column.name]


def _firsts(column: Parsed, at_hand: Mapping[str, str]) -> set[str]:
    """The names of other columns of the rule that a column needs: a column of the relation comes before them."""
    return {parts[0] for parts in column.needs if len(parts) == 2 or parts[0] not in at_hand}


def _add_expressions(chain: Chain, step: str, columns: list[Parsed]) -> None:
    sqls = {}
    for column in columns:
        assert column.fragment is not None
        path = f"columns.{column.name}"
        sqls[column.name] = (cast(chain.sql(column.fragment.tree, path), column.column), path)
        chain.note(column.fragment, path)
        chain.asked += of_conditions(column.fragment, column.name, path, chain.view(path), folds=False)
    types = chain.bound(sqls)
    refuse_intervals(chain, types)
    chain.add(step, "", {name: (sql, types[name]) for name, (sql, _) in sqls.items()})


def refuse_intervals(chain: Chain, types: Mapping[str, str]) -> None:
    """A length of time has no unit that a table could state."""
    for name, kind in types.items():
        if kind == "INTERVAL":
            chain.ctx.say(f"columns.{name}", "this is a length of time; write hours_between(a, b), a number of hours")


def cast(sql: str, column: Column) -> str:
    """`sql` as the type that its column declares, if it does."""
    return f"CAST({sql} AS {column.type})" if column.type else sql
