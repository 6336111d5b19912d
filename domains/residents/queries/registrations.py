"""Reads of registrations (自助登记), and of what a resident needs to type one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.command import concerns, sensitive_read
from domains.residents import permissions, rules, sealed
from domains.residents.queries.reading import note


@dataclass(frozen=True, slots=True)
class ReviewFacts:
    """What the register says of the house and the applicant (核验信息)."""

    owners: int
    name_matches: bool
    phone_matches: bool
    document_matches: bool
    linked_to_another_account: bool


@dataclass(frozen=True, slots=True)
class Registration:
    """A registration. Its house and the facts are there for a reviewer and for nobody else."""

    id: UUID
    compound_id: UUID
    compound_name: str
    house_id: UUID | None
    house_number: str | None
    place: str
    name: str
    capacity: str
    phone: str
    document_kind: str | None
    document_number: str | None
    note: str
    lease_until_on: date | None
    state: str
    submitted_at: datetime
    reviewed_at: datetime | None
    reason: str | None
    facts: ReviewFacts | None


@dataclass(frozen=True, slots=True)
class TypedUnit:
    """A building and its units by name, as they are typed."""

    name: str
    units: list[str]


@dataclass(frozen=True, slots=True)
class CompoundToType:
    """A compound as who scanned its code may see it."""

    name: str
    address: str
    service_phone: str
    code: str
    buildings: list[TypedUnit]


_ROW = """r.id, r.compound_id, c.name AS compound_name, r.place, r.name, r.capacity, r.phone_sealed, r.document_kind,
    r.document_sealed, r.note, r.lease_until_on, r.state, r.submitted_at, r.reviewed_at, r.reason"""

OWN = f"""
SELECT {_ROW}, NULL::uuid AS house_id, NULL::text AS house_number
FROM registration r JOIN compound c ON c.id = r.compound_id
WHERE r.account_id = $1 ORDER BY r.submitted_at DESC, r.id DESC LIMIT 100
"""

# Of each house the last word; a refusal is news for two weeks.
OPEN = f"""
SELECT * FROM (
    SELECT DISTINCT ON (r.house_id) {_ROW}, NULL::uuid AS house_id, NULL::text AS house_number
    FROM registration r JOIN compound c ON c.id = r.compound_id
    WHERE r.account_id = $1 AND r.state <> 'withdrawn' ORDER BY r.house_id, r.submitted_at DESC) AS last
WHERE state = 'pending' OR (state = 'rejected' AND reviewed_at > $2) ORDER BY submitted_at DESC, id DESC
"""

_FACTS = """
    SELECT count(DISTINCT p.id) FILTER (WHERE o.capacity = 'owner') AS owners,
        coalesce(bool_or(p.name = r.name), false) AS name_matches,
        coalesce(bool_or(p.phone_index = r.phone_index), false) AS phone_matches,
        coalesce(bool_or(p.document_index = r.document_index), false) AS document_matches,
        coalesce(bool_or(p.account_id <> r.account_id AND (p.document_index = r.document_index
            OR (p.phone_index = r.phone_index AND p.name = r.name))), false) AS linked_to_another_account
    FROM occupancy o JOIN person p ON p.id = o.person_id WHERE o.house_id = r.house_id AND o.ended_at IS NULL
"""

_FOR_REVIEW = f"""
SELECT {_ROW}, r.house_id, h.number AS house_number, f.* FROM registration r JOIN compound c ON c.id = r.compound_id
JOIN house h ON h.id = r.house_id CROSS JOIN LATERAL ({_FACTS}) AS f
"""

_NARROWED = """r.compound_id = $1 AND ($2::uuid[] IS NULL OR h.building_id = ANY($2::uuid[]))
  AND ($3::text IS NULL OR r.state = $3) AND ($4::uuid IS NULL OR h.building_id = $4)"""

TO_REVIEW = f"""
{_FOR_REVIEW} WHERE {_NARROWED} AND ($5::timestamptz IS NULL OR (r.submitted_at, r.id) > ($5, $6::uuid))
ORDER BY r.submitted_at, r.id LIMIT $7
"""

COUNT_TO_REVIEW = f"""
SELECT count(*) FROM registration r JOIN house h ON h.id = r.house_id WHERE {_NARROWED}
"""

BY_ID_TO_REVIEW = f"""
{_FOR_REVIEW} WHERE r.id = ANY($1::uuid[]) AND (h.compound_id = ANY($2::uuid[]) OR h.building_id = ANY($3::uuid[]))
"""

OWN_BY_ID = f"""
SELECT {_ROW}, NULL::uuid AS house_id, NULL::text AS house_number
FROM registration r JOIN compound c ON c.id = r.compound_id WHERE r.id = ANY($1::uuid[]) AND r.account_id = $2
"""

COMPOUND_TO_TYPE = """
SELECT c.name, c.address, c.service_phone, c.code, b.name AS building, b.sort,
    array_agg(u.name ORDER BY u.sort) FILTER (WHERE u.name <> '') AS units
