"""Events delivered here and now, and what people were told by it."""

from __future__ import annotations

from uuid import UUID

import orjson

from api.wiring import EVENTS, HANDLERS
from domains.kernel import database, outbox
from domains.kernel.events import Event
from domains.kernel.outbox import Relay


async def deliver() -> None:
    """Deliver what is recorded, until nothing is left; a handler that fails is a failed test."""
    for urgent in (True, False):
        relay = Relay(EVENTS, HANDLERS, urgent=urgent)
        while await relay.deliver():
            pass
    left = await database.fetch("SELECT event, error FROM outbox_message WHERE state <> 'done'")
    assert not left, [tuple(row.values()) for row in left]


async def record(event: Event) -> None:
    """Record an event."""
    async with database.transaction():
        await outbox.record(event)


async def deliver_again() -> None:
    """Deliver everything once more, as to handlers that have forgotten that they handled it."""
    await database.execute("DELETE FROM handled_event")
    await database.execute(
        "UPDATE outbox_message SET state = 'pending', available_at = now(), leased_until = NULL"
    )
    await deliver()


async def told(account_id: UUID) -> list[str]:
    """The kinds of what is in an account's inbox, in order."""
    rows = await database.fetch(
        "SELECT kind FROM notification WHERE account_id = $1 ORDER BY created_at, id", account_id
    )
    return [row["kind"] for row in rows]


async def data_of(account_id: UUID, kind: str) -> dict[str, object]:
    """What the last notice of a kind in an account's inbox says."""
    text = await database.fetchval(
        "SELECT c.data::text FROM notification n JOIN notice c ON c.id = n.notice_id "
        "WHERE n.account_id = $1 AND n.kind = $2 ORDER BY n.id DESC LIMIT 1", account_id, kind,
    )  # fmt: skip
    data: dict[str, object] = orjson.loads(text)
    return data
