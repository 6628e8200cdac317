"""Units and value sets: every spelling that laboratories use, and what must not be converted."""

import subprocess
import sys

import duckdb
import pytest

from timeline import concepts, store, units
from timeline.rules import Concept

COUNT = Concept(name="count", units=("10*9/L",))
MASS = Concept(name="mass", units=("mg/L",), conversions={"nmol/L": 0.105})
WARMTH = Concept(name="warmth", units=("Cel",))
DOSE = Concept(name="dose", units=("mg", "mg/kg"))
SCORE = Concept(name="score")
ANY = Concept(name="any", any_unit=True)
SHARE = Concept(name="share", units=("%",))
ACTIVITY = Concept(name="activity", units=("U/L",), conversions={"[IU]/L": 1})
PRESSURE = Concept(name="pressure", units=("mm[Hg]",))
HAEM = Concept(name="haem", units=("g/dL",))


@pytest.mark.parametrize(
    ("concept", "unit", "value", "expected", "target"),
    [
        *[(COUNT, unit, 250, 250, "10*9/L") for unit in ("K/uL", "10*3/uL", "10^9/L", "G/L", "x10E9/L", "10³/µL")],
        *[
            (COUNT, unit, 250, 250, "10*9/L")
            for unit in ("x10^3/uL", "10e3/uL", "k/ul", "Thousand/uL", "K/mm3", "", None)
        ],
        *[(COUNT, unit, 250_000, 250, "10*9/L") for unit in ("/uL", "#/uL", "cells/mm3", "cells/uL", "{cells}/uL")],
        (COUNT, "10*6/L", 250_000, 250, "10*9/L"),
        (MASS, "mg/dL", 1.2, 12, "mg/L"),
        (MASS, "MG/DL", 1.2, 12, "mg/L"),
        (MASS, "ug/mL", 12, 12, "mg/L"),
        (MASS, "mcg/mL", 12, 12, "mg/L"),
        (MASS, "µg/mL", 12, 12, "mg/L"),
        (MASS, "nmol/L", 100, 10.5, "mg/L"),
        (MASS, "umol/L", 0.1, 10.5, "mg/L"),
        *[(WARMTH, unit, 100.4, 38.0, "Cel") for unit in ("[degF]", "degF", "°F", "F", "deg F", "Fahrenheit")],
        *[(WARMTH, unit, 38.0, 38.0, "Cel") for unit in ("Cel", "degC", "°C", "C", "℃", "celsius")],
        (WARMTH, "[degF]", 100.8, 38.222222222, "Cel"),
        (DOSE, "g", 0.5, 500, "mg"),
        (DOSE, "mg/kg", 8, 8, "mg/kg"),
        (DOSE, "ug/kg", 8000, 8, "mg/kg"),
        (SCORE, None, 7, 7, None),
        (SCORE, "{score}", 7, 7, None),
        (ANY, "furlong", 7, 7, "furlong"),
        (ANY, None, 7, 7, None),
        (SHARE, "1", 0.97, 97, "%"),
        (ACTIVITY, "IU/L", 300, 300, "U/L"),
        (ACTIVITY, "ukat/L", 5, 300, "U/L"),
        (PRESSURE, "mmHg", 90, 90, "mm[Hg]"),
        (PRESSURE, "kPa", 12, 90.007389, "mm[Hg]"),
        (HAEM, "g/L", 95, 9.5, "g/dL"),
        (HAEM, "G/DL", 9.5, 9.5, "g/dL"),
        (Concept(name="a", units=("mmol/L",)), "mmol/dL", 1, 10, "mmol/L"),
        (Concept(name="a", units=("kg",)), "lb", 100, 45.359237, "kg"),
        (Concept(name="a", units=("/min",)), "bpm", 80, 80, "/min"),
        (Concept(name="a", units=("mg/kg/h",)), "mg/kg/d", 24, 1, "mg/kg/h"),
        (Concept(name="by UCUM's own grammar", units=("m/s",)), "km/h", 36, 10, "m/s"),
    ],
)
def test_a_spelling_is_converted(concept, unit, value, expected, target):
    found = concepts.conversion(concept, unit)
    assert found is not None
    assert found.apply(value) == pytest.approx(expected, rel=1e-7)
    assert found.unit == target


