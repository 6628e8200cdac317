"""A sweep says of each point what a whole run there would say; a wrong call is told whole; a chart has each number."""

import json
from contextlib import closing
from hashlib import sha256
from itertools import product
from pathlib import Path

import polars
import pytest

from timeline import charts, cli, store
from timeline.engine import run
from timeline.errors import UsageError
from timeline.load import load
from timeline.study import Study
from timeline.sweep.chart import chart
from timeline.sweep.measure import measures

WINDOW, LOWEST = "steroid_refractory.window", "steroid_refractory.lowest"
REFRACTORY = "SELECT patient_id FROM steroid_refractory WHERE status = 'refractory'"
WHOLE = "SELECT * EXCLUDE (patient_id), patient_id AS who FROM steroid_refractory ORDER BY who, number"
STATUS = "SELECT product, status, count(*) AS episodes FROM steroid_refractory GROUP BY ALL ORDER BY ALL"


def hash_of(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def variant(tmp_path_factory) -> Path:
    """A folder that counts an ICANS episode from grade 2 on."""
    folder = tmp_path_factory.mktemp("variants") / "from_grade_2"
    folder.mkdir()
    (folder / "icans.yaml").write_text(
        "icans_episode:\n  episodes: icans_grade\n  where: grade >= 2\n  gap: 48h\n"
        '  columns: {peak_grade: max(grade), peak_time: "arg_max(time, grade)"}\n'
    )
    return folder


def test_selections_are_counted_and_compared_with_the_reference(demo_study: Path):
    before = hash_of(demo_study)
    found = Study(demo_study).sweep(params={WINDOW: ["24h", "48h"], LOWEST: ["1", "3"]}, measures=[REFRACTORY])
    assert hash_of(demo_study) == before, "nothing is written"
    own = Study(demo_study).sql(STATUS).filter(polars.col("status") == "refractory")["episodes"].sum()
    (measured,) = found.measured
    assert measured.of == "patients" and measured.reference == own
    assert found.frame.columns == [WINDOW, LOWEST, "reference", "patients", "jaccard", "gained", "lost"]
    assert found.frame.row(0) == ("24h", "1", True, own, 1.0, 0, 0)
    assert found.points == 4 and (found.derived, found.reused) == (3, 21), "one of the six tables varies"
    for _, _, reference, patients, jaccard, gained, lost in found.frame.rows():
        assert patients == own + gained - lost and jaccard == pytest.approx((own - lost) / (own + gained))
        assert reference or lost > 0
    assert found.remark == "Synthetic data: no real patient."


def test_the_order_of_parameters_does_not_matter(demo_study: Path):
    params = {WINDOW: ["12h", "24h"], LOWEST: ["1", "2"]}
    frames = [
        Study(demo_study).sweep(params=each, measures=[STATUS]).frame
        for each in (params, dict(reversed(list(params.items()))))
    ]
    assert frames[0].columns != frames[1].columns
    assert (
        frames[0]
        .sort(pl_order := sorted(frames[0].columns))
        .select(pl_order)
        .equals(frames[1].sort(pl_order).select(pl_order))
    )


def compared_with_runs(demo_study: Path, folder: Path, params: dict[str, list[str]], table: str) -> None:
    """Fail where a point's rows are not those that a run on a copy of the study derives."""
    asked = f"SELECT * RENAME (patient_id AS who) FROM {table} ORDER BY who, number"
    found = Study(demo_study).sweep(params=params, measures=[asked]).frame
    own = [name for name in found.columns if name not in (*params, "reference")]
    copy = folder / "copy.duckdb"
    copy.write_bytes(demo_study.read_bytes())
    for values in product(*params.values()):
        point = dict(zip(params, values, strict=True))
        with closing(store.connect(copy)) as con:
            run(con, load([]), point)
        here = found.filter(*(polars.col(name) == value for name, value in point.items())).select(own)
        assert here.rows() == Study(copy).sql(asked).rows(), point


def test_a_point_is_what_a_run_there_derives(demo_study: Path, tmp_path: Path):
    compared_with_runs(demo_study, tmp_path, {WINDOW: ["48h"], LOWEST: ["2"]}, "steroid_refractory")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("params", "table"),
    [
        ({WINDOW: ["12h", "24h", "48h", "72h"], LOWEST: ["1", "2", "3"]}, "steroid_refractory"),
        ({"cohort.strict": ["false", "true"], "steroid_course.gap": ["24h", "72h"]}, "cohort"),
    ],
)
def test_every_point_is_what_a_run_there_derives(demo_study: Path, tmp_path: Path, params, table: str):
    compared_with_runs(demo_study, tmp_path, params, table)


