"""What is refused of devices goes on record by count (拒收记录): a flood is a statement a second, and one row."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, datetime
from types import TracebackType
from typing import Literal, Self
from uuid import UUID

import structlog

from domains.kernel import clock, database
from domains.kernel.faults import place
from domains.kernel.ids import uuid7
from domains.kernel.slots import Slot

Way = Literal["http", "mqtt"]
Key = tuple[UUID, date, Way, str]

WRITE_EVERY_S = 1.0
MOST_WAITING = 10_000
"""Rows that wait while the database is away; what is refused beyond them is not counted."""

# In one order, so that two processes never wait for each other; who is no device leaves no row.
WRITE = """
INSERT INTO device_refusal (id, device_id, on_day, way, code, count, last_at)
SELECT r.* FROM unnest($1::uuid[], $2::uuid[], $3::date[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[])
    AS r (id, device_id, on_day, way, code, count, last_at) JOIN device d ON d.id = r.device_id
ORDER BY r.device_id, r.on_day, r.way, r.code
ON CONFLICT (device_id, on_day, way, code) DO UPDATE
SET count = device_refusal.count + excluded.count, last_at = greatest(device_refusal.last_at, excluded.last_at)
"""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Tally:
    count: int
    last_at: datetime


class Refusals:
    """The counts of this process that are not written yet; written every second while the block runs, and at
    its end."""

    def __init__(self) -> None:
        self._waiting: dict[Key, _Tally] = {}
        self._news = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._writer = asyncio.create_task(self._write_on())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        await self.write()

    def note(self, key: Key, count: int, at: datetime) -> None:
        """Count; the database hears of it within a second."""
        tally = self._waiting.get(key)
        if tally is not None:
            tally.count, tally.last_at = tally.count + count, max(tally.last_at, at)
        elif len(self._waiting) < MOST_WAITING:
            self._waiting[key] = _Tally(count, at)
        self._news.set()

    async def write(self) -> None:
        """Write what waits; where that fails it waits on."""
        taken, self._waiting = self._waiting, {}
        if not taken:
            return
        rows = [(uuid7(), *key, tally.count, tally.last_at) for key, tally in taken.items()]
        try:
            await database.execute(WRITE, *map(list, zip(*rows, strict=True)))
        except Exception as error:  # the database is away: counted now, written when it is back
            log.warning("refusals.unwritten", **place(error))
            for key, tally in taken.items():
                self.note(key, tally.count, tally.last_at)

    async def _write_on(self) -> None:
        while True:
            await self._news.wait()
            await asyncio.sleep(WRITE_EVERY_S)
            self._news.clear()
            await self.write()


refusals: Slot[Refusals] = Slot("device.refusals")


def refuse(device_id: UUID, way: Way, code: str, count: int = 1) -> None:
    """Put on record that something of a device was refused; of whom is no device nothing is kept."""
    now = clock.now()
    refusals().note((device_id, clock.business_date(now), way, code), count, now)
