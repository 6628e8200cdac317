"""One ingest in one transaction: which files are new, their rows into the study's tables; knows no format."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace as with_
from pathlib import Path
from typing import TYPE_CHECKING

from timeline import personal, schema, validate
from timeline.errors import ExtractError, Findings, UsageError
from timeline.ingest import conform, counts, leftover, meaning, normalise, patients, sift
from timeline.ingest.codes import Resolution
from timeline.ingest.remap import apply, forget_codes, keep_codes
from timeline.ingest.report import IngestReport, SourceCount
from timeline.ingest.staged import Staged
from timeline.quote import literal
from timeline.rules import Concept

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection


def setting(con: "Connection", name: str) -> str | None:
    """A value of meta.study."""
    found = con.execute("SELECT value FROM meta.study WHERE name = ?", [name]).fetchall()
    return found[0][0] if found else None


def set_setting(con: "Connection", name: str, value: str) -> None:
    con.execute("DELETE FROM meta.study WHERE name = ?", [name])
    con.execute("INSERT INTO meta.study VALUES (?, ?)", [name, value])


def settle_zone(con: "Connection", given: str | None) -> str | None:
    """The study's time zone: as stored, else as given; refuse one that differs."""
    stored = setting(con, "timezone")
    if given is None or given == stored:
        return stored
    if stored is not None:
        raise UsageError(f"--timezone {given}: this study's times are in {stored}; leave the option out")
    if not con.execute("SELECT 1 FROM pg_timezone_names() WHERE name = ?", [given]).fetchall():
        raise UsageError(
            f"--timezone {given}: there is no such time zone; write it as Europe/Zurich or America/New_York"
        )
    return given


def keep_zone(con: "Connection", zone: str | None, report: IngestReport) -> IngestReport:
    """Store the zone for all that is loaded later; an ingest that loads nothing decides nothing, and says so."""
    if zone is None or setting(con, "timezone") is not None:
        return report
    if report.sources:
        set_setting(con, "timezone", zone)
        return report
    said = f"--timezone {zone}: nothing was loaded, so the study's clock stays unsaid"
    return with_(report, warnings=(*report.warnings, said))


def load(
    con: "Connection",
    staged: Sequence[Staged],
    concepts: Mapping[str, Concept],
    label: str,
    zone: str | None,
    replace: bool,
    show_values: bool,
    say: Callable[[str], None],
) -> IngestReport:
    """Add the files that are new; return the counts."""
    remapped = apply(con, concepts)
    new, hashes, report = _new_files(con, staged, label, replace)
    report = with_(report, warnings=(*report.warnings, *remapped.notes))
    if not new:
        return with_(report, patients=_count(con, "patient"))
    for file in report.replaced:
        _forget(con, file)
    if report.replaced:
        forget_codes(con)
    events = normalise.typed(con, [one for one in new if one.kind == "events"])
    read = counts.rows_read(con, new)
    say("holding columns against their types")
    conformed = conform.conform(con, new)
    folded, blotted = _load_patient_files(con, new)
    resolutions: list[Resolution] = []
    if events:
        say("reading codes, values and patients")
        resolutions, folded_events, more = _events(con, events, concepts, label, zone, say)
        folded, blotted = folded | folded_events, blotted + more
    say("sorting and writing")
    _broken_lines(con, new)
    repeats = counts.repeats(con, events) if events else 0
    patients.write_events(con, meaning.events(events) if events else None)
    patients.refresh(con)
    _validate(con)
    if events:
        hidden = personal.Personal() if show_values else personal.of(con, personal.EVENTS)
        report = _counted(con, events, concepts, resolutions, hidden, with_(report, repeats=repeats))
    sources = _sources(con, new, read, folded, hashes, label)
    notes = tuple(dict.fromkeys(note for one in new for note in one.notes))
    rejected = counts.rejected(con, [one.source_file for one in new])
    lost = [one.source_file for one in with_(report, sources=sources).lost]
    lost_for = counts.rejected(con, lost) if lost else ()
    said = (*patients.other_words(con, [one.source_file for one in new]), *patients.contradictions(con))
    warnings = (*report.warnings, *blotted, *notes, *conform.warnings(conformed), *said, *_stale(con))
    report = with_(report, sources=sources, rejected=rejected, lost_for=lost_for, warnings=warnings)
    return with_(report, patients=_count(con, "patient"))


