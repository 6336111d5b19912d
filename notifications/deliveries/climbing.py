"""Climbing before its time (提前升级): whom an alarm did not reach by any of its first ways does not wait for
somebody to read what was not sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domains.kernel import database
from notifications.deliveries.sql import CLIMB_NOW, CLIMBS


async def climb_now(lost: Sequence[UUID], now: datetime) -> None:
    """Let the climbs be due that wait behind these deliveries, which were not sent, where no other first
    way of theirs is under way or was sent; in the transaction that settles them."""
    # Of two ways that fail at once, whoever comes to the climbs second sees what the first has written.
    if await database.fetch(CLIMBS, lost):
        await database.execute(CLIMB_NOW, lost, now)
