"""The example of the accounts in the guide."""

from __future__ import annotations

from datetime import date

import pytest

from domains.billing.documents.amounts import capitals
from domains.billing.queries.books import compute
from domains.kernel import database
from payments.service import payables
from payments.service.ledger import Account
from tests.factories import bills, books, estate, identity, ledger
from tests.factories.books import on

pytestmark = pytest.mark.usefixtures("instance")
JANUARY, PAID_ON = date(2026, 1, 1), date(2026, 1, 20)


async def test_the_month_of_two_bills_a_payment_and_a_waiver() -> None:
    at = await identity.places()
    first, second = [await estate.house(at.building_id, room) for room in ("101", "102")]
    property_fee = await bills.item(at.compound_id, name="物业费")
    water = await bills.item(at.compound_id, "water", name="水费")
    with on(JANUARY):
        paid = await bills.bill(first, {property_fee: 20_000, water: 10_000}, month=JANUARY)
        waived = await bills.bill(second, {property_fee: 10_000}, month=JANUARY)
    with on(PAID_ON):
        await bills.pay(paid, 10_000, PAID_ON)
        state = (await payables.of_subjects("bill", [waived]))[waived]
        async with database.transaction():
            await payables.change(
                ledger.posting(at.compound_id, "waiver"), state.id, -1_000, Account("waiver")
            )
        await books.expense(at.compound_id, 3_000, PAID_ON, "cleaning")
        await books.expense(at.compound_id, 2_000, PAID_ON, "energy")
    made = await compute(at.compound_id, JANUARY)
    assert [(each.name, each.billed_fen, each.collected_fen) for each in made.incomes] == [
        ("物业费", 30_000, 6_667), ("水费", 10_000, 3_333)]  # fmt: skip
    assert (made.open_before_fen, made.billed_fen, made.waived_fen, made.collected_fen, made.open_after_fen) == (
        0, 40_000, 1_000, 10_000, 29_000)  # fmt: skip
    assert (made.month_due_fen, made.month_rate) == (39_000, 2_564)
    assert (made.income_fen, made.spent_fen, made.balance_after_fen) == (10_000, 5_000, 5_000)


def test_sums_in_capitals() -> None:
    assert capitals(123_005) == "壹仟贰佰叁拾元零伍分"
    assert capitals(140_950) == "壹仟肆佰零玖元伍角整"