def _validate(con: "Connection") -> None:
    """Pass what was written through the pandera schema of its table: nothing else may enter a study."""
    broken = [
        finding
        for table in ("meta.event", "patient")
        for finding in validate.findings(table, validate.validate(con, table, schema.TABLES[table]))
    ]
    if broken:
        raise Findings(broken, "this extract would break what a study promises; nothing was changed")


def _new_files(
    con: "Connection", staged: Sequence[Staged], label: str, replace: bool
) -> tuple[list[Staged], dict[str, str], IngestReport]:
    """The files to load and their hashes; what is there already, byte for byte, is left out and said."""
    twice = [name for name, n in Counter(one.source_file for one in staged).items() if n > 1]
    if twice:
        raise ExtractError(f"{twice[0]}: two files of this ingest have this name; give one of them another")
    known = con.execute("SELECT source_file, sha256, coalesce(mapping, '') FROM meta.source").fetchall()
    by_name = {name: (sha, mapping) for name, sha, mapping in known}
    by_content = {(sha, name.partition("#")[2]): name for name, sha, _ in known}
    new, hashes, unchanged, replaced, warnings = [], {}, [], [], []
    bytes_of = {path: _sha256(path) for path in dict.fromkeys(one.path for one in staged if one.digest is None)}
    for one in staged:
        sha = one.digest or bytes_of[one.path]
        name = one.source_file
        if by_name.get(name) == (sha, label):
            unchanged.append(name)
            continue
        if name not in by_name and (sha, one.part) in by_content:
            same = by_content[sha, one.part]
            unchanged.append(name)
            warnings.append(f"{name}: the same bytes as {same}, which this study holds; not loaded again")
            continue
        if name in by_name:
            _refuse_unless(replace, name, same_bytes=by_name[name][0] == sha, more=one.digest is not None)
            replaced.append(name)
        new.append(one)
        hashes[name] = sha
        by_content.setdefault((sha, one.part), name)
    # A part that the new file no longer has goes with the file that it was a part of.
    whole = {one.whole for one in new if one.part}
    gone = [name for name in by_name if name.partition("#")[0] in whole and name not in (*unchanged, *replaced)]
    for name in gone:
        _refuse_unless(replace, name, same_bytes=False)
        replaced.append(name)
    here = {name for one in staged for name in (one.source_file, one.whole)}
    others = [name for name in by_name if name not in here and name.partition("#")[0] not in here]
    kept = list(dict.fromkeys(name.partition("#")[0] for name in others))
    if replace and kept:
        warnings.append(
            f"not in this extract, and kept in the study with all that they gave: {leftover.named(kept)}; a new study "
            "is without them"
        )
    report = IngestReport(unchanged=tuple(unchanged), replaced=tuple(replaced), warnings=tuple(warnings))
    return new, hashes, report


def _refuse_unless(replace: bool, name: str, same_bytes: bool, more: bool = False) -> None:
    """`more`: the content that is compared holds what other files say of the rows, such as of their codes."""
    if replace:
        return
    changed = ", or what other files say of its rows has changed" if more else ""
    other = f"is not the file of this name that the study holds{changed}"
    what = "was ingested with another mapping" if same_bytes else other
    raise ExtractError(f"{name}: this {what}; `--replace` puts it in that one's place")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _forget(con: "Connection", name: str) -> None:
    for table in ("meta.event", "meta.patient_fact", "meta.rejected", "meta.unfit", "meta.conformance", "meta.source"):
        con.execute(f"DELETE FROM {table} WHERE source_file = ?", [name])


def _load_patient_files(con: "Connection", new: Sequence[Staged]) -> tuple[dict[str, int], tuple[str, ...]]:
    files = [one for one in new if one.kind == "patients"]
    folded, blotted = patients.load_patients(con, files)
    return {one.source_file: 0 for one in files} | folded, blotted


def _events(con, events, concepts, label, zone, say) -> tuple[list[Resolution], dict[str, int], tuple[str, ...]]:
    """Stage the rows of the event files, fold and set aside: the codes, the rows folded, what reasons do not tell."""
    normalise.number_what_repeats(con, events)
    mappings = [one.mapping for one, _ in events]
    resolutions = normalise.resolve_codes(con, concepts, mappings, label)
    say("reading rows")
    normalise.stage_rows(con, events, zone)
    _refuse_offsets(con, events)
    folded = sift.fold_duplicates(con, events)
    blotted = sift.set_aside(con, events)
    meaning.write_words(con, events)
    meaning.keep_unfit(con, events)
    meaning.give_meaning(con)
    keep_codes(con)
    by_name = {one.source_file: folded.get(number, 0) for number, (one, _) in enumerate(events)}
    return resolutions, by_name, blotted


