"""The parameters of a run as SQL literals: overridden, typed by their spelling, converted to a concept's unit."""

from collections.abc import Mapping

from timeline.compiler.context import missing
from timeline.errors import Finding, UsageError
from timeline.fragment import interval
from timeline.quote import literal
from timeline.rules import Param, RuleSet, kind_of, too_long


def in_force(ruleset: RuleSet, overrides: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return each rule's parameters as text; raise UsageError naming every override that fits none."""
    wrong = []
    known = [f"{name}.{param}" for name, rule in ruleset.rules.items() for param in rule.params]
    for key, text in overrides.items():
        rule, _, param = key.partition(".")
        declared = ruleset.rules[rule].params.get(param) if rule in ruleset.rules else None
        if declared is None:
            wrong.append(missing("parameter", key, known))
        elif kind_of(text) != declared.kind:
            wrong.append(f"{key} is a {declared.kind} such as {declared.default}; `{text}` is a {kind_of(text)}")
        elif declared.kind == "duration" and (long := too_long(text)) is not None:
            wrong.append(f"{key}: {long}")
        elif text.startswith("-") and declared.kind == "duration" and not declared.default.startswith("-"):
            wrong.append(f"{key} is a length of time such as {declared.default}; `{text}` is negative")
    if wrong:
        raise UsageError("\n".join(wrong))
    return {
        name: {param: overrides.get(f"{name}.{param}", p.default) for param, p in rule.params.items()}
        for name, rule in ruleset.rules.items()
    }


def literals(ruleset: RuleSet, overrides: Mapping[str, str]) -> tuple[dict[str, dict[str, str]], list[Finding]]:
    """Return each rule's parameters as SQL literals, and what is wrong with their declarations."""
    findings: list[Finding] = []
    found: dict[str, dict[str, str]] = {}
    for name, texts in in_force(ruleset, overrides).items():
        found[name] = {}
        for param, text in texts.items():
            try:
                found[name][param] = _literal(ruleset, ruleset.rules[name].params[param], text)
            except ValueError as error:
                place = ruleset.places.get(f"{name}.params.{param}", f"rule `{name}`")
                findings.append(Finding(place, f"parameter `{param}`: {error}"))
                found[name][param] = "NULL"
    return found, findings


def _literal(ruleset: RuleSet, param: Param, text: str) -> str:
    if param.kind == "duration":
        return interval(text) if not text.startswith("-") else f"-{interval(text[1:])}"
    if param.kind == "boolean":
        return text.upper()
    if param.kind == "text":
        return literal(text)
    return text if param.of is None else _converted(ruleset, param, float(text))


def _converted(ruleset: RuleSet, param: Param, value: float) -> str:
    """A threshold as an event's value would be stored: in the concept's canonical unit, 9 decimals."""
    from timeline.concepts import conversion

    concept = ruleset.concepts.get(param.of or "")
    if concept is None:
        raise ValueError(missing("concept", param.of or "", list(ruleset.concepts)))
    found = conversion(concept, param.unit)
    if found is None:
        raise ValueError(
            f"unit `{param.unit}` cannot be converted to that of {concept.name}, {' or '.join(concept.units)}"
        )
    return repr(round(value * found.factor + found.offset, 9))