def test_variants_stand_beside_the_rules_as_they_are(demo_study: Path, variant: Path):
    asked = {"late": REFRACTORY, "doses": "SELECT count(*) AS doses FROM steroid_dose"}
    found = Study(demo_study).sweep(
        variants=[variant.parent], params={WINDOW: ["48h"]}, measures=[f"{name}={sql}" for name, sql in asked.items()]
    )
    assert found.variants == ("default", "from_grade_2"), "a folder of variants stands for each"
    late, doses = found.measured
    assert late.frame["variant"].to_list() == ["default", "from_grade_2"]
    assert late.frame["reference"].to_list() == [False, False], "the reference, 24h, is not on the grid"
    assert late.reference == 16 and late.frame["patients"].to_list() == [15, 13]
    assert doses.of == "rows" and doses.frame["doses"].n_unique() == 1
    assert found.frame["measure"].to_list() == ["late", "late", "doses", "doses"]
    assert found.notes == (
        f"measure doses does not depend on {WINDOW}: it reads no table that does",
        "measure doses does not depend on the variant from_grade_2: it reads no table that does",
    )


def test_the_rules_are_those_of_the_last_run_unless_others_are_named(demo_study: Path, tmp_path: Path):
    copy = Study(tmp_path / "copy.duckdb")
    copy.path.write_bytes(demo_study.read_bytes())
    copy.run(params={WINDOW: "72h", "steroid_course.gap": "24h"})
    found = copy.sweep(params={WINDOW: ["24h", "72h"]}, measures=["SELECT count(*) AS n FROM steroid_course"])
    assert found.axes[0].default == "72h" and found.frame["reference"].to_list() == [False, True]
    assert found.frame["n"].to_list() == [copy.sql("SELECT count(*) AS n FROM steroid_course").item()] * 2
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "r.yaml").write_text(
        "dose: {from: corticosteroid, where: value > $least, params: {least: {default: 1, unit: mg}}}\n"
    )
    found = copy.sweep(
        tmp_path / "own", only=True, params={"dose.least": ["0", "50"]}, measures=["SELECT count(*) AS n FROM dose"]
    )
    few, all_ = found.frame["n"].to_list()[::-1]
    assert 0 < few < all_ and (found.derived, found.reused) == (3, 0)


def test_a_point_without_an_answer_keeps_its_row(demo_study: Path):
    found = Study(demo_study).sweep(
        params={LOWEST: ["1", "5"]},
        measures=["SELECT count(*) AS n FROM steroid_refractory WHERE status = 'refractory' HAVING count(*) > 0"],
    )
    assert found.frame["n"].to_list() == [16, None]
    none = Study(demo_study).sweep(params={WINDOW: ["48h"]}, measures=["SELECT patient_id FROM cohort WHERE FALSE"])
    assert none.frame["jaccard"].to_list() == [None], "of two empty selections nothing can be said"


