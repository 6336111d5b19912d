"""Two at once over one bill: whoever comes first, the money is right and nobody waits in a circle."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid4

import pytest

from domains.billing import permissions
from domains.billing.models import Bill, BillingRun, Correction
from domains.billing.service.assessing import follow, freeze
from domains.billing.service.at_once import bill_one_off
from domains.billing.service.corrections import (
    decide_correction,
    request_adjustment,
    request_void,
    request_waiver,
    withdraw_correction,
)
from domains.billing.service.deductions import deduct
from domains.billing.service.one_offs import cancel_one_off_charge
from domains.kernel import clock, database
from domains.kernel.errors import Conflict, DomainError
from payments.service import ledger as books
from payments.service.ledger import Account
from tests.factories import bills, charges, ledger, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

ASK, DECIDE = permissions.CORRECTIONS_REQUEST, permissions.CORRECTIONS_DECIDE
REASON = "更正"
T = TypeVar("T")
TODAY = datetime(2026, 3, 25, 4, tzinfo=UTC)
WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def meanwhile(
    first: Callable[[asyncio.Event, asyncio.Event], Awaitable[None]],
    second: Callable[[], Coroutine[object, object, T]],
) -> T:
    """What `second` comes to that began while `first` was under way, which goes on once the other waits for it."""
    locked, going = asyncio.Event(), asyncio.Event()
    before = asyncio.ensure_future(first(locked, going))
    await locked.wait()
    after = asyncio.create_task(second())
    async with asyncio.timeout(10):
        while not (after.done() or await database.fetchval(WAITING)):
            await asyncio.sleep(0.02)
    going.set()
    _, answer = await asyncio.gather(before, after)
    return answer


async def balance(scene: Scene) -> int:
    return await books.balance(scene.compound_id, Account("prepayment", scene.house_id))


async def approve(scene: Scene, correction_id: UUID) -> None:
    await decide_correction(scene.staff(DECIDE), correction_id=correction_id, approve=True)


def code(outcome: object) -> str:
    """What became of one of several; empty where it was done."""
    if isinstance(outcome, BaseException) and not isinstance(outcome, DomainError):
        raise outcome
    return outcome.code if isinstance(outcome, DomainError) else ""


async def test_two_deposits_are_paid_while_a_part_of_one_is_kept(scene: Scene) -> None:
    item = await bills.item(scene.compound_id, "deposit")
    first, second = [
        await bills.bill(scene.house_id, {item: 1_000}, month=date(2026, month, 1)) for month in (1, 2)
    ]
    await bills.pay(second, 400)
    await ledger.prepay(scene.compound_id, scene.house_id, 1_600)

    async def keep(locked: asyncio.Event, going: asyncio.Event) -> None:
        async with database.transaction():
            await database.execute("SELECT FROM bill WHERE id = $1 FOR UPDATE", second)
            locked.set()
            await going.wait()
            await follow(second)

    assert await meanwhile(keep, lambda: deduct(scene.house_id)) == 2
    assert [(await bills.state_of(each))[:3] for each in (first, second)] == [("paid", 1_000, 1_000)] * 2
    assert await ledger.trial_balance(scene.compound_id) == {
        "deposit": -2_000, "opening": 1_600, "suspense": 400,
    }  # fmt: skip
    await ledger.check_books()


async def test_a_charge_that_is_cancelled_meanwhile_is_not_billed_nor_is_another(scene: Scene) -> None:
    item = await charges.item(scene.compound_id, None, method="one_off", cycle_months=None)
    gone = await charges.one_off(scene.house_id, item, date(2026, 3, 3), 5_000)
    await charges.one_off(scene.house_id, item, date(2026, 3, 9), 700)

    async def cancel(locked: asyncio.Event, going: asyncio.Event) -> None:
        async with database.transaction():
            await cancel_one_off_charge(scene.staff(permissions.FEES_WRITE), charge_id=gone)
            locked.set()
            await going.wait()

    assert await meanwhile(cancel, lambda: billed(scene, gone)) == "ONE_OFF_OVER"
    for model in (Bill, BillingRun):
        assert not await model.exists(compound_id=scene.compound_id)
    assert await ledger.trial_balance(scene.compound_id) == {}


async def billed(scene: Scene, charge_id: UUID) -> str:
    try:
        await bill_one_off(scene.staff(permissions.RUNS_APPROVE), charge_id=charge_id)
    except Conflict as refusal:
        return refusal.code
    return ""


async def test_a_hold_that_has_ended_is_paid_by_one_of_two(scene: Scene) -> None:
    """The payer's money comes after the hold is over, as the house's own money is taken."""
    with clock.use(clock.FixedClock(TODAY)) as time:
        for month in range(1, 7):
            one = await bills.bill(scene.house_id, 1_000, month=date(2026, month, 1))
            if not await balance(scene):
                await ledger.prepay(scene.compound_id, scene.house_id, 1_000)
            async with database.transaction():
                await freeze([one], clock.today(), clock.now() + timedelta(minutes=15), uuid4())
            assert await deduct(scene.house_id) == 0
            time.advance(timedelta(minutes=15))
            own, brought = await asyncio.gather(
                deduct(scene.house_id), bills.pay(one, 1_000), return_exceptions=True
            )
            assert (own, code(brought)) in ((1, "PAYABLE_SETTLED"), (0, ""))
            async with database.transaction():
                await follow(one)
            assert await bills.state_of(one) == ("paid", 1_000, 1_000, 0, 0)
            assert await balance(scene) == (0 if own else 1_000)
    await ledger.check_books()


async def test_what_is_frozen_is_what_is_owed(scene: Scene) -> None:
    """A waiver takes effect before the amount stands still, or not at all."""
    for month in range(1, 7):
        one = await bills.bill(scene.house_id, 1_000, month=date(2026, month, 1))
        asked = await request_waiver(
            scene.staff(ASK), bill_id=one, concern="principal", amount_fen=400, reason=REASON
        )
        decided, frozen = await asyncio.gather(approve(scene, asked), held(one), return_exceptions=True)
        assert not isinstance(frozen, BaseException)
        assert (code(decided), [fen for _, fen in frozen]) in (("", [600]), ("BILL_BEING_PAID", [1_000]))
        assert (await bills.state_of(one))[1] == frozen[0][1]
    await ledger.check_books()


async def held(bill_id: UUID) -> list[tuple[UUID, int]]:
    async with database.transaction():
        return await freeze([bill_id], clock.today(), clock.now() + timedelta(hours=1), uuid4())


async def test_less_is_owed_as_it_is_paid_twice_over(scene: Scene) -> None:
    """An adjustment, a deduction and a payment at once: what was paid beyond the new amount is the house's."""
    for month in range(1, 7):
        one = await bills.bill(scene.house_id, 1_000, month=date(2026, month, 1))
        before = await balance(scene)
        await ledger.prepay(scene.compound_id, scene.house_id, 1_000)
        line = await bills.line_of(one)
        asked = await request_adjustment(scene.staff(ASK), line_id=line, amount_fen=-700, reason=REASON)
        done = await asyncio.gather(
            approve(scene, asked), deduct(scene.house_id), bills.pay(one, 200), return_exceptions=True
        )
        assert code(done[0]) == "" and code(done[2]) in ("", "PAYABLE_SETTLED")
        async with database.transaction():
            await follow(one)
        await deduct(scene.house_id)
        assert await bills.state_of(one) == ("paid", 300, 300, 0, 0)
        brought = 0 if code(done[2]) else 200
        assert await balance(scene) == before + 1_000 + brought - 300
    await ledger.check_books()


async def test_a_void_and_its_withdrawal(scene: Scene) -> None:
    asks = scene.staff(ASK)
    for month in range(1, 5):
        one = await bills.bill(scene.house_id, 1_000, month=date(2026, month, 1))
        asked = await request_void(asks, bill_id=one, reason=REASON)
        done = await asyncio.gather(
            approve(scene, asked), withdraw_correction(asks, correction_id=asked), return_exceptions=True
        )
        assert sorted(code(each) for each in done) == ["", "CORRECTION_DECIDED"]
        state = (await Correction.get(pk=asked)).state
        owed = {"approved": ("void", 0), "withdrawn": ("open", 1_000)}[state]
        assert (await bills.state_of(one))[:2] == owed
    await ledger.check_books()
