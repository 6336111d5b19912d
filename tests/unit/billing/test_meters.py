"""The register of meters: in, changed, replaced and out."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from domains.billing.models import Meter, MeterReading
from domains.billing.queries import consumption
from domains.billing.queries import meters as queries
from domains.billing.queries.meters import MeterFilter
from domains.billing.service import meters as service
from domains.billing.service.meters import NewMeter
from domains.kernel import clock, database
from domains.kernel.actor import SYSTEM
from domains.kernel.clock import FixedClock
from domains.kernel.errors import Conflict, DomainError, Invalid, NotFound
from tests.factories import devices, estate, meters, residents
from tests.factories.meters import INSTALLED, days
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture(scope="module")
async def at(instance: object) -> Scene:
    return await residents.scene()


async def test_a_meter_stands_in_its_building_with_its_first_reading(at: Scene) -> None:
    id = await meters.meter(at.compound_id, at.house_id, number=" ＷＭ-001 ")
    row = await Meter.get(pk=id)
    assert (row.number, row.building_id, row.house_id) == ("WM-001", at.building_id, at.house_id)  # type: ignore[attr-defined]  # columns of foreign keys
    [first] = await MeterReading.filter(meter_id=id)
    assert (first.source, first.state) == ("install", "accepted") and first.value == 100 and first.total == 0
    assert first.read_on == INSTALLED == clock.business_date(first.read_at)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"kind": "oil"}, "METER_KIND_UNKNOWN"), ({"digits": 2}, "METER_DIGITS"), ({"digits": 10}, "METER_DIGITS"),
        ({"multiplier": Decimal(0)}, "METER_MULTIPLIER"), ({"multiplier": Decimal(10**6)}, "METER_MULTIPLIER"),
        ({"daily_most": Decimal(0)}, "METER_DAILY_MOST"), ({"number": " "}, "TEXT_EMPTY"),
        ({"number": "x" * 41}, "TEXT_TOO_LONG"), ({"first_value": Decimal(100_000)}, "READING_OUT_OF_RANGE"),
        ({"first_value": Decimal(-1)}, "READING_OUT_OF_RANGE"),
        ({"installed_on": date(1979, 12, 31)}, "METER_DAY_OUT_OF_RANGE"),
        ({"installed_on": date(2999, 1, 1)}, "METER_DAY_OUT_OF_RANGE"), ({"house_id": uuid4()}, "HOUSE_NOT_FOUND"),
        ({"house_id": None, "building_id": uuid4()}, "BUILDING_NOT_FOUND"), ({"device_id": uuid4()}, "DEVICE_NOT_FOUND"),
    ],
)  # fmt: skip
async def test_a_meter_that_cannot_be(at: Scene, wrong: dict[str, Any], code: str) -> None:  # Any: fields
    before = await Meter.all().count()
    with pytest.raises(DomainError, match=code):
        await meters.meter(at.compound_id, **{"house_id": at.house_id} | wrong)
    assert await Meter.all().count() == before


async def test_a_house_or_collector_of_another_compound_is_none(at: Scene) -> None:
    with pytest.raises(NotFound, match="HOUSE_NOT_FOUND"):
        await meters.meter(at.other_compound_id, at.house_id)
    foreign = await devices.device(at.other_compound_id, "other")
    with pytest.raises(NotFound, match="DEVICE_NOT_FOUND"):
        await meters.meter(at.compound_id, at.house_id, device_id=foreign)
    retired = await devices.device(at.compound_id, "other", state="retired")
    with pytest.raises(NotFound, match="DEVICE_NOT_FOUND"):
        await meters.meter(at.compound_id, at.house_id, device_id=retired)


async def test_a_number_is_once_in_use_by_kind(at: Scene) -> None:
    id = await meters.meter(at.compound_id, at.house_id, number="TWICE")
    with pytest.raises(Conflict, match="METER_NUMBER_TAKEN"):
        await meters.meter(at.compound_id, at.next_door_id, number="TWICE")
    await meters.meter(at.compound_id, at.house_id, number="TWICE", kind="gas")
    await service.remove_meter(SYSTEM, meter_id=id, on_day=clock.today(), final_value=Decimal(101))
    other = await meters.meter(at.compound_id, at.next_door_id, number="TWICE")
    third = await meters.meter(at.compound_id, at.next_door_id)
    with pytest.raises(Conflict, match="METER_NUMBER_TAKEN"):
        await service.update_meter(SYSTEM, meter_id=third, facts={"number": "TWICE"})
    assert other != id


async def test_a_meter_is_corrected(at: Scene) -> None:
    id, device = (
        await meters.meter(at.compound_id, at.house_id),
        await devices.device(at.compound_id, "other"),
    )
    await service.update_meter(
        SYSTEM, meter_id=id,
        facts={"number": "NEW-1", "digits": 6, "daily_most": Decimal(3), "device_id": device},
    )  # fmt: skip
    row = await Meter.get(pk=id).values("number", "digits", "daily_most", "device_id")
    assert row == {"number": "NEW-1", "digits": 6, "daily_most": 3, "device_id": device}
    await service.update_meter(SYSTEM, meter_id=id, facts={"daily_most": None, "device_id": None})
    assert (await Meter.get(pk=id).values("daily_most"))["daily_most"] is None
    await meters.record(at.compound_id, id, 1500, days(100))
    with pytest.raises(Conflict, match="METER_DIGITS_TOO_FEW"):
        await service.update_meter(SYSTEM, meter_id=id, facts={"digits": 3})
    with pytest.raises(NotFound, match="METER_NOT_FOUND"):
        await service.update_meter(SYSTEM, meter_id=uuid4(), facts={})


async def test_a_meter_is_replaced_on_a_day(at: Scene) -> None:
    device = await devices.device(at.compound_id, "other")
    old = await meters.meter(at.compound_id, at.house_id, device_id=device)
    await meters.record(at.compound_id, old, 130, days(30))
    day = INSTALLED + timedelta(days=40)
    new = await service.replace_meter(
        SYSTEM, meter_id=old, final_value=Decimal(140),
        successor=NewMeter("", "NEW-2", 6, day, Decimal(7), Decimal(10)),
    )  # fmt: skip
    assert await meters.totals(old) == [(100, 0), (130, 30), (140, 40)]
    assert await meters.totals(new) == [(7, 0)]
    place = await Meter.get(pk=new).values("kind", "house_id", "building_id", "device_id", "replaces_id")
    assert place == {
        "kind": "water", "house_id": at.house_id, "building_id": at.building_id, "device_id": device, "replaces_id": old,
    }  # fmt: skip
    assert (await Meter.get(pk=old)).removed_on == day
    for row in await MeterReading.filter(
        meter_id__in=[old, new], source__in=["removal", "install"], read_on=day
    ):
        assert row.state == "accepted"
    await meters.record(at.compound_id, new, 8, days(40))
    assert await meters.totals(new) == [(7, 0), (8, 10)]
    assert (await meters.record(at.compound_id, old, 150, days(41))).code == "METER_REMOVED"
    with pytest.raises(Conflict, match="METER_REMOVED"):
        await service.remove_meter(SYSTEM, meter_id=old, on_day=day, final_value=Decimal(150))


async def test_a_replacement_that_fails_leaves_the_old_one(at: Scene) -> None:
    await meters.meter(at.compound_id, at.next_door_id, number="TAKEN")
    old = await meters.meter(at.compound_id, at.house_id)
    with pytest.raises(Conflict, match="METER_NUMBER_TAKEN"):
        await service.replace_meter(
            SYSTEM, meter_id=old, final_value=Decimal(110),
            successor=NewMeter("", "TAKEN", 5, clock.today()),
        )  # fmt: skip
    assert (await Meter.get(pk=old)).removed_on is None
    assert await meters.totals(old) == [(100, 0)]


async def test_a_meter_does_not_go_before_its_last_reading(at: Scene) -> None:
    id = await meters.meter(at.compound_id, at.house_id)
    await meters.record(at.compound_id, id, 90, days(30))
    for day in (INSTALLED + timedelta(days=29), INSTALLED - timedelta(days=1)):
        with pytest.raises(Conflict, match="METER_READ_LATER"):
            await service.remove_meter(SYSTEM, meter_id=id, on_day=day, final_value=Decimal(130))
    with pytest.raises(Invalid, match="METER_DAY_OUT_OF_RANGE"):
        await service.remove_meter(
            SYSTEM, meter_id=id, on_day=clock.today() + timedelta(days=1), final_value=Decimal(130)
        )
    # The same day is no earlier one; a doubtful last reading waits like any other.
    await service.remove_meter(
        SYSTEM, meter_id=id, on_day=INSTALLED + timedelta(days=30), final_value=Decimal(95)
    )
    last = await MeterReading.get(meter_id=id, source="removal")
    assert (last.state, last.problem) == ("held", "BACKWARDS")


async def test_the_list_is_narrowed_and_paged(at: Scene) -> None:
    scene = await residents.scene()
    actor = scene.staff("meters.read")
    water = [await meters.meter(scene.compound_id, scene.house_id, number=f"W-{n}") for n in range(3)]
    gas = await meters.meter(scene.compound_id, scene.far_house_id, kind="gas", number="G-1")
    shared = await meters.meter(scene.compound_id, number="W-9")
    await meters.record(scene.compound_id, water[0], 110, days(60))

    async def found(**narrowed: Any) -> list[UUID]:  # Any: filters
        rows = await queries.meters(actor, scene.compound_id, MeterFilter(**narrowed), after=None, limit=50)
        assert await queries.count_meters(actor, scene.compound_id, MeterFilter(**narrowed)) == len(rows)
        return [row.id for row in rows]

    assert await found() == [gas, *water, shared]
    assert await found(kind="water") == [*water, shared]
    assert await found(building_id=scene.other_building_id) == [gas]
    assert await found(search=await estate.number_of(scene.far_house_id)) == [gas]
    assert await found(search="2-1-201") == [gas] and await found(search="W-1") == [water[1]]
    assert await found(search="%") == [] and await found(is_removed=True) == []
    assert await found(unread_since=date(2026, 3, 1)) == [gas, water[1], water[2], shared]
    page = await queries.meters(
        actor, scene.compound_id, MeterFilter(), after=("water", "W-0", water[0]), limit=2
    )
    assert [row.id for row in page] == water[1:]
    assert page[0].last_value == 100 and page[0].waiting == 0


async def test_a_page_costs_as_many_statements_however_long(at: Scene) -> None:
    actor, narrowed = at.staff("meters.read"), MeterFilter()

    async def cost(limit: int) -> int:
        async with database.counted() as counted:
            await queries.meters(actor, at.compound_id, narrowed, after=None, limit=limit)
        return counted.count

    assert await cost(1) == await cost(50) <= 3


async def test_what_was_used_is_counted_by_month(at: Scene) -> None:
    scene = await residents.scene()
    actor = scene.staff("meters.read")
    first = await meters.meter(scene.compound_id, scene.house_id)
    second = await meters.meter(scene.compound_id, scene.next_door_id)
    await meters.meter(scene.compound_id, building_id=scene.building_id)
    for meter, count, value in ((first, 20, 110), (first, 45, 130), (second, 20, 105), (first, 100, 150)):
        await meters.record(scene.compound_id, meter, value, days(count))
    rows = await consumption.report(
        actor, scene.compound_id, from_month=date(2026, 1, 5), until_month=date(2026, 4, 1), kind="water"
    )
    houses = [(row.month.month, row.units, row.meters, row.unread) for row in rows if not row.is_shared]
    # The installation is a reading of January; March has none, and April has what both used.
    assert houses == [(1, 15, 2, 0), (2, 20, 2, 1), (3, None, 2, 2), (4, 20, 2, 1)]
    assert [row.unread for row in rows if row.is_shared] == [0, 1, 1, 1]
    for wrong in ((date(2026, 5, 1), date(2026, 4, 1)), (date(2025, 3, 1), date(2026, 4, 1))):
        with pytest.raises(Invalid, match="TOO_MANY_MONTHS"):
            await consumption.report(actor, scene.compound_id, from_month=wrong[0], until_month=wrong[1])


async def test_residents_see_what_was_used_since_they_came(at: Scene) -> None:
    scene = await residents.scene()
    meter = await meters.meter(scene.compound_id, scene.house_id)
    for count, value in ((20, 110), (45, 130), (70, 150)):
        await meters.record(scene.compound_id, meter, value, days(count))
    await database.execute(
        "UPDATE occupancy SET since_on = $2 WHERE id = $1", scene.owner.occupancy_id, date(2025, 6, 1)
    )
    await database.execute(
        "UPDATE occupancy SET since_on = $2 WHERE id = $1", scene.tenant.occupancy_id, date(2026, 2, 15)
    )
    used = {}
    with clock.use(FixedClock(days(300))):
        for who in (scene.owner, scene.tenant, scene.neighbour):
            actor = await residents.resident(who.account_id)
            found = await consumption.of_meters(actor, [meter], 13)
            used[who.account_id] = [(each.month.month, int(each.units)) for each in found.get(meter, [])]
    assert used == {
        scene.owner.account_id: [(1, 10), (2, 20), (3, 20)], scene.tenant.account_id: [(3, 20)],
        scene.neighbour.account_id: [],
    }  # fmt: skip
