"""What an extract's own vocabulary tables say of its concept ids: codes, ancestors, words; knows no event.

Each is looked up for the ids that the extract uses, in one scan of each table: a vocabulary of eight
million concepts is never held.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from timeline.ingest import memory
from timeline.ingest.omop.found import Extract, Found
from timeline.ingest.omop.known import ROUTES, UNITS
from timeline.ingest.parse import Source, text
from timeline.quote import literal, whole

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

INGREDIENT = "Ingredient"
"""`concept_class_id` of the substances of which drugs are made (RxNorm, and its extension)."""

MAPS = "Maps to"
"""`relationship_id` from a source's concept to the standard one."""

INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")
EXACT = {"FLOAT": 2**24, "DOUBLE": 2**53}
"""From here on a floating-point number cannot tell a whole number from the next."""


def words(found: Found, name: str) -> str:
    """A column as text, trimmed, the empty being NULL; NULL where the table has no such column."""
    if name not in found.columns:
        return "CAST(NULL AS VARCHAR)"
    own = found.columns[name]
    return text(Source(whole(own), found.types[own]))


def number(found: Found, name: str) -> str:
    """The whole number in a column, such as a concept id, 0 being none; `40166274.0` is one, `1.5` is not."""
    own = found.columns.get(name, "")
    kind = found.types.get(own, "")
    if kind in INTEGERS:
        return f"nullif(CAST({whole(own)} AS BIGINT), 0)"
    if kind in EXACT:
        exact = f"abs({whole(own)}) < {EXACT[kind]} AND {whole(own)} = trunc({whole(own)})"
        # TRY: the statistics of a Parquet file leave NaN out, so that DuckDB may take the condition for always true.
        return f"nullif(CASE WHEN {exact} AND NOT isnan({whole(own)}) THEN TRY_CAST({whole(own)} AS BIGINT) END, 0)"
    written = words(found, name)
    whole_number = f"regexp_full_match({written}, '-?[0-9]+([.]0*)?')"
    return f"nullif(CASE WHEN {whole_number} THEN TRY_CAST({written} AS BIGINT) END, 0)"


def look_up(con: "Connection", extract: Extract, scratch: str) -> None:
    """Make `{scratch}_concept`, `_ancestor`, `_ingredient` and `_word` of the ids in `{scratch}_code` and `_seen`.

    `_code` holds `id`, `other`, `drug` and `place`: each distinct pair of a code and the other concept of
    its rows, source for standard, in the table of this place; `_seen` the `id`s of units, routes, values
    and causes, with the same.
    """
    with memory.joined_as_written(con):
        _look_up(con, extract, scratch)


def _look_up(con: "Connection", extract: Extract, scratch: str) -> None:
    concept, ancestor = extract.of("concept"), extract.of("concept_ancestor")
    con.execute(f"CREATE TEMP TABLE {scratch}_ancestor (id BIGINT, ancestor BIGINT, level BIGINT)")
    con.execute(f"CREATE TEMP TABLE {scratch}_ingredient (id BIGINT, ingredient BIGINT, place BIGINT)")
    _maps(con, extract.of("concept_relationship"), scratch)
    _ancestors(
        con,
        ancestor,
        f"""SELECT id FROM {scratch}_code UNION SELECT other FROM {scratch}_code
        UNION SELECT standard FROM {scratch}_maps""",
        scratch,
    )
    con.execute(f"""INSERT INTO {scratch}_ancestor SELECT id, ancestor, min(level) FROM (
            SELECT id, standard AS ancestor, 0 AS level FROM {scratch}_maps
            UNION ALL SELECT m.id, a.ancestor, a.level FROM {scratch}_maps AS m
                JOIN {scratch}_ancestor AS a ON a.id = m.standard) AS n
        WHERE id <> ancestor AND (id, ancestor) NOT IN (SELECT (id, ancestor) FROM {scratch}_ancestor)
        GROUP BY id, ancestor""")
    asked = f"""SELECT id FROM {scratch}_code UNION SELECT other FROM {scratch}_code
        UNION SELECT ancestor FROM {scratch}_ancestor UNION SELECT id FROM {scratch}_seen"""
    con.execute(f"""CREATE TEMP TABLE {scratch}_concept AS
        SELECT id, vocabulary || '/' || code AS code, name, unit, class
        FROM ({_union(concept, _concepts)}) WHERE id IN ({asked})
        QUALIFY row_number() OVER (PARTITION BY id ORDER BY vocabulary, code, name, class) = 1""")
    con.execute(f"""INSERT INTO {scratch}_ingredient
        SELECT id, ingredient, row_number() OVER (PARTITION BY id ORDER BY ingredient) FROM (
            SELECT DISTINCT a.id, a.ancestor AS ingredient FROM {scratch}_ancestor AS a
            JOIN {scratch}_concept AS n ON n.id = a.ancestor AND n.class = {literal(INGREDIENT)}
            WHERE a.id IN (SELECT unnest([id, other]) FROM {scratch}_code WHERE drug))
        QUALIFY count(*) OVER (PARTITION BY id) > 1""")
    if con.execute(f"SELECT 1 FROM {scratch}_ingredient LIMIT 1").fetchall():
        _ancestors(con, ancestor, f"SELECT ingredient FROM {scratch}_ingredient", scratch)
    _make_words(con, scratch)


