"""Opening a door from the phone: who may, once, in time, and what is written down."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from domains.access import permissions, sql
from domains.access.models import AccessRules, Door, DoorCommand
from domains.access.queries import doors as queries
from domains.access.service import sending, statements
from domains.access.service.opening import open_door
from domains.access.service.settling import Said, settle, settle_commands, settle_overdue
from domains.devices.models import Device
from domains.kernel import clock, database, idempotency
from domains.kernel.actor import Actor
from domains.kernel.errors import Conflict, Forbidden, Unauthenticated
from domains.residents.models import Occupancy
from tests.factories import residents
from tests.factories.residents import CALLERS, staff
from tests.unit.access.door_scenes import (
    EVERYTHING,
    Doors,
    age,
    behave,
    device_of,
    doors,
    eventually,
    records,
    sent_to,
    simulator,
    tap,
)

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def at() -> Doors:
    return await doors()


async def test_a_resident_opens_a_door(at: Doors) -> None:
    made = await tap(await at.resident(), at.unit)
    assert (made.state, made.action, made.reason) == ("opened", "open", "")
    assert made.sent_at and made.settled_at and made.acted_at
    assert made.expires_at - made.requested_at <= timedelta(seconds=10)
    assert await sent_to(at.unit) == 1
    [record] = await records(at.unit)
    assert (record["method"], record["result"], record["command_id"]) == ("app", "opened", made.id)
    assert (record["house_id"], record["person_id"]) == (at.at.house_id, at.at.owner.person_id)
    assert (record["who"], record["account_id"]) == ("张建国", at.at.owner.account_id)

    async def has_moved() -> object:
        door, order = await Door.get(pk=at.unit), await DoorCommand.get(pk=made.id)
        return door.position == "open" and order.moved_at

    await eventually(has_moved)


async def test_an_opening_is_three_statements(at: Doors) -> None:
    owner = await at.resident()
    await tap(owner, at.gate)
    async with database.counted() as cost:
        await open_door(owner, door_id=at.unit, idempotency_key=uuid4())
    # The last one is the answer's, in the task that hears it; the simulated controller reads its keys.
    assert [each for each in cost.texts if each != sql.PUBLIC_KEYS] == [
        idempotency.CLAIM_IN_TURN, statements.ORDER, statements.SETTLE,
    ]  # fmt: skip


@pytest.mark.parametrize(("awaits_disk", "commit"), [(True, "on"), (False, "off")])
async def test_only_an_end_that_is_told_again_waits_for_no_disk(
    at: Doors, awaits_disk: bool, commit: str
) -> None:
    await behave(at.unit, answers=False)
    async with database.transaction():
        [id] = await sending.add([at.unit], "open", at.at.owner.account_id, at.at.house_id)
    assert await sending.send(id)
    async with database.transaction():
        await database.execute("SET LOCAL synchronous_commit = on")
        said = Said(id, await device_of(at.unit), "opened")
        assert await settle([said], awaits_disk=awaits_disk) == 1
        assert await database.fetchval("SHOW synchronous_commit") == commit
    assert (await DoorCommand.get(pk=id)).state == "opened"


async def test_own_doors_the_last_used_first_in_one_statement(at: Doors) -> None:
    owner = await at.resident()
    await tap(owner, at.building)
    async with database.counted() as cost:
        found = await queries.openable(owner)
    assert cost.count == 1
    assert [each.id for each in found] == [at.building, at.gate, at.unit]
    assert found[0].last_used_at is not None and found[1].last_used_at is None
    assert await queries.openable(owner, at.at.next_door_id) == []
    assert await queries.openable(await residents.newcomer()) == []
    assert await queries.openable(staff(*EVERYTHING, compound_id=at.at.compound_id)) == []


# Door → who opens it, of CALLERS; everybody else is refused.
OPENS = {
    "gate": {"owner", "family", "tenant", "neighbour", "staff"},
    "building": {"owner", "family", "tenant", "neighbour", "staff"},
    "unit": {"owner", "family", "tenant", "neighbour", "staff"},
    "other_unit": {"staff"},
    "far": {"staff", "staff of another building"},
    "elsewhere": {"staff elsewhere"},
}


@pytest.mark.parametrize("door", OPENS)
async def test_who_may_open_what(at: Doors, door: str) -> None:
    door_id = getattr(at, door)
    for kind in CALLERS:
        actor = await residents.caller(at.at, kind, permissions.DOORS_OPEN)
        if kind in ("staff elsewhere", "staff of another building"):
            where = at.at.other_compound_id if kind == "staff elsewhere" else at.at.compound_id
            building = None if kind == "staff elsewhere" else at.at.other_building_id
            actor = staff(permissions.DOORS_OPEN, compound_id=where, building_id=building)
        if kind.startswith("staff"):
            actor = await known(actor)
        before, sent = await DoorCommand.filter(door_id=door_id).count(), await sent_to(door_id)
        if kind in OPENS[door]:
            assert (await tap(actor, door_id)).state == "opened", kind
            continue
        with pytest.raises((Forbidden, Unauthenticated)):
            await tap(actor, door_id)
        assert await DoorCommand.filter(door_id=door_id).count() == before, kind
        assert await sent_to(door_id) == sent, kind


async def known(actor: Actor) -> Actor:
    """Staff with an account."""
    await database.execute(
        "INSERT INTO account (id, kind, name, language, created_at) VALUES ($1, 'staff', '王管家', 'zh', now())",
        actor.id,
    )
    return actor


async def test_staff_open_from_afar_and_the_audit_knows(at: Doors) -> None:
    guard = await known(at.at.staff(permissions.DOORS_OPEN))
    assert (await tap(guard, at.gate)).state == "opened"
    [record] = await records(at.gate)
    assert (record["method"], record["who"], record["house_id"]) == ("remote", "王管家", None)
    [entry] = await residents.audited("door.open_remotely", at.at.compound_id)
    assert (entry["subject_id"], entry["outcome"]) == (at.gate, "done")
    await tap(await at.resident(), at.gate)
    assert await residents.audited("door.open", at.at.compound_id) == []


async def test_somebody_elses_house_is_none_of_the_callers(at: Doors) -> None:
    with pytest.raises(Forbidden):
        await tap(await at.resident(), at.gate, at.at.next_door_id)
    [record] = await records(at.gate)
    assert (record["result"], record["reason"], record["house_id"]) == ("refused", "FORBIDDEN", None)
    assert await sent_to(at.gate) == 0


async def test_an_occupancy_that_ended_opens_nothing(at: Doors) -> None:
    owner = await at.resident()
    await Occupancy.filter(pk=at.at.owner.occupancy_id).update(ended_at=clock.now(), end_reason="搬走")
    # The actor was made before: what it says of houses does not count.
    with pytest.raises(Forbidden):
        await tap(owner, at.unit)
    assert await queries.openable(owner) == []
    assert await sent_to(at.unit) == 0
    tenant = await at.resident("tenant")
    await Occupancy.filter(pk=at.at.tenant.occupancy_id).update(
        lease_until_on=clock.today() - timedelta(days=1)
    )
    with pytest.raises(Forbidden):
        await tap(tenant, at.unit)


async def test_of_an_opening_and_the_end_of_the_occupancy_one_comes_first(at: Doors) -> None:
    owner = await at.resident()

    async def end() -> None:
        async with database.transaction():
            await Occupancy.filter(pk=at.at.owner.occupancy_id).update(
                ended_at=clock.now(), end_reason="搬走"
            )

    outcomes = await asyncio.gather(tap(owner, at.unit), end(), return_exceptions=True)
    assert isinstance(outcomes[0], DoorCommand | Forbidden)
    assert await sent_to(at.unit) == isinstance(outcomes[0], DoorCommand)
    with pytest.raises(Forbidden):
        await tap(owner, at.gate)


async def test_twenty_taps_at_once_open_once(at: Doors) -> None:
    owner = await at.resident()
    made = await asyncio.gather(*(tap(owner, at.unit) for _ in range(20)))
    assert len({each.id for each in made}) == 1
    assert {each.state for each in made} == {"opened"}
    assert await sent_to(at.unit) == 1
    assert len(await records(at.unit)) == 1
    # Seconds later it is another opening; another person, or another door, is one at any time.
    assert (await tap(await at.resident("family"), at.unit)).id != made[0].id
    assert (await tap(owner, at.gate)).id != made[0].id
    await age(made[0].id, 4)
    assert (await tap(owner, at.unit)).id != made[0].id


async def test_the_same_key_is_the_same_order(at: Doors) -> None:
    owner, key = await at.resident(), uuid4()
    first = await open_door(owner, door_id=at.unit, idempotency_key=key)
    await age(first, 300)
    assert await open_door(owner, door_id=at.unit, idempotency_key=key) == first
    assert await sent_to(at.unit) == 1
    with pytest.raises(Conflict, match="IDEMPOTENCY_CONFLICT"):
        await open_door(owner, door_id=at.gate, idempotency_key=key)
    assert await sent_to(at.gate) == 0


async def test_the_days_quota_is_not_exceeded_by_taps_at_once(at: Doors) -> None:
    owner = await at.resident()
    await tap(owner, at.gate)
    await AccessRules.filter(compound_id=at.at.compound_id).update(daily_openings=2)
    answers = await asyncio.gather(tap(owner, at.unit), tap(owner, at.building), return_exceptions=True)
    assert [each.code for each in answers if isinstance(each, Conflict)] == ["DOOR_QUOTA"]
    assert await DoorCommand.filter(account_id=owner.id).count() == 2
    refused = at.building if isinstance(answers[1], Conflict) else at.unit
    [record] = await records(refused)
    assert (record["result"], record["reason"], record["who"]) == ("refused", "DOOR_QUOTA", "张建国")
    assert await sent_to(refused) == 0
    # The tap that opened is still the answer to its second one, and another person has a quota of their own.
    assert (await tap(owner, at.gate)).state == "opened"
    assert (await tap(await at.resident("family"), refused)).state == "opened"


async def test_what_nobody_listens_to_is_refused_at_once_and_may_be_tried_again(at: Doors) -> None:
    owner = await at.resident()
    await behave(at.unit, is_there=False)
    made = await tap(owner, at.unit)
    assert (made.state, made.reason) == ("refused", "DOOR_UNREACHABLE")
    [record] = await records(at.unit)
    assert (record["result"], record["reason"]) == ("refused", "DOOR_UNREACHABLE")
    await behave(at.unit)
    assert (await tap(owner, at.unit)).state == "opened"


async def test_a_controllers_refusal_says_why(at: Doors) -> None:
    await behave(at.unit, refuses="MAINTENANCE")
    made = await tap(await at.resident(), at.unit)
    assert (made.state, made.reason) == ("refused", "MAINTENANCE")


async def test_an_answer_that_comes_late_ends_what_was_unknown(
    at: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "PATIENCE_S", 0.05)
    await behave(at.unit, delay_s=0.6)
    made = await tap(await at.resident(), at.unit)
    assert made.state == "sent"
    await age(made.id, 20)
    assert await settle_commands(None) != {"settled": 0}
    assert (await DoorCommand.get(pk=made.id)).state == "unknown"

    async def opened() -> object:
        return (await DoorCommand.get(pk=made.id)).state == "opened"

    await eventually(opened)
    assert [each["result"] for each in await records(at.unit)] == ["unknown", "opened"]
    assert await sent_to(at.unit) == 1


async def test_an_order_that_nobody_sent_expires_and_opens_nothing(at: Doors) -> None:
    owner = await at.resident()
    async with database.transaction():
        [id] = await sending.add([at.unit], "open", owner.id, at.at.house_id)
    await age(id, 9)
    assert not await sending.send(id)
    assert await sent_to(at.unit) == 0
    # Whoever taps next ends it, and is not held up by it.
    made = await tap(owner, at.unit)
    assert made.id != id and made.state == "opened"
    order = await DoorCommand.get(pk=id)
    assert (order.state, order.reason) == ("expired", "COMMAND_EXPIRED")
    assert [each["result"] for each in await records(at.unit)] == ["refused", "opened"]
    assert await settle_overdue(id) == 0


async def test_while_somebody_ends_the_last_order_the_next_tap_is_told_to_wait(at: Doors) -> None:
    owner, key, locked, ended = await at.resident(), uuid4(), asyncio.Event(), asyncio.Event()
    async with database.transaction():
        [id] = await sending.add([at.unit], "open", owner.id, at.at.house_id)
    await age(id, 9)

    async def hold() -> None:
        async with database.transaction():
            await database.execute("SELECT id FROM door_command WHERE id = $1 FOR UPDATE", id)
            locked.set()
            await ended.wait()

    holding = asyncio.create_task(hold())
    await locked.wait()
    with pytest.raises(Conflict, match="IN_PROGRESS"):
        await open_door(owner, door_id=at.unit, idempotency_key=key)
    ended.set()
    await holding
    made = await open_door(owner, door_id=at.unit, idempotency_key=key)
    assert made != id and await sent_to(at.unit) == 1


async def test_of_two_who_send_one_sends(at: Doors) -> None:
    owner = await at.resident()
    async with database.transaction():
        [id] = await sending.add([at.unit], "open", owner.id, at.at.house_id)
    assert sorted(await asyncio.gather(*(sending.send(id) for _ in range(5)))) == [False] * 4 + [True]
    assert await sent_to(at.unit) == 1


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"mode": "closed"}, "DOOR_CLOSED"), ({"mode": "held_open"}, "DOOR_STANDS_OPEN"),
        ({"methods": ["card"]}, "DOOR_NOT_BY_APP"), ({"removed_at": clock.now()}, "FORBIDDEN"),
    ],
)  # fmt: skip
async def test_doors_that_take_no_order(at: Doors, columns: dict[str, object], code: str) -> None:
    await Door.filter(pk=at.unit).update(**columns)
    with pytest.raises((Conflict, Forbidden), match=code):
        await tap(await at.resident(), at.unit)
    assert await sent_to(at.unit) == 0
    assert [each["reason"] for each in await records(at.unit)] == [code]
    assert await DoorCommand.filter(door_id=at.unit).count() == 0


async def test_a_controller_in_repair_is_not_asked(at: Doors) -> None:
    await Device.filter(doors__id=at.unit).update(state="out_of_order")
    with pytest.raises(Conflict, match="DOOR_OUT_OF_ORDER"):
        await tap(await at.resident(), at.unit)
    assert await sent_to(at.unit) == 0


async def test_a_refusal_is_recorded_once_a_minute(at: Doors) -> None:
    neighbour, other = await residents.newcomer(), await residents.newcomer()
    with clock.use(clock.FixedClock(clock.now().replace(second=30))) as time:
        for _ in range(3):
            with pytest.raises(Forbidden):
                await tap(neighbour, at.gate)
        [record] = await records(at.gate)
        assert (record["who"], record["account_id"]) == (neighbour.name, neighbour.id)
        with pytest.raises(Forbidden):
            await tap(other, at.gate)
        time.advance(timedelta(minutes=1))
        with pytest.raises(Forbidden):
            await tap(neighbour, at.gate)
    assert [each["account_id"] for each in await records(at.gate)] == [neighbour.id, other.id, neighbour.id]
    with pytest.raises(Forbidden):
        await open_door(neighbour, door_id=uuid4(), idempotency_key=uuid4())


async def test_the_caller_is_told_of_the_end(at: Doors) -> None:
    owner = await at.resident()
    made = await tap(owner, at.unit)
    told = await database.fetch(
        "SELECT name, subject_type, subject_id FROM viewer_event WHERE account_id = $1", owner.id
    )
    assert [tuple(row) for row in told] == [("door_command.changed", "DoorCommand", made.id)]
    assert simulator().controller(made.id).openings == 0
