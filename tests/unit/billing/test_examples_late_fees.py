"""The worked examples of docs: late fees, corrections, deduction."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest

from domains.billing import permissions
from domains.billing.late_fees import Debt, Terms, late_fee
from domains.billing.paying import Owed, pay
from domains.billing.service.corrections import decide_correction, request_adjustment
from payments.service import ledger as books
from payments.service.ledger import Account
from tests.factories import bills, residents

DUE = date(2026, 3, 15)
RATE = Decimal("0.0005")
FIRST = (date(2026, 3, 20), 10_000)


def test_a_late_fee() -> None:
    debt = Debt(30_000, 30_000, DUE, (FIRST, (date(2026, 3, 25), 20_000)))
    fee = late_fee(Terms(RATE), debt, date(2026, 4, 30))
    assert [each.days * each.principal_fen for each in fee.stretches] == [150_000, 100_000]
    assert fee.amount_fen == 125
    assert late_fee(Terms(RATE, grace_days=10), debt, date(2026, 4, 30)).amount_fen == 0


def test_grace_that_is_charged() -> None:
    debt, terms = Debt(30_000, 30_000, DUE, (FIRST,)), Terms(RATE, grace_days=10, is_grace_charged=True)
    assert late_fee(terms, debt, date(2026, 3, 25)).amount_fen == 0
    assert late_fee(terms, debt, date(2026, 3, 26)).amount_fen == 110


@pytest.mark.usefixtures("instance")
async def test_an_adjustment_of_a_bill_that_was_paid_in_part() -> None:
    scene = await residents.scene()
    one = await bills.bill(scene.house_id, 10_000)
    await bills.pay(one, 4_000)
    asked = await request_adjustment(
        scene.staff(permissions.CORRECTIONS_REQUEST), line_id=await bills.line_of(one), amount_fen=-7_000,
        reason="面积有误",
    )  # fmt: skip
    decides = scene.staff(permissions.CORRECTIONS_DECIDE)
    await decide_correction(decides, correction_id=asked, approve=True)
    assert await bills.state_of(one) == ("paid", 3_000, 3_000, 0, 0)
    assert await books.balance(scene.compound_id, Account("prepayment", scene.house_id)) == 1_000


def test_what_money_pays() -> None:
    water = Owed(uuid4(), date(2026, 3, 1), 1, 100, 0, frozenset({"water"}))
    home = Owed(uuid4(), date(2026, 3, 2), 2, 100, 0, frozenset({"property"}))
    paid = pay([home, water], {"property": 60, "": 140})
    assert [dict(each.parts) for each in paid] == [{"": 100}, {"property": 60, "": 40}]
