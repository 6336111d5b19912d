"""Readings as they come: kept, held, known already, in whatever order and however many at once."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from domains.billing.models import MeterReading
from domains.billing.service import readings
from domains.billing.service.collected_readings import take_collected
from domains.billing.service.readings import Brought
from domains.kernel import clock, database
from domains.kernel.actor import SYSTEM
from domains.kernel.errors import Conflict, Forbidden, Invalid, Throttled
from tests.factories import devices, meters, residents
from tests.factories.meters import days
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture(scope="module")
async def at(instance: object) -> Scene:
    return await residents.scene()


@pytest.fixture
async def meter(at: Scene) -> UUID:
    return await meters.meter(at.compound_id, at.house_id)


async def test_readings_count_from_the_installation(at: Scene, meter: UUID) -> None:
    for count, value in enumerate((110, 121.5, 130), start=1):
        assert (await meters.record(at.compound_id, meter, value, days(30 * count))).result == "accepted"
    assert await meters.totals(meter) == [
        (100, 0), (110, 10), (121.5, 21.5), (130, 30),
    ]  # fmt: skip


async def test_the_multiplier_is_counted(at: Scene) -> None:
    meter = await meters.meter(
        at.compound_id, None, kind="electricity", multiplier=Decimal(40), daily_most=Decimal(1000)
    )
    await meters.record(at.compound_id, meter, "110.25", days(1))
    assert (await meters.totals(meter))[-1] == (110.25, 410)


async def test_a_doubtful_one_waits_and_is_told(at: Scene, meter: UUID) -> None:
    answer = await meters.record(at.compound_id, meter, 90, days(30))
    assert (answer.result, answer.problem) == ("held", "BACKWARDS")
    assert answer.reading_id is not None
    row = await MeterReading.get(pk=answer.reading_id)
    assert (row.state, row.total, row.problem, row.source) == ("held", None, "BACKWARDS", "staff")
    assert len(await residents.events("ReadingHeld", answer.reading_id)) == 1
    # It blocks nothing but itself.
    assert (await meters.record(at.compound_id, meter, 105, days(31))).result == "accepted"


async def test_the_same_instant_is_known(at: Scene, meter: UUID) -> None:
    assert (await meters.record(at.compound_id, meter, 110, days(30))).result == "accepted"
    again = await meters.record(at.compound_id, meter, 111, days(30))
    assert (again.result, again.reading_id) == ("duplicate", None)
    assert len(await meters.totals(meter)) == 2


async def test_a_late_one_is_kept_between_its_neighbours_until_a_line_took_a_later_one(
    at: Scene, meter: UUID
) -> None:
    later = await meters.record(at.compound_id, meter, 140, days(40))
    assert (await meters.record(at.compound_id, meter, 120, days(20))).result == "accepted"
    assert (await meters.record(at.compound_id, meter, 119, days(30))).problem == "LATE"
    assert later.reading_id is not None
    await meters.billed(meter, at.house_id, later.reading_id)
    assert (await meters.record(at.compound_id, meter, 130, days(31))).problem == "LATE"
    assert (await meters.record(at.compound_id, meter, 150, days(50))).result == "accepted"
    assert [total for _, total in await meters.totals(meter)] == [0, 20, 40, 50]


async def test_each_of_a_list_is_answered_by_itself(at: Scene, meter: UUID) -> None:
    other, elsewhere = (
        await meters.meter(at.compound_id, at.next_door_id),
        await meters.meter(at.other_compound_id),
    )
    brought = [
        Brought(meter, Decimal(110), days(30)),
        Brought(elsewhere, Decimal(110), days(30)),
        Brought(other, Decimal(100_000), days(30)),
        Brought(other, Decimal(110), days(-1)),
        Brought(other, Decimal(110), clock.now() + timedelta(hours=1)),
        Brought(uuid4(), Decimal(1)),
        Brought(meter, Decimal(115), days(35)),
        Brought(meter, Decimal(110), days(30)),
        Brought(other, Decimal(110), days(30), "x" * 101),
    ]
    key = uuid4()

    async def record() -> list[readings.Answer]:
        return await readings.record_readings(
            SYSTEM, compound_id=at.compound_id, readings=brought, idempotency_key=key
        )

    answers = await record()
    assert [answer.code or answer.result for answer in answers] == [
        "accepted", "METER_NOT_FOUND", "READING_OUT_OF_RANGE", "READING_BEFORE_INSTALLATION", "READING_IN_FUTURE",
        "METER_NOT_FOUND", "accepted", "duplicate", "TEXT_TOO_LONG",
    ]  # fmt: skip
    assert await record() == answers
    assert [total for _, total in await meters.totals(meter)] == [0, 10, 15]
    assert len(await meters.totals(elsewhere)) == 1


async def test_a_list_is_bounded(at: Scene, meter: UUID) -> None:
    brought = [Brought(meter, Decimal(110))] * (readings.MOST + 1)
    with pytest.raises(Invalid, match="TOO_MANY_METER_READINGS"):
        await readings.record_readings(
            SYSTEM, compound_id=at.compound_id, readings=brought, idempotency_key=uuid4()
        )


async def test_many_readings_cost_as_few_statements_as_one(at: Scene) -> None:
    made = [await meters.meter(at.compound_id, at.house_id) for _ in range(20)]

    async def cost(ids: list[UUID]) -> int:
        async with database.counted() as counted:
            await readings.record_readings(
                SYSTEM, compound_id=at.compound_id, idempotency_key=uuid4(),
                readings=[Brought(id, Decimal(110), days(30)) for id in ids],
            )  # fmt: skip
        return counted.count

    few, many = await cost(made[:1]), await cost(made[1:])
    assert few == many <= 7


async def test_a_batch_out_of_order_is_judged_in_order(at: Scene, meter: UUID) -> None:
    device = await _collector(at, meter)
    steps = [(day, 100 + day) for day in range(1, 40)]
    random.Random(5).shuffle(steps)
    items = [{"meter": str(meter), "value": value, "at": _ms(day)} for day, value in steps]
    answers = await take_collected(device, items, clock.now())
    assert {answer.result for answer in answers} == {"accepted"}
    assert [total for _, total in await meters.totals(meter)] == list(range(40))
    assert {answer.result for answer in await take_collected(device, items, clock.now())} == {"duplicate"}


async def test_totals_never_fall_whoever_comes_first(at: Scene, meter: UUID) -> None:
    device, chance = await _collector(at, meter), random.Random(7)
    for attempt in range(3):
        steps = [
            (day + 60 * attempt, 100 + day + 60 * attempt + chance.choice((0, 0, -9, 9)))
            for day in range(1, 50)
        ]
        chance.shuffle(steps)
        parts = [steps[start::5] for start in range(5)]
        await asyncio.gather(
            *(
                take_collected(
                    device,
                    [{"meter": str(meter), "value": value, "at": _ms(day)} for day, value in part],
                    clock.now(),
                )
                for part in parts
            ),
            *(meters.record(at.compound_id, meter, value, days(day) + timedelta(hours=1)) for day, value in steps[:5]),
        )  # fmt: skip
    found = [total for _, total in await meters.totals(meter)]
    assert found == sorted(found) and len(found) > 20
    rows = await MeterReading.filter(meter_id=meter, state="accepted")
    assert all(row.total == row.value - 100 for row in rows)


async def test_a_meter_that_runs_backwards_waits_once_a_day(at: Scene, meter: UUID) -> None:
    device = await _collector(at, meter)
    items = [{"meter": str(meter), "value": 90, "at": _ms(10) + hour * 1_800_000} for hour in range(20)]
    for part in (items[:10], items[10:]):
        assert {answer.code for answer in await take_collected(device, part, clock.now())} == {"BACKWARDS"}
    assert await MeterReading.filter(meter_id=meter, state="held").count() == 1


async def test_what_a_collector_cannot_mean(at: Scene, meter: UUID) -> None:
    device = await _collector(at, meter)
    not_its = await meters.meter(at.compound_id, at.house_id)
    items = [
        {"meter": str(not_its), "value": 110}, {"meter": "没有", "value": 1}, {"meter": 5, "value": 1}, "x",
        {"meter": str(meter), "value": True}, {"meter": str(meter), "value": "1e400"},
        {"meter": str(meter), "value": "abc"}, {"meter": str(meter)}, {"meter": str(meter), "value": 110, "at": -1},
        {"meter": str(meter), "value": 110, "at": "now"}, {"meter": str(meter), "value": 123456},
        {"meter": str(meter), "value": 110, "at": _ms(-20)},
        {"meter": str(meter), "value": 110, "at": int((clock.now() + timedelta(hours=1)).timestamp() * 1000)},
        {"meter": str(meter), "value": 110, "kind": "gas"}, {"meter": str(meter), "value": 110, "kind": []},
    ]  # fmt: skip
    answers = await take_collected(device, items, clock.now())
    assert [answer.code for answer in answers] == [
        "METER_UNKNOWN", "METER_UNKNOWN", "READING_INVALID", "READING_INVALID", "VALUE_INVALID", "VALUE_INVALID",
        "VALUE_INVALID", "VALUE_INVALID", "TIME_INVALID", "TIME_INVALID", "READING_OUT_OF_RANGE",
        "READING_BEFORE_INSTALLATION", "READING_IN_FUTURE", "METER_UNKNOWN", "VALUE_INVALID",
    ]  # fmt: skip
    assert len(await meters.totals(meter)) == 1 == len(await meters.totals(not_its))


async def test_a_number_may_be_on_two_meters_of_a_collector(at: Scene) -> None:
    device = await devices.device(at.compound_id, "other")
    number = uuid4().hex[:10]
    for kind in ("water", "gas"):
        await meters.meter(at.compound_id, at.house_id, kind=kind, number=number, device_id=device)
    items = [{"meter": number, "value": 101}, {"meter": number, "kind": "gas", "value": "101.5"}]
    answers = await take_collected(device, items, clock.now())
    assert [answer.result for answer in answers] == ["unknown", "accepted"]


async def test_a_collector_that_floods_is_told_to_wait(at: Scene, meter: UUID) -> None:
    device = await _collector(at, meter)
    items = [{"meter": "没有", "value": 1}] * 1000
    for _ in range(24):
        await take_collected(device, items, clock.now())
    with pytest.raises(Throttled, match="METER_READINGS_TOO_MANY"):
        await take_collected(device, items, clock.now())


async def test_a_resident_reads_a_meter_of_the_own_house_once(at: Scene, meter: UUID) -> None:
    actor, key = await residents.resident(at.tenant.account_id), uuid4()

    async def submit(value: int = 105) -> UUID:
        return await readings.submit_meter_reading(
            actor, meter_id=meter, value=Decimal(value), idempotency_key=key
        )

    id = await submit()
    assert await submit() == id
    with pytest.raises(Conflict, match="IDEMPOTENCY_CONFLICT"):
        await submit(106)
    row = await MeterReading.get(pk=id)
    assert (row.state, row.source, row.account_id) == ("accepted", "resident", at.tenant.account_id)
    assert await MeterReading.filter(meter_id=meter).count() == 2
    shared = await meters.meter(at.compound_id)
    for foreign in (shared, uuid4()):
        with pytest.raises(Forbidden):
            await readings.submit_meter_reading(
                actor, meter_id=foreign, value=Decimal(105), idempotency_key=uuid4()
            )
    with pytest.raises(Invalid, match="READING_OUT_OF_RANGE"):
        await readings.submit_meter_reading(actor, meter_id=meter, value=Decimal(-1), idempotency_key=uuid4())


async def test_a_resident_sends_so_many_a_day(at: Scene) -> None:
    who = await residents.resident(at.family.account_id)
    for attempt in range(31):
        meter = await meters.meter(at.compound_id, at.house_id)
        submitted = readings.submit_meter_reading(
            who, meter_id=meter, value=Decimal(105), idempotency_key=uuid4()
        )
        if attempt < 30:
            await submitted
            continue
        with pytest.raises(Throttled, match="READINGS_OF_DAY"):
            await submitted
        assert len(await meters.totals(meter)) == 1


async def _collector(at: Scene, meter: UUID) -> UUID:
    device = await devices.device(at.compound_id, "other")
    await database.execute("UPDATE meter SET device_id = $2 WHERE id = $1", meter, device)
    return device


def _ms(day: int) -> int:
    return int(days(day).timestamp() * 1000)
