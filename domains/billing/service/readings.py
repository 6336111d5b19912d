"""Readings that people bring (抄表): staff many at once, residents one of their own house."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from domains.billing import meter_sql as sql
from domains.billing import permissions
from domains.billing.service import reading_intake as intake
from domains.billing.service.reading_intake import Meter, Outcome, Reading
from domains.identity.limits import limiter
from domains.kernel import clock, database, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, DomainError, Invalid, NotFound, Throttled
from domains.kernel.files import storage
from domains.kernel.rates import RateLimit, WhenDown
from domains.kernel.storage import Kind, inspect_upload
from domains.kernel.storage.errors import file_type_refused
from domains.residents.service.photos import LIMIT_BYTES, TYPES, Upload

MOST = 500
PER_ACCOUNT = RateLimit("meter-readings-account", 30, 86_400, 30, WhenDown.OPEN)
"""Readings of a resident in a day."""


@dataclass(frozen=True, slots=True)
class Brought:
    """A reading that staff bring; without `read_at` it was taken now."""

    meter_id: UUID
    value: Decimal
    read_at: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a reading: kept, waiting for review, known already, or refused with a code and words."""

    result: Literal["accepted", "held", "duplicate", "refused"]
    reading_id: UUID | None = None
    problem: str = ""
    code: str = ""
    message: str = ""


@command("meter_reading.record", caller="staff", permission=permissions.METERS_WRITE)
async def record_readings(
    actor: Actor, *, compound_id: UUID, readings: Sequence[Brought], idempotency_key: UUID
) -> list[Answer]:
    """Keep readings of a compound's meters, up to 500 at once; each is answered by itself, in their order.

    Raises TOO_MANY_METER_READINGS. An answer may say METER_NOT_FOUND, METER_REMOVED or a READING_ or TEXT_ code.
    """
    concerns("Meter", None, compound_id, readings=len(readings))
    actor.require(permissions.METERS_WRITE, compound_id)
    if len(readings) > MOST:
        raise Invalid("TOO_MANY_METER_READINGS", f"一次最多录入 {MOST} 个读数,请分批提交", "readings")
    meters = await intake.locked({each.meter_id for each in readings})
    there = {id: meter for id, meter in meters.items() if _reaches(actor, compound_id, meter)}
    checked = [_checked(actor, there.get(each.meter_id), each) for each in readings]
    outcomes = iter(await intake.take([each for each in checked if isinstance(each, Reading)]))
    return [each if isinstance(each, Answer) else _answer(next(outcomes)) for each in checked]


def _reaches(actor: Actor, compound_id: UUID, meter: Meter) -> bool:
    within = meter.building_id or meter.id
    return meter.compound_id == compound_id and actor.may(permissions.METERS_WRITE, compound_id, within)


def _checked(actor: Actor, meter: Meter | None, brought: Brought) -> Reading | Answer:
    try:
        if meter is None:
            raise NotFound("METER_NOT_FOUND", "没有找到这块表,请刷新后重试", "meter")
        at = brought.read_at or clock.now()
        value = intake.check(meter, brought.value, at)
        note = text.clean(brought.note, max_length=100, min_length=0, field="note")
        return Reading(meter, value, at, "staff", actor.account_id, note)
    except DomainError as error:
        return Answer("refused", code=error.code, message=error.message)


def _answer(outcome: Outcome) -> Answer:
    return Answer(outcome.result, outcome.reading_id, outcome.problem)


async def submit_meter_reading(
    actor: Actor, *, meter_id: UUID, value: Decimal, idempotency_key: UUID, photo: Upload | None = None
) -> UUID:
    """A resident's reading of a meter of the own house, with a photo if they like (自助抄表); its id.

    Whoever lives there may: owner, family, tenant. Raises METER_REMOVED, READING_OUT_OF_RANGE, READING_DUPLICATE,
    Throttled READINGS_OF_DAY, FILE_TYPE_REFUSED, FILE_TOO_LARGE (over 5 MB), FILE_STORE_UNAVAILABLE.
    """
    key = None if photo is None else await _kept(photo)
    taken = False
    try:
        id = await _submit(actor, meter_id=meter_id, value=value, idempotency_key=idempotency_key)
        # Beside the command: a photo that is sent again is another file, and the reading the same.
        taken = key is not None and await database.fetchval(sql.PHOTO, id, key, actor.id) is not None
        return id
    finally:
        if key is not None and not taken:
            await storage().delete(key)


async def _kept(photo: Upload) -> str:
    content_type, chunks = await inspect_upload(photo.chunks, declared=photo.declared, kinds={Kind.PICTURE})
    if content_type not in TYPES:
        raise file_type_refused()
    stored = await storage().save("photos/meters", chunks, content_type=content_type, limit_bytes=LIMIT_BYTES)
    return stored.key


@command("meter_reading.submit", caller="resident")
async def _submit(actor: Actor, *, meter_id: UUID, value: Decimal, idempotency_key: UUID) -> UUID:
    meter = (await intake.locked([meter_id])).get(meter_id)
    tie = next((tie for tie in actor.houses if meter is not None and tie.house_id == meter.house_id), None)
    if meter is None or tie is None:
        actor.refuse()
    concerns("Meter", meter_id, meter.compound_id, house=meter.house_id)
    await _count(actor)
    now = clock.now()
    if meter.removed_on is not None:
        raise Conflict("METER_REMOVED", "这块表已经拆除,请抄新表", "meter")
    reading = Reading(meter, intake.check(meter, value, now), now, "resident", actor.id)
    [outcome] = await intake.take([reading])
    if outcome.reading_id is None:
        raise Conflict("READING_DUPLICATE", "这块表此刻已有读数,请刷新后查看", "meter")
    concerns("MeterReading", outcome.reading_id, meter.compound_id, result=outcome.result)
    return outcome.reading_id


async def _count(actor: Actor) -> None:
    verdict = await limiter().take(PER_ACCOUNT, str(actor.id))
    if not verdict.allowed:
        raise Throttled("READINGS_OF_DAY", "今天提交的读数太多,请明天再试或联系物业", verdict.retry_after_s)
