"""What the people of a house see of its payments: their own, and what was paid of bills that are theirs, whoever lives,
lived or will live there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from domains.billing import permissions as billing
from domains.billing.queries import house_payments
from domains.billing.service.bill_payments import Way, pay_bills
from domains.billing.service.deductions import deduct
from domains.billing.service.desk_payments import Charge, record_desk_payment, show_code_to_pay
from domains.kernel import clock, database
from domains.kernel.actor import Capacity
from domains.residents.models import Occupancy
from payments import permissions
from payments.queries.orders import Payment
from payments.service import desk, intake
from payments.service.refund_requests import RefundPart, request_refund
from tests.factories import bills as made
from tests.factories import ledger, residents
from tests.factories.channel import ScriptedChannel, channel_of
from tests.factories.residents import CALLERS, Occupant, Scene

pytestmark = pytest.mark.usefixtures("instance")

OWNER, FAMILY, TENANT = "张建国", "张小妹", "赵租客"
SOLD = date(2026, 4, 10)
MARCH, APRIL, MAY = (date(2026, month, 1) for month in (3, 4, 5))
EVERYTHING = (*permissions.LABELS, billing.BILLS_READ)


@pytest.fixture
def channel() -> Iterator[ScriptedChannel]:
    with channel_of(ScriptedChannel()) as scripted:
        yield scripted


@pytest.fixture
async def scene() -> Scene:
    """Everybody of it was there before any bill; by the register, which does not say since when."""
    there = await residents.scene()
    await Occupancy.filter(compound_id=there.compound_id).update(recorded_at=datetime(2026, 1, 1, tzinfo=UTC))
    return there


async def joins(scene: Scene, name: str, capacity: Capacity = "owner") -> Occupant:
    who = await residents.occupant(scene.house_id, capacity, name)
    recorded_at = datetime(SOLD.year, SOLD.month, SOLD.day, 4, tzinfo=UTC)
    await Occupancy.filter(pk=who.occupancy_id).update(since_on=SOLD, recorded_at=recorded_at)
    return who


async def leaves(who: Occupant) -> None:
    at = datetime(SOLD.year, SOLD.month, SOLD.day, 3, tzinfo=UTC)
    await Occupancy.filter(pk=who.occupancy_id).update(ended_at=at, end_reason="过户")


async def bill(scene: Scene, month: date = MARCH, payer: str = "owner", **more: Any) -> UUID:  # Any: columns
    """One that is not overdue yet."""
    columns = {"due_on": clock.today(), **more}
    return await made.bill(scene.house_id, 10_000, month=month, payer=payer, **columns)


async def taken(scene: Scene, *bill_ids: UUID, ahead_fen: int = 0, house: UUID | None = None) -> UUID:
    """What was taken at the desk in cash."""
    charge = Charge(house or scene.house_id, bill_ids, top_up_fen=ahead_fen)
    return await record_desk_payment(scene.staff(*EVERYTHING), charge=charge, method="cash")


async def deducted(scene: Scene, bill_id: UUID) -> UUID:
    """What the house's own money paid of a bill."""
    await ledger.prepay(scene.compound_id, scene.house_id, 10_000)
    assert await deduct(scene.house_id) == 1
    statement = """
SELECT i.order_id FROM payment_item i JOIN payable p ON p.id = i.payable_id WHERE p.subject_id = $1"""
    return UUID(str(await database.fetchval(statement, bill_id)))


async def page(who: Occupant, limit: int = 50, after: UUID | None = None) -> list[Payment]:
    actor = await residents.resident(who.account_id)
    return await house_payments.own(
        actor, states=None, after=None if after is None else (after,), limit=limit
    )


async def readers(scene: Scene, payment: UUID, *others: Occupant) -> set[str]:
    """The names of those who see a payment in their list, by its id, and by its refund: each time the same."""
    found = set[str]()
    for who in (scene.owner, scene.family, scene.tenant, scene.neighbour, *others):
        listed = payment in {each.id for each in await page(who)}
        actor = await residents.resident(who.account_id)
        assert listed == (payment in await house_payments.by_id(actor, [payment]))
        if listed:
            found.add(who.name)
    return found