@pytest.mark.parametrize(
    ("concept", "unit"),
    [
        (COUNT, "mg/dL"),
        (COUNT, "g/L"),
        (MASS, "mg"),
        (MASS, "UNK"),
        (MASS, "furlong"),
        (WARMTH, "mg"),
        (DOSE, "mL"),
        (DOSE, "mg/m2"),
        (DOSE, "%"),
        (SCORE, "mg"),
        (SCORE, "%"),
        (SHARE, "mg/kg"),
        (Concept(name="no factor given", units=("U/L",)), "IU/L"),
        (Concept(name="no valence given", units=("mmol/L",)), "mEq/L"),
    ],
)
def test_what_is_not_convertible_is_not_guessed(concept, unit):
    assert concepts.conversion(concept, unit) is None


def test_fahrenheit_and_celsius_meet_exactly():
    found = concepts.conversion(WARMTH, "[degF]")
    assert found is not None
    assert found.apply(100.4) == 38.0


def test_common_spellings_need_no_library():
    code = (
        "import sys; from timeline import concepts; from timeline.rules import Concept;"
        "c = Concept(name='c', units=('10*9/L',)); assert concepts.conversion(c, 'K/uL');"
        "assert not {'pint', 'ucumvert', 'duckdb'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("spelling", [*units.ATOMS, *units.SPELLINGS])
def test_every_spelling_of_the_table_is_read(spelling):
    read = units.parse(f"{spelling}/wk")
    assert read is not None
    assert "time" in read.dimension[1]


def test_the_table_agrees_with_pint():
    for unit, target in [
        ("mg/dL", "mg/L"),
        ("[degF]", "Cel"),
        ("10*3/uL", "10*9/L"),
        ("kPa", "mm[Hg]"),
        ("[lb_av]", "kg"),
    ]:
        ours, theirs = units.factor(unit, target), units._by_ucum(unit, target)
        assert ours is not None and theirs is not None
        assert ours == pytest.approx(theirs, rel=1e-6)


def test_write_fills_the_tables_and_keeps_what_mappings_say():
    con = store.connect(":memory:")
    con.execute("INSERT INTO concept_code VALUES ('mass', 'LOCAL/1', 'mapping local.yaml')")
    group = Concept(name="group", members=("mass", "count"))
    mass = MASS.model_copy(update={"codes": ("LOINC/1", "LOINC/2"), "plausible": (0.0, None), "title": "it's mass"})
    given = {concept.name: concept for concept in (mass, COUNT, group)}
    concepts.write(con, given)
    concepts.write(con, given)
    assert con.execute("SELECT * FROM concept ORDER BY concept").fetchall() == [
        ("count", None, "10*9/L", *[None] * 4, "{}", None, [], False, []),
        ("group", None, None, *[None] * 4, "{}", None, ["mass", "count"], False, []),
        ("mass", "it's mass", "mg/L", 0.0, None, None, None, '{"nmol/L": 0.105}', None, [], False, []),
    ]
    assert con.execute("SELECT * FROM concept_code ORDER BY code").fetchall() == [
        ("mass", "LOCAL/1", "mapping local.yaml"),
        ("mass", "LOINC/1", "value set"),
        ("mass", "LOINC/2", "value set"),
    ]


def test_the_digest_is_of_meaning():
    titled = MASS.model_copy(update={"title": "Mass", "source": "a book", "scale": "interval"})
    narrowed = MASS.model_copy(update={"plausible": (0.0, 10.0)})
    assert concepts.digest([MASS, COUNT]) == concepts.digest([COUNT, titled])
    assert concepts.digest([MASS]) != concepts.digest([narrowed])


def test_a_group_is_no_meaning_of_a_code():
    group = Concept(name="group", members=("mass",), codes=("LOINC/9",))
    assert concepts.meanings_of_codes({"mass": MASS, "group": group}) == {"mass": "mass"}


def test_duckdb_and_python_round_a_conversion_alike():
    found = concepts.conversion(WARMTH, "[degF]")
    assert found is not None
    sql = f"SELECT round(v * {found.factor!r} + {found.offset!r}, 9) FROM (VALUES (100.4), (98.6), (101.3)) AS t(v)"
    con = duckdb.connect()
    assert [row[0] for row in con.execute(sql.replace("v *", "v::DOUBLE *")).fetchall()] == [
        found.apply(value) for value in (100.4, 98.6, 101.3)
    ]
