"""The database and the program agree on every formula and every house."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domains.billing.formula import VARIABLES, as_sql, evaluate, parse
from domains.billing.formula.parsing import FormulaInvalid
from domains.kernel import database

pytestmark = pytest.mark.usefixtures("instance")

NUMBERS = st.one_of(
    st.integers(0, 999_999_999_999).map(str),
    st.decimals(0, 1000, places=6).map(lambda value: f"{value:f}"),
    st.sampled_from(["0", "1", "2", "3", "0.5", "10", "100"]),
)
LEAVES = st.one_of(NUMBERS, st.sampled_from([*VARIABLES, *VARIABLES.values()]))


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, st.sampled_from("+-*/−×÷"), inner)
    return st.one_of(
        pair.map(" ".join),
        pair.map(lambda each: f"({''.join(each)})"),
        inner.map(lambda each: f"-({each})"),
        st.tuples(st.sampled_from(["round", "ceil", "floor"]), inner).map(
            lambda each: f"{each[0]}({each[1]})"
        ),
        st.tuples(st.sampled_from(["min", "max"]), st.lists(inner, min_size=2, max_size=3)).map(
            lambda each: f"{each[0]}({', '.join(each[1])})"
        ),
    )


FORMULAS = st.recursive(LEAVES, larger, max_leaves=12).filter(lambda text: len(text) <= 200)
HOUSES = st.fixed_dictionaries(
    {
        "area": st.decimals("0.01", "99999999.99", places=2),
        "inner_area": st.none() | st.decimals("0.01", "99999999.99", places=2),
        "floor": st.none() | st.integers(-5, 120),
        "people": st.integers(0, 30),
        "households": st.integers(1, 2000),
        "coefficient": st.decimals(0, 1000, places=4),
    }
)
CASES = st.lists(st.tuples(FORMULAS, HOUSES), min_size=1, max_size=12)
COLUMNS = {name: f"h.{name}" for name in VARIABLES}
HOUSE = "(SELECT $%d::numeric AS area, $%d::numeric AS inner_area, $%d::int AS floor, $%d::bigint AS people, " \
    "$%d::bigint AS households, $%d::numeric AS coefficient) AS h"  # fmt: skip


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)  # fmt: skip
@given(CASES)
async def test_both_say_the_same(cases: list[tuple[str, dict[str, Decimal | int | None]]]) -> None:
    selects: list[str] = []
    values: list[object] = []
    expected: list[Decimal | None] = []
    for place, (text, house) in enumerate(cases):
        try:
            tree = parse(text)
        except FormulaInvalid:  # deeper than a formula may be
            continue
        expected.append(evaluate(tree, house))
        at = len(values)
        values += [house[name] for name in VARIABLES]
        row = HOUSE % tuple(range(at + 1, at + 1 + len(VARIABLES)))
        selects.append(f"SELECT {place} AS place, {as_sql(tree, COLUMNS)} AS fen FROM {row}")
    if selects:
        rows = await database.fetch(" UNION ALL ".join(selects) + " ORDER BY place", *values)
        assert [row["fen"] for row in rows] == expected


async def test_an_unknown_is_never_passed_over() -> None:
    """least() and greatest() would: the other value would be charged."""
    for text in ("min(5, inner_area)", "max(inner_area, 5)", "min(5, 1 / floor)", "0 * inner_area"):
        written = as_sql(parse(text), {**COLUMNS, "inner_area": "NULL", "floor": "0"})
        assert await database.fetchval(f"SELECT {written}") is None


async def test_the_longest_formulas_are_worth_little_work() -> None:
    for text in (
        "area*" * 39 + "area",
        "area/7*" * 28 + "area",
        "(" * 19 + "min(1,2)+" * 15 + "1" + ")" * 19,
    ):
        tree = parse(text)
        house = {name: Decimal("99999999.99") for name in VARIABLES}
        columns = dict.fromkeys(VARIABLES, "99999999.99")
        assert await database.fetchval(f"SELECT {as_sql(tree, columns)}") == evaluate(tree, house)
