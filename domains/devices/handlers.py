"""Who is told of alarms, and what a retired device leaves behind."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from domains.devices import alarm_sql as sql
from domains.devices import notices, permissions
from domains.devices.events import AlarmAcknowledged, AlarmCleared, AlarmOpened, DeviceRetired
from domains.devices.kinds import ALARM_KINDS
from domains.devices.service.alarm_ending import clear_of_retired
from domains.identity import queries as identity
from domains.kernel import database
from domains.kernel.events import Event
from notifications import viewer_events
from notifications.kinds import Value
from notifications.notifying import notify, told

ALARM_CHANGED = "alarm.changed"


async def tell_of_alarm(event: Event, _: UUID) -> None:
    """The staff who may handle it there; where there are none, the operators, so that somebody knows. One
    that somebody has dealt with meanwhile is no news; one that ended by itself is."""
    assert isinstance(event, AlarmOpened)
    row = await _alarm(event.alarm_id)
    if row["cleared_by"] is not None:
        return
    responsible = await identity.holders(permissions.ALARMS_HANDLE, event.compound_id, event.building_id)
    await notify(
        responsible or await identity.operators(), notices.OF_LEVEL[ALARM_KINDS[event.kind].level],
        {**_words(row), "at": row["opened_at"]}, dedupe_key=str(event.alarm_id), compound_id=event.compound_id,
        subject=("Alarm", event.alarm_id),
    )  # fmt: skip


async def tell_it_is_over(event: Event, _: UUID) -> None:
    """Those who were told that it is critical."""
    assert isinstance(event, AlarmCleared)
    recipients = await told(notices.CRITICAL, str(event.alarm_id))
    if not recipients:
        return
    row = await _alarm(event.alarm_id)
    how = ("自动恢复", "by itself") if row["cleared_by"] is None else ("人工解除", "by hand")
    if row["is_false"]:
        how = ("确认为误报", "a false alarm")
    await notify(
        list(recipients), notices.OVER, {**_words(row), "at": row["cleared_at"], "how": how[0], "how_en": how[1]},
        dedupe_key=str(event.alarm_id), compound_id=event.compound_id, subject=("Alarm", event.alarm_id),
    )  # fmt: skip


async def show_alarm(event: Event, _: UUID) -> None:
    """On the screens of everybody who may see or handle it."""
    assert isinstance(event, AlarmOpened | AlarmAcknowledged | AlarmCleared)
    building_id = (await _alarm(event.alarm_id))["building_id"]
    watching = {
        account_id
        for permission in (permissions.ALARMS_READ, permissions.ALARMS_HANDLE)
        for account_id in await identity.holders(permission, event.compound_id, building_id)
    }
    await viewer_events.tell(sorted(watching), ALARM_CHANGED, subject_type="Alarm", subject_id=event.alarm_id)


async def end_alarms(event: Event, _: UUID) -> None:
    """Those of a device that was retired."""
    assert isinstance(event, DeviceRetired)
    await clear_of_retired(event.device_id)


async def _alarm(alarm_id: UUID) -> asyncpg.Record:
    row = await database.fetchrow(sql.TOLD, alarm_id)
    assert row is not None, "alarms are kept"
    return row


def _words(row: asyncpg.Record) -> dict[str, Value]:
    kind = ALARM_KINDS[row["kind"]]
    return {"compound": row["compound"], "place": row["place"], "alarm": kind.zh, "alarm_en": kind.en}
