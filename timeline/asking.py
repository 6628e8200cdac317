"""The command `query`: which question, in which form, and all that is wrong with the call at once.

Calls `Study` and the modules below it; must not know what a query asks or how a form is written.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from timeline import printing, summaries
from timeline.errors import UsageError
from timeline.folders import named_query, queries
from timeline.study import Study

if TYPE_CHECKING:
    import polars

    from timeline.header import Query
    from timeline.table import Shown

ROWS_SHOWN = 50
"""A longer answer is cut when it is printed for reading, and says so."""
MOST_FOR_READING = 2000
"""Nobody reads a longer table; setting it would take minutes."""
ENDINGS = {"csv": ".csv", "parquet": ".parquet", "json": ".json", "markdown": ".md", "html": ".html", "latex": ".tex"}
"""Of each form the ending of a file."""


def settings(pairs: Sequence[str], shape: str) -> dict[str, str]:
    """Return `NAME=VALUE` words as a mapping; raise UsageError for any other word."""
    wrong = [pair for pair in pairs if not all(pair.partition("=")[::2])]
    if wrong:
        raise UsageError(f"--set {', '.join(wrong)}: write {shape}, without blanks around `=`")
    found = dict(pair.split("=", 1) for pair in pairs)
    if len(found) < len(pairs):
        names = [pair.partition("=")[0] for pair in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise UsageError(f"--set {', '.join(twice)}: given twice; write it once")
    return found


def ask(args: argparse.Namespace) -> int:
    """Do what `timeline query` was asked and return the exit status."""
    if sum((args.name is not None, args.sql is not None, args.list)) != 1:
        raise UsageError("timeline query: write the NAME of one query, or --sql TEXT, or --list")
    if args.describe and args.name is None:
        raise UsageError("timeline query: --describe goes with the NAME of a query; --list names them")
    if args.list:
        return _list(args)
    asked, given, *_ = _all(
        lambda: _question(args),
        lambda: settings(args.set, "PARAM=VALUE"),
        lambda: _check_statistics(args),
        lambda: _check_output(args.form, args.output),
        lambda: _check_sql(args),
        lambda: _check_chart(args),
    )
    if args.describe:
        print(printing.as_json(_header(asked)) if args.json else summaries.query_text(asked))
        return 0
    if args.chart is not None:
        return _draw(args, given)
    return _answer(args, asked, given)


def _draw(args: argparse.Namespace, given: dict[str, str]) -> int:
    """Draw a named query by itself."""
    from timeline import figure

    path = Path(args.chart)
    figure.write(Study.open(args.study).chart(args.name, given, queries=args.queries), path, args.name)
    print(printing.as_json({"chart": path}) if args.json else f"the picture is in {path}")
    return 0


def _check_chart(args: argparse.Namespace) -> None:
    from timeline import figure

    if args.chart is None:
        return
    if args.name is None:
        raise UsageError("timeline query: --chart draws a named query, whose header says how; --sql has no header")
    if args.output is not None or args.form is not None or args.suppress is not None:
        raise UsageError("timeline query: --chart FILE draws; ask for the rows (-o, --as, --suppress) in another call")
    figure.check_name(Path(args.chart))


def _question(args: argparse.Namespace) -> "Query | None":
    """The query that is named, once its parameters are right and what is to be hidden in it is known."""
    from timeline import query, table

    if args.name is None:
        return None
    asked = named_query(args.name, args.queries)
    given = dict(pair.split("=", 1) for pair in args.set if all(pair.partition("=")[::2]))
    _all(
        lambda: args.describe or query.parameters(asked, given),
        lambda: args.suppress is None or table.check_suppression(asked.table, args.suppress),
    )
    return asked


def _answer(args: argparse.Namespace, asked: "Query | None", given: dict[str, str]) -> int:
    from timeline import query, table

    with Study.open(args.study).reading() as con:
        frame = query.one_off(con, args.sql) if asked is None else query.run_query(con, asked, given)
        remark = query.remark(con)
    if args.statistics and asked is not None:
        return _statistics(frame, asked, remark, args)
    if args.suppress is not None and asked is not None:
        frame = table.suppress(frame, asked.table, args.suppress)
    return _give(frame, asked, remark, args)


def _all(*checks: Callable[[], Any]) -> list[Any]:
    """What each check returns; a UsageError with what all of them complain of."""
    found, wrong = [], []
    for check in checks:
        try:
            found.append(check())
        except UsageError as error:
            wrong.append(str(error))
    if wrong:
        raise UsageError("\n".join(wrong))
    return found


def _check_sql(args: argparse.Namespace) -> None:
    if args.sql is not None and args.set:
        raise UsageError("timeline query: --set goes with a named query; write the value into the --sql text")
    if args.sql is not None and args.suppress is not None:
        raise UsageError("timeline query: --suppress goes with a named query that declares a table of counts")


def _check_statistics(args: argparse.Namespace) -> None:
    if not args.statistics:
        return
    if args.name is None:
        raise UsageError("timeline query: --statistics goes with the NAME of a query; --list names them")
    if args.output is not None or args.suppress is not None or args.form not in (None, "table", "json"):
        raise UsageError(
            "timeline query: --statistics prints text, or JSON with --json; leave -o, --as and --suppress out"
        )
    if not named_query(args.name, args.queries).statistics:
        raise UsageError(
            f"timeline query: the query {args.name} declares no statistics; without --statistics it prints rows"
        )


def _statistics(frame: "polars.DataFrame", asked: "Query", remark: str, args: argparse.Namespace) -> int:
    """Print what the statistics of the header find in the rows, and of which kind the data are."""
    from timeline import statistic
    from timeline.statistic import text

    answers = [statistic.answer(frame, declared) for declared in asked.statistics]
    if args.json or args.form == "json":
        print(printing.as_json(text.as_data(answers)))
        return 0
    print(asked.empty if frame.is_empty() and asked.empty else text.as_text(answers))
    if remark:
        print(remark)
    return 0


def _check_output(form: str | None, output: str | None) -> None:
    from timeline import query, table

    if output is None:
        if form == "parquet":
            raise UsageError("timeline query: Parquet is nothing to read on a screen; add -o FILE.parquet")
        return
    path = Path(output)
    if path.suffix not in (*query.ENDINGS, *table.ENDINGS):
        raise UsageError(
            f"{path}: write a name that ends in {', '.join(query.ENDINGS)} (for programs), "
            f"or {', '.join(table.ENDINGS)} (for people)"
        )
    if form not in (None, "table") and path.suffix != ENDINGS[form]:
        raise UsageError(f"timeline query: --as {form} into {output}: name a file that ends in {ENDINGS[form]}")
    if path.exists() and not path.is_file():
        raise UsageError(f"{path}: this is no file; name one to write")


def _header(asked: "Query") -> dict[str, Any]:
    """Everything that the header says, without the SELECT."""
    return asked.model_dump(exclude={"sql"})


def _list(args: argparse.Namespace) -> int:
    known = queries(args.queries).values()
    as_json = args.json or args.form == "json"
    print(printing.as_json([_header(asked) for asked in known]) if as_json else summaries.queries_text(known))
    return 0


def _give(frame: "polars.DataFrame", asked: "Query | None", remark: str, args: argparse.Namespace) -> int:
    """Write or print `frame` in the form asked for, or in the one that the file's ending says."""
    from timeline import query, table

    form = "json" if args.json else args.form
    if args.output is not None:
        path = Path(args.output)
        if path.suffix in query.ENDINGS:
            query.write(frame, path)
        else:
            table.write(_shown(frame, asked, remark, args), path)
        print(f"{printing.count(frame.height, 'row')} in {args.output}", file=sys.stderr)
    elif form in ("csv", "json"):
        print(query.render(frame, form).rstrip("\n"))
    elif form in table.PRINTED:
        print(table.as_text(_shown(frame, asked, remark, args), form).rstrip("\n"))
    else:
        _print(frame, asked, remark, args)
    return 0


