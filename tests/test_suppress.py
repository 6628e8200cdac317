"""Small numbers hidden: no hidden number can be computed from what is shown, said and known to add up."""

from itertools import product

import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from timeline.errors import UsageError
from timeline.table import Characteristics, Plain, suppress, suppression_note
from timeline.table.suppress import HIDDEN, WITHHELD

COLUMNS = ("key", "group", "label", "n", "count", "percent", "median", "low", "high", "unit", "total")
NUMBERS = ("n", "count", "percent", "median", "low", "high", "total")


def declared(**more) -> Characteristics:
    return Characteristics(kind="characteristics", **{name: name for name in COLUMNS}, **more)


def counted(key: str, count: int, n: int, total: int | None = None) -> dict:
    share = 100 * count / n if n else None
    return {**dict.fromkeys(COLUMNS), "key": key, "label": key, "n": n, "count": count, "percent": share,
            "total": n if total is None else total}  # fmt: skip


def measured(key: str, n: int, total: int) -> dict:
    return {**dict.fromkeys(COLUMNS), "key": key, "label": key, "n": n, "median": 2.0, "low": 1.0, "high": 3.0,
            "total": total}  # fmt: skip


def frame(*rows: dict) -> polars.DataFrame:
    schema = {name: polars.Int64 if name in ("n", "count", "total") else polars.Float64 for name in NUMBERS}
    return polars.DataFrame(rows, schema={name: schema.get(name, polars.String) for name in COLUMNS})


def shown(made: polars.DataFrame) -> dict[str, str | int]:
    """Of each row its count, or what stands in its place."""
    return {row["key"]: row["count"] if row[HIDDEN] is None else row[HIDDEN] for row in made.to_dicts()}


def hidden_in_a_sum(counts: list[int], least: int, total: int | None = None) -> list[str | int]:
    whole = sum(counts) if total is None else total
    keys = [f"part{i}" for i in range(len(counts))]
    rows = (counted(key, count, whole) for key, count in zip(keys, counts, strict=True))
    return list(shown(suppress(frame(*rows), declared(adds_up={"all": tuple(keys)}), least)).values())


@pytest.mark.parametrize(
    ("counts", "least", "expected"),
    [
        ([12, 6, 20], 5, [12, 6, 20]),
        ([12, 6, 2], 5, [12, WITHHELD, "<5"]),  # alone, 2 would be 20 - 12 - 6
        ([12, 6, 2, 1], 5, [12, 6, "<5", "<5"]),  # 3 = 1 + 2 either way
        ([12, 6, 1, 1], 5, [12, WITHHELD, "<5", "<5"]),  # 2 could only be 1 + 1
        ([12, 5, 1], 5, [WITHHELD, WITHHELD, "<5"]),  # 6 could only be 5 + 1
        ([12, 0, 2, 6], 5, [12, 0, "<5", WITHHELD]),  # a zero is shown, and hides nothing
        ([10, 4], 5, [WITHHELD, "<5"]),  # the rest of 10 is 4
        ([14, 0], 5, [14, 0]),  # everybody and nobody
        ([5, 1], 5, [WITHHELD, WITHHELD]),  # `<5` of 6 would leave 5 alone
        ([1, 1, 5], 5, [WITHHELD, WITHHELD, WITHHELD]),
        ([2, 1], 5, [WITHHELD, WITHHELD]),  # of fewer than 5 nothing is said
    ],
)
def test_what_is_hidden_in_a_sum(counts, least, expected):
    assert hidden_in_a_sum(counts, least) == expected


def test_a_column_of_counts_that_holds_words_is_the_querys_fault():
    rows = frame(counted("a", 12, 14)).with_columns(polars.col("count").cast(polars.String))
    with pytest.raises(UsageError, match="`table` of the query shows numbers, and count holds none; cast it"):
        suppress(rows, declared(), 5)
    with pytest.raises(UsageError, match="shows numbers out of n, empty in 1 of 2 rows that have count"):
        suppress(frame(counted("a", 12, 14), counted("b", 1, 14) | {"n": None}), declared(), 5)


def test_what_the_parts_leave_of_the_whole_is_a_number_too():
    assert hidden_in_a_sum([12, 6], 5, total=20) == [12, WITHHELD]  # 20 - 12 - 6 = 2 are neither
    assert hidden_in_a_sum([12, 6], 5, total=40) == [12, 6]


def test_rows_about_a_hidden_row_are_hidden_whole():
    rows = [
        counted("a", 4, 20),
        counted("b", 16, 20),
        counted("a yes", 4, 4, 20),
        measured("age of a", 4, 20),
        measured("age of b", 16, 20),
        measured("age", 20, 20),
    ]
    parts = {"a yes": "a", "age of a": "a", "age of b": "b"}
    made = suppress(frame(*rows), declared(adds_up={"all": ("a", "b")}, part_of=parts), 5)
    assert made[HIDDEN].to_list() == ["<5", WITHHELD, WITHHELD, WITHHELD, WITHHELD, None]
    assert made["n"].to_list() == [20, 20, None, None, None, 20]
    assert made["median"].to_list() == [None, None, None, None, None, 2.0]
    assert made["percent"].null_count() == 6


def test_a_row_that_counts_the_same_is_hidden_with_it_and_counted_once():
    rows = [counted("alive", 3, 20), counted("alive again", 3, 20), counted("dead", 17, 20)]
    made = suppress(frame(*rows), declared(adds_up={"all": ("alive", "dead")}, same_as={"alive again": "alive"}), 5)
    assert shown(made) == {"alive": "<5", "alive again": "<5", "dead": WITHHELD}


