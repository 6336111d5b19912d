"""Formulas: what is read, what is refused and where, and what a house pays by one."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.billing import formula
from domains.billing.formula import FormulaInvalid, evaluate, parse, variables_of

HOUSE: Mapping[str, Decimal | int | None] = {
    "area": Decimal("89.50"), "inner_area": None, "floor": 6, "people": 3, "households": 12,
    "coefficient": Decimal("1.2"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 - 2 - 3", "5"),
        ("--5", "5"),
        ("2 - -3", "5"),
        ("area × 280 ÷ 100", "250.6"),
        ("建筑面积 × 系数", "107.4"),
        ("（area + 0.5） × max（floor − 4，0）", "180"),
        ("floor * floor(2.9)", "12"),
        ("min(people, 2, 9) * 100", "200"),
        ("ceil(area / 30) * 500", "1500"),
        ("round(2.5) + round(0.4)", "3"),
        ("1 / 3", "0.333333"),
        ("1 / 3 * 3", "1"),
        ("2 / 3", "0.666667"),
        ("0.0000005 * 10 * 0.1", None),
    ],
)
def test_worth(text: str, fen: str | None) -> None:
    if fen is None:
        with pytest.raises(FormulaInvalid):
            parse(text)
    else:
        assert evaluate(parse(text), HOUSE) == Decimal(fen)


@pytest.mark.parametrize(
    "text", ["1 / (people - 3)", "inner_area * 2", "max(1, inner_area)", "min(1, 2 / 0)", "0 - 1", "999999999999 + 1"]
)  # fmt: skip
def test_no_value(text: str) -> None:
    assert evaluate(parse(text), HOUSE) is None


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("", 1, "应为数字"),
        ("area *", 7, "应为数字"),
        ("area area", 6, "应为运算符"),
        ("2(3)", 2, "应为运算符"),
        ("(1 + 2", 7, "应为右括号"),
        ("1)", 2, "应为运算符"),
        ("height * 2", 1, "没有变量"),
        ("2 + pow(2, 3)", 5, "没有函数"),
        ("min(1)", 1, "应有 2 到 8 个值"),
        ("ceil(1, 2)", 1, "应有 1 个值"),
        ("max()", 5, "应为数字"),
        ("1.", 2, "只能使用"),
        ("1234567890123", 1, "12 位整数"),
        ("1.1234567", 1, "6 位小数"),
        ("1; DROP TABLE house", 2, "只能使用"),
        ("'1'", 1, "只能使用"),
        ('"area"', 1, "只能使用"),
        ("1 -- comment", 6, "没有变量"),
        ("1 /* 2 */", 4, "应为数字"),
        ("$1", 1, "只能使用"),
        ("1e9", 2, "应为运算符"),
        ("１ + 1", 1, "只能使用"),
        ("٣", 1, "只能使用"),
        ("area\n", 5, "只能使用"),
        ("area.__class__", 5, "只能使用"),
        ("2 ** 3", 4, "应为数字"),
        ("(" * 21 + "1" + ")" * 21, 22, "最多嵌套 20 层"),
        ("-" * 21 + "1", 22, "最多嵌套 20 层"),
        ("1" + "+1" * 100, 201, "最多 200 个字符"),
    ],
)
def test_refused_with_the_place(text: str, column: int, expected: str) -> None:
    with pytest.raises(FormulaInvalid) as refused:
        parse(text)
    assert (refused.value.code, refused.value.column) == ("FORMULA_INVALID", column)
    assert expected in refused.value.message
    assert f"第 {column} 个字符" in refused.value.message


def test_variables_of_a_formula() -> None:
    assert variables_of(parse("max(area, 楼层) * 2 + area")) == {"area", "floor"}
    assert variables_of(parse("floor(2.5)")) == frozenset()


HOSTILE = st.text(
    alphabet=st.sampled_from("0123456789.+-*/(),'\";$\\ \n\t_ aefilmnorx面积（），×÷−１٣\x00\U0001f600"),
    max_size=260,
)


@given(st.one_of(HOSTILE, st.text(max_size=260)))
def test_whatever_is_typed_is_a_formula_or_refused(text: str) -> None:
    try:
        tree = parse(text)
    except FormulaInvalid as refused:
        assert 1 <= refused.column <= 201
        return
    columns = dict.fromkeys(formula.VARIABLES, "x")
    written = formula.as_sql(tree, columns)
    assert not set(written) - set("0123456789.+-*(), \n><=:_abcdefghijklmnopqrstuvwxyzASELCTHNDFROMWUI")
    assert "--" not in written
