"""Transactional outbox (事务发件箱): an event is committed with its cause or not at all.

A relay delivers it afterwards, at least once, in order per subject; a handler's own writes and
the note that it has handled the event are one transaction, so that its effects happen once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, field
from datetime import datetime
from uuid import UUID

import asyncpg
import orjson
import structlog

from domains.kernel import database, waking
from domains.kernel.events import Event, Registry, to_payload
from domains.kernel.faults import cause_of, place
from domains.kernel.ids import uuid7

Handler = Callable[[Event, UUID], Awaitable[None]]

log = structlog.get_logger(__name__)

# Rows are written at the end of the transaction, after a lock on each of their subjects: of two
# transactions with one subject the one that commits first has the smaller ids, and order of ids is
# order of facts. The locks are the last that a transaction takes, and in one order for everybody, so
# that no two can wait for each other.
TURNS = """
SELECT pg_advisory_xact_lock(subject.lock) FROM (
    SELECT DISTINCT hashtextextended(name, 0) AS lock FROM unnest($1::text[]) AS name ORDER BY 1) AS subject
"""

RECORD = """
INSERT INTO outbox_message (event_id, event, subject, payload, urgent, state, attempts, recorded_at, available_at)
SELECT m.event_id, m.event, m.subject, m.payload::jsonb, m.urgent, 'pending', 0, clock_timestamp(), clock_timestamp()
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::boolean[])
    WITH ORDINALITY AS m (event_id, event, subject, payload, urgent, place)
ORDER BY m.place
"""

# Only the first unfinished message of a subject may be claimed: a parked one holds back its own
# subject and nobody else. What is urgent waits for nothing but what is urgent.
CLAIM = """
WITH due AS MATERIALIZED (
    SELECT m.id FROM outbox_message m
    WHERE m.state = 'pending' AND m.urgent = $3 AND m.available_at <= now()
      AND (m.leased_until IS NULL OR m.leased_until < now())
      AND NOT EXISTS (
          SELECT 1 FROM outbox_message e
          WHERE e.subject = m.subject AND e.state <> 'done' AND e.id < m.id AND (e.urgent OR NOT m.urgent))
    ORDER BY m.id LIMIT $4 FOR UPDATE SKIP LOCKED)
UPDATE outbox_message m
SET lease_id = $1, leased_until = now() + make_interval(secs => $2), attempts = m.attempts + 1
FROM due WHERE m.id = due.id
RETURNING m.id, m.event_id, m.event, m.payload::text AS payload, m.attempts
"""

RENEW = """
UPDATE outbox_message SET leased_until = now() + make_interval(secs => $2)
WHERE id = ANY($3::bigint[]) AND lease_id = $1 AND state = 'pending' AND leased_until IS NOT NULL
"""

HANDLED = """
INSERT INTO handled_event (id, event_id, handler, handled_at) VALUES ($1, $2, $3, now())
ON CONFLICT (event_id, handler) DO NOTHING RETURNING id
"""

# Says whether the next of its subject may be claimed now.
SETTLE = """
UPDATE outbox_message m SET state = 'done', done_at = now(), error = NULL WHERE m.id = $1 AND m.lease_id = $2
RETURNING EXISTS (SELECT FROM outbox_message n WHERE n.subject = m.subject AND n.state = 'pending' AND n.id > m.id)
"""

POSTPONE = """
UPDATE outbox_message SET state = $3, error = $4, leased_until = NULL,
    available_at = now() + make_interval(secs => $5)
WHERE id = $1 AND lease_id = $2
"""

RETRY = """
UPDATE outbox_message SET state = 'pending', attempts = 0, available_at = now(), leased_until = NULL
WHERE id = $1 AND state = 'parked'
"""

RETRY_ALL = """
UPDATE outbox_message SET state = 'pending', attempts = 0, available_at = now(), leased_until = NULL
WHERE state = 'parked'
"""

PARKED = """
SELECT id, event, subject, attempts, recorded_at, error FROM outbox_message
WHERE state = 'parked' ORDER BY id LIMIT $1
"""

BACKLOG = """
SELECT count(*) FILTER (WHERE state = 'pending') AS pending, count(*) FILTER (WHERE state = 'parked') AS parked,
    coalesce(extract(epoch FROM now() - min(recorded_at) FILTER (WHERE state = 'pending')), 0)::float8 AS oldest_s
