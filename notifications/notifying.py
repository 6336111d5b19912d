"""Telling people (通知): what a domain says in its own transaction, and all that follows from it.

The inbox has the notice with the commit of its cause. What goes out by other channels is planned here
as rows and sent by the workers afterwards; nothing outside is called.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
import orjson

from domains.kernel import clock, database, waking
from domains.kernel.ids import uuid7
from domains.kernel.slots import Slot
from notifications import rules, viewer_events
from notifications.kinds import Channel, Kind, Urgency, Value
from notifications.rules import Person, Planned

Templates = Mapping[Channel, Mapping[str, str]]

templates: Slot[Templates] = Slot("message templates")
"""Channel → name of a kind → the platform's id of the template (消息模板)."""

LANES = {False: "deliveries", True: "deliveries:urgent"}
"""The couriers' names by urgency, for waking them."""

INBOX_ADDED = "inbox.added"

# One statement: the notice (or the one of the same key), the inboxes that do not have it yet, what
# their listeners read, and all that planning asks of each recipient. Who is being joined with another
# account is waited for, so that nothing is told to an inbox that nobody opens any more.
RAISE = """
WITH raised AS (
    INSERT INTO notice (id, kind, dedupe_key, compound_id, urgency, data, subject_type, subject_id, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9, $10)
    ON CONFLICT (kind, dedupe_key) DO UPDATE SET dedupe_key = EXCLUDED.dedupe_key RETURNING id),
standing AS MATERIALIZED (
    SELECT account_id, is_quiet_at_night, quiet_from, quiet_until, closed_at FROM recipient
    WHERE account_id = ANY($12::uuid[]) ORDER BY account_id FOR SHARE),
fresh AS (
    INSERT INTO notification (id, notice_id, account_id, kind, created_at)
    SELECT told.id, raised.id, told.account_id, $2, $9
    FROM raised, unnest($11::uuid[], $12::uuid[]) AS told (id, account_id)
    WHERE NOT EXISTS (SELECT FROM standing s WHERE s.account_id = told.account_id AND s.closed_at IS NOT NULL)
    ON CONFLICT (notice_id, account_id) DO NOTHING RETURNING id, account_id),
seen AS (
    INSERT INTO viewer_event (id, account_id, name, subject_type, subject_id, at)
    SELECT gen_random_uuid(), account_id, $13, 'Notification', id, $9 FROM fresh)
SELECT raised.id AS notice_id, fresh.id, fresh.account_id,
    coalesce(r.is_quiet_at_night, true) AS is_quiet, coalesce(r.quiet_from, 1320) AS quiet_from,
    coalesce(r.quiet_until, 420) AS quiet_until,
    (SELECT array_agg(c.channel) FROM contact c WHERE c.account_id = fresh.account_id) AS channels,
    (SELECT array_agg(s.id) FROM push_subscription s WHERE s.account_id = fresh.account_id) AS devices,
    (SELECT jsonb_object_agg(p.channel, p.is_on)::text FROM notification_preference p
     WHERE p.account_id = fresh.account_id AND p.kind = $2) AS wishes
FROM raised LEFT JOIN fresh ON true LEFT JOIN standing r ON r.account_id = fresh.account_id
"""

# A digest that waits already takes the new one in: the touch makes whoever is about to send it wait
# for this commit, and count this one too, which may have begun before the one that waits. Digests are
# touched in one order, so that two who tell the same people wait for each other and not in a circle.
DELIVER = """
INSERT INTO delivery (id, notice_id, notification_id, account_id, compound_id, kind, channel, target_id, is_urgent,
    is_digest, is_climb, state, reason, attempts, due_at, expires_at, created_at, settled_at)
SELECT d.id, $1, d.notification_id, d.account_id, $2, $3, d.channel, d.target_id, $4, d.is_digest, d.is_climb,
    CASE WHEN d.reason IS NULL THEN 'pending' ELSE 'suppressed' END, d.reason, 0, d.due_at, $5, $6,
    CASE WHEN d.reason IS NULL THEN NULL ELSE $6::timestamptz END
FROM unnest($7::uuid[], $8::uuid[], $9::uuid[], $10::text[], $11::uuid[], $12::boolean[], $13::boolean[],
    $14::text[], $15::timestamptz[])
    AS d (id, notification_id, account_id, channel, target_id, is_digest, is_climb, reason, due_at)
ORDER BY d.account_id, d.channel, d.target_id
ON CONFLICT (account_id, kind, channel, target_id) WHERE is_digest AND state = 'pending'
    DO UPDATE SET created_at = least(delivery.created_at, EXCLUDED.created_at),
        expires_at = greatest(delivery.expires_at, EXCLUDED.expires_at)
"""

