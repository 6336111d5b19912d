"""The ledger: what is posted balances, is posted once, and is never changed."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import asyncpg
import pytest

from domains.kernel import clock, database
from domains.kernel.errors import Conflict, NotFound
from payments.service import ledger, payables
from payments.service.ledger import Account, Line
from payments.service.payables import NewPayable
from tests.factories.ledger import check_books, payable, posting, prepay, trial_balance

pytestmark = pytest.mark.usefixtures("instance")

EVENTS = "SELECT event FROM outbox_message WHERE payload::jsonb ->> 'compound_id' = $1 ORDER BY id"


async def told(compound_id: UUID) -> list[str]:
    return [row["event"] for row in await database.fetch(EVENTS, str(compound_id))]


async def pay(payable_id: UUID, compound_id: UUID, house_id: UUID, fen: int, key: str | None = None) -> UUID:
    async with database.transaction():
        return await payables.settle(
            posting(compound_id, "deduction", key),
            Account("prepayment", house_id),
            {payable_id: fen},
            clock.today(),
        )


async def test_a_journal_is_posted_once_under_its_key() -> None:
    compound, house = uuid4(), uuid4()
    lines = [Line(Account("opening"), 500), Line(Account("prepayment", house), -500)]
    once = posting(compound, key="once")
    async with database.transaction():
        first = await ledger.post(once, lines)
    async with database.transaction():
        second = await ledger.post(once, [Line(Account("opening"), 9), Line(Account("suspense"), -9)])
    assert first == second
    assert await trial_balance(compound) == {"opening": 500, "prepayment": -500}
    assert await ledger.balance(compound, Account("prepayment", house)) == 500
    assert await told(compound) == ["BalanceChanged"]
    await check_books()


async def test_twenty_post_the_same_key_at_once_and_one_is_posted() -> None:
    compound, house = uuid4(), uuid4()
    once = posting(compound, key="once")

    async def one() -> UUID:
        async with database.transaction():
            return await ledger.post(
                once, [Line(Account("opening"), 7), Line(Account("prepayment", house), -7)]
            )

    assert len(set(await asyncio.gather(*(one() for _ in range(20))))) == 1
    assert await ledger.balance(compound, Account("prepayment", house)) == 7
    await check_books()


@pytest.mark.parametrize("fen", [[5, -4], [], [3]])
async def test_what_does_not_balance_is_refused(fen: list[int]) -> None:
    compound = uuid4()
    codes = ("opening", "suspense")
    lines = [Line(Account(code), each) for code, each in zip(codes, fen, strict=False)]
    with pytest.raises(ValueError, match="sum to zero"):
        async with database.transaction():
            await ledger.post(posting(compound), lines)
    assert await database.fetchval("SELECT count(*) FROM journal WHERE compound_id = $1", compound) == 0


async def test_the_database_itself_refuses_what_does_not_balance() -> None:
    compound = uuid4()
    once = posting(compound)
    with pytest.raises(asyncpg.PostgresError, match="does not balance"):
        async with database.transaction():
            ids = await ledger.account_ids(compound, [Account("opening")])
            journal_id, _ = await ledger.begin(once)
            await database.execute(
                "INSERT INTO entry (id, journal_id, account_id, amount_fen, posted_on) VALUES ($1, $2, $3, 5, $4)",
                uuid4(), journal_id, ids[Account("opening")], once.posted_on,
            )  # fmt: skip
    assert await trial_balance(compound) == {}


async def test_an_account_of_another_compound_is_refused() -> None:
    here, there = uuid4(), uuid4()
    once = posting(here)
    with pytest.raises(asyncpg.PostgresError, match="another compound"):
        async with database.transaction():
            ids = await ledger.account_ids(there, [Account("opening"), Account("suspense")])
            journal_id, _ = await ledger.begin(once)
            await ledger.enter(
                once,
                journal_id,
                [(account_id, None, fen) for account_id, fen in zip(ids.values(), (1, -1), strict=True)],
            )
    await check_books()


@pytest.mark.parametrize("table", ["journal", "entry", "settlement"])
@pytest.mark.parametrize("change", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
async def test_what_was_posted_is_never_changed(table: str, change: str) -> None:
    await prepay(uuid4(), uuid4(), 100)
    before = await database.fetchval(f"SELECT count(*) FROM {table}")
    with pytest.raises(asyncpg.PostgresError):
        await database.execute(change.format(table))
    assert await database.fetchval(f"SELECT count(*) FROM {table}") == before


async def test_many_payables_are_opened_in_one_journal() -> None:
    compound, item, houses = uuid4(), uuid4(), [uuid4() for _ in range(40)]
    owed = [NewPayable(uuid4(), house, 100 + n, clock.today()) for n, house in enumerate(houses)]
    total = sum(each.due_fen for each in owed)
    for _ in range(2):
        async with database.transaction(), database.counted() as cost:
            await payables.open_many(
                posting(compound, "bills", "run"), "bill", owed, {Account("income", item): total}
            )
        assert cost.count <= 6
    assert await trial_balance(compound) == {"income": -total, "receivable": total}
    assert await database.fetchval("SELECT count(*) FROM payable WHERE compound_id = $1", compound) == 40
    assert await database.fetchval("SELECT count(*) FROM journal WHERE compound_id = $1", compound) == 1
    await check_books()


async def test_a_payable_is_settled_in_parts_and_never_beyond() -> None:
    compound, house = uuid4(), uuid4()
    owed = await payable(compound, house, 1000)
    await prepay(compound, house, 5000)
    await pay(owed, compound, house, 400, "a")
    await pay(owed, compound, house, 400, "a")
    with pytest.raises(Conflict, match="PAYABLE_SETTLED"):
        await pay(owed, compound, house, 601)
    await pay(owed, compound, house, 600)
    assert await ledger.balance(compound, Account("prepayment", house)) == 4000
    assert await trial_balance(compound) == {"income": -1000, "opening": 5000, "prepayment": -4000}
    assert (await told(compound)).count("PayableSettled") == 2
    await check_books()


async def test_money_that_is_not_there_pays_nothing() -> None:
    compound, house = uuid4(), uuid4()
    owed = await payable(compound, house, 1000)
    await prepay(compound, house, 999)
    with pytest.raises(Conflict, match="BALANCE_TOO_LOW"):
        await pay(owed, compound, house, 1000)
    assert await trial_balance(compound) == {
        "income": -1000, "opening": 999, "prepayment": -999, "receivable": 1000,
    }  # fmt: skip
    await check_books()


async def test_twenty_pay_at_once_and_the_money_is_spent_once() -> None:
    compound, house = uuid4(), uuid4()
    owed = [await payable(compound, house, 100) for _ in range(20)]
    await prepay(compound, house, 750)
    tried = await asyncio.gather(*(pay(each, compound, house, 100) for each in owed), return_exceptions=True)
    assert sum(isinstance(each, UUID) for each in tried) == 7
    assert {each.code for each in tried if isinstance(each, Conflict)} == {"BALANCE_TOO_LOW"}
    assert await ledger.balance(compound, Account("prepayment", house)) == 50
    await check_books()


async def test_twenty_settle_one_payable_at_once_and_one_does() -> None:
    compound, house = uuid4(), uuid4()
    owed = await payable(compound, house, 100)
    await prepay(compound, house, 5000)
    tried = await asyncio.gather(
        *(pay(owed, compound, house, 100) for _ in range(20)), return_exceptions=True
    )
    assert sum(isinstance(each, UUID) for each in tried) == 1
    assert await ledger.balance(compound, Account("prepayment", house)) == 4900
    await check_books()


async def test_payers_of_the_same_two_never_wait_in_a_circle() -> None:
    compound, house = uuid4(), uuid4()
    first, second = [await payable(compound, house, 100_000) for _ in range(2)]
    await prepay(compound, house, 1_000_000)

    async def both(order: tuple[UUID, UUID]) -> UUID:
        async with database.transaction():
            return await payables.settle(
                posting(compound, "deduction"),
                Account("prepayment", house),
                dict.fromkeys(order, 1),
                clock.today(),
            )

    await asyncio.gather(*(both(pair) for _ in range(15) for pair in ((first, second), (second, first))))
    assert await ledger.balance(compound, Account("prepayment", house)) == 1_000_000 - 60
    await check_books()


async def test_a_reversal_gives_back_all_and_happens_once() -> None:
    compound, house = uuid4(), uuid4()
    owed = await payable(compound, house, 1000)
    await prepay(compound, house, 1000)
    journal = await pay(owed, compound, house, 1000)
    for _ in range(2):
        async with database.transaction():
            await payables.take_back(posting(compound, "reversal", "back"), journal)
    with pytest.raises(asyncpg.UniqueViolationError):
        async with database.transaction():
            await payables.take_back(posting(compound, "reversal", "again"), journal)
    assert await ledger.balance(compound, Account("prepayment", house)) == 1000
    assert await trial_balance(compound) == {
        "income": -1000, "opening": 1000, "prepayment": -1000, "receivable": 1000,
    }  # fmt: skip
    await check_books()


async def test_less_is_owed_and_never_less_than_was_paid() -> None:
    compound, house = uuid4(), uuid4()
    owed = await payable(compound, house, 1000)
    await prepay(compound, house, 300)
    await pay(owed, compound, house, 300)
    with pytest.raises(Conflict, match="PAYABLE_BELOW_SETTLED"):
        async with database.transaction():
            await payables.change(posting(compound, "waiver"), owed, -701, Account("waiver"))
    for _ in range(2):
        async with database.transaction():
            await payables.change(posting(compound, "waiver", "w"), owed, -700, Account("waiver"))
    assert await trial_balance(compound) == {"income": -1000, "opening": 300, "waiver": 700}
    await check_books()


async def test_what_was_paid_for_nothing_goes_to_the_holders_account() -> None:
    compound, house = uuid4(), uuid4()
    owed = await payable(compound, house, 1000)
    await prepay(compound, house, 300)
    await pay(owed, compound, house, 300)
    back = posting(compound, "void", "v")
    with pytest.raises(Conflict, match="PAYABLE_NOT_SETTLED"):
        async with database.transaction():
            await payables.give_back(
                posting(compound, "void"),
                owed,
                301,
                Account("prepayment", house),
                Account("income", compound),
            )
    for _ in range(2):
        async with database.transaction():
            await payables.give_back(
                back, owed, 300, Account("prepayment", house), Account("income", compound)
            )
    assert await ledger.balance(compound, Account("prepayment", house)) == 300
    assert await trial_balance(compound) == {
        "income": -700, "opening": 300, "prepayment": -300, "receivable": 700,
    }  # fmt: skip
    await check_books()


async def test_an_amount_stands_still_while_it_is_being_paid() -> None:
    compound, house = uuid4(), uuid4()
    owed = await payable(compound, house, 1000)
    payment = uuid4()
    await payables.hold([owed], clock.now().replace(year=2999), payment)
    await payables.release([owed], uuid4())
    with pytest.raises(Conflict, match="PAYABLE_HELD"):
        async with database.transaction():
            await payables.change(posting(compound, "late_fee"), owed, 5, Account("late_fee_income"))
    await payables.release([owed], payment)
    async with database.transaction():
        await payables.change(posting(compound, "late_fee"), owed, 5, Account("late_fee_income"))
    assert await trial_balance(compound) == {"income": -1000, "late_fee_income": -5, "receivable": 1005}
    await check_books()


async def test_what_does_not_exist_cannot_be_paid() -> None:
    with pytest.raises(NotFound, match="PAYABLE_NOT_FOUND"):
        await pay(uuid4(), uuid4(), uuid4(), 1)