def test_events_have_the_days_of_each_variant(demo_study: Path, tmp_path: Path):
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "r.yaml").write_text(
        "infusion: {from: car_t_infusion, keep: first, where: time < '2018-01-01', columns: {product: product}}\n"
    )
    found = Study(demo_study).sweep(
        variants=[tmp_path / "later"], measures=["SELECT count(DISTINCT patient_id) AS n FROM event WHERE day >= 0"]
    )
    default, later = found.frame["n"].to_list()
    assert default == 19 and 0 < later < default


WRONG = [
    ({}, ["nothing varies: add --set RULE.PARAM=V1,V2 or --variant DIR"]),
    (
        {"params": {"steroid_refractory.windw": ["1h"], LOWEST: ["2", "1h"]}, "measures": ["refractory_statu"]},
        [
            "unknown parameter 'steroid_refractory.windw'; did you mean 'steroid_refractory.window'?",
            f"{LOWEST} is a number such as 1; `1h` is a duration",
            "--measure refractory_statu: unknown query 'refractory_statu'; did you mean 'refractory_status'?",
        ],
    ),
    ({"params": {WINDOW: ["1h"]}, "measures": []}, ["name what to look at: --measure"]),
    ({"params": {WINDOW: [f"{n}h" for n in range(40)], LOWEST: [str(n) for n in range(20)]}}, ["800 points are more"]),
    (
        {"params": {WINDOW: ["1h"]}, "measures": ["SELECT * FROM cohor, main.cohort", "derived_tables"]},
        [
            "measure 1: unknown relation 'cohor'; did you mean 'cohort'?",
            "measure 1: write cohort in place of main.cohort",
            "measure derived_tables: meta.rule tells of the study's last run only",
        ],
    ),
    (
        {"params": {WINDOW: ["1h"]}, "measures": ["DROP TABLE cohort"]},
        ["--measure DROP TABLE cohort: write one SELECT, NAME=SELECT …, or the name of a query"],
    ),
    ({"params": {WINDOW: ["1h"]}, "measures": ["SELECT nothing FROM cohort"]}, ['"nothing" not found in FROM']),
    ({"params": {WINDOW: ["1h"]}, "measures": ["patient_timeline"]}, ["needs a value for patient"]),
    ({"params": {WINDOW: ["1h"]}, "measures": ["SELECT 1 AS reference"]}, ["reference is a column of the grid"]),
]


@pytest.mark.parametrize(("call", "said"), WRONG)
def test_a_wrong_call_is_told_whole(demo_study: Path, call, said: list[str]):
    with pytest.raises(UsageError) as caught:
        Study(demo_study).sweep(**{"measures": [REFRACTORY], **call})
    for text in said:
        assert text in str(caught.value)


def test_a_variant_that_lacks_what_is_swept_is_named(demo_study: Path, tmp_path: Path):
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "r.yaml").write_text("steroid_refractory: {from: icans_episode}\n")
    with pytest.raises(
        UsageError,
        match="variant bare has no parameter steroid_refractory.window, which --set varies; give its rule that",
    ):
        Study(demo_study).sweep(variants=[tmp_path / "bare"], params={WINDOW: ["1h"]}, measures=[REFRACTORY])
    (tmp_path / "default").mkdir()
    with pytest.raises(UsageError, match="`default` names the rule set without a variant already"):
        Study(demo_study).sweep(variants=[tmp_path / "default"], measures=[REFRACTORY])


def test_a_broken_promise_is_a_note_with_its_points(demo_study: Path, tmp_path: Path):
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "r.yaml").write_text(
        "steroid_dose: {from: corticosteroid, columns: {dose: value}, checks: {small: dose < 1}}\n"
    )
    found = Study(demo_study).sweep(
        variants=[tmp_path / "strange"], measures=["SELECT count(*) AS n FROM steroid_dose"]
    )
    assert len(found.notes) == 1 and found.notes[0].startswith("steroid_dose: check `small`: broken by ")
    assert found.notes[0].endswith(" rows, at strange")