# A compound's other systems are told once per notice, however many people it concerns.
CALL_OUT = """
INSERT INTO delivery (id, notice_id, compound_id, kind, channel, target_id, is_urgent, state, attempts,
    due_at, expires_at, created_at, is_digest, is_climb)
SELECT gen_random_uuid(), $1, $2, $3::text, 'webhook', w.id, $4, 'pending', 0, $5, $6, $5, false, false
FROM webhook_endpoint w WHERE w.compound_id = $2 AND w.disabled_at IS NULL AND $3::text = ANY(w.kinds)
ON CONFLICT (notice_id, target_id) WHERE notification_id IS NULL DO NOTHING RETURNING id
"""

TOLD = """
SELECT n.account_id, n.id FROM notice c JOIN notification n ON n.notice_id = c.id
WHERE c.kind = $1 AND c.dedupe_key = $2 ORDER BY n.account_id
"""


@dataclass(frozen=True, slots=True)
class _Raised:
    """A notice as it is being told."""

    notice_id: UUID
    kind: Kind
    urgency: Urgency
    compound_id: UUID | None
    now: datetime

    @property
    def expires_at(self) -> datetime:
        return self.now + self.kind.worth


async def notify(
    recipients: Collection[UUID],
    kind: Kind,
    data: Mapping[str, Value],
    *,
    dedupe_key: str,
    compound_id: UUID | None,
    urgency: Urgency | None = None,
    subject: tuple[str, UUID] | None = None,
) -> int:
    """Tell these accounts, in the open transaction, with which it stands and falls; the number of inboxes
    that did not have it yet.

    The same `dedupe_key` of a kind is the same notice: whoever has it is not told again. `subject` is the
    GraphQL type and id of what it is about. ValueError where `data` is not what the kind declares.
    """
    if database.open_transaction() is None:
        raise RuntimeError("people are told in the transaction of the cause")
    level, now = urgency or kind.urgency, clock.now()
    packed = orjson.dumps(kind.pack(data)).decode()
    accounts = sorted(set(recipients))
    rows = await database.fetch(
        RAISE, uuid7(), kind.name, dedupe_key, compound_id, level, packed, *(subject or ("", None)), now,
        now + kind.worth, [uuid7() for _ in accounts], accounts, INBOX_ADDED,
    )  # fmt: skip
    raised = _Raised(rows[0]["notice_id"], kind, level, compound_id, now)
    fresh = [row for row in rows if row["id"] is not None]
    if await _plan(raised, fresh) + await _call_out(raised):
        waking.after_commit(LANES[level is Urgency.URGENT])
    await viewer_events.wake([row["account_id"] for row in fresh])
    return len(fresh)


async def told(kind: Kind, dedupe_key: str) -> dict[UUID, UUID]:
    """Who was told the notice of this key: the notification by account."""
    return {row["account_id"]: row["id"] for row in await database.fetch(TOLD, kind.name, dedupe_key)}


async def _plan(raised: _Raised, fresh: Sequence[asyncpg.Record]) -> int:
    available = channels_for(raised.kind)
    planned = [
        (row, each)
        for row in fresh
        for each in rules.plan(raised.kind, raised.urgency, available, _person(row), raised.now)
    ]
    if planned:
        columns = [list(column) for column in zip(*(_columns(*pair) for pair in planned), strict=True)]
        await database.execute(
            DELIVER, raised.notice_id, raised.compound_id, raised.kind.name, raised.urgency is Urgency.URGENT,
            raised.expires_at, raised.now, *columns,
        )  # fmt: skip
    return len(planned)


def _columns(row: asyncpg.Record, planned: Planned) -> Iterator[object]:
    yield from (uuid7(), row["id"], row["account_id"], planned.channel, planned.target_id)
    yield from (planned.is_digest, planned.is_climb, planned.suppressed, planned.due_at)


def _person(row: asyncpg.Record) -> Person:
    contacts, chosen = row["channels"] or (), orjson.loads(row["wishes"] or "{}")
    # Channels that only a newer program knows, beside which this one may run for a while, are its affair.
    reached = frozenset(each for each in Channel if each in contacts)
    return Person(
        channels=reached | ({Channel.VOICE} if Channel.SMS in reached else frozenset()),
        devices=row["devices"] or (),
        wishes={each: chosen[each] for each in Channel if each in chosen},
        quiet=(row["quiet_from"], row["quiet_until"]) if row["is_quiet"] else None,
    )


def channels_for(kind: Kind) -> frozenset[Channel]:
    """The channels by which this installation can send the kind: Web Push carries any text, the others
    need the platform's template."""
    templated = frozenset(channel for channel, kinds in templates().items() if kind.name in kinds)
    return templated | {Channel.WEB_PUSH}


async def _call_out(raised: _Raised) -> int:
    if raised.compound_id is None:
        return 0
    return len(
        await database.fetch(
            CALL_OUT, raised.notice_id, raised.compound_id, raised.kind.name,
            raised.urgency is Urgency.URGENT, raised.now, raised.expires_at,
        )
    )  # fmt: skip
