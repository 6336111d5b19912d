"""Promises to pay: kept or broken by what was paid, one at a time, recorded by who may."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from domains.billing import permissions
from domains.billing.models import PaymentPromise
from domains.billing.queries import promises as queries
from domains.billing.service.promises import record_promise, withdraw_promise
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.errors import Conflict, DomainError, Invalid, NotFound
from payments.service import payables
from tests.factories import bills, dunning, guards, ledger, residents
from tests.factories.residents import CALLERS, Scene

pytestmark = pytest.mark.usefixtures("instance")

TODAY, DAY = date(2026, 4, 10), timedelta(days=1)


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


@pytest.fixture
async def keeper(scene: Scene) -> Actor:
    return await guards.guard(scene, permissions.DUNNING_WRITE, permissions.BILLS_READ)


async def promised(
    keeper: Actor, house_id: UUID, fen: int | None = None, day: date = TODAY + 5 * DAY
) -> UUID:
    with clock.use(dunning.on(TODAY)):
        return await record_promise(keeper, house_id=house_id, promised_on=day, amount_fen=fen)


async def state(keeper: Actor, id: UUID, day: date) -> tuple[str, int]:
    with clock.use(dunning.on(day)):
        found = (await queries.by_id(keeper, [id]))[id]
    return found.state, found.paid_fen


async def paid(bill_id: UUID, fen: int, day: date) -> UUID:
    """An hour after the promise, at the earliest."""
    moment = dunning.on(day)
    moment.advance(timedelta(hours=1))
    with clock.use(moment):
        return await bills.pay(bill_id, fen, day)


async def test_an_amount_is_kept_by_what_was_paid_in_time(scene: Scene, keeper: Actor) -> None:
    bill_id = await bills.bill(scene.house_id, 100_00)
    with clock.use(dunning.on(TODAY - DAY)):
        await bills.pay(bill_id, 20_00, TODAY - DAY)
    id = await promised(keeper, scene.house_id, 50_00)
    assert await state(keeper, id, TODAY) == ("open", 0)
    await paid(bill_id, 30_00, TODAY)
    assert await state(keeper, id, TODAY + 5 * DAY) == ("open", 30_00)
    assert await state(keeper, id, TODAY + 6 * DAY) == ("broken", 30_00)
    await paid(bill_id, 20_00, TODAY + 5 * DAY)
    assert await state(keeper, id, TODAY + 5 * DAY) == ("kept", 50_00)
    await paid(bill_id, 10_00, TODAY + 6 * DAY)
    assert await state(keeper, id, TODAY + 9 * DAY) == ("kept", 50_00)


async def test_a_promise_of_all_is_kept_when_nothing_is_left(scene: Scene, keeper: Actor) -> None:
    old, other = await bills.bill(scene.house_id, 100_00), await bills.bill(scene.house_id, 40_00)
    id = await promised(keeper, scene.house_id)
    await bills.bill(scene.house_id, 60_00, month=date(2026, 5, 1))
    await paid(old, 100_00, TODAY + DAY)
    assert await state(keeper, id, TODAY + 6 * DAY) == ("broken", 100_00)
    await paid(other, 40_00, TODAY + 5 * DAY)
    # What was billed later was not promised.
    assert await state(keeper, id, TODAY + 6 * DAY) == ("kept", 140_00)


async def test_what_is_taken_back_was_not_paid(scene: Scene, keeper: Actor) -> None:
    bill_id = await bills.bill(scene.house_id, 100_00)
    id = await promised(keeper, scene.house_id, 100_00)
    journal = await paid(bill_id, 100_00, TODAY + DAY)
    assert await state(keeper, id, TODAY + DAY) == ("kept", 100_00)
    with clock.use(dunning.on(TODAY + 2 * DAY)):
        async with database.transaction():
            await payables.take_back(ledger.posting(scene.compound_id, "reversal"), journal)
    assert await state(keeper, id, TODAY + 2 * DAY) == ("open", 0)


async def test_one_at_a_time_and_withdrawn(scene: Scene, keeper: Actor) -> None:
    await bills.bill(scene.house_id, 100_00)
    with clock.use(dunning.on(TODAY)):
        done = await asyncio.gather(
            *(record_promise(keeper, house_id=scene.house_id, promised_on=TODAY) for _ in range(4)),
            return_exceptions=True,
        )
    made = [each for each in done if isinstance(each, UUID)]
    assert len(made) == 1
    assert {each.code for each in done if isinstance(each, Conflict)} == {"PROMISE_OPEN"}
    with clock.use(dunning.on(TODAY)):
        await withdraw_promise(keeper, promise_id=made[0])
        with pytest.raises(Conflict) as refusal:
            await withdraw_promise(keeper, promise_id=made[0])
    assert refusal.value.code == "PROMISE_OVER"
    assert (await state(keeper, made[0], TODAY))[0] == "withdrawn"
    again = await promised(keeper, scene.house_id)
    with clock.use(dunning.on(TODAY + 6 * DAY)), pytest.raises(Conflict) as refusal:
        await withdraw_promise(keeper, promise_id=again)
    assert refusal.value.code == "PROMISE_OVER"


@pytest.mark.parametrize(
    ("day", "fen", "code"),
    [
        (TODAY - DAY, None, "PROMISE_DAY"), (TODAY + 91 * DAY, None, "PROMISE_DAY"), (TODAY, 0, "AMOUNT_INVALID"),
        (TODAY, -5, "AMOUNT_INVALID"), (TODAY, 2**53, "AMOUNT_OUT_OF_RANGE"),
    ],
)  # fmt: skip
async def test_promises_that_cannot_be(
    scene: Scene, keeper: Actor, day: date, fen: int | None, code: str
) -> None:
    await bills.bill(scene.house_id, 100_00)
    with pytest.raises(Invalid) as refusal:
        await promised(keeper, scene.house_id, fen, day)
    assert refusal.value.code == code
    assert await PaymentPromise.filter(house_id=scene.house_id).count() == 0


async def test_where_nothing_is_owed_nothing_is_promised(scene: Scene, keeper: Actor) -> None:
    with pytest.raises(Conflict) as refusal:
        await promised(keeper, scene.house_id)
    assert refusal.value.code == "NOTHING_OWED"
    with pytest.raises(NotFound):
        await promised(keeper, uuid4())
    with pytest.raises(NotFound):
        await withdraw_promise(keeper, promise_id=uuid4())


@pytest.mark.parametrize("kind", [kind for kind in CALLERS if kind != "staff"])
async def test_others_record_withdraw_and_read_nothing(scene: Scene, keeper: Actor, kind: str) -> None:
    await bills.bill(scene.house_id, 100_00)
    id = await promised(keeper, scene.house_id)
    granted = permissions.DUNNING_WRITE, permissions.BILLS_READ
    caller = await residents.caller(scene, kind, *granted)
    if kind == "staff of another building":
        caller = residents.staff(*granted, compound_id=scene.compound_id, building_id=scene.other_building_id)
    await bills.bill(scene.next_door_id, 100_00)
    for attempt in (
        record_promise(caller, house_id=scene.next_door_id, promised_on=clock.today()),
        withdraw_promise(caller, promise_id=id),
    ):
        with pytest.raises(DomainError) as refusal:
            await attempt
        assert refusal.value.code in ("FORBIDDEN", "UNAUTHENTICATED")
    assert await queries.by_id(caller, [id]) == {}
    if kind == "staff of another building":
        assert await queries.for_staff(caller, scene.compound_id, None, after=None, limit=9) == []
    else:
        with pytest.raises(DomainError):
            await queries.for_staff(caller, scene.compound_id, None, after=None, limit=9)
    assert await PaymentPromise.filter(compound_id=scene.compound_id, withdrawn_at=None).count() == 1


async def test_the_list_by_state_and_page(scene: Scene, keeper: Actor) -> None:
    for house_id, day in ((scene.house_id, 1), (scene.next_door_id, 2), (scene.far_house_id, 3)):
        await bills.bill(house_id, 100_00)
        await promised(keeper, house_id, day=TODAY + day * DAY)
    with clock.use(dunning.on(TODAY + 3 * DAY)):
        async with database.counted() as statements:
            first = await queries.for_staff(keeper, scene.compound_id, None, after=None, limit=2)
        after = first[-1].promised_on, first[-1].id
        rest = await queries.for_staff(keeper, scene.compound_id, None, after=after, limit=2)
        broken = await queries.for_staff(keeper, scene.compound_id, "broken", after=None, limit=9)
        assert await queries.count(keeper, scene.compound_id, "broken") == 2
        assert await queries.count(keeper, scene.compound_id, "withdrawn") == 0
    assert [row.house_id for row in (*first, *rest)] == [
        scene.far_house_id,
        scene.next_door_id,
        scene.house_id,
    ]
    assert [row.state for row in first] == ["open", "broken"]
    assert [row.house_id for row in broken] == [scene.next_door_id, scene.house_id]
    # The list and its row of the audit.
    assert statements.count == 2, statements.texts
