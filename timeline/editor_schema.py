"""The JSON Schema of rule files, so that an editor completes keys and marks mistakes while one types.

Made of the loader's own tables of keys: what an editor accepts and what `check` accepts cannot drift
apart. It knows spelling only; names, types and units are `check`'s to judge.
"""

from typing import Any

from timeline.load import CONCEPT_KEYS
from timeline.parse_rule import COMMON, KEYS, LOOKUP_KEYS, OPERATORS, PICKS, PROMISES
from timeline.rules import SIDES

Schema = dict[str, Any]
SCALAR: Schema = {"type": ["string", "number", "boolean", "null"]}
TEXTS: Schema = {"anyOf": [SCALAR, {"type": "array", "items": SCALAR}]}
NAME = "^(?!.*__)[a-z][a-z0-9_]*$"
WINDOW: Schema = {"type": "string", "pattern": r"^\s*[\[(][\s\S]*,[\s\S]*[\])]\s*$"}
DURATION: Schema = {"type": "string", "pattern": r"^(\d+(min|h|d|w)|\$[a-z]\w*)$"}


def rule_file_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of a rule file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A rule file of timeline",
        "type": "object",
        "properties": {
            "examples": {"type": "array", "items": _example()},
            "ruleset": _object({**dict.fromkeys(("name", "version", "index", "title"), SCALAR), "audit": _audit()}),
            "concepts": _named(_concept()),
        },
        "additionalProperties": {"oneOf": [_rule(operator) for operator in OPERATORS]},
        "propertyNames": {"pattern": NAME},
    }


def _audit() -> Schema:
    """Which checks stop the work, and what share may break others."""
    share = {"type": "number", "minimum": 0, "maximum": 1}
    return _object({"stop": TEXTS, "limits": {"type": "object", "additionalProperties": share}})


def _object(properties: Schema, required: tuple[str, ...] = ()) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _named(schema: Schema) -> Schema:
    """A mapping whose keys become columns."""
    return {"type": "object", "propertyNames": {"pattern": NAME}, "additionalProperties": schema}


def _rule(operator: str) -> Schema:
    special: Schema = {
        "from": TEXTS,
        "episodes": TEXTS,
        "spans": {"type": "boolean"},
        "keep": {"enum": ["first", "last"]},
        "group_by": TEXTS,
        "by": TEXTS,
        "uses": TEXTS,
        "gap": DURATION,
        "hold": {"anyOf": [DURATION, {"const": "inf"}]},
        "steps": _named(SCALAR),
        "findings": _named(_observed()),
        "context": _named(_observed()),
        "analytes": {"type": "array", "items": _analytes()},
        "columns": _named({"anyOf": [SCALAR, _column()]}),
        "checks": {"type": "object", "additionalProperties": SCALAR},
        "params": _named(_object({key: SCALAR for key in ("default", "meaning", "unit", "of")}, ("default",))),
    }
    needed = {"grade": ("findings",), "episodes": ("gap",), "pairs": ("analytes",), "sql": ("uses",)}
    properties = {key: special.get(key, SCALAR) for key in (operator, *COMMON, *KEYS[operator])}
    return _object(properties, (operator, *needed.get(operator, ())))


def _observed() -> Schema:
    hold = {"anyOf": [DURATION, {"const": "inf"}]}
    return _object({"of": TEXTS, "level": SCALAR, "interval": {"type": "boolean"}, "hold": hold}, ("of", "level"))


def _lookup_keys() -> Schema:
    return {key: WINDOW if key in ("in", "overlaps") else SCALAR for key in (*PICKS, *LOOKUP_KEYS)}


def _column() -> Schema:
    promises = {key: TEXTS if key in ("one_of", "between") else SCALAR for key in PROMISES}
    schema = _object({"sql": SCALAR, **_lookup_keys(), **promises})
    return schema | {"oneOf": [{"required": [key]} for key in ("sql", *PICKS)]}


def _analytes() -> Schema:
    side = _object(_lookup_keys()) | {"oneOf": [{"required": [pick]} for pick in PICKS]}
    return _object({"of": TEXTS, **{name: side for name in SIDES}}, ("of", "before", "after"))


def _concept() -> Schema:
    range_: Schema = {"type": "array", "items": SCALAR, "minItems": 2, "maxItems": 2}
    numbers: Schema = {"type": "object", "additionalProperties": SCALAR}
    special: Schema = {
        "plausible": range_,
        "typical": range_,
        "scale": {"enum": ["ratio", "interval"]},
        "conversions": numbers,
        "attributes": numbers,
        **dict.fromkeys(("any_unit", "static"), {"type": "boolean"}),
        **dict.fromkeys(("title", "source", "molar_mass"), SCALAR),
    }
    return _object({key: special.get(key, TEXTS) for key in CONCEPT_KEYS})


def _example() -> Schema:
    rows = {"type": "array", "items": {"type": "object", "additionalProperties": SCALAR}}
    properties = {
        "title": SCALAR,
        "events": SCALAR,
        "clause": SCALAR,
        "patient": {"type": "object", "additionalProperties": SCALAR},
        "set": {"type": "object", "additionalProperties": SCALAR},
        "expect": {"type": "object", "additionalProperties": rows},
    }
    return _object(properties, ("title", "expect"))
