"""Readings that wait: accepted, corrected or rejected; what waits behind them is judged anew; who is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from domains.billing import reading_handlers as handlers
from domains.billing.events import ReadingHeld, ReadingReviewed
from domains.billing.models import MeterReading
from domains.billing.queries import readings as queries
from domains.billing.service import meters as meter_service
from domains.billing.service import readings
from domains.billing.service.reading_reviews import review_reading
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.errors import Conflict, DomainError, Forbidden, NotFound
from domains.kernel.files import storage
from domains.residents.service.photos import Upload
from notifications.models import Notice, Notification
from tests.factories import guards, meters, residents
from tests.factories.meters import INSTALLED, days
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture(scope="module")
async def at(instance: object) -> Scene:
    return await residents.scene()


@pytest.fixture(scope="module")
async def reviewer(at: Scene) -> Actor:
    return await guards.guard(at, "meters.read", "meters.write")


@pytest.fixture
async def meter(at: Scene) -> UUID:
    return await meters.meter(at.compound_id, at.house_id)


async def held(at: Scene, meter: UUID, value: float, day: int) -> UUID:
    answer = await meters.record(at.compound_id, meter, value, days(day))
    assert answer.result == "held" and answer.reading_id is not None
    return answer.reading_id


async def test_one_that_runs_backwards_is_accepted_as_a_register_that_began_again(
    at: Scene, reviewer: Actor, meter: UUID
) -> None:
    id = await held(at, meter, 40, 30)
    [row] = await queries.to_review(reviewer, at.compound_id, None, after=None, limit=10)
    assert (row.id, row.problem) == (id, "BACKWARDS") and row.units == 99940 and row.previous_value == 100
    await review_reading(reviewer, reading_id=id, accept=True)
    reviewed = await MeterReading.get(pk=id)
    assert (reviewed.state, reviewed.reviewed_by) == ("accepted", reviewer.id) and reviewed.total == 99940
    assert reviewed.reviewed_at is not None
    assert len(await residents.events("ReadingReviewed", id)) == 1
    assert await queries.to_review(reviewer, at.compound_id, None, after=None, limit=10) == []
    [audited] = [
        row
        for row in await residents.audited("meter_reading.review", at.compound_id)
        if row["subject_id"] == id
    ]
    assert audited["actor_id"] == reviewer.id


async def test_one_that_was_misread_is_corrected(at: Scene, reviewer: Actor, meter: UUID) -> None:
    id = await held(at, meter, 40, 30)
    await review_reading(reviewer, reading_id=id, accept=True, value=Decimal(104), reason="看错一位")
    row = await MeterReading.get(pk=id)
    assert row.value == 104 and row.total == 4 and row.note == "原读数 40;看错一位"


async def test_a_rejected_one_counts_for_nothing(at: Scene, reviewer: Actor, meter: UUID) -> None:
    id = await held(at, meter, 40, 30)
    with pytest.raises(DomainError, match="REASON_REQUIRED"):
        await review_reading(reviewer, reading_id=id, accept=False)
    await review_reading(reviewer, reading_id=id, accept=False, reason="照片不清")
    row = await MeterReading.get(pk=id)
    assert (row.state, row.total, row.note) == ("rejected", None, "照片不清")
    for accept in (True, False):
        with pytest.raises(Conflict, match="STATE_CONFLICT"):
            await review_reading(reviewer, reading_id=id, accept=accept, reason="再审")
    with pytest.raises(NotFound, match="METER_READING_NOT_FOUND"):
        await review_reading(reviewer, reading_id=uuid4(), accept=True)


async def test_no_total_falls_by_a_review(at: Scene, reviewer: Actor, meter: UUID) -> None:
    await meters.record(at.compound_id, meter, 140, days(40))
    id = await held(at, meter, 150, 20)
    for value in (None, Decimal(141), Decimal(99)):
        with pytest.raises(Conflict, match="READING_CONTRADICTS"):
            await review_reading(reviewer, reading_id=id, accept=True, value=value)
    assert (await MeterReading.get(pk=id)).state == "held"
    await review_reading(reviewer, reading_id=id, accept=True, value=Decimal(120))
    assert await meters.totals(meter) == [(100, 0), (120, 20), (140, 40)]


async def test_what_waits_behind_it_is_judged_anew(at: Scene, reviewer: Actor, meter: UUID) -> None:
    first = await held(at, meter, 500, 10)
    second, third = await held(at, meter, 510, 20), await held(at, meter, 505, 30)
    assert (await MeterReading.get(pk=third)).problem == "IMPLAUSIBLE"
    await review_reading(reviewer, reading_id=first, accept=True)
    assert await meters.totals(meter) == [(100, 0), (500, 400), (510, 410)]
    assert len(await residents.events("ReadingReviewed", second)) == 1
    row = await MeterReading.get(pk=third)
    assert (row.state, row.problem) == ("held", "BACKWARDS")


async def test_of_two_reviewers_one_wins(at: Scene, reviewer: Actor, meter: UUID) -> None:
    id = await held(at, meter, 40, 30)
    answers = await asyncio.gather(
        *(
            review_reading(reviewer, reading_id=id, accept=accept, value=None, reason="x")
            for accept in (True, False, True)
        ),
        return_exceptions=True,
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "Conflict", "UUID"]
    assert len(await residents.events("ReadingReviewed", id)) == 1


async def test_a_last_reading_is_corrected_and_not_rejected(at: Scene, reviewer: Actor, meter: UUID) -> None:
    await meter_service.remove_meter(reviewer, meter_id=meter, on_day=INSTALLED, final_value=Decimal(50))
    last = await MeterReading.get(meter_id=meter, source="removal")
    assert last.state == "held"
    with pytest.raises(Conflict, match="FINAL_READING_NEEDED"):
        await review_reading(reviewer, reading_id=last.id, accept=False, reason="错了")
    await review_reading(reviewer, reading_id=last.id, accept=True, value=Decimal(105))
    assert await meters.totals(meter) == [(100, 0), (105, 5)]


async def test_reviewers_are_told_while_it_waits(at: Scene, reviewer: Actor, meter: UUID) -> None:
    stranger = await guards.guard(at, "meters.read")
    id = await held(at, meter, 40, 30)
    event = ReadingHeld(id, at.compound_id, meter, "BACKWARDS")
    async with database.transaction():
        await handlers.tell_reviewers(event, uuid4())
    told = await recipients(id)
    assert reviewer.account_id in told and stranger.account_id not in told
    other = await held(at, meter, 30, 31)
    await review_reading(reviewer, reading_id=other, accept=False, reason="重复")
    async with database.transaction():
        await handlers.tell_reviewers(ReadingHeld(other, at.compound_id, meter, "BACKWARDS"), uuid4())
    assert await recipients(other) == []


@pytest.mark.parametrize("accept", [True, False])
async def test_a_resident_is_told_what_became_of_theirs(
    at: Scene, reviewer: Actor, meter: UUID, accept: bool
) -> None:
    actor = await residents.resident(at.owner.account_id)
    id = await readings.submit_meter_reading(
        actor, meter_id=meter, value=Decimal(40), idempotency_key=uuid4()
    )
    assert (await MeterReading.get(pk=id)).state == "held"
    await review_reading(reviewer, reading_id=id, accept=accept, reason="表盘看不清")
    async with database.transaction():
        await handlers.tell_reader(ReadingReviewed(id, at.compound_id, meter, accept), uuid4())
    assert await recipients(id) == [at.owner.account_id]
    notice: Any = (await Notice.get(subject_id=id)).data  # Any: JSON
    assert notice["value" if accept else "reason"] == ("40" if accept else "表盘看不清")


async def test_a_collectors_reading_has_nobody_to_tell(at: Scene, reviewer: Actor, meter: UUID) -> None:
    id = await held(at, meter, 40, 30)
    await review_reading(reviewer, reading_id=id, accept=False, reason="错")
    async with database.transaction():
        await handlers.tell_reader(ReadingReviewed(id, at.compound_id, meter, False), uuid4())
    assert await recipients(id) == []


async def test_the_queue_is_paged_in_the_order_of_coming(at: Scene, reviewer: Actor) -> None:
    scene = await residents.scene()
    actor = scene.staff("meters.write")
    waiting = []
    for house in (scene.house_id, scene.far_house_id, scene.next_door_id):
        meter = await meters.meter(scene.compound_id, house)
        waiting.append(await held(scene, meter, 10, 20))

    async def page(limit: int, building: UUID | None = None, after: Any = None) -> Any:  # Any: cursor
        async with database.counted() as counted:
            rows = await queries.to_review(actor, scene.compound_id, building, after=after, limit=limit)
        assert counted.count <= 3
        return rows

    first = await page(2)
    assert [row.id for row in first] == waiting[:2]
    rest = await page(2, after=(first[1].received_at, first[1].id))
    assert [row.id for row in rest] == waiting[2:]
    assert [row.id for row in await page(9, scene.other_building_id)] == [waiting[1]]
    assert await queries.count_to_review(actor, scene.compound_id, None) == 3
    local = residents.staff("meters.write", compound_id=scene.compound_id, building_id=scene.building_id)
    assert [row.id for row in await queries.to_review(local, scene.compound_id, None, after=None, limit=9)] == [
        waiting[0], waiting[2],
    ]  # fmt: skip
    with pytest.raises(Forbidden):
        await review_reading(local, reading_id=waiting[1], accept=False, reason="别楼")


async def recipients(reading_id: UUID) -> list[UUID]:
    rows = await Notification.filter(notice__subject_id=reading_id).values_list("account_id", flat=True)
    return [UUID(str(row)) for row in rows]


async def test_a_photo_comes_with_a_reading_and_not_twice(at: Scene, meter: UUID) -> None:
    png = b"\x89PNG\r\n\x1a\n" + b"0" * 64

    async def chunks(data: bytes) -> AsyncIterator[bytes]:
        yield data

    actor, key = await residents.resident(at.owner.account_id), uuid4()

    async def submit(data: bytes, value: int = 105) -> UUID:
        return await readings.submit_meter_reading(
            actor, meter_id=meter, value=Decimal(value), idempotency_key=key, photo=Upload(chunks(data), "image/png")
        )  # fmt: skip

    with pytest.raises(DomainError, match="FILE_TYPE_REFUSED"):
        await submit(b"<svg/>")
    assert len(await meters.totals(meter)) == 1
    id = await submit(png)
    kept = (await MeterReading.get(pk=id)).photo_key
    assert kept is not None and await submit(png) == id
    row = await MeterReading.get(pk=id)
    assert row.photo_key == kept
    assert b"".join([chunk async for chunk in await storage().open(kept)]) == png
    assert (await queries.by_id(actor, [id]))[id].photo_key == kept
    assert clock.today() == row.read_on
