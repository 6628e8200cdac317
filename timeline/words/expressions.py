"""An expression as words, by its parse tree; what it cannot say well stays code in backticks. Knows no rule."""

from collections.abc import Callable, Mapping
from typing import Any

from timeline.fragment import Tree, parse, render
from timeline.rules import kind_of
from timeline.words.names import PARAM, Scope, constant, counted, listed, name, spoken

NUMBERS = {
    "COMPARE_EQUAL": "{}", "COMPARE_NOTEQUAL": "not {}", "COMPARE_LESSTHAN": "below {}",
    "COMPARE_LESSTHANOREQUALTO": "at most {}", "COMPARE_GREATERTHAN": "above {}",
    "COMPARE_GREATERTHANOREQUALTO": "at least {}",
}  # fmt: skip
TIMES = {
    "COMPARE_EQUAL": "at {}", "COMPARE_NOTEQUAL": "not at {}", "COMPARE_LESSTHAN": "before {}",
    "COMPARE_LESSTHANOREQUALTO": "at or before {}", "COMPARE_GREATERTHAN": "after {}",
    "COMPARE_GREATERTHANOREQUALTO": "at or after {}",
}  # fmt: skip
OBSERVED = {
    "COMPARE_EQUAL": "as late as {}", "COMPARE_NOTEQUAL": "not as late as {}", "COMPARE_LESSTHAN": "earlier than {}",
    "COMPARE_LESSTHANOREQUALTO": "not later than {}", "COMPARE_GREATERTHAN": "later than {}",
    "COMPARE_GREATERTHANOREQUALTO": "not earlier than {}",
}  # fmt: skip
NEGATED = {
    "COMPARE_EQUAL": "COMPARE_NOTEQUAL", "COMPARE_LESSTHAN": "COMPARE_GREATERTHANOREQUALTO",
    "COMPARE_LESSTHANOREQUALTO": "COMPARE_GREATERTHAN",
}  # fmt: skip
NEGATED |= {right: left for left, right in NEGATED.items()}

ARITHMETIC = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}
QUANTIFIED = {"bool_or": "at least one", "bool_and": "each"}
TRUTHS = frozenset(("COMPARISON", "CONJUNCTION", "BETWEEN"))


def tree_of(text: str, scope: Scope, *, aggregates: bool = False) -> Tree:
    """Return the tree of `text`, whose parameters stand in it as names."""
    return parse(text, {name: f'"{PARAM}"."{name}"' for name in scope.params}, aggregates=aggregates).tree


def code(tree: Tree, scope: Scope) -> str:
    """Return the expression as code, with the parameters' values put in."""

    def visit(node: Any) -> Any:
        if isinstance(node, list):
            return [visit(child) for child in node]
        if not isinstance(node, dict):
            return node
        if _is(node, "COLUMN_REF") and node["column_names"][0] == PARAM:
            text = scope.params[node["column_names"][1]][0]
            literal = text if kind_of(text) != "text" else "'" + text.replace("'", "''") + "'"
            return parse(literal, {}).tree
        return {key: visit(child) for key, child in node.items()}

    return f"`{render(visit(tree))}`"


def value(tree: Tree, scope: Scope) -> str:
    """Return what an expression gives, in words; a condition as `whether …`."""
    if is_condition(tree):
        return f"whether {condition(tree, scope)}"
    if _is(tree, "COLUMN_REF"):
        return name(tree["column_names"], scope)
    if _is(tree, "CONSTANT"):
        return constant(tree, scope, quoted=False)
    if _is(tree, "CASE"):
        return outcomes(tree, scope)
    if tree["type"] == "OPERATOR_COALESCE":
        first, *others = tree["children"]
        return f"{_tight(first, scope)} ({', else '.join(value(other, scope) for other in others)} where missing)"
    if _is(tree, "CAST") and _type(tree) == "DATE":
        return f"calendar date of {value(tree['child'], scope)}"
    if _is(tree, "FUNCTION"):
        return _function(tree, scope) or code(tree, scope)
    return code(tree, scope)


def condition(tree: Tree, scope: Scope) -> str:
    """Return a condition as words that can follow `if` or `where`."""
    if _is(tree, "CONJUNCTION"):
        return _conjunction(tree, scope)
    if _is(tree, "CONSTANT"):
        return constant(tree, scope, quoted=False)
    said = predicate(tree, scope)
    if said is not None:
        return f"{said[0]} is {said[1]}"
    if tree["type"] == "OPERATOR_NOT":
        return f"not ({condition(tree['children'][0], scope)})"
    return f"{value(tree, scope) if _is(tree, 'COLUMN_REF') else code(tree, scope)} is true"


