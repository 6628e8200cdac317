"""Eras as the OMOP Common Data Model defines them: a rule folder for the engine, and the same in plain Python."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path

import yaml

from timeline.rules import Concept

GAP = timedelta(days=30)
"""The persistence window of drug and condition eras (OMOP CDM 5.4)."""

RULES = """
occurrence:
  title: Exposures or occurrences, from start to end
  source: OMOP CDM 5.4
  from: GROUP
  spans: true
  columns: {what: {sql: concept, meaning: the ingredient or condition}}
era:
  title: Eras of each, with gaps of at most 30 days
  source: OMOP CDM 5.4, drug_era and condition_era
  episodes: occurrence
  by: what
  gap: 30d
  columns: {n: {sql: count(*), meaning: exposures or occurrences}}
"""


def write_rules(folder: Path, ids: Iterable[int], shipped: Mapping[str, Concept]) -> dict[str, int]:
    """Write a rule folder that makes a table `era` of these concept ids; return concept -> id.

    An id that a shipped value set holds keeps the concept of that.
    """
    known = {code: name for name, concept in shipped.items() for code in concept.codes}
    named = {known.get(f"OMOP/{id}", f"omop_{id}"): id for id in ids}
    concepts: dict[str, dict] = {
        name: {"title": f"OMOP {id}", "source": "the extract", "any_unit": True, "codes": [f"OMOP/{id}"]}
        for name, id in named.items()
        if name not in shipped
    }
    concepts["any_of_them"] = {"title": "Any of them", "source": "the extract", "members": list(named)}
    (folder / "concepts").mkdir(parents=True)
    (folder / "concepts" / "extract.yaml").write_text(yaml.safe_dump(concepts), encoding="utf-8")
    (folder / "eras.yaml").write_text(RULES.replace("GROUP", "any_of_them"), encoding="utf-8")
    return named


def eras(rows: Iterable[tuple[str, int, date, date]]) -> set[tuple[str, int, date, date, int]]:
    """Person, concept, start, end -> person, concept, start, end, count: as an era is defined, row by row."""
    by_key: dict[tuple[str, int], list[tuple[date, date]]] = defaultdict(list)
    for person, concept, start, end in rows:
        by_key[person, concept].append((start, end))
    found = set()
    for (person, concept), spans in by_key.items():
        first, *others = sorted(spans)
        start, end, n = *first, 1
        for next_start, next_end in others:
            if next_start - end > GAP:
                found.add((person, concept, start, end, n))
                start, end, n = next_start, next_end, 1
            else:
                end, n = max(end, next_end), n + 1
        found.add((person, concept, start, end, n))
    return found
