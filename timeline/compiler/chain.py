"""The steps of one SELECT: each a CTE that adds columns to the rows of the one before.

A step's name holds `__`, which no rule, concept or column may, so that it shadows no table. Names of
the language (`time`, `dose_time.drug`, `index.product`) are kept beside the internal columns that
hold them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from timeline.compiler.binder import BindError, bind
from timeline.compiler.clauses import Clause, Term, View, of_terms, reading
from timeline.compiler.context import Context, missing
from timeline.compiler.relation import Relation, evidence_list
from timeline.compiler.text import with_steps
from timeline.fragment import Fragment, FragmentError, Tree, names_in, resolved
from timeline.quote import identifier

if TYPE_CHECKING:
    from timeline.compiler.look import Look


@dataclass
class Chain:
    """The rows at hand, step by step."""

    ctx: Context
    relation: Relation
    at: str | None = None
    """The internal column that places a row in time."""
    key: tuple[str, ...] = ("patient_id", "key__")
    current: str = ""
    steps: list[tuple[str, str, str]] = field(default_factory=list)
    """Name, comment and SELECT of each CTE."""
    types: dict[str, str] = field(default_factory=dict)
    """Internal column -> DuckDB type."""
    names: dict[str, str] = field(default_factory=dict)
    """Name of the language -> internal column."""
    at_hand: dict[str, str] = field(default_factory=dict)
    """The columns of the relation at hand: they come before other columns of the rule that have their names."""
    dotted: dict[str, dict[str, str]] = field(default_factory=dict)
    """`name.x` -> internal column, by name and x."""
    evidence: list[str] = field(default_factory=list)
    """SQL of the lists of ids that together are a row's evidence."""
    inline: set[str] = field(default_factory=set)
    """Steps that are read twice and cost less to do twice than to keep."""
    order: tuple[str, ...] = ()
    """Internal columns by which aggregates see the rows."""
    asked: list[Clause] = field(default_factory=list)
    """Clauses asked of every row that becomes a row of the table."""
    noted: dict[str, tuple[Fragment, Mapping[tuple[str, ...], str]]] = field(default_factory=dict)
    """Expressions by their path, with the SQL of each of their names, to be explained."""
    sought: dict[str, "Sought"] = field(default_factory=dict)
    """Lookups by the name of their clause: what it takes to say why one found nothing."""

    def step(self, name: str, comment: str, select: str, *, moves: bool = True) -> None:
        """Add a CTE; the chain goes on from it unless `moves` is False."""
        taken = {step[0] for step in self.steps}
        while name in taken:
            name += "_more"
        self.steps.append((name, comment, select))
        if moves:
            self.current = name

    @property
    def in_view(self) -> dict[str, str]:
        """Every plain name -> its internal column."""
        return {**self.names, **self.at_hand}

    def resolve(self, path: str) -> Callable[[tuple[str, ...]], str]:
        """Return the function that turns a dotted name into SQL, complaining where there is no such name."""
        names = self.in_view

        def sql_of(parts: tuple[str, ...]) -> str:
            if len(parts) == 1 and parts[0] in names:
                return identifier(names[parts[0]])
            if len(parts) == 2:
                return self._dotted(parts[0], parts[1], path)
            known = dict.fromkeys((*self.relation.columns, *names, *self.ctx.rule.columns, *self.dotted))
            self.ctx.say(path, missing("column", ".".join(parts), [name for name in known if "__" not in name]))
            return "NULL"

        return sql_of

    def _dotted(self, first: str, second: str, path: str) -> str:
        if first in self.dotted:
            if second in self.dotted[first]:
                return identifier(self.dotted[first][second])
            self.ctx.say(path, missing(f"column of {first}", second, list(self.dotted[first])))
        elif first == "concept" and "concept" in self.in_view:
            sql = self.ctx.attribute(second, identifier(self.in_view["concept"]), self.relation.concepts)
            if sql is not None:
                return sql
            self.ctx.say(path, missing("attribute of concepts", second, attributes(self.ctx)))
        elif first == "index" and self.ctx.index is None:
            self.ctx.say(path, "there is no index here: name one in ruleset.yaml; the index rule and what it reads"
                               " cannot use `index`")  # fmt: skip
        else:
            self.ctx.say(path, missing("name", first, [*self.dotted, *self.names]) + f" (in `{first}.{second}`)")
        return "NULL"

    def sql(self, tree: Tree, path: str) -> str:
        """Return the SQL of a tree over this chain's internal columns."""
        try:
            return resolved(tree, self.resolve(path), tuple(identifier(name) for name in self.order))
        except FragmentError as error:
            self.ctx.say(path, str(error))
            return "NULL"

    def view(self, path: str) -> View:
        """The rows at hand, for clauses asked of them; each tree is written once."""
        written: dict[int, str] = {}

        def sql(tree: Tree) -> str:
            if id(tree) not in written:
                written[id(tree)] = self.sql(tree, path)
            return written[id(tree)]

        return View(sql, self.resolve(path))

    def bound(self, sqls: Mapping[str, tuple[str, str]], group: tuple[str, ...] | None = None) -> dict[str, str]:
        """Return the types of expressions (name -> SQL, path); each that does not bind is complained of by itself."""
        try:
            return bind(self.ctx.con, {name: sql for name, (sql, _) in sqls.items()}, self.types, group)
        except BindError:
            types = {}
        for name, (sql, path) in sqls.items():
            try:
                types |= bind(self.ctx.con, {name: sql}, self.types, group)
            except BindError as error:
                types[name] = '"NULL"'
                self.ctx.say(path, str(error))
        return types

    def note(self, fragment: Fragment, path: str) -> None:
        """Note an expression computed of the rows at hand, so that it can be explained."""
        self.noted[path] = (fragment, self.view(path).values(fragment.tree))

    def filter(self, name: str, terms: Sequence[Term], comment: str = "") -> None:
        """Keep the rows for which every term of `where` is true."""
        sqls = {str(number): (self.sql(term.tree, "where"), "where") for number, term in enumerate(terms)}
        if not sqls:
            return
        self.read(of_terms(terms, "where", self.view("where")))
        for number, kind in self.bound(sqls).items():
            if kind not in ("BOOLEAN", '"NULL"'):
                self.ctx.say(sqls[number][1], f"a condition is true or false; this is {kind}")
        self.step(name, comment, f"SELECT * FROM {self.current} WHERE {' AND '.join(sql for sql, _ in sqls.values())}")

    def read(self, clauses: Sequence[Clause], of: str = "", *, tallied: bool = True) -> None:
        """Note clauses that are asked of the rows at hand, whatever becomes of them."""
        if clauses:
            at = identifier(self.at) if self.at else "CAST(NULL AS TIMESTAMP)"
            ids = evidence_list(tuple(self.evidence))
            key = "key__" if "key__" in self.types else "CAST(NULL AS UBIGINT) AS key__"
            steps, source, inline = list(self.steps), self.current, set(self.inline)

            def select(items: str) -> str:
                own = f"SELECT patient_id, {key}, {at} AS at__, {ids} AS ids__, {items} FROM {source}"
                return with_steps(steps, own, inline)

            self.ctx.readings.append(
                reading(of or self.relation.name, self.relation.name, select, clauses, tallied=tallied)
            )

    def add(self, step: str, comment: str, items: Mapping[str, tuple[str, str]]) -> None:
        """Add columns (name of the language -> SQL, type) to every row."""
        listed = []
        for name, (sql, kind) in items.items():
            inner = self.internal(name)
            listed.append(f"{sql} AS {identifier(inner)}")
            self.names[name], self.types[inner] = inner, kind if kind != '"NULL"' else "INTEGER"
        self.step(step, comment, f"SELECT *, {', '.join(listed)} FROM {self.current}")

    def internal(self, name: str) -> str:
        """An internal column for `name` that no column of the rows at hand has."""
        while name in self.types:
            name += "__new"
        return name


