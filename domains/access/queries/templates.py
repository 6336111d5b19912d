"""Reads of visits that repeat (常访模板)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import asyncpg

from domains.access import sealed, visits
from domains.access.queries.passes import SINCE
from domains.kernel import database, phones, sealing
from domains.kernel.actor import Actor

MOST = 100


@dataclass(frozen=True, slots=True)
class PassTemplate:
    """A visit that repeats; its link is there for its host alone."""

    id: UUID
    compound_id: UUID
    house_id: UUID
    house_number: str
    guest_name: str
    phone: str | None
    plate: str
    companions: int
    purpose: str
    message: str
    weekdays: list[int]
    from_minute: int
    until_minute: int
    uses_allowed: int | None
    until_on: date
    created_at: datetime
    ended_at: datetime | None
    host_name: str
    is_mine: bool
    link: str | None


_ROW = f"""t.id, t.compound_id, t.house_id, h.number AS house_number, t.guest_name, t.phone_sealed, t.plate, t.companions,
    t.purpose, t.message, t.weekdays, t.from_minute, t.until_minute, t.uses_allowed, t.until_on, t.created_at, t.ended_at,
    a.name AS host_name, t.host_id = $1 AS is_mine, t.link_sealed
FROM pass_template t JOIN house h ON h.id = t.house_id JOIN account a ON a.id = t.host_id
WHERE t.house_id = ANY($2::uuid[])
    AND (t.ended_at IS NULL OR t.ended_at >= {SINCE.format(house="t.house_id")})"""

OWN = f"""
SELECT {_ROW} ORDER BY t.ended_at IS NOT NULL, t.created_at DESC, t.id LIMIT $3
"""

BY_ID = f"SELECT {_ROW} AND t.id = ANY($3::uuid[])"


async def own(actor: Actor) -> list[PassTemplate]:
    """Those of the caller's houses, the running ones first; at most 100."""
    return [_template(row) for row in await database.fetch(OWN, actor.account_id, _houses(actor), MOST)]


async def by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, PassTemplate]:
    """Those of the caller's houses."""
    rows = await database.fetch(BY_ID, actor.account_id, _houses(actor), ids)
    return {row["id"]: _template(row) for row in rows}


def _houses(actor: Actor) -> list[UUID]:
    return [tie.house_id for tie in actor.houses]


def _template(row: asyncpg.Record) -> PassTemplate:
    values = dict(row)
    link, phone = values.pop("link_sealed"), values.pop("phone_sealed")
    values["weekdays"] = visits.weekdays_of(row["weekdays"])
    return PassTemplate(
        phone=None if phone is None else phones.mask(sealing.unseal(phone, sealed.TEMPLATE_PHONE)),
        link=sealing.unseal(link, sealed.TEMPLATE_LINK) if row["is_mine"] else None,
        **values,
    )
