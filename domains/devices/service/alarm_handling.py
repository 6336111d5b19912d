"""What people do about alarms (告警处置): see to one, or clear it by hand."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from domains.devices import alarm_sql as sql
from domains.devices import notices, permissions, rules
from domains.devices.events import AlarmAcknowledged
from domains.devices.kinds import ALARM_KINDS
from domains.devices.models import Alarm
from domains.devices.service.alarms import record_cleared
from domains.kernel import clock, database, outbox, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, NotFound
from notifications import inbox
from notifications.notifying import told


@command("alarm.acknowledge", caller="staff", permission=permissions.ALARMS_HANDLE)
async def acknowledge_alarm(actor: Actor, *, alarm_id: UUID) -> UUID:
    """Say that one sees to an alarm (确认告警); of two who do the first one does, and the other learns who.

    Raises ALARM_NOT_FOUND, ALARM_ACKNOWLEDGED, ALARM_CLEARED.
    """
    row = await _reached(actor, alarm_id)
    if row["state"] == "acknowledged":
        name = await database.fetchval(sql.NAME_OF, row["acknowledged_by"])
        raise Conflict("ALARM_ACKNOWLEDGED", f"{name}已经确认并在处理这条告警,无需再次确认", "alarm")
    await rules.ALARM.move(
        Alarm, alarm_id, "open", "acknowledged", acknowledged_at=clock.now(), acknowledged_by=actor.id
    )
    await outbox.record(AlarmAcknowledged(alarm_id, row["compound_id"]))
    await _read_by(actor, row)
    return alarm_id


@command("alarm.clear", caller="staff", permission=permissions.ALARMS_HANDLE)
async def clear_alarm(actor: Actor, *, alarm_id: UUID, note: str, is_false: bool) -> UUID:
    """Clear an alarm by hand (解除告警), with what was found; `is_false` where that was nothing (误报).

    While its condition lasts the alarm is shelved: for the time of its kind at most, reports of the condition
    open no new one. Raises ALARM_NOT_FOUND, ALARM_CLEARED, TEXT_EMPTY and TEXT_TOO_LONG for the note.
    """
    row = await _reached(actor, alarm_id, is_false=is_false)
    found, now = text.clean(note, max_length=200, field="note"), clock.now()
    lasts = row["calm_since"] is None
    await rules.ALARM.move(
        Alarm, alarm_id, row["state"], "cleared", cleared_at=now, cleared_by=actor.id, is_false=is_false, note=found,
        shelved_until=now + ALARM_KINDS[row["kind"]].shelf if lasts else None,
    )  # fmt: skip
    await record_cleared([row])
    await _read_by(actor, row)
    return alarm_id


async def _reached(actor: Actor, alarm_id: UUID, **facts: object) -> asyncpg.Record:
    """The alarm, held until the command ends, if it is not cleared and the caller may handle it."""
    row = await database.fetchrow(sql.FOR_HANDLING, alarm_id)
    if row is None:
        raise NotFound("ALARM_NOT_FOUND", "没有找到这条告警,请刷新后重试", "alarm")
    concerns("Alarm", alarm_id, row["compound_id"], kind=row["kind"], **facts)
    actor.require(permissions.ALARMS_HANDLE, row["compound_id"], row["building_id"])
    if row["state"] == "cleared":
        raise Conflict("ALARM_CLEARED", "这条告警已经解除,请刷新查看", "alarm")
    return row


async def _read_by(actor: Actor, row: asyncpg.Record) -> None:
    """Who sees to an alarm has read of it: nobody has to be called any more."""
    recipients = await told(notices.OF_LEVEL[ALARM_KINDS[row["kind"]].level], str(row["id"]))
    if actor.id in recipients:
        await inbox.mark_read(actor, ids=[recipients[actor.id]])
