"""The header of a query: frozen models, and the YAML in a file's leading comment that fills them, or another model.

Knows no SQL beyond where the comment ends, and no database. Scalars are text, as in rules.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, TypeAdapter, ValidationError, field_validator

from timeline import statistic
from timeline.charts import declared
from timeline.charts.declared import Chart
from timeline.errors import Finding
from timeline.printing import did_you_mean
from timeline.rules import NAME, Model
from timeline.statistic import Statistic
from timeline.table import declared as tables
from timeline.yamltree import Node, Reader, compose

SECTIONS = ("summary", "cohort", "course", "results", "survival", "patient", "quality")
"""Sections of the report, in its order; `patient` stands on the page of each patient."""
Section = Literal["summary", "cohort", "course", "results", "survival", "patient", "quality"]
KINDS = (*declared.KINDS, *statistic.KINDS, *tables.KINDS)
"""Kinds of charts, statistics and tables."""


class Parameter(Model):
    """A value that a call may set; without a default it must."""

    default: str | None = None
    meaning: str
    unit: str | None = None


class Returned(Model):
    """A column of the result: what it means, and its unit."""

    meaning: str
    unit: str | None = None


class Query(Model):
    """A question, the one SELECT that answers it, and what its header promises about the answer."""

    name: str
    file: str
    sql: str
    title: str
    question: str
    reads: tuple[str, ...]
    params: Mapping[str, Parameter] = {}
    returns: Mapping[str, Returned]
    section: Section | None = None
    order: int = 100
    show: Literal["table", "cards", "chart"] = "table"
    optional: bool = False
    """A report leaves it out where the study lacks what it reads, instead of saying so."""
    empty: str = ""
    caption: str = ""
    """How to read the chart."""
    chart: Chart | None = None
    table: tables.Table | None = None
    """How the rows are shown to people; without it, plain."""
    statistics: tuple[Statistic, ...] = ()
    published: tuple[str, ...] = ()
    answers: tuple[tuple[str, str], ...] = Field(default=(), exclude=True)
    """Place and id of every published value that the header names, for the query, a statistic or a footnote."""

    @field_validator("returns", mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: {"meaning": text} if isinstance(text, str) else text for name, text in value.items()}


Headed = TypeVar("Headed", bound=Model)


def parse(path: Path) -> Query | list[Finding]:
    """Return the query in `path`, or all mistakes of its header, each as file:line:column."""
    return parse_as(Query, path, "title, question, reads, returns")


def parse_as(model: type[Headed], path: Path, keys: str) -> Headed | list[Finding]:
    """Return the file as `model`, which has `name`, `file`, `sql` and the keys of the header, `keys` being the first.

    Or all mistakes of the header, each as file:line:column.
    """
    text = path.read_text(encoding="utf-8")
    comment = re.match(r"\s*/\*(.*?)\*/", text, re.DOTALL)
    if comment is None:
        return [Finding(f"{path}:1", "a query begins with its header, YAML between /* and */")]
    if not NAME.fullmatch(path.stem):
        return [Finding(str(path), "the file's name is the query's name; write it in lower case with underscores")]
    reader = Reader()
    # Blank lines in front, so that a mistake's line, in the header or in the SQL, is the line in the file.
    node = compose("\n" * text[: comment.start(1)].count("\n") + comment.group(1), str(path), reader)
    if not reader.findings and (node is None or not isinstance(node.value, dict)):
        reader.say(f"{path}:1", f"the header is `key: value` lines: {keys}")
    if reader.findings or node is None:
        return reader.findings
    sql = "\n" * text[: comment.end()].count("\n") + text[comment.end() :].strip().rstrip(";")
    origin: dict[str, Any] = {"name": path.stem, "file": str(path), "sql": sql}
    if model is Query:
        origin["answers"] = tuple(_answers(node))
    try:
        made = TypeAdapter(model).validate_python({**_plain(node), **origin})
    except ValidationError as error:
        return [_finding(node, problem) for problem in error.errors()]
    return (_unmarked(made, node) if isinstance(made, Query) else []) or made


def _answers(node: Node, published: bool = False) -> Iterator[tuple[str, str]]:
    """Place and text of what stands under each `published`."""
    if published and isinstance(node.value, str):
        yield node.where, node.value
    elif isinstance(node.value, tuple):
        for child in node.value:
            yield from _answers(child, published)
    elif isinstance(node.value, dict):
        for key, child in node.value.items():
            yield from _answers(child, key == "published")


def _unmarked(query: Query, node: Node) -> list[Finding]:
    """A statistic that the chart is told to mark, and that is not there; without `answer` none need be."""
    names = [statistic.name_of(one) for one in query.statistics]
    if query.chart is None or "answer" not in query.chart.model_fields_set:
        return []
    answer = getattr(query.chart, "answer", None)
    if answer is None or answer in names:
        return []
    where = node.value["chart"].value["answer"].where  # type: ignore[index]  # it was just read from there
    hint = did_you_mean(answer, names) or f"; the header has {', '.join(names) or 'none'}"
    return [Finding(where, f"`chart.answer`: there is no statistic `{answer}`{hint}")]


def _plain(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {key: _plain(child) for key, child in node.value.items()}
    if isinstance(node.value, tuple):
        return tuple(_plain(child) for child in node.value)
    return node.value


def _finding(root: Node, problem: Any) -> Finding:
    """What pydantic found, in words, at the innermost part of the header that it is about."""
    node, named, where = root, [], root.where
    for part in problem["loc"]:
        children = node.value
        if isinstance(children, dict) and part in children:
            where, node = node.keys[part], children[part]
        elif isinstance(children, tuple) and isinstance(part, int) and part < len(children):
            node = children[part]
            where = node.where
        elif named and part in KINDS:
            continue  # pydantic names the kind that it chose; the header has no such level
        named.append(str(part))
    key = ".".join(named)
    if problem["type"] == "missing":
        return Finding(where, f"`{key}` is missing")
    if problem["type"] == "extra_forbidden":
        cut = "" if node.value is not None else ": inside { } a value with a comma, bracket or brace must be quoted"
        return Finding(where, f"`{key}` is not a key here{cut}")
    if problem["type"] == "union_tag_invalid":
        kinds = problem["ctx"]["expected_tags"]
        return Finding(where, f"`{key}`: there is no kind {problem['ctx']['tag']}; the kinds are {kinds}")
    if problem["type"] in ("model_type", "dict_type"):
        return Finding(where, f"`{key}` takes keys of its own: write {{key: value, …}}; queries/README.md lists them")
    message = problem["msg"].removeprefix("Value error, ")
    return Finding(where, f"`{key}`: {message[:1].lower()}{message[1:]}")
