"""What a formula is made of, and how far it may go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

MOST_CHARACTERS = 200
MOST_DEPTH = 20
"""Parentheses, calls and signs within each other."""
QUOTIENT_PLACES = 20
"""A quotient is cut after so many decimals, here as in the database."""
RESULT_PLACES = 6
RESULT_BELOW = 10**12
"""Fen; as wide as a price."""

VARIABLES: Mapping[str, str] = {
    "area": "建筑面积", "inner_area": "套内面积", "floor": "楼层", "people": "居住人数", "households": "楼栋户数",
    "coefficient": "系数",
}  # fmt: skip
"""Variables of a house, with the names by which they may be written as well."""

FUNCTIONS: Mapping[str, tuple[int, int]] = {
    "min": (2, 8), "max": (2, 8), "round": (1, 1), "ceil": (1, 1), "floor": (1, 1),
}  # fmt: skip
"""Functions with the fewest and the most values that they take; the last three give whole numbers."""

Sign = Literal["+", "-", "*", "/"]


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written: twelve digits and six decimals at most."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class Variable:
    """One of VARIABLES, by its key."""

    name: str


@dataclass(frozen=True, slots=True)
class Negation:
    """Minus something."""

    of: Node


@dataclass(frozen=True, slots=True)
class Operation:
    """Two values put together."""

    sign: Sign
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Call:
    """One of FUNCTIONS, with as many values as it takes."""

    name: str
    values: tuple[Node, ...]


Node = Number | Variable | Negation | Operation | Call


def variables_of(node: Node) -> frozenset[str]:
    """The variables that a formula needs."""
    return frozenset(_names(node))


def _names(node: Node) -> Iterator[str]:
    if isinstance(node, Variable):
        yield node.name
    for child in children(node):
        yield from _names(child)


def children(node: Node) -> tuple[Node, ...]:
    """What a node is directly made of."""
    if isinstance(node, Negation):
        return (node.of,)
    if isinstance(node, Operation):
        return node.left, node.right
    return node.values if isinstance(node, Call) else ()