class TestWhatIsSeen:
    async def test_what_the_houses_money_paid(self, scene: Scene) -> None:
        payment = await deducted(scene, await bill(scene))
        assert await readers(scene, payment) == {OWNER, FAMILY}
        [seen] = await page(scene.owner)
        assert (seen.channel, seen.amount_fen, seen.state) == ("balance", 10_000, "paid")

    async def test_what_was_paid_at_the_desk_also_once_it_was_taken_back(self, scene: Scene) -> None:
        owners, tenants = (
            await taken(scene, await bill(scene)),
            await taken(scene, await bill(scene, payer="tenant")),
        )
        assert await readers(scene, owners) == {OWNER, FAMILY}
        assert await readers(scene, tenants) == {TENANT}
        await desk.void_desk_payment(scene.staff(*EVERYTHING), payment_id=owners, reason="收错了户")
        assert await readers(scene, owners) == {OWNER, FAMILY}
        assert [each.state for each in await page(scene.owner)] == ["voided"]

    async def test_what_was_paid_by_a_code_at_the_desk_once_it_is_paid(
        self, scene: Scene, channel: ScriptedChannel
    ) -> None:
        charge = Charge(scene.house_id, [await bill(scene)])
        payment = await show_code_to_pay(scene.staff(*EVERYTHING), charge=charge, channel="alipay")
        assert await readers(scene, payment) == set()
        [number] = channel.trades
        await intake.take_notification(channel, {}, channel.pay(number))
        assert await readers(scene, payment) == {OWNER, FAMILY}

    async def test_what_a_phone_paid_is_that_persons_alone(
        self, scene: Scene, channel: ScriptedChannel
    ) -> None:
        owner = await residents.resident(scene.owner.account_id)
        payment = await pay_bills(owner, bill_ids=[await bill(scene)], way=Way("alipay", "h5"))
        assert await readers(scene, payment) == {OWNER}
        [number] = channel.trades
        await intake.take_notification(channel, {}, channel.pay(number))
        assert await readers(scene, payment) == {OWNER}

    async def test_what_was_paid_ahead_at_the_desk_is_the_owners(self, scene: Scene) -> None:
        assert await readers(scene, await taken(scene, ahead_fen=500)) == {OWNER, FAMILY}

    async def test_all_of_a_payment_or_nothing_of_it(self, scene: Scene) -> None:
        mine, theirs = await bill(scene), await bill(scene, payer="tenant")
        assert await readers(scene, await taken(scene, mine, theirs)) == set()
        ahead = await taken(scene, await bill(scene, APRIL, "tenant"), ahead_fen=500)
        assert await readers(scene, ahead) == set()

    async def test_what_owners_answer_for_is_paid_for_them_to_see(self, scene: Scene) -> None:
        """A tenant's bill that is long overdue is opened by the owner too, as is what is then paid of it."""
        late = await bill(scene, payer="tenant", due_on=date(2026, 3, 15))
        assert await readers(scene, await taken(scene, late)) == {OWNER, TENANT}

    async def test_what_is_paid_next_door_is_seen_next_door(self, scene: Scene) -> None:
        await Occupancy.filter(pk=scene.neighbour.occupancy_id).update(since_on=date(2020, 1, 1))
        theirs = await made.bill(scene.next_door_id, 10_000, month=MARCH)
        payment = await taken(scene, theirs, house=scene.next_door_id)
        assert await readers(scene, payment) == {"钱邻居"}


