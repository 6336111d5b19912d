"""A formula's value for one house, in exact numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction

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

_CUT = 10**QUOTIENT_PLACES
_PLACES = 10**RESULT_PLACES


class _Unknown(Exception):
    """There is no value: a variable has none, or something is divided by zero."""


def evaluate(tree: Node, variables: Mapping[str, Decimal | int | None]) -> Decimal | None:
    """Fen with six decimals, rounded half up; None where it cannot be said, is below zero or beyond all bounds."""
    try:
        value = _value(tree, variables)
    except _Unknown:
        return None
    if not 0 <= value < RESULT_BELOW:
        return None
    return Decimal(_half_up(value * _PLACES)).scaleb(-RESULT_PLACES)


def _value(node: Node, variables: Mapping[str, Decimal | int | None]) -> Fraction:
    if isinstance(node, Number):
        return Fraction(node.value)
    if isinstance(node, Variable):
        known = variables.get(node.name)
        if known is None:
            raise _Unknown
        return Fraction(known)
    if isinstance(node, Negation):
        return -_value(node.of, variables)
    if isinstance(node, Operation):
        return _put_together(node, _value(node.left, variables), _value(node.right, variables))
    return _called(node, [_value(each, variables) for each in node.values])


def _put_together(node: Operation, left: Fraction, right: Fraction) -> Fraction:
    if node.sign == "+":
        return left + right
    if node.sign == "-":
        return left - right
    if node.sign == "*":
        return left * right
    if right == 0:
        raise _Unknown
    return Fraction(math.trunc(left * _CUT / right), _CUT)


def _called(node: Call, values: list[Fraction]) -> Fraction:
    if node.name == "min":
        return min(values)
    if node.name == "max":
        return max(values)
    return Fraction(_WHOLE[node.name](values[0]))


def _half_up(value: Fraction) -> int:
    """A half goes away from zero, as everywhere in this house and in the database."""
    rounded = math.floor(abs(value) + Fraction(1, 2))
    return rounded if value >= 0 else -rounded


_WHOLE: Mapping[str, Callable[[Fraction], int]] = {"round": _half_up, "ceil": math.ceil, "floor": math.floor}
