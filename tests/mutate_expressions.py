"""One expression -> the same expression with one thing changed, each a small mistake that its author could have made.

Changes are made in DuckDB's parse tree and written back by DuckDB. Knows no rule and no table.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from timeline.fragment import Tree, conjuncts, params_in, parse, render

Path = tuple[str | int, ...]
Change = tuple[Tree, str, str]
"""A node after the change, and in words what was there and what is now; empty: the node itself says it."""
COMPARISONS = {
    "COMPARE_LESSTHAN": "COMPARE_LESSTHANOREQUALTO",
    "COMPARE_GREATERTHAN": "COMPARE_GREATERTHANOREQUALTO",
    "COMPARE_EQUAL": "COMPARE_NOTEQUAL",
}
COMPARISONS |= {after: before for before, after in COMPARISONS.items()}
OPPOSITE = {
    "COMPARE_LESSTHAN": "COMPARE_GREATERTHANOREQUALTO",
    "COMPARE_GREATERTHAN": "COMPARE_LESSTHANOREQUALTO",
    "COMPARE_EQUAL": "COMPARE_NOTEQUAL",
}
OPERATORS = {"OPERATOR_IS_NULL": "OPERATOR_IS_NOT_NULL", "OPERATOR_IS_NOT_NULL": "OPERATOR_IS_NULL"}
FUNCTIONS = {
    "+": "-", "*": "/", "min": "max", "arg_min": "arg_max", "min_by": "max_by", "bool_and": "bool_or",
    "greatest": "least", "first": "last", "sum": "avg", "mean": "median", "floor": "ceil",
}  # fmt: skip
FUNCTIONS |= {after: before for before, after in FUNCTIONS.items()}
PLAIN = {"below": ("<", "<="), "above": (">", ">=")}
"""What remains of `below` and `above` where the bound of a value is forgotten."""
ENDS = {"start_time": "end_time", "end_time": "start_time"}
UNWRAPPED = ("lower", "upper", "round")
MINUTES = {"to_hours": 60, "to_minutes": 1}


@dataclass(frozen=True)
class Edit:
    """One change of an expression: the part before and after, as shown, and the whole text after it."""

    before: str
    after: str
    text: str


def edits(text: str) -> Iterator[Edit]:
    """Yield every change of the expression `text`; parameters stay as they are written."""
    params = {name: f"param__{name}__" for name in params_in(text)}

    def restored(sql: str) -> str:
        for name, stand_in in params.items():
            sql = sql.replace(stand_in, f"${name}")
        return sql

    tree = parse(text, params, aggregates=True).tree
    for path, node in _walk(tree, ()):
        for changed, before, after in _changes(node):
            whole = put(tree, path, changed)
            was, now = (before, after) if before else (_shown(tree, path), _shown(whole, path))
            yield Edit(restored(was).replace('"', ""), restored(now).replace('"', ""), restored(render(whole)))


def _shown(tree: Tree, path: Path) -> str:
    """The node at `path` in SQL; a constant with what stands around it."""
    node = _at(tree, path)
    if node["class"] != "CONSTANT" or not path:
        return render(node)
    if path[-1] == "then_expr":
        return f"{_arm(_at(tree, path[:-1]))}"
    if path[-1] == "else_expr":
        return f"else {render(node)}"
    for length in range(len(path) - 1, -1, -1):
        around = _at(tree, path[:length])
        if isinstance(around, dict) and "query_location" in around:
            return render(around)
    return render(node)


def _at(tree: Any, path: Path) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def _arm(arm: Tree) -> str:
    return f"when {render(arm['when_expr'])} then {render(arm['then_expr'])}"


def put(part: Any, path: Path, value: Any) -> Any:
    """Return `part`, made of dicts and lists, with `value` at `path`."""
    if not path:
        return value
    inner = put(part[path[0]], path[1:], value)
    if isinstance(part, list):
        return [inner if place == path[0] else child for place, child in enumerate(part)]
    return part | {path[0]: inner}


def _walk(tree: Any, path: Path) -> Iterator[tuple[Path, Tree]]:
    """Every node with its path; a length of time is one node."""
    if isinstance(tree, dict):
        if "class" in tree and "query_location" in tree:
            yield path, tree
        if tree.get("function_name") in MINUTES:
            return
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, child in children:
        yield from _walk(child, (*path, key))


def _changes(node: Tree) -> Iterator[Change]:
    if node["class"] == "CASE":
        yield from _case(node)
    else:
        yield from ((changed, "", "") for changed in CHANGES.get(node["class"], lambda _: iter(()))(node))


def _comparison(node: Tree) -> Iterator[Tree]:
    if node["type"] in COMPARISONS:
        yield node | {"type": COMPARISONS[node["type"]]}
    for side in ("left", "right"):
        if _kind(node[side]) == "STRING":
            yield node | {side: _constant(node[side], "another word")}


def _between(node: Tree) -> Iterator[Tree]:
    """Both ends of `between` belong to it; of constants the change of the constant says the same."""
    low, high, value = (f"({render(node[part])})" for part in ("lower", "upper", "input"))
    if not _kind(node["lower"]):
        yield _tree(f"{value} > {low} AND {value} <= {high}")
    if not _kind(node["upper"]):
        yield _tree(f"{value} >= {low} AND {value} < {high}")


def _conjunction(node: Tree) -> Iterator[Tree]:
    other = "CONJUNCTION_OR" if node["type"] == "CONJUNCTION_AND" else "CONJUNCTION_AND"
    yield node | {"type": other}
    yield from _fewer(node)


def _fewer(node: Tree, first: int = 0) -> Iterator[Tree]:
    """The node without one of its children; the one that is left stands alone."""
    children = node["children"]
    for place in range(first, len(children)):
        rest = children[:place] + children[place + 1 :]
        yield rest[0] if len(rest) == 1 and not first else node | {"children": rest}


def _operator(node: Tree) -> Iterator[Tree]:
    if node["type"] in OPERATORS:
        yield node | {"type": OPERATORS[node["type"]]}
    elif node["type"] == "OPERATOR_NOT":
        yield node["children"][0]
    elif node["type"] == "OPERATOR_COALESCE":
        yield node["children"][0]
    elif node["type"] == "COMPARE_IN" and len(node["children"]) > 2:
        yield from _fewer(node, first=1)


def _case(node: Tree) -> Iterator[Change]:
    """Arms in another order, without one, with a condition turned round; without ELSE."""
    arms = node["case_checks"]
    for place, arm in enumerate(arms):
        before, after, condition = arms[:place], arms[place + 1 :], arm["when_expr"]
        if after and not _idle(arm, after[0]):
            swapped = node | {"case_checks": [*before, after[0], arm, *after[1:]]}
            yield swapped, f"{_arm(arm)} {_arm(after[0])}", f"{_arm(after[0])} {_arm(arm)}"
        if condition["type"] not in ("COMPARE_EQUAL", "OPERATOR_NOT", *OPERATORS):
            turned = arm | {"when_expr": _tree(f"NOT ({render(condition)})")}
            yield node | {"case_checks": [*before, turned, *after]}, _arm(arm), _arm(turned)
        if len(arms) > 1 and condition["type"] != "COMPARE_EQUAL":
            yield node | {"case_checks": before + after}, _arm(arm), "no such arm"
    if render(node["else_expr"]) != "NULL":
        yield node | {"else_expr": _tree("NULL")}, f"else {render(node['else_expr'])}", "no else"


def _idle(arm: Tree, following: Tree) -> bool:
    """Whether the order of two arms is none: they lead to the same, or never hold together."""
    same = render(arm["then_expr"]) == render(following["then_expr"])
    return same or _exclusive(arm["when_expr"], following["when_expr"])


def _exclusive(one: Tree, other: Tree) -> bool:
    """Whether two conditions never hold together, so that their order is none."""
    pairs = [(a, b) for a in conjuncts(one) for b in conjuncts(other)]
    return any(_different_words(a, b) or _opposite(a, b) or _opposite(b, a) for a, b in pairs)


def _different_words(one: Tree, other: Tree) -> bool:
    """Whether both ask whether the same is one of some constants, and share none."""
    asked = [_words(node) for node in (one, other)]
    return all(asked) and asked[0][0] == asked[1][0] and not set(asked[0][1:]) & set(asked[1][1:])


def _words(node: Tree) -> list[str]:
    """What is asked for and the constants of `x = 'a'` or `x in ('a', 'b')`; empty for anything else."""
    if node["type"] == "COMPARE_EQUAL":
        parts = [node["left"], node["right"]]
    else:
        parts = node["children"] if node["type"] == "COMPARE_IN" else []
    return [render(part) for part in parts] if all(_kind(part) for part in parts[1:]) else []


def _opposite(one: Tree, other: Tree) -> bool:
    """Whether `one` is `not other`, or says `x >= y` where `other` says `x < y`."""
    if one["type"] == "OPERATOR_NOT":
        return render(one["children"][0]) == render(other)
    return one["type"] in OPPOSITE and render(one | {"type": OPPOSITE[one["type"]]}) == render(other)


def _function(node: Tree) -> Iterator[Tree]:
    name, arguments = node["function_name"], [render(argument["expression"]) for argument in node["arguments"]]
    if name in FUNCTIONS and len(arguments) > 1 or name in FUNCTIONS and not node["is_operator"]:
        yield node | {"function_name": FUNCTIONS[name], "qualified_name": {"path": [FUNCTIONS[name]]}}
    if name in PLAIN:
        yield from (_tree(f"({arguments[0]}) {sign} ({arguments[2]})") for sign in PLAIN[name])
    if name in UNWRAPPED:
        yield node["arguments"][0]["expression"]
    if name in MINUTES:
        count = int(arguments[0]) * MINUTES[name]
        yield from (_tree(f"to_minutes({count + step})") for step in (-1, 1))
    if node["distinct"]:
        yield node | {"distinct": False}


def _literal(node: Tree) -> Iterator[Tree]:
    kind, text = node["literal"]["kind"], node["literal"]["text"]
    if kind in ("INTEGER", "NUMERIC"):
        yield from (_constant(node, step) for step in steps(text))
    elif kind == "BOOLEAN":
        yield _constant(node, "false" if text == "true" else "true")


def steps(number: str) -> tuple[str, str]:
    """The number one unit of its last digit lower and higher: 1 and 3 of 2, 37.9 and 38.1 of 38.0."""
    value = Decimal(number)
    unit = Decimal(1).scaleb(min(0, int(value.as_tuple().exponent)))
    return format(value - unit, "f"), format(value + unit, "f")


def _column(node: Tree) -> Iterator[Tree]:
    """The other end of a span."""
    *owner, name = node["column_names"]
    if name in ENDS:
        yield node | {"column_names": [*owner, ENDS[name]]}


def _kind(node: Tree) -> str:
    return node["literal"]["kind"] if node["class"] == "CONSTANT" else ""


def _constant(node: Tree, text: str) -> Tree:
    return node | {"literal": node["literal"] | {"text": text}}


def _tree(text: str) -> Tree:
    return parse(text, {}, aggregates=True).tree


CHANGES: dict[str, Callable[[Tree], Iterator[Tree]]] = {
    "COLUMN_REF": _column,
    "COMPARISON": _comparison,
    "BETWEEN": _between,
    "CONJUNCTION": _conjunction,
    "OPERATOR": _operator,
    "FUNCTION": _function,
    "CONSTANT": _literal,
}
