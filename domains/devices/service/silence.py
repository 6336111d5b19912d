"""Devices that are not heard any more (设备离线), and those that are heard again."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from domains.devices import alarm_sql as sql
from domains.devices.rules import OFFLINE_GRACE, Report
from domains.devices.service.alarms import MOST, report
from domains.kernel import clock, database

OFFLINE = "offline"


async def watch_silence() -> tuple[int, int]:
    """Report the devices in service that have fallen silent, and the end of it for those that were heard
    again or are not expected any more; how many of each. Twice is once. After a time in which nobody watched,
    each device has its whole time anew to be heard."""
    now = clock.now()
    since = await database.fetchval(sql.WATCHED_SINCE, now)
    silent = await _ids(sql.FALLEN_SILENT, now, now - OFFLINE_GRACE, since)
    heard = await _ids(sql.HEARD_AGAIN, now, now - OFFLINE_GRACE)
    await _report(silent, is_active=True)
    await _report(heard, is_active=False)
    return len(silent), len(heard)


async def _ids(statement: str, *values: object) -> list[UUID]:
    return [row["id"] for row in await database.fetch(statement, *values)]


async def _report(device_ids: Sequence[UUID], *, is_active: bool) -> None:
    for start in range(0, len(device_ids), MOST):
        batch = device_ids[start : start + MOST]
        await report([Report(each, OFFLINE, is_active, None) for each in batch])
