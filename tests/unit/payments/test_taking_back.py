"""Payments that are taken back late: what was given back, paid anew or spent since is not taken a second time."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from domains.kernel import clock, database
from domains.kernel.errors import Conflict
from payments.service import ledger, payables
from payments.service.ledger import Account
from tests.factories.ledger import check_books, payable, posting, prepay, trial_balance

pytestmark = pytest.mark.usefixtures("instance")


async def pay(owed: UUID, compound: UUID, house: UUID, fen: int) -> UUID:
    async with database.transaction():
        return await payables.settle(
            posting(compound, "deduction"), Account("prepayment", house), {owed: fen}, clock.today()
        )


async def take_back(compound: UUID, journal: UUID) -> UUID:
    async with database.transaction():
        return await payables.take_back(posting(compound, "reversal"), journal)


async def give_back(owed: UUID, compound: UUID, house: UUID, fen: int) -> None:
    async with database.transaction():
        await payables.give_back(
            posting(compound, "void"), owed, fen, Account("prepayment", house), Account("income", compound)
        )


async def test_what_was_given_back_is_not_taken_back_too() -> None:
    compound, house = uuid4(), uuid4()
    owed = await payable(compound, house, 1_000)
    await prepay(compound, house, 1_000)
    journal = await pay(owed, compound, house, 1_000)
    await give_back(owed, compound, house, 1)
    before = await trial_balance(compound)
    with pytest.raises(Conflict, match="PAYABLE_NOT_SETTLED"):
        await take_back(compound, journal)
    assert await trial_balance(compound) == before
    assert await ledger.balance(compound, Account("prepayment", house)) == 1
    await check_books()


async def test_a_reversal_is_not_reversed_over_a_payment_that_came_since() -> None:
    compound, house = uuid4(), uuid4()
    owed = await payable(compound, house, 1_000)
    await prepay(compound, house, 2_000)
    reversal = await take_back(compound, await pay(owed, compound, house, 1_000))
    await pay(owed, compound, house, 600)
    with pytest.raises(Conflict, match="PAYABLE_SETTLED"):
        await take_back(compound, reversal)
    assert await trial_balance(compound) == {
        "income": -1_000, "opening": 2_000, "prepayment": -1_400, "receivable": 400,
    }  # fmt: skip
    await check_books()


async def test_money_that_is_spent_does_not_go_out_again() -> None:
    compound, house = uuid4(), uuid4()
    brought = await prepay(compound, house, 1_000)
    await pay(await payable(compound, house, 400), compound, house, 400)
    with pytest.raises(Conflict, match="BALANCE_TOO_LOW"):
        await take_back(compound, brought)
    assert await ledger.balance(compound, Account("prepayment", house)) == 600
    await check_books()


async def test_taken_back_and_given_back_at_once_it_is_the_houses_once() -> None:
    for _ in range(6):
        compound, house = uuid4(), uuid4()
        owed = await payable(compound, house, 1_000)
        await prepay(compound, house, 1_000)
        journal = await pay(owed, compound, house, 1_000)
        done = await asyncio.gather(
            take_back(compound, journal), give_back(owed, compound, house, 1_000), return_exceptions=True
        )
        [refused] = [each for each in done if isinstance(each, BaseException)]
        assert isinstance(refused, Conflict) and refused.code == "PAYABLE_NOT_SETTLED"
        assert await ledger.balance(compound, Account("prepayment", house)) == 1_000
    await check_books()