def predicate(tree: Tree, scope: Scope, negated: bool = False) -> tuple[str, str] | None:
    """Return subject and what it is, so that conditions on one subject can share it; None where that is not a way."""
    kind = tree["type"]
    if kind == "OPERATOR_NOT":
        return predicate(tree["children"][0], scope, not negated)
    if _is(tree, "COMPARISON"):
        return _comparison(tree, scope, negated)
    if kind in ("OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL"):
        return _subject(tree["children"][0], scope), "missing" if (kind == "OPERATOR_IS_NULL") != negated else "known"
    if kind == "COMPARE_IN":
        subject, *options = tree["children"]
        words = [_other(option, scope) for option in options]
        if len(words) == 1:
            return _subject(subject, scope), f"not {words[0]}" if negated else words[0]
        return _subject(subject, scope), f"none of {listed(words)}" if negated else f"one of {listed(words, 'or')}"
    if _is(tree, "BETWEEN"):
        return _between(tree, scope, negated)
    if _is(tree, "COLUMN_REF"):
        return name(tree["column_names"], scope), "false" if negated else "true"
    if _is(tree, "FUNCTION") and tree["function_name"] in ("below", "above") and len(arguments(tree)) == 3:
        measured, _, limit = arguments(tree)
        word = f"{'not ' if negated else ''}{tree['function_name']}"
        return value(measured, scope), f"{word} {_other(limit, scope)} (bounds count)"
    return None