def _union(tables: Sequence[Found], select) -> str:
    none = "SELECT NULL::BIGINT AS id, NULL AS vocabulary, NULL AS code, NULL AS name, NULL AS unit, NULL AS class"
    return " UNION ALL ".join(select(one) for one in tables) or f"{none} WHERE FALSE"


def _concepts(found: Found) -> str:
    vocabulary, code, name, kind = (
        words(found, one) for one in ("vocabulary_id", "concept_code", "concept_name", "concept_class_id")
    )
    return f"""SELECT {number(found, "concept_id")} AS id, {vocabulary} AS vocabulary, {code} AS code, {name} AS name,
        CASE WHEN {vocabulary} = 'UCUM' THEN {code} END AS unit, {kind} AS class FROM {found.relation}"""


def _ancestors(con: "Connection", tables: Sequence[Found], of: str, scratch: str) -> None:
    """Add the ancestors of ids that have none yet; itself is none."""
    if not tables:
        return
    # The other columns are read of the rows alone that are asked for: a vocabulary has a hundred million.
    of_these = f"asked IN ({of}) AND asked NOT IN (SELECT id FROM {scratch}_ancestor)"
    rows = " UNION ALL ".join(
        f"SELECT asked AS id, {number(found, 'ancestor_concept_id')} AS ancestor, "
        f"coalesce({number(found, 'min_levels_of_separation')}, 0) AS level "
        f"FROM (SELECT {number(found, 'descendant_concept_id')} AS asked, * FROM {found.relation}) WHERE {of_these}"
        for found in tables
    )
    con.execute(f"""INSERT INTO {scratch}_ancestor SELECT id, ancestor, min(level) FROM ({rows})
        WHERE id <> ancestor GROUP BY id, ancestor""")


def _maps(con: "Connection", tables: Sequence[Found], scratch: str) -> None:
    """Make `{scratch}_maps`: the standard concepts of codes that are none, as far as the extract's tables say them."""
    none = "SELECT NULL::BIGINT AS id, NULL::BIGINT AS standard WHERE FALSE"
    rows = " UNION ALL ".join(
        f"SELECT asked AS id, {number(found, 'concept_id_2')} AS standard "
        f"FROM (SELECT {number(found, 'concept_id_1')} AS asked, * FROM {found.relation} "
        f"WHERE {words(found, 'relationship_id')} = {literal(MAPS)} "
        f"AND {words(found, 'invalid_reason')} IS NULL) WHERE asked IN (SELECT id FROM {scratch}_code)"
        for found in tables
    )
    con.execute(f"""CREATE TEMP TABLE {scratch}_maps AS
        SELECT DISTINCT id, standard FROM ({" UNION ALL ".join(one for one in (none, rows) if one)})
        WHERE standard <> id""")


def _make_words(con: "Connection", scratch: str) -> None:
    """Unit, route and name of the ids that stand in columns of units, routes and values."""
    known = [*((id, word, None) for id, word in UNITS.items()), *((id, None, word) for id, word in ROUTES.items())]
    rows = ", ".join(f"({id}, {literal(unit)}, {literal(route)})" for id, unit, route in known)
    con.execute(f"""CREATE TEMP TABLE {scratch}_word AS
        SELECT s.id, coalesce(k.unit, c.unit) AS unit, coalesce(k.route, c.name) AS route,
            coalesce(c.name, 'OMOP/' || s.id) AS name
        FROM (SELECT DISTINCT id FROM {scratch}_seen WHERE id IS NOT NULL) AS s
        LEFT JOIN (VALUES {rows}) AS k(id, unit, route) ON k.id = s.id
        LEFT JOIN {scratch}_concept AS c ON c.id = s.id""")