FROM outbox_message WHERE state <> 'done'
"""

PURGE = """
WITH old AS (
    DELETE FROM outbox_message WHERE id IN (
        SELECT id FROM outbox_message WHERE state = 'done' AND done_at < $1 LIMIT $2)
    RETURNING event_id),
forgotten AS (DELETE FROM handled_event h USING old WHERE h.event_id = old.event_id)
SELECT count(*) FROM old
"""

LANES = {False: "outbox", True: "outbox:urgent"}
"""The relays' names by urgency, for waking them."""


@dataclass(frozen=True, slots=True)
class _Recorded:
    event_id: UUID
    event: str
    subject: str
    payload: str
    urgent: bool


async def record(event: Event, *, urgent: bool = False) -> UUID:
    """Record an event in the open transaction; returns its id. Outside of one it is a mistake."""
    current = database.open_transaction()
    if current is None:
        raise RuntimeError("an event is recorded in the transaction of its cause")
    payload = orjson.dumps(to_payload(event)).decode()
    recorded = _Recorded(uuid7(), type(event).__name__, event.subject, payload, urgent)
    current.at_end(_write, recorded)
    waking.after_commit(LANES[urgent])
    return recorded.event_id


async def _write(recorded: list[_Recorded]) -> None:
    columns = [list(column) for column in zip(*map(astuple, recorded), strict=True)]
    await database.execute(TURNS, columns[2])
    await database.execute(RECORD, *columns)


