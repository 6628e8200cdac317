"""What an ingest did, in numbers; never a patient's values."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SourceCount:
    """The rows of one file: read = loaded + duplicate + rejected."""

    source_file: str
    format: str
    rows_read: int
    rows_loaded: int
    rows_duplicate: int
    rows_rejected: int

    @property
    def reconciles(self) -> bool:
        return self.rows_read == self.rows_loaded + self.rows_duplicate + self.rows_rejected


@dataclass(frozen=True)
class UnitConversion:
    """Values of a concept that came in another unit than its own."""

    concept: str
    source_unit: str
    unit: str
    rows: int


@dataclass(frozen=True)
class IngestReport:
    """Counts of one ingest. Pairs are (name, rows), most rows first."""

    sources: tuple[SourceCount, ...] = ()
    unchanged: tuple[str, ...] = ()
    """Files that the study holds already, byte for byte: nothing done."""
    replaced: tuple[str, ...] = ()
    patients: int = 0
    """Patients in the study now."""
    events: int = 0
    """Events that this ingest added."""
    unmapped: tuple[tuple[str, int], ...] = ()
    """The most frequent codes without a concept."""
    unmapped_codes: int = 0
    unmapped_rows: int = 0
    rejected: tuple[tuple[str, int], ...] = ()
    """By reason."""
    lost_for: tuple[tuple[str, int], ...] = ()
    """By reason: the rejected rows of the files in `lost`."""
    assumed_units: tuple[tuple[str, int], ...] = ()
    """By concept: values without a unit, taken to be in the canonical one."""
    implausible: tuple[tuple[str, int], ...] = ()
    """By concept: kept and flagged, no observation for rules."""
    words_for_numbers: tuple[tuple[str, int], ...] = ()
    """By concept: words where a number is expected; kept as text."""
    unknown_words: tuple[tuple[str, int], ...] = ()
    """By concept: words that are not of its list."""
    relabelled: tuple[tuple[str, int], ...] = ()
    """By concept, label and unit: values whose unit the mapping says to be another than their label."""
    conversions: tuple[UnitConversion, ...] = ()
    date_only: int = 0
    repeats: int = 0
    """Events equal to one of another file: both are kept."""
    warnings: tuple[str, ...] = ()

    @property
    def facts(self) -> int:
        """Rows that were loaded and are no events: statements about patients, such as their sex."""
        return sum(one.rows_loaded for one in self.sources) - self.events

    @property
    def lost(self) -> tuple[SourceCount, ...]:
        """Files of which rows were rejected and none was loaded, where no file gave an event."""
        return () if self.events else tuple(one for one in self.sources if one.rows_rejected and not one.rows_loaded)
