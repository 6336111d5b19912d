"""Readings that wait (待审读数): accepted as they are, accepted corrected, or rejected."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import asyncpg

from domains.billing import meter_sql as sql
from domains.billing import metering, permissions, rules
from domains.billing.events import ReadingReviewed
from domains.billing.metering import Past
from domains.billing.models import MeterReading
from domains.billing.service import reading_intake as intake
from domains.billing.service.reading_intake import Meter
from domains.kernel import clock, database, outbox, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid, NotFound


@command("meter_reading.review", caller="staff", permission=permissions.METERS_WRITE)
async def review_reading(
    actor: Actor, *, reading_id: UUID, accept: bool, value: Decimal | None = None, reason: str = ""
) -> UUID:
    """Accept a reading that waits, with another value if it was misread, or reject it with a reason that whoever sent
    it reads. A value below the one before it is accepted as a register that began again at zero.

    What waits of the same meter after it is judged anew. Raises METER_READING_NOT_FOUND, STATE_CONFLICT,
    READING_CONTRADICTS, READING_OUT_OF_RANGE, REASON_REQUIRED, FINAL_READING_NEEDED or a TEXT_ code.
    """
    row = await database.fetchrow(sql.TO_REVIEW, reading_id)
    if row is None:
        raise NotFound("METER_READING_NOT_FOUND", "没有找到这个读数,请刷新后重试", "reading")
    compound_id = row["compound_id"]
    concerns("MeterReading", reading_id, compound_id, accept=accept, was=str(row["value"]))
    actor.require(permissions.METERS_WRITE, compound_id, row["building_id"] or row["meter_id"])
    reason = text.clean(reason, max_length=100, min_length=0, field="reason")
    meter = (await intake.locked([row["meter_id"]]))[row["meter_id"]]
    if accept:
        await _accept(actor, meter, row, value, reason)
        await _judge_waiting(actor, meter, row)
    else:
        await _reject(actor, row, reason)
    await outbox.record(ReadingReviewed(reading_id, compound_id, meter.id, accept))
    return reading_id


async def _accept(
    actor: Actor, meter: Meter, row: asyncpg.Record, value: Decimal | None, reason: str
) -> None:
    corrected = row["value"] if value is None else metering.checked_value(value, meter.digits)
    past = await _past(meter, row)
    if past is None or (past.following and corrected_total(meter, past, corrected) > past.following.total):
        raise Conflict("READING_CONTRADICTS", "这个读数与前后已确认的读数矛盾,请更正数值或驳回", "value")
    columns = {"value": corrected, "total": corrected_total(meter, past, corrected)}
    if corrected != row["value"]:
        concerns("MeterReading", row["id"], meter.compound_id, corrected=str(corrected))
        reason = ";".join(filter(None, (f"原读数 {row['value'].normalize():f}", reason)))
    note = ";".join(filter(None, (row["note"], reason)))[:200]
    await _move(actor, row["id"], row["state"], "accepted", note=note, **columns)


def corrected_total(meter: Meter, past: Past, value: Decimal) -> Decimal:
    """Units since installation if this value is accepted there."""
    return metering.total_of(meter.register, past.last, value)


async def _reject(actor: Actor, row: asyncpg.Record, reason: str) -> None:
    if row["source"] in ("install", "removal"):
        raise Conflict("FINAL_READING_NEEDED", "装表和拆表的读数不能驳回,请更正数值后确认", "accept")
    if not reason:
        raise Invalid("REASON_REQUIRED", "请填写驳回原因,抄表人会看到", "reason")
    await _move(actor, row["id"], row["state"], "rejected", note=reason)


async def _judge_waiting(actor: Actor, meter: Meter, reviewed: asyncpg.Record) -> None:
    """What waited for the same reason may be in order now; what is not keeps waiting, for its reason as of now."""
    for row in await database.fetch(sql.WAITING_AFTER, meter.id, reviewed["read_at"]):
        past = await _past(meter, row)
        assert past is not None, "the reading that was reviewed comes before it"
        verdict = metering.judge(meter.register, past, row["value"], row["read_at"])
        if verdict.problem:
            await MeterReading.filter(pk=row["id"]).update(problem=verdict.problem)
            continue
        await _move(actor, row["id"], "held", "accepted", total=verdict.total)
        await outbox.record(ReadingReviewed(row["id"], meter.compound_id, meter.id, True))


async def _past(meter: Meter, row: asyncpg.Record) -> Past | None:
    [around] = await intake.surroundings([(meter.id, row["read_at"])])
    return intake.past_of(around)


async def _move(actor: Actor, id: UUID, old: str, new: str, **columns: object) -> None:
    reviewed = {"reviewed_by": actor.id, "reviewed_at": clock.now()}
    await rules.READING.move(MeterReading, id, old, new, **columns | reviewed)
