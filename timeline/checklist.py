"""The commands that hold a study against what was published: call `Study`, print and write what came of it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from timeline import checklist_text, printing
from timeline.errors import UsageError
from timeline.study import Study

if TYPE_CHECKING:
    pass

ENDINGS = (".csv", ".parquet", ".json")


def published(args: argparse.Namespace) -> int:
    """`timeline published`: every item beside what the study gives; 0 whether or not they agree."""
    _check(args.output)
    found = Study.open(args.study).published(queries=args.queries)
    rows = [
        {"id": c.id, "item": c.item, "published": c.published, "computed": c.computed, "agreement": c.agreement,
         "why": c.why, "note": c.note, "queries": ", ".join(c.queries), "same_as": ", ".join(c.same_as)}
        for c in found
    ]  # fmt: skip
    written = _write(rows, args.output)
    print(printing.as_json({"items": found}) if args.json else checklist_text.published_text(found, written))
    return 0


def sensitivity(args: argparse.Namespace) -> int:
    """`timeline sensitivity`: published items under other readings, the changed ones marked."""
    _check(args.output)
    with printing.progress() as show:
        found = Study.open(args.study).sensitivity(*args.ids, queries=args.queries, progress=show)
    rows = [
        {"question": a.id, "reading": reading, "id": o.id, "item": o.item, "published": o.published,
         "computed": o.computed, "agreement": o.agreement, "changed": o.changed, "why": o.why}
        for a in found.ambiguities
        for reading, outcomes in [("default", a.defaults), *((told.label, told.outcomes) for told in a.readings)]
        for o in outcomes
    ]  # fmt: skip
    written = _write(rows, args.output)
    print(printing.as_json(found) if args.json else checklist_text.sensitivity_text(found, written))
    return 0


def _check(output: str | None) -> None:
    if output is not None and Path(output).suffix not in ENDINGS:
        raise UsageError(f"-o {output}: write a name that ends in .csv, .parquet or .json")


def _write(rows: list[dict[str, Any]], output: str | None) -> str:
    if output is None:
        return ""
    import polars

    from timeline import query

    frame: polars.DataFrame = polars.DataFrame(rows, infer_schema_length=None)
    query.write(frame, Path(output))
    return output
