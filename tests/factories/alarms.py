"""Alarms, what devices report, and who may see to it, the short way."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from domains.devices.models import Alarm
from domains.devices.rules import Report
from domains.devices.service.alarms import report
from domains.kernel import database

NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
"""Noon in Shanghai."""


def there(device_id: UUID, kind: str = "fire", **more: Any) -> Report:  # Any: fields
    """A report that a condition is there."""
    return Report(device_id, kind, True, more.pop("at", None), **more)


def over(device_id: UUID, kind: str = "fire") -> Report:
    """A report that it is over."""
    return Report(device_id, kind, False, None)


async def raised(device_id: UUID, kind: str = "fire") -> Alarm:
    """A device reports; its alarm that is not cleared."""
    assert await report([there(device_id, kind)]) == [None]
    return await current(device_id, kind)


async def current(device_id: UUID, kind: str = "fire") -> Alarm:
    """The alarm of a condition that is not cleared."""
    return await Alarm.get(device_id=device_id, kind=kind, state__not="cleared")


async def all_of(device_id: UUID) -> list[Alarm]:
    """All alarms of a device, the first one first."""
    return await Alarm.filter(device_id=device_id).order_by("opened_at", "id")


async def recorded(event: str, alarm_id: UUID) -> list[bool]:
    """The events of a name about an alarm: whether each is urgent."""
    rows = await database.fetch(
        "SELECT urgent FROM outbox_message WHERE event = $1 AND subject = $2 ORDER BY id",
        event,
        f"alarm_id:{alarm_id}",
    )
    return [row["urgent"] for row in rows]