def test_medians_of_few_are_hidden_with_their_number():
    made = suppress(frame(measured("few", 4, 20), measured("none", 0, 20), measured("enough", 5, 20)), declared(), 5)
    assert made["n"].to_list() == [None, 0, 5]
    assert made["median"].to_list() == [None, 2.0, 2.0]


def test_a_table_of_few_says_nothing_not_even_how_many():
    made = suppress(frame(counted("a", 1, 4), counted("b", 0, 4), measured("c", 4, 4)), declared(), 5)
    assert made.select(NUMBERS).null_count().row(0) == (3, 3, 3, 3, 3, 3, 3)


@pytest.mark.parametrize(
    ("what", "least", "message"),
    [
        (Plain(kind="plain"), 5, "declares no table of counts"),
        (None, 5, "declares no table of counts"),
        (declared(), 2, "--suppress 2: at least 3"),
        (declared(), -1, "--suppress -1: at least 3"),
    ],
)
def test_what_cannot_be_suppressed(what, least, message):
    with pytest.raises(UsageError, match=message):
        suppress(frame(counted("a", 1, 4)), what, least)


def test_the_footnote_says_what_was_done():
    few = suppress(frame(counted("a", 2, 20)), declared(), 5)
    assert "“<5” stands for 1 to 4" in suppression_note(few, 5)
    enough = suppress(frame(counted("a", 10, 20)), declared(), 5)
    assert suppression_note(enough, 5).endswith("there are none.")


PARTS = st.lists(st.integers(0, 9), min_size=1, max_size=4)


@settings(max_examples=500, deadline=None)
@given(PARTS, st.integers(0, 3), st.integers(3, 5), PARTS)
def test_no_hidden_number_can_be_computed(counts, rest, least, inner):
    """Against one who knows the method, tries all numbers, and knows what adds up to what."""
    whole = sum(counts) + rest
    keys = [f"p{i}" for i in range(len(counts))]
    # The first part is itself cut into parts, which add up to it.
    cuts = cut(inner, counts[0])
    inner_keys = [f"q{i}" for i in range(len(cuts))]
    rows = [counted(key, count, whole) for key, count in zip(keys, counts, strict=True)]
    rows += [counted(key, count, counts[0], whole) for key, count in zip(inner_keys, cuts, strict=True)]
    header = declared(
        adds_up={"outer": tuple(keys), "inner": tuple(inner_keys)}, part_of=dict.fromkeys(inner_keys, keys[0])
    )
    made = suppress(frame(*rows), header, least)
    public = shown(made)
    # Of a table of fewer than `least` not even the number is shown.
    wholes = range(1, least) if 0 < whole < least else [whole]
    outer = [way for one in wholes for way in consistent([public[key] for key in keys], one, least, exact=rest == 0)]
    # What the inner rows are out of is the first part, where it is shown.
    said = {row["n"] for row in made.to_dicts() if row["key"] in inner_keys} - {None}
    outer = [way for way in outer if not said or way[0] in said]
    assert tuple(counts) in outer
    ways: set[tuple[int, ...]] = set()
    for found in outer:
        within = consistent([public[key] for key in inner_keys], found[0], least, exact=True)
        ways |= {(*found, *more) for more in within}
    for place, key in enumerate([*keys, *inner_keys]):
        possible = {way[place] for way in ways}
        small = public[key] in (WITHHELD, f"<{least}")
        assert not small or len(possible) > 1, (key, public, possible)
        # What is shown is right, and is no small number, and leaves none.
        if not small:
            n, count = (whole, counts[place]) if place < len(keys) else (counts[0], cuts[place - len(keys)])
            assert public[key] == count and not 0 < count < least and not 0 < n - count < least
    if 0 < rest < least and whole >= least:
        assert len({whole - sum(found) for found in outer}) > 1


def cut(weights: list[int], whole: int) -> list[int]:
    """Parts of `whole`, in number as `weights`, all but the last at most as large."""
    parts = []
    for weight in weights[:-1]:
        parts.append(min(weight, whole - sum(parts)))
    return [*parts, whole - sum(parts)]


def consistent(public: list[str | int], whole: int, least: int, *, exact: bool) -> list[tuple[int, ...]]:
    """Every way to fill the places of a sum that agrees with what is shown of it."""
    everything = all(value == WITHHELD for value in public)
    choices = [choice(value, whole, least, everything) for value in public]
    ways = [way for way in product(*choices) if (sum(way) == whole if exact else sum(way) <= whole)]
    return ways


def choice(value: str | int, whole: int, least: int, everything: bool) -> range | list[int]:
    if isinstance(value, int):
        return [value]
    if value != WITHHELD:
        return range(1, least)
    # Where all of a sum is withheld nothing is said of any; else what is withheld would be `<5` if it were.
    return range(whole + 1) if everything or whole <= least + 1 else range(least, whole)


@settings(max_examples=50, deadline=None)
@given(PARTS, st.integers(3, 5))
def test_hiding_nothing_changes_nothing(counts, least):
    enough = [count and count + 2 * least for count in counts]
    keys = tuple(f"p{i}" for i in range(len(enough)))
    whole = sum(enough) if sum(map(bool, enough)) != 1 else sum(enough) + least
    rows = frame(*(counted(key, count, whole) for key, count in zip(keys, enough, strict=True)))
    made = suppress(rows, declared(adds_up={"all": keys}), least)
    assert made.drop(HIDDEN).equals(rows) and made[HIDDEN].null_count() == rows.height
