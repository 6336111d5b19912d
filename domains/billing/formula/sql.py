"""A formula as an expression of a statement, written from its tree: no character of the text gets there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from domains.billing.formula.tree import (
    QUOTIENT_PLACES,
    RESULT_BELOW,
    RESULT_PLACES,
    Call,
    Negation,
    Node,
    Number,
    Operation,
    Variable,
)

_CUT = f"1{'0' * QUOTIENT_PLACES}"
_UNCUT = f"0.{'0' * (QUOTIENT_PLACES - 1)}1"
_BOUNDED = f"""(SELECT CASE WHEN formula.v >= 0 AND formula.v < {RESULT_BELOW}
    THEN round(formula.v, {RESULT_PLACES}) END FROM (SELECT {{}} AS v) AS formula)"""
# The functions behind the aggregates min() and max(): unlike least() and greatest() they let no unknown pass.
_FUNCTIONS = {
    "min": "numeric_smaller",
    "max": "numeric_larger",
    "round": "round",
    "ceil": "ceil",
    "floor": "floor",
}


def as_sql(tree: Node, columns: Mapping[str, str]) -> str:
    """An expression of type numeric: what `evaluate` gives, NULL for None. `columns` are numeric expressions by
    variable. KeyError for a variable that has none."""
    return _BOUNDED.format(_expression(tree, columns))


def _expression(node: Node, columns: Mapping[str, str]) -> str:
    if isinstance(node, Number):
        return f"{node.value:f}::numeric"
    if isinstance(node, Variable):
        return f"({columns[node.name]})::numeric"
    if isinstance(node, Negation):
        return f"(- {_expression(node.of, columns)})"
    if isinstance(node, Operation):
        return _operation(node, _expression(node.left, columns), _expression(node.right, columns))
    return _call(node, [_expression(each, columns) for each in node.values])


def _operation(node: Operation, left: str, right: str) -> str:
    if node.sign == "/":
        # div() is exact, where `/` chooses its own number of decimals.
        return f"(div({left} * {_CUT}, NULLIF({right}, 0)) * {_UNCUT})"
    return f"({left} {node.sign} {right})"


def _call(node: Call, values: list[str]) -> str:
    function = _FUNCTIONS[node.name]
    if len(values) == 1:
        return f"{function}({values[0]})"
    return reduce(lambda sofar, each: f"{function}({sofar}, {each})", values)
