"""`episodes`: moments or spans of a patient merged where neighbours are at most `gap` apart."""

from timeline.compiler.chain import base, trees_names
from timeline.compiler.clauses import terms_of
from timeline.compiler.columns import parse_columns
from timeline.compiler.context import Compiled, Context, missing
from timeline.compiler.finish import finish, promise
from timeline.compiler.from_ import group
from timeline.compiler.relation import Relation
from timeline.fragment import interval
from timeline.parse_rule import IMPLICIT
from timeline.quote import identifier
from timeline.rules import EpisodesRule, minutes, too_long


def length(ctx: Context, text: str, path: str) -> str | None:
    """Return SQL of a length of time, written out or as a parameter; complain where it is none."""
    if text.startswith("$"):
        named = ctx.rule.params.get(text[1:])
        if ctx.parse(text, path) is None or named is None:
            return None
        if named.kind == "duration":
            return ctx.params[text[1:]]
    elif (wrong := too_long(text)) is not None:
        ctx.say(path, wrong)
        return None
    elif minutes(text) is not None:
        return interval(text)
    ctx.say(path, f"`{text}` is not a length of time; write a whole number and min, h, d or w, such as 24h")
    return None


def compile_episodes(ctx: Context, rule: EpisodesRule) -> Compiled | None:
    """Return the rule as one SELECT, or None after complaining."""
    relation = ctx.relation(rule.relations, "episodes")
    where = ctx.parse(rule.where, "where")
    gap = length(ctx, rule.gap, "gap")
    columns = parse_columns(ctx, rule.columns, aggregates=True)
    if relation is not None and relation.at is None:
        ctx.say("episodes", f"`{relation.name}` has no time; only moments and spans can be merged")
    if ctx.findings or relation is None or not _fits(ctx, rule, relation):
        return None
    terms = terms_of(where)
    used = trees_names(term.tree for term in terms) | {n for column in columns.values() for n in column.needs}
    used |= {(name,) for name in rule.by}
    chain = base(ctx, relation, used, rule.title)
    chain.filter("rows__where", terms)
    start = '"time"' if relation.kind == "moments" else "start_time"
    end = '"time"' if relation.kind == "moments" else "end_time"
    partition = ", ".join(["patient_id", *(identifier(name) for name in rule.by)])
    order = f"{start}, key__"
    alike = f" of the same {', '.join(rule.by)}" if rule.by else ""
    # The running maximum of the ends, not the last end: a long span may contain the ones after it.
    chain.step(
        "rows__opens",
        f"an episode opens where the gap to the latest end so far{alike} is longer than {rule.gap}",
        f"SELECT *, {start} AS start__, {end} AS end__, coalesce({start} > max({end}) OVER (PARTITION BY {partition} "
        f"ORDER BY {order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) + {gap}, TRUE) AS opens__ "
        f"FROM {chain.current} WHERE {start} IS NOT NULL",
    )
    chain.step(
        "rows__episode",
        "",
        f"SELECT *, count(*) FILTER (WHERE opens__) OVER (PARTITION BY {partition} "
        f"ORDER BY {order} ROWS UNBOUNDED PRECEDING) AS episode__ FROM {chain.current}",
    )
    chain.types |= {"episode__": "BIGINT", "start__": "TIMESTAMP", "end__": "TIMESTAMP"}
    chain.at_hand["episode__"] = "episode__"
    times = {"start_time": "min(start__)", "end_time": "max(end__)"}
    group(chain, (*rule.by, "episode__"), columns, times, frozenset(times))
    if ctx.findings:
        return None
    chain.at = "start_time"
    declared = [(name, promise(APART)) for name in rule.by]
    declared += [(name, column) for name, column in rule.columns.items() if name in chain.names]
    concepts = relation.concepts if "concept" in rule.by else ()
    return finish(chain, "spans", declared, numbered=None if rule.by else "r.episode__", concepts=concepts)


APART = "rows that differ in it are merged apart"
"""What a column of `by` is."""


def _fits(ctx: Context, rule: EpisodesRule, relation: Relation) -> bool:
    """Whether the columns of `by` are columns of the relation, and can be of the table."""
    before = len(ctx.findings)
    for place, name in enumerate(rule.by):
        if name not in relation.columns:
            ctx.say("by", missing(f"column of {relation.name}", name, list(relation.columns)))
        elif name in IMPLICIT:
            ctx.say("by", f"`{name}` is a name that the engine gives itself; compute a column of another name from it "
                          "in a `from` rule, and merge the rows of that")  # fmt: skip
        elif name in rule.by[:place]:
            ctx.say("by", f"`{name}` is written twice")
        elif name in rule.columns:
            ctx.say(f"columns.{name}", f"`{name}` is already a column of the table, by which episodes are apart; "
                                       "choose another name")  # fmt: skip
    return len(ctx.findings) == before