def is_condition(tree: Tree) -> bool:
    """Whether an expression is true, false or unknown by its shape; a bare name does not tell."""
    truth = ("OPERATOR_NOT", "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "COMPARE_IN", "COMPARE_NOT_IN")
    macro = _is(tree, "FUNCTION") and tree["function_name"] in ("below", "above")
    return tree["class"] in TRUTHS or tree["type"] in truth or macro


def is_time(tree: Tree, scope: Scope) -> bool:
    """Whether an expression is a point in time, as far as names and functions tell."""
    if _is(tree, "COLUMN_REF"):
        last = tree["column_names"][-1]
        return last in ("time", "start_time", "end_time") or scope.kinds.get(last, "").startswith("TIMESTAMP")
    if _is(tree, "FUNCTION"):
        given = arguments(tree)
        if tree["function_name"] in ("+", "-") and len(given) == 2:
            return is_time(given[0], scope) and _is_duration(given[1], scope)
        return tree["function_name"] == "next_midnight" or (
            tree["function_name"] in ("greatest", "least", "min", "max") and any(is_time(one, scope) for one in given)
        )
    return False


def shift(tree: Tree, scope: Scope) -> tuple[Tree, str, str] | None:
    """Return what `tree` is a fixed time after or before, `24 hours`, and `after`; None where it is no such sum."""
    if _is(tree, "FUNCTION") and tree["function_name"] in ("+", "-") and len(arguments(tree)) == 2:
        start, length = arguments(tree)
        if _is_duration(length, scope):
            said = value(length, scope)
            later = (tree["function_name"] == "+") != said.startswith("minus ")
            return start, said.removeprefix("minus "), "after" if later else "before"
    return None


def arguments(tree: Tree) -> list[Tree]:
    """The arguments of a function."""
    return [argument["expression"] for argument in tree["arguments"]]


def _is(tree: Tree, kind: str) -> bool:
    return tree.get("class") == kind


def _type(tree: Tree) -> str:
    return str(tree["type_expr"].get("type_name", "")).upper()


def _is_duration(tree: Tree, scope: Scope) -> bool:
    if _is(tree, "COLUMN_REF") and tree["column_names"][0] == PARAM:
        return kind_of(scope.params[tree["column_names"][1]][0]) == "duration"
    return _is(tree, "FUNCTION") and tree["function_name"] in ("to_hours", "to_minutes")


def _tight(tree: Tree, scope: Scope) -> str:
    """A value as part of a larger one, in parentheses where it could be misread."""
    loose = _is(tree, "CASE") or is_condition(tree) or (_is(tree, "FUNCTION") and tree["function_name"] in ARITHMETIC)
    return f"({value(tree, scope)})" if loose and shift(tree, scope) is None else value(tree, scope)


def _subject(tree: Tree, scope: Scope) -> str:
    """A value that stands by itself before `is` or `if`, where a sum needs no parentheses."""
    return f"({value(tree, scope)})" if _is(tree, "CASE") or is_condition(tree) else value(tree, scope)


def _other(tree: Tree, scope: Scope) -> str:
    """What something is compared with."""
    return constant(tree, scope, quoted=True) if _is(tree, "CONSTANT") else _tight(tree, scope)


def outcomes(tree: Tree, scope: Scope, silent: bool = False, unknown: str = "unknown") -> str:
    """Return the outcomes of a CASE in order; `silent` leaves out that otherwise it is unknown."""
    arms = [
        f"{unknown if _is_null(arm['then_expr']) else _subject(arm['then_expr'], scope)} if "
        f"{condition(arm['when_expr'], scope)}"
        for arm in tree["case_checks"]
    ]
    otherwise = tree["else_expr"]
    if not _is_null(otherwise):
        arms.append(f"{_subject(otherwise, scope)} otherwise")
    elif not silent:
        arms.append(f"{unknown} otherwise")
    return "; ".join(arms)


def _is_null(tree: Tree) -> bool:
    return _is(tree, "CONSTANT") and tree["literal"]["kind"] == "NULL_LITERAL"


def _conjunction(tree: Tree, scope: Scope) -> str:
    word = "and" if tree["type"] == "CONJUNCTION_AND" else "or"
    parts: list[tuple[str, list[str]]] = []
    for child in tree["children"]:
        said = None if _is(child, "CONJUNCTION") else predicate(child, scope)
        if said is None:
            whole = condition(child, scope)
            parts.append(("", [f"({whole})" if _is(child, "CONJUNCTION") else whole]))
        elif parts and parts[-1][0] == said[0]:
            parts[-1][1].append(said[1])
        else:
            parts.append((said[0], [said[1]]))
    joined = [f"{subject} is {listed(said, word)}" if subject else said[0] for subject, said in parts]
    return listed(joined, word) if len(joined) < 3 else f", {word} ".join(joined)


def _comparison(tree: Tree, scope: Scope, negated: bool) -> tuple[str, str] | None:
    kind, left, right = tree["type"], tree["left"], tree["right"]
    kind = NEGATED.get(kind, "") if negated else kind
    if kind not in NUMBERS:
        return None
    if _is_observed(left) and _is_observed(right):
        mine, other = (f"*{spoken(side['column_names'][0], scope.spellings)}*" for side in (left, right))
        return mine, OBSERVED[kind].format(other)
    words = TIMES if is_time(left, scope) or is_time(right, scope) else NUMBERS
    if kind not in ("COMPARE_EQUAL", "COMPARE_NOTEQUAL") and _is_text(left, scope):
        return _subject(left, scope), f"{TIMES[kind].format(_other(right, scope))} in alphabetical order"
    return _subject(left, scope), words[kind].format(_other(right, scope))


def _is_observed(tree: Tree) -> bool:
    names = tree.get("column_names", ())
    return len(names) == 2 and names[1] == "time" and names[0] not in ("index", "base", PARAM)


def _is_text(tree: Tree, scope: Scope) -> bool:
    return _is(tree, "COLUMN_REF") and scope.kinds.get(tree["column_names"][-1]) == "VARCHAR"


def _between(tree: Tree, scope: Scope, negated: bool) -> tuple[str, str]:
    ends = f"{_other(tree['lower'], scope)} and {_other(tree['upper'], scope)}"
    return _subject(tree["input"], scope), f"{'not ' if negated else ''}between {ends}"


def _function(tree: Tree, scope: Scope) -> str | None:
    """Words for a function that is known here; None for others, and for forms that the words would not show."""
    given, called = arguments(tree), tree["function_name"]
    if tree.get("order_bys", {}).get("orders"):
        return None
    if tree.get("filter"):
        folded = "the number" if called == "count_star" else _function(tree | {"filter": None}, scope)
        return f"{folded} of those where {condition(tree['filter'], scope)}" if folded else None
    if called in QUANTIFIED and len(given) == 1:
        return f"whether in {QUANTIFIED[called]} of them {condition(given[0], scope)}"
    moved = shift(tree, scope)
    if moved is not None:
        return f"{moved[1]} {moved[2]} {_tight(moved[0], scope)}"
    if called in ARITHMETIC and len(given) == 2:
        if called == "-" and all(_is(side, "CAST") and _type(side) == "DATE" for side in given):
            later, earlier = (value(side["child"], scope) for side in given)
            return f"calendar days from {earlier} to {later}"
        # a + b + c is a sum of three, not of a sum.
        chained = called in ("+", "*") and _is(given[0], "FUNCTION") and given[0]["function_name"] == called
        first = value(given[0], scope) if chained else _tight(given[0], scope)
        return f"{first} {ARITHMETIC[called]} {_tight(given[1], scope)}"
    said = SAID.get((called, len(given)))
    if said is None:
        return _extreme(tree, scope) if called in ("greatest", "least", "min", "max") else None
    if tree.get("distinct") and called != "count":
        return None
    return said(tree, [_tight(one, scope) for one in given])


def _extreme(tree: Tree, scope: Scope) -> str | None:
    given, high = arguments(tree), tree["function_name"] in ("greatest", "max")
    timed = is_time(tree, scope)
    if tree["function_name"] in ("min", "max"):
        if len(given) != 1:
            return None
        if _is_text(given[0], scope):
            return f"the {'last' if high else 'first'} {value(given[0], scope)} in alphabetical order"
        word = ("latest" if high else "earliest") if timed else ("highest" if high else "lowest")
        return f"the {word} {_tight(given[0], scope)}"
    word = ("later" if high else "earlier") if timed else ("higher" if high else "lower")
    if len(given) > 2:
        word = ("latest" if high else "earliest") if timed else ("highest" if high else "lowest")
    parts = [f"({outcomes(one, scope, silent=True)})" if _is(one, "CASE") else _tight(one, scope) for one in given]
    return f"the {word} of {listed(parts)}"


def _rounded(tree: Tree, given: list[str]) -> str:
    return f"{given[0]} rounded to {given[1]} decimal{'' if given[1] == '1' else 's'}"


def _length(tree: Tree, given: list[str]) -> str:
    count = arguments(tree)[0].get("literal", {}).get("text", "")
    if not count.isdecimal():
        return f"{given[0]} {tree['function_name'].removeprefix('to_')}"
    if tree["function_name"] == "to_minutes":
        return counted(int(count), "minute")
    hours = int(count)
    return counted(hours // 24, "day") if hours > 72 and hours % 24 == 0 else counted(hours, "hour")


def _count(tree: Tree, given: list[str]) -> str:
    return f"the number of {'different' if tree.get('distinct') else 'known'} {_plural(given[0])}"


def _plural(words: str) -> str:
    """`calendar date of time` -> `calendar dates of time`."""
    return words.replace("calendar date of", "calendar dates of", 1) if words.startswith("calendar date") else words


def _phrase(pattern: str) -> Callable[[Tree, list[str]], str]:
    return lambda tree, given: pattern.format(*given)


SAID: Mapping[tuple[str, int], Callable[[Tree, list[str]], str]] = {
    ("hours_between", 2): _phrase("hours from {0} to {1}"),
    ("next_midnight", 1): _phrase("the first midnight after {0}"),
    ("abs", 1): _phrase("the absolute value of {0}"),
    ("round", 1): _phrase("{0} rounded to a whole number"),
    ("round", 2): _rounded,
    ("floor", 1): _phrase("{0} rounded down"),
    ("ceil", 1): _phrase("{0} rounded up"),
    ("lower", 1): _phrase("{0} in lower case"),
    ("upper", 1): _phrase("{0} in capitals"),
    ("to_hours", 1): _length,
    ("to_minutes", 1): _length,
    ("-", 1): _phrase("minus {0}"),
    ("count_star", 0): _phrase("their number"),
    ("count", 1): _count,
    ("sum", 1): _phrase("the sum of {0}"),
    ("avg", 1): _phrase("the mean of {0}"),
    ("mean", 1): _phrase("the mean of {0}"),
    ("median", 1): _phrase("the median of {0}"),
    ("first", 1): _phrase("the first {0}"),
    ("last", 1): _phrase("the last {0}"),
    ("list", 1): _phrase("all {0}, in order"),
    ("arg_max", 2): _phrase("{0} at the highest {1}, the first where there are several"),
    ("arg_min", 2): _phrase("{0} at the lowest {1}, the first where there are several"),
}
