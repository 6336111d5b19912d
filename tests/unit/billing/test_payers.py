"""Who sees a bill and who is told of it: the same people, whoever lives, lived or will live in the house."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domains.billing import permissions
from domains.billing.bill_models import Bill
from domains.billing.events import BillsIssued
from domains.billing.payers import together
from domains.billing.queries import accounts, arrears, bills
from domains.billing.service.dunning import remind_now
from domains.kernel import clock, database
from domains.kernel.actor import Capacity
from domains.kernel.errors import Forbidden
from domains.residents.models import Occupancy
from tests.factories import bills as made
from tests.factories import dunning as days
from tests.factories import guards, relaying, residents
from tests.factories.residents import Occupant, Scene

pytestmark = pytest.mark.usefixtures("instance")

TODAY = date(2026, 6, 10)
SOLD = date(2026, 4, 10)
MARCH, APRIL, MAY = (date(2026, month, 1) for month in (3, 4, 5))
BOUGHT_LATER = datetime(2026, 4, 10, 4, tzinfo=UTC)


@pytest.fixture
async def scene() -> Scene:
    """Everybody of it was there before any bill; by the register, which does not say since when."""
    there = await residents.scene()
    await Occupancy.filter(compound_id=there.compound_id).update(recorded_at=datetime(2026, 1, 1, tzinfo=UTC))
    return there


async def joins(
    scene: Scene,
    name: str,
    capacity: Capacity = "owner",
    *,
    since: date | None = SOLD,
    recorded_at: datetime = BOUGHT_LATER,
) -> Occupant:
    who = await residents.occupant(scene.house_id, capacity, name)
    await Occupancy.filter(pk=who.occupancy_id).update(since_on=since, recorded_at=recorded_at)
    return who


async def leaves(who: Occupant, on: date = SOLD) -> None:
    at = datetime(on.year, on.month, on.day, 3, tzinfo=UTC)
    await Occupancy.filter(pk=who.occupancy_id).update(ended_at=at, end_reason="过户")


async def bill(
    scene: Scene, month: date, payer: str = "owner", *, due_on: date = TODAY - timedelta(days=5), **more: Any
) -> UUID:  # Any: columns
    return await made.bill(scene.house_id, 100_00, month=month, payer=payer, due_on=due_on, **more)


async def readers(scene: Scene, bill_id: UUID, *others: Occupant) -> set[str]:
    """The names of those who read a bill by its id, in their list, and among what is due: each time the same."""
    found = set[str]()
    for who in (scene.owner, scene.family, scene.tenant, scene.neighbour, *others):
        with clock.use(days.on(TODAY)):
            actor = await residents.resident(who.account_id)
            by_id = bill_id in await bills.by_id(actor, [bill_id])
            page = await bills.own(actor, states=None, house_ids=None, after=None, limit=50)
            due = await bills.due(actor)
        assert by_id == (bill_id in {each.id for each in page})
        assert (0 if due is None else due.count) == sum(each.outstanding_fen > 0 for each in page)
        if by_id:
            found.add(who.name)
    return found


OWNER, FAMILY, TENANT, NEIGHBOUR = "张建国", "张小妹", "赵租客", "钱邻居"


class TestSale:
    async def test_each_owner_has_the_bills_of_their_own_time(self, scene: Scene) -> None:
        buyer = await joins(scene, "孙买家")
        await leaves(scene.owner)
        march, across, may = [await bill(scene, month) for month in (MARCH, APRIL, MAY)]
        assert await readers(scene, march, buyer) == {OWNER}
        assert await readers(scene, across, buyer) == {OWNER, "孙买家"}
        assert await readers(scene, may, buyer) == {"孙买家"}

    async def test_a_bill_that_names_who_sold_is_not_the_buyers(self, scene: Scene) -> None:
        """A year's bill in advance reaches far into the buyer's time."""
        buyer = await joins(scene, "孙买家")
        await leaves(scene.owner)
        person = scene.owner.person_id
        year = await bill(scene, MARCH, person_id=person, covers_until=date(2027, 3, 1))
        assert await readers(scene, year, buyer) == {OWNER}

    async def test_a_register_that_does_not_say_since_when_begins_with_the_sale(self, scene: Scene) -> None:
        buyer = await joins(scene, "孙买家", since=None)
        await leaves(scene.owner)
        march, may = await bill(scene, MARCH), await bill(scene, MAY)
        assert await readers(scene, march, buyer) == {OWNER}
        assert await readers(scene, may, buyer) == {"孙买家"}

    async def test_who_left_days_after_the_buyer_came_shows_nothing_more(self, scene: Scene) -> None:
        buyer = await joins(scene, "孙买家", since=None)
        await leaves(scene.owner, SOLD + timedelta(days=40))
        assert await readers(scene, await bill(scene, MARCH), buyer) == {OWNER}

    async def test_a_wrong_binding_of_some_days_reads_nothing(self, scene: Scene) -> None:
        wrong = await joins(scene, "周误绑", since=date(2026, 3, 10))
        await leaves(wrong, date(2026, 3, 13))
        for month in (MARCH, APRIL):
            assert await readers(scene, await bill(scene, month), wrong) == {OWNER, FAMILY}


class TestOwners:
    async def test_unknown_since_is_always(self, scene: Scene) -> None:
        old = await bill(scene, date(2019, 1, 1))
        assert await readers(scene, old) == {OWNER, FAMILY}

    async def test_co_owners_read_what_names_one_of_them(self, scene: Scene) -> None:
        wife = await joins(scene, "李同住", since=MARCH)
        named = {
            month: await bill(scene, month, person_id=scene.owner.person_id)
            for month in (date(2026, 2, 1), MARCH)
        }
        assert await readers(scene, named[MARCH], wife) == {OWNER, FAMILY, "李同住"}
        assert await readers(scene, named[date(2026, 2, 1)], wife) == {OWNER, FAMILY}

    async def test_somebody_of_no_house_who_is_named_reads_it_alone(self, scene: Scene) -> None:
        for payer in ("owner", "tenant", "developer"):
            named = await bill(scene, MARCH, payer, person_id=scene.neighbour.person_id)
            assert await readers(scene, named) == {NEIGHBOUR}
        assert await readers(scene, await bill(scene, MARCH, "developer")) == set()


class TestFamily:
    async def test_nothing_once_their_owner_is_gone(self, scene: Scene) -> None:
        march = await bill(scene, MARCH)
        assert await readers(scene, march) == {OWNER, FAMILY}
        await leaves(scene.owner)
        assert await readers(scene, march) == {OWNER}

    async def test_they_do_not_pass_to_the_buyer(self, scene: Scene) -> None:
        buyer = await joins(scene, "孙买家")
        await leaves(scene.owner)
        child = await joins(scene, "孙小小", "family")
        assert await readers(scene, await bill(scene, MAY), buyer, child) == {"孙买家", "孙小小"}

    async def test_one_of_two_owners_is_enough(self, scene: Scene) -> None:
        wife = await joins(scene, "李同住", since=None, recorded_at=datetime(2026, 1, 1, tzinfo=UTC))
        await leaves(scene.owner)
        assert await readers(scene, await bill(scene, MAY), wife) == {FAMILY, "李同住"}

    async def test_recorded_before_an_owner_who_signed_up_later(self, scene: Scene) -> None:
        await Occupancy.filter(pk=scene.owner.occupancy_id).update(recorded_at=BOUGHT_LATER)
        assert await readers(scene, await bill(scene, MAY)) == {OWNER, FAMILY}

    async def test_the_houses_money_neither(self, scene: Scene) -> None:
        family = await residents.resident(scene.family.account_id)
        assert (await accounts.own(family, scene.house_id)).since is None
        assert await accounts.own_first(family) == await accounts.own(family, scene.house_id)
        assert await accounts.own_first(await residents.resident(scene.tenant.account_id)) is None
        await leaves(scene.owner)
        for who in (scene.family, scene.owner):
            assert await accounts.own_first(await residents.resident(who.account_id)) is None
        for who in (scene.family, scene.owner):
            with pytest.raises(Forbidden):
                await accounts.own(await residents.resident(who.account_id), scene.house_id)


class TestTenants:
    async def test_each_tenant_has_the_bills_of_their_own_time(self, scene: Scene) -> None:
        await Occupancy.filter(pk=scene.tenant.occupancy_id).update(lease_until_on=SOLD - timedelta(days=1))
        after = await joins(scene, "吴后租", "tenant")
        march, may = await bill(scene, MARCH, "tenant"), await bill(scene, MAY, "tenant")
        assert await readers(scene, march, after) == {TENANT}
        assert await readers(scene, may, after) == {"吴后租"}

    async def test_what_names_a_tenant_is_theirs_alone(self, scene: Scene) -> None:
        other = await joins(scene, "吴合租", "tenant", since=None)
        shared = await bill(scene, MAY, "tenant")
        named = await bill(scene, MAY, "tenant", person_id=scene.tenant.person_id)
        assert await readers(scene, shared, other) == {TENANT, "吴合租"}
        assert await readers(scene, named, other) == {TENANT}

    async def test_owners_open_what_they_answer_for(self, scene: Scene) -> None:
        """From the thirtieth day on, and for ever; not what was paid before, nor what was taken back."""
        soon, late, paid, void = [
            await bill(scene, MARCH, "tenant", due_on=TODAY - timedelta(days=each)) for each in (29, 30, 90, 90)
        ]  # fmt: skip
        in_time = datetime(2026, 3, 20, tzinfo=UTC)
        await Bill.filter(pk=paid).update(state="paid", paid_at=in_time)
        await Bill.filter(pk=void).update(state="void")
        await database.execute(
            "UPDATE payable SET settled_fen = due_fen WHERE subject_id = ANY($1::uuid[])", [paid, void]
        )
        read = {each: await readers(scene, each) for each in (soon, late, paid, void)}
        assert read == {soon: {TENANT}, late: {OWNER, TENANT}, paid: {TENANT}, void: {TENANT}}
        await Bill.filter(pk=late).update(state="paid", paid_at=datetime(2026, 6, 10, tzinfo=UTC))
        await database.execute("UPDATE payable SET settled_fen = due_fen WHERE subject_id = $1", late)
        assert await readers(scene, late) == {OWNER, TENANT}


Change = Callable[[Scene], Awaitable[list[Occupant]]]


async def as_they_are(_: Scene) -> list[Occupant]:
    return []


async def sold(scene: Scene) -> list[Occupant]:
    buyer = await joins(scene, "孙买家")
    await leaves(scene.owner)
    return [buyer, await joins(scene, "孙小小", "family")]


async def imported_anew(scene: Scene) -> list[Occupant]:
    buyer = await joins(scene, "孙买家", since=None)
    await leaves(scene.owner)
    return [buyer]


async def let_again(scene: Scene) -> list[Occupant]:
    await Occupancy.filter(pk=scene.tenant.occupancy_id).update(lease_until_on=SOLD)
    return [await joins(scene, "吴后租", "tenant", since=SOLD + timedelta(days=1))]


async def with_co_owners(scene: Scene) -> list[Occupant]:
    return [await joins(scene, "李同住", since=MARCH), await joins(scene, "周分手", since=MARCH)]


async def empty(scene: Scene) -> list[Occupant]:
    for who in (scene.owner, scene.tenant):
        await leaves(who)
    return []


@pytest.mark.parametrize("change", [as_they_are, sold, imported_anew, let_again, with_co_owners, empty])
async def test_told_are_those_who_may_open_it(scene: Scene, change: Change) -> None:
    """Of a new bill and by a reminder: nobody is told of what they may not open, and everybody who may is told."""
    others = await change(scene)
    person = scene.owner.person_id
    all_bills = [
        await bill(scene, month, payer, due_on=TODAY - timedelta(days=late))
        for month in (MARCH, APRIL, MAY) for payer in ("owner", "tenant", "developer") for late in (5, 40)
    ]  # fmt: skip
    all_bills += [await bill(scene, month, person_id=person) for month in (MARCH, MAY)]
    keeper = await guards.guard(scene, permissions.DUNNING_WRITE)
    read = {one: await readers(scene, one, *others) for one in all_bills}
    with clock.use(days.on(TODAY)):
        await relaying.record(BillsIssued(uuid4(), scene.compound_id, tuple(all_bills)))
        await remind_now(keeper, house_id=scene.house_id)
        await relaying.deliver()
    for who in (scene.owner, scene.family, scene.tenant, scene.neighbour, *others):
        theirs = {one for one, names in read.items() if who.name in names}
        assert await said("bill.issued", who) == 100_00 * len(theirs)
        assert await said("bill.overdue", who) == 100_00 * len(theirs)


async def said(kind: str, who: Occupant) -> int:
    """All that the notices of a kind ask of somebody, fen."""
    rows = await database.fetch(
        "SELECT (c.data ->> 'fen')::bigint AS fen FROM notification n JOIN notice c ON c.id = n.notice_id "
        "WHERE n.account_id = $1 AND n.kind = $2", who.account_id, kind,
    )  # fmt: skip
    return sum(row["fen"] for row in rows)


async def test_staff_see_who_owes_and_letters_keep_them_apart(scene: Scene) -> None:
    await joins(scene, "孙买家")
    await leaves(scene.owner)
    for month in (MARCH, MAY):
        await bill(scene, month)
    reader = await guards.guard(scene, permissions.BILLS_READ)
    with clock.use(days.on(TODAY)):
        (row,) = await arrears.arrears(
            reader, scene.compound_id, arrears.ArrearsFilter(), sort="age", after=None, limit=9
        )
    assert [each.name for each in row.people] == ["孙买家", OWNER]
    await days.steps(scene, (1, "letter"))
    await days.remind(TODAY)
    letters = await database.fetch(
        "SELECT owed_fen FROM dunning_letter WHERE compound_id = $1", scene.compound_id
    )
    assert [each["owed_fen"] for each in letters] == [100_00, 100_00]


@pytest.mark.parametrize("kind", residents.CALLERS)
async def test_a_bill_is_read_by_who_pays_and_by_staff_who_may(scene: Scene, kind: str) -> None:
    owners, tenants = await bill(scene, MAY), await bill(scene, MAY, "tenant")
    actor = await residents.caller(scene, kind, permissions.BILLS_READ)
    if kind == "staff elsewhere":
        actor = residents.staff(permissions.BILLS_READ, compound_id=scene.other_compound_id)
    if kind == "staff of another building":
        actor = residents.staff(
            permissions.BILLS_READ, compound_id=scene.compound_id, building_id=scene.other_building_id
        )
    expected = {"owner": {owners}, "family": {owners}, "tenant": {tenants}, "staff": {owners, tenants}}
    with clock.use(days.on(TODAY)):
        assert set(await bills.by_id(actor, [owners, tenants])) == expected.get(kind, set())


def test_whoever_may_open_the_same_is_told_together() -> None:
    one, two = uuid4(), uuid4()
    a, b, c = sorted(uuid4() for _ in range(3))
    told = together({one: [a, b], two: [b, c, a]})
    assert {(each.bill_ids, each.accounts) for each in told} == {((one, two), (a, b)), ((two,), (c,))}
    assert len({each.key for each in told}) == 2