def parents(con: "Connection", scratch: str) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[int, ...]]]:
    """Code -> the codes it also stands for, and code -> how near each of those is.

    They are its code in its vocabulary, that of its only source concept, the standard concepts that it
    maps to, and ancestors in order.

    A source concept counts where all rows of the code have it, since only then every one of them means
    it. Of a drug of several ingredients, an ingredient and what is above it does not count: each
    ingredient has rows of its own. An ingredient is nearer than a class at the same distance: it says
    which of the class.
    """
    rows = con.execute(f"""
        WITH code AS (SELECT id, CASE WHEN count(DISTINCT coalesce(other, 0)) = 1 THEN min(other) END AS other
                FROM {scratch}_code WHERE id IS NOT NULL GROUP BY id
                UNION ALL SELECT DISTINCT ingredient, NULL FROM {scratch}_ingredient
                    WHERE ingredient NOT IN (SELECT id FROM {scratch}_code WHERE id IS NOT NULL)),
            apart AS (SELECT id, ingredient AS ancestor FROM {scratch}_ingredient
                UNION SELECT i.id, a.ancestor FROM {scratch}_ingredient AS i
                    JOIN {scratch}_ancestor AS a ON a.id = i.ingredient),
            above AS (FROM {scratch}_ancestor AS a ANTI JOIN apart AS p ON p.id = a.id AND p.ancestor = a.ancestor),
            parent AS (SELECT id, id AS parent, -2 AS level FROM code
                UNION ALL SELECT id, other, -1 FROM code WHERE other <> id
                UNION ALL SELECT c.id, a.ancestor, a.level FROM code AS c JOIN above AS a ON a.id IN (c.id, c.other))
        SELECT 'OMOP/' || id, list('OMOP/' || parent ORDER BY rank, parent), list(code ORDER BY rank, parent),
            list(rank ORDER BY rank, parent)
        FROM (SELECT p.id, p.parent, n.code,
                2 * p.level + CAST(n.class IS DISTINCT FROM {literal(INGREDIENT)} AS BIGINT) AS rank
            FROM parent AS p LEFT JOIN {scratch}_concept AS n ON n.id = p.parent)
        GROUP BY id ORDER BY id""").fetchall()
    nearest = {code: _nearest(code, own, words, levels) for code, own, words, levels in rows}
    return (
        {code: tuple(near) for code, near in nearest.items()},
        {code: tuple(near.values()) for code, near in nearest.items()},
    )


def _nearest(code: str, own: Sequence[str], words: Sequence[str | None], levels: Sequence[int]) -> dict[str, int]:
    """Each of the codes with the level at which it is met first; `code` itself is none."""
    near: dict[str, int] = {}
    for *both, level in zip(own, words, levels, strict=True):
        for one in both:
            if one is not None and one != code:
                near.setdefault(one, level)
    return near


def digests(con: "Connection", scratch: str) -> dict[int, str]:
    """Place of a table -> digest of what the vocabulary says of its codes and words, where it says something."""
    found = con.execute(f"""
        WITH code AS (SELECT DISTINCT place, unnest([id, other]) AS id FROM {scratch}_code),
            used AS (FROM code UNION
                SELECT c.place, i.ingredient FROM code AS c JOIN {scratch}_ingredient AS i USING (id)),
            near AS (FROM used UNION SELECT u.place, a.ancestor FROM used AS u JOIN {scratch}_ancestor AS a USING (id)),
            said AS (
                SELECT place, hash('ancestor', id, ancestor, level) AS what FROM used JOIN {scratch}_ancestor USING (id)
                UNION ALL SELECT c.place, hash('ingredient', id, ingredient, i.place)
                    FROM code AS c JOIN {scratch}_ingredient AS i USING (id)
                UNION ALL SELECT place, hash('code', id, n.code)
                    FROM near JOIN {scratch}_concept AS n USING (id) WHERE n.code IS NOT NULL
                UNION ALL SELECT place, hash('word', id, name, unit)
                    FROM {scratch}_seen JOIN {scratch}_concept USING (id))
        SELECT place, sha256(concat_ws('/', count(*), sum(CAST(what AS HUGEINT)))) FROM said GROUP BY place""")
    return dict(found.fetchall())


def ambiguous(con: "Connection", scratch: str) -> tuple[int, int]:
    """Codes whose rows have several source concepts, and those of them that the vocabulary knows."""
    found = con.execute(f"""SELECT count(*), coalesce(sum(n), 0) FROM (
        SELECT c.id, count(DISTINCT c.other) AS n FROM {scratch}_code AS c
        WHERE c.other IN (SELECT id FROM {scratch}_concept) AND c.other <> c.id
            AND c.id IN (SELECT id FROM {scratch}_code GROUP BY id HAVING count(DISTINCT coalesce(other, 0)) > 1)
        GROUP BY c.id)""").fetchall()
    return found[0]


def names(con: "Connection", concept: Sequence[Found]) -> dict[str, str]:
    """Code -> the name of its concept, of the codes of stored events."""
    asked = f"SELECT 'OMOP/' || id AS code, min(name) FROM ({_union(concept, _concepts)}) WHERE name IS NOT NULL"
    return dict(con.execute(f"{asked} GROUP BY id HAVING code IN (SELECT code FROM meta.event)").fetchall())
