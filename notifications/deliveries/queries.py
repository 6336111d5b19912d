"""The delivery log (投递记录): what was sent to whom by which way, what was not, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.command import concerns, sensitive_read
from domains.kernel.errors import NotFound
from notifications.deliveries.authority import require_all_of
from notifications.permissions import DELIVERIES_READ

_COLUMNS = """
SELECT d.id, d.notice_id, d.account_id, d.compound_id, d.kind, d.channel, d.is_urgent, d.is_digest, d.is_climb,
    d.state, d.reason, d.attempts AS attempts_made, d.due_at, d.expires_at, d.platform_id, d.created_at, d.settled_at
FROM delivery d
"""

_PAGE = """
AND ($2::timestamptz IS NULL OR (d.created_at, d.id) < ($2, $3::uuid))
ORDER BY d.created_at DESC, d.id DESC LIMIT $4
"""

BY_ID = f"{_COLUMNS} WHERE d.id = $1"

TROUBLE = f"""{_COLUMNS} WHERE d.settled_at IS NOT NULL AND d.state = ANY($1::text[])
ORDER BY d.settled_at DESC, d.id DESC LIMIT $2
"""

# The last ones of each: a delivery may be resent as often as somebody likes.
ATTEMPTS = """
SELECT a.delivery_id, a.number, a.outcome, a.code, a.detail, a.began_at, a.ended_at
FROM delivery d, LATERAL (
    SELECT * FROM delivery_attempt t WHERE t.delivery_id = d.id ORDER BY t.began_at DESC, t.id DESC LIMIT 50) AS a
WHERE d.id = ANY($1::uuid[]) AND ($2 OR d.compound_id = ANY($3::uuid[]) OR ($4 AND d.compound_id IS NULL))
ORDER BY a.delivery_id, a.began_at, a.id
"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A notice on its way by one channel; `account_id` is null for a webhook."""

    id: UUID
    notice_id: UUID
    account_id: UUID | None
    compound_id: UUID | None
    kind: str
    channel: str
    is_urgent: bool
    is_digest: bool
    is_climb: bool
    state: str
    reason: str | None
    attempts_made: int
    due_at: datetime
    expires_at: datetime
    platform_id: str | None
    created_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try and what the platform said; `number` is counted anew after a resend."""

    number: int
    outcome: str
    code: str
    detail: str
    began_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """What the log is narrowed to."""

    state: str | None = None
    channel: str | None = None
    kind: str | None = None


@sensitive_read("delivery.list", caller="staff")
async def deliveries(
    actor: Actor,
    *,
    compound_id: UUID | None,
    narrowed: DeliveryFilter,
    after: tuple[object, ...] | None,
    limit: int,
) -> list[Delivery]:
    """A page of a compound's deliveries, the newest first, for who may read them in all of it; without a
    compound those that concern none, for operators. Raises Forbidden."""
    concerns("DeliveryLog", None, compound_id)
    require_all_of(actor, DELIVERIES_READ, compound_id)
    asked = [
        (column, value)
        for column, value in (("state", narrowed.state), ("channel", narrowed.channel), ("kind", narrowed.kind))
        if value is not None
    ]  # fmt: skip
    rows = await database.fetch(
        page_of(compound_id is None, [column for column, _ in asked]), compound_id, *(after or (None, None)),
        limit, *(value for _, value in asked),
    )  # fmt: skip
    return [Delivery(**row) for row in rows]


def page_of(without_compound: bool, columns: Sequence[str]) -> str:
    """The statement of a page. What is not asked for is not in it, so that its plan, once prepared, holds
    for every call."""
    whose = "d.compound_id IS NULL AND $1::uuid IS NULL" if without_compound else "d.compound_id = $1"
    narrowed = "".join(f" AND d.{column} = ${place}" for place, column in enumerate(columns, start=5))
    return f"{_COLUMNS} WHERE {whose}{narrowed} {_PAGE}"


@sensitive_read("delivery.read", caller="staff")
async def delivery(actor: Actor, *, delivery_id: UUID) -> Delivery:
    """One delivery. Raises NotFound DELIVERY_NOT_FOUND, Forbidden."""
    row = await database.fetchrow(BY_ID, delivery_id)
    if row is None:
        raise NotFound("DELIVERY_NOT_FOUND", "没有这条投递记录,请刷新后重试", "delivery")
    concerns("Delivery", delivery_id, row["compound_id"])
    require_all_of(actor, DELIVERIES_READ, row["compound_id"])
    return Delivery(**row)


async def attempts(actor: Actor, delivery_ids: Sequence[UUID]) -> Mapping[UUID, list[Attempt]]:
    """The attempts of deliveries whose log the caller may read, in their order; of each the last 50."""
    reach = actor.reach(DELIVERIES_READ)
    rows = await database.fetch(
        ATTEMPTS, delivery_ids, actor.kind == "system", reach.compounds, actor.operator
    )
    found = defaultdict(list)
    for row in rows:
        fields = dict(row)
        found[fields.pop("delivery_id")].append(Attempt(**fields))
    return found


async def trouble(states: Sequence[str], limit: int) -> list[Delivery]:
    """Deliveries of all compounds that ended so, the last ones first: for who has the machine in hand."""
    return [Delivery(**row) for row in await database.fetch(TROUBLE, states, limit)]
