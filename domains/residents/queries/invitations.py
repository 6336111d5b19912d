"""Reads of invitations to a house (邀请)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.residents import sealed


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation as its inviter or the invited one sees it."""

    id: UUID
    compound_name: str
    house_number: str
    inviter_name: str
    is_mine: bool
    """The caller is who invited."""
    name: str
    phone: str
    capacity: str
    lease_until_on: date | None
    state: str
    created_at: datetime
    expires_at: datetime


# One that ran out says so before the job has written it.
_ROW = """
SELECT i.id, c.name AS compound_name, h.number AS house_number, coalesce(inviter.name, '') AS inviter_name,
    i.inviter_id = $1 AS is_mine, i.name, i.phone_sealed, i.capacity, i.lease_until_on,
    CASE WHEN i.state = 'open' AND i.expires_at <= $2 THEN 'expired' ELSE i.state END AS state,
    i.created_at, i.expires_at
FROM invitation i JOIN house h ON h.id = i.house_id JOIN compound c ON c.id = i.compound_id
LEFT JOIN person inviter ON inviter.compound_id = i.compound_id AND inviter.account_id = i.inviter_id
"""

# An invitation waits as long as its inviter is an owner of the house.
_WAITING = """i.phone_index = (SELECT phone_index FROM account WHERE id = $1) AND i.state = 'open' AND i.expires_at > $2
    AND EXISTS (SELECT 1 FROM occupancy o WHERE o.person_id = inviter.id AND o.house_id = i.house_id
        AND o.capacity = 'owner' AND o.ended_at IS NULL)"""

RECEIVED = f"{_ROW} WHERE {_WAITING} ORDER BY i.created_at DESC, i.id DESC LIMIT 100"

SENT = f"{_ROW} WHERE i.inviter_id = $1 ORDER BY i.created_at DESC, i.id DESC LIMIT 100"

BY_ID = f"{_ROW} WHERE i.id = ANY($3::uuid[]) AND (i.inviter_id = $1 OR ({_WAITING}))"


async def received(actor: Actor) -> list[Invitation]:
    """Those that wait for the caller's verified phone, the last one first."""
    return [_invitation(row) for row in await database.fetch(RECEIVED, actor.id, clock.now())]


async def sent(actor: Actor) -> list[Invitation]:
    """Those the caller sent, the last one first; at most 100."""
    return [_invitation(row) for row in await database.fetch(SENT, actor.id, clock.now())]


async def by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Invitation]:
    """Those the caller sent, or that wait for the caller."""
    rows = await database.fetch(BY_ID, actor.account_id, clock.now(), ids)
    return {row["id"]: _invitation(row) for row in rows}


def _invitation(row: asyncpg.Record) -> Invitation:
    values: dict[str, Any] = dict(row)  # Any: columns by name
    phone = sealed.masked_phone(values.pop("phone_sealed"), sealed.INVITATION_PHONE)
    return Invitation(phone=phone or "", **values)
