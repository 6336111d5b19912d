"""Scheduled work of devices."""

from __future__ import annotations

from datetime import timedelta

from domains.devices.service import exporting, telemetry
from domains.devices.service.alarm_ending import clear_calm
from domains.devices.service.silence import watch_silence
from domains.kernel import clock, database
from domains.kernel.jobs import Result

REFUSALS_KEPT = timedelta(days=180)

PURGE_READINGS = """
DELETE FROM reading WHERE id IN (SELECT id FROM reading WHERE received_at < $1 LIMIT $2)
"""
# A value that nobody has measured for so long is none of now.
PURGE_LATEST = "DELETE FROM latest_reading WHERE received_at < $1"
PURGE_REFUSALS = "DELETE FROM device_refusal WHERE on_day < $1"


async def clear_calm_alarms(_: object) -> Result:
    """Clear the alarms whose condition has been over for long enough."""
    return {"cleared": await clear_calm()}


async def watch_offline(_: object) -> Result:
    """Raise an alarm for devices that have fallen silent, and end it for those that are heard again."""
    silent, heard = await watch_silence()
    return {"silent": silent, "heard": heard}


async def forget_exports(_: object) -> Result:
    """Delete exported files whose address has ended."""
    return {"files": await exporting.forget_exports()}


async def purge(_: object, batch: int = 20_000) -> Result:
    """Forget readings of 90 days ago, by batches, and refusals of 180 days ago; how many of each."""
    before = clock.now() - telemetry.KEPT
    readings = 0
    while count := await database.execute(PURGE_READINGS, before, batch):
        readings += count
    return {
        "readings": readings,
        "latest": await database.execute(PURGE_LATEST, before),
        "refusals": await database.execute(PURGE_REFUSALS, clock.today() - REFUSALS_KEPT),
    }
