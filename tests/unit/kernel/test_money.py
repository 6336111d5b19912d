from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.kernel import money
from domains.kernel.errors import Invalid
from domains.kernel.money import MAX_FEN, InvalidAmount

fen = st.integers(-MAX_FEN, MAX_FEN)
weights = st.lists(
    st.integers(0, 10**9) | st.decimals(0, 10**6, places=4, allow_nan=False), min_size=1, max_size=30
).filter(any)


@pytest.mark.parametrize(
    ("value", "rounded"),
    [("0.5", 1), ("-0.5", -1), ("1.5", 2), ("2.5", 3), ("-2.5", -3), ("0.4999", 0), ("-0.4999", 0), ("7", 7)],
)
def test_a_half_goes_away_from_zero(value: str, rounded: int) -> None:
    assert money.round_half_up(Decimal(value)) == rounded


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+40", "9007199254740991.5"])
def test_what_is_no_amount_is_refused(value: str) -> None:
    with pytest.raises(InvalidAmount) as refused:
        money.round_half_up(Decimal(value))
    assert refused.value.code == "AMOUNT_OUT_OF_RANGE"


def test_a_line_is_rounded_once() -> None:
    assert money.multiply(Decimal("280.5"), Decimal("89.53")) == 25113  # 25113.165
    assert money.multiply(Decimal("0.0005"), Decimal(31_000)) == 16  # 15.5
    assert money.multiply(Decimal("0.333"), Decimal("1.5")) == 0  # 0.4995, and not the half of a rounded 0.5
    assert money.multiply(Decimal("-0.5"), Decimal(1)) == -1


def test_products_are_exact_whatever_the_ambient_precision() -> None:
    with localcontext() as context:
        context.prec = 3
        assert money.multiply(Decimal("12345.67"), Decimal("1000.5")) == 12351843  # 12351842.835
    assert money.multiply(Decimal("0.49999999999999999999999999999999999999"), Decimal(1)) == 0


@pytest.mark.parametrize(("rate", "quantity"), [("1E+20", "1"), ("1E+999999", "1E+999999"), ("NaN", "1")])
def test_a_product_beyond_the_bound_is_refused(rate: str, quantity: str) -> None:
    with pytest.raises(InvalidAmount):
        money.multiply(Decimal(rate), Decimal(quantity))


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(128050, "¥1,280.50"), (0, "¥0.00"), (5, "¥0.05"), (-5, "-¥0.05"), (-123456789, "-¥1,234,567.89")],
)
def test_amounts_as_people_read_them(amount: int, shown: str) -> None:
    assert money.display(amount) == shown


@given(fen)
def test_what_is_displayed_is_read_back(amount: int) -> None:
    assert money.parse_yuan(money.display(amount)) == amount


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("128.50", 12850),
        ("128.5", 12850),
        ("128", 12800),
        (" １２８．５０ ", 12850),
        ("￥1,280.50", 128050),
        ("-3元", -300),
        ("0", 0),
        ("-0.00", 0),
        ("90071992547409.91", MAX_FEN),
    ],
)
def test_yuan_as_people_write_them(written: str, amount: int) -> None:
    assert money.parse_yuan(written) == amount


@pytest.mark.parametrize(
    "written",
    [
        "", ".5", "1.", "1.234", "1e3", "12,80", "1,2800", "--1", "+1", "NaN", "约九十", "1 000", "١٢",
        "1" * 41, 128.5, 128, None, True,
    ],
)  # fmt: skip
def test_amounts_that_cannot_be_read(written: str) -> None:
    with pytest.raises(InvalidAmount) as refused:
        money.parse_yuan(written, field="amount")
    assert (refused.value.code, refused.value.field) == ("AMOUNT_INVALID", "amount")
    assert isinstance(refused.value, Invalid)


@pytest.mark.parametrize("written", ["90071992547409.92", "-90071992547409.92", "999999999999999"])
def test_yuan_beyond_the_bound(written: str) -> None:
    with pytest.raises(InvalidAmount) as refused:
        money.parse_yuan(written)
    assert refused.value.code == "AMOUNT_OUT_OF_RANGE"


@pytest.mark.parametrize(
    ("total", "by", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (10, [Decimal("89.5"), Decimal("120.5")], [4, 6]),
        (5, [0, 1, 0], [0, 5, 0]),
        (0, [1, 2], [0, 0]),
        (1, [1, 2], [0, 1]),
    ],
)
def test_the_fen_left_over_go_to_the_largest_remainders(
    total: int, by: list[int | Decimal], parts: list[int]
) -> None:
    assert money.split(total, by) == parts


@given(fen, weights)
def test_parts_sum_to_the_whole_and_miss_their_share_by_less_than_a_fen(
    total: int, by: list[int | Decimal]
) -> None:
    parts = money.split(total, by)
    assert sum(parts) == total
    assert [-part for part in parts] == money.split(-total, by)
    with localcontext() as context:
        context.prec = 60
        whole = sum(map(Decimal, by))
        for part, weight in zip(parts, by, strict=True):
            assert abs(part - total * Decimal(weight) / whole) < 1
            assert weight or not part


@pytest.mark.parametrize("by", [[], [0], [0, 0], [1, -1], [Decimal("NaN")], [1, Decimal("Infinity")]])
def test_weights_that_share_nothing_out(by: list[int | Decimal]) -> None:
    with pytest.raises(ValueError):
        money.split(100, by)
    with pytest.raises(InvalidAmount):
        money.split(MAX_FEN + 1, [1])