def _print(frame: "polars.DataFrame", asked: "Query | None", remark: str, args: argparse.Namespace) -> None:
    """Print the answer for reading: the declared table, or the first rows as they are."""
    from timeline import query, table

    declared = asked is not None and isinstance(asked.table, table.Characteristics)
    if declared and frame.height:
        print(table.as_text(_shown(frame, asked, remark, args), "text"))
        if remark:
            print(remark)
        return
    if not declared:
        print(query.render(frame.head(ROWS_SHOWN)))
    if frame.is_empty() and asked is not None and asked.empty:
        print(asked.empty)
    if frame.height > ROWS_SHOWN:
        print(f"… {printing.count(frame.height, 'row')} in all; -o FILE.csv writes them, --as csv prints them")


def _shown(frame: "polars.DataFrame", asked: "Query | None", remark: str, args: argparse.Namespace) -> "Shown":
    """The answer as a table in words; UsageError where it is too long to be read."""
    from timeline import table

    if frame.height > MOST_FOR_READING:
        raise UsageError(
            f"timeline query: {printing.count(frame.height, 'row')} are too many for a table to read; "
            "write .csv, .parquet or .json"
        )
    if asked is None:
        return table.shown(frame, None, {}, "Answer to one SELECT", (f"SQL: {' '.join(args.sql.split())}",), remark)
    units = {name: column.unit for name, column in asked.returns.items()}
    notes = [table.suppression_note(frame, args.suppress)] if args.suppress is not None and frame.height else []
    notes += [asked.empty or "No row."] if frame.is_empty() else []
    return table.shown(frame, asked.table, units, asked.title, notes, remark)
