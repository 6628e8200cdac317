"""Finished tables for other tools, in one folder with a data dictionary and where they come from; derives nothing.

What is common to all forms is here: which tables, whose folder, the description beside the data. Each form is a module
of its own.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from timeline.errors import UsageError

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

FORMS = {"parquet": "as_tables", "csv": "as_tables", "meds": "as_meds", "omop": "as_omop"}
"""Form -> the module that writes it."""
MARK = "export.json"
"""The file in a folder that says what it holds, and that it may be written again."""


@dataclass(frozen=True)
class Written:
    """One file, and how many rows it has."""

    file: str
    rows: int


@dataclass(frozen=True)
class ExportReport:
    """What was written where, what there is to know about it, and whether the patients are real."""

    folder: Path
    form: str
    files: tuple[Written, ...]
    notes: tuple[str, ...]
    synthetic: str
    """`true`, `partly` or `false`."""
    remark: str
    """What every output of this study must say of it; empty for real, current data."""


@dataclass(frozen=True)
class Request:
    """What was asked for, as the forms need it."""

    form: str
    tables: tuple[str, ...]
    labels: tuple[str, ...] = ()
    """Of MEDS: `RULE.COLUMN@TIME_COLUMN`."""
    extract: Path | None = None
    """Of OMOP: the extract that the study was made of, for the ids of its rows."""


def export(
    con: "Connection",
    folder: Path,
    form: str,
    *,
    tables: Sequence[str] = (),
    labels: Sequence[str] = (),
    extract: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> ExportReport:
    """Write the derived tables of a study, or those in `tables`, into `folder` and return what was written.

    Raises UsageError for an unknown form or table, for options that do not go together, and where `folder` holds
    something that no export wrote; StudyError where nothing has been derived.
    """
    from timeline import query
    from timeline.export import dictionary, provenance

    (progress or (lambda _: None))("describing the tables")
    request = _checked(form, tables, labels, extract)
    known = dictionary.described(con)
    request = _with_tables(request, known)
    origin = provenance.of_study(con)
    module = import_module(f"timeline.export.{FORMS[form]}")
    module.prepare(con, request, known)
    _claim(folder, form, origin["synthetic"])
    files, notes = module.write(con, folder, request, known)
    dictionary.write(folder, [known[name] for name in request.tables], origin, form)
    said = {**origin, "form": form, "files": {one.file: one.rows for one in files}, "notes": list(notes)}
    (folder / MARK).write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return ExportReport(folder, form, files, notes, origin["synthetic"], query.remark(con))


def _checked(form: str, tables: Sequence[str], labels: Sequence[str], extract: Path | None) -> Request:
    if form not in FORMS:
        raise UsageError(f"there is no form `{form}`; choose {', '.join(FORMS)}")
    if labels and form != "meds":
        raise UsageError(f"labels go with MEDS, not with {form}; leave --label out or write --as meds")
    if extract is not None and form != "omop":
        raise UsageError(f"ids of an extract go with OMOP, not with {form}; leave --extract out or write --as omop")
    return Request(form, tuple(dict.fromkeys(tables)), tuple(dict.fromkeys(labels)), extract)


def _with_tables(request: Request, known: Mapping[str, "object"]) -> Request:
    """The request with the tables it means: all derived ones where none is named."""
    from timeline.export.dictionary import SOURCES
    from timeline.printing import did_you_mean

    derived = tuple(name for name in known if name not in SOURCES)
    for name in request.tables:
        if name not in known:
            raise UsageError(f"there is no table `{name}`{did_you_mean(name, list(known)) or '.'}")
        if name in SOURCES and FORMS[request.form] != "as_tables":
            raise UsageError(
                f"`{name}` is what was read, not derived; in {request.form} only derived tables are written"
            )
    return Request(request.form, request.tables or derived, request.labels, request.extract)


def _claim(folder: Path, form: str, synthetic: str) -> None:
    """Make the folder empty for this export: what an earlier one wrote there goes, anything else is left alone."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a folder to write into")
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        return
    try:
        before = json.loads((folder / MARK).read_text(encoding="utf-8"))
        written = [folder / name for name in (*before["files"], *before["described_in"])]
        earlier = (before["form"], before["synthetic"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(f"{folder} is not empty, and no export wrote it; name a new folder") from None
    if earlier != (form, synthetic):
        raise UsageError(
            f"{folder} holds an export as {earlier[0]} (synthetic: {earlier[1]}), and this one is as {form} "
            f"(synthetic: {synthetic}); name a new folder, so that they do not mix"
        )
    for path in written:
        if path.resolve().is_relative_to(folder.resolve()):
            path.unlink(missing_ok=True)
