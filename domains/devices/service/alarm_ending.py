"""Alarms that end by themselves (告警自动解除): what was calm long enough, and what a device leaves behind."""

from __future__ import annotations

from uuid import UUID

from domains.devices import alarm_sql as sql
from domains.devices.kinds import ALARM_KINDS
from domains.devices.service.alarms import MOST, record_cleared
from domains.kernel import clock, database

RETIRED = "设备已报废"


async def clear_calm() -> int:
    """Clear what has been calm for the off-delay of its kind, as of then; how many."""
    kinds, delays = list(ALARM_KINDS), [each.off_delay for each in ALARM_KINDS.values()]
    cleared = 0
    while True:
        async with database.transaction():
            rows = await database.fetch(sql.CLEAR_CALM, kinds, delays, clock.now(), MOST)
            await record_cleared(rows)
        cleared += len(rows)
        if len(rows) < MOST:
            return cleared


async def clear_of_retired(device_id: UUID) -> None:
    """Clear what a retired device has raised: nothing will ever end it, in the open transaction."""
    await record_cleared(await database.fetch(sql.CLEAR_OF_DEVICE, device_id, clock.now(), RETIRED))
