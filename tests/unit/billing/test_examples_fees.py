"""The worked examples of docs/fees.md: the same figures."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domains.billing.formula import evaluate, parse
from domains.kernel import money


@pytest.mark.parametrize(("storey", "fen"), [(10, 9666), (2, 7160), (40, 14320)])
def test_a_lift_fee_that_rises_with_the_storey(storey: int, fen: int) -> None:
    tree = parse("area × 80 × min(1 + max(floor − 3, 0) × 0.05, 2)")
    assert evaluate(tree, {"area": Decimal("89.50"), "floor": storey}) == fen


def test_a_hundred_yuan_over_three_houses() -> None:
    parts = money.split(10_000, [Decimal("89.50"), Decimal("120.00"), Decimal("60.25")])
    assert parts == [3318, 4449, 2233]