class TestSale:
    async def test_each_owner_sees_what_was_paid_of_their_own_time(self, scene: Scene) -> None:
        buyer = await joins(scene, "孙买家")
        await leaves(scene.owner)
        march, across, may = [await taken(scene, await bill(scene, month)) for month in (MARCH, APRIL, MAY)]
        assert await readers(scene, march, buyer) == {OWNER}
        assert await readers(scene, across, buyer) == {OWNER, "孙买家"}
        assert await readers(scene, may, buyer) == {"孙买家"}

    async def test_money_ahead_is_seen_by_who_has_the_house(self, scene: Scene) -> None:
        before = await taken(scene, ahead_fen=500)
        sold_on = clock.today()
        buyer = await residents.occupant(scene.house_id, "owner", "孙买家")
        await Occupancy.filter(pk=buyer.occupancy_id).update(since_on=date(9999, 1, 1))
        assert await readers(scene, before, buyer) == {OWNER, FAMILY}
        await Occupancy.filter(pk=scene.owner.occupancy_id).update(ended_at=clock.now(), end_reason="过户")
        await Occupancy.filter(pk=buyer.occupancy_id).update(since_on=sold_on)
        after = await taken(scene, ahead_fen=600)
        assert OWNER not in await readers(scene, before, buyer)
        assert await readers(scene, after, buyer) == {"孙买家"}

    async def test_a_bill_that_names_who_sold_is_paid_for_them_to_see(self, scene: Scene) -> None:
        buyer = await joins(scene, "孙买家")
        await leaves(scene.owner)
        person = scene.owner.person_id
        year = await bill(scene, person_id=person, covers_until=date(2027, 3, 1))
        assert await readers(scene, await taken(scene, year), buyer) == {OWNER}

    async def test_a_bill_that_names_somebody_without_the_house_is_theirs(self, scene: Scene) -> None:
        newcomer = await residents.newcomer()
        person = await residents.person(scene.compound_id, "李新民", account_id=newcomer.id)
        payment = await taken(scene, await bill(scene, person_id=person))
        seen = await house_payments.own(newcomer, states=None, after=None, limit=9)
        assert (
            [each.id for each in seen] == [payment] == list(await house_payments.by_id(newcomer, [payment]))
        )


@pytest.mark.parametrize("kind", CALLERS)
async def test_who_sees_what_was_paid_at_the_desk_and_what_is_refunded_of_it(scene: Scene, kind: str) -> None:
    payment = await taken(scene, await bill(scene))
    item = await database.fetchval("SELECT id FROM payment_item WHERE order_id = $1", payment)
    refund = await request_refund(
        scene.staff(*EVERYTHING), payment_id=payment, parts=[RefundPart(item, 1)], reason="多收"
    )
    actor = await residents.caller(scene, kind, permissions.PAYMENTS_READ)
    seen = kind in ("owner", "family", "staff")
    assert list(await house_payments.by_id(actor, [payment])) == [payment] * seen
    assert list(await house_payments.refunds_by_id(actor, [refund])) == [refund] * seen
    stream = house_payments.follow(actor, payment)
    assert (await anext(stream, None) is not None) == seen
    await stream.aclose()


async def test_pages_go_on_where_they_ended_and_cost_one_statement(
    scene: Scene, channel: ScriptedChannel
) -> None:
    owner = await residents.resident(scene.owner.account_id)
    expected = list[UUID]()
    for month in range(1, 6):
        owed = [await bill(scene, date(2026, month, 1)) for _ in range(3)]
        expected.append(await taken(scene, owed[0]))
        expected.append(await pay_bills(owner, bill_ids=[owed[1]], way=Way("alipay", "h5")))
        expected.append(await taken(scene, owed[2]))
    read, after = list[UUID](), None
    while True:
        async with database.counted() as statements:
            part = await house_payments.own(owner, states=None, after=after, limit=4)
        assert statements.count == 1
        read += [each.id for each in part]
        if len(part) < 4:
            break
        after = (part[-1].id,)
    assert read == sorted(expected, reverse=True)
    paid = await house_payments.own(owner, states=["paid"], after=None, limit=50)
    assert [each.id for each in paid] == [
        each for each in read if each in set(expected[0::3] + expected[2::3])
    ]