FROM compound c LEFT JOIN building b ON b.compound_id = c.id LEFT JOIN unit u ON u.building_id = b.id
WHERE c.code = $1 GROUP BY c.id, b.id ORDER BY b.sort, b.id
"""


async def own(actor: Actor) -> list[Registration]:
    """The caller's registrations, the last one first; at most 100."""
    return [_registration(row) for row in await database.fetch(OWN, actor.id)]


async def open_ones(actor: Actor) -> list[Registration]:
    """Those of the caller that wait, or were refused lately and not asked for again."""
    since = clock.now() - rules.REJECTION_SHOWN
    return [_registration(row) for row in await database.fetch(OPEN, actor.id, since)]


@sensitive_read("registration.list", caller="staff", permission=permissions.REVIEW)
async def to_review(
    actor: Actor,
    compound_id: UUID,
    *,
    state: str | None,
    building_id: UUID | None,
    after: tuple[object, ...] | None,
    limit: int,
) -> list[Registration]:
    """A page of a compound's registrations with what a reviewer needs, the longest waiting first."""
    concerns("Registration", None, compound_id, state=state)
    arguments = _arguments(actor, compound_id, state, building_id)
    rows = await database.fetch(TO_REVIEW, *arguments, *(after or (None, None)), limit)
    return [_registration(row, is_review=True) for row in rows]


async def count_to_review(
    actor: Actor, compound_id: UUID, state: str | None, building_id: UUID | None
) -> int:
    """How many there are over all pages."""
    return int(await database.fetchval(COUNT_TO_REVIEW, *_arguments(actor, compound_id, state, building_id)))


async def by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Registration]:
    """Those the caller may see: reviewers by permission, residents their own."""
    if actor.compounds(permissions.REVIEW):
        return await _read_to_review(actor, ids)
    return {row["id"]: _registration(row) for row in await database.fetch(OWN_BY_ID, ids, actor.account_id)}


async def _read_to_review(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Registration]:
    reach = actor.reach(permissions.REVIEW)
    async with database.transaction():
        rows = await database.fetch(BY_ID_TO_REVIEW, ids, reach.compounds, reach.buildings)
        found = {row["id"]: _registration(row, is_review=True) for row in rows}
        await note(actor, "registration.read", "Registration", found.values())
    return found


async def compound_to_type(code: str) -> CompoundToType | None:
    """The compound of a code with the names of its buildings and units: nothing of houses or people."""
    rows = await database.fetch(COMPOUND_TO_TYPE, code.strip().upper())
    if not rows:
        return None
    first = rows[0]
    buildings = [
        TypedUnit(row["building"], row["units"] or []) for row in rows if row["building"] is not None
    ]
    return CompoundToType(first["name"], first["address"], first["service_phone"], first["code"], buildings)


def _arguments(
    actor: Actor, compound_id: UUID, state: str | None, building_id: UUID | None
) -> tuple[object, ...]:
    actor.require(permissions.REVIEW, compound_id)
    reached = actor.buildings(permissions.REVIEW, compound_id)
    return compound_id, None if reached is None else list(reached), state, building_id


def _registration(row: asyncpg.Record, *, is_review: bool = False) -> Registration:
    values: dict[str, Any] = dict(row)  # Any: columns by name
    phone = sealed.masked_phone(values.pop("phone_sealed"), sealed.REGISTRATION_PHONE)
    document = sealed.masked_document(values.pop("document_sealed"), sealed.REGISTRATION_DOCUMENT)
    names = ReviewFacts.__slots__
    facts = ReviewFacts(**{name: values.pop(name) for name in names}) if is_review else None
    return Registration(phone=phone or "", document_number=document, facts=facts, **values)
