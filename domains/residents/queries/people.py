"""Reads of people (人口): lists are masked, and every read by staff is audited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from domains.estate.queries import contains
from domains.kernel import database, documents, phones, sealing, text
from domains.kernel.actor import Actor
from domains.kernel.command import concerns, sensitive_read
from domains.kernel.errors import Invalid, NotFound
from domains.residents import permissions, sealed
from domains.residents.queries.reading import note


@dataclass(frozen=True, slots=True)
class Person:
    """A person as staff see one: phone and document masked, what is sensitive not there."""

    id: UUID
    compound_id: UUID
    name: str
    phone: str | None
    document_kind: str | None
    document_number: str | None
    population_kind: str | None
    tags: list[str]
    has_account: bool
    source: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class PersonDetails:
    """A person's whole record, in clear."""

    id: UUID
    compound_id: UUID
    compound_name: str
    name: str
    phone: str | None
    document_kind: str | None
    document_number: str | None
    sex: str | None
    born_on: date | None
    nationality: str
    ethnicity: str
    native_place: str
    registered_address: str
    population_kind: str | None
    work_unit: str
    photo_key: str | None


@dataclass(frozen=True, slots=True)
class PersonFilter:
    """What a list of people is narrowed to."""

    name: str | None = None
    """A part of the name."""
    phone: str | None = None
    """A whole number."""
    phone_tail: str | None = None
    """The last four digits."""
    document_number: str | None = None
    house: str | None = None
    """A part of the number of a house where they are."""
    building_id: UUID | None = None
    population_kind: str | None = None
    tag: str | None = None


_ROW = """p.id, p.compound_id, p.name, p.phone_sealed, p.document_kind, p.document_sealed, p.population_kind, p.tags,
    p.account_id IS NOT NULL AS has_account, p.source, p.recorded_at"""

# The building of the scope, the building asked for and the house's number are of one house: somebody who
# may see one building learns nothing of a person's house in another.
_NARROWED = """
p.compound_id = $1
  AND (($2::uuid[] IS NULL AND $3::uuid IS NULL AND $4::text IS NULL) OR EXISTS (
      SELECT 1 FROM occupancy o JOIN house h ON h.id = o.house_id
      WHERE o.person_id = p.id AND o.ended_at IS NULL AND h.compound_id = $1
        AND ($2::uuid[] IS NULL OR h.building_id = ANY($2::uuid[]))
        AND ($3::uuid IS NULL OR h.building_id = $3) AND ($4::text IS NULL OR h.number LIKE $4)))
  AND ($5::text IS NULL OR p.name LIKE $5) AND ($6::bytea IS NULL OR p.phone_index = $6)
  AND ($7::bytea IS NULL OR p.phone_tail_index = $7) AND ($8::bytea IS NULL OR p.document_index = $8)
  AND ($9::text IS NULL OR p.population_kind = $9) AND ($10::text IS NULL OR $10 = ANY(p.tags))
"""

RESIDENTS = f"""
SELECT {_ROW} FROM person p WHERE {_NARROWED} AND ($11::text IS NULL OR (p.name, p.id) > ($11, $12::uuid))
ORDER BY p.name, p.id LIMIT $13
"""

COUNT_RESIDENTS = f"SELECT count(*) FROM person p WHERE {_NARROWED}"

_REACHED = """(p.compound_id = ANY($2::uuid[]) OR EXISTS (
    SELECT 1 FROM occupancy o JOIN house h ON h.id = o.house_id
    WHERE o.person_id = p.id AND o.ended_at IS NULL AND h.building_id = ANY($3::uuid[])))"""

BY_ID = f"SELECT {_ROW} FROM person p WHERE p.id = ANY($1::uuid[]) AND {_REACHED}"

_DETAILS = """p.id, p.compound_id, c.name AS compound_name, p.name, p.phone_sealed, p.document_kind,
    p.document_sealed, p.sex, p.born_on, p.nationality, p.ethnicity, p.native_place, p.registered_address,
    p.population_kind, p.work_unit, p.photo_key"""

DETAILS = f"""
SELECT {_DETAILS} FROM person p JOIN compound c ON c.id = p.compound_id WHERE p.id = ANY($1::uuid[]) AND {_REACHED}
"""

OWN_PROFILES = f"""
SELECT {_DETAILS} FROM person p JOIN compound c ON c.id = p.compound_id
WHERE p.account_id = $1 ORDER BY c.name, p.id
"""

NAMES_OF_ACCOUNTS = """
SELECT DISTINCT ON (account_id) account_id, left(name, 1) || '**' AS name FROM person
WHERE account_id = ANY($1::uuid[]) AND compound_id = ANY($2::uuid[]) ORDER BY account_id, recorded_at DESC
"""