@dataclass(frozen=True)
class Sought:
    """A lookup that was made: its bounds and what its `where` reads of the looking row, as SQL over finished rows."""

    look: "Look"
    bounds: Mapping[str, str]
    """`from__` and `to__`, where there is a window."""
    base: Mapping[str, str]
    """`base.x` by x."""
    ids: str
    """The column with the evidence of what was found."""
    few: bool
    """Few rows of a patient look: spans or facts, not moments."""


def base(ctx: Context, relation: Relation, used: set[tuple[str, ...]], comment: str) -> Chain:
    """Return a chain that starts with the rows of `relation`, holding the columns that `used` names."""
    chain = Chain(ctx, relation)
    firsts = {parts[0] for parts in used}
    columns = [name for name in relation.columns if name in firsts or name == relation.at]
    if relation.kind == "spans" and "end_time" not in columns:
        columns.append("end_time")
    columns = [name for name in columns if name not in ("patient_id", "evidence")]
    if relation.of_events:
        ctx.columns_used |= {*columns, "event_id", "patient_id", "concept"}
    items = ["r.patient_id", f"{'1' if relation.key is None else f'r.{relation.key}'} AS key__"]
    chain.types |= {"patient_id": "VARCHAR", "key__": "UBIGINT"}
    chain.names["patient_id"] = "patient_id"
    for name in columns:
        items.append(f"r.{identifier(name)}")
        chain.names[name], chain.types[name] = name, relation.columns[name]
    if not relation.of_events:
        items.append(f"{relation.evidence('r')} AS evidence__")
        chain.types["evidence__"] = "UBIGINT[]"
    chain.evidence = ["[key__]" if relation.of_events else "evidence__"]
    chain.at = relation.at
    # A rule's rows are numbered by time and evidence; only rows without a time are not.
    chain.order = (chain.at, "key__") if chain.at else ("evidence__", "key__")
    joins = [
        joined(chain, used, "index", ctx.index, items, "r"),
        joined(chain, used, "patient", ctx.single("patient"), items, "r"),
    ]
    chain.at_hand = dict(chain.names)
    condition = f" WHERE {relation.condition.format('r')}" if relation.condition else ""
    chain.step(
        "rows__base", comment, f"SELECT {', '.join(items)} FROM {relation.table} AS r{''.join(joins)}{condition}"
    )
    return chain