@dataclass(frozen=True, slots=True)
class ParkedMessage:
    """A message that was given up; whoever removed the reason has it retried."""

    id: int
    event: str
    subject: str
    attempts: int
    recorded_at: datetime
    error: str | None


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is not delivered: messages, and the seconds the oldest one that is not parked has waited."""

    pending: int
    parked: int
    oldest_s: float


async def retry(message_id: int) -> bool:
    """Take a parked message up again, by hand; False if it is not parked."""
    return await database.execute(RETRY, message_id) == 1


async def retry_all() -> int:
    """Take up every parked message; their number."""
    return await database.execute(RETRY_ALL)


async def parked(limit: int = 100) -> list[ParkedMessage]:
    """The parked messages, oldest first."""
    return [ParkedMessage(**row) for row in await database.fetch(PARKED, limit)]


async def backlog() -> Backlog:
    """Counts for the metrics; reads the unfinished messages and no others."""
    row = await database.fetchrow(BACKLOG)
    assert row is not None, "an aggregate has a row"
    return Backlog(**row)


async def purge(before: datetime, batch: int = 5000) -> int:
    """Forget what was delivered before then, and that it was handled; the number of messages."""
    total = 0
    while count := int(await database.fetchval(PURGE, before, batch)):
        total += count
    return total


def backoff_s(attempt: int) -> float:
    """Seconds before the next attempt: 1, 2, 4 … at most 300."""
    return float(min(300, 2 ** (attempt - 1)))


@dataclass(slots=True)
class Relay:
    """Delivers messages of one lane. Any number of relays may run beside each other.

    A message is leased for `lease_s` and the lease renewed while it is being handled, however long
    that takes: a relay that dies is followed by another after one lease. Its death counts as an
    attempt, so that an event that kills its process is parked in the end. A name that this program
    does not know is tried again like any failure, for a newer program may be on its way.
    """

    registry: Registry
    handlers: Mapping[type[Event], Sequence[Handler]]
    urgent: bool = False
    batch: int = 8
    handler_limit_s: float = 20.0
    park_after: int = 8
    poll_s: float = 1.0
    lease_s: float = 30.0
    _has_next: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        for kind, handlers in self.handlers.items():
            if len({handler_name(each) for each in handlers}) < len(handlers):
                raise ValueError(f"two handlers of {kind.__name__} have one name: one would hide the other")

    async def run(self, stop: asyncio.Event, woken: asyncio.Event) -> None:
        """Deliver until `stop`; after a batch that took all there was wait for `woken` or the next poll."""
        while not stop.is_set():
            woken.clear()
            self._has_next = False
            try:
                delivered = await self.deliver()
            except Exception as error:  # the database may be away for a while; the relay outlives it
                log.error("outbox.unreachable", **place(error))
                delivered = 0
            if delivered < self.batch and not self._has_next:
                with suppress(TimeoutError):
                    await asyncio.wait_for(woken.wait(), self.poll_s)

    async def deliver(self) -> int:
        """Claim a batch, which has one message of a subject at most, and deliver it side by side;
        the number of messages claimed."""
        lease = uuid7()
        rows = await database.fetch(CLAIM, lease, self.lease_s, self.urgent, self.batch)
        if rows:
            async with asyncio.TaskGroup() as group:
                keeping = group.create_task(self._keep(lease, [row["id"] for row in rows]))
                async with asyncio.TaskGroup() as deliveries:
                    for row in rows:
                        deliveries.create_task(self._deliver_one(lease, row))
                keeping.cancel()
        return len(rows)

    async def _keep(self, lease: UUID, message_ids: list[int]) -> None:
        while True:
            await asyncio.sleep(self.lease_s / 3)
            try:
                await database.execute(RENEW, lease, self.lease_s, message_ids)
            except Exception as error:  # another relay may take over: handled is handled once all the same
                log.error("outbox.lease_not_renewed", **place(error))

    async def _deliver_one(self, lease: UUID, row: asyncpg.Record) -> None:
        event_id: UUID = row["event_id"]
        try:
            if row["attempts"] > self.park_after:
                raise RuntimeError("the relay died in every attempt")
            event = self.registry.load(row["event"], orjson.loads(row["payload"]))
            await self._handle(event, event_id, (row["id"], lease))
        except Exception as error:  # whatever a handler meets must not stop the lane
            await self._postpone(lease, row["id"], row["attempts"], error)

    async def _handle(self, event: Event, event_id: UUID, claim: tuple[int, UUID]) -> None:
        handlers = self.handlers.get(type(event), ())
        failed: list[Exception] = []
        for handler in handlers:
            try:
                async with asyncio.timeout(self.handler_limit_s), database.transaction():
                    await _handle_once(handler, event, event_id)
                    if handler is handlers[-1] and not failed:
                        # With the last handler's writes: one commit less for each message. It comes after whatever
                        # the handler locks, so that the renewal of a lease never waits in a circle.
                        await self._settle(claim)
            except Exception as error:  # a door that cannot be opened must not keep a fire from being told
                failed.append(error)
        if failed:
            raise failed[0]
        if not handlers:
            await self._settle(claim)

    async def _settle(self, claim: tuple[int, UUID]) -> None:
        self._has_next |= bool(await database.fetchval(SETTLE, *claim))

    async def _postpone(self, lease: UUID, message_id: int, attempts: int, error: Exception) -> None:
        parked = attempts >= self.park_after
        log.warning("outbox.parked" if parked else "outbox.failed", message=message_id, **place(error))
        state = "parked" if parked else "pending"
        reason = cause_of(error)
        await database.execute(POSTPONE, message_id, lease, state, reason, backoff_s(attempts))


def handler_name(handler: Handler) -> str:
    """The name under which it is noted that a handler has handled an event."""
    return f"{handler.__module__}.{handler.__qualname__}"


async def _handle_once(handler: Handler, event: Event, event_id: UUID) -> None:
    if await database.fetchval(HANDLED, uuid7(), event_id, handler_name(handler)) is not None:
        await handler(event, event_id)