async def masked_names(account_ids: Sequence[UUID], compound_ids: Iterable[UUID]) -> Mapping[UUID, str]:
    """What the register of these compounds calls accounts, for who may read rows that point at them: 李**."""
    rows = await database.fetch(NAMES_OF_ACCOUNTS, account_ids, list(compound_ids))
    return {row["account_id"]: row["name"] for row in rows}


@sensitive_read("resident.list", caller="staff", permission=permissions.READ)
async def residents(
    actor: Actor, compound_id: UUID, narrowed: PersonFilter, *, after: tuple[object, ...] | None, limit: int
) -> list[Person]:
    """A page of a compound's people, by name. Raises the codes of phones and documents for a bad search."""
    asked = [field.name for field in fields(narrowed) if getattr(narrowed, field.name) is not None]
    concerns("Person", None, compound_id, by=asked)
    arguments = _arguments(actor, compound_id, narrowed)
    rows = await database.fetch(RESIDENTS, *arguments, *(after or (None, None)), limit)
    return [_masked(row) for row in rows]


async def count_residents(actor: Actor, compound_id: UUID, narrowed: PersonFilter) -> int:
    """How many there are over all pages."""
    return int(await database.fetchval(COUNT_RESIDENTS, *_arguments(actor, compound_id, narrowed)))


async def by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Person]:
    """Those of the people whom the caller may see, masked: nobody without the permission."""
    if not actor.compounds(permissions.READ):
        return {}
    reach = actor.reach(permissions.READ)
    async with database.transaction():
        rows = await database.fetch(BY_ID, ids, reach.compounds, reach.buildings)
        found = {row["id"]: _masked(row) for row in rows}
        await note(actor, "resident.read", "Person", found.values())
    return found


@sensitive_read("resident.reveal", caller="staff", permission=permissions.REVEAL)
async def reveal(actor: Actor, *, person_id: UUID, reason: str) -> PersonDetails:
    """The whole record in clear, for a reason that stays in the audit. Raises RESIDENT_NOT_FOUND."""
    reason = text.clean(reason, max_length=100, field="reason")
    reach = actor.reach(permissions.REVEAL)
    row = await database.fetchrow(DETAILS, [person_id], reach.compounds, reach.buildings)
    concerns("Person", person_id, row["compound_id"] if row else None, reason=reason)
    if row is None:
        raise NotFound("RESIDENT_NOT_FOUND", "没有找到这位住户,请刷新后重试", "resident")
    return _details(row)


async def own_profiles(actor: Actor) -> list[PersonDetails]:
    """What the compounds' registers hold about the caller (我的档案)."""
    return [_details(row) for row in await database.fetch(OWN_PROFILES, actor.id)]


def _arguments(actor: Actor, compound_id: UUID, narrowed: PersonFilter) -> tuple[object, ...]:
    actor.require(permissions.READ, compound_id)
    reached = actor.buildings(permissions.READ, compound_id)
    return (
        compound_id, None if reached is None else list(reached), narrowed.building_id, contains(narrowed.house),
        contains(narrowed.name), _phone(narrowed.phone), _tail(narrowed.phone_tail),
        _document(narrowed.document_number), narrowed.population_kind, narrowed.tag,
    )  # fmt: skip


def _phone(written: str | None) -> bytes | None:
    return None if written is None else sealed.phone_index(phones.normalise(written, field="filter.phone"))


def _tail(written: str | None) -> bytes | None:
    if written is None:
        return None
    if not (written.isascii() and written.isdigit() and len(written) == 4):
        raise Invalid("PHONE_TAIL_INVALID", "请填写手机号的最后四位数字", "filter.phoneTail")
    return sealed.phone_tail_index(written)


def _document(written: str | None) -> bytes | None:
    if written is None:
        return None
    return sealed.document_index(documents.normalise(written, field="filter.documentNumber"))


def _masked(row: asyncpg.Record) -> Person:
    values: dict[str, Any] = dict(row)  # Any: columns by name
    phone, document = values.pop("phone_sealed"), values.pop("document_sealed")
    return Person(
        phone=sealed.masked_phone(phone), document_number=sealed.masked_document(document), **values
    )


def _details(row: asyncpg.Record) -> PersonDetails:
    values: dict[str, Any] = dict(row)  # Any: columns by name
    phone = sealing.unseal_optional(values.pop("phone_sealed"), sealed.PHONE)
    document = sealing.unseal_optional(values.pop("document_sealed"), sealed.DOCUMENT)
    return PersonDetails(phone=phone, document_number=document, **values)
