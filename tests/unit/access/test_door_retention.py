"""Orders to doors go when nothing asks for them any more: after the records of them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domains.access.community import rules_of
from domains.access.jobs import delete_old_commands, delete_old_records
from domains.access.models import AccessRules, DoorCommand
from domains.access.service.opening import open_door
from domains.kernel import clock, database
from tests.factories import access
from tests.unit.access.door_scenes import Doors, age, doors, sent_to

pytestmark = pytest.mark.usefixtures("instance")
DAY_S = 86_400


@pytest.fixture
async def at() -> Doors:
    made = await doors()
    await rules_of(made.at.compound_id)
    await AccessRules.filter(compound_id=made.at.compound_id).update(records_kept_days=30)
    return made


async def order(door_id: UUID, compound_id: UUID, days: float, state: str = "opened") -> UUID:
    """An order of so many days ago."""
    at = clock.now() - timedelta(days=days)
    ended = None if state in ("requested", "sent") else at
    made = await DoorCommand.create(
        compound_id=compound_id, door_id=door_id, action="open", state=state, requested_at=at, sent_at=at,
        settled_at=ended, expires_at=at + timedelta(seconds=8),
    )  # fmt: skip
    return made.id


async def left(at: Doors) -> set[UUID]:
    found = await DoorCommand.filter(door_id__in=[at.unit, at.elsewhere]).values_list("id", flat=True)
    return {UUID(str(id)) for id in found}


async def test_orders_are_kept_for_the_compounds_term(at: Doors) -> None:
    here, there = at.at.compound_id, at.at.other_compound_id
    kept = {
        await order(at.unit, here, 29),
        await order(at.unit, here, 31, "sent"),
        # A compound that has set nothing keeps 180 days.
        await order(at.elsewhere, there, 179),
    }
    for end in ("opened", "refused", "expired", "unknown"):
        await order(at.unit, here, 31, end)
    await order(at.elsewhere, there, 181)
    await delete_old_commands(None)
    assert await left(at) == kept
    assert await delete_old_commands(None) == {"commands": 0}


async def test_an_order_stays_as_long_as_its_record(at: Doors) -> None:
    id, now = await order(at.unit, at.at.compound_id, 31), clock.now()
    await access.record(at.unit, command_id=id, at=now - timedelta(days=29))
    await delete_old_commands(None)
    assert await left(at) == {id}
    with clock.use(clock.FixedClock(now + timedelta(days=2))):
        await delete_old_records(None)
        await delete_old_commands(None)
    assert await left(at) == set()


async def test_a_tap_of_long_ago_that_is_repeated_is_answered_at_once_and_opens_nothing(at: Doors) -> None:
    owner, key = await at.resident(), uuid4()
    id = await open_door(owner, door_id=at.unit, idempotency_key=key)
    await age(id, 31 * DAY_S)
    await database.execute("DELETE FROM access_record WHERE command_id = $1", id)
    await delete_old_commands(None)
    assert await left(at) == set()
    async with asyncio.timeout(1):
        assert await open_door(owner, door_id=at.unit, idempotency_key=key) == id
    assert await sent_to(at.unit) == 1
