"""What is on record of doors: found by every filter, by whom it concerns, counted, and let go in time."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domains.access import permissions
from domains.access.community import rules_of
from domains.access.jobs import delete_old_records
from domains.access.models import AccessRecord, AccessRules
from domains.access.queries import records, statistics
from domains.access.queries.records import RecordFilter
from domains.access.queries.statistics import DayTally, KeyTally, Tally
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.errors import Invalid
from domains.residents.models import Occupancy
from tests.factories import access, guards, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


@pytest.fixture
async def reader(scene: Scene) -> Actor:
    return await guards.guard(scene, permissions.RECORDS_READ)


async def found(actor: Actor, scene: Scene, **narrowed: Any) -> list[UUID]:  # Any: fields of the filter
    rows = await records.access_records(
        actor, scene.compound_id, RecordFilter(**narrowed), after=None, limit=100
    )
    return [row.id for row in rows]


async def test_every_filter_finds_its_own(scene: Scene, reader: Actor) -> None:
    gate, unit = (
        await access.door(scene.compound_id),
        await access.door(scene.compound_id, "1号楼", scene.building_id),
    )
    pass_id, now = await access.visitor_pass(scene.compound_id, scene.house_id), clock.now()
    mine: dict[str, Any] = {  # Any: columns
        "house_id": scene.house_id, "person_id": scene.owner.person_id, "visitor_pass_id": pass_id, "plate": "浙A12345",
        "is_vehicle": True, "who": "欧阳建国", "method": "qr", "result": "refused", "direction": "out",
        "at": now - timedelta(hours=2), "reason": "EXPIRED",
    }  # fmt: skip
    wanted, other = await access.record(unit, **mine), await access.record(gate)
    for narrowed in (
        {"door_id": unit}, {"house_id": scene.house_id}, {"person_id": scene.owner.person_id}, {"pass_id": pass_id},
        {"plate": "a·123"}, {"plate": "浙A12345"}, {"name": "阳建"}, {"method": "qr"}, {"result": "refused"},
        {"direction": "out"}, {"is_vehicle": True}, {"until": now - timedelta(hours=1)},
        {"since": now - timedelta(hours=3), "until": now - timedelta(hours=1), "name": "欧阳"},
    ):  # fmt: skip
        assert await found(reader, scene, **narrowed) == [wanted], narrowed
    assert await found(reader, scene) == [other, wanted]
    assert await found(reader, scene, since=now - timedelta(hours=1)) == [other]
    for narrowed in ({"name": "%"}, {"name": "_"}, {"plate": "浙B"}, {"name": "没有"}):
        assert not await found(reader, scene, **narrowed), narrowed
    with pytest.raises(Invalid, match="PERIOD_REVERSED"):
        await found(reader, scene, since=now, until=now)


async def test_pages_follow_each_other_without_gap(scene: Scene, reader: Actor) -> None:
    door, at = await access.door(scene.compound_id), clock.now()
    made = [await access.record(door, at=at - timedelta(minutes=n // 3)) for n in range(10)]
    seen: list[UUID] = []
    after: records.After = None
    while page := await records.access_records(
        reader, scene.compound_id, RecordFilter(), after=after, limit=4
    ):
        seen += [row.id for row in page]
        after = page[-1].at, page[-1].id
    assert sorted(seen) == sorted(made)
    assert len(seen) == len(set(seen))
    assert await records.count(reader, scene.compound_id, RecordFilter()) == 10


async def test_staff_of_a_building_see_its_doors_only(scene: Scene) -> None:
    unit = await access.record(await access.door(scene.compound_id, "1号楼", scene.building_id))
    gate = await access.record(await access.door(scene.compound_id), house_id=scene.house_id)
    narrow, elsewhere = (
        residents.staff(permissions.RECORDS_READ, compound_id=scene.compound_id, building_id=building_id)
        for building_id in (scene.building_id, scene.other_building_id)
    )
    assert await found(narrow, scene) == [unit]
    assert await found(elsewhere, scene) == []
    assert set(await records.by_id(narrow, [unit, gate])) == {unit}
    today = clock.today()
    counted = await statistics.access_statistics(narrow, scene.compound_id, from_on=today, until_on=today)
    assert counted.total.attempts == 1


async def test_reading_is_on_record_without_what_was_looked_for(scene: Scene, reader: Actor) -> None:
    id = await access.record(await access.door(scene.compound_id))
    await found(reader, scene, name="张", plate="浙A")
    await records.by_id(reader, [id])
    [listed] = await residents.audited("access_record.list", scene.compound_id)
    assert listed["details"] == '{"filters": ["plate", "name"]}'
    [read] = await residents.audited("access_record.read", scene.compound_id)
    assert (read["subject_id"], read["actor_id"]) == (id, reader.id)


async def own(account_id: UUID) -> set[UUID]:
    actor = await residents.resident(account_id)
    listed = {row.id for row in await records.own(actor, after=None, limit=100)}
    everything = [row["id"] for row in await database.fetch("SELECT id FROM access_record")]
    assert set(await records.by_id(actor, everything)) == listed
    return listed


async def test_residents_see_their_own_ways_and_the_houses_visitors(scene: Scene) -> None:
    door = await access.door(scene.compound_id)
    pass_id = await access.visitor_pass(scene.compound_id, scene.house_id)
    by_owner, by_family = [
        await access.record(door, house_id=scene.house_id, person_id=who.person_id)
        for who in (scene.owner, scene.family)
    ]
    visitor = await access.record(door, house_id=scene.house_id, visitor_pass_id=pass_id, method="guard")
    assert await own(scene.owner.account_id) == {by_owner, visitor}
    assert await own(scene.family.account_id) == {by_family, visitor}
    assert await own(scene.tenant.account_id) == {visitor}
    assert await own(scene.neighbour.account_id) == set()
    assert await own((await residents.newcomer()).id) == set()


async def test_who_left_keeps_their_own_ways_and_who_came_later_sees_no_earlier_visitors(
    scene: Scene,
) -> None:
    door = await access.door(scene.compound_id)
    pass_id = await access.visitor_pass(scene.compound_id, scene.house_id)
    visitor = await access.record(door, house_id=scene.house_id, visitor_pass_id=pass_id)
    walked = await access.record(door, house_id=scene.house_id, person_id=scene.family.person_id)
    late = await residents.occupant(scene.house_id, "tenant", "周租客", lease_until_on=date(2099, 1, 1))
    assert await own(late.account_id) == set()
    await Occupancy.filter(pk=scene.family.occupancy_id).update(ended_at=clock.now(), end_reason="搬走")
    assert await own(scene.family.account_id) == {walked}
    await Occupancy.filter(pk=scene.tenant.occupancy_id).update(
        lease_until_on=clock.today() - timedelta(days=1)
    )
    assert await own(scene.tenant.account_id) == set()
    assert visitor in await own(scene.owner.account_id)


async def test_own_pages_follow_each_other(scene: Scene) -> None:
    door, at = await access.door(scene.compound_id), clock.now()
    pass_id = await access.visitor_pass(scene.compound_id, scene.house_id)
    whose = {"person_id": scene.owner.person_id}, {"visitor_pass_id": pass_id}
    made = [
        await access.record(door, house_id=scene.house_id, at=at + timedelta(minutes=n // 3), **whose[n % 2])
        for n in range(9)
    ]
    owner = await residents.resident(scene.owner.account_id)
    first = await records.own(owner, after=None, limit=5)
    rest = await records.own(owner, after=(first[-1].at, first[-1].id), limit=5)
    assert [row.id for row in [*first, *rest]] == [
        id
        for _, id in sorted(((at + timedelta(minutes=n // 3), id) for n, id in enumerate(made)), reverse=True)
    ]


async def test_a_visit_has_its_passages_for_the_people_of_the_house(scene: Scene) -> None:
    door, at = await access.door(scene.compound_id), clock.now()
    pass_id, other = [await access.visitor_pass(scene.compound_id, scene.house_id) for _ in range(2)]
    made = [
        await access.record(
            door, house_id=scene.house_id, visitor_pass_id=pass_id, at=at + timedelta(minutes=n)
        )
        for n in range(3)
    ]
    await access.record(door, house_id=scene.house_id, visitor_pass_id=other)
    await access.record(door, house_id=scene.house_id, person_id=scene.owner.person_id)
    for who in (scene.owner, scene.family, scene.tenant):
        actor = await residents.resident(who.account_id)
        async with database.counted() as statements:
            first = await records.own(actor, pass_id, after=None, limit=2)
        assert statements.count == 1
        rest = await records.own(actor, pass_id, after=(first[-1].at, first[-1].id), limit=2)
        assert [row.id for row in [*first, *rest]] == made[::-1]
    for stranger in (scene.neighbour.account_id, (await residents.newcomer()).id):
        assert await records.own(await residents.resident(stranger), pass_id, after=None, limit=9) == []
    late = await residents.occupant(scene.house_id, "tenant", "周租客", lease_until_on=date(2099, 1, 1))
    actor = await residents.resident(late.account_id)
    # Whoever came later sees what was on record since.
    shown = await records.own(actor, pass_id, after=None, limit=9)
    assert [row.id for row in shown] == made[:0:-1]


def shanghai(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 5, day, hour, tzinfo=clock.SHANGHAI)


async def test_statistics_count_business_days_doors_methods_results_and_directions(
    scene: Scene, reader: Actor
) -> None:
    south, north = await access.door(scene.compound_id), await access.door(scene.compound_id, "北门")
    for door, at, more in (
        (south, shanghai(1, 0), {}), (south, shanghai(1, 23), {"result": "refused", "method": "qr"}),
        (north, shanghai(3, 1), {"direction": "out"}), (south, shanghai(3), {"result": "unknown"}),
        (south, shanghai(4, 0), {}),
    ):  # fmt: skip
        await access.record(door, at=at, **more)
    async with database.counted() as cost:
        told = await statistics.access_statistics(
            reader, scene.compound_id, from_on=date(2026, 5, 1), until_on=date(2026, 5, 3)
        )
    assert cost.count == 1
    assert told.total == Tally(4, 2, 1)
    assert told.by_day == [
        DayTally(date(2026, 5, 1), Tally(2, 1, 1)), DayTally(date(2026, 5, 2), Tally()),
        DayTally(date(2026, 5, 3), Tally(2, 1, 0)),
    ]  # fmt: skip
    assert [(each.door_id, each.door_name, each.tally) for each in told.by_door] == [
        (south, "南门", Tally(3, 1, 1)), (north, "北门", Tally(1, 1, 0)),
    ]  # fmt: skip
    assert told.by_method == [KeyTally("app", Tally(3, 2, 0)), KeyTally("qr", Tally(1, 0, 1))]
    assert told.by_result[0] == KeyTally("opened", Tally(2, 2, 0))
    assert told.by_direction == [KeyTally("in", Tally(3, 1, 1)), KeyTally("out", Tally(1, 1, 0))]


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [
        (date(2026, 5, 2), date(2026, 5, 1), "PERIOD_REVERSED"), (date(2025, 1, 1), date(2026, 1, 2), "PERIOD_TOO_LONG"),
        (date(9999, 12, 31), date(9999, 12, 31), "DATE_INVALID"), (date(1, 1, 1), date(1, 1, 1), "DATE_INVALID"),
    ],
)  # fmt: skip
async def test_a_period_that_is_none_is_refused(
    scene: Scene, reader: Actor, first: date, last: date, code: str
) -> None:
    with pytest.raises(Invalid, match=code):
        await statistics.access_statistics(reader, scene.compound_id, from_on=first, until_on=last)


async def test_a_period_of_366_days_is_counted(scene: Scene, reader: Actor) -> None:
    told = await statistics.access_statistics(
        reader, scene.compound_id, from_on=date(2025, 1, 1), until_on=date(2026, 1, 1)
    )
    assert (len(told.by_day), told.total) == (366, Tally())


async def test_records_are_let_go_when_their_term_is_over(scene: Scene) -> None:
    now = clock.now()
    await rules_of(scene.compound_id)
    await AccessRules.filter(compound_id=scene.compound_id).update(
        records_kept_days=30, vehicle_records_kept_days=200
    )
    door, elsewhere = await access.door(scene.compound_id), await access.door(scene.other_compound_id)
    kept = [
        await access.record(door, at=now - timedelta(days=29)),
        await access.record(door, at=now - timedelta(days=199), is_vehicle=True),
        # A compound that has set nothing keeps 180 days.
        await access.record(elsewhere, at=now - timedelta(days=179)),
    ]
    for where, days, is_vehicle in ((door, 31, False), (door, 201, True), (elsewhere, 181, False)):
        await access.record(where, at=now - timedelta(days=days), is_vehicle=is_vehicle)
    places = [scene.compound_id, scene.other_compound_id]
    await delete_old_records(None)
    left = await AccessRecord.filter(compound_id__in=places).values_list("id", flat=True)
    assert sorted(left) == sorted(kept)
    assert await delete_old_records(None) == {"records": 0}


async def test_nobody_rewrites_a_record(scene: Scene) -> None:
    id = await access.record(await access.door(scene.compound_id))
    with pytest.raises(Exception, match="access_record"):
        await AccessRecord.filter(pk=id).update(who="别人")
    assert (await AccessRecord.get(pk=id)).who == "张建国"
