"""Ending occupancies: by whom, at once, and leases by themselves."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from domains.kernel import clock, database
from domains.kernel.clock import FixedClock
from domains.kernel.errors import Conflict, DomainError
from domains.residents import permissions
from domains.residents.jobs import end_leases
from domains.residents.models import Occupancy
from domains.residents.queries import occupancies as queries
from domains.residents.queries import ties
from domains.residents.service.occupancy import end_occupancy
from tests.factories import residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def test_it_counts_at_once_and_leaves_its_reason(scene: Scene) -> None:
    owner = await residents.resident(scene.owner.account_id)
    await end_occupancy(owner, occupancy_id=scene.tenant.occupancy_id, reason="提前退租")
    assert await ties(scene.tenant.account_id) == ()
    row = await Occupancy.get(pk=scene.tenant.occupancy_id)
    assert (row.end_reason, row.ended_by) == ("提前退租", scene.owner.account_id)
    [event] = await residents.events("OccupancyEnded", row.id)
    assert str(scene.tenant.account_id) in event["payload"]
    with pytest.raises(Conflict) as again:
        await end_occupancy(owner, occupancy_id=row.id, reason="再来一次")
    assert again.value.code == "OCCUPANCY_ENDED"


@pytest.mark.parametrize("who", ["family", "tenant"])
async def test_everybody_may_leave(scene: Scene, who: str) -> None:
    me = getattr(scene, who)
    actor = await residents.resident(me.account_id)
    await end_occupancy(actor, occupancy_id=me.occupancy_id, reason="搬走了")
    assert await ties(me.account_id) == ()


async def test_the_last_owner_cannot_leave_alone(scene: Scene) -> None:
    owner = await residents.resident(scene.owner.account_id)
    before = await residents.fingerprint()
    with pytest.raises(Conflict) as refused:
        await end_occupancy(owner, occupancy_id=scene.owner.occupancy_id, reason="卖房")
    assert refused.value.code == "SOLE_OWNER"
    assert await residents.fingerprint() == before
    await end_occupancy(scene.staff(permissions.WRITE), occupancy_id=scene.owner.occupancy_id, reason="卖房")
    assert await ties(scene.owner.account_id) == ()


async def test_of_two_owners_who_leave_at_once_one_stays(scene: Scene) -> None:
    second = await residents.occupant(scene.house_id, "owner", "张太太")
    leaving = [scene.owner, second]
    attempts = [
        end_occupancy(
            await residents.resident(each.account_id), occupancy_id=each.occupancy_id, reason="搬走"
        )
        for each in leaving
    ]
    answers = await asyncio.gather(*attempts, return_exceptions=True)
    assert [answer.code for answer in answers if isinstance(answer, DomainError)] == ["SOLE_OWNER"]
    assert sum([len(await ties(each.account_id)) for each in leaving]) == 1


async def test_a_lease_ends_by_itself_and_the_job_writes_it(scene: Scene) -> None:
    last_day = date(2099, 12, 31)
    with clock.use(FixedClock(datetime(2099, 12, 31, 15, 59, tzinfo=UTC))) as now:
        assert len(await ties(scene.tenant.account_id)) == 1
        now.advance(timedelta(minutes=1))
        assert clock.today() == last_day + timedelta(days=1)
        assert await ties(scene.tenant.account_id) == ()
        members = await queries.members(await residents.resident(scene.owner.account_id), [scene.house_id])
        assert scene.tenant.name not in [each.name for each in members[scene.house_id]]
        assert (await end_leases(None) or {})["ended"] >= 1
        assert await end_leases(None) == {"ended": 0}
    row = await Occupancy.get(pk=scene.tenant.occupancy_id)
    assert row.ended_at == datetime(2099, 12, 31, 16, 0, tzinfo=UTC)
    assert await residents.events("OccupancyEnded", row.id)


async def test_what_members_see_of_each_other(scene: Scene) -> None:
    async def seen_by(account_id: UUID) -> dict[str, tuple[object, ...]]:
        me = await residents.resident(account_id)
        found = await queries.members(me, [scene.house_id, scene.next_door_id])
        assert scene.next_door_id not in found
        rows = found[scene.house_id]
        return {row.name: (row.phone, row.relation, row.lease_until_on, row.person_id) for row in rows}

    owner = await seen_by(scene.owner.account_id)
    assert list(owner) == ["张建国", "张小妹", "赵租客"]
    assert owner["赵租客"] == (f"139****{scene.tenant.phone[-4:]}", "", date(2099, 12, 31), None)
    tenant = await seen_by(scene.tenant.account_id)
    assert tenant["张建国"] == (None, None, None, None)
    assert tenant["赵租客"][0] == f"139****{scene.tenant.phone[-4:]}"


async def test_the_history_has_those_who_left_and_is_audited(scene: Scene) -> None:
    staff = scene.staff(permissions.READ, permissions.WRITE)
    await end_occupancy(staff, occupancy_id=scene.tenant.occupancy_id, reason="退租")
    async with database.counted() as cost:
        found = await queries.history(staff, scene.compound_id, [scene.house_id, scene.next_door_id])
    assert [each.name for each in found[scene.house_id]] == ["张建国", "张小妹", "赵租客"]
    assert found[scene.house_id][-1].end_reason == "退租"
    assert cost.count == 2
    assert [row["actor_id"] for row in await residents.audited("house.occupancies", scene.compound_id)] == [
        staff.id
    ]
    elsewhere = residents.staff(
        permissions.READ, compound_id=scene.compound_id, building_id=scene.other_building_id
    )
    assert await queries.history(elsewhere, scene.compound_id, [scene.house_id]) == {}