def test_measures_by_name_and_by_select():
    named, whole = measures(["status of all=WITH a AS (SELECT 1) FROM a", "select 2"], {})
    assert (named.name, named.label) == ("status of all", "measure status of all")
    assert (whole.name, whole.label) == ("measure 2", "measure 2")
    with pytest.raises(UsageError, match="two measures are called `a`"):
        measures(["a=SELECT 1", "a=SELECT 2"], {})


@pytest.mark.parametrize("kind", ["bars", "cells", "blocks"])
def test_the_chart_prints_every_number_of_the_table(demo_study: Path, variant: Path, kind: str):
    params = {WINDOW: ["24h", "48h"], LOWEST: ["1", "3"] if kind != "bars" else ["2"]}
    found = Study(demo_study).sweep(
        params=params,
        variants=[variant] if kind == "blocks" else [],
        measures=[f"refractory={REFRACTORY}"] if kind == "bars" else [f"refractory={REFRACTORY}", STATUS],
    )
    spec = charts.specification(chart(found))
    text = json.dumps(spec)
    for number in found.measured[0].frame["patients"].to_list():
        assert f'"number": {float(number)}' in text
    assert "Synthetic data: no real patient." in text and "n = 21 patients" in text
    assert ("facet" in text) == (kind == "blocks")
    assert charts.picture(spec, "svg").startswith(b"<svg")


def test_the_command_writes_a_table_a_file_and_a_chart(demo_study: Path, variant: Path, tmp_path: Path, capsys):
    call = ["sweep", str(demo_study), "--set", f"{WINDOW}=12h,24h", "--measure", REFRACTORY]
    files = [str(tmp_path / name) for name in ("chart.html", "chart.png")]
    for file in files:
        assert cli.main([*call, "--chart", file, "-o", str(tmp_path / "sweep.csv")]) == 0
    printed = capsys.readouterr().out
    assert "* the reference, the definitions as they are:" in printed and "1 table derived" in printed
    assert (tmp_path / "sweep.csv").read_text().splitlines()[2] == "24h,true,16,1.0,0,0"
    page = Path(files[0]).read_text()
    assert "<script src=" not in page, "the page needs no network"
    assert cli.main([*call, "--json", "--variant", str(variant)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["measures"][0]["rows"][1]["patients"] == 16 and told["points"] == 4
    for wrong in (["--chart", "c.gif"], ["--set", "a.b="], ["-o", "x.xlsx"], ["--set", f"{WINDOW}=1h"], ["--only"]):
        assert cli.main([*call, *wrong]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_a_chart_has_a_panel_for_each_kind_of_row_the_unknown_too(demo_study: Path):
    sql = (
        "SELECT CASE WHEN product = 'tisagenlecleucel' THEN product END AS product, count(*) AS n, 0.5 AS share "
        "FROM steroid_refractory WHERE status = 'refractory' AND grade_at_steroid < 3 GROUP BY ALL ORDER BY ALL"
    )
    found = Study(demo_study).sweep(params={LOWEST: ["1", "3"]}, measures=[sql])
    assert found.frame.rows()[-1] == ("3", False, None, None, None), "grade 3 and more is none below 3"
    spec = charts.specification(chart(found))
    titles = [panel["title"]["text"] for panel in spec["concat"]]
    assert sorted(titles) == sorted(f"{kind}: {n}" for n in ("n", "share") for kind in ("tisagenlecleucel", "unknown"))
    assert "–: no such row, or no number in it." in spec["title"]["subtitle"]
    with pytest.raises(UsageError, match="a chart needs a column of numbers"):
        chart(Study(demo_study).sweep(params={LOWEST: ["2"]}, measures=["SELECT 'a' AS word FROM cohort"]))
    with pytest.raises(UsageError, match="panels are more than a chart can show"):
        chart(
            Study(demo_study).sweep(
                params={"cohort.strict": ["true"]}, measures=["SELECT patient_id AS who, 1 AS n FROM cohort"]
            )
        )
