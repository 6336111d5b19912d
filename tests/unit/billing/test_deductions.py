"""Bills paid from prepayments: which, out of what money, and once however many try at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.billing import permissions
from domains.billing.models import BillingRules
from domains.billing.paying import Owed, parts_of, pay
from domains.billing.service.assessing import assess, follow, freeze
from domains.billing.service.corrections import decide_correction, request_void
from domains.billing.service.deductions import deduct, deduct_everywhere
from domains.kernel import clock, database
from domains.kernel.errors import Conflict
from payments.service import ledger as books
from payments.service import payables
from payments.service.ledger import Account
from tests.factories import bills, ledger, residents
from tests.factories.residents import Scene

TODAY = datetime(2026, 3, 25, 4, tzinfo=UTC)


def owed(number: int, fen: int, *categories: str, late: int = 0) -> Owed:
    return Owed(uuid4(), date(2026, 3, number), number, fen, late, frozenset(categories))


def paid(owed_: list[Owed], **money: int) -> list[tuple[int, dict[str, int]]]:
    balances = {"" if name == "any" else name: fen for name, fen in money.items()}
    return [(each.bill.number, dict(each.parts)) for each in pay(owed_, balances)]


def test_the_oldest_first_and_all_or_nothing() -> None:
    three = [owed(3, 50, "water"), owed(1, 100, "property"), owed(2, 80, "property")]
    assert paid(three, any=230) == [(1, {"": 100}), (2, {"": 80}), (3, {"": 50})]
    # What is left covers the third and not the second: it waits for the second.
    assert paid(three, any=170) == [(1, {"": 100})]
    assert paid(three, any=99) == []
    assert paid(three) == []


def test_the_late_fee_is_part_of_the_bill() -> None:
    assert paid([owed(1, 100, "property", late=5)], any=104) == []
    assert paid([owed(1, 100, "property", late=5)], any=105) == [(1, {"": 105})]


def test_money_for_one_purpose() -> None:
    two = [owed(1, 100, "water"), owed(2, 100, "property")]
    assert paid(two, property=100) == [(2, {"property": 100})]
    assert paid(two, property=100, any=60) == [(2, {"property": 100})]
    # Its own money before what pays anything.
    assert paid(two, property=60, any=140) == [(1, {"": 100}), (2, {"property": 60, "": 40})]
    # A bill of several categories is paid from what pays anything alone.
    assert paid([owed(1, 100, "water", "property")], property=100, water=100) == []


@given(
    st.lists(st.tuples(st.integers(1, 500), st.sampled_from(["water", "property", "both"])), max_size=8),
    st.dictionaries(st.sampled_from(["", "water", "property"]), st.integers(0, 900)),
)
def test_nothing_is_paid_twice_or_in_part(rows: list[tuple[int, str]], money: dict[str, int]) -> None:
    listed = [
        owed(number, fen, *(("water", "property") if kind == "both" else (kind,)))
        for number, (fen, kind) in enumerate(rows, 1)
    ]
    payments = pay(listed, money)
    assert all(sum(each.parts.values()) == each.bill.total_fen for each in payments)
    for pot, fen in money.items():
        assert sum(each.parts.get(pot, 0) for each in payments) <= fen
    assert all(pot in ("", *each.bill.categories) for each in payments for pot in each.parts)


def test_two_purposes_share_two_payables() -> None:
    one, two = uuid4(), uuid4()
    shares = parts_of([(one, 70), (two, 30)], {"property": 60, "": 40})
    assert shares == [("property", {one: 60}), ("", {one: 10, two: 30})]


# From here on with the books.


@pytest.fixture
async def scene(instance: object) -> Scene:
    return await residents.scene()


async def balance(scene: Scene, purpose: str = "") -> int:
    return await books.balance(scene.compound_id, Account("prepayment", scene.house_id, purpose))


async def test_bills_are_paid_with_their_late_fee(scene: Scene) -> None:
    rule = await bills.late_fee_rule(scene.compound_id)
    with clock.use(clock.FixedClock(TODAY)):
        old = await bills.bill(scene.house_id, 10_000, late_fee_rule_id=rule)
        young = await bills.bill(scene.house_id, 5_000, month=date(2026, 4, 1))
        third = await bills.bill(scene.house_id, 9_000, month=date(2026, 5, 1))
        await ledger.prepay(scene.compound_id, scene.house_id, 16_000)
        assert await deduct(scene.house_id) == 2
        assert await deduct(scene.house_id) == 0
    # Ten days of a tenth of a percent.
    assert await bills.state_of(old) == ("paid", 10_000, 10_000, 100, 100)
    assert await bills.state_of(young) == ("paid", 5_000, 5_000, 0, 0)
    assert await bills.state_of(third) == ("open", 9_000, 0, 0, 0)
    assert await balance(scene) == 900
    assert await ledger.trial_balance(scene.compound_id) == {
        "opening": 16_000, "receivable": 9_000, "prepayment": -900, "income": -24_000, "late_fee_income": -100,
    }  # fmt: skip
    await ledger.check_books()
    assert len(await residents.events("BillPaid", old)) == 1


async def test_money_that_falls_short_writes_nothing(scene: Scene) -> None:
    rule = await bills.late_fee_rule(scene.compound_id)
    with clock.use(clock.FixedClock(TODAY)):
        late = await bills.bill(scene.house_id, 10_000, late_fee_rule_id=rule)
        await ledger.prepay(scene.compound_id, scene.house_id, 10_099)
        assert await deduct(scene.house_id) == 0
    assert await bills.state_of(late) == ("open", 10_000, 0, 0, 0)
    assert await balance(scene) == 10_099


async def test_purposes_and_categories(scene: Scene) -> None:
    water, parking = [await bills.item(scene.compound_id, each) for each in ("water", "parking")]
    both = await bills.bill(scene.house_id, {water: 100, parking: 100})
    single = await bills.bill(scene.house_id, {parking: 300}, month=date(2026, 4, 1))
    await ledger.prepay(scene.compound_id, scene.house_id, 250, "parking")
    await ledger.prepay(scene.compound_id, scene.house_id, 250)
    assert await deduct(scene.house_id) == 2
    assert (await bills.state_of(both))[0] == (await bills.state_of(single))[0] == "paid"
    assert (await balance(scene, "parking"), await balance(scene)) == (0, 0)
    await ledger.check_books()


async def test_money_for_one_purpose_pays_month_after_month_and_next_door_too(scene: Scene) -> None:
    parking = await bills.item(scene.compound_id, "parking")
    paid = []
    for month in (date(2026, 4, 1), date(2026, 5, 1)):
        for house in (scene.house_id, scene.next_door_id):
            paid.append(await bills.bill(house, {parking: 300}, month=month))
            await ledger.prepay(scene.compound_id, house, 300, "parking")
            assert await deduct(house) == 1
    assert [(await bills.state_of(bill))[0] for bill in paid] == ["paid"] * 4
    assert await balance(scene, "parking") == 0
    await ledger.check_books()


async def test_passed_over(scene: Scene) -> None:
    """The developer's bills and the tenants', those being paid, and everything where the compound says so."""
    developer = await bills.bill(scene.house_id, 100, payer="developer")
    held = await bills.bill(scene.house_id, 100)
    tenant = await bills.bill(scene.house_id, 100, payer="tenant")
    mine = await bills.bill(scene.house_id, 100)
    async with database.transaction():
        frozen = await freeze([held], clock.today(), clock.now() + timedelta(minutes=15), payment := uuid4())
    await ledger.prepay(scene.compound_id, scene.house_id, 1_000)
    await BillingRules.create(compound_id=scene.compound_id, deducts_automatically=False)
    assert await deduct(scene.house_id) == 0
    await BillingRules.filter(compound_id=scene.compound_id).update(deducts_automatically=True)
    assert await deduct(scene.house_id) == 1
    states = [(await bills.state_of(each))[0] for each in (developer, tenant, held, mine)]
    assert states == ["open", "open", "open", "paid"]
    async with database.transaction():
        await payables.release([id for id, _ in frozen], payment)
    done = await deduct_everywhere()
    assert (done["bills"], (await bills.state_of(held))[0]) == (1, "paid")
    assert await deduct(uuid4()) == 0


async def test_twice_at_once(scene: Scene) -> None:
    ids = [await bills.bill(scene.house_id, 1_000, month=date(2026, each, 1))
           for each in (1, 2, 3)]  # fmt: skip
    await ledger.prepay(scene.compound_id, scene.house_id, 2_500)
    assert sum(await asyncio.gather(*(deduct(scene.house_id) for _ in range(6)))) == 2
    assert [(await bills.state_of(each))[2] for each in ids] == [1_000, 1_000, 0]
    assert await balance(scene) == 500
    await ledger.check_books()


async def test_again_after_it_was_taken_back(scene: Scene) -> None:
    one = await bills.bill(scene.house_id, 1_000)
    await ledger.prepay(scene.compound_id, scene.house_id, 1_000)
    assert await deduct(scene.house_id) == 1
    journal = await database.fetchval(
        "SELECT s.journal_id FROM settlement s JOIN payable p ON p.id = s.payable_id WHERE p.subject_id = $1",
        one,
    )
    async with database.transaction():
        await payables.take_back(ledger.posting(scene.compound_id, "reversal"), journal)
        await follow(one)
    assert await bills.state_of(one) == ("open", 1_000, 0, 0, 0)
    assert await balance(scene) == 1_000
    assert await deduct(scene.house_id) == 1
    assert await bills.state_of(one) == ("paid", 1_000, 1_000, 0, 0)
    await ledger.check_books()


async def test_deduction_and_void_at_once(scene: Scene) -> None:
    """Whichever comes first: nothing stays owed, and the house has all its money."""
    asks, decides = (
        scene.staff(each) for each in (permissions.CORRECTIONS_REQUEST, permissions.CORRECTIONS_DECIDE)
    )
    for month in range(1, 7):
        one = await bills.bill(scene.house_id, 1_000, month=date(2026, month, 1))
        if month == 1:
            await ledger.prepay(scene.compound_id, scene.house_id, 1_000)
        asked = await request_void(asks, bill_id=one, reason="重复出账")
        await asyncio.gather(
            deduct(scene.house_id), decide_correction(decides, correction_id=asked, approve=True)
        )
        assert await bills.state_of(one) == ("void", 0, 0, 0, 0)
        assert await balance(scene) == 1_000
    await ledger.check_books()
    assert await ledger.trial_balance(scene.compound_id) == {"opening": 1_000, "prepayment": -1_000}


async def test_frozen_while_it_is_paid(scene: Scene) -> None:
    rule = await bills.late_fee_rule(scene.compound_id)
    with clock.use(clock.FixedClock(TODAY)) as time:
        one = await bills.bill(scene.house_id, 10_000, late_fee_rule_id=rule)
        async with database.transaction():
            frozen = await freeze([one], clock.today(), clock.now() + timedelta(days=3), payment := uuid4())
        assert sorted(fen for _, fen in frozen) == [100, 10_000]
        with pytest.raises(Conflict, match="BILL_BEING_PAID"):
            async with database.transaction():
                await freeze([one], clock.today(), clock.now() + timedelta(days=3), uuid4())
        time.advance(timedelta(days=2))
        async with database.transaction():
            await assess([one], clock.today())
        assert await bills.state_of(one) == ("open", 10_000, 0, 100, 0)
        async with database.transaction():
            await payables.release([id for id, _ in frozen], payment)
            await assess([one], clock.today())
            await assess([one], clock.today())
        assert await bills.state_of(one) == ("open", 10_000, 0, 120, 0)
    await ledger.check_books()
    assert await _journals(one) == 2


async def test_two_freeze_at_once(scene: Scene) -> None:
    rule = await bills.late_fee_rule(scene.compound_id)
    one = await bills.bill(scene.house_id, 10_000, late_fee_rule_id=rule, due_on=clock.today() - timedelta(days=5),
                           month=date(2026, 1, 1), issued_on=date(2026, 1, 1))  # fmt: skip

    async def try_it() -> bool:
        try:
            async with database.transaction():
                await freeze([one], clock.today(), clock.now() + timedelta(minutes=5), uuid4())
        except Conflict:
            return False
        return True

    assert sum(await asyncio.gather(*(try_it() for _ in range(4)))) == 1
    assert (await bills.state_of(one))[3] == 50
    await ledger.check_books()


async def test_assessed_at_once_it_is_borne_once(scene: Scene) -> None:
    rule = await bills.late_fee_rule(scene.compound_id)
    one = await bills.bill(scene.house_id, 10_000, late_fee_rule_id=rule)

    async def write() -> None:
        async with database.transaction():
            await assess([one], date(2026, 3, 25))

    await asyncio.gather(*(write() for _ in range(4)))
    assert await bills.state_of(one) == ("open", 10_000, 0, 100, 0)
    await ledger.check_books()


async def _journals(bill_id: UUID) -> int:
    return int(
        await database.fetchval(
            "SELECT count(DISTINCT e.journal_id) FROM entry e JOIN payable p ON p.id = e.payable_id "
            "WHERE p.subject_id = $1 AND p.subject_type = 'late_fee'",
            bill_id,
        )
    )
