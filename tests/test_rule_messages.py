"""Mistakes in rules and the whole message that each gets: where it is, what is wrong, what to write instead."""

# ruff: noqa: E501  # whole messages, as a reader sees them

import pytest

from timeline.compiler import compile_rules
from timeline.errors import Findings
from timeline.load import load_text

CONCEPTS = """concepts:
  drug: {unit: mg, attributes: {strength: 2}}
  lab: {unit: mg/L}
  sign: {words: [yes_, no_]}
"""

# (rule file after the four lines of CONCEPTS, message)
MISTAKES = [
    pytest.param(
        ("dose:\n  from: drug\n  gpa: 24h\n"),
        (
            "rules.yaml:7:3: `gpa` is not a key of the `from` rule `dose`; the keys are from, title, description, source, params, columns, checks, where, spans, group_by, keep, steps"
        ),
        id="key",
    ),
    pytest.param(
        ("dose:\n  from: drug\n  where: value > 0\n  where: value > 1\n"),
        ("rules.yaml:8:3: `where` is written twice, first at rules.yaml:7:3"),
        id="twice",
    ),
    pytest.param(
        ("dose: {from: drug}\ndose: {from: lab}\n"),
        ("rules.yaml:6:1: `dose` is written twice, first at rules.yaml:5:1"),
        id="dup",
    ),
    pytest.param(
        ("dose: {from: durg}\n"),
        ("rules.yaml:5:14: unknown concept or rule 'durg'; did you mean 'drug'?"),
        id="unknown concept",
    ),
    pytest.param(
        ("dose: {where: value > 0}\n"),
        ("rules.yaml:5:7: rule `dose` must have exactly one of from, grade, episodes, pairs, sql; it has none"),
        id="no operator",
    ),
    pytest.param(
        ("dose: {from: drug, episodes: lab, gap: 1h}\n"),
        (
            "rules.yaml:5:7: rule `dose` must have exactly one of from, grade, episodes, pairs, sql; it has from, episodes"
        ),
        id="two",
    ),
    pytest.param(
        ("course: {episodes: drug, gap: 24 hrs}\n"),
        ("rules.yaml:5:31: `24 hrs` is not a length of time; write a whole number and min, h, d or w, such as 24h"),
        id="gap",
    ),
    pytest.param(
        ("course: {episodes: drug}\n"),
        ("rules.yaml:5:1: rule `course` needs `gap`"),
        id="nogap",
    ),
    pytest.param(
        ("course: {episodes: drug, gap: 1h, by: ruote}\n"),
        ("rules.yaml:5:39: unknown column of drug 'ruote'; did you mean 'route'?"),
        id="by",
    ),
    pytest.param(
        ("course: {episodes: drug, gap: 1h, by: [route, time, route]}\n"),
        (
            "rules.yaml:5:39: `time` is a name that the engine gives itself; compute a column of another name from it in a `from` rule, and merge the rows of that\n"
            "rules.yaml:5:39: `route` is written twice"
        ),
        id="by the engine's own, and twice",
    ),
    pytest.param(
        ("course: {episodes: drug, gap: 1h, by: route, columns: {route: first(route)}}\n"),
        ("rules.yaml:5:63: `route` is already a column of the table, by which episodes are apart; choose another name"),
        id="by and columns",
    ),
    pytest.param(
        ("dose:\n  from: drug\n  columns:\n    mg: vlaue\n"),
        ("rules.yaml:8:9: unknown column 'vlaue'; did you mean 'value'?"),
        id="column",
    ),
    pytest.param(
        ("dose:\n  from: drug\n  where: value >= 'abc'\n"),
        ("rules.yaml:7:10: Could not convert string 'abc' to DOUBLE"),
        id="type",
    ),
    pytest.param(
        ("dose:\n  from: drug\n  where: value\n"),
        ("rules.yaml:7:10: a condition is true or false; this is DOUBLE"),
        id="bool",
    ),
    pytest.param(
        ("dose:\n  from: drug\n  where: value > (select 1)\n"),
        (
            "rules.yaml:7:10: a subquery is not allowed; an expression sees one row: write a second rule, or a lookup column"
        ),
        id="subquery",
    ),
    pytest.param(
        ("dose:\n  from: drug\n  where: read_csv('x')\n"),
        ("rules.yaml:7:10: no function read_csv() that an expression may use"),
        id="read_csv",
    ),
    pytest.param(
        ("dose:\n  from: drug\n  where: time < now()\n"),
        ("rules.yaml:7:10: no function now() that an expression may use"),
        id="now",
    ),
    pytest.param(
        ('dose:\n  from: drug\n  where: "1); drop table event; --"\n'),
        ("rules.yaml:7:10: a comment is not allowed inside an expression; write it beside, as a YAML comment"),
        id="inject",
    ),
    pytest.param(
        ('dose:\n  from: drug\n  where: "1; drop table event"\n'),
        ("rules.yaml:7:10: write one expression, without `;`"),
        id="semicolon",
    ),
    pytest.param(
        ("a: {episodes: b, gap: 1h}\nb: {from: a}\n"),
        ("rules.yaml:5:1: rules read each other in a circle: a -> b -> a"),
        id="circle",
    ),
    pytest.param(
        ("dose: {from: drug, columns: {a: b + 1, b: a + 1}}\n"),
        (
            "rules.yaml:5:33: these columns need each other in a circle: a -> b\n"
            "rules.yaml:5:43: these columns need each other in a circle: a -> b"
        ),
        id="colcircle",
    ),
    pytest.param(
        ("dose: {from: drug, params: {x: {default: 24h}}}\n"),
        ("rules.yaml:5:32: parameter `x` is never used; write it with a $ where it is meant, or leave it out"),
        id="unused",
    ),
    pytest.param(
        ("dose: {from: drug, where: value > $limt, params: {limit: {default: 3}}}\n"),
        ("rules.yaml:5:27: no parameter $limt that an expression may use; did you mean $limit?"),
        id="param",
    ),
    pytest.param(
        ("dose: {from: drug, columns: {m: {sql: greatest(value, 3), unit: mg}}}\n"),
        (
            "rules.yaml:5:55: `3)` is not a key of column `m`: inside { } a value with a comma, bracket or brace must be quoted"
        ),
        id="cut",
    ),
    pytest.param(
        ('dose: {from: drug, columns: {m: {first: lab.value, in: "start_time, end_time"}}}\n'),
        (
            'rules.yaml:5:56: `start_time, end_time` is not a window; write "[from, to)": [ ] take the bound in, ( ) leave it out'
        ),
        id="window",
    ),
    pytest.param(
        ("dose: {from: drug, columns: {m: {first: lab.value, in: [time, time + 3h)}}}\n"),
        (
            "rules.yaml:5:73: this is not YAML: did not find expected ',' or ']'; quote a value that holds , [ ] { } or :"
        ),
        id="brackets",
    ),
    pytest.param(
        ("event: {from: drug}\n"),
        ("rules.yaml:5:1: `event` is a word of the language; choose another name for the rule"),
        id="reserved",
    ),
    pytest.param(
        ("Dose: {from: drug}\n"),
        ("rules.yaml:5:1: `Dose` is not a name; write a-z, 0-9 and single _, a letter first"),
        id="name",
    ),
    pytest.param(
        ("a__b: {from: drug}\n"),
        ("rules.yaml:5:1: `a__b` is not a name; write a-z, 0-9 and single _, a letter first"),
        id="dunder",
    ),
    pytest.param(
        ("dose: {from: drug, where: time > index.time}\n"),
        (
            "rules.yaml:5:27: there is no index here: name one in ruleset.yaml; the index rule and what it reads cannot use `index`"
        ),
        id="index",
    ),
    pytest.param(
        ("dose: {from: drug, columns: {x: value * concept.strenght}}\n"),
        ("rules.yaml:5:33: unknown attribute of concepts 'strenght'; did you mean 'strength'?"),
        id="attr",
    ),
    pytest.param(
        ("dose: {from: drug, columns: {x: {first: lab.vlue}}}\n"),
        ("rules.yaml:5:33: unknown column of lab 'vlue'; did you mean 'value'?"),
        id="lookupcol",
    ),
    pytest.param(
        ("dose: {from: drug, columns: {x: {frist: lab.value}}}\n"),
        (
            "rules.yaml:5:33: a lookup has exactly one pick (first, last, nearest, min, max, mean, median, sum, count, any), or the column has `sql`\n"
            "rules.yaml:5:34: `frist` is not a key of column `x`; did you mean `first`?"
        ),
        id="pick",
    ),
    pytest.param(
        ("dose: {from: drug, columns: {x: {nearest: lab.value}}}\n"),
        ("rules.yaml:5:33: `to` goes with `nearest`, and `nearest` needs it: the time to be near to"),
        id="nearest",
    ),
    pytest.param(
        ("dose: {from: drug, columns: {x: {count: lab.value}}}\n"),
        ("rules.yaml:5:33: `count` counts rows and takes no column; write `lab`"),
        id="countcol",
    ),
    pytest.param(
        ('p: {from: patient}\nd: {from: drug, columns: {x: {first: p.number, in: "[time, inf)"}}}\n'),
        ("rules.yaml:6:30: `p` has no time, so a window cannot see it; leave `in` out"),
        id="facts",
    ),
    pytest.param(
        ("dose: {from: drug, columns: {x: sum(value)}}\n"),
        ("rules.yaml:5:33: sum() folds many rows; it belongs into `episodes` or `group_by` columns"),
        id="agg",
    ),
    pytest.param(
        ("dose: {from: drug, where: value > $x, params: {x: {default: 3, of: lab, unit: parsec}}}\n"),
        ("rules.yaml:5:51: parameter `x`: unit `parsec` cannot be converted to that of lab, mg/L"),
        id="unit",
    ),
    pytest.param(
        ("dose: {from: drug\n"),
        ("rules.yaml:6:1: this is not YAML: did not find expected ',' or '}'; quote a value that holds , [ ] { } or :"),
        id="notyaml",
    ),
    pytest.param(
        ("dose: {from: drug, checks: {ok: number}}\n"),
        ("rules.yaml:5:33: a check is true or false; this is INTEGER"),
        id="check",
    ),
    pytest.param(
        ('g: {grade: s, findings: {s: {of: sign, level: "1"}}}\n'),
        ("rules.yaml:5:1: `s` needs `hold`, how long an observation stays in force: 24h, or inf"),
        id="hold",
    ),
    pytest.param(
        ("g: {grade: s, hold: 1h, findings: {s: {of: sign, level: text}}}\n"),
        ("rules.yaml:5:57: a level is a whole number; this is VARCHAR: write `case when ... then 1 end`"),
        id="leveltext",
    ),
    pytest.param(
        ("dose: {from: drug, columns: {x: \"date_diff('hour', time, end_time)\"}}\n"),
        (
            "rules.yaml:5:33: date_diff() is not allowed: it counts crossed boundaries; use hours_between(a, b), which is elapsed time"
        ),
        id="dateDiff",
    ),
    pytest.param(
        ("dose: {from: drug, columns: {time: time}}\n"),
        ("rules.yaml:5:30: `time` is a name that the engine gives itself; choose another"),
        id="implicit",
    ),
    pytest.param(
        ('dose: {from: drug, columns: {x: {first: lab.value, in: "[value, time]"}}}\n'),
        ('rules.yaml:5:33: the bound of a window is a time; `"value"` is DOUBLE'),
        id="bound",
    ),
    pytest.param(
        ("a: {from: durg}\nb: {from: drug, columns: {x: vlaue, y: 1 +}}\nc: {from: a, where: vaue >}\n"),
        (
            "rules.yaml:5:11: unknown concept or rule 'durg'; did you mean 'drug'?\n"
            'rules.yaml:6:40: this cannot be read as an expression: syntax error at or near "+"\n'
            'rules.yaml:7:21: this cannot be read as an expression: syntax error at or near ">"'
        ),
        id="two mistakes",
    ),
]


def test_a_scale_is_one_of_two() -> None:
    with pytest.raises(Findings) as caught:
        load_text("concepts:\n  lab: {unit: Cel, scale: intervall}\n")
    assert str(caught.value) == (
        "rules.yaml:2:27: `scale` is `ratio` or `interval` (its zero is a convention), not `intervall`"
    )


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_mistake_is_told(text: str, message: str) -> None:
    with pytest.raises(Findings) as caught:
        compile_rules(load_text(CONCEPTS + text))
    assert str(caught.value) == message


def test_all_mistakes_at_once() -> None:
    text = "".join(f"r{number}: {{from: drug, columns: {{x: vlaue}}}}\n" for number in range(5))
    with pytest.raises(Findings) as caught:
        compile_rules(load_text(CONCEPTS + text))
    assert [finding.where for finding in caught.value.findings] == [f"rules.yaml:{n}:31" for n in range(5, 10)]


def test_what_is_right_passes() -> None:
    compiled = compile_rules(load_text(CONCEPTS + "dose: {from: drug, where: value > 0}\n"))
    assert [rule.name for rule in compiled] == ["dose"]