def _counted(con, events, concepts, resolutions, hidden, report) -> IngestReport:
    """The numbers of the events that were added, and what there is to say of their codes and words."""
    mappings = [one.mapping for one, _ in events]
    found = counts.summary(con, concepts, resolutions, hidden)
    said = [*counts.not_in_force(mappings, concepts), *counts.unmet(con, mappings, resolutions)]
    said = (*report.warnings, *found.warnings, *said)
    kept = {"unchanged": report.unchanged, "replaced": report.replaced, "repeats": report.repeats}
    return with_(found, **kept, warnings=said)


def _refuse_offsets(con: "Connection", events: Sequence) -> None:
    from timeline.ingest.parse import OFFSET

    rows = con.execute(f"""SELECT file, min(source_row), count(*) FROM ingest_row
        WHERE state = {OFFSET} OR end_state = {OFFSET} GROUP BY file ORDER BY file LIMIT 1""").fetchall()
    for file, first, n in rows:
        name = events[file][0].source_file
        raise UsageError(
            f"{name}: row {first}: times with an offset from UTC ({n} rows); say the study's time zone, "
            "such as --timezone Europe/Zurich"
        )


def _broken_lines(con: "Connection", new: Sequence[Staged]) -> None:
    for one in new:
        if one.rejected is not None:
            con.execute(
                f"INSERT INTO meta.rejected SELECT {literal(one.source_file)}, * FROM ({one.rejected}) ORDER BY 2"
            )


def _sources(con, new, read, folded, hashes, label) -> tuple[SourceCount, ...]:
    """Write meta.source; stop if a row was lost or made: read = loaded + duplicate + rejected."""
    loaded = counts.rows_of(con, "meta.event") + counts.rows_of(con, "meta.patient_fact")
    rejected = counts.rows_of(con, "meta.rejected")
    found = []
    for one in new:
        name = one.source_file
        count = SourceCount(name, one.format, read[name], loaded[name], folded[name], rejected[name])
        if not count.reconciles:
            raise ExtractError(
                f"{name}: {count.rows_read} rows read, but {count.rows_loaded} loaded, {count.rows_duplicate} "
                f"duplicate and {count.rows_rejected} rejected; this is a mistake of ours: nothing was changed"
            )
        found.append(count)
    rows = [{**vars(one), "sha256": hashes[one.source_file], "mapping": label or None} for one in found]
    types = {field.name: field.type for field in schema.SOURCE if field.name != "loaded_at"}
    con.execute(
        """INSERT INTO meta.source BY NAME SELECT *, now() AT TIME ZONE 'UTC' AS loaded_at
        FROM (SELECT unnest(from_json(?, ?), recursive := true))""",
        [json.dumps(rows), json.dumps([types])],
    )
    return tuple(found)


def _stale(con: "Connection") -> list[str]:
    if not _count(con, "meta.run"):
        return []
    return ["derived tables are still those of the data before; `timeline run` derives them anew"]


def _count(con: "Connection", table: str) -> int:
    return con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]


def mark_synthetic(con: "Connection", paths: Sequence[Path], report: IngestReport) -> None:
    """Remember that data are synthetic, or partly so, where an extract's `extract.yaml` says it."""
    if not report.sources:
        return
    import yaml

    said = {}
    for path in paths:
        for file in [path / name for name in ("extract.yaml", "extract.yml")] if path.is_dir() else []:
            if file.is_file():
                read = yaml.load(file.read_text("utf-8"), Loader=yaml.BaseLoader)
                said = read if isinstance(read, dict) else {}
    others = _count(con, "meta.source") > len(report.sources)
    stored = setting(con, "synthetic")
    if said.get("synthetic") != "true":
        if stored == "true":
            set_setting(con, "synthetic", "partly")
        return
    set_setting(con, "synthetic", "true" if stored == "true" or not others else "partly")
    if said.get("title"):
        set_setting(con, "title", said["title"])