def joined(
    chain: Chain, used: set[tuple[str, ...]], alias: str, relation: Relation | None, items: list[str], rows: str
) -> str:
    """Add the columns `alias.x` that are used to `items`, and return the join that brings them to `rows`."""
    wanted = sorted({parts[1] for parts in used if len(parts) == 2 and parts[0] == alias})
    if relation is None or not wanted:
        return ""
    chain.dotted[alias] = {name: f"{alias}__{name}" for name in relation.columns}
    for name in wanted:
        if name in relation.columns:
            items.append(f"{alias}.{identifier(name)} AS {alias}__{name}")
            chain.types[f"{alias}__{name}"] = relation.columns[name]
    return f" LEFT JOIN {relation.table} AS {alias} ON {alias}.patient_id = {rows}.patient_id"


def attributes(ctx: Context) -> list[str]:
    """The attributes that any concept has."""
    return sorted({name for concept in ctx.ruleset.concepts.values() for name in concept.attributes})


def used_names(fragments: Iterable[Fragment | None]) -> set[tuple[str, ...]]:
    """The dotted names of several fragments."""
    return {name for fragment in fragments if fragment for name in fragment.names}


def trees_names(trees: Iterable[Tree]) -> set[tuple[str, ...]]:
    return {name for tree in trees for name in names_in(tree)}
